# SPDX-License-Identifier: MIT
"""What is measured: the peers, and the tables with the sizes for each of them.

Sizes are such that one run takes 0.05 to 0.5 s: costs are given per call or per task, so they need
not be the same for all.
"""

from runner import async_loops, async_servers, processes
from runner.command import gets, maps
from runner.terms import Entry, Peer, Series, Table, program

JAVA = ("java", "-Xms{heap}", "-Xmx{heap}", "-cp", "{bench}/java", "Bench")

PEERS = {
    "sillon": Peer("sillon", program("bench_sillon")),
    "sillon_inline": Peer("sillon inline", program("bench_sillon_inline")),
    "sillon_elided": Peer("sillon elided", program("bench_sillon_elided")),
    "serial": Peer("plain C", program("bench_serial")),
    "serial_opaque": Peer("plain C, not inlinable", program("bench_serial_opaque")),
    "floor_submit": Peer("floor_submit", program("bench_floor_submit")),
    "floor_nospin": Peer("floor_submit, no spin", program("bench_floor_submit_nospin")),
    "futex_pair": Peer("two threads, futex", program("bench_futex_pair")),
    "textbook": Peer("textbook pool", program("bench_textbook")),
    "pthread_create": Peer("pthread_create", program("bench_pthread_create")),
    "std_async": Peer("std::async", program("bench_std_async")),
    "libgomp": Peer("libgomp", program("bench_libgomp"), ("libgomp1",)),
    "libomp": Peer("libomp", program("bench_libomp"), ("libomp5-14",)),
    "tbb": Peer("oneTBB", program("bench_tbb"), ("libtbb-dev",)),
    "tbb_groups": Peer("oneTBB, a group each", program("bench_tbb_groups")),
    "glib": Peer("GLib", program("bench_glib"), ("libglib2.0-dev",)),
    "libuv": Peer("libuv", program("bench_libuv"), ("libuv1-dev",)),
    "c_thread_pool": Peer("C-Thread-Pool", program("bench_c_thread_pool"), ("cthreadpool-dev",)),
    "asio": Peer("Boost.Asio", program("bench_asio"), ("libboost-dev",)),
    "rvaser": Peer("rvaser/thread_pool", program("bench_rvaser"), ("libthread-pool-dev",)),
    "rayon": Peer("Rayon", program("bench_rust") + ("rayon",), ("librust-rayon-dev",), True),
    "tokio": Peer("Tokio", program("bench_rust") + ("tokio",), ("librust-tokio-dev",), True),
    "java": Peer("Java ForkJoinPool", JAVA, ("openjdk-17-jdk-headless",), True),
    "go": Peer("Go", program("bench_go"), ("golang-go",), True),
    "python": Peer("CPython", ("python3", "{source}/peers/python/bench.py"), ("python3",), True),
    **processes.PEERS,
    **async_loops.PEERS,
    **async_servers.PEERS,
    **maps.PEERS,
    **gets.PEERS,
}


INLINE_WHEN_FULL = "the submitter runs tasks itself once a small bound is full"
NO_TASKS_ALONE = "makes no tasks with one thread: these are plain calls"
IN_A_TEAM = "the submitter is a member of the team"
A_GOROUTINE = "the submitter is a goroutine itself"
HAND_MADE = "has no futures: a mutex, a condition and a flag for each task"

FORMS = (Entry("sillon", 38), Entry("sillon_inline", 38), Entry("sillon_elided", 38))

