"""Commands that are asked for what cannot be: folders of another kind, values out of range, devices that are not there.

Like damage (test_hardening.py): one line on stderr, exit code 2, nothing written. And no command is forgotten there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import test_hardening
import test_interruptions
from check_installed import distribution_name
from console_runs import COUNTS, faults, files_in, run
from test_hardening import arguments_of

PROGRAMS = ("muspy-core", "mmt", "arranger", "deepperformer", "clipsep", "clipsonic")
MMT, SEPARATOR = "--model {whole}/models/mmt", "--model {whole}/models/clipsep"
PERFORMER, SYNTHESIZER = "--model {whole}/models/deepperformer", "--model {whole}/models/clipsonic"

# `{in}` is a folder that holds a text file and nothing else.
FOREIGN_FOLDERS = (
    "muspy-core dataset stats {in}",
    "muspy-core listening build {in} {whole}/sounds/flute -o {out}/test",
    f"mmt evaluate --data {{in}} --n 1 {MMT}",
    "mmt extend {in} -o {out}/data",
    f"mmt samples --piece {{in}}/notes.txt -o {{out}}/samples --length 8 {MMT}",
    "mmt stream -o {out}/song.mid --seconds 1 --model {in}",
    "arranger evaluate --model {in}",
    "deepperformer prepare {in} -o {out}/data",
    "deepperformer evaluate {whole}/models/deepperformer/synthesis --data {in}",
    "mmt export {in} -o {out}/exported",
    "arranger export {in} -o {out}/exported",
    "deepperformer export {in} -o {out}/exported",
    "clipsep export {in} -o {out}/exported",
    "clipsonic export {in} -o {out}/exported",
    "clipsep demo -o {out}/demo --model {in}",
    "clipsep evaluate {in} --model {whole}/models/clipsep",
    f"clipsonic evaluate --data {{in}} {SYNTHESIZER}",
    "arranger demo -o {in}/notes.txt",
)

IMPOSSIBLE = (
    "muspy-core render {whole}/song.mid -o {out}/song.wav --sample-rate 0",
    "muspy-core engrave {whole}/song.mid -o {out}/song.svg --measures 9000-9001",
    "muspy-core media frames {whole}/clip.mp4 -o {out}/frames --at 99999",
    "muspy-core convert {whole}/song.mid -o {out}/song.unheard-of",
    "muspy-core convert {whole}/song.mid -o {whole}/song.mid",
    f"mmt generate -o {{out}}/s --temperature 0 {MMT}",
    f"mmt generate -o {{out}}/s --top-p 2 {MMT}",
    f"mmt generate -o {{out}}/s --lowest 90 --highest 20 {MMT}",
    f"mmt generate -o {{out}}/s --instruments kazoo {MMT}",
    f"mmt generate -o {{out}}/s --infill {{whole}}/song.mid --bars 90:91 {MMT}",
    f"mmt generate -o {{out}}/s --continue {{whole}}/song.mid --instruments flute {MMT}",
    f"mmt stream -o {{out}}/song.mid --tempo -3 {MMT}",
    "arranger separate {whole}/song.mid -o {out}/p.mid --parts violin,violin",
    "arranger separate {whole}/song.mid -o {out}/p.mid --range Alto=Z9-A0",
    "arranger separate {whole}/song.mid -o {out}/p.mid --exclude Kazoo",
    "arranger separate {whole}/song.mid -o {out}/p.mid --polyphony Alto=0",
    "arranger evaluate --dataset no-such-corpus",
    "arranger live --input {whole}/song.mid --output {out}/l.mid --tempo allegro",
    f"deepperformer perform {{whole}}/song.mid -o {{out}}/p.wav --qpm 0 {PERFORMER}",
    f"deepperformer perform {{whole}}/song.mid -o {{out}}/p.wav --humanise 7 {PERFORMER}",
    f"deepperformer perform {{whole}}/song.mid -o {{out}}/p.wav --performer 99 {PERFORMER}",
    f"deepperformer perform {{whole}}/song.mid -o {{out}}/p.wav --part Kazoo {PERFORMER}",
    f"deepperformer perform {{whole}}/song.mid -o {{out}}/p.unheard-of {PERFORMER}",
    f"clipsep separate {{whole}}/sound.wav kazoo -o {{out}}/k.wav {SEPARATOR}",
    f"clipsep separate {{whole}}/sound.wav -o {{out}}/k.wav {SEPARATOR}",
    f"clipsep separate {{whole}}/sound.wav flute -o {{out}}/k.wav --device cuda:99 {SEPARATOR}",
    f"clipsep separate {{whole}}/sound.wav flute -o {{out}}/k.wav --device abacus {SEPARATOR}",
    f"clipsep remix {{whole}}/sound.wav --gain flute:loud -o {{out}}/m.wav {SEPARATOR}",
    "clipsep prepare {whole}/sounds -o {out}/data --split 0.5,0.6",
    f"clipsonic generate flute -o {{out}}/s.wav --duration -1 {SYNTHESIZER}",
    f"clipsonic generate flute -o {{out}}/s.wav --steps 999999 {SYNTHESIZER}",
    f"clipsonic generate flute -o {{out}}/s.wav --device cuda:99 {SYNTHESIZER}",
    f"clipsonic generate flute -o {{out}}/s.unheard-of {SYNTHESIZER}",
    f"clipsonic generate -o {{out}}/s.wav {SYNTHESIZER}",
    f"clipsonic generate flute --infill {{whole}}/sound.wav --from 3 --to 1 -o {{out}}/s.wav {SYNTHESIZER}",
    "clipsonic prepare {whole}/sounds -o {out}/data --encoder no-such-encoder",
)

# Verbs that read no file of the user's: versions, lists, downloads (test_downloads.py of muspy-core), completion.
WITHOUT_FILES = {"info", "dataset list", "dataset download", "completion"}


@pytest.mark.parametrize("command", FOREIGN_FOLDERS, ids=lambda command: " ".join(command.split()[:3]))
def test_a_folder_of_another_kind_is_refused_in_one_line(command: str, whole: Path, place: Path) -> None:
    (place / "in").mkdir()
    (place / "in" / "notes.txt").write_text("Nothing of this kind is here.\n")
    refused(command, whole, place)


@pytest.mark.parametrize("command", IMPOSSIBLE, ids=lambda command: re.sub(r"\{\w+\}\S*|--model", "", command))
def test_what_cannot_be_is_refused_in_one_line(command: str, whole: Path, place: Path) -> None:
    refused(command, whole, place)


def refused(command: str, whole: Path, place: Path) -> None:
    """Run a command that must be refused."""
    before, kept = files_in(place), (whole / "song.mid").read_bytes()
    program, arguments = arguments_of(command, place / "in", place, whole)
    COUNTS["impossible requests"] += 1
    ending = run(program, arguments)
    assert faults(ending, before, files_in(place), refused=True, named="") == []
    assert (whole / "song.mid").read_bytes() == kept


# --- no command is forgotten -----------------------------------------------------------------------------------------


def verbs(parser: argparse.ArgumentParser, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the verbs of a program."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield " ".join(before)
    for group in groups:
        for name, below in group.choices.items():
            yield from verbs(below, (*before, name))


def tried() -> set[str]:
    """The program and verb of every command in the tables of these tests."""
    commands = [case.command for case in test_hardening.CASES]
    commands += [made[0] for made in (*test_hardening.BATCHES, *test_hardening.MODELS)]
    commands += [work.command for work in test_interruptions.WORKS]
    commands += [*test_interruptions.WRITERS, *FOREIGN_FOLDERS, *IMPOSSIBLE]
    commands += [f"{package} fit" for package in test_hardening.CONFIGURED]
    return {" ".join(command.split()[:count]) for command in commands for count in (2, 3)}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_verb_is_tried_with_something_that_it_must_refuse(program: str) -> None:
    parser = importlib.import_module(f"{program.replace('-', '_')}.cli")._parser()
    there = {verb for verb in verbs(parser) if verb not in WITHOUT_FILES}
    assert {verb for verb in there if f"{program} {verb}" not in tried()} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_says_what_a_bug_report_needs(program: str) -> None:
    ending = run(program, ["info", "--json"])
    found = json.loads(ending.out)
    versions = found.get("versions", found)
    assert (ending.code, ending.errors) == (0, ())
    assert versions[distribution_name(program)] == version(distribution_name(program))
    assert all(len(model["sha256"]) == 64 for model in found.get("models", ()))
