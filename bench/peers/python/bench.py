# SPDX-License-Identifier: MIT
"""CPython's ThreadPoolExecutor: bench.py QUESTION N WORKERS [REPETITIONS]

The questions are those of bench/questions. There is no fire and forget: "post" makes the futures
and throws them away.
"""

import os
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor


class Request:
    def __init__(self, args):
        self.question = args[0]
        self.n = int(args[1])
        self.workers = int(args[2])
        self.repetitions = int(args[3]) if len(args) > 3 else 5

    def report(self, metric, value):
        print(f"python,{self.question},{self.workers},{metric},{value:.5g}", flush=True)


def nothing():
    return None


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def report_rate(request, begin, submitted, end):
    request.report("mtasks_per_s", request.n / (end - begin) / 1e6)
    request.report("submit_ns", (submitted - begin) / request.n * 1e9)


def post(request, pool):
    for _ in range(request.repetitions):
        done = threading.Event()
        begin = time.perf_counter()
        for _ in range(request.n - 1):
            pool.submit(nothing)
        pool.submit(done.set)
        submitted = time.perf_counter()
        done.wait()
        report_rate(request, begin, submitted, time.perf_counter())


def submit(request, pool):
    for _ in range(request.repetitions):
        begin = time.perf_counter()
        handles = [pool.submit(nothing) for _ in range(request.n)]
        submitted = time.perf_counter()
        for handle in handles:
            handle.result()
        report_rate(request, begin, submitted, time.perf_counter())


def round_trip(request, pool, idle):
    for _ in range(request.repetitions):
        times = []
        for _ in range(request.n):
            if idle:
                time.sleep(0.001)
            begin = time.perf_counter_ns()
            pool.submit(nothing).result()
            times.append(time.perf_counter_ns() - begin)
        times.sort()
        request.report("p50_ns", times[request.n // 2])
        request.report("p99_ns", times[request.n * 99 // 100])


def trickle(request, pool):
    for _ in range(request.repetitions):
        cpu, begin = cpu_seconds(), time.perf_counter()
        for _ in range(request.n):
            time.sleep(0.001)
            pool.submit(nothing)
        request.report("cpu_fraction", (cpu_seconds() - cpu) / (time.perf_counter() - begin))


def memory(request, pool):
    gate = threading.Event()
    for _ in range(request.workers):
        pool.submit(gate.wait)
    time.sleep(0.05)  # until they stand there
    before, begin = resident_bytes(), time.perf_counter()
    handles = [pool.submit(nothing) for _ in range(request.n)]
    submitted = time.perf_counter()
    after = resident_bytes()
    gate.set()
    handles[-1].result()
    request.report("bytes_per_task", (after - before) / request.n)
    request.report("submit_ns", (submitted - begin) / request.n * 1e9)


QUESTIONS = {
    "post": post,
    "submit": submit,
    "round_trip": lambda request, pool: round_trip(request, pool, idle=False),
    "round_trip_idle": lambda request, pool: round_trip(request, pool, idle=True),
    "trickle": trickle,
    "memory_futures": memory,
}


def main(args):
    if len(args) < 3:
        sys.exit("usage: bench.py QUESTION N WORKERS [REPETITIONS]")
    request = Request(args)
    question = QUESTIONS.get(request.question)
    if question is None:
        request.report("unsupported", 0)
        return
    with ThreadPoolExecutor(request.workers) as pool:
        list(pool.map(abs, range(100)))  # the threads' start is not counted
        question(request, pool)


if __name__ == "__main__":
    main(sys.argv[1:])
