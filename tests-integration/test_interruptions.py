"""Commands that are stopped in the middle, or have nowhere to write: what is left, and whether the work can go on.

A command runs in a fork of the test's process, so that a signal hits it as it would hit a console script without torch
being imported each time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_runs import COUNTS, NOTES, exit_code, files_in, program_of, run
from whole_inputs import piece, tone, write_files, write_listening_test, write_models

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals of POSIX systems")

PIECES = 30
NOBODY = 65_534


@dataclasses.dataclass(frozen=True)
class Work:
    """A command that writes many files. again: what is added to it so that it goes on after an interruption."""

    command: str
    again: str
    first: str  # pattern of the files below `out` that appear while it works

    @property
    def name(self) -> str:
        """Program and verb."""
        return " ".join(self.command.split()[:2])


WORKS = (
    Work("muspy-core convert {songs} -o {out} --to musicxml", "--resume", "*.musicxml"),
    Work("arranger separate {songs} -o {out}", "--overwrite", "*.mid"),
    Work("mmt generate -o {out} --n 30 --length 40 --model {models}/mmt", "--overwrite", "*.mid"),
    Work("mmt prepare {songs} -o {out}", "", "*"),
    Work("clipsep separate {sounds} flute -o {out} --model {models}/clipsep", "--overwrite", "*/*.wav"),
    Work("clipsonic generate flute -o {out}/s.wav --n 30 --steps 1 --duration 0.2 --model {models}/clipsonic",
         "--overwrite", "*.wav"),
)  # fmt: skip


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of songs and of sounds, whole files, and models."""
    folder = tmp_path_factory.mktemp("stock")
    folder.chmod(0o755)
    write_files(folder)
    write_listening_test(folder)
    for name in ("songs", "tones", "models"):
        (folder / name).mkdir()
    for number in range(PIECES):
        piece(80 + number % 5).write(folder / "songs" / f"{number:02d}.mid")
    for number in range(12):
        tone(2.0, 200.0 + 20 * number).write(folder / "tones" / f"{number:02d}.wav")
    write_models(folder / "models")
    return folder


def arguments_of(command: str, stock: Path, out: Path) -> list[str]:
    """Return the arguments of a command, its program first."""
    values = {"songs": stock / "songs", "sounds": stock / "tones", "models": stock / "models", "whole": stock}
    return [part.format(**values, out=out) for part in command.split()]


@dataclasses.dataclass(frozen=True)
class Child:
    """A command in a process of its own."""

    number: int
    errors: Path

    def wait(self) -> int:
        """Return the exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])


def start(command: list[str], folder: Path) -> Child:
    """Run a console script in a fork; its stderr goes into a file."""
    errors = folder / f"{command[0]}.stderr"
    main = program_of(command[0])  # imported here, so that the fork begins at once
    sys.stdout.flush()
    number = os.fork()
    if number == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for path, stream in ((os.devnull, 1), (errors, 2)):
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644), stream)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115 - until the end
        code = exit_code(main, command[1:])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(99 if code is None else code)
    return Child(number, errors)


def wait_for(appears: Callable[[], bool], child: Child) -> None:
    """Wait until the command has begun to write; fail if it ended before."""
    deadline = time.monotonic() + 120
    while not appears():
        ended, status = os.waitpid(child.number, os.WNOHANG)
        assert not ended, f"ended with {os.waitstatus_to_exitcode(status)} before anything was written"
        assert time.monotonic() < deadline, "wrote nothing in two minutes"
        time.sleep(0.002)


def visible(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder but for those with hidden names, which are writings that were cut off."""
    return {name: content for name, content in files_in(folder).items() if not Path(name).name.startswith(".")}


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=lambda stop: stop.name)
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_what_is_stopped_in_the_middle_leaves_whole_files_and_can_go_on(
    work: Work, stop: signal.Signals, stock: Path, tmp_path: Path
) -> None:
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    assert start(arguments_of(work.command, stock, tmp_path / "whole"), tmp_path).wait() == 0
    whole, out = visible(tmp_path / "whole"), tmp_path / "stopped"

    child = start(arguments_of(work.command, stock, out), tmp_path)
    wait_for(lambda: any(out.glob(work.first)), child)
    os.kill(child.number, stop)
    code = child.wait()
    COUNTS[f"stopped by {stop.name}"] += 1

    left = visible(out)
    assert {name for name, content in left.items() if whole.get(name) != content} == set()
    if stop == signal.SIGINT:
        assert (code, child.errors.read_text().splitlines()) == (130, ["interrupted"])
        assert set(files_in(out)) - set(left) <= {name for name in files_in(out) if name.endswith(NOTES)}
    else:
        assert code == -signal.SIGKILL
    again = arguments_of(f"{work.command} {work.again}", stock, out)
    assert start(again, tmp_path).wait() == 0
    assert visible(out) == whole


