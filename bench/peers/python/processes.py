# SPDX-License-Identifier: MIT
"""Python's pools of processes: processes.py POOL QUESTION N WORKERS [REPETITIONS]

POOL is executor (concurrent.futures, fork), forkserver (the same, by a fork server), pool
(multiprocessing.Pool, fork), pool-100 (the same, with chunks of 100) or pebble. The questions are
those of bench/questions.
"""

import mmap
import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor

LIMIT_S = 0.05
SLOW_S = 0.05
START_SLEEP_S = 0.25  # longer than a start takes, so that no worker gets two


class Executor:
    """concurrent.futures. A worker that dies breaks it: one has to make another."""

    def __init__(self, method):
        self.context = multiprocessing.get_context(method)

    def start(self, workers):
        self.workers = workers
        self.pool = ProcessPoolExecutor(workers, mp_context=self.context)

    def stop(self):
        self.pool.shutdown()

    def mend(self):
        self.stop()
        self.start(self.workers)

    def submit(self, function, *args):
        return self.pool.submit(function, *args)

    def get(self, handle):
        return handle.result()

    def map(self, function, items):
        return list(self.pool.map(function, items, chunksize=100))


class Pool:
    """multiprocessing.Pool. The result of a worker that dies never comes."""

    def __init__(self, chunk=None):
        self.chunk = chunk  # None: as it likes, which are large ones

    def start(self, workers):
        self.pool = multiprocessing.get_context("fork").Pool(workers)

    def stop(self):
        self.pool.terminate()
        self.pool.join()

    def submit(self, function, *args):
        return self.pool.apply_async(function, args)

    def get(self, handle):
        return handle.get()

    def map(self, function, items):
        return self.pool.map(function, items, self.chunk)


class Pebble:
    """pebble: workers that die are replaced, and tasks may have a limit."""

    def start(self, workers):
        import pebble  # not wanted by the other pools

        self.pool = pebble.ProcessPool(workers)

    def stop(self):
        self.pool.stop()
        self.pool.join()

    def mend(self):
        pass

    def submit(self, function, *args):
        return self.pool.schedule(function, args=args)

    def submit_limited(self, function):
        return self.pool.schedule(function, timeout=LIMIT_S)

    def get(self, handle):
        return handle.result()


class Request:
    def __init__(self, args):
        self.name = args[0]
        self.question = args[1]
        self.n = int(args[2])
        self.workers = int(args[3])
        self.repetitions = int(args[4]) if len(args) > 4 else 5

    def report(self, metric, value):
        print(f"{self.name},{self.question},{self.workers},{metric},{value:.5g}", flush=True)


def nothing():
    return None


def same(value):
    return value


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def endless():
    while True:
        pass


def slow():
    time.sleep(SLOW_S)


def stint():
    """Sleeps; says where and when."""
    begin = time.monotonic()
    time.sleep(START_SLEEP_S)
    return os.getpid(), begin, time.monotonic()


def count(steps):
    value = 1
    for step in range(steps):
        value = (value * 31 + step) & 0xFFFF
    return value


def warm_up(request, pool):
    """All workers are there, and have run something."""
    for handle in [pool.submit(slow) for _ in range(request.workers)]:
        pool.get(handle)


