"""Every command of the six console scripts is given damaged files, models, tables and configurations.

What must hold: no traceback; exit code 2 with one line on stderr that names the file (1 where a batch went on); nothing
half-written, and nothing left behind. Whether readers survive all kinds of damage is tested beside them; here it is
what a user sees. The counts are printed at the end of the session.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import shutil
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from console_runs import COUNTS, NOTES, faults, files_in, run
from damage import CONFIGURATIONS, CONTENT, DESCRIPTIONS, WEIGHTS, Damage
from whole_inputs import piece


@dataclasses.dataclass(frozen=True)
class Case:
    """A command and the file of it that is damaged.

    command: with `{in}` for the damaged file, `{out}` for a folder to write into, `{whole}` for whole files. kinds: of
    damage; NO_FILE where a file that is nearly whole would be worked on for seconds.
    """

    command: str
    file: str
    kinds: tuple[Damage, ...] = CONTENT

    @property
    def name(self) -> str:
        """How the case is called: program, verb, and what is damaged."""
        return f"{' '.join(self.command.split()[:2])} {Path(self.file).name}".replace(" {in}", "")


NO_FILE = tuple(damage for damage in CONTENT if damage.refused)
MUSIC = ("mid", "musicxml", "mxl", "abc", "json", "yaml")
CORE = (
    *(Case("muspy-core info {in}", f"song.{form}") for form in MUSIC),
    *(Case("muspy-core convert {in} -o {out}/song.mid", f"song.{form}") for form in MUSIC[1:]),
    Case("muspy-core convert {in} -o {out}/song.musicxml", "song.mid"),
    Case("muspy-core render {in} -o {out}/song.wav --sample-rate 8000", "song.mid"),
    Case("muspy-core render {whole}/song.mid -o {out}/song.wav --soundfont {in}", "mel.npy"),
    Case("muspy-core engrave {in} -o {out}/song.svg", "song.musicxml"),
    Case("muspy-core plot {in} -o {out}/song.png", "song.json"),
    Case("muspy-core view {in} -o {out}/song.html", "song.mxl", NO_FILE),
    Case("muspy-core media frames {in} -o {out}/frames --count 1", "clip.mp4"),
    *(Case("muspy-core media audio {in} -o {out}/sound.wav", name) for name in ("clip.mp4", "sound.mp3", "sound.flac")),
    Case("muspy-core listening build {whole}/sounds/flute {whole}/sounds/violin -o {out}/t --questions {in}",
         "questions.yaml"),
    Case("muspy-core listening report {in} {whole}/answers.json", "key.json"),
    Case("muspy-core listening report {whole}/key.json {in}", "answers.json"),
)  # fmt: skip
ARRANGER = (
    *(Case("arranger separate {in} -o {out}/parts.mid", f"song.{form}") for form in ("mid", "musicxml", "abc")),
    Case(
        "arranger separate {whole}/song.mid -o {out}/parts.mid --lock {in}", "locks.csv", CONTENT[1:]
    ),  # no line is no lock
    Case("arranger rearrange {in} -o {out}/parts.musicxml", "song.mid"),
    Case("arranger compare {in} -o {out}/compare.svg", "song.mid", NO_FILE),
    Case("arranger live --input {in} --output {out}/live.mid", "song.mid"),
)
MMT = tuple(
    Case(f"mmt generate {option} -o {{out}}/songs --model {{whole}}/models/mmt --length 8", "song.mid")
    for option in ("--continue {in}", "--infill {in} --bars 1:1", "--accompany {in} --instruments flute")
)
DEEPPERFORMER = (
    *(
        Case("deepperformer perform {in} -o {out}/played.wav --model {whole}/models/deepperformer", f"song.{form}")
        for form in ("mid", "musicxml")
    ),
    Case("deepperformer perform -o {out}/played.wav --model {whole}/models/deepperformer --mel {in}", "mel.npy"),
    Case("deepperformer perform {whole}/song.mid -o {out}/played.wav --model {whole}/models/deepperformer "
         "--alignment {in}", "timings.csv"),
    Case("deepperformer align {in} {whole}/sound.wav -o {out}/a.csv", "song.mid", NO_FILE),
    Case("deepperformer align {whole}/song.mid {in} -o {out}/a.csv", "sound.wav", NO_FILE),
    Case("deepperformer align {in} {whole}/sound.wav -o {out}/a.csv", "timings.csv", NO_FILE),
)  # fmt: skip
CLIPSEP = (
    *(
        Case("clipsep separate {in} flute -o {out}/flute.wav --model {whole}/models/clipsep", name)
        for name in ("sound.wav", "sound.flac", "sound.mp3", "clip.mp4")
    ),
    Case("clipsep remix {in} --gain flute:-6 -o {out}/mix.wav --model {whole}/models/clipsep", "sound.wav"),
    Case("clipsep evaluate {in} --model {whole}/models/clipsep", "list.csv"),
    Case("clipsep convert {in} -o {out}/model", "models/clipsep/model.safetensors"),
)  # fmt: skip
CLIPSONIC_MODEL = "--model {whole}/models/clipsonic --steps 1 --duration 0.2"
CLIPSONIC = (
    *(
        Case(f"clipsonic generate flute {option} {{in}} -o {{out}}/s.wav {CLIPSONIC_MODEL}", "sound.wav")
        for option in ("--extend", "--vary", "--from 0.1 --to 0.2 --infill")
    ),
    Case(f"clipsonic generate --prompts {{in}} -o {{out}}/s {CLIPSONIC_MODEL}", "prompts.csv"),
    Case("clipsonic prepare {in} -o {out}/data", "list.csv"),
    Case("clipsonic prepare {whole}/sounds -o {out}/data --wordings {in}", "wordings.csv"),
)
CASES = (*CORE, *ARRANGER, *MMT, *DEEPPERFORMER, *CLIPSEP, *CLIPSONIC)

# A command that loads a model, where the model lies, and its two files.
MODELS = (
    ("arranger separate {whole}/song.mid -o {out}/p.mid --mode offline --model {in}", "arranger", "offline.json",
     "offline.safetensors"),
    ("mmt generate -o {out}/songs --length 8 --model {in}", "mmt", "config.json", "model.safetensors"),
    ("deepperformer perform {whole}/song.mid -o {out}/p.wav --model {in}", "deepperformer", "synthesis/config.json",
     "synthesis/model.safetensors"),
    ("deepperformer perform {whole}/song.mid -o {out}/p.wav --model {in}", "deepperformer", "inverter/config.json",
     "inverter/model.safetensors"),
    ("clipsep separate {whole}/sound.wav flute -o {out}/f.wav --model {in}", "clipsep", "config.json",
     "model.safetensors"),
    ("clipsonic generate flute -o {out}/f.wav --steps 1 --duration 0.2 --model {in}", "clipsonic",
     "network/config.json", "network/model.safetensors"),
    ("clipsonic generate flute -o {out}/f.wav --steps 1 --duration 0.2 --model {in}", "clipsonic",
     "vocoder/config.json", "vocoder/model.safetensors"),
)  # fmt: skip

CONFIGURED = {
    "arranger": "bach-lstm-emb",
    "mmt": "small-conditional",
    "deepperformer": "small-full",
    "clipsep": "small-labelsep",
    "clipsonic": "small-labels",
}


# Commands over a folder in which one file is damaged: its extension, and a pattern of what is made of the others.
BATCHES = (
    ("muspy-core convert {in} -o {out}/made --to json", "mid", "**/*.json"),
    ("muspy-core render {in} -o {out}/made --sample-rate 8000", "mid", "**/*.wav"),
    ("muspy-core plot {in} -o {out}/made", "mid", "**/*.png"),
    ("muspy-core media audio {in} -o {out}/made", "wav", "**/*.wav"),
    ("muspy-core media manifest {in} -o {out}/made.csv", "wav", "made.csv"),
    ("muspy-core dataset convert {in} -o {out}/made", "mid", "made/*"),
    ("arranger separate {in} -o {out}/made", "mid", "**/*.mid"),
    ("mmt prepare {in} -o {out}/made", "mid", "made/*"),
    ("clipsep separate {in} flute -o {out}/made --model {whole}/models/clipsep", "wav", "**/*.wav"),
    ("clipsep prepare {in} -o {out}/made", "wav", "made/*"),
    ("clipsonic prepare {in} -o {out}/made", "wav", "made/*"),
)


def arguments_of(command: str, damaged: Path, place: Path, whole: Path) -> tuple[str, list[str]]:
    """Return the program and the arguments of a case."""
    values = {"in": damaged, "out": place / "out", "whole": whole}
    program, *rest = command.split()
    return program, [part.format_map(values) for part in rest]


def emptied(folder: Path) -> Path:
    """Remove what a run has made, so that the next one begins alike."""
    shutil.rmtree(folder)
    folder.mkdir()
    return folder


def damaged_copies(whole_file: Path, folder: Path, kinds: Sequence[Damage]) -> Iterator[tuple[Damage, Path]]:
    """Write each damaged copy in turn under the name of the whole file."""
    content = whole_file.read_bytes()
    folder.mkdir(exist_ok=True)
    for damage in kinds:
        if damage.apply(content) != content:
            (folder / whole_file.name).write_bytes(damage.apply(content))
            COUNTS["damaged inputs"] += 1
            yield damage, folder / whole_file.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_damaged_file_is_refused_in_one_line(case: Case, whole: Path, place: Path) -> None:
    found = []
    for damage, damaged in damaged_copies(whole / case.file, place / "in", case.kinds):
        before = files_in(place)
        program, arguments = arguments_of(case.command, damaged, place, whole)
        ending = run(program, arguments)
        found += [
            f"{damage.name}: {fault}"
            for fault in faults(ending, before, files_in(place), refused=damage.refused, named=damaged.name)
        ]
        emptied(place / "out")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_that_is_missing_or_a_folder_is_refused_in_one_line(case: Case, whole: Path, place: Path) -> None:
    (place / "in").mkdir()
    missing = place / "in" / Path(case.file).name
    for kind, named in (("missing", missing.name), ("an empty folder", "")):
        before = files_in(place)
        program, arguments = arguments_of(case.command, missing, place, whole)
        ending = run(program, arguments)
        assert (kind, faults(ending, before, files_in(place), refused=True, named=named)) == (kind, [])
        emptied(place / "out")
        missing.mkdir(exist_ok=True)


@pytest.mark.parametrize(("command", "kind", "made"), BATCHES, ids=[" ".join(b[0].split()[:2]) for b in BATCHES])
def test_a_batch_goes_on_after_a_damaged_file_and_says_so(
    command: str, kind: str, made: str, whole: Path, place: Path
) -> None:
    folder = place / "in" / "flute"
    folder.mkdir(parents=True)
    for number in range(4):
        if kind == "mid":
            piece(80 + number).write(folder / f"{number}.mid")
        else:
            shutil.copy(whole / f"sounds/flute/{number % 3}.wav", folder / f"{number}.wav")
    (folder / f"broken.{kind}").write_bytes(b"Nothing of this kind is here.\n")
    program, arguments = arguments_of(command, place / "in", place, whole)
    COUNTS["damaged inputs"] += 1

    ending = run(program, arguments)

    assert ending.code == 1, ending
    assert any(f"broken.{kind}" in line for line in ending.errors)
    assert any((place / "out").glob(made))
    hidden = [name for name in files_in(place / "out") if Path(name).name.startswith(".")]
    assert not [name for name in hidden if not name.endswith(NOTES)]


@pytest.mark.parametrize(
    ("command", "package", "description", "weights"), MODELS, ids=[f"{made[1]} {made[2]}" for made in MODELS]
)
def test_a_damaged_model_is_refused_in_one_line(
    command: str, package: str, description: str, weights: str, whole: Path, place: Path
) -> None:
    found = []
    model = place / "model"
    shutil.copytree(whole / "models" / package, model)
    for name, kinds in ((description, DESCRIPTIONS), (weights, WEIGHTS)):
        original = (model / name).read_bytes()
        for damage, damaged in damaged_copies(model / name, (model / name).parent, kinds):
            before = files_in(place)
            program, arguments = arguments_of(command, model, place, whole)
            ending = run(program, arguments)
            found += [
                f"{name}, {damage.name}: {fault}"
                for fault in faults(ending, before, files_in(place), refused=damage.refused, named="model")
            ]
            damaged.write_bytes(original)
            emptied(place / "out")
    assert not found, "\n".join(found)


class Trap:
    """Makes a folder called `made` when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("made",)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("clipsep convert {in} -o {out}/model", "network.pth"),
        ("clipsonic evaluate --data {whole} --model {whole}/models/clipsonic --aisfx {in}", "checkpoint.pth"),
        ("deepperformer perform -o {out}/p.wav --model {whole}/models/deepperformer --mel {in}", "mel.npy"),
        ("arranger separate {in} -o {out}/parts.mid", "song.json"),
        ("muspy-core convert {in} -o {out}/song.mid", "song.yaml"),
    ],
)
def test_a_file_that_would_run_code_when_it_is_opened_is_refused(
    command: str, name: str, whole: Path, place: Path
) -> None:
    trap = place / name
    if name.endswith(".npy"):
        np.save(trap, np.array([Trap()], object), allow_pickle=True)
    elif name.endswith(".pth"):
        torch.save({"state_dict": Trap()}, trap)
    elif name.endswith(".yaml"):
        trap.write_text("metadata: !!python/object/apply:os.mkdir [made]\n")
    else:
        trap.write_bytes(pickle.dumps(Trap()))
    COUNTS["damaged inputs"] += 1

    before = files_in(place)
    ending = run(*arguments_of(command, trap, place, whole))

    assert not (place / "made").exists()
    assert ending.code == 2
    assert faults(ending, before, files_in(place), refused=True, named="") == []


