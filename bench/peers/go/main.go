// SPDX-License-Identifier: MIT

// Goroutines: bench_go QUESTION N WORKERS [REPETITIONS]
// WORKERS is GOMAXPROCS. Go has no outside thread: the submitter is a goroutine and shares them.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

type request struct {
	question    string
	n           int
	workers     int
	repetitions int
}

func (r *request) report(metric string, value float64) {
	fmt.Printf("go,%s,%d,%s,%.5g\n", r.question, r.workers, metric, value)
}

var questions = map[string]func(r *request){
	"fork_join":       forkJoin,
	"n_queens":        nQueens,
	"loop":            loop,
	"post":            post,
	"submit":          submit,
	"memory":          memory,
	"round_trip":      func(r *request) { roundTrip(r, false) },
	"round_trip_idle": func(r *request) { roundTrip(r, true) },
	"trickle":         trickle,
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return value
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: bench_go QUESTION N WORKERS [REPETITIONS]")
		os.Exit(2)
	}
	r := &request{question: os.Args[1], n: number(os.Args[2]), workers: number(os.Args[3]),
		repetitions: 5}
	if len(os.Args) > 4 {
		r.repetitions = number(os.Args[4])
	}
	runtime.GOMAXPROCS(r.workers)
	if run, ok := questions[r.question]; ok {
		run(r)
	} else {
		r.report("unsupported", 0)
	}
}
