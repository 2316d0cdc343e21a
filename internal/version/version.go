// Package version is the version of saedb, for the program, the package and the
// loadable extension alike.
package version

// Number is the version.
const Number = "0.1.0"
