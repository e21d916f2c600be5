// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"time"
)

const firstQueens = 4

var queensResult = []int64{2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596}
var queensNodes = []int64{17, 54, 153, 552, 2057, 8394, 35539, 166926, 856189, 4674890, 27358553}

func fib(n int) int64 {
	if n < 2 {
		return int64(n)
	}
	c := make(chan int64, 1)
	go func() { c <- fib(n - 1) }()
	b := fib(n - 2)
	return <-c + b
}

func queens(all, columns, left, right uint32) int64 {
	free := all &^ (columns | left | right)
	if columns == all {
		return 1
	}
	if free == 0 {
		return 0
	}
	if free&(free-1) == 0 {
		return queens(all, columns|free, (left|free)<<1, (right|free)>>1)
	}
	var found [16]int64
	var group sync.WaitGroup
	forked := 0
	for ; free&(free-1) != 0; free &= free - 1 {
		bit := free & -free
		out := &found[forked]
		forked++
		group.Add(1)
		go func() {
			*out = queens(all, columns|bit, (left|bit)<<1, (right|bit)>>1)
			group.Done()
		}()
	}
	total := queens(all, columns|free, (left|free)<<1, (right|free)>>1)
	group.Wait()
	for _, value := range found[:forked] {
		total += value
	}
	return total
}

func measureTree(r *request, walk func() int64, result, nodes int64) {
	for i := -1; i < r.repetitions; i++ {
		begin := time.Now()
		got := walk()
		ns := time.Since(begin).Nanoseconds()
		if got != result {
			panic("wrong result")
		}
		if i >= 0 {
			r.report("ns_per_call", float64(ns)/float64(nodes))
		}
	}
}

func forkJoin(r *request) {
	a, b := int64(0), int64(1)
	for i := 0; i < r.n; i++ {
		a, b = b, a+b
	}
	measureTree(r, func() int64 { return fib(r.n) }, a, 2*b-1)
}

func nQueens(r *request) {
	walk := func() int64 { return queens(1<<uint(r.n)-1, 0, 0, 0) }
	measureTree(r, walk, queensResult[r.n-firstQueens], queensNodes[r.n-firstQueens])
}
