"""Spectrograms equal librosa's definition, the grid is the published one, masks of ones give the sound back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from clipsep.config import CLIP_SAMPLES, LINEAR_BINS, LOG_BINS
from clipsep.features.spectrogram import (
    frames_of,
    istft,
    loss_weights,
    reconstruct,
    samples_of,
    stft,
    true_masks,
    unwarp,
    unwarped_rows,
    warp,
    warped_rows,
)
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def test_a_clip_has_256_frames_and_one_sample_more_has_257() -> None:
    assert stft(noise(CLIP_SAMPLES)).shape == (1, LINEAR_BINS, 256)
    assert (frames_of(65535), frames_of(65536)) == (256, 257)
    assert samples_of(512) == 131071


@pytest.mark.parametrize("frame", [0, 1, 100, 255])
def test_a_frame_is_the_transform_of_windowed_samples_around_it_with_zeros_outside(frame: int) -> None:
    sound = noise(CLIP_SAMPLES)
    padded = np.pad(sound[0].numpy().astype(np.float64), 512)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    expected = np.fft.rfft(padded[frame * 256 : frame * 256 + 1024] * window)
    assert np.allclose(stft(sound)[0, :, frame].numpy(), expected, atol=1e-4)


@given(st.integers(1, 20_000))
def test_the_inverse_gives_the_sound_of_any_length_back(samples: int) -> None:
    sound = noise(samples)
    assert torch.allclose(istft(stft(sound), samples), sound, atol=1e-5)


def test_the_grid_is_sampled_as_the_published_code_does_it() -> None:
    magnitude = torch.rand(2, LINEAR_BINS, 40, generator=torch.Generator().manual_seed(0))
    rows = torch.linspace(-1, 1, LOG_BINS, dtype=torch.float64)
    source = (21.0 ** ((rows + 1) / 2) - 11) / 10
    grid = torch.stack(torch.meshgrid(source, torch.linspace(-1, 1, 40, dtype=torch.float64), indexing="ij")[::-1], -1)
    expected = F.grid_sample(magnitude.double()[:, None], grid.expand(2, -1, -1, -1), align_corners=True)[:, 0]
    assert torch.allclose(warp(magnitude), expected.float(), atol=1e-5)


def test_the_two_maps_of_rows_are_inverse() -> None:
    linear, log = warped_rows(), unwarped_rows()
    assert linear[0] == 0
    assert linear[-1] == LINEAR_BINS - 1
    assert np.allclose(np.interp(linear, np.arange(LINEAR_BINS), log), np.arange(LOG_BINS), atol=0.02)


def test_a_mask_of_ones_is_a_mask_of_ones_on_linear_rows() -> None:
    assert torch.equal(unwarp(torch.ones(1, LOG_BINS, 3)), torch.ones(1, LINEAR_BINS, 3))


def test_a_mask_of_ones_gives_the_sound_back_and_one_of_zeros_silence() -> None:
    sound = noise(CLIP_SAMPLES)
    spectrum = stft(sound)
    assert torch.allclose(reconstruct(torch.ones(1, LOG_BINS, 256), spectrum, CLIP_SAMPLES), sound, atol=1e-5)
    assert not reconstruct(torch.zeros(1, LOG_BINS, 256), spectrum, CLIP_SAMPLES).any()


def test_binary_masks_can_both_be_one_or_zero() -> None:
    sources = torch.tensor([[3.0, 1.0, 0.4], [3.0, 4.0, 0.4]]).view(1, 2, 1, 3)
    mixture = torch.tensor([5.0, 5.0, 1.0]).view(1, 1, 3)
    assert true_masks(sources, mixture, "binary").view(2, 3).tolist() == [[1, 0, 0], [1, 1, 0]]


def test_ratio_masks_are_shares_of_the_mixture_and_at_most_one() -> None:
    sources = torch.tensor([[1.0, 3.0], [1.0, 0.0]]).view(1, 2, 1, 2)
    mixture = torch.tensor([2.0, 2.0]).view(1, 1, 2)
    assert torch.allclose(true_masks(sources, mixture, "ratio").view(2, 2), torch.tensor([[0.5, 1.0], [0.5, 0.0]]))


def test_weights_stay_between_their_bounds() -> None:
    assert torch.allclose(loss_weights(torch.tensor([0.0, 1.0, 1e9])), torch.tensor([0.001, float(np.log(2)), 10.0]))
