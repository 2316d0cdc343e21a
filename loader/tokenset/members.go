package tokenset

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
)

// collection gathers the sets of one file, in the order of their first mention.
type collection struct {
	sets   []Set
	index  map[string]int
	listed []int // how many members the file lists, for each set
}

// begin starts a set that the file has not mentioned before.
func (c *collection) begin(name, description string) error {
	if _, known := c.index[name]; known {
		return &fault.Error{Subject: fmt.Sprintf("set %q", name), Problem: "the file has two sets of this name"}
	}
	return c.resume(name, description)
}

// resume makes a set the one that add adds to, and starts it where it is new.
func (c *collection) resume(name, description string) error {
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
	c.listed = append(c.listed, 0)
	return nil
}

// add gives a begun set the tokens of one member; none, when the vocabulary does not have it.
func (c *collection) add(name string, ids ...int32) {
	i := c.index[name]
	c.sets[i].IDs = append(c.sets[i].IDs, ids...)
	c.listed[i]++
}

// finish returns the sets that have members. It is an error if the vocabulary
// had none of those that the file lists for a set.
func (c *collection) finish(hint string) ([]Set, error) {
	var sets []Set
	for i, set := range c.sets {
		if c.listed[i] == 0 {
			continue
		}
		if len(set.IDs) == 0 {
			return nil, &fault.Error{
				Subject: fmt.Sprintf("set %q", set.Name),
				Problem: fmt.Sprintf("none of its %d members is a token of this vocabulary", c.listed[i]), Hint: hint,
			}
		}
		set.IDs = ascending(set.IDs)
		sets = append(sets, set)
	}
	return sets, nil
}

// tokenOrWord returns the tokens of a member that may be a token, a text or a word.
func (f *wordFinder) tokenOrWord(member string) []int32 {
	if id, found := f.vocabulary.member(member); found {
		return []int32{id}
	}
	return f.tokensOf(member)
}

// token returns an id that the vocabulary has.
func (f *wordFinder) token(id int64) (int32, error) {
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
