// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

const valuesWanted = 200000000

// Eight sums by hand: the compiler does not use vector instructions.
func sum(values []float64) float64 {
	var s [8]float64
	i := 0
	for ; i+8 <= len(values); i += 8 {
		v := values[i : i+8 : i+8]
		s[0] += v[0]
		s[1] += v[1]
		s[2] += v[2]
		s[3] += v[3]
		s[4] += v[4]
		s[5] += v[5]
		s[6] += v[6]
		s[7] += v[7]
	}
	for ; i < len(values); i++ {
		s[0] += values[i]
	}
	return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7]
}

// Each partial sum has a cache line of its own.
type partial struct {
	sum float64
	_   [120]byte
}

func sumParallel(values []float64, workers int) float64 {
	parts := make([]partial, workers)
	var group sync.WaitGroup
	group.Add(workers)
	for i := range parts {
		begin := len(values) * i / workers
		end := len(values) * (i + 1) / workers
		out := &parts[i].sum
		go func() {
			*out = sum(values[begin:end])
			group.Done()
		}()
	}
	group.Wait()
	total := 0.0
	for i := range parts {
		total += parts[i].sum
	}
	return total
}

func loop(r *request) {
	values := make([]float64, r.n)
	for i := range values {
		values[i] = float64(i & 7)
	}
	wanted := sum(values)
	loops := valuesWanted / r.n
	if loops < 1 {
		loops = 1
	}
	for i := -1; i < r.repetitions; i++ {
		begin := time.Now()
		for k := 0; k < loops; k++ {
			if sumParallel(values, r.workers) != wanted {
				panic("wrong sum")
			}
		}
		ns := time.Since(begin).Nanoseconds()
		if i >= 0 {
			r.report("us_per_loop", float64(ns)/1e3/float64(loops))
		}
	}
}
