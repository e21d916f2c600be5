# SPDX-License-Identifier: MIT
"""Runs the contests: measure.py's rounds, in which one run is one whole program.

Each is run by command_run, which measures it. All files are in a folder in memory, so that no disk
has a say; it is made anew for a run of the benchmarks, and removed behind it.
"""

import os
import pty
import shutil
import subprocess
import tempfile
import termios
import threading
import time
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from runner import machine, measure

MIB = 1 << 20
MEMORY = Path("/dev/shm")
SPARE_MIB = 1024  # left to all else when the size of the large file is chosen
LIMIT_S = 120
ROWS, COLUMNS = 24, 100


@dataclass
class Sizes:
    jobs: int = 2000
    outputs: int = 200
    files: int = 2000
    seconds: float = 5
    large_mib: int = 2048


QUICK = Sizes(jobs=100, outputs=20, files=200, seconds=0.5, large_mib=64)


class Problem(Exception):
    """Why a run does not count."""


def fitting(wanted_mib, folder):
    """The large file is there twice: served, and loaded. (its size in MiB, a word if less)"""
    free = min(shutil.disk_usage(folder).free, machine.memory_bytes("MemAvailable")) // MIB
    size = wanted_mib
    while size > 64 and 2 * size + SPARE_MIB > free:
        size //= 2
    note = f"the large file has {size} MiB, not {wanted_mib}: there is no more memory free"
    return size, note if size < wanted_mib else ""


class Terminal:
    """A terminal that nobody looks at: what is drawn is read, and counted."""

    def __init__(self):
        self.drawn = 0
        self.ours, self.theirs = pty.openpty()
        termios.tcsetwinsize(self.theirs, (ROWS, COLUMNS))
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        try:
            while piece := os.read(self.ours, 65536):
                self.drawn += len(piece)
        except OSError:
            pass  # nobody has it open any more

    def name(self):
        return os.ttyname(self.theirs)

    def close(self):
        os.close(self.theirs)
        self.reader.join()
        os.close(self.ours)


