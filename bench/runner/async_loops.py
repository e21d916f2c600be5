# SPDX-License-Identifier: MIT
"""Event loops: the peers, the tables and the bars; as plan.py and bars.py for pools of threads.

Everything here runs on one thread, but for the pools of offload. Servers are in async_servers.py.
CPython is Debian's, /usr/bin/python3, the one its packages are for.
"""

from runner.terms import Bar, Entry, Of, Peer, Table, beside, program

OURS = "loop"
GROUP = "async"  # scripts/bench.sh --only async


def python(loop):
    return ("/usr/bin/python3", "{source}/peers/python/loops.py", loop)


UVLOOP_NEEDS = ("/usr/lib/python3/dist-packages/uvloop",)

PEERS = {
    OURS: Peer("sillon", program("bench_sillon_loop")),
    "loop_wheel": Peer("sillon's wheel", program("bench_timer_wheel")),
    "loop_libuv": Peer("libuv", program("bench_libuv_loop"), ("libuv1-dev",)),
    "loop_go": Peer("Go", program("bench_go_loop"), ("golang-go",)),
    "loop_uvloop": Peer("uvloop", python("uvloop"), ("python3-uvloop",), needs=UVLOOP_NEEDS),
    "loop_asyncio": Peer("asyncio", python("asyncio"), ("python3",)),
}

CALLBACKS = "callbacks, no coroutines"
INSIDE = "src/loop/timers.h on its own"
BY_TIMEOUT = "asyncio.timeout"
BY_WAIT_FOR = "asyncio.wait_for"
WAIT_FOR = "asyncio, wait_for"
MILLION = 1000000


def table(key, title, question, metric, unit, ours, peers, workers=1, **rest):
    return Table(f"async_{key}", f"Loops: {title}", question, workers, metric, unit, ours, (),
                 peers=peers, group=GROUP, **rest)


TABLES = (
    table(
        "yield", "two coroutines give way to each other", "yield", "ns", "ns",
        (Entry(OURS, 5 * MILLION, 3),),
        (
            Entry("loop_go", MILLION, 3),
            Entry("loop_uvloop", 100000),
            Entry("loop_asyncio", 100000),
        ),
    ),
    table(
        "go", "start of a coroutine and wait for its end, one at a time", "go", "ns", "ns",
        (Entry(OURS, 2 * MILLION, 3),),
        (
            Entry("loop_go", 500000, 3, note="a goroutine that closes a channel"),
            Entry("loop_uvloop", 50000),
            Entry("loop_asyncio", 50000),
        ),
    ),
    table(
        "message", "a message between two coroutines", "message", "ns", "ns",
        (Entry(OURS, 3 * MILLION, 3),),
        (
            Entry("loop_go", MILLION, 2),
            Entry("loop_uvloop", 50000),
            Entry("loop_asyncio", 50000),
        ),
    ),
    table(
        "message_limit", "the same, each waited for at most 1 s", "message_limit", "ns", "ns",
        (Entry(OURS, 2 * MILLION, 3),),
        (
            Entry("loop_go", 500000, 2, note="a timer each"),
            Entry("loop_uvloop", 30000, note=BY_TIMEOUT),
            Entry("loop_asyncio", 30000, note=BY_TIMEOUT),
            Entry("loop_asyncio", 30000, question="message_wait_for", label=WAIT_FOR,
                  note=BY_WAIT_FOR),
        ),
    ),
    table(
        "asleep", "100,000 coroutines asleep at once for 1 s: over 1 s", "asleep", "over_ms", "ms",
        (Entry(OURS, 100000),),
        (Entry("loop_go", 100000),),
        more=("bytes",), touched_gib=1,
    ),
    table(
        "asleep_million", "1,000,000 coroutines asleep at once for 1 s: over 1 s", "asleep",
        "over_ms", "ms",
        (Entry(OURS, MILLION),),
        (Entry("loop_go", MILLION),),
        more=("bytes",), touched_gib=5, optional=True,
    ),
    table(
        "beside", "the longest of 20 sleeps of 10 ms beside 1,000 that give way without end",
        "beside", "worst_ms", "ms",
        (Entry(OURS, 1000, 1),),
        (Entry("loop_go", 1000, 1), Entry("loop_uvloop", 1000, 1)),
        more=("p50_ms",),
    ),
    table(
        "idle", "a coroutine that waits for 2 s until another thread says so: voluntary switches",
        "idle", "switches", "switches",
        (Entry(OURS, 2000),),
        (),
        more=("cpu_us",),
    ),
    table(
        "offload", "a coroutine awaits an empty task of a pool of 2 threads", "offload", "p50_ns",
        "ns, median",
        (Entry(OURS, 10000),),
        (
            Entry("loop_libuv", 5000, note=CALLBACKS),
            Entry("loop_uvloop", 3000, 1),
            Entry("loop_asyncio", 3000, 1),
        ),
        workers=2, more=("p99_ns", "cpu_fraction"),
    ),
    table(
        "timers", "1,000,000 timers set, then cancelled", "timers", "ns", "ns, of both",
        (Entry("loop_wheel", MILLION, 3, note=INSIDE),),
        (Entry("loop_libuv", MILLION, 1),),
        more=("set_ns", "cancel_ns"),
    ),
)


def ratio(what, key, limit, theirs, moonshot=None, ours="sillon"):
    """A bar, and the moonshot of the same ratio if there is one."""
    return [beside(f"loops: {what}", f"async_{key}", ours, "<=", value, theirs, moonshot=far)
            for value, far in ((limit, False), (moonshot, True)) if value is not None]


def absolute(what, key, limit, moonshot=None, metric=""):
    return [Bar(f"loops: {what}", Of(f"async_{key}", "sillon", metric), "<=", value, moonshot=far)
            for value, far in ((limit, False), (moonshot, True)) if value is not None]


BARS = (
    *ratio("giving way, against Go", "yield", 0.25, "Go", 1 / 7),
    *ratio("start and end, against Go", "go", 1 / 6, "Go", 1 / 10),
    *ratio("start and end, against asyncio", "go", None, "asyncio", 1 / 150),
    *ratio("a message with a limit, against Go", "message_limit", 1 / 20, "Go", 1 / 40),
    *ratio("a message with a limit, against asyncio's timeout", "message_limit", None, "asyncio",
           1 / 800),
    *ratio("a message with a limit, against asyncio's wait_for", "message_limit", None, WAIT_FOR,
           1 / 800),
    *absolute("bytes of a sleeper", "asleep", 4.2 * 1024, metric="bytes"),
    *ratio("100,000 sleepers, over 1 s, against Go", "asleep", 1.0, "Go", 0.5),
    *absolute("bytes of a sleeper among 1,000,000", "asleep_million", 4.2 * 1024, metric="bytes"),
    *ratio("1,000,000 sleepers, over 1 s, against Go", "asleep_million", 1.0, "Go", 0.5),
    *absolute("10 ms of sleep beside 1,000 that give way, ms", "beside", 15, 12),
    *absolute("idle for 2 s, voluntary switches", "idle", 0),
    *absolute("idle for 2 s, processor time in us", "idle", 0, metric="cpu_us"),
    *ratio("a pool's answer, against libuv", "offload", 0.7, "libuv", 0.5),
    *ratio("a pool's answer, against uvloop", "offload", 0.4, "uvloop"),
    *ratio("a pool's answer, against asyncio", "offload", None, "asyncio", 0.25),
    *ratio("1,000,000 timers, against libuv", "timers", 1 / 5, "libuv", 1 / 20, "sillon's wheel"),
)
