"""Going on with a song: its notes before a beat → the notes that follow (§3.3.2, 16-beat continuation and the like).

Songs may be longer than what the model sees: it reads the last beats of them, counted anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmt.encoding import NOTE, TYPE
from mmt.formats import format_of
from mmt.generate import Options, generate, nothing_before
from mmt.infilling import with_programs_of
from mmt.model import MMT
from mmt.notes import BEAT, EncodingError, NoteRows


def go_on(model: MMT, notes: NoteRows, beats: int, options: Options | None = None) -> NoteRows:
    """Continue a song after its first beats, and return the new notes as rows; under the grammar none begins before.

    notes: rows of the model's encoding, (n, 5), or (n, 8) of whole music. beats: how many of the song are kept: all
    notes before that beat are the prompt. All instruments of the song may play, those that enter later too. Raises
    EncodingError if no note is before that beat, or if the bans of the options leave no beat behind it.
    """
    form = format_of(model)
    notes = form.checked(notes)
    options = options or Options()
    bans = options.bans
    if bans.max_beat is not None and bans.max_beat <= beats:
        raise EncodingError(f"the song is to end before beat {bans.max_beat}, and {beats} beats of it are given")
    kept, known = notes[notes[:, BEAT] < beats], model.config.max_beat
    if not len(kept):
        raise nothing_before(beats, int(notes[:, BEAT].min()) if len(notes) else None)
    # A long rest before the new notes is shortened in what the model sees, so that it sees music at all.
    end = min(beats, int(kept[:, BEAT].max()) + 1 + known // 4)
    shift = max(end - known // 2, 0)
    seen = kept[kept[:, BEAT] >= shift]
    seen[:, BEAT] -= shift
    codes = form.encode(seen)
    prompt = np.concatenate([form.header(list(form.players_of(notes))), codes[codes[:, TYPE] == NOTE]])
    last = None if bans.max_beat is None else min(bans.max_beat - beats + end - shift, known)
    within = replace(options, bans=replace(bans, min_beat=end - shift, max_beat=last))
    song = generate(model, [prompt], within)[0]
    new = form.decode(song[len(prompt) :])
    new[:, BEAT] += shift + beats - end
    return with_programs_of(notes, new)
