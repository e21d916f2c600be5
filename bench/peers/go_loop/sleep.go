// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func peakBytes() float64 {
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	check(err)
	return float64(kib) * 1024
}

func sleepers(n int, span time.Duration) time.Duration {
	var all sync.WaitGroup
	begin := time.Now()
	all.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			time.Sleep(span)
			all.Done()
		}()
	}
	all.Wait()
	return time.Since(begin)
}

func asleep(r *request) {
	sleepers(10, time.Millisecond)
	before := peakBytes()
	over := sleepers(r.n, time.Second) - time.Second
	r.report("over_ms", float64(over.Nanoseconds())*1e-6)
	r.report("bytes", (peakBytes()-before)/float64(r.n))
}

func beside(r *request) {
	var stop int32
	var all sync.WaitGroup
	all.Add(r.n)
	for i := 0; i < r.n; i++ {
		go func() {
			for atomic.LoadInt32(&stop) == 0 {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	for i := 0; i < r.repetitions; i++ {
		times := make([]float64, 20)
		for k := range times {
			begin := time.Now()
			time.Sleep(10 * time.Millisecond)
			times[k] = float64(time.Since(begin).Nanoseconds()) * 1e-6
		}
		sort.Float64s(times)
		r.report("worst_ms", times[len(times)-1])
		r.report("p50_ms", times[len(times)/2])
	}
	atomic.StoreInt32(&stop, 1)
	all.Wait()
}
