"""Is filling in better than going on, and than nothing? Bars of test songs, written by three kinds of prompt (C11).

Each model-written span stands for the same eight beats of the same song: with the music on both sides in view (filling
in), with the music before them alone (going on), and with nothing but the instruments (from nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from muspy_core.metrics import groove_consistency, pitch_class_entropy, scale_consistency
from muspy_core.runs import Figures
from numpy.typing import NDArray

from mmt.checkpoint import load_checkpoint
from mmt.continuing import go_on
from mmt.encoding import NOTE, TYPE, Codes, decode, encode, header_codes, task_header
from mmt.evaluate import MEASURE, Estimate, plain
from mmt.experiments.runs import Folders
from mmt.experiments.tables import BUNDLED
from mmt.generate import Options, generate
from mmt.grammar import Bans
from mmt.infilling import infill, players_of
from mmt.losses import field_sums
from mmt.model import MMT
from mmt.notes import BEAT, PITCH, NoteRows, music_of
from mmt.songs import Songs, load_split

Way = Literal["filling in", "going on", "from nothing"]
WAYS: tuple[Way, ...] = ("filling in", "going on", "from nothing")
SPAN = (16, 24)  # beats that are written anew
BEATS = 32  # of a song that are looked at
LEAST = 16  # notes in the span and beside it, for a song to count
SONGS = 100
METRICS: dict[str, Callable[[NoteRows], float]] = {
    "pitch class entropy": lambda rows: pitch_class_entropy(music_of(rows)),
    "scale consistency": lambda rows: scale_consistency(music_of(rows)),
    "groove consistency": lambda rows: groove_consistency(music_of(rows), MEASURE),
}


def measure_infilling(folders: Folders) -> Figures:
    """Measure the bundled model on test songs, three ways: -log p of the notes of the span, and what it writes."""
    checkpoint = load_checkpoint(BUNDLED)
    model = checkpoint.model
    songs = chosen_songs(Songs.load(folders.data).subset(load_split(folders.data)["test"]), model)[:SONGS]
    nats = {way: [nats_a_note(model, song, way) for song in songs] for way in WAYS}
    written = {way: [write(model, song, way, seed) for seed, song in enumerate(songs)] for way in WAYS}
    truth = [_span(song) for song in songs]
    gains = {
        other: vars(Estimate.of(np.array(nats[other]) - np.array(nats["filling in"])))
        for other in WAYS
        if other != "filling in"
    }
    return {
        "model": BUNDLED,
        "songs": len(songs),
        "span": list(SPAN),
        "beats": BEATS,
        "notes": sum(map(len, truth)),
        "nll_note": {way: vars(Estimate.of(values)) for way, values in nats.items()},
        "gain": gains,
        "overlap": {way: vars(Estimate.of(map(overlap, truth, rows))) for way, rows in written.items()},
        "difference": {way: _differences(truth, rows) for way, rows in written.items()},
        "notes_written": {way: sum(map(len, rows)) for way, rows in written.items()},
        "seed": 0,
        "command": "python -m mmt.experiments --table infilling --data DATA",
    }


def chosen_songs(songs: Songs, model: MMT) -> list[NoteRows]:
    """Return beginnings of songs, (n, 5) each, that have notes in the span and beside it; a model sees them whole."""
    found = []
    for index in range(len(songs)):
        rows = plain(songs[index], BEATS)
        inside = len(_span(rows))
        if inside >= LEAST and len(rows) - inside >= LEAST and len(encode(rows)) + 1 < model.config.max_length:
            found.append(rows)
    return found


def _span(rows: NoteRows) -> NoteRows:
    return rows[(rows[:, BEAT] >= SPAN[0]) & (rows[:, BEAT] < SPAN[1])]


def prompt_of(song: NoteRows, way: Way) -> Codes:
    """Return what the model reads before the notes of the span, (L, 6)."""
    players = list(players_of(song))
    if way == "filling in":
        outside = song[(song[:, BEAT] < SPAN[0]) | (song[:, BEAT] >= SPAN[1])]
        return task_header(players, encode(outside))
    if way == "going on":
        return np.concatenate([header_codes(players), _notes(song[song[:, BEAT] < SPAN[0]])])
    return header_codes(players)


def _notes(rows: NoteRows) -> Codes:
    codes = encode(rows)
    notes: Codes = codes[codes[:, TYPE] == NOTE]
    return notes


@torch.inference_mode()
def nats_a_note(model: MMT, song: NoteRows, way: Way) -> float:
    """Return -log p of a note of the span in nats. From nothing its beats count from 0, as a song begins."""
    span = _span(song).copy()
    if way == "from nothing":
        span[:, BEAT] -= SPAN[0]
    prompt, notes = prompt_of(song, way), _notes(span)
    codes = torch.from_numpy(np.concatenate([prompt, notes]))[None]
    counted = torch.zeros(1, codes.shape[1] - 1, dtype=torch.bool)
    counted[:, len(prompt) - 1 :] = True
    sums, _ = field_sums(model(codes[:, :-1], codes[:, 1:]), codes[:, 1:], counted)
    return float(sums.sum()) / len(notes)


def write(model: MMT, song: NoteRows, way: Way, seed: int) -> NoteRows:
    """Return notes that the model writes for the span, (any, 5), at most as many events as it sees at once."""
    options = Options(length=model.config.max_length // 2, seed=seed)
    if way == "filling in":
        return infill(model, song, *SPAN, options)
    if way == "going on":
        return go_on(model, song, SPAN[0], replace(options, bans=Bans(max_beat=SPAN[1], past="forbidden")))
    short = replace(options, bans=Bans(max_beat=SPAN[1] - SPAN[0], past="forbidden"))
    rows = decode(generate(model, [prompt_of(song, way)], short)[0])
    rows[:, BEAT] += SPAN[0]
    return rows


def overlap(truth: NoteRows, rows: NoteRows) -> float:
    """Return the share, 0 to 1, that two histograms of pitch classes have in common; 0 where nothing was written."""
    if not len(rows):
        return 0.0
    first, second = (_pitch_classes(part) for part in (truth, rows))
    return float(np.minimum(first, second).sum())


def _pitch_classes(rows: NoteRows) -> NDArray[np.float64]:
    return np.bincount(rows[:, PITCH] % 12, minlength=12) / len(rows)


def _differences(truth: Sequence[NoteRows], rows: Sequence[NoteRows]) -> Figures:
    """Mean absolute difference of each metric from that of the song's own notes, where notes were written."""
    pairs = [(own, new) for own, new in zip(truth, rows, strict=True) if len(new)]
    return {
        name: vars(Estimate.of(abs(metric(own) - metric(new)) for own, new in pairs))
        for name, metric in METRICS.items()
    }
