//go:build !saedb_extension

// Package main is saedb as an extension that any DuckDB loads; main.go is built
// with the tag saedb_extension, by make extension.
package main

func main() {}
