"""Music → the same notes in parts: merge all pitched tracks, label every note, build one track for each part (§4.3).

Every note of the input is in exactly one part of the output, with its onset, pitch, duration and velocity unchanged.
Symbols: n notes, K parts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from muspy_core import Chord, Clef, ControlChange, EventList, Lyric, Music, Note, PitchBend, Text, Track
from muspy_core.columns import new_array
from muspy_core.errors import MuspyError
from numpy.typing import NDArray

from arranger.beam import OVERLAP_PENALTY, decode_jointly
from arranger.checkpoint import Checkpoint, has_mode, load_checkpoint
from arranger.control import Control
from arranger.decoding import FREE, decode, decode_causally, log_softmax, unison_partners
from arranger.inference import tagger_of
from arranger.mixture import RESOLUTION, Integers, Mixture, as_mixture
from arranger.parts import PartSet
from arranger.performance import as_performed, is_on_grid

Unisons = Literal["single", "double"]

DOUBTFUL = 0.6  # a note whose part is less probable than this is marked for a second look
# A silent part joins a note in unison if the model gives it at least this probability.
DOUBLING = 0.25
_NOTE_SIDES = ("pitch_str", "articulations", "ornaments")


class SeparationError(MuspyError):
    """Music that cannot be separated."""


@dataclass(frozen=True)
class Separation:
    """Music in parts, and how sure the model was.

    music: one track a part (in the order of the part set, empty ones too), then the untouched percussion tracks.
    mixture: the notes that were separated. origin: (n,) index of the input's track that each comes from. label: (n,)
    part of each. confidence: (n,) probability of that part, before decoding. part_rows: for each part the notes of the
    mixture that its track holds, in the order of the track. doubled: notes that two parts play in unison, so that two
    tracks hold them.
    warnings: what could not be done as it should be, one sentence each.
    """

    music: Music
    parts: PartSet
    mixture: Mixture
    origin: Integers
    label: Integers
    confidence: NDArray[np.float64]
    part_rows: list[Integers] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    doubled: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def doubtful(self) -> NDArray[np.bool_]:
        """Which notes are worth a second look, (n,)."""
        return self.confidence < DOUBTFUL

    def agreement(self, music: Music) -> float | None:
        """Return the share of notes that the input has in the same part, by the names of its tracks.

        music: the input. None if a track with notes is not named after a part.
        """
        named = [self.parts.label_of(track.name or "") for track in music.tracks]
        true = [named[track] for track in self.origin.tolist()]
        if any(label is None for label in true):
            return None
        return float((np.array(true) == self.label).mean())


@dataclass(frozen=True)
class Source:
    """The merged notes of all pitched tracks, in the mixture's order.

    table: (n,) note columns. sides: their side columns. track: (n,) index of the track a note comes from.
    """

    mixture: Mixture
    table: NDArray[np.void]
    sides: Mapping[str, list[object]]
    track: Integers

    def seconds(self, music: Music) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the beginning and the end of every note in seconds, (n,) each, by the tempo of the music."""
        times = music.tempo_map.seconds
        return times(self.table["time"]), times(self.table["time"] + self.table["duration"])


