// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime"
	"time"
)

// As questions/turns.c.
func turns(r *request, what func(n int)) {
	what(r.n/10 + 2)
	for i := 0; i < r.repetitions; i++ {
		begin := time.Now()
		what(r.n)
		r.report("ns", float64(time.Since(begin).Nanoseconds())/float64(r.n))
	}
}

func yield(n int) {
	done := make(chan struct{})
	giveWay := func() {
		for i := n / 2; i > 0; i-- {
			runtime.Gosched()
		}
		done <- struct{}{}
	}
	go giveWay()
	go giveWay()
	<-done
	<-done
}

func start(n int) {
	for i := 0; i < n; i++ {
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
	}
}

func exchange(n int, receive func(c chan int) int) {
	to, fro := make(chan int, 1), make(chan int, 1)
	go func() {
		for i := n / 2; i > 0; i-- {
			fro <- receive(to)
		}
	}()
	for i := n / 2; i > 0; i-- {
		to <- i
		if receive(fro) != i {
			os.Exit(1)
		}
	}
}

func message(n int) {
	exchange(n, func(c chan int) int { return <-c })
}

func messageLimit(n int) {
	exchange(n, func(c chan int) int {
		limit := time.NewTimer(time.Second)
		defer limit.Stop()
		select {
		case item := <-c:
			return item
		case <-limit.C:
			os.Exit(1)
		}
		return 0
	})
}
