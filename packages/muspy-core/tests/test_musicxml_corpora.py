"""Real scores: counts that are known, music21 as an oracle, and the round trip."""

from __future__ import annotations

import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from muspy_core.io.musicxml import musicxml_bytes, read_musicxml, read_musicxml_bytes
from muspy_core.music import Music

pytestmark = pytest.mark.slow

PARTS = ("soprano", "alto", "tenor", "bass")
Sounds = Counter[tuple[Fraction, int, Fraction]]

# Works on which music21 and we agree to the last note. Elsewhere it keeps parts of unequal measures apart, does not
# join single notes of tied chords, and rounds positions.
AGREEING = (
    "bach/bwv66.6.mxl",
    "bach/bwv437.mxl",
    "bach/bwv1.6.mxl",
    "handel/rinaldo/Lascia_chio_pianga.mxl",
    "liliuokalani/aloha_oe.mxl",
    "monteverdi/madrigal.3.14.mxl",
    "schumann_clara/polonaise_op1n1.mxl",
    "trecento/PMFC_06_Giovanni-05_Donna_Gia_Fu_Leggiadra.xml",
)


@pytest.fixture(scope="module")
def corpus() -> Path:
    """The folder of scores inside the music21 wheel."""
    music21 = pytest.importorskip("music21", reason="music21 is not installed; its corpus holds the scores")
    return Path(music21.__file__).parent / "corpus"


def test_the_bach_chorales_are_409_pieces_of_96606_notes(corpus: Path) -> None:
    """Table 4.1 of the dissertation counts the same files, and 96,605 notes with the corpus of its time."""
    files = sorted(path for path in (corpus / "bach").iterdir() if path.suffix in (".mxl", ".xml"))
    assert len(files) == 410
    pieces = [count for path in files if (count := _notes_in_parts(path))]
    assert (len(pieces), sum(pieces)) == (409, 96_606)


def _notes_in_parts(path: Path) -> int:
    """Notes of the four voices: written order, ties joined, no grace notes, unisons inside a part once.

    In two cantata movements the names go on with the instruments that double the voice.
    """
    doubled = path.stem in ("bwv171.6", "bwv41.6")
    count = 0
    for track in read_musicxml(path, expand_repeats=False).tracks:
        name = (track.name or "").lower()
        if name in PARTS or (doubled and name.split(" ")[0] in PARTS):
            table = track.notes.array
            count += len(np.unique(table[table["grace"] == 0][["time", "pitch", "duration"]]))
    return count


@pytest.mark.parametrize("name", AGREEING)
def test_notes_are_those_that_music21_reads(corpus: Path, name: str) -> None:
    path = corpus / name
    ours = read_musicxml(path, expand_repeats=False)
    assert sum((_sounds(ours, index) for index in range(len(ours.tracks))), Counter()) == _music21_sounds(path)


def _sounds(music: Music, index: int) -> Sounds:
    """(onset, pitch, duration) in quarter notes; pitches as written."""
    track = music.tracks[index]
    table = track.notes.array[track.notes.array["grace"] == 0]
    rows = zip(table["time"].tolist(), table["pitch"].tolist(), table["duration"].tolist(), strict=True)
    down = track.transposition or 0
    return Counter((Fraction(t, music.resolution), p - down, Fraction(d, music.resolution)) for t, p, d in rows)


def _music21_sounds(path: Path) -> Sounds:
    """The same for all parts (music21 makes a part of each staff of a piano)."""
    from music21 import converter, harmony

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed: Any = converter.parse(path, forceSource=True)
    sounds: Sounds = Counter()
    for part in parsed.parts:
        joined = part.stripTies()
        for item in joined.recurse().notes:
            if isinstance(item, harmony.Harmony) or item.duration.isGrace:
                continue
            onset = Fraction(item.getOffsetInHierarchy(joined)).limit_denominator(1000)
            lasts = Fraction(item.quarterLength).limit_denominator(1000)
            sounds.update((onset, pitch.midi, lasts) for pitch in item.pitches)
    return sounds


def test_chorales_survive_writing_and_reading(corpus: Path) -> None:
    for path in sorted((corpus / "bach").glob("*.mxl"))[::10]:
        assert _differences(read_musicxml(path, expand_repeats=False)) == [], path.name


def test_songs_and_quartets_survive_writing_and_reading(shared_data: Path) -> None:
    songs = sorted((shared_data / "openscore-lieder").rglob("*.mxl"))[::40]
    quartets = sorted((shared_data / "openscore-quartets").rglob("*.mxl"))[::30]
    for path in [*songs, *quartets]:
        # A slur may start on a cue note, which is left out, and move to the note of another voice.
        assert set(_differences(read_musicxml(path, expand_repeats=False))) <= {"slurs"}, path.name


def _differences(music: Music) -> list[str]:
    """Names of the fields that differ after writing and reading."""
    again = read_musicxml_bytes(musicxml_bytes(music), music.metadata.source_filename or "", expand_repeats=False)
    before, after = music.to_ordered_dict(), again.to_ordered_dict()
    differing = [name for name in before if name != "tracks" and before[name] != after.get(name)]
    for one, other in zip(before["tracks"], after["tracks"], strict=True):
        differing += [name for name in {*one, *other} if one.get(name) != other.get(name)]
    return differing