def separate(
    music: Music,
    model: str | os.PathLike[str] | Checkpoint = "bach-chorales",
    mode: str = "online",
    *,
    locks: Integers | None = None,
    excluded_parts: Sequence[str] = (),
    control: Control | None = None,
    unisons: Unisons = "single",
) -> Separation:
    """Separate music into the parts of a model.

    Args:
        music: The music; all tracks but percussion are merged first. It is not changed.
        model: A bundled name, a model folder, or a loaded checkpoint.
        mode: "online" (notes of one onset are labelled together, without looking ahead), "offline" (the whole piece is
            read first), "causal" (note by note), or "tempo-free" (offline, and without time in beats). Offline, music
            that keeps to no beat goes to the tempo-free model, if there is one beside.
        locks: (n,) part that a note of the mixture must have, `decoding.FREE` for any; see `merge`.
        excluded_parts: Names of parts that stay empty.
        control: Names, ranges, polyphony limits and locks of the parts, instead of `excluded_parts`.
        unisons: "single" (a note is in one part) or "double" (a part that would be silent joins the note that it would
            most probably have: one key of the player for two parts).

    Raises ModelError for an unknown model, SeparationError if there is no pitched note or no part left, ControlError
    for demands that do not fit the music.
    """
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model, mode)
    if control is None:
        own = checkpoint.config.part_set
        excluded = tuple(sorted({own.index(name) for name in excluded_parts}))
        if len(excluded) == len(own):
            raise SeparationError(f"all {len(own)} parts are excluded; leave at least one")
        control = Control(own, excluded)
    source = merged(music)
    on_grid = is_on_grid(source.table["time"], music.resolution)
    if mode == "offline" and not on_grid and not isinstance(model, Checkpoint) and has_mode(model, "tempo-free"):
        checkpoint = load_checkpoint(model, "tempo-free")
    demanded = control.locked(source.mixture, source.track, [track.name for track in music.tracks])
    demanded = demanded if locks is None else locks
    heard, order = _as_heard(source, music, checkpoint)
    logits = _unsorted(tagger_of(checkpoint).logits(heard), order)
    limited = control.limited(logits, source.mixture.pitch)
    chosen = _decode(checkpoint, heard, limited[order], control, None if demanded is None else demanded[order])
    label = _unsorted(chosen, order)
    confidence = np.exp(log_softmax(logits))[np.arange(len(label)), label]
    doubled = joining = np.zeros(0, np.int64)
    if unisons == "double":
        doubled, joining = unison_partners(source.mixture, limited, label, control.excluded, DOUBLING)
    separation = as_separation(music, source, control, label, confidence, doubled, joining)
    if checkpoint.config.reads_time and on_grid:
        return separation
    return replace(separation, warnings=(*separation.warnings, _without_beat(checkpoint, mode)))


def as_separation(
    music: Music,
    source: Source,
    control: Control,
    label: Integers,
    confidence: NDArray[np.float64],
    doubled: Integers | None = None,
    joining: Integers | None = None,
) -> Separation:
    """Return the music in parts, given the part and the confidence of every note of its mixture, (n,) each.

    doubled, joining: rows of notes that one more part plays, and which part it is.
    """
    parts = control.parts
    rows = [np.flatnonzero(label == part) for part in range(len(parts))]
    if doubled is None or joining is None:
        doubled = joining = np.zeros(0, np.int64)
    rows = [np.sort(np.append(own, doubled[joining == part])) for part, own in enumerate(rows)]
    separated, left_out = _assemble(music, source, parts, rows)
    if len(doubled):
        _mark_unisons(separated, source, label, doubled, joining, rows)
    warnings = (
        *_rounded(source, music.resolution),
        *_warnings(source.mixture, label, parts),
        *_broken(source.mixture, label, control),
        *left_out,
    )
    return Separation(separated, parts, source.mixture, source.track, label, confidence, rows, warnings, doubled)


def _as_heard(source: Source, music: Music, checkpoint: Checkpoint) -> tuple[Mixture, Integers]:
    """Return the notes as a model reads them, and which notes of the mixture they are, (n,)."""
    if checkpoint.config.reads_time:
        return source.mixture, np.arange(len(source.mixture))
    return as_performed(*source.seconds(music), source.mixture.pitch, source.mixture.velocity)


def _unsorted(values: NDArray[Any], order: Integers) -> NDArray[Any]:
    """Return rows in the order of the mixture, given those of notes in another `order`."""
    result = np.empty_like(values)
    result[order] = values
    return result


def merge(music: Music) -> Mixture:
    """Return the mixture that `separate` labels: the notes of all tracks but percussion."""
    return merged(music).mixture


def _decode(
    checkpoint: Checkpoint,
    mixture: Mixture,
    logits: NDArray[np.floating],
    control: Control,
    locks: Integers | None,
) -> Integers:
    parts, polyphony = control.parts, control.polyphony
    decoding = control.decoding(checkpoint.decoding)
    knowledge = checkpoint.config.knowledge
    if knowledge == "causal":
        return decode_causally(mixture, logits, parts, decoding, locks, polyphony)
    if knowledge == "offline":
        decoding = replace(decoding, overlap_penalty=OVERLAP_PENALTY)
        if polyphony is None:  # the search over the whole piece knows parts of one voice only
            return decode_jointly(mixture, logits, parts, decoding, locks)
    return decode(mixture, logits, parts, decoding, locks, polyphony)


