# SPDX-License-Identifier: MIT
"""Pools of processes: the peers, the tables and the bars; as plan.py and bars.py for threads.

CPython is Debian's, /usr/bin/python3: the peer one would use, and the one its packages are for.
"""

from runner.terms import Bar, Entry, Of, Peer, Table, beside, program

OURS = "processes"
GROUP = "processes"  # scripts/bench.sh --only processes


def python(pool):
    return ("/usr/bin/python3", "{source}/peers/python/processes.py", pool)


PEERS = {
    OURS: Peer("sillon", program("bench_sillon_processes")),
    "pair_spinning": Peer("two processes, spinning", program("bench_process_pair_spinning")),
    "pair_futex": Peer("two processes, futex", program("bench_process_pair_futex")),
    "pair_apart": Peer("two processes, futex, a CPU each", program("bench_process_pair_apart")),
    "memcpy": Peer("memcpy in, memcpy out", program("bench_memcpy")),
    "executor": Peer("CPython executor", python("executor"), ("python3",)),
    "forkserver": Peer("CPython executor, forkserver", python("forkserver")),
    "mp_pool": Peer("multiprocessing.Pool", python("pool")),
    "mp_pool_100": Peer("multiprocessing.Pool, chunks of 100", python("pool-100")),
    "pebble": Peer("pebble", python("pebble"), ("python3-pebble",),
                   needs=("/usr/lib/python3/dist-packages/pebble",)),
}

THE_MACHINE = "the machine's own"
MB_100 = 100000000
A_NEW_POOL = "the executor is broken and does not mend itself: replaced is a new one"


def table(key, title, question, workers, metric, unit, ours, peers, **rest):
    rest = {"references": (), **rest}
    return Table(f"processes_{key}", f"Processes: {title}", question, workers, metric, unit, ours,
                 peers=peers, group=GROUP, **rest)


TABLES = (
    table(
        "round_trip", "round trip of an empty task, back to back, 1 worker",
        "round_trip", 1, "p50_ns", "ns, median",
        (Entry(OURS, 20000),),
        (
            Entry("pair_spinning", 200000, note=THE_MACHINE, floor=True),
            Entry("pair_futex", 4000, note=THE_MACHINE, floor=True),
            Entry("pair_apart", 4000, note=THE_MACHINE, floor=True),
            Entry("executor", 1000),
            Entry("mp_pool", 1000),
            Entry("pebble", 1000),
        ),
        more=("p99_ns",),
    ),
    table(
        "idle", "round trip after 1 ms in which nothing happened, 1 worker",
        "round_trip_idle", 1, "p50_ns", "ns, median",
        (Entry(OURS, 200),),
        (
            Entry("pair_futex", 200, note=THE_MACHINE, floor=True),
            Entry("pair_apart", 200, note=THE_MACHINE, floor=True),
            Entry("executor", 200),
            Entry("mp_pool", 200),
        ),
        more=("p99_ns",),
    ),
    table(
        "submit", "100,000 empty tasks submitted one by one, then awaited in order, 2 workers",
        "submit", 2, "mtasks_per_s", "M tasks/s",
        (Entry(OURS, 100000, 3),),
        (
            Entry("executor", 100000),
            Entry("mp_pool", 100000, note="apply_async"),
            Entry("pebble", 5000),
        ),
        lower_is_better=False,
        more=("submit_ns",),
    ),
    table(
        "map", "1,000,000 ints through a function that returns its int, 2 workers",
        "map", 2, "mitems_per_s", "M items/s",
        (Entry(OURS, 1000000, 3),),
        (
            Entry("executor", 1000000, note="chunks of 100"),
            Entry("mp_pool", 1000000, note="chunks as large as it likes"),
            Entry("mp_pool_100", 1000000),
        ),
        lower_is_better=False,
    ),
    table(
        "copy", "100 MB of argument, and as many of result, which the task copies, 1 worker",
        "copy", 1, "gb_per_s", "GB/s of both",
        (
            Entry(OURS, MB_100, 3),
            Entry(OURS, MB_100, 3, question="copy_untouched", label="sillon, untouched",
                  note="the task touches neither"),
        ),
        (
            Entry("memcpy", MB_100, 3, note=THE_MACHINE, floor=True),
            Entry("executor", MB_100, note="the task returns its argument"),
            Entry("mp_pool", MB_100, note="the task returns its argument"),
        ),
        lower_is_better=False,
        more=("first_gb_per_s",),
    ),
    table(
        "shared", "round trip with a pointer to shared memory, both ends touched, 1 worker",
        "shared", 1, "p50_ns", "ns, median",
        (Entry(OURS, MB_100, label="100 MB"), Entry(OURS, 1 << 20, label="1 MiB")),
        (),
        more=("small_ns", "empty_ns", "to_small", "to_empty"),
    ),
    table(
        "start_large", "start of 2 workers, both have answered; parent with threads and 1 GiB",
        "start", 2, "ms", "ms",
        (Entry(OURS, 1024, 5),),
        (Entry("forkserver", 1024, 3), Entry("executor", 1024, 3, note="fork")),
        references=(Entry(OURS, 1, 5, label="sillon, small parent"),),
        more=("first_ms",),
    ),
    table(
        "start_small", "start of 2 workers, both have answered; small parent with threads",
        "start", 2, "ms", "ms",
        (Entry(OURS, 1, 5),),
        (Entry("forkserver", 1, 3), Entry("executor", 1, 3, note="fork")),
        more=("first_ms",),
    ),
    table(
        "death", "a task kills its worker: until its future has failed; 1 worker",
        "death", 1, "failed_ms", "ms",
        (Entry(OURS, 5),),
        (Entry("executor", 3, note=A_NEW_POOL), Entry("pebble", 3)),
        more=("replaced_ms",),
    ),
    table(
        "innocents", "of 13 tasks around one that kills its worker, those lost; 2 workers",
        "innocents", 2, "lost", "tasks",
        (Entry(OURS, 13),),
        (Entry("executor", 13), Entry("pebble", 13)),
    ),
    table(
        "limit", "an endless task and a limit of 50 ms: how late it has failed; 1 worker",
        "limit", 1, "late_ms", "ms",
        (Entry(OURS, 5),),
        (Entry("pebble", 3),),
    ),
    table(
        "count", "two count loops at the same time, against in sequence; 2 workers",
        "count", 2, "speed_up", "times as fast",
        (Entry(OURS, 300000000),),
        (Entry("executor", 10000000),),
        lower_is_better=False,
        more=("loop_ms",),
    ),
)


