"""Which codes may come next, so that what is generated is a song (§3.3.2 and beyond).

`PublishedRules` are the paper's: types and beats never fall. `Grammar` goes further: songs have instruments and notes,
instruments ascend, events follow one another in the order of the encoding, no instrument plays a pitch twice at one
time, and only instruments that were listed play. Both are asked field by field, for all songs at once.

Symbols: B songs, F fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mmt.encoding import END_OF_SONG, INSTRUMENT, NOTE, START_OF_NOTES, START_OF_SONG, Codes

Allowed = NDArray[np.bool_]

# Columns; PLAYER is the instrument of a note. Whole music (`extended`) has more behind them.
TYPE, BEAT, POSITION, PITCH, DURATION, PLAYER, VELOCITY = range(7)


@dataclass(frozen=True)
class Bans:
    """What a user rules out.

    pitches: (lowest, highest) MIDI pitch. polyphony: the most notes that may start together. max_beat: beats from this
    one on are not reached. past: what happens where the model would go on to them: the song ends, or they are
    forbidden, so that the last beat is filled to the brim, as a gap between given notes has to be. min_beat: the first
    beat that is reached. players: instrument codes that may play; None: all that are listed.
    """

    pitches: tuple[int, int] = (0, 127)
    polyphony: int | None = None
    max_beat: int | None = None
    past: Literal["end", "forbidden"] = "end"
    min_beat: int = 0
    players: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        low, high = self.pitches
        if not 0 <= low <= high <= 127:
            raise ValueError(f"pitches={self.pitches}: must be two numbers from 0 to 127, the lower first")
        if self.polyphony is not None and self.polyphony < 1:
            raise ValueError(f"polyphony={self.polyphony} must be at least 1")
        if self.max_beat is not None and self.max_beat < 1:
            raise ValueError(f"max_beat={self.max_beat} must be at least 1")
        if not 0 <= self.min_beat < (self.max_beat or self.min_beat + 1):
            raise ValueError(f"min_beat={self.min_beat} must be at least 0 and below max_beat={self.max_beat}")


class Rules(Protocol):
    """What a sampler asks, event by event."""

    def read(self, events: Codes) -> None:
        """Take note of an event of each song, (B, F)."""

    def allowed(self, column: int, chosen: Codes) -> Allowed:
        """Return which codes of a column may come next, (B, codes). chosen: (B, F), with the columns before it."""

    def past_end(self, events: Codes) -> Allowed:
        """Return which songs end instead of having an event that was drawn, (B,)."""


class PublishedRules:
    """Types and beats never fall; a start of song and undefined fields of notes are never generated.

    sizes: number of codes of each field. songs: B.
    """

    def __init__(self, sizes: tuple[int, ...], songs: int) -> None:
        self.codes = [np.arange(size) for size in sizes]
        self.type = np.zeros(songs, np.int64)
        self.beat = np.zeros(songs, np.int64)

    def read(self, events: Codes) -> None:
        """Take note of an event of each song, (B, F)."""
        self.type = np.maximum(self.type, events[:, TYPE])
        self.beat = np.maximum(self.beat, events[:, BEAT])

    def allowed(self, column: int, chosen: Codes) -> Allowed:
        """Return which codes of a column may come next, (B, codes)."""
        codes = self.codes[column]
        least = {TYPE: np.maximum(self.type, INSTRUMENT), BEAT: np.maximum(self.beat, 1)}
        allowed: Allowed = codes >= least.get(column, np.ones_like(self.type))[:, None]
        return allowed

    def past_end(self, events: Codes) -> Allowed:
        """Return which songs end instead of having an event that was drawn: none, (B,)."""
        return np.zeros(len(events), bool)


class Grammar:
    """Every song that is generated under these rules decodes to what was meant.

    sizes: number of codes of each field. songs: B. bans: what the user rules out besides.
    """

    def __init__(self, sizes: tuple[int, ...], songs: int, bans: Bans | None = None) -> None:
        bans = bans or Bans()
        self.codes = [np.arange(size) for size in sizes]
        self.pitch_codes = (self.codes[PITCH] > bans.pitches[0]) & (self.codes[PITCH] <= bans.pitches[1] + 1)
        self.last_pitch = bans.pitches[1] + 1
        self.first_beat = bans.min_beat + 1
        self.players = np.ones(sizes[PLAYER], bool)
        if bans.players is not None:
            self.players = np.isin(self.codes[PLAYER], bans.players)
        self.last_beat = min(sizes[BEAT] - 1, bans.max_beat or sizes[BEAT])
        self.ends = bans.past == "end"
        self.last_position, self.last_duration = sizes[POSITION] - 1, sizes[DURATION] - 1
        self.polyphony = bans.polyphony or sizes[PITCH] * sizes[PLAYER]
        self.event = np.zeros((songs, len(sizes)), np.int64)
        self.listed = np.zeros((songs, sizes[PLAYER]), bool)
        self.playing: Allowed = np.zeros_like(self.listed)  # who has played the last note's pitch at its onset
        self.together = np.zeros(songs, np.int64)  # notes at the last note's onset
        self.notes = np.zeros(songs, bool)  # whether there was a note

    def read(self, events: Codes) -> None:
        """Take note of an event of each song, (B, F)."""
        kind = events[:, TYPE]
        is_note = kind == NOTE
        player = self.codes[PLAYER] == events[:, PLAYER, None]
        self.listed |= player & (kind == INSTRUMENT)[:, None] & self.players
        last_was_note = self.event[:, TYPE] == NOTE
        same_onset = last_was_note & (events[:, BEAT:PITCH] == self.event[:, BEAT:PITCH]).all(1)
        same_pitch = same_onset & (events[:, PITCH] == self.event[:, PITCH])
        self.playing = np.where(same_pitch[:, None], self.playing | player, player) & is_note[:, None]
        self.together = np.where(same_onset, self.together + 1, 1) * is_note
        self.notes |= is_note
        self.event = events.copy()

    def allowed(self, column: int, chosen: Codes) -> Allowed:
        """Return which codes of a column may come next, (B, codes). chosen: (B, F), with the columns before it."""
        if column == TYPE:
            return self._types()
        if column == PLAYER:
            return self._players(chosen)
        if column > PLAYER:
            return self._properties(column, chosen)
        lowest = self._lowest(column, chosen)
        codes = self.codes[column]
        allowed: Allowed = codes >= lowest[:, None]
        if column == PITCH:
            allowed &= self.pitch_codes
        elif column == BEAT:
            allowed &= (codes <= self.last_beat) | (self.notes & self.ends)[:, None]
        return allowed

    def past_end(self, events: Codes) -> Allowed:
        """Return which songs would go on after their last beat, (B,): they end there instead."""
        past: Allowed = events[:, BEAT] > self.last_beat
        return past

    # Notes follow one another in the order (beat, position, pitch, duration, instrument). Where all columns before one
    # are those of the last note, a code may be the last note's or larger; "the last note's" only if the columns behind
    # it leave room for a larger note. So the questions below are asked from the back.

    def _free(self) -> Allowed:
        """Who may still play the last pitch, (B, players)."""
        return self.listed & ~self.playing

    def _duration_has_room(self) -> Allowed:
        larger = self.codes[PLAYER] > self.event[:, PLAYER, None]
        room: Allowed = np.any(self._free() & larger, axis=1)
        return room

    def _pitch_has_room(self) -> Allowed:
        longer = (self.event[:, DURATION] < self.last_duration) & self._free().any(1)
        permitted = self.pitch_codes[self.event[:, PITCH]]  # a prompt may hold notes that are banned from now on
        room: Allowed = permitted & (longer | self._duration_has_room())
        return room

    def _onset_has_room(self) -> Allowed:
        more = (self.event[:, PITCH] < self.last_pitch) | self._pitch_has_room()
        return more & (self.together < self.polyphony)

    def _beat_has_room(self) -> Allowed:
        more = (self.event[:, POSITION] < self.last_position) | self._onset_has_room()
        return more & (self.event[:, BEAT] <= self.last_beat)

    def _lowest(self, column: int, chosen: Codes) -> NDArray[np.int64]:
        """The smallest code that a column may have, (B,)."""
        follows = self.event[:, TYPE] == NOTE
        for before in range(BEAT, column):
            follows = follows & (chosen[:, before] == self.event[:, before])
        room = {
            BEAT: self._beat_has_room,
            POSITION: self._onset_has_room,
            PITCH: self._pitch_has_room,
            DURATION: self._duration_has_room,
        }[column]()
        lowest = np.where(room, self.event[:, column], self.event[:, column] + 1)
        least = self.first_beat if column == BEAT else 1
        result: NDArray[np.int64] = np.maximum(np.where(follows, lowest, 1), least)
        return result

    def _types(self) -> Allowed:
        kind = self.event[:, TYPE]
        allowed = np.zeros((len(kind), len(self.codes[TYPE])), bool)
        largest = self.codes[PLAYER][-1]
        allowed[:, INSTRUMENT] = (kind == START_OF_SONG) | ((kind == INSTRUMENT) & (self.event[:, PLAYER] < largest))
        allowed[:, START_OF_NOTES] = kind == INSTRUMENT
        room = (self.event[:, BEAT] < self.last_beat) | self._beat_has_room()
        allowed[:, NOTE] = (kind == START_OF_NOTES) | ((kind == NOTE) & room)
        allowed[:, END_OF_SONG] = (kind == END_OF_SONG) | ((kind == NOTE) & self.notes)
        return allowed

    def _properties(self, column: int, chosen: Codes) -> Allowed:
        """Of whole music: any velocity, and one tempo and one time signature for all notes that begin together."""
        codes = self.codes[column]
        together = (self.event[:, TYPE] == NOTE) & (chosen[:, BEAT:PITCH] == self.event[:, BEAT:PITCH]).all(1)
        bound = together & (self.event[:, column] > 0) & (column > VELOCITY)
        allowed: Allowed = np.where(bound[:, None], codes == self.event[:, column, None], codes > 0)
        return allowed

    def _players(self, chosen: Codes) -> Allowed:
        codes = self.codes[PLAYER]
        is_instrument = chosen[:, TYPE] == INSTRUMENT
        ascending = (codes > self.event[:, PLAYER, None]) & (codes > 0)
        same_pitch = (self.event[:, TYPE] == NOTE) & (chosen[:, BEAT:DURATION] == self.event[:, BEAT:DURATION]).all(1)
        same_duration = same_pitch & (chosen[:, DURATION] == self.event[:, DURATION])
        playable = np.where(same_pitch[:, None], self._free(), self.listed)
        playable = playable & (~same_duration[:, None] | (codes > self.event[:, PLAYER, None]))
        return np.where(is_instrument[:, None], ascending, playable)
