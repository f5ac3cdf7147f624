"""Hypothesis strategies: events of every class, tracks and whole pieces, within and at the edges of what is allowed."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from muspy_core import Metadata, Music, Track
from muspy_core import events as ev
from muspy_core.base import Field
from muspy_core.columns import EventList

EVENT_TYPES = (
    ev.Note,
    ev.Chord,
    ev.Tempo,
    ev.KeySignature,
    ev.TimeSignature,
    ev.Beat,
    ev.Barline,
    ev.Lyric,
    ev.Annotation,
    ev.ControlChange,
    ev.PitchBend,
    ev.Pedal,
    ev.Aftertouch,
    ev.ProgramChange,
    ev.NoteOff,
    ev.Clef,
    ev.Slur,
    ev.Dynamic,
    ev.ChordSymbol,
    ev.Text,
    ev.Marker,
    ev.Repeat,
    ev.MidiMessage,
)

STEPS = st.integers(0, 200) | st.integers(0, 2**40)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(-1e6, 1e6) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Values that a field accepts; None too if it is optional."""
    if field.words:
        values: st.SearchStrategy[Any] = st.sampled_from(field.words)
    elif field.type is bool:
        values = st.just(True)
    elif field.type is object:
        values = JSON_VALUES.filter(lambda value: value is not None)
    elif field.type is str:
        values = WORDS
    elif field.type is bytes:
        values = st.binary(min_size=1, max_size=5)
    elif isinstance(field.type, tuple):
        values = st.floats(1, 1000) | st.integers(1, 1000).map(float)
    elif field.name in ("time", "duration"):
        values = STEPS
    else:
        values = st.integers(0 if field.low is None else int(field.low), 127 if field.high is None else int(field.high))
    if field.is_list:
        values = st.lists(values, min_size=1, max_size=3)
    may_be_none = field.optional and not (field.column and field.none is None)
    return st.none() | values if may_be_none else values


def events_of(event_type: type[ev.Event]) -> st.SearchStrategy[Any]:
    """Events of one class, with any of its optional attributes set."""
    return st.builds(event_type, **{field.name: values_of(field) for field in event_type._fields})


notes = events_of(ev.Note)

# Simple notes collide often: equal times, equal pitches, duplicates.
plain_notes = st.builds(
    ev.Note, st.integers(0, 6), st.integers(58, 62), st.integers(0, 4), st.integers(1, 3), st.none() | st.just("C#")
)


@st.composite
def lists_of(draw: st.DrawFn, event_type: type[ev.Event], max_size: int = 5) -> list[Any]:
    """Lists of events of one class."""
    return draw(st.lists(events_of(event_type), max_size=max_size))


def columnar(event_type: type[ev.Event], items: list[Any]) -> EventList[Any]:
    """An event list in the columnar state, as a reader would make it."""
    objects = EventList(event_type, items)
    side = {field.name: objects.side(field.name) for field in event_type._side_fields}
    return EventList.from_columns(event_type, objects.array.copy(), {n: list(values) for n, values in side.items()})


def container_values(owner: type[Any], max_size: int) -> dict[str, st.SearchStrategy[Any]]:
    """Constructor arguments of a container."""
    arguments: dict[str, st.SearchStrategy[Any]] = {}
    for field in owner._fields:
        if field.name in ("tracks", "metadata", "resolution", "smpte_division", "annotations"):
            continue
        if isinstance(field.type, type) and issubclass(field.type, ev.Event):
            arguments[field.name] = lists_of(field.type, max_size)
        elif field.name == "is_drum":
            arguments[field.name] = st.booleans()
        else:
            arguments[field.name] = values_of(field)
    return arguments


CONTROL_ANNOTATIONS = st.builds(
    ev.Annotation,
    STEPS,
    st.fixed_dictionaries({"number": st.integers(0, 127), "value": st.integers(0, 127)}),
    st.just("control_change"),
)

tracks = st.builds(
    Track,
    **container_values(Track, 2),
    annotations=st.lists(CONTROL_ANNOTATIONS | events_of(ev.Annotation), max_size=3),
)

music = st.builds(
    Music,
    metadata=st.builds(
        Metadata, **{field.name: values_of(field) for field in Metadata._fields if field.name != "schema_version"}
    ),
    resolution=st.integers(1, 480),
    smpte_division=st.none() | st.just((25, 40)),
    **container_values(Music, 2),
    annotations=lists_of(ev.Annotation, 2),
    tracks=st.lists(tracks, max_size=2),
)

# What MusPy has too: notes, tempi and signatures, no field beyond its own.
muspy_notes = st.builds(ev.Note, st.integers(0, 60), st.integers(0, 127), st.integers(0, 40), st.integers(0, 127))
muspy_tracks = st.builds(
    Track,
    program=st.integers(0, 127),
    is_drum=st.booleans(),
    name=st.none() | WORDS,
    notes=st.lists(muspy_notes, max_size=6),
    chords=st.lists(
        st.builds(
            ev.Chord, st.integers(0, 60), st.lists(st.integers(0, 127), min_size=1, max_size=3), st.integers(0, 40)
        ),
        max_size=2,
    ),
    lyrics=st.lists(st.builds(ev.Lyric, st.integers(0, 60), WORDS), max_size=2),
    annotations=st.lists(st.builds(ev.Annotation, st.integers(0, 60), WORDS, st.none() | WORDS), max_size=2),
)
muspy_music = st.builds(
    Music,
    resolution=st.sampled_from([4, 12, 24, 480]),
    tempos=st.lists(
        st.builds(ev.Tempo, st.integers(0, 60), st.floats(20, 300)), max_size=3, unique_by=lambda t: t.time
    ),
    key_signatures=st.lists(
        st.builds(ev.KeySignature, st.integers(0, 60), st.integers(0, 11), st.sampled_from(["major", "minor"])),
        max_size=2,
    ),
    time_signatures=st.lists(
        st.builds(ev.TimeSignature, st.integers(0, 60), st.integers(1, 12), st.sampled_from([2, 4, 8])), max_size=2
    ),
    barlines=st.lists(st.builds(ev.Barline, st.integers(0, 60)), max_size=2),
    beats=st.lists(st.builds(ev.Beat, st.integers(0, 60)), max_size=2),
    lyrics=st.lists(st.builds(ev.Lyric, st.integers(0, 60), WORDS), max_size=2),
    annotations=st.lists(st.builds(ev.Annotation, st.integers(0, 60), WORDS), max_size=2),
    tracks=st.lists(muspy_tracks, max_size=3),
)