# ---- tracks → one table


def merged(music: Music) -> Source:
    """Return the notes of all tracks but percussion; raises SeparationError if there is none."""
    tables, owners = [], []
    sides: dict[str, list[object]] = {name: [] for name in _NOTE_SIDES}
    for index, track in enumerate(music.tracks):
        if track.is_drum:
            continue
        for notes in (track.notes, _notes_of_chords(track)):
            tables.append(notes.array)
            owners.append(np.full(len(notes), index))
            for name, values in sides.items():
                values.extend(notes.side(name))
    if not sum(map(len, tables)):
        drums = sum(len(track.notes) for track in music.tracks if track.is_drum)
        there = f"only percussion ({drums} notes)" if drums else "no note"
        source = music.metadata.source_filename
        raise SeparationError(f"{source + ': ' if source else ''}there is {there} to separate")
    table = np.concatenate(tables)
    mixture, order = as_mixture(table, music.resolution)
    chosen = order.tolist()
    ordered = {name: [values[i] for i in chosen] for name, values in sides.items()}
    return Source(mixture, table[order], ordered, np.concatenate(owners)[order])


def _notes_of_chords(track: Track) -> EventList[Note]:
    """The members of MusPy chord events as notes."""
    notes = EventList(Note)
    for chord in track.chords:
        notes.extend(Note(chord.time, pitch, chord.duration, chord.velocity) for pitch in _pitches(chord))
    return notes


def _pitches(chord: Chord) -> list[int]:
    return list(chord.pitches)


# ---- one table → parts


def _assemble(music: Music, source: Source, parts: PartSet, rows: Sequence[Integers]) -> tuple[Music, list[str]]:
    """Return the music in parts, and what of the input has no place in it."""
    tracks = []
    for part, chosen in zip(parts.parts, rows, strict=True):
        notes = _clean(source.table[chosen])
        picked = chosen.tolist()
        sides = {
            name: [values[i] for i in picked] if any(values[i] is not None for i in picked) else None
            for name, values in source.sides.items()
        }
        track = Track(program=part.program, name=part.name)
        track.notes = EventList.from_columns(Note, notes, sides)
        track.clefs = [Clef(0, *part.clef)] if part.clef[2] else [Clef(0, part.clef[0], part.clef[1])]
        tracks.append(track)
    _share_lyrics(music, source, rows, tracks)
    left_out = _share_controllers(music, tracks)
    result = music.deepcopy()
    result.tracks = [*tracks, *(track.deepcopy() for track in music.tracks if track.is_drum)]
    result.midi_format = None
    return result, left_out


def _mark_unisons(
    music: Music, source: Source, label: Integers, doubled: Integers, joining: Integers, rows: Sequence[Integers]
) -> None:
    """Write "a 2" over both parts where one begins to play in unison with another; a text finds its track by number."""
    first = 1 + max((track.midi_track for track in music.tracks if track.midi_track is not None), default=-1)
    for part in range(len(rows)):
        music.tracks[part].midi_track = first + part
    for text in music.texts:
        text.midi_track = None  # the tracks of the input are gone
    partner = np.full((len(rows), len(label)), FREE)
    partner[joining, doubled] = label[doubled]
    marks = set()
    for part, own in enumerate(rows):
        with_whom = partner[part, own]
        begins = np.flatnonzero((with_whom != FREE) & (with_whom != np.append(FREE, with_whom[:-1])))
        for time, other in zip(source.table["time"][own[begins]].tolist(), with_whom[begins].tolist(), strict=True):
            marks |= {(time, part), (time, other)}
    for time, part in sorted(marks):
        music.texts.append(Text(time, "a 2", "words", midi_track=first + part))


def _clean(table: NDArray[np.void]) -> NDArray[np.void]:
    """Keep what belongs to a note wherever it stands; voice, staff, channel and file position belonged to its track."""
    notes = new_array(Note, len(table))
    for name in ("time", "pitch", "duration", "velocity", "off_velocity", "off_kind", "tie", "grace", "cue"):
        notes[name] = table[name]
    return notes


