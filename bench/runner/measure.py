# SPDX-License-Identifier: MIT
"""Runs the programs, alternately, and keeps what they print.

One round of a table: each further form of ours and each reference once; then for each peer ours,
and the peer. So each peer has a run of ours right before it in each round, and a ratio to it.
"""

import mmap
import subprocess
import time
from collections import defaultdict
from statistics import median

from runner.plan import PEERS

TIMEOUT_S = 120


class Measurement:
    """Where the programs are, and which of them turned out not to work."""

    def __init__(self, places, missing, rounds, say):
        self.places = places  # what {bench}, {source} and {heap} stand for
        self.missing = missing  # keys of peers that are not there
        self.rounds = rounds
        self.say = say
        self.failed = {}  # (peer, question): why

    def has(self, entry):
        return entry.peer not in self.missing

    def run(self, entry, question, workers):
        """One process: {metric: median of what it printed}; {} if it cannot do that."""
        question = entry.question or question
        workers = entry.workers or workers
        if not self.has(entry) or (entry.peer, question) in self.failed:
            return {}
        command = [part.format(**self.places) for part in PEERS[entry.peer].command]
        command += [question, str(entry.n), str(workers), str(entry.repetitions)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                                  check=True)
            return self.parse(done.stdout)
        except (OSError, subprocess.SubprocessError) as error:
            why = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
            self.failed[entry.peer, question] = why
            self.say(f"failed: {' '.join(command)}: {why}")
            return {}

    @staticmethod
    def parse(text):
        values = defaultdict(list)
        for line in text.splitlines():
            metric, value = line.split(",")[3:5]
            if metric != "unsupported":
                values[metric].append(float(value))
        return {metric: median(series) for metric, series in values.items()}


def label_of(entry):
    return entry.label or PEERS[entry.peer].label


def row_new(entry, kind):
    return {"kind": kind, "n": entry.n, "note": entry.note, "samples": defaultdict(list),
            "ratios": defaultdict(list)}


def keep(rows, entry, kind, values):
    """Add one process's values to its row."""
    if values:
        row = rows.setdefault(label_of(entry), row_new(entry, kind))
        for metric, value in values.items():
            row["samples"][metric].append(value)


def touch(gib):
    """A host gives a virtual machine its memory when it is first used, and takes its time: not the
    program's, which gets this memory next."""
    if gib:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
        mmap.mmap(-1, gib << 30, flags=flags).close()


def one_round(measurement, table, rows):
    def run(entry, kind):
        touch(table.touched_gib)
        values = measurement.run(entry, table.question, table.workers)
        keep(rows, entry, kind, values)
        return values.get(table.metric)

    first, *others = table.ours
    forms = {label_of(entry): run(entry, "ours") for entry in others}
    references = [(entry, run(entry, "reference")) for entry in table.references]
    peers = [entry for entry in table.peers if measurement.has(entry)]
    ours = None
    for entry in peers:
        ours = run(first, "ours")
        theirs = run(entry, "reference" if entry.floor else "peer")
        add_ratios(rows, entry, theirs, {label_of(first): ours, **forms})
    if not peers:
        ours = run(first, "ours")
    for entry, theirs in references:
        add_ratios(rows, entry, theirs, {label_of(first): ours, **forms})


def add_ratios(rows, entry, theirs, forms):
    for label, ours in forms.items():
        if ours is not None and theirs:
            rows[label_of(entry)]["ratios"][label].append(ours / theirs)


def measure_table(measurement, table):
    rows = {}
    for _ in range(measurement.rounds):
        one_round(measurement, table, rows)
    ordered = {label_of(entry): rows[label_of(entry)]
               for entry in (*table.ours, *table.references, *table.peers)
               if label_of(entry) in rows}
    return {"title": table.title, "metric": table.metric, "unit": table.unit,
            "lower_is_better": table.lower_is_better, "more": table.more, "rows": ordered,
            "ours": [label_of(entry) for entry in table.ours]}


def measure_series(measurement, series):
    rows = {}
    for _ in range(measurement.rounds):
        for entry in filter(measurement.has, series.entries):
            keep(rows, entry, "series", measurement.run(entry, series.question, series.workers))
    return {"title": series.title, "metric": series.metrics[0], "metrics": series.metrics,
            "rows": rows}


def measure_all(measurement, tables, series):
    results = {}
    for things, how in ((tables, measure_table), (series, measure_series)):
        for thing in things:
            began = time.monotonic()
            measurement.say(f"measuring: {thing.title} ...")
            results[thing.key] = how(measurement, thing)
            measurement.say(f"    {time.monotonic() - began:.0f} s")
    return results


def measure_floors(places, say):
    """The floors and the machine's limits, once: {(what, unit): [values]}."""
    say("measuring: what the machine itself costs, and fork-join's floors ...")
    values = defaultdict(list)
    for command in (["{bench}/limits"], ["{bench}/floor_fork_join", "35", "3"]):
        command = [part.format(**places) for part in command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False)
        for line in done.stdout.splitlines():
            group, what, threads, unit, value = line.split(",")
            values[group, what, threads, unit].append(float(value))
    return [{"group": key[0], "what": key[1], "threads": int(key[2]), "unit": key[3],
             "value": median(series)} for key, series in values.items()]
