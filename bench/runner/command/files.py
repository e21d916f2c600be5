# SPDX-License-Identifier: MIT
"""The files that are loaded, and how one sees that they came.

They are made when first asked for, from few random bytes, and differ from each other: who mixes
them up is seen.
"""

import functools
import hashlib
import os
import random

MIB = 1 << 20
SMALL_BYTES = 10240
FAR_BYTES = b"x" * SMALL_BYTES  # what latency_server.c sends


@functools.cache
def seed():
    return random.Random(1).randbytes(MIB)


def names(stage, what):
    counts = {"small": stage.sizes.files, "medium": stage.sizes.outputs, "far": stage.sizes.files,
              "large": 1}
    return [f"{what}{number:04}.bin" for number in range(counts[what])]


def begins(number):
    return f"{number:08}".encode()


def write(stage, what, path, number):
    with open(path, "wb") as file:
        if what == "far":
            file.write(FAR_BYTES)
        elif what == "small":
            at = number * 97 % (MIB - SMALL_BYTES)
            file.write(begins(number) + seed()[at:at + SMALL_BYTES - 8])
        else:
            for piece in range(stage.sizes.large_mib if what == "large" else 1):
                file.write(begins(number + piece) + seed()[8:])


def made(stage, what):
    """The folder of such files, below the servers' root."""
    folder = stage.folder / "www" / what
    if not folder.exists():
        folder.mkdir(parents=True)
        for number, name in enumerate(names(stage, what)):
            write(stage, what, folder / name, number)
    return folder


@functools.cache
def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(MIB):
            digest.update(piece)
    return digest.hexdigest()


def same(one, other):
    with open(one, "rb") as left, open(other, "rb") as right:
        while True:
            pieces = left.read(MIB), right.read(MIB)
            if pieces[0] != pieces[1]:
                return False
            if not pieces[0]:
                return True


def differences(out, source, wanted):
    """What is wrong with the files in `out`; "" if nothing is."""
    there = set(os.listdir(out))
    missing, more = set(wanted) - there, there - set(wanted)
    if missing or more:
        return f"{len(missing)} of {len(wanted)} files are missing, {len(more)} others are there"
    damaged = [name for name in wanted if not same(out / name, source / name)]
    return f"{len(damaged)} of {len(wanted)} files are damaged" if damaged else ""
