"""What a user demands of the parts."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from arranger import decoding
from arranger.config import DecodingConfig
from arranger.control import Control, ControlError, Lock, control_of, pitch_number
from arranger.decoding import FREE, NO_LIMIT, assign_seats, note_costs, seat_costs, unison_partners
from arranger.instruments import ensemble
from arranger.mixture import Mixture
from arranger.parts import SATB, PartsError
from arranger.separate import as_separation, merged, separate
from hypothesis import given, settings
from hypothesis import strategies as st
from mixtures import mixture_of, musics
from muspy_core import Music, Note, Track
from muspy_core.io import read


def music_of(*pitches: int, name: str | None = None) -> Music:
    return Music(resolution=24, tracks=[Track(name=name, notes=[Note(0, pitch, 96) for pitch in pitches])])


def note_counts(music: Music) -> Counter[tuple[int, int, int, int]]:
    notes = (n for track in music.tracks if not track.is_drum for n in track.notes)
    return Counter((n.time, n.pitch, n.duration, n.velocity) for n in notes)


@st.composite
def demands(draw: st.DrawFn) -> Control:
    """Some demand of every kind, which need not agree with each other."""
    ranges = draw(st.dictionaries(st.integers(0, 3), st.tuples(st.integers(30, 60), st.integers(60, 90)), max_size=2))
    limits = draw(st.dictionaries(st.integers(0, 3), st.integers(1, 3), max_size=3))
    excluded = draw(st.sampled_from([(), (0,), (1, 2)]))
    return Control(SATB, excluded, ranges, limits)


def cost(way: tuple[int, ...], costs: np.ndarray, seats: np.ndarray) -> float:
    own = sum(float(costs[row, part]) for row, part in enumerate(way))
    return own + sum(float(seats[part, : way.count(part)].sum()) for part in set(way))


@pytest.mark.parametrize("largest_table", [4096, 1])
@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(30, 90), st.integers(FREE, 3)), min_size=1, max_size=5),
    demands(),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.integers(0, 99),
)
def test_an_onset_under_all_demands_gets_its_cheapest_assignment(
    largest_table: int, notes: list[tuple[int, int]], control: Control, sounding: list[int], seed: int
) -> None:
    pitch = np.array([pitch for pitch, _ in notes])
    locks = np.array([FREE if lock in control.excluded else lock for _, lock in notes])
    logits = np.random.default_rng(seed).normal(scale=3, size=(len(notes), 4))
    config = control.decoding(DecodingConfig())
    mixture = Mixture(pitch * 0, pitch, pitch * 0 + 1, pitch)
    costs = note_costs(mixture, control.limited(logits, pitch), SATB, config, locks)
    seats = seat_costs(config, np.array(sounding), np.zeros(4, np.int64), len(notes), control.polyphony)
    best = min(cost(way, costs, seats) for way in product(range(4), repeat=len(notes)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_LARGEST_TABLE", largest_table)
        chosen = tuple(assign_seats(costs, seats).tolist())
    assert cost(chosen, costs, seats) == pytest.approx(best)
    assert all(lock in (FREE, part) for lock, part in zip(locks.tolist(), chosen, strict=True))
    assert not set(chosen) & set(control.excluded)


@pytest.mark.parametrize("mode", ["causal", "online", "offline"])
@settings(max_examples=10)
@given(music=musics(), control=demands())
def test_no_demand_loses_doubles_or_changes_a_note(mode: str, music: Music, control: Control) -> None:
    separation = separate(music, mode=mode, control=control)
    assert note_counts(separation.music) == note_counts(music)
    assert all(not len(separation.music.tracks[part].notes) for part in control.excluded)


@settings(max_examples=15)
@given(music=musics())
def test_unisons_add_parts_but_no_new_note(music: Music) -> None:
    before = note_counts(music)
    separation = separate(music, unisons="double")
    after = note_counts(separation.music)
    assert set(after) == set(before)
    assert sum(after.values()) == sum(before.values()) + len(separation.doubled)


def test_unisons_are_marked_where_they_begin(tmp_path: Path) -> None:
    lines = [[(time, pitch, 24) for time in range(0, 96, 24)] for pitch in (48, 55, 64)]
    music = Music(resolution=24, tracks=[Track(notes=[Note(*note) for line in lines for note in line])])
    source = merged(music)
    pitch = source.mixture.pitch
    label = np.select([pitch == 64, pitch == 55], [0, 2], 3)
    doubled = np.flatnonzero(pitch == 64)
    joining = np.ones(4, np.int64)  # the alto plays with the soprano throughout
    separation = as_separation(music, source, Control(SATB), label, np.ones(len(label)), doubled, joining)
    marks = [(text.time, text.text) for text in separation.music.texts]
    assert marks == [(0, "a 2"), (0, "a 2")], "once for both"
    assert len({text.midi_track for text in separation.music.texts}) == 2
    for name in ("parts.musicxml", "parts.mid"):
        separation.music.write(tmp_path / name)
        back = read(tmp_path / name)
        assert note_counts(back) == note_counts(separation.music), name
        assert "a 2" in [text.text for text in back.texts], name


def test_a_silent_part_joins_the_note_it_would_most_probably_have() -> None:
    mixture = mixture_of([(0, 48, 24), (0, 60, 24)])
    logits = np.log(np.array([[0.01, 0.01, 0.49, 0.49], [0.6, 0.38, 0.01, 0.01]]))
    rows, joining = unison_partners(mixture, logits, np.array([3, 0]), (), 0.25)
    assert list(zip(rows.tolist(), joining.tolist(), strict=True)) == [(1, 1), (0, 2)]
    assert not len(unison_partners(mixture, logits, np.array([3, 0]), (1, 2), 0.25)[0])


def test_a_range_is_kept_where_it_can_be_and_reported_where_not() -> None:
    kept = separate(music_of(72), control=control_of(SATB, ranges=["Soprano=C6-C7"]))
    assert not len(kept.music.tracks[0].notes)
    assert not any("its range" in warning for warning in kept.warnings)
    broken = separate(music_of(20), control=Control(SATB, ranges=dict.fromkeys(range(4), (60, 72))))
    assert len(broken.label) == 1
    assert any("outside its range 60–72" in warning for warning in broken.warnings)


def test_a_polyphony_limit_lets_a_part_play_chords_up_to_it() -> None:
    control = control_of(SATB, excluded=["Alto", "Tenor"], polyphony=["Soprano=2", "Bass=1"])
    separation = separate(music_of(48, 60, 64), control=control)
    assert [len(track.notes) for track in separation.music.tracks] == [2, 0, 0, 1]
    crowded = separate(music_of(48, 60, 64, 67), control=control)
    assert len(crowded.label) == 4
    assert any("at once" in warning for warning in crowded.warnings)
    assert control.polyphony is not None
    assert control.polyphony.tolist() == [2, NO_LIMIT, NO_LIMIT, 1]


def test_locks_are_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "locks.csv"
    path.write_text("onset,pitch,part\n# the tune is in the tenor\n0,C4,Tenor\n0,72,bass\n", encoding="utf-8")
    separation = separate(music_of(60, 72), control=control_of(SATB, locks=path))
    assert separation.label.tolist() == [2, 3]


def test_a_track_can_be_fixed_and_one_note_of_it_freed_by_a_lock() -> None:
    music = music_of(60, 64, name="Tune")
    control = Control(SATB, tracks={"tune": 3}, locks=(Lock(0, 64, 0),))
    assert separate(music, control=control).label.tolist() == [3, 0]
    assert separate(music, control=control_of(SATB, tracks=["1=Alto"])).label.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0,C4", "line 1: a lock is"),
        ("0,H4,Alto", "line 1: 'H4' is no pitch"),
        ("x,C4,Alto", "line 1: 'x' is no onset"),
        ("-1,C4,Alto", "before the beginning"),
        ("0,C4,Tuba", "'Tuba' is not a part"),
        ("0,C5,Alto", "line 1: no note of pitch 72"),
    ],
)
def test_a_bad_lock_is_told_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "locks.csv"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ControlError, match=reason):
        separate(music_of(60), control=control_of(SATB, locks=path))


@pytest.mark.parametrize(
    ("demand", "reason"),
    [
        ({"ranges": ["Soprano"]}, "is not a range"),
        ({"ranges": ["Soprano=C5"]}, "two pitches"),
        ({"ranges": ["Soprano=C5-C4"]}, "above"),
        ({"polyphony": ["Alto=0"]}, "above 0"),
        ({"excluded": ["1", "2", "3", "4"]}, "leave at least one"),
        ({"ensemble": "violin,violin"}, "leave out 2 of Soprano, Alto, Tenor, Bass"),
        ({"ensemble": "violin,violin,viola,cello,tuba"}, "too many: the model's 4; no bundled model has 5"),
        ({"ensemble": "violin,violin,viola,chello"}, "did you mean cello"),
        ({"ensemble": "violin"}, "2 to 8"),
    ],
)
def test_demands_that_cannot_be_are_told(demand: dict[str, object], reason: str) -> None:
    with pytest.raises((ControlError, PartsError), match=reason):
        control_of(SATB, **demand)  # type: ignore[arg-type]  # the values are of several types


def test_a_lock_into_a_part_that_is_left_out_is_refused() -> None:
    with pytest.raises(ControlError, match="left out"):
        Control(SATB, excluded=(1,), locks=(Lock(0, 60, 1),))
    with pytest.raises(ControlError, match="left out"):
        Control(SATB, excluded=(1,), tracks={"Tune": 1})
    with pytest.raises(ControlError, match=r"no track 'Tune'.* 1 Piano"):
        separate(music_of(60, name="Piano"), control=Control(SATB, tracks={"Tune": 1}))


def test_an_ensemble_takes_the_places_of_the_parts_that_are_left() -> None:
    control = control_of(SATB, ensemble="violin,violin,cello", excluded=["Tenor"])
    assert control.parts.names == ("Violin 1", "Violin 2", "Tenor", "Cello")
    assert control.excluded == (2,)
    some = control_of(SATB, ensemble="soprano,bass")
    assert (some.parts, some.excluded) == (SATB, (1, 2))
    assert [part.program for part in ensemble(["flute", "double bass"])] == [73, 43]


@pytest.mark.parametrize(("text", "number"), [("C4", 60), ("f#3", 54), ("Bb2", 46), ("C-1", 0), ("60", 60)])
def test_pitches_are_read_as_people_write_them(text: str, number: int) -> None:
    assert pitch_number(text) == number
