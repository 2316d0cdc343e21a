package output

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

const secondsPerDay = 24 * 60 * 60

// appendTime appends a date or time as DuckDB casts it to VARCHAR.
//
// A TIMESTAMPTZ is printed in UTC, for the driver does not tell the session's time
// zone. A TIME of 24:00:00 arrives from the driver as 00:00:00.
func appendTime(b []byte, t time.Time, typ string) []byte {
	switch typ {
	case "DATE":
		if sign := infinite(t.Unix()/secondsPerDay, math.MaxInt32); sign != "" {
			return append(b, sign...)
		}
		return appendDate(b, t)
	case "TIME":
		return appendClock(b, t, t.Hour())
	case "TIMETZ":
		hour := t.Hour()
		if t.Day() == 2 { // 24:00:00, which Go counts as the next day
			hour = 24
		}
		return appendOffset(appendClock(b, t, hour), t)
	}
	if sign := infinite(ticks(t, typ), math.MaxInt64); sign != "" {
		return append(b, sign...)
	}
	b = append(appendDate(b, t), ' ')
	b = appendClock(b, t, t.Hour())
	if typ == "TIMESTAMPTZ" {
		b = append(b, "+00"...)
	}
	return b
}

// ticks returns the integer that DuckDB stores for a timestamp.
func ticks(t time.Time, typ string) int64 {
	switch typ {
	case "TIMESTAMP_S":
		return t.Unix()
	case "TIMESTAMP_MS":
		return t.UnixMilli()
	case "TIMESTAMP_NS":
		return t.UnixNano()
	}
	return t.UnixMicro()
}

// infinite names the two values that DuckDB keeps for the ends of time.
func infinite(stored, greatest int64) string {
	switch stored {
	case greatest:
		return "infinity"
	case -greatest:
		return "-infinity"
	}
	return ""
}

func appendDate(b []byte, t time.Time) []byte {
	year, era := t.Year(), ""
	if year <= 0 { // Go has a year 0, which is 1 BC
		year, era = 1-year, " (BC)"
	}
	return fmt.Appendf(b, "%04d-%02d-%02d%s", year, t.Month(), t.Day(), era)
}

func appendClock(b []byte, t time.Time, hour int) []byte {
	b = fmt.Appendf(b, "%02d:%02d:%02d", hour, t.Minute(), t.Second())
	return appendFraction(b, int64(t.Nanosecond()))
}

// appendFraction appends the part of a second without its trailing zeros.
func appendFraction(b []byte, nanoseconds int64) []byte {
	if nanoseconds == 0 {
		return b
	}
	b = fmt.Appendf(b, ".%09d", nanoseconds)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

func appendOffset(b []byte, t time.Time) []byte {
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = fmt.Appendf(append(b, sign), "%02d", offset/3600)
	if offset%3600 != 0 {
		b = fmt.Appendf(b, ":%02d", offset/60%60)
	}
	if offset%60 != 0 {
		b = fmt.Appendf(b, ":%02d", offset%60)
	}
	return b
}

// appendInterval appends an interval as DuckDB does: 1 year 2 months 3 days 04:05:06.7
func appendInterval(b []byte, v duckdb.Interval) []byte {
	start := len(b)
	count := func(n int32, unit string) {
		if n == 0 {
			return
		}
		if len(b) > start {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(append(b, ' '), unit...)
		if n != 1 && n != -1 {
			b = append(b, 's')
		}
	}
	count(v.Months/12, "year")
	count(v.Months%12, "month")
	count(v.Days, "day")
	if v.Micros == 0 && len(b) > start {
		return b
	}
	if len(b) > start {
		b = append(b, ' ')
	}
	micros := uint64(v.Micros)
	if v.Micros < 0 {
		b = append(b, '-')
		micros = -micros
	}
	seconds := micros / 1e6
	b = fmt.Appendf(b, "%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	return appendFraction(b, int64(micros%1e6)*1000)
}
