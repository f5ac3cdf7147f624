"""A folder that a sequencer exports into, and another one in which the results appear (tasks → watch).

    python together/watch.py parts exports -o parts --set how=rearrange

It looks once a second, and needs nothing of the system but files.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from muspy_core.console import Parser, run_command
from programs import ProgramError, run
from tasks import BY_NAME, FormError, Task

Stamp = tuple[int, int]  # size in bytes, time of the last change in nanoseconds


class Watch:
    """Does a task with every file of a folder that is new or has changed, once it is written to its end.

    values: of the task's form, checked. say: is given a line for each file.
    """

    def __init__(
        self, task: Task, source: Path, output: Path, values: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.task, self.source, self.output, self.values, self.say = task, source, output, values, say
        self._seen: dict[Path, Stamp] = {}
        self._done: dict[Path, Stamp] = {}

    def look(self) -> None:
        """Do what has kept its size and time since the last look, and has not been done as it is now."""
        now = {path: stamp for path in sorted(self.source.iterdir()) if (stamp := self._stamp(path)) is not None}
        for path, stamp in now.items():
            if self._seen.get(path) == stamp and self._done.get(path) != stamp:
                self._done[path] = stamp
                self._work(path)
        self._seen = now

    def _stamp(self, path: Path) -> Stamp | None:
        if path.suffix.lower() not in self.task.suffixes or path.name.startswith("."):
            return None
        try:
            found = path.stat()
        except FileNotFoundError:  # between looking and asking it went away
            return None
        return (found.st_size, found.st_mtime_ns) if found.st_size else None

    def _work(self, path: Path) -> None:
        start = time.perf_counter()
        target = self.output / path.name
        with tempfile.TemporaryDirectory(prefix=".watch-", dir=self.output) as name:
            folder = Path(name, "results")
            folder.mkdir()
            try:
                file = self.task.input_name(path.name, given=True)
                shutil.copyfile(path, folder / file)
                for program, *arguments in self.task.commands(file, self.values):
                    run(str(program), *arguments, folder=folder)
                said = f"{path.name} → {target} ({time.perf_counter() - start:.1f} s)"
                (folder / file).unlink()
            except (ProgramError, OSError) as error:
                said = f"{path.name}: {error}"
                shutil.rmtree(folder)
                folder.mkdir()
                (folder / "error.txt").write_text(f"{error}\n", encoding="utf-8")
            # Whole or not at all: a sequencer may look at any time.
            if target.exists():
                target.rename(Path(name, "replaced"))
            folder.rename(target)
        self.say(said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch until Ctrl-C."""
    with_file = [task.name for task in BY_NAME.values() if task.suffixes]
    parser = Parser(description="Do a task with every file that appears in a folder.")
    parser.add_argument("task", choices=with_file, help="what to do")
    parser.add_argument("source", type=Path, metavar="FOLDER", help="where files appear")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where results appear")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a field of the task's form")
    parser.add_argument("--every", type=float, default=1.0, metavar="S", help="seconds between looks (default: 1)")
    options = parser.parse_args(arguments)
    return run_command(lambda: watch(options))


def watch(options: argparse.Namespace) -> None:
    """Check what was asked for, and look at the folder again and again."""
    task = BY_NAME[options.task]
    for setting in options.set:
        if "=" not in setting:
            raise FormError(f"--set {setting}: give a name and a value, such as seed=3")
    values = task.checked(dict(setting.split("=", 1) for setting in options.set))
    if not options.every > 0:
        raise ValueError(f"--every {options.every:g}: must be above 0")
    if not options.source.is_dir():
        raise NotADirectoryError(20, "is no folder", str(options.source))
    options.output.mkdir(parents=True, exist_ok=True)
    if options.output.resolve() == options.source.resolve():
        raise ValueError(f"{options.output}: results must not appear where files are watched")
    watched = Watch(task, options.source, options.output, values, lambda line: print(line, flush=True))
    print(f"watching {options.source} for {', '.join(task.suffixes)}; Ctrl-C ends", flush=True)
    while True:
        watched.look()
        time.sleep(options.every)


if __name__ == "__main__":
    sys.exit(main())