TABLES = (
    Table(
        "fork_join_1",
        "Fork-join: fib, one spawn and one call at each node, 1 worker",
        "fork_join", 1, "ns_per_call", "ns a call", FORMS,
        (Entry("serial", 38, 2), Entry("serial_opaque", 38)),
        (
            Entry("libgomp", 32, note=NO_TASKS_ALONE),
            Entry("libomp", 31),
            Entry("tbb", 31),
            Entry("rayon", 36),
            Entry("java", 34),
            Entry("tokio", 28),
            Entry("go", 26),
        ),
    ),
    Table(
        "fork_join_2",
        "Fork-join: the same, 2 workers",
        "fork_join", 2, "ns_per_call", "ns a call", FORMS,
        (
            Entry("serial", 38, 2),
            Entry("sillon", 38, workers=1, label="sillon, 1 worker"),
            Entry("sillon_inline", 38, workers=1, label="sillon inline, 1 worker"),
        ),
        (
            Entry("libgomp", 27),
            Entry("libomp", 27),
            Entry("tbb", 32),
            Entry("rayon", 37),
            Entry("java", 34),
            Entry("tokio", 28),
            Entry("go", 26),
        ),
    ),
    Table(
        "n_queens",
        "Fork-join: 12 queens, a task for each child, 2 workers",
        "n_queens", 2, "ns_per_call", "ns a node",
        (Entry("sillon", 12, 10), Entry("sillon_inline", 12, 10), Entry("sillon_elided", 12, 10)),
        (Entry("serial", 12, 10), Entry("serial_opaque", 12, 10)),
        (
            Entry("libgomp", 12, 3),
            Entry("libomp", 12, 2),
            Entry("tbb", 12, 5),
            Entry("rayon", 12, 5),
            Entry("java", 12, 10),
            Entry("tokio", 12, 2),
            Entry("go", 12, 1),
        ),
    ),
    Table(
        "post",
        "Fire and forget: one outside thread, empty tasks, 2 workers",
        "post", 2, "mtasks_per_s", "M tasks/s",
        (
            Entry("sillon", 1000000, 3),
            Entry("sillon", 1000000, 3, question="bulk", label="sillon bulk",
                  note="all in one call"),
        ),
        (Entry("floor_submit", 1000000, 3), Entry("floor_nospin", 1000000, 3)),
        (
            Entry("textbook", 1000000),
            Entry("c_thread_pool", 1000000),
            Entry("tbb", 1000000),
            Entry("glib", 300000),
            Entry("libuv", 300000),
            Entry("asio", 500000),
            Entry("rvaser", 200000),
            Entry("libgomp", 500000, note=INLINE_WHEN_FULL),
            Entry("libomp", 500000, note=INLINE_WHEN_FULL),
            Entry("java", 1000000, 5),
            Entry("rayon", 1000000),
            Entry("tokio", 1000000),
            Entry("go", 1000000, note=A_GOROUTINE),
            Entry("python", 10000),
        ),
        lower_is_better=False,
        more=("submit_ns",),
    ),
    Table(
        "submit",
        "With a future each, collected in order: one outside thread, 2 workers",
        "submit", 2, "mtasks_per_s", "M tasks/s",
        (
            Entry("sillon", 1000000, 2),
            Entry("sillon", 1000000, 2, question="bulk_futures", label="sillon bulk",
                  note="all in one call"),
        ),
        (Entry("floor_submit", 1000000, 2), Entry("floor_nospin", 1000000, 2)),
        (
            Entry("glib", 200000, note=HAND_MADE),
            Entry("libuv", 500000),
            Entry("asio", 200000),
            Entry("rvaser", 200000),
            Entry("tbb_groups", 100000),
            Entry("std_async", 2000),
            Entry("pthread_create", 2000),
            Entry("java", 1000000, 3),
            Entry("tokio", 1000000),
            Entry("go", 500000, note=A_GOROUTINE),
            Entry("python", 10000),
        ),
        lower_is_better=False,
        more=("submit_ns",),
    ),
    Table(
        "round_trip",
        "Round trip, back to back: submit one task and get it, 2 workers",
        "round_trip", 2, "p50_ns", "ns, median",
        (Entry("sillon", 20000),),
        (Entry("futex_pair", 4000), Entry("floor_submit", 20000), Entry("floor_nospin", 4000)),
        (
            Entry("textbook", 4000),
            Entry("c_thread_pool", 4000),
            Entry("tbb", 4000),
            Entry("tbb_groups", 4000, note="the waiting thread runs the task itself"),
            Entry("glib", 4000, note=HAND_MADE),
            Entry("libuv", 4000),
            Entry("asio", 4000),
            Entry("rvaser", 4000),
            Entry("libgomp", 4000, note=IN_A_TEAM),
            Entry("libomp", 4000, note=IN_A_TEAM),
            Entry("java", 4000),
            Entry("rayon", 4000),
            Entry("tokio", 4000),
            Entry("go", 4000, note=A_GOROUTINE),
            Entry("python", 4000),
        ),
        more=("p99_ns", "cpu_fraction"),
    ),
    Table(
        "round_trip_idle",
        "Round trip after 1 ms in which nothing happened, 2 workers",
        "round_trip_idle", 2, "p50_ns", "ns, median",
        (Entry("sillon", 150),),
        (Entry("floor_submit", 150), Entry("floor_nospin", 150)),
        (
            Entry("futex_pair", 150, note="the machine's own", floor=True),
            Entry("textbook", 150),
            Entry("c_thread_pool", 150),
            Entry("tbb", 150),
            Entry("glib", 150, note=HAND_MADE),
            Entry("libuv", 150),
            Entry("asio", 150),
            Entry("rvaser", 150),
            Entry("libgomp", 150, note=IN_A_TEAM),
            Entry("libomp", 150, note=IN_A_TEAM),
            Entry("java", 300),
            Entry("rayon", 300),
            Entry("tokio", 300),
            Entry("go", 300, note=A_GOROUTINE),
            Entry("python", 300),
        ),
        more=("p99_ns", "cpu_fraction"),
    ),
    Table(
        "trickle",
        "A task each millisecond: processor time, 2 workers",
        "trickle", 2, "cpu_fraction", "of one core",
        (Entry("sillon", 300),),
        (Entry("floor_submit", 300), Entry("floor_nospin", 300)),
        (
            Entry("textbook", 300),
            Entry("tbb", 300),
            Entry("glib", 300),
            Entry("libgomp", 300, note=IN_A_TEAM),
            Entry("java", 500),
            Entry("rayon", 500),
            Entry("tokio", 500),
            Entry("go", 500),
            Entry("python", 500),
        ),
        more=("sleeper_fraction",),
    ),
    Table(
        "loop_small",
        "Parallel loop: sum of 100,000 doubles (in the caches), 2 workers",
        "loop", 2, "us_per_loop", "us a loop",
        (Entry("sillon", 100000, 5),),
        (Entry("serial", 100000, 5),),
        (
            Entry("libgomp", 100000, 5),
            Entry("libomp", 100000, 5),
            Entry("tbb", 100000, 5),
            Entry("textbook", 100000, 2),
            Entry("c_thread_pool", 100000, 2),
            Entry("java", 100000, 3),
            Entry("rayon", 100000, 3),
            Entry("go", 100000, 3),
        ),
    ),
    Table(
        "loop_large",
        "Parallel loop: sum of 100,000,000 doubles (800 MB), 2 workers",
        "loop", 2, "us_per_loop", "us a loop",
        (Entry("sillon", 100000000, 2),),
        (Entry("serial", 100000000, 2),),
        (
            Entry("libgomp", 100000000, 2),
            Entry("libomp", 100000000, 2),
            Entry("tbb", 100000000, 2),
            Entry("java", 100000000, 2),
            Entry("rayon", 100000000, 2),
            Entry("go", 100000000, 2),
        ),
    ),
    Table(
        "memory",
        "Memory of a task that waits, fire and forget (workers blocked)",
        "memory", 2, "bytes_per_task", "bytes",
        (Entry("sillon", 1000000),),
        (Entry("floor_submit", 1000000),),
        (
            Entry("textbook", 500000),
            Entry("c_thread_pool", 500000),
            Entry("tbb", 300000),
            Entry("glib", 500000),
            Entry("libuv", 500000),
            Entry("asio", 500000),
            Entry("rvaser", 200000),
            Entry("libgomp", 500000, note=INLINE_WHEN_FULL),
            Entry("libomp", 500000, note=INLINE_WHEN_FULL),
            Entry("java", 1000000),
            Entry("rayon", 1000000),
            Entry("tokio", 1000000),
            Entry("go", 100000, note="a goroutine that has begun"),
        ),
        more=("submit_ns",),
    ),
    Table(
        "memory_futures",
        "Memory of a task that waits, with a future (workers blocked)",
        "memory_futures", 2, "bytes_per_task", "bytes",
        (Entry("sillon", 1000000),),
        (Entry("floor_submit", 1000000),),
        (
            Entry("glib", 300000, note=HAND_MADE),
            Entry("libuv", 500000),
            Entry("asio", 200000),
            Entry("rvaser", 200000),
            Entry("tbb_groups", 200000),
            Entry("java", 1000000),
            Entry("tokio", 1000000),
            Entry("python", 30000),
        ),
        more=("submit_ns",),
    ),
    *processes.TABLES,
    *async_loops.TABLES,
)

