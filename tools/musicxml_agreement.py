"""Scores read by our MusicXML reader and by music21, compared note by note (specification A4.2).

    python tools/musicxml_agreement.py --data ../shared/data --rows rows.jsonl --json agreement.json

300 scores of the corpus in music21's wheel and 200 OpenScore Lieder, drawn with a fixed seed. Notes are compared as
(onset, pitch, duration) in quarter notes, in written order, at written pitch, tied notes joined, grace notes counted
apart. Where these differ, the beginnings of notes are compared measure by measure as well, as (measure, onset in it,
pitch): where a measure lasts longer in one part than in the others, we keep the parts together, music21 does not. A row
a score is appended to ROWS as it is finished; a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import time
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from muspy_core import read_musicxml
from tqdm.auto import tqdm

SEED = 0
CORPUS_SCORES, LIEDER = 300, 200
LARGEST = 150_000  # bytes; music21 takes minutes for larger files
LIMIT_DENOMINATOR = 1000  # music21 rounds positions; no note is shorter
EXAMPLES = 6

Sounds = Counter[tuple[Fraction, int, Fraction]]
Places = Counter[tuple[int, Fraction, int]]


def chosen_scores(data: Path) -> list[tuple[str, str, Path]]:
    """Return (collection, name, path) of the scores to compare."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    files = sorted(path for suffix in ("mxl", "xml", "musicxml") for path in corpus.rglob(f"*.{suffix}"))
    lieder = sorted((data / "openscore-lieder").rglob("*.mxl"))
    rng = random.Random(SEED)
    first = rng.sample([path for path in files if path.stat().st_size < LARGEST], CORPUS_SCORES)
    second = rng.sample([path for path in lieder if path.stat().st_size < LARGEST], LIEDER)
    rows = [("music21", path.relative_to(corpus).as_posix(), path) for path in first]
    return rows + [("Lieder", path.relative_to(data).as_posix(), path) for path in second]


class Reading(NamedTuple):
    """The notes of a score. sounds: (onset, pitch, duration). places: (measure, onset in it, pitch), of the same.

    open_ties: how many of them have a tie that could not be joined, since the measure is longer in another part.
    """

    sounds: Sounds
    places: Places
    graces: int
    open_ties: int = 0


def read_ours(path: Path) -> Reading:
    """Return the notes of all parts as we read them."""
    music = read_musicxml(path, expand_repeats=False)
    bars = music.barlines.array["time"]
    reading = Reading(Counter(), Counter(), sum(int((track.notes.array["grace"] != 0).sum()) for track in music.tracks))
    open_ties = 0
    for track in music.tracks:
        table = track.notes.array[track.notes.array["grace"] == 0]
        open_ties += int((table["tie"] > 0).sum())
        measures = np.searchsorted(bars, table["time"], side="right") - 1
        columns = (table["time"], table["pitch"] - (track.transposition or 0), table["duration"], measures)
        for time_, pitch, duration, measure in zip(*(column.tolist() for column in columns), strict=True):
            onset = _quarters(time_, music.resolution)
            reading.sounds[onset, pitch, _quarters(duration, music.resolution)] += 1
            reading.places[measure, _quarters(time_ - int(bars[measure]), music.resolution), pitch] += 1
    return reading._replace(open_ties=open_ties)


def read_music21(path: Path) -> Reading:
    """Return the same as music21 reads it; ties are joined here, since it leaves single notes of tied chords apart."""
    from music21 import converter, harmony, stream

    parsed: Any = converter.parse(path, forceSource=True)
    reading = Reading(Counter(), Counter(), 0)
    graces = 0
    for part in parsed.parts:
        heads: list[Head] = []
        for number, measure in enumerate(part.getElementsByClass(stream.Measure)):
            for item in measure.flatten().notes:
                if isinstance(item, harmony.Harmony):
                    continue
                if item.duration.isGrace:
                    graces += len(item.pitches)
                    continue
                inside, lasts = _rounded(Fraction(item.offset)), _rounded(Fraction(item.quarterLength))
                onset = _rounded(Fraction(measure.offset) + Fraction(item.offset))
                for note in item.notes if item.isChord else [item]:
                    tie = note.tie or item.tie
                    pitch = note.pitch.midi if hasattr(note, "pitch") else note.displayPitch().midi
                    is_tied = tie is not None and tie.type in ("start", "continue")
                    heads.append(Head(onset, pitch, lasts, is_tied, number, inside))
        for head in _joined(heads):
            reading.sounds[head.onset, head.pitch, head.lasts] += 1
            reading.places[head.measure, head.inside, head.pitch] += 1
    return reading._replace(graces=graces)


