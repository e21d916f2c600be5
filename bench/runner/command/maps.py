# SPDX-License-Identifier: MIT
"""`sillon map` and what else starts jobs: the peers, the contests and the bars.

Ours does all that a user may want: it keeps each job's output in one piece and writes a log. So
does GNU parallel; xargs does neither.
"""

import json

from runner.command.contest import OURS, Job, absolute, against, contest, installed, ours
from runner.terms import Peer, program

KEPT_ORDER, SHELL, REPORTING, PLAIN = (f"{OURS}_{form}"
                                       for form in ("ordered", "shell", "reporting", "plain"))
FLOOR = "command_floor"
XARGS, XARGS_SHELL = "command_xargs", "command_xargs_shell"
PARALLEL, PARALLEL_ORDERED, PARALLEL_BAR = (f"command_parallel{form}"
                                            for form in ("", "_ordered", "_bar"))
MAKE = "command_make"

PEERS = {
    OURS: ours("sillon"),
    KEPT_ORDER: ours("sillon -k"),
    SHELL: ours("sillon --shell"),
    REPORTING: ours("sillon --json --trace, bar"),
    PLAIN: ours("sillon, plain"),
    FLOOR: Peer("C, posix_spawn alone", program("bench_spawn")),
    XARGS: installed("xargs -P2 -n1", "xargs", "findutils"),
    XARGS_SHELL: installed("xargs -P2 -I{} sh -c", "xargs", "findutils"),
    PARALLEL: installed("GNU parallel", "parallel", "parallel"),
    PARALLEL_ORDERED: installed("GNU parallel -k --joblog", "parallel", "parallel"),
    PARALLEL_BAR: installed("GNU parallel --bar", "parallel", "parallel"),
    MAKE: installed("make -O", "make", "make"),
}

TRUE = "/bin/true"
GNU_PARALLEL = ("parallel", "--will-cite", "-j2")
EMITTED = 1 << 20  # bytes of a job of command_emit
LINE = 64


# What is right afterwards.

def check_log(path, count, kind="job"):
    """A line for each job, each well done."""
    good = 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            good += entry.get("type") == kind and entry.get("status") == "ok"
    return "" if good == count else f"{good} of {count} are in the log as done"


def check_joblog(path, count):
    with open(path, encoding="utf-8") as lines:
        there = sum(1 for _ in lines) - 1
    return "" if there == count else f"{there} of {count} are in the joblog"


