# SPDX-License-Identifier: MIT
"""Servers on one CPU, visited in turn by one client on another: the peers, the tables, the bars.

Each server is a program that prints its port and serves until it is killed; questions/serving is
the client. In each round all are started anew, connected, and visited in CYCLES cycles.
"""

import os
import resource
import subprocess
import tempfile
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from statistics import median

from runner.async_loops import GROUP, UVLOOP_NEEDS, ratio
from runner.terms import Peer, Visit, program

OURS = "server"
FLOOR = "server_epoll"

SLICE_MS = 50
CYCLES = 8
TIMEOUT_S = 60


def python(*how):
    return ("/usr/bin/python3", "{source}/peers/python/serve.py", *how)


PEERS = {
    OURS: Peer("sillon", program("bench_sillon_server")),
    FLOOR: Peer("raw epoll", program("bench_epoll_server")),
    "server_go": Peer("Go", program("bench_go_loop") + ("serve",), ("golang-go",)),
    "server_uvloop": Peer("uvloop, protocol", python("uvloop"), ("python3-uvloop",),
                          needs=UVLOOP_NEEDS),
    "server_streams": Peer("asyncio, streams", python("asyncio", "streams"), ("python3",)),
    "server_nginx": Peer("nginx", ("/usr/bin/python3", "{source}/peers/python/nginx.py"),
                         ("nginx-light",), needs=("/usr/sbin/nginx",)),
}

ECHO_PEERS = (OURS, "server_go", "server_uvloop", "server_streams")


def echo(key, title, request, connections, **rest):
    return Visit(f"async_echo_{key}", f"Servers: echo of {title}", "echo", request, connections,
                 ECHO_PEERS, (FLOOR,), GROUP, **rest)


VISITS = (
    echo("64", "64 bytes, 64 connections", "64", 64),
    echo("16k", "16 KiB, 64 connections", "16384", 64),
    echo("1000", "64 bytes, 1,000 connections", "64", 1000),
    Visit("async_http", "Servers: a fixed reply by HTTP, 64 connections", "http", "http", 64,
          (OURS, "server_nginx"), (FLOOR,), GROUP),
)

ECHOES = (("64", "64 bytes"), ("16k", "16 KiB"), ("1000", "1,000 connections"))

BARS = (
    *ratio("echo of 64 bytes, against raw epoll", "echo_64", 1.05, "raw epoll", 1.02),
    *ratio("echo of 16 KiB, against raw epoll", "echo_16k", 1.05, "raw epoll", 1.02),
    *ratio("echo to 1,000 connections, against raw epoll", "echo_1000", None, "raw epoll", 1.06),
    *(bar for key, what in ECHOES
      for bar in ratio(f"echo, {what}, against Go", f"echo_{key}", 0.9, "Go")),
    *(bar for key, what in ECHOES
      for bar in ratio(f"echo, {what}, against uvloop", f"echo_{key}", 0.95, "uvloop, protocol")),
    *ratio("a fixed reply by HTTP, against nginx", "http", 1.0, "nginx", 0.88),
)


def two_cpus():
    """(the servers', the client's): the same if there is but one."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[0], cpus[-1]


def prepare(cpu):
    """In a new process, before its program: there it stays, with as many connections as it may."""
    os.sched_setaffinity(0, {cpu})
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def serving(command, folder):
    """(port, process) of a server while it runs; the port is None if it does not."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env={**os.environ, "TMPDIR": folder},
                              preexec_fn=lambda: prepare(two_cpus()[0]))
    try:
        line = server.stdout.readline().strip()
        yield (int(line) if line.isdigit() else None), server.pid
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def fail(measurement, visit, who, why):
    measurement.failed[who, visit.key] = why
    measurement.say(f"failed: {who}: {why}")


def client(measurement, visit, servers):
    """{peer: {cycle: {metric: value}}} of one round."""
    command = [str(measurement.places["bench"] / "bench_serving"), visit.request,
               str(visit.connections), str(SLICE_MS), str(CYCLES)]
    command += [f"{port}:{pid}" for port, pid in servers.values()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False, preexec_fn=lambda: prepare(two_cpus()[1]))
    except (OSError, subprocess.SubprocessError) as error:
        fail(measurement, visit, "the client", str(error))
        return {}
    for line in done.stderr.splitlines():
        index, _, why = line.partition(": ")
        fail(measurement, visit, list(servers)[int(index)] if index.isdigit() else "", why)
    return parse(done.stdout, list(servers))


def parse(text, keys):
    seen = defaultdict(dict)
    for line in text.splitlines():
        index, cycle, cpu_us, per_s, busy = line.split(",")
        seen[keys[int(index)]][int(cycle)] = {
            "cpu_us": float(cpu_us), "per_s": float(per_s), "busy": float(busy)}
    return seen


def one_round(measurement, visit):
    servers = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        for key in (*visit.references, *visit.peers):
            if key in measurement.missing:
                continue
            command = [part.format(**measurement.places) for part in PEERS[key].command]
            port, pid = stack.enter_context(serving([*command, visit.what], folder))
            if port is None:
                fail(measurement, visit, key, f"{' '.join(command)} does not serve")
            else:
                servers[key] = (port, pid)
        return client(measurement, visit, servers) if servers else {}


def keep(rows, visit, seen):
    """Add a round: the median over its cycles, and of the ratios of its cycles."""
    ours = seen.get(OURS, {})
    for key in (OURS, *visit.references, *(key for key in visit.peers if key != OURS)):
        cycles = seen.get(key)
        if not cycles:
            continue
        kind = "ours" if key == OURS else "reference" if key in visit.references else "peer"
        row = rows.setdefault(PEERS[key].label, {
            "kind": kind, "n": visit.connections, "note": "", "samples": defaultdict(list),
            "ratios": defaultdict(list)})
        for metric in ("cpu_us", "per_s", "busy"):
            row["samples"][metric].append(median(one[metric] for one in cycles.values()))
        both = [ours[cycle]["cpu_us"] / one["cpu_us"] for cycle, one in cycles.items()
                if cycle in ours]
        if key != OURS and both:
            row["ratios"][PEERS[OURS].label].append(median(both))


def measure(measurement, visit):
    rows = {}
    for _ in range(measurement.rounds):
        keep(rows, visit, one_round(measurement, visit))
    return {"title": visit.title, "metric": "cpu_us", "unit": "us of processor a request",
            "lower_is_better": True, "more": ("per_s", "busy"), "rows": rows,
            "ours": [PEERS[OURS].label]}


def measure_all(measurement, visits):
    results = {}
    for visit in visits:
        measurement.say(f"measuring: {visit.title} ...")
        results[visit.key] = measure(measurement, visit)
    return results