def round_trip(request, pool, pause=0.0):
    warm_up(request, pool)
    for _ in range(min(request.n, 200)):
        pool.get(pool.submit(nothing))
    for _ in range(request.repetitions):
        times = []
        for _ in range(request.n):
            if pause:
                time.sleep(pause)
            begin = time.perf_counter_ns()
            pool.get(pool.submit(nothing))
            times.append(time.perf_counter_ns() - begin)
        times.sort()
        request.report("p50_ns", times[request.n // 2])
        request.report("p99_ns", times[request.n * 99 // 100])


def round_trip_idle(request, pool):
    round_trip(request, pool, pause=0.001)


def submit(request, pool):
    warm_up(request, pool)
    for _ in range(request.repetitions):
        begin = time.perf_counter()
        handles = [pool.submit(nothing) for _ in range(request.n)]
        submitted = time.perf_counter()
        for handle in handles:
            pool.get(handle)
        end = time.perf_counter()
        request.report("mtasks_per_s", request.n / (end - begin) / 1e6)
        request.report("submit_ns", (submitted - begin) / request.n * 1e9)


def map_items(request, pool):
    warm_up(request, pool)
    items = list(range(request.n))
    for _ in range(request.repetitions):
        begin = time.perf_counter()
        results = pool.map(same, items)
        request.report("mitems_per_s", request.n / (time.perf_counter() - begin) / 1e6)
        if results != items:
            sys.exit("wrong result")


def copy(request, pool):
    warm_up(request, pool)
    blob = os.urandom(1 << 20) * (request.n // (1 << 20) + 1)
    blob = blob[:request.n]
    for repetition in range(request.repetitions + 1):
        begin = time.perf_counter()
        result = pool.get(pool.submit(same, blob))
        seconds = time.perf_counter() - begin
        if result != blob:
            sys.exit("wrong result")
        metric = "gb_per_s" if repetition else "first_gb_per_s"
        request.report(metric, 2 * request.n / seconds / 1e9)


def start(request, pool):
    pool.stop()
    memory = mmap.mmap(-1, request.n << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    for _ in range(request.n):
        memory.write(b"1" * (1 << 20))
    for _ in range(4):
        threading.Thread(target=signal.pause, daemon=True).start()
    for repetition in range(request.repetitions + 1):
        begin = time.monotonic()
        pool.start(request.workers)
        handles = [pool.submit(stint) for _ in range(request.workers)]
        told = [pool.get(handle) for handle in handles]
        end = time.monotonic()
        pool.stop()
        if len({pid for pid, _, _ in told}) != request.workers:
            sys.exit("two tasks on one worker")
        _, last_begin, last_end = max(told, key=lambda one: one[2])
        seconds = end - begin - (last_end - last_begin)
        request.report("ms" if repetition else "first_ms", seconds * 1e3)


def fails(pool, handle):
    try:
        pool.get(handle)
    except Exception:
        return True
    return False


def death(request, pool):
    for _ in range(request.n):
        warm_up(request, pool)
        begin = time.perf_counter()
        if not fails(pool, pool.submit(die)):
            sys.exit("it lives")
        failed = time.perf_counter()
        pool.mend()
        pool.get(pool.submit(nothing))
        request.report("failed_ms", (failed - begin) * 1e3)
        request.report("replaced_ms", (time.perf_counter() - begin) * 1e3)


def innocents(request, pool):
    for _ in range(request.repetitions):
        warm_up(request, pool)
        before = [pool.submit(slow) for _ in range(request.n // 4)]
        culprit = pool.submit(die)
        handles = before
        try:
            for _ in range(request.n - len(before)):
                handles.append(pool.submit(slow))
        except Exception:  # broken already
            pass
        refused = request.n - len(handles)
        fails(pool, culprit)
        request.report("lost", refused + sum(fails(pool, handle) for handle in handles))
        pool.mend()


def limit(request, pool):
    for _ in range(request.n):
        warm_up(request, pool)
        begin = time.perf_counter()
        if not fails(pool, pool.submit_limited(endless)):
            sys.exit("it ended")
        request.report("late_ms", (time.perf_counter() - begin - LIMIT_S) * 1e3)


def count_loops(request, pool):
    warm_up(request, pool)
    for _ in range(request.repetitions):
        begin = time.perf_counter()
        for _ in range(request.workers):
            count(request.n)
        between = time.perf_counter()
        for handle in [pool.submit(count, request.n) for _ in range(request.workers)]:
            pool.get(handle)
        request.report("speed_up", (between - begin) / (time.perf_counter() - between))
        request.report("loop_ms", (between - begin) / request.workers * 1e3)


POOLS = {
    "executor": lambda: Executor("fork"),
    "forkserver": lambda: Executor("forkserver"),
    "pool": Pool,
    "pool-100": lambda: Pool(100),
    "pebble": Pebble,
}

# What a question asks for beyond start, stop, submit and get.
QUESTIONS = {
    "round_trip": (round_trip, ()),
    "round_trip_idle": (round_trip_idle, ()),
    "submit": (submit, ()),
    "map": (map_items, ("map",)),
    "copy": (copy, ()),
    "start": (start, ()),
    "death": (death, ("mend",)),
    "innocents": (innocents, ("mend",)),
    "limit": (limit, ("submit_limited",)),
    "count": (count_loops, ()),
}


def main(args):
    if len(args) < 4 or args[0] not in POOLS:
        sys.exit("usage: processes.py POOL QUESTION N WORKERS [REPETITIONS]")
    request = Request(args)
    pool = POOLS[request.name]()
    question, needed = QUESTIONS.get(request.question, (None, ()))
    if question is None or not all(hasattr(pool, name) for name in needed):
        request.report("unsupported", 0)
        return
    pool.start(request.workers)
    question(request, pool)
    pool.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
