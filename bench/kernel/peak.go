package main

// #include "peak.h"
import "C"

import "sync"

// multiplyAdd keeps the given number of cores at fused multiply-adds on registers for
// about half a second, and returns how many operations that was.
func multiplyAdd(cores int) float64 {
	const steps = 80_000_000
	var group sync.WaitGroup
	operations := make([]float64, cores)
	for core := range cores {
		group.Go(func() { operations[core] = float64(C.multiply_add(steps)) })
	}
	group.Wait()
	var total float64
	for _, count := range operations {
		total += count
	}
	return total
}
