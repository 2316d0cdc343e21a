// A module of its own, without Go code, so that the 51 MB here are no part of
// github.com/saedb/saedb: go get and go install do not download them.
module github.com/saedb/saedb/examples/smollm2-135m

go 1.26.0
