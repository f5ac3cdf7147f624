"""Seconds to encode and decode songs: ours beside a loop over notes as the published code has, `Music` in and out.

    python benchmarks/mmt_encoding.py --songs 5 --notes 2000 --json encoding.json

The loop is written anew after the description of the published code: for each note a dictionary look-up for each field,
rows in a list, an array at the end; decoding goes back row by row and makes a `Note` of each. Songs are random, from a
seed; both sides start from the same `Music` and end with the same one, which is checked. Best of several runs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmt.encoding import DURATIONS, decode_music, encode_music
from mmt.instruments import CODE_OF_PROGRAM, NAMES, PROGRAM_OF_CODE
from mmt.notes import music_of
from muspy_core import Music, Note, Tempo, Track

RUNS = 5
PROGRAM_CODES = {program: int(code) for program, code in enumerate(CODE_OF_PROGRAM) if code}
CODE_PROGRAMS = {code: int(PROGRAM_OF_CODE[code]) for code in range(1, 65)}
KNOWN = [int(duration) for duration in DURATIONS]
BEATS, POSITIONS, PITCHES = ({value: value + 1 for value in range(count)} for count in (1025, 12, 128))
NEAREST = {duration: min(range(32), key=lambda i: abs(KNOWN[i] - duration)) + 1 for duration in range(385)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=5)
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    songs = [random_song(options.notes, rng) for _ in range(options.songs)]
    objects = [song.deepcopy() for song in songs]  # the loop's own, whose notes become objects once and stay so
    codes = [encode_music(song) for song in songs]
    if any(loop_encode(song).tolist() != encoded.tolist() for song, encoded in zip(objects, codes, strict=True)):
        raise RuntimeError("the two encoders differ")
    if any(loop_decode(encoded) != decode_music(encoded) for encoded in codes):
        raise RuntimeError("the two decoders differ")
    results = {"songs": options.songs, "notes": sum(len(encoded) for encoded in codes), "seed": options.seed}
    for work, ours, loop, inputs, others in (
        ("encode", encode_music, loop_encode, songs, objects),
        ("decode", decode_music, loop_decode, codes, codes),
    ):
        fast, slow = best(ours, inputs), best(loop, others)
        results |= {f"{work}_seconds": fast, f"{work}_loop_seconds": slow, f"{work}_ratio": slow / fast}
        print(f"{work}: {fast * 1e3:.2f} ms, by a loop {slow * 1e3:.2f} ms, {slow / fast:.1f}x")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def best(function: Callable[[object], object], inputs: list[object]) -> float:
    """Return the processor seconds for all inputs in the best of several runs."""
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        for value in inputs:
            function(value)
        seconds.append(time.process_time() - start)
    return min(seconds)


def random_song(notes: int, rng: np.random.Generator) -> Music:
    """Music of four instruments whose notes have known durations, as muspy-core reads it from a file."""
    rows = np.column_stack(
        [
            np.sort(rng.integers(0, 200, notes)),
            rng.integers(0, 12, notes),
            rng.integers(30, 90, notes),
            rng.choice([3, 6, 12, 24], notes),
            rng.choice([0, 40, 42, 73], notes),
        ]
    )
    return music_of(rows)


def loop_encode(music: Music) -> np.ndarray:
    """Encode note by note."""
    notes = []
    for track in music.tracks:
        if track.is_drum or track.program not in PROGRAM_CODES:
            continue
        for note in track.notes:
            beat, position = divmod(note.time, music.resolution)
            notes.append((beat, position, note.pitch, note.duration, track.program))
    rows = []
    for beat, position, pitch, duration, program in np.unique(np.array(notes), axis=0):
        if beat > 1024:
            continue
        code = NEAREST[min(int(duration), 384)]
        rows.append(
            (3, BEATS[int(beat)], POSITIONS[int(position)], PITCHES[int(pitch)], code, PROGRAM_CODES[int(program)])
        )
    players = sorted({row[5] for row in rows})
    header = [(0, 0, 0, 0, 0, 0), *((1, 0, 0, 0, 0, player) for player in players), (2, 0, 0, 0, 0, 0)]
    return np.array([*header, *rows, (4, 0, 0, 0, 0, 0)])


def loop_decode(codes: np.ndarray) -> Music:
    """Decode row by row."""
    tracks: dict[int, list[Note]] = {}
    for row in codes:
        kind, beat, position, pitch, duration, player = (int(value) for value in row)
        if kind == 4:
            break
        if kind == 3:
            note = Note((beat - 1) * 12 + position - 1, pitch - 1, KNOWN[duration - 1], 64)
            tracks.setdefault(CODE_PROGRAMS[player], []).append(note)
    return Music(
        resolution=12,
        tempos=[Tempo(0, 100.0)],
        tracks=[
            Track(program=program, name=NAMES[PROGRAM_CODES[program] - 1], notes=notes)
            for program, notes in sorted(tracks.items())
        ],
    )


if __name__ == "__main__":
    main()
