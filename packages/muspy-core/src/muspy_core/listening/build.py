"""Folders of sounds, one a system → a folder with a blind listening test, and its key.

Sounds of the same name in several folders are versions of one item. What the page holds names no system: files have
random names, and the key that tells which is which is written beside the folder, not into it. The sounds themselves are
copied as they are, with whatever tags they hold.
"""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np

from muspy_core.errors import MuspyError
from muspy_core.io.files import write_atomically

SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".oga", ".m4a")
KEY_SUFFIX = "-key.json"
ACR_SCALE = ("Bad", "Poor", "Fair", "Good", "Excellent")  # ITU-T P.800, absolute category rating


class ListeningTestError(MuspyError):
    """Questions, sounds or answers that make no listening test."""


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked. kind: "mos" (rate one sound on the scale) or "ab" (which of two versions of an item)."""

    kind: Literal["mos", "ab"]
    text: str
    scale: tuple[str, ...] = ACR_SCALE
    no_preference: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("mos", "ab"):
            raise ListeningTestError(f'the kind of a question is "mos" or "ab", got {self.kind!r}')
        if not self.text or len(self.scale) < 2:
            raise ListeningTestError("a question needs a text, and its scale at least two steps")


@dataclasses.dataclass(frozen=True)
class ListeningTest:
    """A listening test. trials_per_listener: how many are drawn for each listener; None: all, in random order."""

    title: str = "Listening test"
    instructions: str = "Please use headphones, in a quiet place. You may play each sound as often as you like."
    questions: tuple[Question, ...] = (Question("mos", "How good does this sound?"),)
    trials_per_listener: int | None = None

    def __post_init__(self) -> None:
        if not self.questions:
            raise ListeningTestError("a listening test needs a question")
        if self.trials_per_listener is not None and self.trials_per_listener < 1:
            raise ListeningTestError(f"`trials_per_listener` must be at least 1, got {self.trials_per_listener}")


def load_questions(path: str | os.PathLike[str]) -> ListeningTest:
    """Read a listening test from a YAML file with the fields of `ListeningTest`.

    Raises ListeningTestError if it does not hold one.
    """
    import yaml

    name = Path(path).name
    try:
        # The loader that leaves every scalar a string: a scale from "no" to "yes" is not one from False to True.
        content = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ListeningTestError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    try:
        return _test_of(content)
    except (TypeError, ValueError, AttributeError) as error:
        raise ListeningTestError(f"{name}: not a listening test: {str(error).replace('.__init__()', '')}") from None


def _test_of(content: Any) -> ListeningTest:
    values = dict(content)
    if "trials_per_listener" in values:
        values["trials_per_listener"] = int(values["trials_per_listener"])
    if "questions" in values:
        values["questions"] = tuple(_question_of(item) for item in values["questions"])
    return ListeningTest(**values)


def _question_of(item: Any) -> Question:
    values = dict(item)
    if "scale" in values:
        values["scale"] = tuple(values["scale"])
    if "no_preference" in values:
        values["no_preference"] = values["no_preference"].lower() in ("true", "yes")
    return Question(**values)


def build_test(
    folders: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    test: ListeningTest | None = None,
    *,
    seed: int = 0,
    overwrite: bool = False,
) -> Path:
    """Write a listening test and return the path of its key.

    Args:
        folders: One folder of sounds for each system; its name is the system's. Sounds of the same name are versions
            of one item.
        output: Folder to write: `index.html` and `audio/`. The key becomes `OUTPUT-key.json` beside it.
        test: The questions.
        seed: Of the names of the sounds and the order of trials and versions.
        overwrite: Whether an existing test may be replaced; a folder that holds anything else never is.

    Raises ListeningTestError if there are no sounds, or for "ab" questions no item with two versions;
    FileExistsError if the output exists and `overwrite` is false, or is no listening test.
    """
    test, output = test or ListeningTest(), Path(output).resolve()
    key_path = output.with_name(output.name + KEY_SUFFIX)
    for path in (output, key_path):
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path}: exists already; choose another name or allow overwriting")
    if output.exists() and not _is_test(output):
        raise FileExistsError(f"{output}: is no listening test and is not replaced; choose another name")
    sounds = _sounds([Path(folder) for folder in folders])
    rng = np.random.default_rng(seed)
    names = [_blind_name(sound, seed) for sound in sounds]
    trials = _trials(test, sounds, names, rng)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as temporary:
        made = Path(temporary) / "test"
        (made / "audio").mkdir(parents=True)
        for (_, _, path), name in zip(sounds, names, strict=True):
            shutil.copyfile(path, made / "audio" / (name + path.suffix.lower()))
        (made / "index.html").write_text(_page(test, trials), encoding="utf-8")
        if output.exists():
            shutil.rmtree(output)
        made.rename(output)
    with write_atomically(key_path) as temporary_key:
        key = json.dumps(_key(test, sounds, names), indent=1, ensure_ascii=False)
        temporary_key.write_text(key, encoding="utf-8")
    return key_path


def _is_test(folder: Path) -> bool:
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {"index.html", "audio"}


Sound = tuple[str, str, Path]  # system, item, file


def _sounds(folders: Sequence[Path]) -> list[Sound]:
    systems = [folder.resolve().name for folder in folders]
    if len(set(systems)) < len(systems):
        raise ListeningTestError(f"every system needs a folder of its own name, got {', '.join(systems)}")
    sounds = []
    for system, folder in zip(systems, folders, strict=True):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: there is no such folder")
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUNDS)
        if not found:
            raise ListeningTestError(f"{folder}: holds no sounds ({', '.join(SOUNDS)})")
        if len({path.stem for path in found}) < len(found):
            raise ListeningTestError(f"{folder}: holds several sounds of one name; keep one file an item")
        sounds += [(system, path.stem, path) for path in found]
    return sounds


def _blind_name(sound: Sound, seed: int) -> str:
    """A name that tells nothing, and that no other sound has, not even in another test of the same seed."""
    system, item, path = sound
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps([seed, system, item, content]).encode()).hexdigest()[:16]


def _trials(
    test: ListeningTest, sounds: Sequence[Sound], names: Sequence[str], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """One trial for each question and sound, or pair of versions of an item in random order.

    The trials are shuffled: their order would show which sounds are of one system.
    """
    files = [name + path.suffix.lower() for name, (_, _, path) in zip(names, sounds, strict=True)]
    trials: list[dict[str, Any]] = []
    for number, question in enumerate(test.questions):
        if question.kind == "mos":
            trials += [{"question": number, "sounds": [file]} for file in files]
            continue
        versions: dict[str, list[str]] = {}
        for (_, item, _), file in zip(sounds, files, strict=True):
            versions.setdefault(item, []).append(file)
        pairs = [[a, b] for group in versions.values() for place, a in enumerate(group) for b in group[place + 1 :]]
        if not pairs:
            raise ListeningTestError("no item has versions of two systems to compare: name their files alike")
        trials += [{"question": number, "sounds": pair if rng.random() < 0.5 else pair[::-1]} for pair in pairs]
    return [trials[place] for place in rng.permutation(len(trials))]


def _key(test: ListeningTest, sounds: Sequence[Sound], names: Sequence[str]) -> dict[str, Any]:
    return {
        "questions": [dataclasses.asdict(question) for question in test.questions],
        "sounds": {
            name + path.suffix.lower(): {"system": system, "item": item}
            for name, (system, item, path) in zip(names, sounds, strict=True)
        },
    }


def _page(test: ListeningTest, trials: list[dict[str, Any]]) -> str:
    content = {
        "questions": [dataclasses.asdict(question) for question in test.questions],
        "trials": trials,
        "perListener": test.trials_per_listener,
    }
    assets = resources.files("muspy_core.listening") / "assets"
    page = (assets / "test.html").read_text(encoding="utf-8")
    # "<" in a text must not end the script element that holds the data.
    data = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    parts = {
        "title": html.escape(test.title),
        "instructions": html.escape(test.instructions),
        "style": (assets / "test.css").read_text(encoding="utf-8"),
        "script": (assets / "test.js").read_text(encoding="utf-8"),
        "data": data,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark[1]], page)
