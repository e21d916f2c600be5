#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures sillon beside its peers, in alternating runs; prints tables of ratios, writes JSON.

scripts/bench.sh (`make bench`, `make bench-all`) builds the programs and calls this.
"""

import sys

sys.dont_write_bytecode = True  # nothing is left in the tree

import argparse
import json
import os
import shutil
import time
from pathlib import Path

from runner import async_servers, bars, machine, measure, plan, report
from runner.command import stage

SOURCE = Path(__file__).resolve().parent


def say(text):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=SOURCE.parent / "build/bench", type=Path,
                        help="the CMake build tree (build/bench)")
    parser.add_argument("--all", action="store_true",
                        help="the peers of other languages, and the machine's limits, too")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program (5)")
    parser.add_argument("--quick", action="store_true",
                        help="one round, and the command's tables with small sizes: does all work?")
    parser.add_argument("--large", type=int, metavar="MIB",
                        help="the size of the large file that the command loads (2048)")
    parser.add_argument("--only", nargs="+", metavar="TABLE",
                        help="these tables alone, or these groups: processes, async, command")
    parser.add_argument("--list", action="store_true", help="name the tables, and stop")
    parser.add_argument("--json", type=Path, help="where to write all figures (BUILD/results.json)")
    parser.add_argument("--results", type=Path, metavar="FILE",
                        help="write the full report in Markdown: bench/RESULTS.md")
    parser.add_argument("--from-json", type=Path, metavar="FILE",
                        help="measure nothing: report what this file holds")
    return parser.parse_args()


def missing_peers(everything, places):
    """Keys of the peers that cannot run here; those not asked for are no news."""
    missing = set()
    for key, peer in plan.PEERS.items():
        needed = [part.format(**places) for part in (*peer.command, *peer.needs) if "/" in part]
        there = all(Path(part).exists() for part in needed)
        there = there and (peer.command[0][0] == "{" or shutil.which(peer.command[0]))
        if not there or (peer.all_only and not everything):
            missing.add(key)
    return missing


def left_out(bench, missing, everything):
    """A line for each peer that was wanted and is not there."""
    lines = []
    known = bench / "left_out.txt"
    if known.exists():
        lines = known.read_text(encoding="utf-8").splitlines()
    others = [peer for key, peer in plan.PEERS.items()
              if key in missing and (peer.needs or (peer.all_only and everything))]
    lines += [f"left out: {peer.label} ({', '.join(peer.packages)} is not installed, or it "
              "did not build)" for peer in others]
    return list(dict.fromkeys(lines))


def chosen(things, only):
    """What --only says; without it, all that is not optional."""
    only = only or [thing.key for thing in things if not thing.optional]
    return [thing for thing in things
            if thing.key in only or (thing.group in only and not thing.optional)]


def measured(options):
    bench = options.build / "bench"
    places = {"bench": bench, "build": options.build, "source": SOURCE,
              "heap": machine.java_heap()}
    missing = missing_peers(options.all, places)
    absent = left_out(bench, missing, options.all)
    for line in absent:
        say(line)
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"note: the machine is not quiet (load {load:.1f}); the figures will not mean much")
    foreign = machine.Foreign()
    measurement = measure.Measurement(places, missing, 1 if options.quick else options.rounds, say)
    tables = measure.measure_all(measurement, chosen(plan.TABLES, options.only),
                                 chosen(plan.SERIES, options.only))
    tables |= async_servers.measure_all(measurement, chosen(plan.VISITS, options.only))
    tables |= stage.measure_all(measurement, chosen(plan.CONTESTS, options.only), options)
    floors = measure.measure_floors(places, say) if options.all and not options.only else []
    return {
        "machine": machine.facts(SOURCE.parent, set(plan.PEERS) - missing),
        "rounds": measurement.rounds,
        "foreign_cpus": foreign.cpus(),
        "left_out": absent,
        "failed": [f"{peer} {question}: {why}"
                   for (peer, question), why in measurement.failed.items()],
        "tables": tables,
        "floors": floors,
    }


def main():
    options = arguments()
    if options.list:
        for thing in (*plan.TABLES, *plan.SERIES, *plan.VISITS, *plan.CONTESTS):
            say(f"{thing.key:22} {thing.title}")
        return 0
    began = time.monotonic()
    if options.from_json:
        results = json.loads(options.from_json.read_text(encoding="utf-8"))
    else:
        results = measured(options)
        say(f"measured in {time.monotonic() - began:.0f} s\n")
    results["bars"] = bars.judge(results)
    say(report.terminal_text(results))
    if not options.from_json:
        path = options.json or options.build / "results.json"
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        say(f"\nall figures: {path}")
    if options.results:
        options.results.write_text(report.results_markdown(results), encoding="utf-8")
        say(f"report: {options.results}")
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
