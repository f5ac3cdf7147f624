"""Song statistics: keys, tempos, lengths, and the tables and figures of a page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import joblib
import muspy_core as m
import numpy as np
import pytest
from muspy_core.analysis.chords import (
    annotated_chords,
    chord_agreement,
    estimate_chords,
    measure_chords,
    segment_pitch_classes,
)
from muspy_core.analysis.figures import save_figures
from muspy_core.analysis.keys import (
    PROFILES,
    Key,
    count_relations,
    declared_key,
    estimate_key,
    estimate_keys,
    key_correlations,
    parse_key,
    relation,
)
from muspy_core.analysis.pages import PageError, analysis_tables, replace_section
from muspy_core.analysis.songs import initial_tempo, measure_songs
from muspy_core.analysis.summary import load_statistics, save_statistics, summarise
from muspy_core.datasets.sources import Indexed

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def scale(tonic: int, steps: tuple[int, ...] = MAJOR_SCALE, **attributes: object) -> m.Music:
    notes = [m.Note(12 * i, 60 + tonic + step, 24 if step % 12 in (0, 7) else 12) for i, step in enumerate(steps)]
    return m.Music(resolution=12, tracks=[m.Track(notes=notes)], **attributes)  # type: ignore[arg-type] # Music's own


@pytest.mark.parametrize("profile", ["krumhansl", "temperley"])
def test_a_profile_is_recognised_as_its_own_key_in_all_24_keys(profile: str) -> None:
    rows = PROFILES[profile]  # type: ignore[index] # parametrised
    durations = np.stack([np.roll(row, tonic) for row in rows for tonic in range(12)])
    assert estimate_keys(durations, profile).tolist() == list(range(24))  # type: ignore[arg-type]
    assert np.diag(key_correlations(durations, profile)) == pytest.approx(1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("profile", "name"), [("krumhansl", "KrumhanslKessler"), ("temperley", "TemperleyKostkaPayne")]
)
def test_profiles_are_those_that_music21_holds(profile: str, name: str) -> None:
    discrete = pytest.importorskip("music21.analysis.discrete")
    peer = getattr(discrete, name)()
    for row, mode in zip(PROFILES[profile], ("major", "minor"), strict=True):  # type: ignore[index] # parametrised
        assert row == pytest.approx(peer.getWeights(mode))


def test_keys_follow_transposition() -> None:
    assert [str(estimate_key(scale(tonic))) for tonic in (0, 5, 10)] == ["C major", "F major", "B♭ major"]


def test_a_harmonic_minor_scale_is_minor() -> None:
    assert estimate_key(scale(9, (0, 2, 3, 5, 7, 8, 11, 12))) == Key(9, "minor")


def test_drums_and_equal_weights_suggest_no_key() -> None:
    drums = m.Music(tracks=[m.Track(is_drum=True, notes=[m.Note(0, 36, 4)])])
    assert estimate_key(drums) is None
    assert estimate_key(m.Music(tracks=[m.Track(notes=[m.Note(0, pitch, 4) for pitch in range(60, 72)])])) is None


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="krumhansl, temperley, got 'bach'"):
        estimate_keys(np.ones((1, 12)), "bach")  # type: ignore[arg-type] # what the test is of


@pytest.mark.parametrize(("key", "fifths"), [("C:maj", 0), ("A:min", 0), ("D:maj", 2), ("Eb:min", 6), ("Db:maj", -5)])
def test_keys_have_their_signatures(key: str, fifths: int) -> None:
    parsed = parse_key(key)
    assert parsed is not None
    assert parsed.fifths == fifths
    assert Key.of(parsed.number) == parsed


@pytest.mark.parametrize("label", ["N", "", "H:maj", "C:dim", "C"])
def test_other_labels_are_no_keys(label: str) -> None:
    assert parse_key(label) is None


def test_relations_are_those_of_mirex() -> None:
    truth = Key(0, "major")
    estimates = [Key(0, "major"), Key(7, "major"), Key(5, "major"), Key(9, "minor"), Key(0, "minor"), Key(2, "major")]
    names = ["same", "fifth", "fifth", "relative", "parallel", "other"]
    assert [relation(estimate, truth) for estimate in estimates] == names
    counts = count_relations([(estimate, truth) for estimate in estimates])
    assert counts == {"same": 1, "fifth": 2, "relative": 1, "parallel": 1, "other": 1}


def test_only_a_root_with_a_mode_declares_a_key() -> None:
    def declaring(**signature: object) -> m.Music:
        return m.Music(key_signatures=[m.KeySignature(0, **signature)])  # type: ignore[arg-type] # KeySignature's own

    assert declared_key(declaring(root=9, mode="minor")) == Key(9, "minor")
    assert declared_key(declaring(fifths=1)) is None
    assert declared_key(declaring(root=2, mode="dorian")) is None
    assert declared_key(m.Music()) is None


def test_the_initial_tempo_is_the_earliest() -> None:
    assert initial_tempo(m.Music(tempos=[m.Tempo(5, 90), m.Tempo(0, 70)])) == 70
    assert initial_tempo(m.Music()) is None


class OneIsDamaged(Indexed):
    def music(self, index: int) -> m.Music:
        if index == 1:
            raise m.MIDIError("song.mid: ends inside track 3")
        return super().music(index)


def songs() -> OneIsDamaged:
    pieces = [
        scale(0, tempos=[m.Tempo(0, 120)], key_signatures=[m.KeySignature(0, 0, "major", 0)]),
        scale(0),
        scale(5, tempos=[m.Tempo(0, 60)], key_signatures=[m.KeySignature(0, fifths=-1)]),
        scale(2, key_signatures=[m.KeySignature(0, 2, "dorian", 0)]),
        scale(9, (0, 2, 3, 5, 7, 8, 11, 12), key_signatures=[m.KeySignature(0, 9, "minor", 0)]),
        scale(10, annotations=[m.Annotation(0, "Bb:maj", "key")]),
    ]
    return OneIsDamaged(pieces)


def test_statistics_tell_missing_from_default() -> None:
    statistics = summarise("made up", measure_songs(songs(), progress=False))
    assert (statistics.songs, statistics.failed) == (5, 1)
    assert (statistics.tempos.n, statistics.tempos.missing, statistics.at_default_tempo) == (2, 3, 1)
    assert statistics.tempos.median == 90
    assert statistics.lengths.median == pytest.approx(4.5)
    assert (sum(statistics.declared), statistics.no_signature) == (2, 1)
    assert (statistics.no_mode, statistics.other_modes) == (1, 1)
    assert statistics.minor_share == 0.5
    assert statistics.estimated_minor_share == 0.2
    assert statistics.estimated_with_declared["temperley"]["same"] == 2
    assert statistics.same_signature == (3, 3)
    assert statistics.estimated_with_annotated["krumhansl"]["same"] == 1
    assert statistics.declared_with_annotated == {}


def test_jobs_count_what_one_counts() -> None:
    alone = measure_songs(songs(), progress=False)
    with joblib.parallel_config("threading"):
        together = measure_songs(songs(), 2, progress=False)
    assert together.names == alone.names
    assert together.failed == alone.failed
    assert summarise("made up", together) == summarise("made up", alone)


def test_statistics_survive_their_file(tmp_path: Path) -> None:
    statistics = summarise("made up", measure_songs(songs(), progress=False))
    save_statistics(tmp_path / "made-up.json", statistics)
    assert load_statistics(tmp_path / "made-up.json") == statistics


def test_an_empty_data_set_has_empty_statistics() -> None:
    statistics = summarise("empty", measure_songs(Indexed([]), progress=False))
    assert statistics.songs == statistics.lengths.n == 0
    assert np.isnan(statistics.minor_share)
    assert "| empty | 0 | 0 |" in analysis_tables([statistics])["lengths"]


def test_the_same_statistics_give_the_same_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pieces = [scale(tonic, tempos=[m.Tempo(0, 60 + 5 * tonic)]) for tonic in range(12)] * 2
    statistics = summarise("made up", measure_songs(Indexed(pieces), progress=False))
    both = [statistics, dataclasses.replace(statistics, name="twice")]
    first, again = save_figures(both, tmp_path / "a"), save_figures(both, tmp_path / "b")
    assert [path.name for path in first] == ["song-lengths.svg", "initial-tempos.svg", "keys.svg"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert "twice" in one.read_text(encoding="utf-8")


def test_a_section_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin a -->\nold\n<!-- end a -->\nafter\n", encoding="utf-8")
    for text in ("new", "newer"):
        replace_section(page, "a", text)
    assert page.read_text(encoding="utf-8") == "before\n<!-- begin a -->\n\nnewer\n\n<!-- end a -->\nafter\n"
    with pytest.raises(PageError, match="begin b"):
        replace_section(page, "b", "new")


def progression(*chords: tuple[int, ...], **attributes: object) -> m.Music:
    """One chord a beat of 12 steps."""
    notes = [m.Note(12 * beat, 60 + step, 12) for beat, chord in enumerate(chords) for step in chord]
    return m.Music(resolution=12, tracks=[m.Track(notes=notes)], **attributes)  # type: ignore[arg-type] # Music's own


C, F, G, A_MINOR = (0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16)


def test_pitch_classes_of_segments_are_those_of_every_step() -> None:
    rng = np.random.default_rng(0)
    notes = [m.Note(int(rng.integers(40)), int(rng.integers(30, 90)), int(rng.integers(12))) for _ in range(50)]
    music = m.Music(resolution=4, tracks=[m.Track(notes=notes), m.Track(is_drum=True, notes=[m.Note(0, 40, 50)])])
    times = np.array([0, 3, 4, 20, 37, 60])
    expected = np.zeros((5, 12))
    for note in notes:
        for step in range(note.start, note.end):
            expected[np.searchsorted(times, step, side="right") - 1, note.pitch % 12] += 1
    np.testing.assert_array_equal(segment_pitch_classes(music, times), expected)


def test_each_beat_has_its_triad() -> None:
    chords = estimate_chords(progression(C, F, G, A_MINOR, C))
    assert chords.numbers.tolist() == [0, 5, 7, 9 + 12, 0]
    assert chords.times.tolist() == [0, 12, 24, 36, 48, 60]


def test_a_passing_note_does_not_change_the_chord_where_changes_have_a_price() -> None:
    music = progression(C, C, (0, 4, 9), C, C)
    assert estimate_chords(music, change=0.4).numbers.tolist() == [0] * 5
    assert estimate_chords(music, change=0.0).numbers.tolist() == [0, 0, 21, 0, 0]


def test_silent_beats_have_no_chord() -> None:
    assert estimate_chords(progression(C, (), C)).numbers.tolist() == [0, -1, 0]
    assert estimate_chords(m.Music(resolution=12)).numbers.tolist() == [-1]


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("C:maj", 0),
        ("F#:min7/5", 18),
        ("Bb:7", 10),
        ("G:maj6", 7),
        ("D", 2),
        ("N", -1),
        ("C:sus4", -2),
        ("B:hdim7", -2),
    ],
)
def test_labels_are_reduced_to_triads(label: str, number: int) -> None:
    music = m.Music(resolution=12, annotations=[m.Annotation(0, label, "chord")])
    assert annotated_chords(music).numbers.tolist() == [number]


def test_agreement_counts_time_where_a_triad_is_annotated() -> None:
    labels = [m.Annotation(12 * beat, label, "chord") for beat, label in enumerate(["C:maj", "G:maj", "N", "A:min"])]
    music = progression(C, F, G, A_MINOR, annotations=labels)
    assert chord_agreement(music, change=0.0) == (24, 36)
    recall = measure_chords("made up", Indexed([music, music, m.Music(tracks=[])]), 1, progress=False)
    assert (recall.songs, recall.recall) == (1, pytest.approx(2 / 3))