@dataclasses.dataclass(eq=False)
class Head:
    """A note as music21 reads it. measure, inside: the number of its measure and the onset there."""

    onset: Fraction
    pitch: int
    lasts: Fraction
    is_tied: bool
    measure: int
    inside: Fraction


def _joined(heads: list[Head]) -> list[Head]:
    places: dict[tuple[Fraction, int], list[Head]] = {}
    for head in heads:
        places.setdefault((head.onset, head.pitch), []).append(head)
    gone: set[int] = set()
    for head in sorted((head for head in heads if head.is_tied), key=lambda head: head.onset, reverse=True):
        following = [
            other for other in places.get((_rounded(head.onset + head.lasts), head.pitch), []) if id(other) not in gone
        ]
        if following and following[0] is not head:
            head.lasts = _rounded(head.lasts + following[0].lasts)
            gone.add(id(following[0]))
    return [head for head in heads if id(head) not in gone]


def _quarters(steps: int, resolution: int) -> Fraction:
    return _rounded(Fraction(steps, resolution))


def _rounded(value: Fraction) -> Fraction:
    return value.limit_denominator(LIMIT_DENOMINATOR)


def compare(path: Path) -> dict[str, Any]:
    """Return how many notes both read alike, and some of those that only one of them reads."""
    start = time.process_time()
    ours = read_ours(path)
    middle = time.process_time()
    notes = ours.sounds.total()
    try:
        theirs = read_music21(path)
    except Exception as error:  # noqa: BLE001 - music21 may fail in any way; that is a result
        return {"notes": notes, "failure": f"{type(error).__name__}: {error}"[:200]}
    end = time.process_time()
    return {
        "notes": notes,
        "theirs": theirs.sounds.total(),
        "common": (ours.sounds & theirs.sounds).total(),
        "common by measure": (ours.places & theirs.places).total(),
        "open ties": ours.open_ties,
        "graces": [ours.graces, theirs.graces],
        "only_ours": _shown(ours.sounds - theirs.sounds),
        "only_theirs": _shown(theirs.sounds - ours.sounds),
        "seconds": [round(middle - start, 3), round(end - middle, 3)],
    }


def _shown(sounds: Sounds) -> list[str]:
    return [f"{onset} {pitch} {lasts}" for onset, pitch, lasts in sorted(sounds.elements())[:EXAMPLES]]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count scores and notes by collection."""
    summary: dict[str, Any] = {}
    for row in rows:
        entry = summary.setdefault(row["collection"], {**dict.fromkeys(COUNTS, 0), "differing": []})
        entry["scores"] += 1
        if "failure" in row:
            entry["failed in music21"] += 1
            continue
        most = max(row["notes"], row["theirs"])
        entry["notes"] += most
        entry["common notes"] += row["common"]
        entry["common notes by measure"] += row["common by measure"]
        if row["common"] == most and row["graces"][0] == row["graces"][1]:
            entry["equal"] += 1
        elif row["common by measure"] == row["theirs"] >= row["notes"] - row["open ties"]:
            entry["equal by measure"] += 1
        else:
            entry["differing"].append(row["name"])
    return summary


COUNTS = (
    "scores",
    "equal",
    "equal by measure",
    "failed in music21",
    "notes",
    "common notes",
    "common notes by measure",
)


def main() -> None:
    """Compare the scores that have no row yet, then write and print the summary."""
    parser = argparse.ArgumentParser(description="agreement of the MusicXML reader with music21")
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument(
        "--rows", type=Path, required=True, help="JSON lines, one a score; those there are not repeated"
    )
    parser.add_argument("--json", type=Path, help="write the summary there")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every N-th score")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of music21
    lines = arguments.rows.read_text(encoding="utf-8").splitlines() if arguments.rows.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {row["name"] for row in rows}
    with arguments.rows.open("a", encoding="utf-8") as file:
        for collection, name, path in tqdm(chosen_scores(arguments.data)[:: arguments.every], disable=None):
            if name in done:
                continue
            row = {"collection": collection, "name": name, **compare(path)}
            file.write(json.dumps(row) + "\n")
            file.flush()
            rows.append(row)
    summary = summarise(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    for collection, entry in summary.items():
        print(f"{collection}: { ({name: value for name, value in entry.items() if name != 'differing'}) }")


if __name__ == "__main__":
    main()
