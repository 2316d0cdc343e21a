package session

import (
	"database/sql/driver"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/saedb/saedb/udf/capi"
)

// hugeint is a HUGEINT as it lies in a vector.
type hugeint struct {
	lower uint64
	upper int64
}

// valueAt is row i of a vector, as database/sql knows it.
func valueAt(v capi.Vector, i int) (driver.Value, error) {
	if !v.Validity().Valid(i) {
		return nil, nil
	}
	kind, _, _ := v.Type()
	switch kind {
	case capi.KindBoolean:
		return at[bool](v, i), nil
	case capi.KindInteger:
		return int64(at[int32](v, i)), nil
	case capi.KindBigint:
		return at[int64](v, i), nil
	case capi.KindUBigint:
		if n := at[uint64](v, i); n <= math.MaxInt64 {
			return int64(n), nil
		}
	case capi.KindHugeint:
		n := at[hugeint](v, i)
		whole := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(n.upper), 64), new(big.Int).SetUint64(n.lower))
		if whole.IsInt64() {
			return whole.Int64(), nil
		}
	case capi.KindFloat:
		return float64(at[float32](v, i)), nil
	case capi.KindDouble:
		return at[float64](v, i), nil
	case capi.KindVarchar:
		return v.Text(i), nil
	case capi.KindTimestamp:
		return time.UnixMicro(at[int64](v, i)).UTC(), nil
	case capi.KindList:
		return listAt(v, i)
	default:
		return nil, fmt.Errorf("a result of type %s cannot be read", kind)
	}
	return nil, fmt.Errorf("a %s that is no 64-bit integer cannot be read", kind)
}

func at[T any](v capi.Vector, i int) T { return capi.Values[T](v, i+1)[i] }

// listAt is the list in row i, its elements as DuckDB's driver has them: of the types of Go
// that are as wide, nil for NULL.
func listAt(v capi.Vector, i int) (driver.Value, error) {
	entry, elements := at[capi.Entry](v, i), v.Elements()
	kind, _, _ := elements.Type()
	valid := elements.Validity()
	list := make([]any, entry.Length)
	for j := range list {
		row := int(entry.Offset) + j
		switch {
		case !valid.Valid(row):
		case kind == capi.KindInteger:
			list[j] = at[int32](elements, row)
		case kind == capi.KindFloat:
			list[j] = at[float32](elements, row)
		default:
			value, err := valueAt(elements, row)
			if err != nil {
				return nil, err
			}
			list[j] = value
		}
	}
	return list, nil
}