def _share_lyrics(music: Music, source: Source, rows: Sequence[Integers], tracks: Sequence[Track]) -> None:
    """Give each syllable to the part that took the highest of its track's notes at that time, else to the first."""
    label = np.zeros(len(source.mixture), np.int64)
    for part, chosen in enumerate(rows):
        label[chosen] = part
    for index, track in enumerate(music.tracks):
        if track.is_drum or not len(track.lyrics):
            continue
        own = np.flatnonzero(source.track == index)
        own = own[np.lexsort((source.table["pitch"][own], source.table["time"][own]))]
        part_at = dict(zip(source.table["time"][own].tolist(), label[own].tolist(), strict=True))
        for lyric in track.lyrics:
            tracks[part_at.get(lyric.time, 0)].lyrics.append(Lyric(lyric.time, lyric.lyric, verse=lyric.verse))


def _share_controllers(music: Music, tracks: Sequence[Track]) -> list[str]:
    """Give the controllers and bends of a single input track to every part; those of several have no one home."""
    sources = [t for t in music.tracks if not t.is_drum and (len(t.notes) or len(t.chords))]
    playing = [t for t in sources if len(t.control_changes) or len(t.pitch_bends)]
    if not playing:
        return []
    if len(sources) > 1:
        return ["controllers and pitch bends of merged tracks are left out"]
    for track in tracks:
        track.control_changes = [ControlChange(c.time, c.number, c.value) for c in playing[0].control_changes]
        track.pitch_bends = [PitchBend(b.time, b.value) for b in playing[0].pitch_bends]
    return []


# ---- what could not be done


def _without_beat(checkpoint: Checkpoint, mode: str) -> str:
    """Say what was made of music that keeps to no beat, or was taken to."""
    if checkpoint.config.reads_time:
        return "the notes keep to no beat, which the model counts on; a model without time may do better"
    asked = "" if mode == "tempo-free" else ", as the notes keep to no beat"
    return f"read by the model without time{asked}: only order and what sounds together count"


def _rounded(source: Source, resolution: int) -> list[str]:
    """Say how many onsets lie between the steps of the model's grid; the output keeps them as they are."""
    between = int((source.table["time"] * RESOLUTION % resolution != 0).sum())
    if not between:
        return []
    return [f"the model read {_counted(between, 'onset')} rounded to 1/{RESOLUTION} quarter; the output keeps them"]


def _warnings(mixture: Mixture, label: Integers, parts: PartSet) -> list[str]:
    found = []
    onsets, sizes = np.unique(mixture.onset, return_counts=True)
    crowded = sizes > len(parts)
    if crowded.any():
        first = onsets[crowded][0] / RESOLUTION
        found.append(
            f"at {_counted(int(crowded.sum()), 'onset')} there are more notes than the {len(parts)} parts "
            f"(first at quarter {first:g}); some parts play several notes there"
        )
    low, high = np.array([[part.low, part.high] for part in parts.parts]).T
    outside = (mixture.pitch < low[label]) | (mixture.pitch > high[label])
    if outside.any():
        first = mixture.onset[outside][0] / RESOLUTION
        found.append(
            f"{_counted(int(outside.sum()), 'note')} outside the usual range of a part (first at quarter {first:g})"
        )
    return found


def _broken(mixture: Mixture, label: Integers, control: Control) -> list[str]:
    """Say which demands could not be met."""
    found = []
    for part, (low, high) in sorted(control.ranges.items()):
        pitch = mixture.pitch[label == part]
        outside = int(((pitch < low) | (pitch > high)).sum())
        if outside:
            found.append(f"{_counted(outside, 'note')} of {control.parts.names[part]} outside its range {low}–{high}")
    for part, limit in sorted(control.limits.items()):
        chosen = label == part
        onset, end = mixture.onset[chosen], np.sort(mixture.offset[chosen])
        started = np.searchsorted(onset, onset, side="right")  # with those of the same onset
        together = started - np.searchsorted(end, onset, side="right")
        over = len(np.unique(onset[together > limit]))
        if over:
            found.append(f"{control.parts.names[part]} plays more than {limit} at once at {_counted(over, 'onset')}")
    return found


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