@pytest.mark.slow
def test_workers_end_with_the_command_that_is_interrupted(stock: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = Path(sys.executable).with_name("muspy-core")
    command = [script, "convert", stock / "songs", "-o", out, "--to", "musicxml", "-j", "2"]
    process = subprocess.Popen(
        command,
        start_new_session=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # Where the tests run in the background, a shell has told them to ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not any(out.glob("*.musicxml")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to the command and its workers
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.decode().splitlines()[-1] == "interrupted"
    assert not any(path.name.startswith(".") for path in out.rglob("*"))
    while has_processes(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not has_processes(process.pid)


def has_processes(group: int) -> bool:
    """Whether a process of the group is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


# --- nowhere to write ------------------------------------------------------------------------------------------------

WRITERS = (
    "muspy-core convert {whole}/song.mid -o {out}/song.musicxml",
    "muspy-core convert {whole}/song.musicxml -o {out}/song.mid",
    "muspy-core convert {songs} -o {out} --to json",
    "muspy-core render {whole}/song.mid -o {out}/song.wav",
    "muspy-core engrave {whole}/song.musicxml -o {out}/song.svg",
    "muspy-core plot {whole}/song.mid -o {out}/song.png",
    "muspy-core view {whole}/song.mid -o {out}/song.html",
    "muspy-core media frames {whole}/clip.mp4 -o {out}/frames --count 2 --to png",
    "muspy-core media audio {whole}/clip.mp4 -o {out}/sound.wav",
    "muspy-core media manifest {sounds} -o {out}/sounds.csv",
    "muspy-core listening build {whole}/sounds/flute {whole}/sounds/violin -o {out}/test",
    "arranger separate {whole}/song.mid -o {out}/parts.mid",
    "arranger compare {whole}/song.mid -o {out}/compare.svg",
    "arranger live --input {whole}/song.mid --output {out}/live.mid",
    "mmt generate -o {out}/songs --length 40 --model {models}/mmt",
    "mmt prepare {songs} -o {out}/data",
    "deepperformer perform {whole}/song.mid -o {out}/played.wav --model {models}/deepperformer",
    "deepperformer align {whole}/song.mid {whole}/sound.wav -o {out}/a.csv",
    "clipsep separate {whole}/sound.wav flute -o {out}/flute.wav --model {models}/clipsep",
    "clipsep remix {whole}/sound.wav --gain flute:-6 -o {out}/mix.wav --model {models}/clipsep",
    "clipsep prepare {whole}/sounds -o {out}/data",
    "clipsonic generate flute -o {out}/s.wav --steps 1 --duration 0.5 --model {models}/clipsonic",
    "clipsonic prepare {whole}/sounds -o {out}/data",
)


def program_and_verb(command: str) -> str:
    """Return what a test is called by."""
    return " ".join(part for part in command.split()[:3] if not part.startswith(("{", "-")))


@contextlib.contextmanager
def full_disk(mib: float = 1.0) -> Iterator[Path]:
    """Give a folder on a disk of its own with 2 KiB left; skips where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="full-disk-"))
    options = f"size={round(mib * 1024)}k"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def fill(path: Path, spare: int) -> None:
    """Write until the disk is full, then give so many bytes back."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - any other error is not what is looked for
        os.ftruncate(file.fileno(), max(file.tell() // 4096 * 4096 - spare, 0))


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs the program mount")
@pytest.mark.parametrize("spare", [pytest.param(0, marks=pytest.mark.slow), 4096])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    spare: int, stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = []
    with full_disk() as disk:
        for command in WRITERS:
            out = disk / "out"
            out.mkdir()
            fill(disk / "filling", spare)
            program, *arguments = arguments_of(command, stock, out)
            ending = run(program, arguments)
            COUNTS["full disks"] += 1
            found += [
                f"{program_and_verb(command)}: {fault}" for fault in faults_of_writing(ending.code, ending.errors)
            ]
            hidden = [name for name in files_in(out) if Path(name).name.startswith(".")]
            hidden = [name for name in hidden if not name.endswith(NOTES)]
            found += [f"{program_and_verb(command)}: left behind {hidden}"] if hidden else []
            (disk / "filling").unlink()
            shutil.rmtree(out)
    assert not found, "\n".join(found)


def faults_of_writing(code: int | None, errors: tuple[str, ...]) -> list[str]:
    """Return what is wrong with how a command ended that could not write: one that fitted in is all right."""
    if code is None:
        return [f"traceback: {errors[-1] if errors else ''}"]
    # A batch has said of each file that it failed before its report could not be written either.
    own = [line for line in errors if not line.startswith(("failed: ", "  ")) and not line.endswith("files failed:")]
    if code == 2 and (len(own) != 1 or not own[0].startswith("error: ")):
        return [f"{len(errors)} lines on stderr: {' | '.join(errors)[:300]}"]
    if code == 1 and not any("fail" in line for line in errors):
        return ["exit code 1 names no failure"]
    return [] if code in (0, 1, 2) else [f"exit code {code}"]


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while, if root runs the tests: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_folder_that_cannot_be_written_to_is_one_line(
    stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        for parent in (stock, *stock.parents):
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
    monkeypatch.chdir("/")
    out = Path(tempfile.mkdtemp(prefix="read-only-"))
    out.chmod(0o555)
    found = []
    try:
        for command in WRITERS:
            program, *arguments = arguments_of(command, stock, out)
            with without_privileges():
                ending = run(program, arguments)
            COUNTS["folders that cannot be written to"] += 1
            faults = faults_of_writing(ending.code, ending.errors)
            faults += ["wrote there"] if ending.code == 0 or files_in(out) else []
            found += [f"{program_and_verb(command)}: {fault}" for fault in faults]
    finally:
        out.chmod(0o755)
        shutil.rmtree(out)
    assert not found, "\n".join(found)
