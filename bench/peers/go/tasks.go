// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func (r *request) reportRate(total, submit time.Duration) {
	n := float64(r.n)
	r.report("mtasks_per_s", n*1e3/float64(total.Nanoseconds()))
	r.report("submit_ns", float64(submit.Nanoseconds())/n)
}

func post(r *request) {
	for i := -1; i < r.repetitions; i++ {
		left := int64(r.n)
		done := make(chan struct{})
		begin := time.Now()
		for k := 0; k < r.n; k++ {
			go func() {
				if atomic.AddInt64(&left, -1) == 0 {
					close(done)
				}
			}()
		}
		posted := time.Since(begin)
		<-done
		if i >= 0 {
			r.reportRate(time.Since(begin), posted)
		}
	}
}

func submit(r *request) {
	var count int64
	handles := make([]chan int64, r.n)
	for i := -1; i < r.repetitions; i++ {
		begin := time.Now()
		for k := range handles {
			c := make(chan int64, 1)
			handles[k] = c
			go func() { c <- atomic.AddInt64(&count, 1) }()
		}
		submitted := time.Since(begin)
		for _, c := range handles {
			<-c
		}
		if i >= 0 {
			r.reportRate(time.Since(begin), submitted)
		}
	}
}

func trip(count *int64, idle bool) float64 {
	if idle {
		time.Sleep(time.Millisecond)
	}
	begin := time.Now()
	c := make(chan int64, 1)
	go func() { c <- atomic.AddInt64(count, 1) }()
	<-c
	return float64(time.Since(begin).Nanoseconds())
}

func roundTrip(r *request, idle bool) {
	var count int64
	warmUp := 2000
	if idle {
		warmUp = 50
	}
	for i := 0; i < warmUp; i++ {
		trip(&count, idle)
	}
	for i := 0; i < r.repetitions; i++ {
		times := make([]float64, r.n)
		for k := range times {
			times[k] = trip(&count, idle)
		}
		sort.Float64s(times)
		r.report("p50_ns", times[r.n/2])
		r.report("p99_ns", times[r.n*99/100])
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func trickle(r *request) {
	var count int64
	for i := 0; i < r.repetitions; i++ {
		cpu := cpuSeconds()
		begin := time.Now()
		for k := 0; k < r.n; k++ {
			time.Sleep(time.Millisecond)
			go func() { atomic.AddInt64(&count, 1) }()
		}
		r.report("cpu_fraction", (cpuSeconds()-cpu)/time.Since(begin).Seconds())
	}
}

func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// Goroutines that wait at a gate: a started goroutine cannot be kept in the queue.
func memory(r *request) {
	debug.SetGCPercent(-1)
	gate := make(chan struct{})
	done := make(chan struct{})
	left := int64(r.n)
	before := residentBytes()
	begin := time.Now()
	for i := 0; i < r.n; i++ {
		go func() {
			<-gate
			if atomic.AddInt64(&left, -1) == 0 {
				close(done)
			}
		}()
	}
	posted := time.Since(begin)
	for runtime.NumGoroutine() < r.n {
		runtime.Gosched()
	}
	after := residentBytes()
	close(gate)
	<-done
	r.report("bytes_per_task", float64(after-before)/float64(r.n))
	r.report("submit_ns", float64(posted.Nanoseconds())/float64(r.n))
}
