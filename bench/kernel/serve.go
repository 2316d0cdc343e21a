package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/saedb/saedb/internal/compute"
)

// serve is the measured process. It prints a line when it is ready, with the kernel
// in use, and then for each line of input the speed of one measurement in GFLOP/s.
func serve(role string, cores int, s shape) error {
	var (
		kernel string
		round  func() (operations float64, err error)
		err    error
	)
	switch role {
	case "peak":
		kernel, round = "fma", func() (float64, error) { return multiplyAdd(cores), nil }
	case "sgemm":
		kernel, round, err = prepareSgemm(cores, s)
	case "fused":
		kernel, round, err = prepareFused(cores, s)
	default:
		err = fmt.Errorf("-measure: expected peak, sgemm or fused, found %q", role)
	}
	if err != nil {
		return err
	}
	fmt.Println(kernel)
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		start := time.Now()
		operations, err := round()
		if err != nil {
			return err
		}
		fmt.Println(operations / time.Since(start).Seconds() / 1e9)
	}
	return nil
}

// matrices returns directions [features, d] and token rows [tokens, d]. Their products
// are sums of d uniform terms, and so about normal.
func matrices(s shape) (directions, tokens []float32) {
	r := rand.New(rand.NewPCG(1, 2))
	uniform := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = r.Float32() - 0.5
		}
		return values
	}
	return uniform(s.features * s.d), uniform(s.tokens * s.d)
}

func prepareFused(cores int, s shape) (string, func() (float64, error), error) {
	directions, tokens := matrices(s)
	builder, err := compute.NewBuilder(s.tokens, s.d)
	if err != nil {
		return "", nil, err
	}
	builder.SetRows(0, tokens)
	u, err := builder.Build()
	if err != nil {
		return "", nil, err
	}
	var summary compute.Summary
	o := compute.Options{TopK: 10, Cosine: true, Workers: cores}
	return u.Kernel(), func() (float64, error) {
		return s.operations(), u.Summarize(context.Background(), directions, o, &summary)
	}, nil
}