def ratio(what, key, comparison, limit, theirs, moonshot=None, ours="sillon"):
    """A bar, and the moonshot of the same ratio if there is one."""
    bars = [(limit, False), (moonshot, True)]
    return [beside(f"processes: {what}", f"processes_{key}", ours, comparison, value, theirs,
                   moonshot=far) for value, far in bars if value is not None]


def absolute(what, key, comparison, limit, moonshot=None, metric="", row="sillon"):
    bars = [(limit, False), (moonshot, True)]
    return [Bar(f"processes: {what}", Of(f"processes_{key}", row, metric), comparison, value,
                moonshot=far) for value, far in bars if value is not None]


CPYTHON, MP_POOL, MEMCPY = "CPython executor", "multiprocessing.Pool", "memcpy in, memcpy out"
FORKSERVER, FUTEX = "CPython executor, forkserver", "two processes, futex"
UNTOUCHED = "sillon, untouched"

BARS = (
    *ratio("round trip, against CPython", "round_trip", "<=", 0.01, CPYTHON, 0.0033),
    *ratio("round trip, against two that spin", "round_trip", "<=", None,
           "two processes, spinning", 5),
    *ratio("round trip after 1 ms, against two with futexes", "idle", "<=", 1.3, FUTEX, 1.1),
    *ratio("100,000 tasks, against CPython", "submit", ">=", 100, CPYTHON, 250),
    *ratio("100,000 tasks, against Pool.apply_async", "submit", ">=", 30, MP_POOL, 100),
    *ratio("map, against CPython", "map", ">=", 50, CPYTHON),
    *ratio("map, against Pool.map", "map", ">=", None, MP_POOL, 13),
    *ratio("map, against Pool.map with chunks of 100", "map", ">=", None,
           "multiprocessing.Pool, chunks of 100", 13),
    *ratio("100 MB both ways, against CPython", "copy", ">=", 20, CPYTHON),
    *ratio("100 MB both ways, against memcpy", "copy", ">=", None, MEMCPY, 0.7),
    *ratio("100 MB untouched, against CPython", "copy", ">=", 20, CPYTHON, ours=UNTOUCHED),
    *ratio("100 MB untouched, against memcpy", "copy", ">=", None, MEMCPY, 0.7, ours=UNTOUCHED),
    *absolute("shared 100 MB, against 1 KiB", "shared", "<=", 1.1, metric="to_small", row="100 MB"),
    *absolute("shared 100 MB, against an empty task", "shared", "<=", None, 2, "to_empty",
              row="100 MB"),
    *ratio("start in a large parent, against forkserver", "start_large", "<=", 0.1, FORKSERVER,
           0.04),
    *ratio("start in a large parent, against a small one", "start_large", "<=", None,
           "sillon, small parent", 1.1),
    *absolute("a dead worker's future, ms", "death", "<=", 5, 1),
    *absolute("a dead worker replaced, ms", "death", "<=", 20, 3, "replaced_ms"),
    *absolute("innocent tasks lost", "innocents", "<=", None, 0),
    *absolute("lateness of a limit, ms", "limit", "<=", 10, 2),
    *absolute("two count loops, speed-up", "count", ">=", 1.9),
)
