package tokenset

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
)

// Oracle: re.match of CPython 3.11, except where a comment says otherwise.
func TestCompilePattern(t *testing.T) {
	tests := []struct {
		pattern   string
		match, no []string
	}{
		{`a`, []string{"a", "ab"}, []string{"ba", ""}},
		{`a|b`, []string{"ax", "bx"}, []string{"xa", "xb"}},
		{`^\w+$`, []string{"é", "Ġab", "a_1", "²", "中", "a\n"}, []string{"a-", "▁a", "a\n\n", "\u0301"}},
		{`\d{2}$`, []string{"12", "٣٤"}, []string{"²³", "1"}},
		{`\s`, []string{" ", "\u00a0", "\x1c", "\u3000", "\v"}, []string{"a", "\u200b"}},
		{`[^\W\d_]+$`, []string{"aé", "Ġ"}, []string{"a1", "_", "!"}},
		{`[\w.-]+$`, []string{"é.-"}, []string{"(", " "}},
		{`[\S]+$`, []string{"a!"}, []string{"a b"}},
		{`[^\S]$`, []string{" "}, []string{"a"}},
		{`\W\D\S`, []string{"!ax"}, []string{"aax", "!1x"}},
		{`[]a]+$`, []string{"]a"}, []string{"b"}},
		{`[^]a]$`, []string{"b"}, []string{"]", "a"}},
		{`[[:a]+$`, []string{"[:a"}, []string{"b"}},
		{`[\b]`, []string{"\b"}, []string{"b"}},
		{`a{,2}$`, []string{"", "a", "aa"}, []string{"aaa"}},
		{`a{2}b{1,}$`, []string{"aab", "aabb"}, []string{"ab"}},
		{`a{x}`, []string{"a{x}"}, []string{"a"}},
		{`a{,x}`, []string{"a{,x}"}, []string{"a"}},
		{`a\Z`, []string{"a"}, []string{"a\n"}},
		{`a.c`, []string{"abc"}, []string{"a\nc"}},
		{`(?s)a.c`, []string{"a\nc"}, nil},
		{`(?i)ÉG`, []string{"ég"}, []string{"eg"}},
		{`(?iu)x(?-i:y)`, []string{"Xy"}, []string{"XY"}},
		{`(?u)x`, []string{"x"}, nil},
		{`(?u:x)y`, []string{"xy"}, nil},
		{`(?m)a$`, []string{"a", "a\nb"}, []string{"ab"}},
		{`(?#a (comment)a`, []string{"a"}, []string{"("}},
		{`(?P<x>a)(?:b)`, []string{"ab"}, nil},
		{`(a$|b)`, []string{"a", "a\n", "bc"}, []string{"ac"}},
		{`\u0120a\x62`, []string{"Ġab"}, nil},
		{`\Ġ\(`, []string{"Ġ("}, nil},
		{`\p{Greek}`, []string{"α"}, []string{"a"}}, // Go's own
		{``, []string{"", "a"}, nil},
	}
	for _, test := range tests {
		match, err := compilePattern(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for _, s := range test.match {
			if !match.MatchString(s) {
				t.Errorf("%s does not match %q", test.pattern, s)
			}
		}
		for _, s := range test.no {
			if match.MatchString(s) {
				t.Errorf("%s matches %q", test.pattern, s)
			}
		}
	}
}

func TestCompilePatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		`(?=a)`: "look-ahead", `(?!a)`: "look-ahead", `(?<=a)`: "look-behind", `(?<!a)b`: "look-behind",
		`(a)\1`: "back-reference", `(?P<x>a)(?P=x)`: "back-reference", `(?>a)`: "atomic", `(a)?(?(1)b)`: "conditional",
		`\bthe`: "word boundary", `the\B`: "word boundary", `a(?i)b`: "at the start", `(?a)\w`: "flag a",
		`(?x)a`: "flag x", `(?m:a)`: "flag m", `(?q)a`: "a flag i, s, m or u", `(?i`: "not closed", `(?#x`: "not closed",
		`[a`: "not closed", `[`: "not closed", `a\`: "backslash", `\u12`: "4 hexadecimal", `\N{DASH}`: `\N`,
		`(a`: "missing closing )", `a)|(b`: "unexpected )", `a**`: "nested repetition", `a{1001}`: "repeat count",
		`a*+`: "nested repetition", `[z-a]`: "range", "\xff": "UTF-8", strings.Repeat("a", maxPattern+1): "too long",
	} {
		_, err := compilePattern(pattern)
		var e *fault.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q", pattern, err, want)
		}
	}
}

func TestFromRegex(t *testing.T) {
	tokens := tokensOf("Ġthe", " the", "the", "the", "Ã©", "é")
	set, err := FromRegex("the", `Ġ?the$`, tokens)
	if err != nil || set.Family != FamilyUser || set.Description != `Ġ?the$` || !slices.Equal(set.IDs, []int32{0, 1}) {
		t.Errorf("got %+v, %v", set, err)
	}
	for _, bad := range [][2]string{{"none", "é"}, {"", "a"}, {"a\tb", "a"}, {strings.Repeat("a", maxName+1), "a"}, {"a", "("}} {
		_, err := FromRegex(bad[0], bad[1], tokens)
		var e *fault.Error
		if !errors.As(err, &e) || e.Op == "" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzCompilePattern(f *testing.F) {
	for _, seed := range []string{`^Ġ*\d{2}$`, `[^\W\d]+`, `(?i)a|(?:b)$`, `[]\b[]`, `(?#x)\u0041`, `{,3}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		match, err := compilePattern(pattern)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) {
				t.Errorf("%q: %v", pattern, err)
			}
			return
		}
		match.MatchString(" the\n")
		// What needs no translation matches as Go's regexp at the start.
		if !strings.ContainsAny(pattern, `\$[{?`) {
			plain := regexp.MustCompile(`\A(?:` + pattern + `)`)
			for _, s := range []string{"", "a", "Ġab", "a\nb"} {
				if match.MatchString(s) != plain.MatchString(s) {
					t.Errorf("%q matches %q otherwise", pattern, s)
				}
			}
		}
	})
}
