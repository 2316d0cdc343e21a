package output

import (
	"fmt"
	"math"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// clock is the layout of a time of day, without the zeros at the end of its fraction.
const clock = "15:04:05.999999999"

// appendTime appends a date or time as DuckDB casts it to VARCHAR.
//
// A TIMESTAMPTZ is printed in UTC, for the driver does not tell the session's time
// zone. A TIME of 24:00:00 arrives from the driver as 00:00:00.
func appendTime(b []byte, t time.Time, typ string) []byte {
	switch typ {
	case "TIME":
		return t.AppendFormat(b, clock)
	case "TIMETZ":
		start := len(b)
		b = t.AppendFormat(b, clock+offsetLayout(t))
		if t.Day() == 2 { // 24:00:00, which Go counts as the next day
			copy(b[start:], "24")
		}
		return b
	}
	// DuckDB keeps two values for the ends of time.
	switch stored, greatest := ticks(t, typ); stored {
	case greatest:
		return append(b, "infinity"...)
	case -greatest:
		return append(b, "-infinity"...)
	}
	year, era := t.Year(), ""
	if year <= 0 { // Go has a year 0, which is 1 BC
		year, era = 1-year, " (BC)"
	}
	b = fmt.Appendf(b, "%04d%s%s", year, t.Format("-01-02"), era)
	switch typ {
	case "DATE":
		return b
	case "TIMESTAMPTZ":
		return t.AppendFormat(b, " "+clock+"+00")
	}
	return t.AppendFormat(b, " "+clock)
}

// ticks returns the integer that DuckDB stores for a date or timestamp, and the greatest.
func ticks(t time.Time, typ string) (stored, greatest int64) {
	switch typ {
	case "DATE":
		const secondsPerDay = 24 * 60 * 60
		return t.Unix() / secondsPerDay, math.MaxInt32
	case "TIMESTAMP_S":
		return t.Unix(), math.MaxInt64
	case "TIMESTAMP_MS":
		return t.UnixMilli(), math.MaxInt64
	case "TIMESTAMP_NS":
		return t.UnixNano(), math.MaxInt64
	}
	return t.UnixMicro(), math.MaxInt64
}

// offsetLayout is that of a time's zone, with as many parts as it needs.
func offsetLayout(t time.Time) string {
	switch _, offset := t.Zone(); {
	case offset%60 != 0:
		return "-07:00:00"
	case offset%3600 != 0:
		return "-07:00"
	}
	return "-07"
}

// appendInterval appends an interval as DuckDB does: 1 year 2 months 3 days 04:05:06.7
func appendInterval(b []byte, v duckdb.Interval) []byte {
	before := ""
	for _, part := range []struct {
		count int32
		unit  string
	}{{v.Months / 12, "year"}, {v.Months % 12, "month"}, {v.Days, "day"}} {
		if part.count == 0 {
			continue
		}
		b = fmt.Appendf(b, "%s%d %s", before, part.count, part.unit)
		if part.count != 1 && part.count != -1 {
			b = append(b, 's')
		}
		before = " "
	}
	if v.Micros == 0 && before != "" {
		return b
	}
	b = append(b, before...)
	micros := uint64(v.Micros)
	if v.Micros < 0 {
		b = append(b, '-')
		micros = -micros
	}
	b = fmt.Appendf(b, "%02d", micros/3600e6)
	return time.UnixMicro(int64(micros%3600e6)).UTC().AppendFormat(b, clock[len("15"):])
}
