"""What the local page offers: tasks, the fields of their forms, and the commands they run (programs → tasks → app).

A form's values come from a browser and are judged here: a field says what it takes, and nothing else reaches a command.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

Command = tuple[object, ...]
SCORES = (".mid", ".midi", ".musicxml", ".mxl", ".xml", ".abc", ".json", ".mscz", ".mei", ".krn")
SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".aiff", ".m4a", ".mp4", ".mkv", ".webm", ".mov")


class FormError(ValueError):
    """A value that a form does not take; the message says which, and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Field:
    """One input of a form.

    kind: "text", "number" or "choice". value: what it holds at first. optional: whether it may stay empty. low, high:
    of a number. choices: of a choice.
    """

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    optional: bool = False
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()

    def checked(self, given: str) -> str:
        """Return a value that was sent. Raises FormError for one that the field does not take."""
        text = given.strip()
        if not text and self.optional:
            return ""
        if self.kind == "number":
            if not re.fullmatch(r"\d{1,9}", text) or not self.low <= int(text) <= self.high:
                raise FormError(f"{self.label}: {text[:40]!r} is not a whole number from {self.low} to {self.high}")
        elif self.kind == "choice":
            if text not in self.choices:
                raise FormError(f"{self.label}: {text[:40]!r} is not one of {', '.join(self.choices)}")
        # Begins with a letter or digit: a text cannot be taken for an option of a command.
        elif not re.fullmatch(r"\w[\w ,'+.-]{0,99}", text):
            raise FormError(f"{self.label}: wants words of letters, at most 100 characters, not {text[:40]!r}")
        return text


@dataclasses.dataclass(frozen=True)
class Task:
    """Something that the page can do.

    program: that makes it, and must be installed. suffixes: of the file that is opened; none: no file. file_optional:
    whether it works without. commands: input file name (or "") and checked values → commands, run in order in one
    folder. results: of their files, those that are heard, seen and downloaded.
    """

    name: str
    title: str
    purpose: str
    program: str
    fields: tuple[Field, ...]
    commands: Callable[[str, Mapping[str, str]], Iterator[Command]]
    results: tuple[str, ...]
    suffixes: tuple[str, ...] = ()
    file_optional: bool = False

    def input_name(self, name: str, given: bool) -> str:
        """Return what an opened file is called here: its own name says nothing but its kind.

        given: whether a file was sent. Raises FormError for a kind of file that the task does not take.
        """
        if not given:
            if self.suffixes and not self.file_optional:
                raise FormError("open a file first")
            return ""
        suffix = Path(name).suffix.lower()
        if suffix not in self.suffixes:
            raise FormError(f"this takes {', '.join(self.suffixes) or 'no file'}, not {name[-40:]!r}")
        return f"input{suffix}"

    def checked(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return all values of the form, checked. Raises FormError."""
        unknown = set(values) - {field.name for field in self.fields}
        if unknown:
            raise FormError(f"there is no field {sorted(unknown)[0][:40]!r}")
        return {field.name: field.checked(values.get(field.name, field.value)) for field in self.fields}


def _separate_parts(file: str, values: Mapping[str, str]) -> Iterator[Command]:
    parts = ("--parts", values["parts"].replace(" ", "")) if values["parts"] else ()
    yield ("arranger", values["how"], file, "-o", "parts.mid", "--report", "page.html", *parts)
    yield ("muspy-core", "render", "parts.mid", "-o", "sound.mp3")


def _write_music(file: str, values: Mapping[str, str]) -> Iterator[Command]:
    start = ("--continue", file) if file else ()
    names = ("--instruments", values["instruments"].replace(" ", "")) if values["instruments"] and not file else ()
    length = ("--length", values["notes"])
    yield ("mmt", "generate", "-o", ".", *start, *names, *length, "--seed", values["seed"], "--report", "page.html")
    yield ("muspy-core", "render", "song-01.mid", "-o", "sound.mp3")


def _perform(file: str, values: Mapping[str, str]) -> Iterator[Command]:
    part = ("--part", values["part"]) if values["part"] else ()
    yield ("deepperformer", "perform", file, "-o", "sound.wav", *part, "--report", "page.html")


def _take_out(file: str, values: Mapping[str, str]) -> Iterator[Command]:
    files = ("-o", "sound.wav", "--residual", "rest.wav", "--report", "page.html")
    yield ("clipsep", "separate", file, values["what"], *files)


def _make_sound(file: str, values: Mapping[str, str]) -> Iterator[Command]:
    yield (
        "clipsonic",
        "generate",
        values["what"],
        "-o",
        "sound.wav",
        "--seed",
        values["seed"],
        "--report",
        "page.html",
    )


_SEED = Field("seed", "Seed: another number, another result", "number", "0", high=999_999_999)

TASKS = (
    Task(
        "parts",
        "Give notes to instruments",
        "Splits a piano piece into voices, or a whole song among the instruments you name.",
        "arranger",
        (
            Field(
                "how",
                "separate: voices out of one track; rearrange: all instruments to others",
                "choice",
                "separate",
                choices=("separate", "rearrange"),
            ),
            Field("parts", "Instruments from the highest, such as violin,violin,viola,cello", optional=True),
        ),
        _separate_parts,
        ("sound.mp3", "page.html", "parts.mid"),
        SCORES,
    ),
    Task(
        "write",
        "Write music, or go on with a piece",
        "Without a file a new piece; with a file the piece goes on after its first 16 beats.",
        "mmt",
        (
            Field("instruments", "Instruments, such as piano,violin", value="piano", optional=True),
            Field("notes", "Length in notes", "number", "160", low=8, high=1000),
            _SEED,
        ),
        _write_music,
        ("sound.mp3", "page.html", "song-01.mid"),
        SCORES,
        file_optional=True,
    ),
    Task(
        "perform",
        "Perform a score",
        "Plays a score, or one part of it, on the violin that comes with deepperformer.",
        "deepperformer",
        (Field("part", "Name or number of the only part to play", optional=True),),
        _perform,
        ("sound.wav", "page.html"),
        SCORES,
    ),
    Task(
        "take-out",
        "Take an instrument out of a recording",
        "Writes the instrument you name, and what is left without it.",
        "clipsep",
        (Field("what", "What to take out", value="violin"),),
        _take_out,
        ("sound.wav", "rest.wav", "page.html"),
        SOUNDS,
    ),
    Task(
        "sound",
        "Make a sound",
        "Four seconds of the instrument you name.",
        "clipsonic",
        (Field("what", "What is to be heard", value="violin"), _SEED),
        _make_sound,
        ("sound.wav", "page.html"),
    ),
)
BY_NAME = {task.name: task for task in TASKS}
