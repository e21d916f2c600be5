# SPDX-License-Identifier: MIT
"""The words in which the tables of the command are written.

A contest is a table whose rows are whole programs. Each gets a job anew for each run, which says
what is typed, with which input, and how to see afterwards whether all was done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runner.terms import Bar, Entry, Of, Peer, Table

GROUP = "command"  # scripts/bench.sh --only command
OURS = "command"


def well():
    """Nothing is wrong."""
    return ""


@dataclass(frozen=True)
class Job:
    argv: tuple
    stdin: Path = Path("/dev/null")
    stdout: Path = Path("/dev/null")
    folder: Path = Path("/")  # where it runs
    on_terminal: bool = False  # standard error is one, and something must be drawn there
    stop_after_s: float = 0  # ended by us then, whatever it has done
    watched: Path = None  # a file whose size is how much was done, not the contest's amount
    check: Callable = well  # () -> what is wrong afterwards, or ""


@dataclass(frozen=True)
class Contest(Table):
    """`jobs` gives for a peer's key a function from the stage to a Job; `amount` tells how much one
    run does, and `per_s` is that by the second. `before` is a context around all rounds."""

    jobs: dict = field(default_factory=dict)
    amount: Callable = None  # stage -> number
    ideal_s: Callable = None  # stage -> the least time that any of them could take
    before: Callable = None  # stage -> context manager
    repetitions: int = 1  # runs in a row: their median is one figure


def contest(key, title, metric, unit, ours, peers, **rest):
    """Rows by the keys of PEERS. References run once a round; `beside` run as peers do, and are
    none."""
    references = tuple(Entry(peer, 0) for peer in rest.pop("references", ()))
    floors = tuple(Entry(peer, 0, floor=True) for peer in rest.pop("beside", ()))
    return Contest(f"command_{key}", f"Command: {title}", key, 0, metric, unit,
                   tuple(Entry(peer, 0) for peer in ours), references,
                   floors + tuple(Entry(peer, 0) for peer in peers), group=GROUP, **rest)


def ours(label, *needs):
    """A form of ours: what is typed stands in its jobs."""
    return Peer(label, ("{build}/installed/bin/sillon",), ("libpopt-dev", "libjansson-dev"),
                needs=("{bench}/command_run", *needs))


def installed(label, program, package, *needs):
    """A peer that is a program of the system, or of a package."""
    return Peer(label, (program,), (package,), needs=(f"/usr/bin/{program}", *needs))


def against(what, key, comparison, limit, theirs, moonshot=None, row="sillon", **rest):
    """A bar on ours over theirs, and the moonshot of the same ratio if there is one."""
    return [Bar(f"command: {what}", Of(f"command_{key}", row), comparison, value,
                Of(f"command_{key}", theirs), moonshot=far, **rest)
            for value, far in ((limit, False), (moonshot, True)) if value is not None]


def absolute(what, key, comparison, limit, metric="", moonshot=None, row="sillon", **rest):
    return [Bar(f"command: {what}", Of(f"command_{key}", row, metric), comparison, value,
                moonshot=far, **rest)
            for value, far in ((limit, False), (moonshot, True)) if value is not None]
