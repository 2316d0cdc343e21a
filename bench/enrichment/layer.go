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
	for _, c := range s.scored() {
		if err := c.Copy(s.statistics); err != nil {
			return err
		}
	}
	statistics, err := s.statistics.Saedb("compute")
	if err != nil {
		return err
	}
	alone := statistics.Wall.Seconds()
	fmt.Println("saedb compute, the whole command:")
	row("statistics", alone, statistics, statistics.Peak, "")
	for _, c := range s.scored() {
		run, _, err := c.enrich()
		if err != nil {
			return err
		}
		seconds := run.Wall.Seconds()
		c.together = float64(s.files.Features*len(c.sets)) / (seconds - alone)
		row(fmt.Sprintf("statistics and enrichment, %d sets", len(c.sets)), seconds, run, run.Peak,
			fmt.Sprintf("%.1f × statistics alone; %.0f scores/s of the %.2f s more", seconds/alone, c.together, seconds-alone))
	}
	for _, c := range s.scored() {
		if err := c.Copy(s.statistics); err != nil {
			return err
		}
		run, more, err := c.enrich()
		if err != nil {
			return err
		}
		s.bytes = more
		seconds := run.Wall.Seconds()
		c.rate = float64(s.files.Features*len(c.sets)) / seconds
		row(fmt.Sprintf("enrichment alone, %d sets of %d members", len(c.sets), c.sets.Members()), seconds, run, run.Peak,
			fmt.Sprintf("%.0f scores/s", c.rate))
	}
	fmt.Println()
	return nil
}

// enrich loads the sets and computes, and returns what that took, and how many bytes more hold
// something then.
func (c *scored) enrich() (run measure.Run, more int64, err error) {
	if _, err := c.Saedb("load", "sets", c.file); err != nil {
		return run, 0, err
	}
	before, err := c.used()
	if err != nil {
		return run, 0, err
	}
	if run, err = c.Saedb("compute"); err != nil {
		return run, 0, err
	}
	after, err := c.used()
	return run, after - before, err
}

// used returns the bytes of the database that hold something. The rest of the file are
// blocks that are free for the next SAE.
func (c *scored) used() (int64, error) {
	run, err := c.Saedb("sql", "--read-only", "--format", "csv", "SELECT (total_blocks - free_blocks) * block_size FROM pragma_database_size()")
	if err != nil {
		return 0, err
	}
	lines := strings.Fields(run.Output)
	return strconv.ParseInt(lines[len(lines)-1], 10, 64)
}
