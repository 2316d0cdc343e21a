//go:build tokenizers

package test

// buildTags are those that the program is built with: the ones of its tests.
const buildTags = "tokenizers"
