"""What velocity, tempo, time signature and drums cost: events and nats of a note of whole music (songs → figures)."""

from __future__ import annotations

import numpy as np
from muspy_core.runs import Figures

from mmt import encoding, extended
from mmt.checkpoint import load_checkpoint
from mmt.evaluate import TRIM_BEATS, likelihood
from mmt.experiments.runs import Folders
from mmt.experiments.tables import WHOLE
from mmt.notes import BEAT, COLUMNS, PROGRAM
from mmt.songs import Songs, load_split


def measure_whole(folders: Folders) -> Figures:
    """Measure the bundled model of whole music on its test songs; the data are those that `mmt extend` wrote."""
    checkpoint = load_checkpoint(WHOLE)
    test = Songs.load(folders.data).subset(load_split(folders.data)["test"])
    found = likelihood(checkpoint.model, test, checkpoint.training)
    whole, notes_alone, drums, notes = 0, 0, 0, 0
    for index in range(len(test)):
        rows = test[index]
        rows = rows[rows[:, BEAT] < TRIM_BEATS]
        pitched = rows[rows[:, PROGRAM] < extended.DRUM_PROGRAM]
        whole += len(extended.encode(rows))
        notes_alone += len(encoding.encode(np.unique(pitched[:, : len(COLUMNS)], axis=0)))
        drums += len(rows) - len(pitched)
        notes += len(rows)
    return {
        "model": WHOLE,
        "songs": found.songs,
        "counted_notes": found.notes,
        "nll_note": found.nll_note,
        "fields": dict(zip(extended.FIELDS, found.fields, strict=True)),
        "steps": checkpoint.training.steps,
        "parameters": checkpoint.model.n_parameters,
        "beats": TRIM_BEATS,
        "notes": notes,
        "drum_notes": drums,
        "events": whole,
        "events_without": notes_alone,
        "command": "python -m mmt.experiments --table whole --data DATA-EXTENDED",
    }
