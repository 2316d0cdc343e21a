package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

// enrichLayer computes the statistics of the whole layer and its enrichment in 4 and
// in 100 sets: in one pass, and, in copies of a database that has the statistics
// already, by itself.
func (s *setting) enrichLayer() error {
	for _, name := range []string{fewDB, manyDB} {
		if err := measure.CopyFile(database(statisticsDB), database(name)); err != nil {
			return err
		}
	}
	statistics, err := s.saedb(statisticsDB, "compute")
	if err != nil {
		return err
	}
	fmt.Println("saedb compute, the whole command:")
	row("statistics", statistics.Wall.Seconds(), statistics, statistics.Peak, "")
	for _, c := range []struct {
		name string
		sets measure.Sets
	}{{fewDB, s.few}, {manyDB, s.many}} {
		if _, err := s.saedb(c.name, "load", "sets", setsFile(c.name)); err != nil {
			return err
		}
		run, err := s.saedb(c.name, "compute")
		if err != nil {
			return err
		}
		more := run.Wall.Seconds() - statistics.Wall.Seconds()
		s.together[c.name] = float64(s.files.Features*len(c.sets)) / more
		row(fmt.Sprintf("statistics and enrichment, %d sets", len(c.sets)), run.Wall.Seconds(), run, run.Peak,
			fmt.Sprintf("%.1f × statistics alone; %.0f scores/s of the %.2f s more", run.Wall.Seconds()/statistics.Wall.Seconds(), s.together[c.name], more))
	}
	for _, c := range []struct {
		name string
		sets measure.Sets
	}{{fewDB, s.few}, {manyDB, s.many}} {
		if err := measure.CopyFile(database(statisticsDB), database(c.name)); err != nil {
			return err
		}
		if _, err := s.saedb(c.name, "load", "sets", setsFile(c.name)); err != nil {
			return err
		}
		before, err := s.used(c.name)
		if err != nil {
			return err
		}
		run, err := s.saedb(c.name, "compute")
		if err != nil {
			return err
		}
		after, err := s.used(c.name)
		if err != nil {
			return err
		}
		s.bytes = after - before
		seconds := run.Wall.Seconds()
		s.rates[c.name] = float64(s.files.Features*len(c.sets)) / seconds
		row(fmt.Sprintf("enrichment alone, %d sets of %d members", len(c.sets), c.sets.Members()), seconds, run, run.Peak,
			fmt.Sprintf("%.0f scores/s", s.rates[c.name]))
	}
	fmt.Println()
	return nil
}

// used returns the bytes of a database that hold something. The rest of the file are
// blocks that are free for the next SAE.
func (s *setting) used(name string) (int64, error) {
	const query = "SELECT (total_blocks - free_blocks) * block_size FROM pragma_database_size()"
	run, err := s.saedb(name, "sql", "--read-only", "--format", "csv", query)
	if err != nil {
		return 0, err
	}
	lines := strings.Fields(run.Output)
	return strconv.ParseInt(lines[len(lines)-1], 10, 64)
}
