"""What servers cost, as the kernel counts it: time on the cores, memory, and who holds which connections."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in megabytes: all that it has mapped, and its share of that."""

    rss: float
    pss: float


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pid: int) -> float:
    """Of a server: the first process, those it started that live, and those that are gone."""
    spent = sum(_ticks(pid)) + sum(sum(_ticks(child)[:2]) for child in children(pid))
    return spent / TICKS


def memory(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)


def connections(pid: int, port: int) -> tuple[int, ...]:
    """How many each worker holds on that port."""
    open_here = _established(port)
    return tuple(len(_sockets(child) & open_here) for child in children(pid))


def _ticks(pid: int) -> tuple[int, int, int, int]:
    """In the program and in the kernel, then both of the children that ended."""
    try:
        # The name stands in brackets and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0, 0, 0  # it ended between two looks, and is its parent's to count
    user, system, waited_user, waited_system = map(int, fields[11:15])
    return user, system, waited_user, waited_system


def _established(port: int) -> set[str]:
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == ESTABLISHED and int(words[1].rpartition(":")[2], 16) == port:
            found.add(words[9])
    return found


def _sockets(pid: int) -> set[str]:
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            held.add(target[len("socket:[") : -1])
    return held
