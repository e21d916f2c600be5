# SPDX-License-Identifier: MIT
"""The words in which the plan and the bars are written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    label: str
    command: tuple  # {bench}: where the programs were built; {source}: bench/; {heap}: Java's
    packages: tuple = ()  # whose versions are told
    all_only: bool = False  # not in `make bench`
    needs: tuple = ()  # files beside the command without which it cannot run


def program(name):
    return ("{bench}/" + name,)


@dataclass(frozen=True)
class Entry:
    """One row: a peer, its size, and how often one process repeats it."""

    peer: str
    n: int
    repetitions: int = 1
    note: str = ""
    question: str = ""  # another one than the table's
    workers: int = 0  # another number than the table's
    label: str = ""  # another one than the peer's
    floor: bool = False  # among the peers, so that ours runs right before it, but none


@dataclass(frozen=True)
class Table:
    """A question put to all. The first of ours runs before each peer; other forms of ours and the
    references (what the machine or plain C can do) once a round."""

    key: str
    title: str
    question: str
    workers: int
    metric: str
    unit: str
    ours: tuple
    references: tuple
    peers: tuple
    lower_is_better: bool = True
    more: tuple = ()  # further metrics to show
    group: str = ""  # a name for several tables, for --only
    optional: bool = False  # only when --only says its own key
    touched_gib: int = 0  # memory that a virtual machine is to have before each run


@dataclass(frozen=True)
class Series:
    """A question at several sizes or numbers of workers; all its metrics are shown."""

    key: str
    title: str
    question: str
    workers: int
    metrics: tuple
    entries: tuple
    group: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Visit:
    """Servers that are all up at the same time, and visited in turn by one client. Ratios are of
    visits of the same cycle."""

    key: str
    title: str
    what: str  # what a server is told to be, its last argument
    request: str  # the client's
    connections: int
    peers: tuple  # keys of PEERS, ours first
    references: tuple = ()
    group: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Of:
    """A measured row: the table, and the row's label there."""

    table: str
    label: str
    metric: str = ""  # series have several


@dataclass(frozen=True)
class Bar:
    """The value is ours / theirs; ours itself, without theirs; theirs / ours, if it is a speed-up.
    It must be <= or >= the limit."""

    what: str
    ours: Of
    comparison: str
    limit: float
    theirs: Of = None
    moonshot: bool = False
    speed_up: bool = False
    note: str = ""


def beside(what, table, ours, comparison, limit, theirs, **rest):
    return Bar(what, Of(table, ours), comparison, limit, Of(table, theirs), **rest)
