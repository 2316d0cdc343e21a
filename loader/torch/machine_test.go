package torch

import (
	"fmt"
	"math"
	"testing"
)

// show writes what a pickle built, for comparison.
func show(v any) string {
	switch v := v.(type) {
	case tuple:
		return "(" + showAll(v) + ")"
	case *list:
		return "[" + showAll(v.items) + "]"
	case *dict:
		text := "{"
		for _, key := range v.keys {
			text += keyText(key) + ":" + show(v.values[key]) + " "
		}
		return text + "}"
	case *opaque:
		return "opaque " + v.name
	case []byte:
		return fmt.Sprintf("bytes %q", v)
	default:
		return fmt.Sprint(v)
	}
}

func showAll(values []any) string {
	text := ""
	for _, v := range values {
		text += show(v) + " "
	}
	return text
}

// Pickles written by hand, with the values that Python's pickle.loads gives for them.
func TestOperations(t *testing.T) {
	for pickle, want := range map[string]string{
		"\x80\x02(K\x01K\x02l.":                                 "[1 2 ]",
		"\x80\x02(X\x01\x00\x00\x00aK\x01d.":                    "{a:1 }",
		"\x80\x02]K\x012e.":                                     "error", // no mark
		"\x80\x02]K\x01a.":                                      "[1 ]",
		"\x80\x02K\x012\x86.":                                   "(1 1 )",
		"\x80\x02K\x01(K\x02K\x031.":                            "1",
		"\x80\x02K\x01K\x020.":                                  "1",
		"\x80\x04(K\x01\x91.":                                   "[1 ]",
		"\x80\x02M\x01\x01J\xfe\xff\xff\xffK\xff\x87.":          "(257 -2 255 )",
		"\x80\x02\x8a\x00\x8a\x01\xff\x8a\x02\xff\x00\x87.":     "(0 -1 255 )",
		"\x80\x02\x8b\x01\x00\x00\x00\x80.":                     "-128",
		"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.": "opaque int",
		"\x80\x02U\x02hi.":                                      "hi",
		"\x80\x03C\x02hi.":                                      `bytes "hi"`,
		"\x80\x04\x8c\x01a\x94h\x00\x86.":                       "(a a )",
		"\x80\x02G\x7f\xf0\x00\x00\x00\x00\x00\x00.":            fmt.Sprint(math.Inf(1)),
		"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.":   "opaque os.system",
		"\x80\x04ca\nB\n)}\x92.":                                "opaque a.B",
		"\x80\x04ccollections\nOrderedDict\n)}\x92.":            "{}",
		"\x80\x04ccollections\nOrderedDict\n)}K\x01Ns\x92.":     "opaque collections.OrderedDict",
		"\x80\x02ccollections\nOrderedDict\n](U\x01aK\x01\x86]U\x01ba](K\x07K\x02ee\x85R.": "error", // a pair of one
		"\x80\x02ccollections\nOrderedDict\n](U\x01aK\x01\x86](K\x07K\x02ee\x85R.":         "{a:1 7:2 }",
		"\x80\x02ca\nB\n)\x81}b.":                      "opaque a.B",
		"\x80\x02ca\nB\n)R(K\x01e.":                    "opaque a.B",
		"\x80\x02ca\nB\n)R(K\x01K\x02u.":               "opaque a.B",
		"\x80\x02K\x01)R.":                             "opaque something that is no function",
		"\x80\x02}(K\x01K\x02NK\x03)K\x04u.":           "{1:2 }",
		"\x80\x02}(K\x01K\x02K\x01K\x03u.":             "{1:3 }",
		"\x80\x02ctorch\ndevice\nU\x04cudaK\x01\x86R.": "cuda:1",
		"\x80\x02ctorch\nSize\n)R.":                    "()",
		"\x80\x02cnumpy\ndtype\nU\x02f4\x85Rq\x00(K\x03U\x01>tb0cnumpy.core.multiarray\nscalar\nh\x00C\x04\x00\x00\x80?\x86R.": "opaque numpy scalar",
		"\x80\x02cnumpy\ndtype\nU\x02f4\x85Rq\x00(K\x03U\x01<tb0cnumpy.core.multiarray\nscalar\nh\x00C\x04\x00\x00\x80?\x86R.": "1",
		"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02i4\x85RC\x04\xfe\xff\xff\xff\x86R.":                       "-2",
		"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02b1\x85RC\x01\x01\x86R.":                                   "true",
		"\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9U\x06latin1\x86R.":                                                 `bytes "\xe9"`,
		"\x80\x02c_codecs\nencode\nU\x01aU\x04utf8\x86R.":                                                                      "opaque _codecs.encode",
	} {
		got, err := unpickle([]byte(pickle), nil)
		text := show(got)
		if err != nil {
			text = "error"
		}
		if text != want {
			t.Errorf("%q: %s (%v), want %s", pickle, text, err, want)
		}
	}
}
