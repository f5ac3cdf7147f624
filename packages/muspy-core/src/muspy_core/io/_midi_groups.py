"""MIDI messages → rows of groups, and notes paired from their ends: the second half of the twin of `_midi.c`.

In arrays over messages, *channel key* is MIDI track × 16 + channel, and *group key* is channel key × 128 + program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.columns import Table, new_array
from muspy_core.events import Aftertouch, ControlChange, Event, Note, NoteOff, PitchBend, ProgramChange
from muspy_core.io._midi_pairing import Bools, Ints, first_of_each, last_of_each, pair, sorted_places
from muspy_core.io.midi_tables import FAULT, GROUP, MESSAGE, TEMPO

BY_NOTE_OFF, BY_NOTE_ON, OPEN = 1, 2, 3
END_OF_TRACK, SET_TEMPO = 0x2F, 0x51
BANK_SELECT = (0, 32)


@dataclasses.dataclass
class Messages:
    """Messages in file order, as arrays of equal length.

    time: ticks from the start of the MIDI track. order: place in it. status: with running status filled in. first,
    second: data bytes. offset, length: of the payload of a meta or system exclusive message, of other's data bytes.
    type: of a meta message.
    """

    time: Ints
    midi_track: Ints
    order: Ints
    status: Ints
    first: Ints
    second: Ints
    offset: Ints
    length: Ints
    type: Ints

    @classmethod
    def none(cls) -> Messages:
        """Return no messages."""
        return cls(*(np.zeros(0, np.int64) for _ in dataclasses.fields(cls)))

    @classmethod
    def from_scan(cls, midi_track: Ints, columns: Ints) -> Messages:
        """Make absolute times, places and stated statuses.

        columns: delta, status (0: running), first, second, offset, length, type: (7, messages).
        """
        delta, status, first, second, offset, length, kind = columns
        starts = first_of_each(midi_track)
        counts = np.diff(starts, append=len(midi_track))
        order = np.arange(len(midi_track)) - np.repeat(starts, counts)
        time = np.cumsum(delta)
        time -= np.repeat(time[starts] - delta[starts], counts)
        in_channel = np.flatnonzero(status < 0xF0)
        stated = np.where(status[in_channel] > 0, np.arange(len(in_channel)), 0)
        status[in_channel] = status[in_channel[np.maximum.accumulate(stated)]]
        return cls(time, midi_track, order, status, first, second, offset, length, kind)

    def __getitem__(self, chosen: Ints) -> Messages:
        return Messages(*(column[chosen] for column in vars(self).values()))

    def __len__(self) -> int:
        return len(self.time)


def tables_of(
    messages: Messages, data: bytes, mode: int, faults: Sequence[tuple[int, int, int]]
) -> tuple[NDArray[Any], ...]:
    """Return six kinds of rows, groups, tempi, messages and faults (see midi_tables.py)."""
    in_channel = messages.status < 0xF0
    channel = _ChannelMessages(messages[np.flatnonzero(in_channel)], _track_ends(messages), mode)
    microseconds = _tempos(messages, data)
    apart = ~in_channel & (microseconds == 0)
    apart[_implied_ends(messages, [midi_track for _, midi_track, _ in faults])] = False
    apart[np.flatnonzero(in_channel)[channel.homeless]] = True
    return (
        *channel.rows(),
        channel.group_rows,
        _filled(
            np.zeros(int((microseconds > 0).sum()), TEMPO),
            microseconds=microseconds[microseconds > 0],
            **_columns(messages[np.flatnonzero(microseconds)], "time", "midi_track", "order"),
        ),
        _filled(
            np.zeros(int(apart.sum()), MESSAGE),
            **_columns(messages[np.flatnonzero(apart)], *MESSAGE.names or ()),
        ),
        np.array(list(faults), FAULT),
    )


def _columns(messages: Messages, *names: str) -> dict[str, Ints]:
    return {name: getattr(messages, name) for name in names}


def _filled(table: Table, **columns: Any) -> Table:
    for name, values in columns.items():
        table[name] = values
    return table


def _track_ends(messages: Messages) -> Ints:
    """The time of the last message of each MIDI track."""
    return messages.time[last_of_each(messages.midi_track)]


def _tempos(messages: Messages, data: bytes) -> Ints:
    """Microseconds a quarter note of each message, 0 where it sets no tempo."""
    microseconds = np.zeros(len(messages), np.int64)
    found = (messages.status == 0xFF) & (messages.type == SET_TEMPO) & (messages.length == 3)
    places = np.flatnonzero(found)
    microseconds[places] = [int.from_bytes(data[i : i + 3], "big") for i in messages.offset[places].tolist()]
    return microseconds


def _implied_ends(messages: Messages, damaged: Sequence[int]) -> Ints:
    """Places of end-of-track messages that go without saying: alone, last, at the time of the message before."""
    is_end = (messages.status == 0xFF) & (messages.type == END_OF_TRACK)
    ends = np.bincount(messages.midi_track[is_end], minlength=1)
    last = last_of_each(messages.midi_track)
    last = last[is_end[last] & (messages.length[last] == 0) & (messages.order[last] > 0)]
    last = last[messages.time[last] == messages.time[last - 1]]
    last = last[ends[messages.midi_track[last]] == 1]
    implied: Ints = last[~np.isin(messages.midi_track[last], damaged)]
    return implied


class _ChannelMessages:
    """Messages of the channels, divided among groups.

    track_ends: (MIDI tracks,), ticks. homeless: places of messages on channels that carry neither notes nor controls.
    group_rows: the table of groups, complete after `rows`.
    """

    def __init__(self, messages: Messages, track_ends: Ints, mode: int) -> None:
        self.m = messages
        self.track_ends = track_ends
        self.kind = messages.status >> 4
        self.on = (self.kind == 0x9) & (messages.second > 0)
        self.off = (self.kind == 0x8) | ((self.kind == 0x9) & (messages.second == 0))
        self.channel_key = messages.midi_track * 16 + (messages.status & 0x0F)
        self.by_channel = sorted_places(self.channel_key)
        self.change = self._last_program_change()
        program = np.where(self.change < 0, 0, messages.first[self.change]) if len(messages) else self.change
        self.group_key = self.channel_key * 128 + program
        self.note_on, self.note_off, self.orphan = pair(messages.first, self.channel_key, self.on, self.off, mode)
        self.note_end, self.group_rows = self._make_groups()
        self.home = self._homes()
        waiting = self.orphan | ((self.kind != 0xB) & ~self.on & ~self.off)
        self.homeless = np.flatnonzero(waiting & (self.home < 0))

    def _last_program_change(self) -> Ints:
        """For each message, the place of the program change that holds on its channel, −1 where there is none."""
        result = np.full(len(self.m), -1)
        is_change = self.kind[self.by_channel] == 0xC
        if is_change.any():
            starts = first_of_each(self.channel_key[self.by_channel])
            start = np.repeat(starts, np.diff(starts, append=len(self.m)))
            change = np.maximum.accumulate(np.where(is_change, np.arange(len(self.m)), -1))
            result[self.by_channel] = np.where(change >= start, self.by_channel[change], -1)
        return result

    def _make_groups(self) -> tuple[Ints, Table]:
        """Number the groups by the first closing note or control change, those of open notes alone last.

        Returns for each note the message that ends it (if it is open: the last one of its channel), and the groups.
        """
        closed, opened = np.flatnonzero(self.note_off >= 0), np.flatnonzero(self.note_off < 0)
        open_on = self.note_on[opened]
        after = np.searchsorted(self.channel_key[self.by_channel], self.channel_key[open_on], "right")
        last = self.by_channel[after - 1]
        note_end = self.note_off.copy()
        note_end[opened] = last
        controls = np.flatnonzero(self.kind == 0xB)
        makers = np.concatenate([self.note_off[closed], controls, last])
        in_file_order = len(self.m) + (self.channel_key[open_on] % 16) * 128 + self.m.first[open_on]
        moments = np.concatenate([self.note_off[closed], controls, in_file_order])
        makers = makers[np.lexsort((moments, self.m.midi_track[makers]))]
        self.keys, first = np.unique(self.group_key[makers], return_index=True)
        by_age = np.argsort(first)
        self.number = np.empty_like(by_age)
        self.number[by_age] = np.arange(len(by_age))
        keys = self.keys[by_age]
        groups = _filled(
            np.zeros(len(keys), GROUP),
            midi_track=keys // 2048,
            channel=keys // 128 % 16,
            program=keys % 128,
            bank=self._banks()[makers[first[by_age]]],
        )
        return note_end, groups

    def _banks(self) -> Ints:
        """The bank in force at each message, −1 where none is: that of the last program change."""
        selects = (self.kind == 0xB) & np.isin(self.m.first, BANK_SELECT)
        banks = np.full(len(self.m) + 1, -1)  # the last one stands for no program change
        selected: dict[int, list[int]] = {}
        for i in np.flatnonzero(selects | (self.kind == 0xC)).tolist() if selects.any() else ():
            halves = selected.setdefault(int(self.channel_key[i]), [-1, -1])
            if self.kind[i] == 0xB:
                halves[int(self.m.first[i] == BANK_SELECT[1])] = int(self.m.second[i])
            elif max(halves) >= 0:
                banks[i] = max(halves[0], 0) * 128 + max(halves[1], 0)
        return banks[self.change]

    def _group_of(self, group_key: Ints) -> Ints:
        """Return the number of the group of each key, −1 where there is none."""
        if not len(self.keys):
            return np.full(len(group_key), -1)
        place = np.minimum(np.searchsorted(self.keys, group_key), len(self.keys) - 1)
        return np.where(self.keys[place] == group_key, self.number[place], -1)

    def _homes(self) -> Ints:
        """The group that takes each message: that of its program, else its channel's first, else −1."""
        home = self._group_of(self.group_key)
        if len(self.keys):
            starts = first_of_each(self.keys // 128)
            channels, oldest = self.keys[starts] // 128, np.minimum.reduceat(self.number, starts)
            place = np.minimum(np.searchsorted(channels, self.channel_key), len(channels) - 1)
            home = np.where((home < 0) & (channels[place] == self.channel_key), oldest[place], home)
        return home

    def rows(self) -> tuple[Table, ...]:
        """Return notes, controls, bends, aftertouches, programs and note-offs, each group by group."""
        m, by_key, by_note_off = self.m, self.kind == 0xA, self.kind == 0x8
        own = self._group_of(self.group_key) >= 0
        return (
            self._notes(),
            self._rows(1, ControlChange, self.kind == 0xB, number=m.first, value=m.second),
            self._rows(2, PitchBend, self.kind == 0xE, value=(m.second << 7 | m.first) - 8192),
            self._rows(
                3,
                Aftertouch,
                by_key | (self.kind == 0xD),
                value=np.where(by_key, m.second, m.first),
                pitch=np.where(by_key, m.first, -1),
            ),
            self._rows(4, ProgramChange, self.kind == 0xC, program=np.where(own, -1, m.first)),
            self._rows(
                5,
                NoteOff,
                self.orphan,
                pitch=m.first,
                velocity=m.second,
                off_kind=np.where(by_note_off, BY_NOTE_OFF, BY_NOTE_ON),
            ),
        )

    def _rows(self, kind: int, event_type: type[Event], chosen: Bools, **columns: Ints) -> Table:
        places = np.flatnonzero(chosen & (self.home >= 0))
        places = places[np.argsort(self.home[places], kind="stable")]
        self._number_rows(kind, self.home[places])
        columns.update(time=self.m.time, order=self.m.order)
        rows = new_array(event_type, len(places))
        return _filled(rows, **{name: values[places] for name, values in columns.items()})

    def _number_rows(self, kind: int, groups: Ints) -> None:
        counts = np.bincount(groups, minlength=len(self.group_rows))
        self.group_rows["start"][:, kind] = np.cumsum(counts) - counts

    def _notes(self) -> Table:
        m, on, end = self.m, self.note_on, self.note_end
        is_open = self.note_off < 0
        off_kind = np.where(is_open, OPEN, np.where(self.kind[end] == 0x8, BY_NOTE_OFF, BY_NOTE_ON))
        end_time = np.where(is_open, self.track_ends[m.midi_track[on]], m.time[end]) if len(on) else on
        group = self._group_of(self.group_key[end])
        notes = _filled(
            new_array(Note, len(on)),
            time=m.time[on],
            pitch=m.first[on],
            duration=end_time - m.time[on],
            velocity=m.second[on],
            off_velocity=np.where(off_kind == BY_NOTE_OFF, m.second[end], -1),
            off_kind=off_kind,
            order=m.order[on],
            off_order=np.where(is_open, -1, m.order[end]),
        )
        by_time = _note_order(on, notes, group)
        notes, group = notes[by_time], group[by_time]
        self._number_rows(0, group)
        self._state_usual_ends(notes, group)
        return notes

    def _state_usual_ends(self, notes: Table, group: Ints) -> None:
        """Say once, in the group, how most of its notes end; leave it with the notes that end otherwise."""
        n_groups, by_off = len(self.group_rows), notes["off_kind"] == BY_NOTE_OFF
        kinds = np.bincount(group * 4 + notes["off_kind"], minlength=4 * n_groups).reshape(-1, 4)
        preferred = np.array([BY_NOTE_ON, BY_NOTE_OFF, OPEN])
        usual = preferred[kinds[:, preferred].argmax(axis=1)]
        velocities = np.bincount(group[by_off] * 128 + notes["off_velocity"][by_off], minlength=128 * n_groups)
        velocities = velocities.reshape(-1, 128)
        velocity = np.where(velocities[:, 64] == velocities.max(axis=1), 64, velocities.argmax(axis=1))
        self.group_rows["off_kind"] = np.where(usual == BY_NOTE_ON, 0, usual)
        self.group_rows["off_velocity"] = np.where(velocity == 64, -1, velocity)
        notes["off_kind"][notes["off_kind"] == usual[group]] = 0
        notes["off_velocity"][notes["off_velocity"] == velocity[group]] = -1


def _note_order(note_on: Ints, notes: Table, group: Ints) -> Ints:
    """Sort notes by group, time, pitch, duration, velocity and place.

    Messages come in order of time, so that only simultaneous notes are left to be sorted among themselves.
    """
    by_time = np.argsort(note_on)
    by_time = by_time[sorted_places(group[by_time])]
    time, group = notes["time"][by_time], group[by_time]
    joined = (time[1:] == time[:-1]) & (group[1:] == group[:-1])
    in_chord = np.concatenate([[False], joined]) | np.concatenate([joined, [False]])
    chords = np.flatnonzero(in_chord[: len(time)])
    if len(chords):
        members = by_time[chords]
        keys = [notes[name][members] for name in ("order", "velocity", "duration", "pitch")]
        by_time[chords] = members[np.lexsort((*keys, time[chords], group[chords]))]
    return by_time
