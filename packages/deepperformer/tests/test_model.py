"""The alignment and synthesis models: sizes, the mixer beside a loop, padding, ablations, targets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from deepperformer.config import AlignmentConfig, SynthesisConfig
from deepperformer.errors import ModelError
from deepperformer.layers import Convolution, NoteReader, PolyphonicMixer, rolls, sinusoids, sounding
from deepperformer.losses import timing_loss
from deepperformer.model import AlignmentModel, SynthesisModel, frames_per_step
from torch import nn

SMALL = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "dropout": 0.0}
NOTES = torch.tensor([[[0, 24, 60, 64], [0, 12, 67, 64], [24, 24, 62, 64], [48, 12, 64, 64]]])
ONSETS, DURATIONS = torch.tensor([[0.0, 0.0, 9.6, 21.0]]), torch.tensor([[12.0, 3.0, 8.0, 0.2]])
MASK = torch.ones(1, 4, dtype=torch.bool)
FIRST = torch.zeros(1, dtype=torch.long)


def test_the_models_have_the_papers_sizes() -> None:
    """With 17 performers and 64 classes of tempo."""
    assert AlignmentModel().n_parameters == 1_153_858
    assert AlignmentModel(AlignmentConfig(attention_dim=128)).n_parameters == 1_252_738
    assert SynthesisModel().n_parameters == 6_582_096
    assert SynthesisModel(SynthesisConfig(ffn=256)).n_parameters == 3_630_672


# --- the mixer -------------------------------------------------------------------------------------------------------


def test_the_mixer_is_the_sum_of_the_paper() -> None:
    """f(t) = Σ (1 + p w) ⊙ h over the notes that sound, as a loop has it."""
    torch.random.manual_seed(0)
    mixer, vectors = PolyphonicMixer(6, notewise=True), torch.randn(1, 4, 6)
    active, places = sounding(ONSETS, DURATIONS, MASK, 30)
    mixed = mixer(vectors, active, places)[0]
    expected = torch.zeros(30, 6)
    for h, onset, duration in zip(vectors[0], ONSETS[0].tolist(), DURATIONS[0].tolist(), strict=True):
        first = round(onset)
        length = max(round(onset + duration) - first, 1)
        for t in range(first, min(first + length, 30)):
            expected[t] += (1 + (t - first) / max(length - 1, 1) * mixer.weight) * h
    assert torch.allclose(mixed, expected, atol=1e-6)
    assert mixed[23:].eq(0).all()
    assert mixed[21].ne(0).any()  # a note of a fifth of a frame sounds in one


def test_places_run_from_0_to_1() -> None:
    active, places = sounding(ONSETS, DURATIONS, MASK, 30)
    assert active.sum(2).tolist() == [[12, 3, 8, 1]]
    assert places[0, 0, :12].tolist() == pytest.approx(np.linspace(0, 1, 12).tolist())
    assert places[0, 3].max() == 0


def test_notes_that_sound_already_are_in_the_midst() -> None:
    active, places = sounding(torch.tensor([[-10.0]]), torch.tensor([[21.0]]), MASK[:, :1], 30)
    assert active.sum() == 11
    assert places[0, 0, 0] == pytest.approx(0.5)


def test_rolls_hold_notes_and_how_much_of_them_is_left() -> None:
    active, places = sounding(ONSETS, DURATIONS, MASK, 30)
    made = rolls(NOTES, active, places)[0]
    assert made.shape == (30, 256)
    assert made[:12, 60].tolist() == [1] * 12
    assert made[:12, 128 + 60].tolist() == pytest.approx(np.linspace(1, 0, 12).tolist())
    assert made.count_nonzero(0).count_nonzero() == 8


def test_sinusoids_are_those_of_the_transformer() -> None:
    table = sinusoids(50, 8)
    assert table[7, 2] == pytest.approx(np.sin(7 / 10000 ** (2 / 8)), abs=1e-6)
    assert table[7, 3] == pytest.approx(np.cos(7 / 10000 ** (2 / 8)), abs=1e-6)


# --- the models ------------------------------------------------------------------------------------------------------


def padded(notes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    more = torch.cat([notes, torch.full_like(notes, 5)], dim=1)
    return more, torch.cat([MASK, ~MASK], dim=1)


def test_padding_changes_no_note() -> None:
    torch.random.manual_seed(0)
    model = AlignmentModel(AlignmentConfig(**SMALL)).eval()
    alone = model(NOTES, MASK, FIRST, FIRST)
    beside = model(*padded(NOTES), FIRST, FIRST)
    assert torch.allclose(beside[:, :4], alone, atol=1e-5)


def test_padding_changes_no_frame() -> None:
    torch.random.manual_seed(0)
    model = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1)).eval()
    alone = model(NOTES, MASK, FIRST, FIRST, ONSETS, DURATIONS, 30)
    notes, mask = padded(NOTES)
    times = [torch.cat([values, values], dim=1) for values in (ONSETS, DURATIONS)]
    assert torch.allclose(model(notes, mask, FIRST, FIRST, *times, 30), alone, atol=1e-5)
    assert alone.shape == (1, 30, 80)


def test_the_linear_layer_sees_what_the_embedding_clips() -> None:
    reader = NoteReader(AlignmentConfig())
    late = NOTES.clone()
    late[0, 3, 0] = 480
    later = late.clone()
    later[0, 3, 0] = 500
    assert not torch.equal(reader(late), reader(later))
    reader.numbers.weight.data.zero_()
    assert torch.equal(reader(late), reader(later))


@pytest.mark.parametrize("conditioning", ["after_encoder", "input"])
def test_performer_and_tempo_make_a_difference_unless_they_are_left_out(conditioning: str) -> None:
    torch.random.manual_seed(0)
    second = FIRST + 1
    model = AlignmentModel(AlignmentConfig(**SMALL, conditioning=conditioning)).eval()  # type: ignore[arg-type]
    assert not torch.equal(model(NOTES, MASK, FIRST, FIRST), model(NOTES, MASK, second, FIRST))
    assert not torch.equal(model(NOTES, MASK, FIRST, FIRST), model(NOTES, MASK, FIRST, second))
    alone = AlignmentModel(AlignmentConfig(**SMALL, performers=0)).eval()
    assert torch.equal(alone(NOTES, MASK, FIRST, FIRST), alone(NOTES, MASK, second, FIRST))


@pytest.mark.parametrize("ablation", [{"notewise": False}, {"encoder": "rolls"}, {"performers": 0}])
def test_ablations_have_fewer_or_other_weights_and_still_give_a_mel(ablation: dict[str, object]) -> None:
    whole = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1))
    model = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1, **ablation))  # type: ignore[arg-type]
    assert set(model.state_dict()) != set(whole.state_dict())
    assert model(NOTES, MASK, FIRST, FIRST, ONSETS, DURATIONS, 30).shape == (1, 30, 80)


def test_delta_times_are_the_same_wherever_a_clip_begins() -> None:
    reader = NoteReader(AlignmentConfig(time_encoding="delta"))
    moved = NOTES + torch.tensor([30, 0, 0, 0])
    assert torch.equal(reader(NOTES)[:, 1:], reader(moved)[:, 1:])


def test_a_model_starts_from_the_mean() -> None:
    torch.random.manual_seed(0)
    model = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1)).eval()
    mean = torch.linspace(-9, -3, 80)
    model.start_from_mean(mean)
    assert (model(NOTES, MASK, FIRST, FIRST, ONSETS, DURATIONS, 30) - mean).abs().mean() < 0.2


@pytest.mark.parametrize("target", ["absolute", "deviation", "ratio"])
def test_targets_give_back_the_times(target: str) -> None:
    model = AlignmentModel(AlignmentConfig(**SMALL, target=target))  # type: ignore[arg-type]
    pace = frames_per_step(torch.tensor([100.0]), 0.016)
    times = torch.stack([torch.tensor([[0.0, 0.0, 40.0, 70.0]]), torch.tensor([[40.0, 20.0, 30.0, 25.0]])], dim=2)
    encoded = model.encode(times, NOTES, pace)
    assert torch.allclose(model.decode(encoded, NOTES, pace), times, atol=1e-3)


def test_at_constant_tempo_deviations_and_ratios_are_zero() -> None:
    pace = frames_per_step(torch.tensor([100.0]), 0.016)
    assert pace.item() == pytest.approx(60 / 100 / 24 / 0.016)
    times = NOTES[..., [0, 1]] * pace
    for target in ("deviation", "ratio"):
        model = AlignmentModel(AlignmentConfig(**SMALL, target=target))  # type: ignore[arg-type]
        assert model.encode(times, NOTES, pace).abs().max() < 1e-5


def test_padding_does_not_count_in_the_loss() -> None:
    output, target = torch.zeros(1, 4, 2), torch.ones(1, 4, 2)
    assert timing_loss(output, target, MASK) == 2
    target[0, 2:] = 100
    assert timing_loss(output, target, torch.tensor([[True, True, False, False]])) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"attention_dim": 15}, "must divide by 2 heads"),
        ({"kernels": (4, 1)}, "must be odd"),
        ({"target": "frames"}, "choose one of absolute, deviation, ratio"),
        ({"conditioning": "nowhere"}, "after_encoder, input"),
        ({"dim": 0}, "must be positive"),
    ],
)
def test_models_that_cannot_be_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        AlignmentConfig(**values)  # type: ignore[arg-type]


def test_tempi_have_classes() -> None:
    config = AlignmentConfig()
    assert [config.tempo_class(qpm) for qpm in (0.5, 4, 96.2, 1000)] == [0, 1, 24, 63]


@pytest.mark.parametrize(("batch", "length", "kernel"), [(1, 30, 9), (3, 12, 9), (2, 3, 5), (2, 7, 1)])
def test_a_convolution_is_the_same_with_and_without_gradients(batch: int, length: int, kernel: int) -> None:
    torch.random.manual_seed(0)
    convolution, inputs = Convolution(8, 6, kernel), torch.randn(batch, length, 8)
    expected = nn.functional.conv1d(inputs.mT, convolution.weight, convolution.bias, padding=kernel // 2).mT
    assert torch.allclose(convolution(inputs), expected, atol=1e-6)
    with torch.inference_mode():
        assert torch.allclose(convolution(inputs), expected, atol=1e-6)


def test_a_convolution_follows_its_weights_when_they_change() -> None:
    convolution, inputs = Convolution(8, 6, 3), torch.randn(1, 10, 8)
    with torch.no_grad():
        before = convolution(inputs)
        convolution.weight.mul_(2)
        assert torch.allclose(convolution(inputs) - convolution.bias, 2 * (before - convolution.bias), atol=1e-5)
        convolution.load_state_dict(Convolution(8, 6, 3).state_dict())
        assert not torch.allclose(convolution(inputs), before, atol=1e-2)
