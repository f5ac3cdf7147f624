"""How much music 1,024 events hold, by representation and corpus (§3.4.2; songs → figures, without any training)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from muspy_core.runs import Figures
from numpy.typing import NDArray

from mmt.baselines import mmm, remi
from mmt.encoding import encode
from mmt.evaluate import Estimate, plain
from mmt.experiments.runs import Folders
from mmt.notes import BEAT, POSITION, RESOLUTION, NoteRows
from mmt.songs import Songs

EVENTS = 1024
SONGS = 100  # of a corpus, drawn at random
ENCODERS: dict[str, Callable[[NoteRows], NDArray[np.int64]]] = {
    "mmt": encode,
    "mmm": mmm.encode,
    "remi": remi.encode,
}


def corpora(folders: Folders) -> list[str]:
    """Return the names of the corpora of prepared songs: the folders that they were read from."""
    return sorted({name.split("/")[0] for name in Songs.load(folders.data).names if "/" in name})


def measure_coverage(corpus: str, folders: Folders, seed: int = 0) -> Figures:
    """Measure events a note on whole songs, and beats within 1,024 events on songs that no encoding holds whole."""
    songs = Songs.load(folders.data)
    names = [name for name in songs.names if name.split("/")[0] == corpus]
    rng = np.random.default_rng(seed)
    drawn = sorted(rng.permutation(names)[:SONGS].tolist())
    chosen = songs.subset(drawn)
    rows = [plain(chosen[index], EVENTS) for index in range(len(chosen))]
    events = {name: np.array([len(code(song)) for song in rows]) for name, code in ENCODERS.items()}
    notes = np.array([len(song) for song in rows])
    long = [song for song, least in zip(rows, np.min(list(events.values()), axis=0), strict=True) if least > EVENTS]
    beats = {name: [covered(song, code) for song in long] for name, code in ENCODERS.items()}
    ratios = {
        other: Estimate.of(mine / max(theirs, 1 / RESOLUTION) for mine, theirs in zip(beats["mmt"], found, strict=True))
        for other, found in beats.items()
        if other != "mmt"
    }
    return {
        "corpus": corpus,
        "songs": len(rows),
        "notes": int(notes.sum()),
        "events_per_note": {name: vars(Estimate.of(found / notes)) for name, found in events.items()},
        "long_songs": len(long),
        "beats": {name: vars(Estimate.of(values)) for name, values in beats.items()},
        "beats_of_mmt_by": {name: vars(estimate) for name, estimate in ratios.items()},
        "events_by_mmt": {name: float(found.sum() / events["mmt"].sum()) for name, found in events.items()},
        "seed": seed,
        "command": "python -m mmt.experiments --table coverage --data DATA",
    }


def covered(song: NoteRows, code: Callable[[NoteRows], NDArray[np.int64]]) -> float:
    """Return the beats up to the last onset that fits into 1,024 events if a song is cut in time."""
    low, high = 0, min(len(song), EVENTS)  # the first `low` notes fit, the first `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(code(song[:middle])) <= EVENTS else (low, middle)
    last = song[max(low - 1, 0)]
    return float(last[BEAT] + last[POSITION] / RESOLUTION - song[0, BEAT] - song[0, POSITION] / RESOLUTION)