class Stage:
    """What a job needs to know, and what measure.py asks of a measurement."""

    def __init__(self, measurement, folder, sizes):
        self.measurement = measurement
        self.rounds = measurement.rounds
        self.folder = folder
        self.sizes = sizes
        self.source = Path(measurement.places["source"])
        self.bench = Path(measurement.places["bench"]).resolve()
        self.sillon = Path(measurement.places["build"]).resolve() / "installed/bin/sillon"
        self.addresses = {}  # of the servers that are up
        self.contest = None
        self.ours = {}  # what our last run took
        self.environment = {**os.environ, "TERM": "xterm-256color", "TMPDIR": str(folder / "tmp"),
                            "PARALLEL_HOME": str(folder / "parallel")}
        self.environment.pop("MAKEFLAGS", None)
        for name in ("tmp", "parallel", "www"):
            (folder / name).mkdir()

    # For jobs.

    def tool(self, name):
        return self.bench / f"command_{name}"

    def fresh(self, name):
        """The path of a file that is not there."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        return path

    def empty(self, name):
        """An empty folder."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def numbers(self, count):
        """A file with a number a line."""
        path = self.folder / f"numbers{count}"
        if not path.exists():
            path.write_text("".join(f"{i}\n" for i in range(1, count + 1)), encoding="ascii")
        return path

    # For measure.py.

    def has(self, entry):
        return self.measurement.has(entry)

    def run(self, entry, question, _workers):
        """{metric: value} of one figure; {} if it cannot be had."""
        failed = self.measurement.failed
        if not self.has(entry) or (entry.peer, question) in failed:
            return {}
        try:
            runs = [self.run_once(entry) for _ in range(self.contest.repetitions)]
        except (Problem, OSError, ValueError, KeyError) as error:
            failed[entry.peer, question] = str(error)
            self.measurement.say(f"failed: {measure.label_of(entry)}, {question}: {error}")
            return {}
        figures = {name: median(run[name] for run in runs) for name in runs[0]}
        if entry == self.contest.ours[0]:
            self.ours = figures
        elif self.ours and figures["cpu_ms"] > 0:
            figures["cpu_ratio"] = self.ours["cpu_ms"] / figures["cpu_ms"]
        return figures

    def run_once(self, entry):
        job = self.contest.jobs[entry.peer](self)
        terminal = Terminal() if job.on_terminal else None
        try:
            taken = self.measured(job, terminal)
        finally:
            if terminal:
                terminal.close()
        if terminal and not terminal.drawn:
            raise Problem("nothing was drawn on the terminal")
        if wrong := job.check():
            raise Problem(wrong)
        return self.figures(job, *taken)

    def measured(self, job, terminal):
        """(wall ns, processor us, KiB, bytes watched), once it has ended as it should."""
        command = [self.tool("run"), "-C", job.folder, "-i", job.stdin, "-o", job.stdout,
                   "-t", LIMIT_S, "-s", job.stop_after_s, "-w", job.watched or ""]
        command += ["-e", terminal.name()] if terminal else ["-e", self.folder / "said"]
        done = subprocess.run([str(word) for word in (*command, *job.argv)], check=False,
                              env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(done.stderr.strip() or "it cannot be started")
        wall, cpu, memory, status, why, size = done.stdout.strip().split(",")
        if why == "late":
            raise Problem(f"not done after {LIMIT_S} s")
        if why != "stopped" and (int(status) != 0 or job.stop_after_s):
            raise Problem(f"ended with status {status}{self.last_words(terminal)}")
        return int(wall), int(cpu), int(memory), int(size)

    def last_words(self, terminal):
        if terminal:
            return ""
        said = (self.folder / "said").read_text(encoding="utf-8", errors="replace").split("\n")
        lines = [line for line in said if line.strip()]
        return f": {lines[-1].strip()[:200]}" if lines else ""

    def figures(self, job, wall, cpu, memory, size):
        seconds = wall / 1e9
        figures = {"wall_ms": seconds * 1e3, "cpu_ms": cpu / 1e3, "rss_mb": memory * 1024 / 1e6}
        if job.watched:
            figures["per_s"] = size / seconds
        elif self.contest.amount:
            figures["per_s"] = self.contest.amount(self) / seconds
        if self.contest.ideal_s:
            figures["of_ideal"] = 100 * self.contest.ideal_s(self) / seconds
        return figures


@contextmanager
def staged(measurement, options):
    """A stage, its folder, and what is to be said of the sizes."""
    sizes = QUICK if options.quick else Sizes()
    parent = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker may be another user
        sizes.large_mib, note = fitting(options.large or sizes.large_mib, folder)
        if note:
            measurement.say(f"note: {note}")
        yield Stage(measurement, folder, sizes)


def changed_title(contest, sizes):
    """Titles speak of the usual sizes."""
    if contest.key == "command_get_large":
        return f"{contest.title}, {sizes.large_mib} MiB"
    return contest.title + (" (--quick: fewer)" if sizes is QUICK else "")


def measure_contest(stage, contest):
    stage.contest, stage.ours = contest, {}
    began = time.monotonic()
    title = changed_title(contest, stage.sizes)
    stage.measurement.say(f"measuring: {title} ...")
    with ExitStack() as stack:
        stack.enter_context(contest.before(stage) if contest.before else nullcontext())
        for entry in (*contest.ours, *contest.references, *contest.peers):
            stage.run(entry, contest.question, 0)  # to warm up; one that fails, fails here
        table = measure.measure_table(stage, contest)
    stage.measurement.say(f"    {time.monotonic() - began:.0f} s")
    return {**table, "title": title}


def measure_all(measurement, contests, options):
    """{key: table} of those that can be measured."""
    possible = [contest for contest in contests if measurement.has(contest.ours[0])]
    if not possible:
        return {}
    with staged(measurement, options) as stage:
        return {contest.key: measure_contest(stage, contest) for contest in possible}
