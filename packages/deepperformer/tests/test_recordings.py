"""Data sets, splits, preparation and clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from deepperformer.clips import clip_of, window_starts
from deepperformer.errors import DataError, MelError
from deepperformer.features.notes import music_of, write_rows, write_timings
from deepperformer.features.spectrogram import MelDefinition, log_mel
from deepperformer.prepare import load_prepared, prepare
from deepperformer.recordings import Recording, mean_qpm, read_bach_violin, read_maestro, read_recordings
from deepperformer.splits import split_works
from muspy_core import Audio
from tunes import timings_of, tune


def recording(name: str = "a_tune", performer: str = "a", sound: Path | None = None) -> Recording:
    return Recording(name, performer, "tune", tune(), timings_of(tune()), 100.0, sound)


def noise(seconds: float = 12.0, seed: int = 0) -> Audio:
    samples = np.random.default_rng(seed).normal(0, 0.1, round(16000 * seconds)).clip(-1, 1)
    return Audio(samples.astype(np.float32), 16000)


# --- data sets -------------------------------------------------------------------------------------------------------


def test_the_data_set_has_48_free_recordings_by_5_violinists(bach_folder: Path) -> None:
    recordings = read_bach_violin(bach_folder)
    assert len(recordings) == 48
    assert len({recording.performer for recording in recordings}) == 5
    assert sum(recording.sound is not None for recording in recordings) == 5
    for recording in recordings:
        seconds = (recording.end_s or 0) - recording.start_s
        assert mean_qpm(recording.rows, seconds) == pytest.approx(recording.qpm)
        assert recording.timings is not None
        assert recording.timings.min() >= 0
        assert (np.diff(recording.timings[:, 0]) >= 0).all()


def test_scores_pair_with_recordings_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    music_of(tune()).write(tmp_path / "ann" / "tune.mid")
    noise().write(tmp_path / "ann" / "tune.wav")
    write_timings(tmp_path / "ann" / "tune.csv", timings_of(tune()))
    music_of(tune(1)).write(tmp_path / "ann" / "alone.mid")
    (found,) = read_recordings(tmp_path)
    assert (found.name, found.performer, found.work) == ("ann_tune", "ann", "tune")
    assert np.array_equal(found.rows, tune())
    assert found.qpm == pytest.approx(mean_qpm(tune(), 12.0))


def test_maestro_is_read_in_twentieths_of_a_second(tmp_path: Path) -> None:
    music_of(tune(), qpm=100).write(tmp_path / "song.midi")
    header = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"
    (tmp_path / "maestro-v3.0.0.csv").write_text(f"{header}\nBach,Tune,train,2018,song.midi,song.wav,20\n")
    (found,) = read_maestro(tmp_path)
    assert (found.performer, found.work, found.sound) == ("2018", "Bach: Tune", None)
    assert found.timings is not None
    assert np.abs(found.rows[:, 0] / 20 - found.timings[:, 0]).max() <= 0.025
    assert found.timings[-1, 1] == pytest.approx((tune()[-1, 0] + tune()[-1, 1]) / 24 * 0.6, abs=1e-3)


def test_folders_that_are_no_data_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no score has a recording"):
        read_recordings(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_recordings(tmp_path / "missing")
    with pytest.raises(DataError, match="no Bach Violin Dataset"):
        read_bach_violin(tmp_path)


def test_rows_and_times_must_belong_together() -> None:
    with pytest.raises(DataError, match=r"x: \d+ notes, but times of 3"):
        Recording("x", "a", "w", tune(), timings_of(tune())[:3], 100.0)


# --- splits ----------------------------------------------------------------------------------------------------------


def test_no_work_is_on_two_sides() -> None:
    works = [f"work-{index // 2}" for index in range(60)]
    parts = split_works(["a"] * 60, works, "movement", seed=3)
    assert sorted(index for indices in parts.values() for index in indices) == list(range(60))
    sides = {work: {subset for subset, indices in parts.items() for i in indices if works[i] == work} for work in works}
    assert all(len(found) == 1 for found in sides.values())
    assert parts != split_works(["a"] * 60, works, "movement", seed=4)


def test_folds_hold_out_each_shared_work_once(bach_folder: Path) -> None:
    recordings = read_bach_violin(bach_folder)
    performers, works = [r.performer for r in recordings], [r.work for r in recordings]
    shared = {work for work in works if works.count(work) > 1}
    held_out = []
    for fold in range(1, 6):
        parts = split_works(performers, works, f"fold-{fold}")
        held_out += sorted({works[index] for index in parts["test"]})
        assert not {works[i] for i in parts["test"]} & {works[i] for i in (*parts["train"], *parts["valid"])}
        assert len({works[index] for index in parts["valid"]}) == 1
    assert len(shared) == 17
    assert sorted(held_out) == sorted(shared)


def test_impossible_splits_are_refused() -> None:
    with pytest.raises(DataError, match="choose one of movement"):
        split_works(["a"], ["w"], "by-hand")
    with pytest.raises(DataError, match="part is empty"):
        split_works(["a"], ["w"], "movement")


# --- preparation -----------------------------------------------------------------------------------------------------


def test_prepared_data_have_the_mels_of_the_sound(tmp_path: Path) -> None:
    noise().write(tmp_path / "sound.wav")
    silent = recording("without_sound", "b")
    data = prepare([recording(sound=tmp_path / "sound.wav"), silent], tmp_path / "data", progress=False)
    assert data.sounding == (True, False)
    samples = data.samples_of(0) / 32768
    assert np.abs(samples).max() == pytest.approx(0.95, abs=1e-3)
    assert np.abs(data.mel_of(0) - log_mel(samples, MelDefinition())).max() < 0.02
    assert np.array_equal(data.rows[0], tune())
    assert np.array_equal(data.timings[1], timings_of(tune()))
    with pytest.raises(DataError, match="without_sound"):
        data.mel_of(1)


def test_another_mel_definition_is_refused_by_name(tmp_path: Path) -> None:
    prepare([recording()], tmp_path, progress=False)
    with pytest.raises(MelError, match="hop_length 256"):
        prepare([recording()], tmp_path, definition=MelDefinition(hop_length=128), progress=False)


def test_missing_timings_are_made_by_the_aligner(tmp_path: Path) -> None:
    noise().write(tmp_path / "sound.wav")
    given = Recording("x", "a", "w", tune(), None, 100.0, tmp_path / "sound.wav")
    with pytest.raises(DataError, match="has no timings"):
        prepare([given], tmp_path / "data", progress=False)
    data = prepare([given], tmp_path / "data", align=lambda recording, audio: timings_of(tune()), progress=False)
    assert np.array_equal(data.timings[0], timings_of(tune()))


def test_damaged_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="deepperformer prepare"):
        load_prepared(tmp_path)
    prepare([recording()], tmp_path, progress=False)
    (tmp_path / "notes.npz").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="damaged"):
        load_prepared(tmp_path)


# --- clips -----------------------------------------------------------------------------------------------------------


def test_notes_that_sound_already_are_in_the_clip_with_a_negative_onset() -> None:
    rows = np.array([[0, 48, 60, 64], [48, 24, 62, 64], [72, 24, 64, 64]])
    timings = np.array([[0.0, 2.0], [2.0, 3.0], [9.0, 10.0]])
    clip = clip_of(rows, timings, 1.0, frames=100, frame_s=0.02)
    assert clip.notes[:, 0].tolist() == [-48, 0]
    assert clip.onsets.tolist() == [-50, 50]
    assert clip.durations.tolist() == [100, 50]
    assert clip.anchor == 50


def test_every_note_is_in_some_clip_and_pauses_are_empty() -> None:
    rows, timings = tune(), timings_of(tune())
    starts = window_starts(timings.max() + 5, 312, 0.016)
    clips = [clip_of(rows, timings, start, 312, 0.016) for start in starts]
    assert sum(int((clip.onsets >= 0).sum()) for clip in clips) == len(rows)
    assert len(clip_of(rows, timings, 1000.0, 312, 0.016)) == 0


def test_rows_files_can_be_prepared_by_hand(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv", tune())
    assert (tmp_path / "rows.csv").read_text().startswith("onset,offset,pitch,velocity\n")
