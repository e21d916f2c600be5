# SPDX-License-Identifier: MIT
"""The machine's facts, and what else was running on it."""

import os
import platform
import resource
import shutil
import subprocess
import time
from pathlib import Path

from runner.plan import PEERS

GIB = 1 << 30


def output(*command):
    """What a command prints, or "" if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def first_line(*command):
    return (output(*command).splitlines() or [""])[0]


def field(path, name, separator):
    """The value of the first line of a file that begins with name; "" if there is none."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip().strip('"')
    return ""


def memory_bytes(name):
    return int(field("/proc/meminfo", name, ":").split()[0]) * 1024


def java_heap():
    """6 GiB, or half of what is free."""
    return f"{min(6 * GIB, memory_bytes('MemAvailable') // 2) >> 20}m"


def virtualisation():
    if shutil.which("systemd-detect-virt"):
        return first_line("systemd-detect-virt", "--vm") or "none"
    guest = "hypervisor" in field("/proc/cpuinfo", "flags", ":").split()
    return "a virtual machine" if guest else "none seen"


def commit(root):
    name = first_line("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", str(root), "status", "--porcelain")
    return name + (" with changes" if changed else "")


def versions(peers):
    packages = sorted({name for key in peers for name in PEERS[key].packages})
    found = {}
    for name in packages:
        version = first_line("dpkg-query", "-W", "-f", "${Version}", name)
        if version:
            found[name] = version
    for tool, *command in (("gcc", "gcc", "--version"), ("clang", "clang", "--version"),
                           ("rustc", "rustc", "--version")):
        if shutil.which(tool):
            found[tool] = first_line(*command)
    return found


def facts(root, peers):
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(root),
        "cpu": field("/proc/cpuinfo", "model name", ":") or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_bytes("MemTotal") / GIB, 1),
        "virtualisation": virtualisation(),
        "system": field("/etc/os-release", "PRETTY_NAME", "="),
        "kernel": platform.release(),
        "versions": versions(peers),
    }


class Foreign:
    """How much of the machine others used meanwhile, in CPUs."""

    def __init__(self):
        self.begin = self.now()

    @staticmethod
    def now():
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
        user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
        busy = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
        own = 0.0
        for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF):
            usage = resource.getrusage(who)
            own += usage.ru_utime + usage.ru_stime
        return time.monotonic(), busy - own, steal / os.sysconf("SC_CLK_TCK")

    def cpus(self):
        """(taken by other processes, stolen by the hypervisor)"""
        end = self.now()
        seconds = max(end[0] - self.begin[0], 1e-9)
        return tuple(max(0.0, (end[i] - self.begin[i]) / seconds) for i in (1, 2))
