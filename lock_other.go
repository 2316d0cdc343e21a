//go:build !unix

package saedb

// lockFile does nothing where an open file cannot be replaced anyway.
func lockFile(string) (unlock func(), err error) { return func() {}, nil }
