"""The demonstration: a chorale of the test part, flattened to one track, separated, compared, shown and played.

Needs the extra `render` for sound and pictures, but neither torch nor music21 nor a network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from muspy_core import EventList, Music, Note, Tempo, Track
from muspy_core.columns import new_array
from muspy_core.console import check_writable

from arranger.metrics import Scores, score
from arranger.mixture import Piece, labelled_mixture
from arranger.parts import SATB
from arranger.report import separation_page
from arranger.separate import Separation, separate

if TYPE_CHECKING:
    from muspy_core.audio import Audio
    from muspy_core.rendering.page import Page

CHORALE = "bwv244.10"
TITLE, NUMBER = "Ich bin's, ich sollte büßen", "BWV 244/10"
MODEL = "bach-chorales"
FILES = ("mixture.mid", "parts.mid", "parts.musicxml", "parts.wav", "pianoroll.png", "index.html")

Say = Callable[[str, float], None]


def make_demo(
    folder: Path, *, mode: str = "offline", overwrite: bool = False, say: Say = lambda line, s: None
) -> Scores:
    """Write the files of the demonstration into a folder, and return how well the parts were found.

    say: called with a line and its seconds after each step. Raises OSError if a file exists and `overwrite` is false.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        check_writable(folder / name, overwrite=overwrite)
    clock = _Clock(say)
    from muspy_core.rendering import render, show_pianoroll  # says what to install before any work is done

    chorale = read_chorale()
    truth = labelled_mixture(chorale, [SATB.label_of(track.name or "") for track in chorale.tracks], CHORALE)
    mixture = flattened(chorale)
    mixture.write(folder / "mixture.mid")
    clock(f"flattened {TITLE} ({NUMBER}): {len(truth)} notes in one track → {folder / 'mixture.mid'}")

    separation = separate(mixture, MODEL, mode)
    scores = score([truth], [separation.label], len(SATB))
    clock(f"separated by {MODEL} ({mode}): accuracy against Bach's own parts {scores.accuracy:.1%}")
    others = {other: _accuracy(truth, separate(mixture, MODEL, other)) for other in ("causal", "online", "offline")}
    named = {"causal": "strictly causal", "online": "onset-synchronous", "offline": "offline"}
    clock("every mode: " + ", ".join(f"{named[key]} {value.accuracy:.1%}" for key, value in others.items()))

    for name in ("parts.mid", "parts.musicxml"):
        separation.music.write(folder / name)
    clock(f"wrote {folder / 'parts.mid'} and {folder / 'parts.musicxml'}")
    audio = render(separation.music)
    audio.write(folder / "parts.wav", overwrite=overwrite)
    clock(f"wrote {folder / 'parts.wav'} ({audio.duration:.0f} s of sound)")
    axes = show_pianoroll(separation.music, title=f"{TITLE}, {NUMBER}: parts as found")
    figure: Any = axes.figure
    figure.savefig(folder / "pianoroll.png", dpi=150, bbox_inches="tight")
    clock(f"wrote {folder / 'pianoroll.png'}")
    page = _page(separation, truth, others, named, audio)
    page.write(folder / "index.html", overwrite=overwrite)
    clock(f"wrote {folder / 'index.html'}")
    return scores


class _Clock:
    """Says each step with the time since the one before."""

    def __init__(self, say: Say) -> None:
        self.say, self.last = say, time.perf_counter()

    def __call__(self, line: str) -> None:
        now = time.perf_counter()
        self.say(line, now - self.last)
        self.last = now


def read_chorale() -> Music:
    """Return the chorale that the package carries, with its four parts."""
    from muspy_core import read_musicxml

    with resources.as_file(resources.files("arranger") / "corpora" / f"{CHORALE}.musicxml") as path:
        return read_musicxml(path)


def flattened(music: Music) -> Music:
    """Return a copy in which all notes are in one piano track, and nothing tells their parts."""
    tables = [track.notes.array for track in music.tracks]
    notes = new_array(Note, sum(map(len, tables)))
    for name in ("time", "pitch", "duration", "velocity"):
        notes[name] = np.concatenate([table[name] for table in tables])
    track = Track(program=0, name="Piano")
    track.notes = EventList.from_columns(Note, notes)
    track.notes.sort_by("time", "pitch", "duration", "velocity")
    flat = music.deepcopy()
    flat.tracks = [track]
    return flat


def _accuracy(truth: Piece, separation: Separation) -> Scores:
    return score([truth], [separation.label], len(SATB))


def _page(separation: Separation, truth: Piece, others: dict[str, Scores], named: dict[str, str], audio: Audio) -> Page:
    from muspy_core.rendering import Table, Text

    rows = [
        [named[mode], f"{s.accuracy:.1%}", f"{s.accuracy_unisons_merged:.1%}", f"{s.link_f1:.1%}"]
        for mode, s in others.items()
    ]
    table = Table(
        ("Setting", "Accuracy", "Unisons interchangeable", "Links (F1)"),
        rows,
        heading="Accuracy against the original parts",
        caption="Strictly causal: note by note. Onset-synchronous: chord by chord. Offline: the whole piece first.",
    )
    about = Text(
        [
            f"J. S. Bach, {TITLE} ({NUMBER}): the four parts were merged into one track, and the model was asked which "
            "note belongs to which voice. The chorale and all settings of its tune are among the test pieces, which "
            "no shipped model was trained on.",
        ],
        "What this is",
    )
    return separation_page(
        separation,
        f"{TITLE}",
        subtitle=f"J. S. Bach, {NUMBER}, separated by {MODEL}",
        audio=audio,
        extra=(table, about),
        wrong=separation.label != truth.label,
    )


def extract_chorale(path: Path) -> None:
    """Write the chorale's file again from the music21 wheel: four parts, its lyrics, 24 steps a quarter, a tempo."""
    from muspy_core import read_musicxml

    from arranger.corpora.scores import bach_files

    source = next(file for file in bach_files() if file.stem == CHORALE)
    music = read_musicxml(source, expand_repeats=False)
    music.adjust_resolution(24)
    music.tempos = [Tempo(0, 76.0)]
    music.metadata.title, music.metadata.movement_title = TITLE, None
    music.metadata.creators, music.metadata.collection = ["J. S. Bach"], NUMBER
    music.repeats = []
    for track in music.tracks:
        label = SATB.label_of(track.name or "")
        if label is not None:
            track.program = SATB.parts[label].program
    music.write(path)
