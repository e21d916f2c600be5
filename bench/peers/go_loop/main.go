// SPDX-License-Identifier: MIT

// Goroutines where coroutines are: bench_go_loop QUESTION N WORKERS [REPETITIONS], WORKERS being
// GOMAXPROCS; and a server on one thread: bench_go_loop serve echo.
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
	"yield":         func(r *request) { turns(r, yield) },
	"go":            func(r *request) { turns(r, start) },
	"message":       func(r *request) { turns(r, message) },
	"message_limit": func(r *request) { turns(r, messageLimit) },
	"asleep":        asleep,
	"beside":        beside,
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" && os.Args[2] == "echo" {
		runtime.GOMAXPROCS(1)
		serve()
	}
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: bench_go_loop QUESTION N WORKERS [REPETITIONS]")
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
