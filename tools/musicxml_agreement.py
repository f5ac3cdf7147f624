"""Scores read by our MusicXML reader and by music21, compared note by note (specification A4.2).

    python tools/musicxml_agreement.py --data ../shared/data --rows rows.jsonl --json agreement.json

300 scores of the corpus in music21's wheel and 200 OpenScore Lieder, drawn with a fixed seed. Notes are compared as
(onset, pitch, duration) in quarter notes, in written order, at written pitch, tied notes joined, grace notes counted
apart. A row a score is appended to ROWS as it is finished; a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

from muspy_core import Music, read_musicxml
from tqdm.auto import tqdm

SEED = 0
CORPUS_SCORES, LIEDER = 300, 200
LARGEST = 150_000  # bytes; music21 takes minutes for larger files
LIMIT_DENOMINATOR = 1000  # music21 rounds positions; no note is shorter
EXAMPLES = 6

Sounds = Counter[tuple[Fraction, int, Fraction]]


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


def sounds_of_ours(music: Music) -> tuple[Sounds, int]:
    """Return the notes of all parts and the number of grace notes."""
    sounds: Sounds = Counter()
    graces = 0
    for track in music.tracks:
        table = track.notes.array
        graces += int((table["grace"] != 0).sum())
        table = table[table["grace"] == 0]
        down = track.transposition or 0
        rows = zip(table["time"].tolist(), table["pitch"].tolist(), table["duration"].tolist(), strict=True)
        sounds.update(
            (_rounded(Fraction(t, music.resolution)), p - down, _rounded(Fraction(d, music.resolution)))
            for t, p, d in rows
        )
    return sounds, graces


def sounds_of_music21(path: Path) -> tuple[Sounds, int]:
    """Return the same as music21 reads it; ties are joined here, since it leaves single notes of tied chords apart."""
    from music21 import converter, harmony

    parsed: Any = converter.parse(path, forceSource=True)
    sounds: Sounds = Counter()
    graces = 0
    for part in parsed.parts:
        heads: list[list[Any]] = []
        for item in part.flatten().notes:
            if isinstance(item, harmony.Harmony) or (item.duration.quarterLength == 0 and not item.duration.isGrace):
                continue
            if item.duration.isGrace:
                graces += len(item.pitches)
                continue
            onset, lasts = _rounded(Fraction(item.offset)), _rounded(Fraction(item.quarterLength))
            for note in item.notes if item.isChord else [item]:
                tie = note.tie or item.tie
                pitch = note.pitch.midi if hasattr(note, "pitch") else note.displayPitch().midi
                heads.append([onset, pitch, lasts, tie is not None and tie.type in ("start", "continue")])
        sounds.update(_joined(heads))
    return sounds, graces


def _joined(heads: list[list[Any]]) -> list[tuple[Fraction, int, Fraction]]:
    places: dict[tuple[Fraction, int], list[list[Any]]] = {}
    for head in heads:
        places.setdefault((head[0], head[1]), []).append(head)
    gone: set[int] = set()
    for head in sorted((head for head in heads if head[3]), key=lambda head: head[0], reverse=True):
        following = [other for other in places.get((_rounded(head[0] + head[2]), head[1]), []) if id(other) not in gone]
        if following and following[0] is not head:
            head[2] = _rounded(head[2] + following[0][2])
            gone.add(id(following[0]))
    return [(head[0], head[1], head[2]) for head in heads if id(head) not in gone]


def _rounded(value: Fraction) -> Fraction:
    return value.limit_denominator(LIMIT_DENOMINATOR)


def compare(path: Path) -> dict[str, Any]:
    """Return how many notes both read alike, and some of those that only one of them reads."""
    start = time.process_time()
    ours, our_graces = sounds_of_ours(read_musicxml(path, expand_repeats=False))
    middle = time.process_time()
    try:
        theirs, their_graces = sounds_of_music21(path)
    except Exception as error:  # noqa: BLE001 - music21 may fail in any way; that is a result
        return {"notes": sum(ours.values()), "failure": f"{type(error).__name__}: {error}"[:200]}
    lasted = [middle - start, time.process_time() - middle]
    return {
        "notes": sum(ours.values()),
        "theirs": sum(theirs.values()),
        "common": sum((ours & theirs).values()),
        "graces": [our_graces, their_graces],
        "only_ours": _shown(ours - theirs),
        "only_theirs": _shown(theirs - ours),
        "seconds": [round(value, 3) for value in lasted],
    }


def _shown(sounds: Sounds) -> list[str]:
    return [f"{onset} {pitch} {lasts}" for onset, pitch, lasts in sorted(sounds.elements())[:EXAMPLES]]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count scores and notes by collection."""
    summary: dict[str, Any] = {}
    for row in rows:
        entry = summary.setdefault(
            row["collection"],
            {"scores": 0, "equal": 0, "failed in music21": 0, "notes": 0, "common notes": 0, "differing": []},
        )
        entry["scores"] += 1
        if "failure" in row:
            entry["failed in music21"] += 1
            continue
        entry["notes"] += max(row["notes"], row["theirs"])
        entry["common notes"] += row["common"]
        if row["notes"] == row["theirs"] == row["common"] and row["graces"][0] == row["graces"][1]:
            entry["equal"] += 1
        else:
            entry["differing"].append(row["name"])
    return summary


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
