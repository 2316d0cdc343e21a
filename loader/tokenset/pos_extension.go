//go:build saedb_extension

package tokenset

// The loadable extension has no parts of speech: see pos.go.
var partsOfSpeech []builder
