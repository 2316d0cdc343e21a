package output

import "strings"

// columnType is the type of a column or of a value nested in one.
//
// The driver gives a struct as an unordered Go map, and a UUID and a BLOB both as
// bytes, so a value cannot be printed without its type.
type columnType struct {
	name   string      // the plain type: "FLOAT", "STRUCT", "LIST" for lists and arrays
	elem   *columnType // of a LIST or a MAP's values
	key    *columnType // of a MAP
	fields []field     // of a STRUCT or UNION, in order
}

type field struct {
	name string
	typ  *columnType
}

// member returns the type of the field with a name, or nil.
func (t *columnType) member(name string) *columnType {
	for _, f := range t.fields {
		if f.name == name {
			return f.typ
		}
	}
	return nil
}

// numeric reports whether people read values of t as numbers.
func (t *columnType) numeric() bool {
	switch t.name {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "BIGNUM",
		"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
		"FLOAT", "DOUBLE", "DECIMAL":
		return true
	}
	return false
}

// parseType reads a type name as the driver writes it, such as
//
//	STRUCT("mean" DOUBLE, "top" MAP(VARCHAR, FLOAT[]))
//
// A name that it cannot read becomes a plain type of that name.
func parseType(name string) *columnType {
	p := typeParser{rest: name}
	t := p.parse()
	if t == nil || p.rest != "" {
		return &columnType{name: name}
	}
	return t
}

// typeParser consumes a type name from the left. Its methods return nil or false
// at the first thing they do not expect.
type typeParser struct{ rest string }

func (p *typeParser) parse() *columnType {
	t := p.parsePlain()
	for t != nil && strings.HasPrefix(p.rest, "[") {
		_, after, closed := strings.Cut(p.rest, "]")
		if !closed {
			return nil
		}
		p.rest = after
		t = &columnType{name: "LIST", elem: t}
	}
	return t
}

func (p *typeParser) parsePlain() *columnType {
	end := strings.IndexAny(p.rest, "[](),")
	if end < 0 {
		end = len(p.rest)
	}
	t := &columnType{name: p.rest[:end]}
	p.rest = p.rest[end:]
	if !p.take("(") {
		return t
	}
	read := false
	switch t.name {
	case "DECIMAL":
		read = p.skipSizes()
	case "MAP":
		t.key = p.parse()
		read = t.key != nil && p.take(", ")
		if read {
			t.elem = p.parse()
			read = t.elem != nil
		}
	case "STRUCT", "UNION":
		read = p.parseFields(t)
	}
	if !read || !p.take(")") {
		return nil
	}
	return t
}

// skipSizes passes over the width and scale of a DECIMAL; its values have them too.
func (p *typeParser) skipSizes() bool {
	end := strings.IndexByte(p.rest, ')')
	if end < 0 {
		return false
	}
	p.rest = p.rest[end:]
	return true
}

func (p *typeParser) parseFields(t *columnType) bool {
	for {
		name, ok := p.parseQuoted()
		if !ok || !p.take(" ") {
			return false
		}
		typ := p.parse()
		if typ == nil {
			return false
		}
		t.fields = append(t.fields, field{name, typ})
		if !p.take(", ") {
			return true
		}
	}
}

// parseQuoted reads "name", in which a double quote is doubled.
func (p *typeParser) parseQuoted() (string, bool) {
	if !p.take(`"`) {
		return "", false
	}
	var name strings.Builder
	for {
		part, after, closed := strings.Cut(p.rest, `"`)
		if !closed {
			return "", false
		}
		name.WriteString(part)
		p.rest = after
		if !p.take(`"`) {
			return name.String(), true
		}
		name.WriteByte('"')
	}
}

func (p *typeParser) take(prefix string) bool {
	after, found := strings.CutPrefix(p.rest, prefix)
	p.rest = after
	return found
}
