// Package tokenizer encodes text to tokens and decodes tokens to text with
// Hugging Face's tokenizer library.
//
// It is empty without the build tag tokenizers, which make sets. It links
// build/lib/libtokenizers.a, which scripts/libtokenizers.sh builds, and is the only
// package that does. What a token id stands for is in package vocab, in pure Go.
package tokenizer
