"""All six programs in a pipe: each reads what the one before it wrote, and nothing but data is on standard output."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import muspy_core
import pytest
import soundfile
from console_runs import exit_code, program_of
from muspy_core import Audio, Music

# Each reads `-` or makes its data from nothing, with the models of `whole`.
PIPED = {
    "mmt generate": ("", "mmt generate -o - --length 16 --model {whole}/models/mmt"),
    "mmt generate, continued": ("song.mid", "mmt generate --continue - -o - --length 64 --model {whole}/models/mmt"),
    "arranger separate": ("song.musicxml", "arranger separate - -o -"),
    "arranger rearrange": ("song.abc", "arranger rearrange - -o - --to json"),
    "deepperformer perform": ("song.mid", "deepperformer perform - -o - --model {whole}/models/deepperformer"),
    "deepperformer perform, timed": (
        "song.json", "deepperformer perform - -o - --stop-after align --model {whole}/models/deepperformer",
    ),
    "deepperformer perform, mel": (
        "mel.npy", "deepperformer perform --mel - -o - --model {whole}/models/deepperformer",
    ),
    "clipsep separate": ("sound.wav", "clipsep separate - flute -o - --model {whole}/models/clipsep"),
    "clipsep separate, a video": ("clip.mp4", "clipsep separate - flute -o - --model {whole}/models/clipsep"),
    "clipsep remix": ("sound.flac", "clipsep remix - --gain flute:-6 -o - --model {whole}/models/clipsep"),
    "clipsonic generate": (
        "", "clipsonic generate flute -o - --duration 0.3 --steps 1 --model {whole}/models/clipsonic",
    ),
    "clipsonic generate, varied": (
        "sound.mp3", "clipsonic generate flute --vary - -o - --steps 1 --model {whole}/models/clipsonic",
    ),
    "muspy-core media audio": ("clip.mp4", "muspy-core media audio - -o - --to flac"),
    "muspy-core engrave": ("song.mxl", "muspy-core engrave - -o -"),
}  # fmt: skip


@pytest.mark.parametrize("case", PIPED)
def test_data_goes_in_and_data_comes_out(
    case: str, whole: Path, place: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    given, command = PIPED[case]
    program, *arguments = command.format(whole=whole).split()
    put_in((whole / given).read_bytes() if given else b"", monkeypatch)
    code = exit_code(program_of(program), arguments)
    out, err = capfdbinary.readouterr()
    assert code == 0, err.decode()
    check(out, case)
    assert b"next:" not in err
    assert str(place).encode() not in err
    assert list(place.rglob("*")) == [place / "out"]


def check(data: bytes, case: str) -> None:
    """Check that the data are whole, and of the kind that the command writes."""
    if data.startswith(b"MThd"):
        assert len(muspy_core.read(io.BytesIO(data), "midi").tracks)
    elif case == "arranger rearrange":
        assert isinstance(muspy_core.read(io.BytesIO(data), "json"), Music)
    elif case.endswith("timed"):
        assert data.startswith(b"onset,")
    elif case.endswith("engrave"):
        assert data.rstrip().endswith(b"</svg>")
    else:
        assert len(soundfile.read(io.BytesIO(data))[0])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("mmt generate -o - --n 2 --model {whole}/models/mmt", "one song"),
        ("mmt generate -o - --wav --model {whole}/models/mmt", "one song"),
        ("clipsep separate {whole}/sound.wav flute --query violin -o - --model {whole}/models/clipsep", "one sound"),
        ("clipsonic generate flute --n 2 -o - --model {whole}/models/clipsonic", "one sound"),
        ("clipsonic generate --prompts {whole}/prompts.csv -o - --model {whole}/models/clipsonic", "one sound"),
        ("arranger separate {whole}/song.mid {whole}/song.abc -o -", "a folder"),
        ("muspy-core convert {whole} -o - --to abc", "a folder"),
        ("arranger separate - -o -", "standard input is empty"),
        ("arranger compare {whole}/song.mid -o -", "nothing into a pipe"),
        ("clipsep demo -o -", "nothing into a pipe"),
        ("mmt prepare - -o data", "a pipe, which is not read here"),
    ],
)
def test_what_no_pipe_can_take_is_refused_in_one_line(
    command: str,
    said: str,
    whole: Path,
    place: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in(b"", monkeypatch)
    program, *arguments = command.format(whole=whole).split()
    code = exit_code(program_of(program), arguments)
    out, err = capfd.readouterr()
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
    assert list(place.rglob("*")) == [place / "out"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="the pipe is one of a shell")
def test_a_piece_goes_from_program_to_program_in_one_line(tmp_path: Path) -> None:
    """Written, given to parts, performed, taken out again: five processes, shipped models, no file but the last."""
    line = (
        "mmt generate -o - --instruments violin,cello --length 120 --seed 1"
        " | arranger separate - -o - --mode offline --to musicxml"
        " | deepperformer perform - -o -"
        " | clipsep separate - violin -o -"
        " | muspy-core media audio - -o - --to flac --sample-rate 8000"
        " > violin.flac; echo ${PIPESTATUS[@]}"
    )
    environment = os.environ | {"PATH": sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout == "0 0 0 0 0\n", done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["violin.flac"]
    sound = Audio.read(tmp_path / "violin.flac")
    assert sound.sample_rate == 8000
    assert sound.duration > 2
    assert abs(sound.samples).max() > 0.01


def put_in(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the data standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
