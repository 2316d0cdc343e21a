package measure

import (
	"fmt"
	"os"
)

// Main is the rest of a benchmark's main: it ends the program with an error, if there is one.
func Main(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
