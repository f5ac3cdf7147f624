"""Run as a program: read many damaged files of one format, and print what happened as JSON.

    python damaged_batch.py FORMAT COUNT SEED FOLDER

The process bounds its own memory and processor time, so that a reader that wants too much of either fails here and not
on the machine. The file being read stays in FOLDER if the process dies.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import resource
import sys
import time
import warnings
from pathlib import Path

from damaged_formats import Format, foreign_files, make_format
from mutations import mutants

MEGABYTE = 1024 * 1024
MEMORY_FOR_ALL = 200 * MEGABYTE
SECONDS_FOR_A_FILE = 1.0
SECONDS_FOR_ALL = 300
LOOPS_OF_A_TENTH = 5_000_000  # empty loops that take 0.1 s where a file must be read within a second
MESSAGES_FOR_A_FILE = 20
LENGTH_OF_A_REFUSAL = 1000


class Counter(logging.Handler):
    """Counts the messages that readers log or warn of."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = 0

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()  # a message that cannot be put together is a fault as well
        self.messages += 1


def main() -> None:
    name, count, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    counter = Counter()
    logging.getLogger().addHandler(counter)
    logging.captureWarnings(True)
    warnings.simplefilter("always")
    tested = make_format(name, folder)
    path = folder / f"bad{tested.suffix}"
    for data in tested.originals:  # imports and caches belong to the first reading, not to the damage
        path.write_bytes(data)
        tested.read(path)
    damaged = mutants(tested.originals, foreign_files(name), count=count, seed=seed)
    files = itertools.chain(tested.traps.items(), ((str(number), data) for number, data in enumerate(damaged)))
    before = peak_memory()
    limit_resources()
    faults: list[str] = []
    read = 0
    slowest = (0.0, "")
    for label, data in files:
        path.write_bytes(data)
        lasted, fault, was_read = attempt(tested, path, counter)
        if lasted > SECONDS_FOR_A_FILE:  # once more, since a busy machine makes any reading slow now and then
            lasted = min(lasted, attempt(tested, path, counter)[0]) / slowness()
        read += was_read
        slowest = max(slowest, (lasted, label))
        if lasted > SECONDS_FOR_A_FILE:
            fault = f"took {lasted:.1f} s; {fault}"
        if counter.messages > MESSAGES_FOR_A_FILE:
            fault = f"logged {counter.messages} messages; {fault}"
        if fault is not None:
            faults.append(f"{label}: {fault}")
            (folder / f"fault-{label.replace(' ', '-')}{tested.suffix}").write_bytes(data)
    report = {
        "files": len(tested.traps) + count,
        "read": read,
        "faults": faults,
        "slowest": slowest,
        "megabytes": (peak_memory() - before) / MEGABYTE,
    }
    print(json.dumps(report))


def attempt(tested: Format, path: Path, counter: Counter) -> tuple[float, str | None, bool]:
    """Read a file; return the seconds of processor time, what is at fault, if anything, and whether it was read."""
    counter.messages = 0
    start = time.process_time()
    fault, was_read = None, False
    try:
        tested.read(path)
        was_read = True
    except tested.error as error:
        fault = fault_of_refusal(str(error), path.name)
    except Exception as error:  # noqa: BLE001 - any other error is what is looked for
        fault = f"{type(error).__name__}: {error}"[:300]
    return time.process_time() - start, fault, was_read


def slowness() -> float:
    """Return how much slower this machine is now than the one that the bounds were set on, at least 1."""
    start = time.process_time()
    for _ in range(LOOPS_OF_A_TENTH):
        pass
    return max(1.0, (time.process_time() - start) / 0.1)


def fault_of_refusal(message: str, name: str) -> str | None:
    """Return what is wrong with the message of a refusal: it must name the file, in one line."""
    if not message.startswith(name):
        return f"the refusal does not name the file: {message[:200]}"
    if "\n" in message or len(message) > LENGTH_OF_A_REFUSAL:
        return f"the refusal is not one short line: {message[:200]!r}"
    return None


def peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def limit_resources() -> None:
    """Allow some more memory than is in use, and a bounded time; what wants more gets a MemoryError, or is ended."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_FOR_ALL, SECONDS_FOR_ALL + 5))
    statm = Path("/proc/self/statm")
    if statm.exists():
        size = int(statm.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MEMORY_FOR_ALL
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


if __name__ == "__main__":
    main()
