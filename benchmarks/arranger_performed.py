"""How right the offline models are when the file of a performance has no beat.

    python benchmarks/arranger_performed.py --json performed.json

Test chorales are played by simulated hands: at a tempo that drifts by up to 10 % around 84 quarters a minute, each
note-on up to SPREAD ms late, each note-off up to 50 ms early or late. They are recorded as MIDI without a metronome is,
at 120 quarters a minute. `offline` reads the beats of the file, which are wrong; `tempo-free` reads none; offline on
the score is what there is to lose. Random numbers are seeded.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from arranger.checkpoint import Checkpoint, load_checkpoint
from arranger.corpus import load_corpus
from arranger.mixture import RESOLUTION, Piece
from arranger.parts import SATB
from arranger.performance import is_on_grid
from arranger.separate import merged, separate
from arranger.splits import split_of
from muspy_core import Music, Note, Tempo, Track

QPM = 84.0
DRIFT, DRIFT_QUARTERS = 0.1, 16.0
FILE_QPM, FILE_RESOLUTION = 120.0, 480
RELEASE_S = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bach-chorales")
    parser.add_argument("--subset", choices=["valid", "test"], default="test", help="of the grouped split")
    parser.add_argument("--pieces", type=int, default=41, help="the first so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    corpus = {piece.name: piece for piece in load_corpus("bach")}
    names = sorted(getattr(split_of("grouped", "bach", list(corpus)), options.subset))[: options.pieces]
    pieces = [corpus[name] for name in names]
    offline, free = (load_checkpoint(options.model, mode) for mode in ("offline", "tempo-free"))
    rows = []
    for spread_ms in (None, 0.0, 15.0, 30.0):
        rng = np.random.default_rng(options.seed)
        musics = [performed(piece, spread_ms, rng) for piece in pieces]
        rows.append(
            {
                "played": "as written" if spread_ms is None else f"spread {spread_ms:g} ms",
                "offline": accuracy(offline, musics),
                "tempo-free": accuracy(free, musics),
                "recognised": sum(not on_grid(music) for music in musics) / len(musics),
            }
        )
    print(f"{len(pieces)} chorales, {sum(map(len, pieces)):,} notes, seed {options.seed}")
    for row in rows:
        print(
            f"{row['played']:14} offline {row['offline']:.4f}  tempo-free {row['tempo-free']:.4f}  "
            f"taken for a performance {row['recognised']:.0%}"
        )
    if options.json is not None:
        options.json.write_text(json.dumps({"seed": options.seed, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def performed(piece: Piece, spread_ms: float | None, rng: np.random.Generator) -> Music:
    """Return a piece as it was recorded, a track for each part; as written if spread_ms is None."""
    mixture = piece.mixture
    if spread_ms is None:
        music = Music(resolution=RESOLUTION, tempos=[Tempo(0, QPM)])
        onset, end = mixture.onset, mixture.offset
    else:
        music = Music(resolution=FILE_RESOLUTION, tempos=[Tempo(0, FILE_QPM)])
        steps = np.arange(mixture.offset.max() + 1)
        tempo = QPM * (1 + DRIFT * np.sin(2 * np.pi * (steps / RESOLUTION / DRIFT_QUARTERS + rng.random())))
        times = np.concatenate([[0.0], np.cumsum(60 / RESOLUTION / tempo)])
        begin = times[mixture.onset] + rng.random(len(piece)) * spread_ms / 1000
        finish = np.maximum(times[mixture.offset] + rng.uniform(-RELEASE_S, RELEASE_S, len(piece)), begin + 0.02)
        ticks = FILE_RESOLUTION * FILE_QPM / 60
        onset, end = (np.round(seconds * ticks).astype(np.int64) for seconds in (begin, finish))
    for label, part in enumerate(SATB.parts):
        rows = np.flatnonzero(piece.label == label).tolist()
        notes = [Note(int(onset[i]), int(mixture.pitch[i]), max(int(end[i] - onset[i]), 1), 64) for i in rows]
        music.tracks.append(Track(name=part.name, notes=sorted(notes, key=lambda note: (note.time, note.pitch))))
    return music


def on_grid(music: Music) -> bool:
    return is_on_grid(merged(music).table["time"], music.resolution)


def accuracy(checkpoint: Checkpoint, musics: list[Music]) -> float:
    """Return the share of notes in their part, over all pieces."""
    right = notes = 0.0
    for music in musics:
        separation = separate(music, checkpoint, "offline")
        agreement = separation.agreement(music)
        if agreement is None:
            raise ValueError("a track is not named after its part")
        right += agreement * len(separation.label)
        notes += len(separation.label)
    return right / notes


if __name__ == "__main__":
    main()