def check_emitted(path, count):
    """Each job's output in one piece, and all of them."""
    seen = set()
    with open(path, "rb") as output:
        while piece := output.read(EMITTED):
            line = piece[:8].ljust(LINE - 1, b"x") + b"\n"
            if piece != line * (EMITTED // LINE):
                return f"the output of a job is not in one piece, after {len(seen)} that are"
            seen.add(piece[:8])
    wanted = {f"{number:08}".encode() for number in range(1, count + 1)}
    return "" if seen == wanted else f"output of {len(seen & wanted)} of {count} jobs"


def check_trace(path, count):
    with open(path, encoding="utf-8") as text:
        trace = json.load(text)
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    return "" if len(events) >= count else f"{len(events)} events of {count} jobs in the trace"


# 2,000 jobs that do nothing.

def logged(*words, options=()):
    """Ours, with a log; words: the command, or nothing but options."""
    def job(stage):
        log = stage.fresh("log.jsonl")
        argv = (stage.sillon, "map", "-j2", "-q", "--log", log, *options, *words)
        return Job(argv, stage.numbers(stage.sizes.jobs),
                   check=lambda: check_log(log, stage.sizes.jobs))
    return lambda stage: job(stage)


def starts(*argv):
    """A peer that reads numbers."""
    return lambda stage: Job(argv, stage.numbers(stage.sizes.jobs))


def with_joblog(*command):
    def job(stage):
        log = stage.fresh("joblog")
        return Job((*GNU_PARALLEL, "-k", "--joblog", log, *command),
                   stage.numbers(stage.sizes.jobs),
                   check=lambda: check_joblog(log, stage.sizes.jobs))
    return job


def of_stage(make, name):
    """make(path of one of our programs), once the stage knows it."""
    return lambda stage: make(stage.tool(name))(stage)


TINY_JOBS = {
    OURS: of_stage(logged, "tiny"),
    KEPT_ORDER: of_stage(lambda tiny: logged(tiny, options=("-k",)), "tiny"),
    FLOOR: lambda stage: Job((stage.bench / "bench_spawn", stage.sizes.jobs, stage.tool("tiny"))),
    XARGS: of_stage(lambda tiny: starts("xargs", "-P2", "-n1", tiny), "tiny"),
    PARALLEL_ORDERED: of_stage(with_joblog, "tiny"),
}
TRUE_JOBS = {
    OURS: logged(TRUE),
    KEPT_ORDER: logged(TRUE, options=("-k",)),
    FLOOR: lambda stage: Job((stage.bench / "bench_spawn", stage.sizes.jobs, TRUE)),
    XARGS: starts("xargs", "-P2", "-n1", TRUE),
    PARALLEL_ORDERED: with_joblog(TRUE),
}
SHELL_JOBS = {
    SHELL: logged(options=("--shell", f"{TRUE} {{}}")),
    XARGS_SHELL: starts("xargs", "-P2", "-I{}", "sh", "-c", f"{TRUE} {{}}"),
}


# Reports, against none.

def reporting(stage):
    report, trace = stage.fresh("report.jsonl"), stage.fresh("trace.json")
    count = stage.sizes.jobs
    return Job((stage.sillon, "map", "-j2", f"--json={report}", "--trace", trace, TRUE),
               stage.numbers(count), on_terminal=True,
               check=lambda: check_log(report, count) or check_trace(trace, count))


def plain(stage):
    return Job((stage.sillon, "map", "-j2", TRUE), stage.numbers(stage.sizes.jobs))


# 200 jobs that print 1 MiB each.

def emits(*command):
    def job(stage):
        output, count = stage.fresh("output"), stage.sizes.outputs
        return Job((*command, stage.tool("emit")), stage.numbers(count), output,
                   check=lambda: check_emitted(output, count))
    return job


def ours_emits(stage):
    return emits(stage.sillon, "map", "-j2", "-q")(stage)


def makefile(stage):
    count = stage.sizes.outputs
    names = " ".join(f"t{number}" for number in range(1, count + 1))
    rules = (f"t{number}:\n\t@{stage.tool('emit')} {number}\n" for number in range(1, count + 1))
    path = stage.folder / "Makefile"
    path.write_text(f".PHONY: all {names}\nall: {names}\n{''.join(rules)}", encoding="ascii")
    output = stage.fresh("output")
    return Job(("make", "-s", "-j2", "-Otarget", "-f", path), stdout=output,
               check=lambda: check_emitted(output, count))


# A million inputs, and a few seconds.

def ticks(*command, **how):
    def job(stage):
        ticked = stage.fresh("ticks")
        ticked.touch()
        return Job((*command, stage.tool("tick")), stage.numbers(1000000), folder=stage.folder,
                   stop_after_s=stage.sizes.seconds, watched=ticked, **how)
    return job


def ours_ticks(stage):
    return ticks(stage.sillon, "map", "-j2", on_terminal=True)(stage)


# One job.

ONE_JOBS = {
    OURS: lambda stage: Job((stage.sillon, "map", "-q", TRUE, ":::", "1")),
    FLOOR: lambda stage: Job((TRUE, "1")),
    XARGS: lambda stage: Job(("xargs", "-P2", "-n1", TRUE), stage.numbers(1)),
    PARALLEL: lambda stage: Job((*GNU_PARALLEL, TRUE), stage.numbers(1)),
}


def jobs(stage):
    return stage.sizes.jobs


def outputs(stage):
    return stage.sizes.outputs


MORE = ("cpu_ms", "rss_mb")

CONTESTS = (
    contest("map_tiny", "map, 2,000 jobs that do nothing, 2 at a time, output kept, log written",
            "per_s", "jobs/s", (OURS, KEPT_ORDER), (XARGS, PARALLEL_ORDERED), references=(FLOOR,),
            jobs=TINY_JOBS, amount=jobs, lower_is_better=False, more=MORE),
    contest("map_true", "map, the same with /bin/true",
            "per_s", "jobs/s", (OURS, KEPT_ORDER), (XARGS, PARALLEL_ORDERED), references=(FLOOR,),
            jobs=TRUE_JOBS, amount=jobs, lower_is_better=False, more=MORE),
    contest("map_shell", "map, the same by --shell, whose line needs no shell",
            "per_s", "jobs/s", (SHELL,), (XARGS_SHELL,),
            jobs=SHELL_JOBS, amount=jobs, lower_is_better=False, more=MORE),
    contest("map_output", "map, 200 jobs that print 1 MiB each, to a file, each in one piece",
            "per_s", "jobs/s", (OURS,), (PARALLEL, MAKE),
            jobs={OURS: ours_emits, PARALLEL: emits(*GNU_PARALLEL), MAKE: makefile},
            amount=outputs, lower_is_better=False, more=MORE),
    contest("map_million", "map, the first seconds of 1,000,000 inputs; ours with its bar",
            "per_s", "starts/s", (OURS,), (PARALLEL,), references=(XARGS, PARALLEL_BAR),
            jobs={OURS: ours_ticks, PARALLEL: ticks(*GNU_PARALLEL),
                  PARALLEL_BAR: ticks(*GNU_PARALLEL, "--bar"),
                  XARGS: ticks("xargs", "-P2", "-n1")},
            lower_is_better=False, more=MORE),
    contest("map_one", "map, one job, /bin/true, start to end",
            "wall_ms", "ms", (OURS,), (XARGS, PARALLEL), references=(FLOOR,),
            jobs=ONE_JOBS, more=("rss_mb",), repetitions=7),
    contest("map_reports", "map, 2,000 times /bin/true with all reports, against none",
            "wall_ms", "ms", (REPORTING,), (), beside=(PLAIN,),
            jobs={REPORTING: reporting, PLAIN: plain}, more=MORE),
)

BARS = (
    *against("tiny jobs, against xargs", "map_tiny", ">=", 1.6, "xargs -P2 -n1", 1.9),
    *against("tiny jobs, against GNU parallel", "map_tiny", ">=", 12, "GNU parallel -k --joblog",
             14),
    *against("1 MiB of output, against GNU parallel", "map_output", ">=", 3, "GNU parallel", 4),
    *against("1 MiB of output, against make -O", "map_output", ">=", 1.2, "make -O", 1.35),
    *absolute("1 MiB of output, memory in MB", "map_output", "<=", 4, "rss_mb"),
    *against("1,000,000 inputs, against GNU parallel", "map_million", ">=", 12, "GNU parallel"),
    *absolute("1,000,000 inputs, memory in MB", "map_million", "<=", 6, "rss_mb"),
    *absolute("one job, ms", "map_one", "<=", 4, moonshot=2.5),
    *against("--json, --trace and bar, against none", "map_reports", "<=", 1.05, "sillon, plain",
             1.03, row="sillon --json --trace, bar"),
    *against("--shell, a simple line, against xargs sh -c", "map_shell", ">=", None,
             "xargs -P2 -I{} sh -c", 1.8, row="sillon --shell"),
)
