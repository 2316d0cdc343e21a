package tensor

import (
	"fmt"
	"strings"
)

// Shortened lists names for an error, the first few of many; more counts names
// that the caller left out itself.
func Shortened(names []string, more int) string {
	const shown = 8
	if len(names) > shown {
		names, more = names[:shown], more+len(names)-shown
	}
	list := strings.Join(names, ", ")
	switch {
	case list == "" && more == 0:
		return "no tensors"
	case more == 0:
		return list
	case list == "":
		return fmt.Sprintf("%d others", more)
	default:
		return fmt.Sprintf("%s and %d more", list, more)
	}
}
