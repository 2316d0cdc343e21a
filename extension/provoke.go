//go:build saedb_extension && saedb_provoke

package main

import "github.com/saedb/saedb/internal/provoke"

// With the tag saedb_provoke, which only a test gives, the extension has functions
// that panic.
func init() { registerMore = provoke.Register }
