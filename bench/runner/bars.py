# SPDX-License-Identifier: MIT
"""The bars: what we want to reach, as ratios to what ran beside us in the same run."""

from statistics import median

from runner import async_loops, async_servers, processes
from runner.command import gets, maps
from runner.terms import Bar, Of, beside

FORK_1, FORK_2 = "fork_join_1", "fork_join_2"

BARS = (
    beside("fork-join, 1 worker, against Rayon", FORK_1, "sillon", "<=", 0.5, "Rayon"),
    beside("fork-join, 1 worker, against oneTBB", FORK_1, "sillon", "<=", 0.1, "oneTBB"),
    beside("fork-join, 1 worker, against libgomp", FORK_1, "sillon", "<=", 0.1, "libgomp",
           note="libgomp makes no tasks with one thread"),
    beside("fork-join inline, 1 worker, against Rayon", FORK_1, "sillon inline", "<=", 0.25,
           "Rayon"),
    beside("fork-join, speed-up with 2 workers", FORK_2, "sillon", ">=", 1.9, "sillon, 1 worker",
           speed_up=True),
    beside("fork-join inline, speed-up with 2 workers", FORK_2, "sillon inline", ">=", 1.9,
           "sillon inline, 1 worker", speed_up=True),
    beside("fork-join elided, 2 workers, against plain C", FORK_2, "sillon elided", "<=", 1.0,
           "plain C", moonshot=True),
    beside("12 queens, 2 workers, against oneTBB", "n_queens", "sillon", "<=", 0.3, "oneTBB"),
    beside("12 queens, 2 workers, against Rayon", "n_queens", "sillon", "<=", 0.2, "Rayon"),
    beside("fire and forget, against Java", "post", "sillon", ">=", 1.2, "Java ForkJoinPool"),
    beside("fire and forget, against oneTBB", "post", "sillon", ">=", 5, "oneTBB"),
    beside("fire and forget, against Rayon", "post", "sillon", ">=", 5, "Rayon"),
    beside("fire and forget, against C-Thread-Pool", "post", "sillon", ">=", 5, "C-Thread-Pool"),
    beside("fire and forget, against the floor (35 where it makes 38 M/s)", "post", "sillon", ">=",
           0.92, "floor_submit", moonshot=True),
    beside("with futures, against Java", "submit", "sillon", ">=", 1.0, "Java ForkJoinPool"),
    beside("with futures, against GLib with hand-made ones", "submit", "sillon", ">=", 10, "GLib"),
    Bar("bulk, against our own single posts", Of("post", "sillon bulk"), ">=", 4,
        Of("post", "sillon")),
    beside("warm round trip, against oneTBB", "round_trip", "sillon", "<=", 0.05, "oneTBB"),
    beside("warm round trip, against Rayon", "round_trip", "sillon", "<=", 0.05, "Rayon"),
    beside("round trip after 1 ms, against two threads with futexes", "round_trip_idle", "sillon",
           "<=", 1.3, "two threads, futex"),
    Bar("trickle at 1 kHz, of one core", Of("trickle", "sillon"), "<=", 0.04),
    beside("small loop, against libgomp", "loop_small", "sillon", "<=", 1.0, "libgomp"),
    beside("large loop, against libgomp", "loop_large", "sillon", "<=", 1.05, "libgomp"),
    Bar("bytes of a queued task", Of("memory", "sillon"), "<=", 64),
    Bar("bytes of a queued task with a future", Of("memory_futures", "sillon"), "<=", 160),
    Bar("cost a task at 10,000,000 against 10,000, running",
        Of("growth", "10,000,000 tasks", "running_ns"), "<=", 2,
        Of("growth", "10,000 tasks", "running_ns")),
    Bar("cost a task at 10,000,000 against 10,000, with a future",
        Of("growth_futures", "10,000,000 tasks", "futures_ns"), "<=", 2,
        Of("growth_futures", "10,000 tasks", "futures_ns")),
    *processes.BARS,
    *async_loops.BARS,
    *async_servers.BARS,
    *maps.BARS,
    *gets.BARS,
)


def samples_of(results, of):
    """The samples of a row by round; None if it was not measured."""
    table = results["tables"].get(of.table)
    row = table and table["rows"].get(of.label)
    if not row:
        return None
    return row["samples"].get(of.metric or table["metric"])


def ratios_of(results, bar):
    """By round where they ran in turn, else one, of the medians; None if not measured."""
    ours = samples_of(results, bar.ours)
    theirs = samples_of(results, bar.theirs)
    if not ours or not theirs:
        return None
    if bar.ours.table == bar.theirs.table:
        rows = results["tables"][bar.ours.table]["rows"]
        ratios = rows[bar.theirs.label].get("ratios", {}).get(bar.ours.label)
        if ratios:
            return [1 / ratio for ratio in ratios] if bar.speed_up else ratios
    return [median(ours) / median(theirs)]


def value_of(results, bar):
    """(median, lowest, highest) of what the bar compares; None if something was not measured."""
    values = ratios_of(results, bar) if bar.theirs else samples_of(results, bar.ours)
    return (median(values), min(values), max(values)) if values else None


def figure_of(results, of):
    """The median of a row; None if there is none."""
    values = of and samples_of(results, of)
    return median(values) if values else None


def judge(results):
    """Each bar of the tables measured, with its value and "pass", "fail" or "not measured"."""
    judged = []
    for bar in BARS:
        if bar.ours.table not in results["tables"]:
            continue
        value = value_of(results, bar)
        if value is None:
            verdict = "not measured"
        elif value[0] <= bar.limit if bar.comparison == "<=" else value[0] >= bar.limit:
            verdict = "pass"
        else:
            verdict = "fail"
        judged.append({
            "what": bar.what, "comparison": bar.comparison, "limit": bar.limit,
            "ours": figure_of(results, bar.ours), "theirs": figure_of(results, bar.theirs),
            "is_ratio": bar.theirs is not None, "value": value,
            "verdict": verdict, "moonshot": bar.moonshot, "note": bar.note,
        })
    return judged
