package tokenset

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// collection gathers the sets of one file, in the order of their first mention, and
// counts what the file lists that does not become a token of a set.
type collection struct {
	sets    []Set
	listed  []listing // of each set
	index   map[string]int
	hint    string // what to do about members that are no token
	members int    // that the file lists
	unknown tally  // members that are no token
	weights tally  // members with a weight
}

// listing is what a file has for a set.
type listing struct {
	where   string // the line, where a set is one
	members int
	without string // why a set without members has none, where there is more to say
}

// tally counts things, and keeps the first few different ones as examples.
type tally struct {
	count    int
	examples []string
	others   bool // there are more different ones
}

const fewExamples = 5

func (t *tally) add(text string) {
	t.count++
	switch {
	case slices.Contains(t.examples, text):
	case len(t.examples) < fewExamples:
		t.examples = append(t.examples, text)
	default:
		t.others = true
	}
}

// String lists the examples.
func (t *tally) String() string {
	quoted := make([]string, len(t.examples))
	for i, text := range t.examples {
		quoted[i] = fmt.Sprintf("%.40q", text)
	}
	return list(quoted, t.others)
}

// list joins some of what there is, and shows where that is not all.
func list(some []string, others bool) string {
	joined := strings.Join(some, ", ")
	if others {
		joined += ", …"
	}
	return joined
}

// begin starts a set that the file has not mentioned before.
func (c *collection) begin(name, description string, l listing) error {
	if _, known := c.index[name]; known {
		return &fault.Error{Subject: fmt.Sprintf("set %q", name), Problem: "the file has two sets of this name"}
	}
	return c.resume(name, description, l)
}

// resume makes a set the one that add adds to, and starts it where it is new.
func (c *collection) resume(name, description string, l listing) error {
	if _, known := c.index[name]; known {
		return nil
	}
	if err := CheckName(name); err != nil {
		return err
	}
	if c.index == nil {
		c.index = make(map[string]int)
	}
	c.index[name] = len(c.sets)
	c.sets = append(c.sets, Set{Name: name, Family: FamilyUser, Description: description})
	c.listed = append(c.listed, l)
	return nil
}

// add gives a begun set a member that the file lists by its id.
func (c *collection) add(name string, id int32) {
	i := c.index[name]
	c.sets[i].IDs = append(c.sets[i].IDs, id)
	c.listed[i].members++
	c.members++
}

// addText gives a begun set the tokens that find gives for a member. A member that is no
// token as it stands may be one with a weight, which does not count.
func (c *collection) addText(name, member string, find func(string) []int32) {
	ids := find(member)
	if len(ids) != 1 {
		if token, weighted := cutWeight(member); weighted {
			c.weights.add(member)
			ids = find(token)
		}
	}
	if len(ids) == 0 {
		c.unknown.add(member)
	}
	i := c.index[name]
	c.sets[i].IDs = append(c.sets[i].IDs, ids...)
	c.listed[i].members++
	c.members++
}

var (
	weightAfterComma = regexp.MustCompile(`(?s)^(.+), ?[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)
	// numberWithComma is one number: with a decimal comma, or with commas between thousands.
	numberWithComma = regexp.MustCompile(`^[+-]?(\d+,\d+|\d{1,3}(,\d{3})+(\.\d+)?)$`)
)

// cutWeight returns what is before the weight of a member, "word3" of "word3,1.0", as
// Enrichr's libraries have them.
func cutWeight(member string) (token string, found bool) {
	if !strings.Contains(member, ",") || numberWithComma.MatchString(member) {
		return "", false
	}
	parts := weightAfterComma.FindStringSubmatch(member)
	if parts == nil {
		return "", false
	}
	return parts[1], true
}

// finish returns the sets that have tokens of a vocabulary, and a line for each kind of
// thing that the file has and they do not. It is an error if no set has any.
func (c *collection) finish(vocabulary string) (sets []Set, notes []string, err error) {
	var empty []int
	for i, set := range c.sets {
		if len(set.IDs) == 0 {
			empty = append(empty, i)
			continue
		}
		set.IDs = ascending(set.IDs)
		sets = append(sets, set)
	}
	if len(sets) == 0 {
		return nil, nil, c.nothing(empty, vocabulary)
	}
	if n := c.unknown.count; n > 0 {
		notes = append(notes, fmt.Sprintf("%s no token of %s: %s (%s)", share(n, c.members, "members"), vocabulary, &c.unknown, c.hint))
	}
	if n := c.weights.count; n > 0 {
		notes = append(notes, fmt.Sprintf("%s taken without the weight after the comma: %s", share(n, c.members, "members"), &c.weights))
	}
	if n := len(empty); n > 0 {
		notes = append(notes, fmt.Sprintf("%s left out, without a token of %s: %s", share(n, len(c.sets), "sets"), vocabulary, c.describe(empty)))
	}
	return sets, notes, nil
}

// nothing is the error for a file none of whose sets has a token.
func (c *collection) nothing(empty []int, vocabulary string) error {
	switch {
	case len(empty) == 0:
		return &fault.Error{Problem: "holds no token set"}
	case len(empty) == 1 && c.listed[0].members > 0:
		return &fault.Error{
			Subject: fmt.Sprintf("set %q", c.sets[0].Name),
			Problem: fmt.Sprintf("none of its %d members is a token of %s", c.listed[0].members, vocabulary),
			Found:   c.unknown.String(), Hint: c.hint,
		}
	}
	return &fault.Error{Problem: "holds no token set with a token of " + vocabulary, Found: c.describe(empty), Hint: c.hint}
}

// describe says of the first few of some sets why they have no token.
func (c *collection) describe(empty []int) string {
	const few = 10
	var described []string
	for _, i := range empty[:min(len(empty), few)] {
		l := c.listed[i]
		why := cmp.Or(l.without, "no members")
		if l.members > 0 {
			why = fmt.Sprintf("none of its %d members", l.members)
		}
		if l.where != "" {
			why = l.where + ": " + why
		}
		described = append(described, fmt.Sprintf("%q (%s)", c.sets[i].Name, why))
	}
	return list(described, len(empty) > few)
}

// share is "1 of 3 members is" or "2 of 3 members are".
func share(count, all int, what string) string {
	verb := "are"
	if count == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %d %s %s", count, all, what, verb)
}

// tokenOrWord returns the tokens of a member that may be a token, a text or a word.
func (f *wordFinder) tokenOrWord(member string) []int32 {
	if ids := f.token(member); ids != nil {
		return ids
	}
	return f.tokensOf(member)
}

// token returns the one token that a member is in its stored form or as a text, or none.
func (f *wordFinder) token(member string) []int32 {
	if id, found := f.vocabulary.member(member); found {
		return []int32{id}
	}
	return nil
}

// withID returns an id that the vocabulary has.
func (f *wordFinder) withID(id int64) (int32, error) {
	if id != int64(int(id)) || !f.vocabulary.ids[int(id)] {
		return 0, &fault.Error{
			Problem: fmt.Sprintf("token id %d is not in the vocabulary", id),
			Hint:    "are these sets of another model?",
		}
	}
	return int32(id), nil
}

// hint says what to do about words that are no tokens.
func (f *wordFinder) hint() string {
	if f.all {
		return "are these words of the model's language?"
	}
	return "words count only if they are one token; --multi-token all takes all tokens of each"
}