@pytest.mark.slow  # LightningCLI takes a second to read what a class wants
@pytest.mark.parametrize("package", sorted(CONFIGURED))
def test_a_damaged_configuration_is_refused_in_one_line(package: str, whole: Path, place: Path) -> None:
    found = []
    shipped = Path(str(files(package) / "configs" / f"{CONFIGURED[package]}.yaml"))
    for damage, damaged in damaged_copies(shipped, place / "in", CONFIGURATIONS):
        before = files_in(place)
        ending = run(package, ["fit", "-c", damaged, "--trainer.max_steps", "1"])
        found += [
            f"{damage.name}: {fault}"
            for fault in faults(ending, before, files_in(place), refused=damage.refused, named="")
        ]
        found += ["ran what the file said"] if (place / "made").exists() else []
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", sorted(CONFIGURED))
def test_an_unknown_model_or_configuration_is_refused_in_one_line(package: str, whole: Path, place: Path) -> None:
    asked = {command.split()[0]: command for command, *_ in MODELS}
    program, arguments = arguments_of(asked[package], Path("no-such-model"), place, whole)
    for given, named in ((arguments, "no-such-model"), (["fit", "-c", "no-such-configuration"], "no-such-config")):
        before = files_in(place)
        assert faults(run(program, given), before, files_in(place), refused=True, named=named) == []


@pytest.mark.slow  # as above
@pytest.mark.parametrize("package", sorted(CONFIGURED))
def test_a_checkpoint_that_would_run_code_is_refused_before_it_is_opened(package: str, place: Path) -> None:
    torch.save({"state_dict": {}, "epoch": Trap()}, place / "last.ckpt")
    before = files_in(place)
    ending = run(package, ["fit", "-c", CONFIGURED[package], "--ckpt_path", "last.ckpt"])
    assert not (place / "made").exists()
    assert ending.code == 2
    assert faults(ending, before, files_in(place), refused=True, named="last.ckpt") == []
