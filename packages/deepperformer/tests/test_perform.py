"""Whole performances: chained timings, windows, streams, seams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.checkpoint import Checkpoint, Training, save_checkpoint
from deepperformer.config import AlignmentConfig, ISTFTConfig, SynthesisConfig
from deepperformer.errors import MelError, ModelError, PerformError
from deepperformer.features.notes import music_of
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import AlignmentModel, SynthesisModel
from deepperformer.perform import Performance, Performer
from deepperformer.timing import ScoreTempo, constant_timings, expressive_timings, isotonic
from deepperformer.vocoder.blocks import LEAST_CONTEXT
from deepperformer.vocoder.istft import ISTFTInverter
from muspy_core import Music, Note, Tempo, Track
from muspy_core.audio_blocks import join
from tunes import tune

SMALL = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "dropout": 0.0, "performers": 2}


def checkpoint(kind: str, model: torch.nn.Module, mel: MelDefinition | None = None) -> Checkpoint:
    return Checkpoint(kind, kind, model.eval(), mel or MelDefinition(), ("ann", "bob"), Training())


@pytest.fixture(scope="module")
def performer() -> Performer:
    """Models that have learned nothing, but whose alignment keeps to some tempo."""
    torch.random.manual_seed(0)
    alignment = AlignmentModel(AlignmentConfig(**SMALL, target="ratio"))
    synthesis = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1))
    synthesis.start_from_mean(torch.full((80,), -4.0))
    inverter = ISTFTInverter(ISTFTConfig(dim=16, hidden=32, layers=2))
    return Performer(
        checkpoint("synthesis", synthesis), checkpoint("istft", inverter), checkpoint("alignment", alignment)
    )


# --- timings ---------------------------------------------------------------------------------------------------------


def test_at_humanise_0_the_tempo_is_exactly_the_scores(performer: Performer) -> None:
    music = music_of(tune(), qpm=90)
    played = performer.time_notes(music, humanise=0)
    assert np.array_equal(played.timings, constant_timings(tune(), ScoreTempo.of(music)))
    assert played.timings[-1, 0] == pytest.approx(tune()[-1, 0] / 24 * 60 / 90)


def test_notes_keep_their_order_and_chords_stay_together(performer: Performer) -> None:
    rows = tune(notes=200)
    played = performer.time_notes(music_of(rows, qpm=100))
    starts = played.timings[:, 0]
    assert (np.diff(starts) >= 0).all()
    for onset in rows[::16, 0]:
        assert np.ptp(starts[rows[:, 0] == onset]) == 0
    assert (played.timings[:, 1] - starts >= 0.016 - 1e-9).all()
    assert starts[0] == 0
    assert not np.allclose(starts, constant_timings(rows, ScoreTempo.of(music_of(rows, qpm=100)))[:, 0], atol=0.01)


@pytest.mark.parametrize("target", ["absolute", "deviation", "ratio"])
def test_a_model_that_drifts_is_held_within_15_percent(target: str) -> None:
    torch.random.manual_seed(1)
    model = AlignmentModel(AlignmentConfig(**SMALL, target=target)).eval()  # type: ignore[arg-type]
    model.output.weight.data.mul_(5)
    rows = tune(notes=150)
    tempo = ScoreTempo.of(music_of(rows), 100)
    timings, nominal = expressive_timings(rows, tempo, model, 0, 0.016), constant_timings(rows, tempo)
    assert 0.8499 <= timings[:, 0].max() / nominal[:, 0].max() <= 1.1501
    assert timings.min() >= 0


def test_half_humanised_is_half_way(performer: Performer) -> None:
    music = music_of(tune(), qpm=90)
    whole, half, none = (performer.time_notes(music, humanise=value).timings for value in (1.0, 0.5, 0.0))
    assert np.allclose(half, (whole + none) / 2)


def test_tempo_changes_of_the_score_are_kept() -> None:
    notes = [Note(24 * beat, 60, 24) for beat in range(8)]
    music = Music(resolution=24, tempos=[Tempo(0, 60), Tempo(96, 120)], tracks=[Track(40, notes=notes)])
    tempo = ScoreTempo.of(music)
    assert tempo.seconds(np.array([96, 192])).tolist() == [4.0, 6.0]
    assert tempo.qpm_at(0, 4) == pytest.approx(60)
    assert tempo.qpm_at(4, 6) == pytest.approx(120)
    assert ScoreTempo.of(music, 30).seconds(np.array([24])).tolist() == [2.0]


def test_pooling_gives_the_nearest_rising_values() -> None:
    assert isotonic(np.array([1.0, 3, 2, 2, 5]), np.ones(5)).tolist() == pytest.approx([1, 7 / 3, 7 / 3, 7 / 3, 5])
    assert isotonic(np.array([3.0, 1]), np.array([1.0, 3])).tolist() == [1.5, 1.5]


@pytest.mark.parametrize("values", [{"humanise": 1.5}, {"qpm": 1.0}, {"performer": "eve"}, {"performer": 7}])
def test_what_cannot_be_performed_is_refused(performer: Performer, values: dict[str, object]) -> None:
    with pytest.raises(PerformError):
        performer.time_notes(music_of(tune()), **values)  # type: ignore[arg-type]


# --- sound -----------------------------------------------------------------------------------------------------------


def test_a_performance_is_as_long_as_its_notes_and_half_a_second(performer: Performer) -> None:
    played = performer.time_notes(music_of(tune()), performer="bob")
    audio = performer.perform(music_of(tune()), performer="bob")
    assert audio.duration == pytest.approx(played.duration + 0.5, abs=0.017)
    assert audio.sample_rate == 16000


def test_a_stream_is_the_same_as_the_whole_inverted_at_once(performer: Performer) -> None:
    played = performer.time_notes(music_of(tune(notes=60)))
    streamed = join(performer.stream_notes(played)).samples[0]
    mel = performer.mel(played)
    silence = np.full((LEAST_CONTEXT, 80), np.log(1e-5), np.float32)
    with torch.inference_mode():
        whole = performer.inverter(torch.from_numpy(np.concatenate([silence, mel, silence]))[None])[0].numpy()
    assert len(streamed) == len(mel) * 256
    assert np.abs(streamed - whole[LEAST_CONTEXT * 256 :][: len(streamed)].clip(-1, 1)).max() < 1e-4


def test_windows_pass_into_each_other_without_a_step(performer: Performer) -> None:
    """The change from frame to frame at seams is no larger than elsewhere."""
    rows = np.array([[0, 24 * 40, 69, 64]])  # a held note of 30 s: nothing changes but the window
    played = Performance(rows, np.array([[0.0, 30.0]]))
    mel = performer.mel(played)
    change = np.abs(np.diff(mel, axis=0)).mean(1)
    hop = 312 - 2 * 24 - 32
    seams = np.arange(hop, len(change), hop)
    assert len(mel) == performer.frames_of(played)
    assert change[seams - 1].max() <= np.percentile(change, 99.5) + 1e-6


def test_pauses_are_silent(performer: Performer) -> None:
    rows = np.array([[0, 24, 69, 64], [1000, 24, 69, 64]])
    mel = performer.mel(Performance(rows, np.array([[0.0, 1.0], [20.0, 21.0]])))
    assert np.allclose(mel[round(9 / 0.016) : round(12 / 0.016)], np.log(1e-5), atol=1e-4)


def test_editing_one_note_leaves_distant_ones_as_they_were(performer: Performer) -> None:
    played = performer.time_notes(music_of(tune(notes=100)))
    edited = played.timings.copy()
    edited[-1, 1] += 0.3
    before, after = performer.mel(played), performer.mel(Performance(played.rows, edited))
    assert np.array_equal(before[:1000], after[:1000])


def test_without_alignment_and_inverter_the_tempo_is_kept_and_griffin_lim_sounds(performer: Performer) -> None:
    bare = Performer(performer.synthesis)
    music = music_of(tune(notes=4))
    assert np.array_equal(bare.time_notes(music).timings, constant_timings(tune(notes=4), ScoreTempo.of(music)))
    assert bare.perform(music).rms > 0


def test_models_of_other_mels_or_kinds_are_refused_by_name(performer: Performer, tmp_path: Path) -> None:
    other = checkpoint("istft", performer.inverter, MelDefinition(fmax=7000.0))
    with pytest.raises(MelError, match=r"istft: .*fmax 7000 \(not 8000\)"):
        Performer(performer.synthesis, other)
    with pytest.raises(ModelError, match="is a model of kind synthesis"):
        Performer(performer.synthesis, performer.synthesis)
    save_checkpoint(tmp_path / "inverter", performer.inverter, MelDefinition())
    with pytest.raises(ModelError):
        Performer.from_pretrained(tmp_path)


def test_a_bundle_is_loaded_from_a_folder(performer: Performer, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "synthesis", performer.synthesis.model, MelDefinition(), ("ann", "bob"))
    save_checkpoint(tmp_path / "inverter", performer.inverter, MelDefinition())
    loaded = Performer.from_pretrained(tmp_path)
    assert loaded.performers == ("ann", "bob")
    assert loaded.alignment is None
    assert isinstance(loaded.inverter, ISTFTInverter)


def test_timing_may_come_from_others_than_the_sound(performer: Performer) -> None:
    assert performer.alignment is not None
    timing = Checkpoint(**{**vars(performer.alignment), "performers": ("eva", "finn", "gil")})
    mixed = Performer(performer.synthesis, None, timing)
    assert mixed.timing_number_of(None, "bob") == 1
    assert mixed.timing_number_of("gil", "bob") == 2
    assert mixed.timing_number_of(2, 0) == 2
    with pytest.raises(PerformError, match=r"no timing 'ann': choose one of 0 \(eva\)"):
        mixed.timing_number_of("ann", 0)