SIZES = (10000, 100000, 1000000, 10000000)
WORKERS = (1, 2, 8, 64)

SERIES = (
    Series(
        "growth",
        "Growth: ns a task at 10,000 to 10,000,000 tasks, fire and forget, 2 workers",
        "growth", 2, ("running_ns", "queued_ns"),
        tuple(Entry("sillon", n, label=f"{n:,} tasks") for n in SIZES),
    ),
    Series(
        "growth_futures",
        "Growth: the same with a future each",
        "growth_futures", 2, ("futures_ns",),
        tuple(Entry("sillon", n, label=f"{n:,} tasks") for n in SIZES),
    ),
    Series(
        "workers",
        "Workers: 1,000,000 posts and fib(30) with 1 to 64 workers on this machine's cores; "
        "context switches and tasks stolen",
        "workers", 2,
        ("post_ns", "post_slept_per_1000", "post_pushed_off_per_1000", "fork_ns_per_call",
         "fork_slept", "fork_pushed_off", "fork_stolen"),
        tuple(Entry("sillon", 1000000, 2, workers=w, label=f"sillon, {w}") for w in WORKERS)
        + tuple(Entry("tbb", 200000, 1, workers=w, label=f"oneTBB, {w}") for w in WORKERS),
    ),
)

VISITS = async_servers.VISITS

CONTESTS = (*maps.CONTESTS, *gets.CONTESTS)
