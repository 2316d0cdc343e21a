package figures

import (
	"math"
	"strconv"
	"strings"
)

// short returns v with four significant digits, and no more than it needs.
func short(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	if m := math.Abs(v); m >= 1e5 || m < 1e-4 {
		return strconv.FormatFloat(v, 'e', 2, 64)
	}
	digits := max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// percent returns a share of 1 as a percentage.
func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// title returns a word with a capital.
func title(word string) string {
	return strings.ToUpper(word[:1]) + word[1:]
}
