"""Streams equal the whole; target and rest are the input; K queries are one run; bad input is said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from clipsep.features.queries import TableQueries
from clipsep.features.spectrogram import istft, stft, warp
from clipsep.features.wordings import QueryError
from clipsep.model import build_model
from clipsep.query import Query, parse_terms
from clipsep.separate import Separator
from clipsep.windows import CONTEXT, WINDOW, FrameStream, SampleStream, WindowedMasks, mirrored
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import Audio
from muspy_core.audio_blocks import join
from sound_samples import stirred

TABLE = {"flute": [1.0, 0.0, 0.0, 2.0], "tuba": [0.0, -3.0, 1.0, 0.0], "violin": [0.0, 1.0, -2.0, 1.0]}


def noise(channels: int, samples: int, rate: int = 16000, seed: int = 0) -> Audio:
    return Audio(0.2 * np.random.default_rng(seed).standard_normal((channels, samples)), rate)


def in_blocks(audio: Audio, sizes: list[int]) -> Iterator[Audio]:
    first = 0
    while first < audio.frames:
        size = sizes[first % len(sizes)]
        yield Audio(audio.samples[:, first : first + size], audio.sample_rate)
        first += size


@pytest.fixture(scope="module")
def separator() -> Separator:
    network = stirred(build_model("clipsep", width=2, depth=5, query_dim=4))
    with torch.no_grad():
        # Masks that differ from one half, from place to place and from query to query.
        network.scale.copy_(torch.randn(32, generator=torch.Generator().manual_seed(2)))  # type: ignore[operator]
        network.projection.weight.mul_(20)  # type: ignore[operator, union-attr]
    return Separator(network, TableQueries(TABLE))


# --- streams ---------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(1, 9000), st.lists(st.integers(1, 4000), min_size=1, max_size=4))
def test_frames_and_samples_in_blocks_equal_those_of_the_whole(samples: int, sizes: list[int]) -> None:
    audio = noise(2, samples)
    forward, backward = FrameStream(2), SampleStream(2)
    frames = [forward.push(torch.from_numpy(block.samples.copy())) for block in in_blocks(audio, sizes)]
    frames.append(forward.finish())
    whole = stft(torch.from_numpy(audio.samples))
    assert torch.allclose(torch.cat(frames, dim=2), whole, atol=1e-4)
    sound = torch.cat([*(backward.push(part) for part in frames), backward.finish()], dim=1)
    assert sound.shape[1] >= samples
    assert torch.allclose(sound[:, :samples], istft(whole, samples), atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 63, 64, 65, 100, 333])
def test_every_frame_gets_the_mask_of_a_window_with_context_around_it(frames: int) -> None:
    seen: list[int] = []

    def masks_of(magnitude: torch.Tensor) -> torch.Tensor:
        seen.append(magnitude.shape[1])
        return magnitude[None, :256]  # the mask says which frame it was made for

    windows = WindowedMasks(masks_of, 32, window=64, context=8)
    spectrum = (torch.arange(frames) + 1.0).expand(1, 513, -1).to(torch.complex64)
    given = [pair for start in range(0, frames, 7) for pair in windows.push(spectrum[:, :, start : start + 7])]
    given += list(windows.finish())
    assert torch.equal(torch.cat([part for part, _ in given], dim=2), spectrum)
    assert torch.equal(torch.cat([mask for _, mask in given], dim=2)[0, 0], torch.arange(frames) + 1.0)
    assert all(size % 32 == 0 and size <= 64 for size in seen)
    assert sum(seen) <= frames * 64 / 48 + 64


def test_short_spectrograms_are_mirrored() -> None:
    assert mirrored(torch.tensor([[1.0, 2.0, 3.0]]), 8).tolist() == [[1, 2, 3, 2, 1, 2, 3, 2]]
    assert mirrored(torch.tensor([[4.0]]), 3).tolist() == [[4, 4, 4]]


# --- separation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channels", "rate", "samples"),
    [(1, 16000, 30_000), (2, 44100, 60_001), (8, 8000, 5_000), (1, 48000, 1), (2, 44100, 17)],
)
@pytest.mark.parametrize("band", ["cut", "extend"])
def test_stems_and_residual_have_the_form_of_the_input_and_sum_to_it(
    separator: Separator, channels: int, rate: int, samples: int, band: str
) -> None:
    audio = noise(channels, samples, rate)
    made = separator.separate(audio, ["flute", "tuba"], band=band)  # type: ignore[arg-type]  # by name
    for sound in (*made.stems.values(), made.residual):
        assert (sound.channels, sound.sample_rate, sound.frames) == (channels, rate, samples)
    total = sum(sound.samples for sound in (*made.stems.values(), made.residual))
    assert np.allclose(total, audio.samples, atol=1e-4)


def test_the_stem_is_the_masked_transform_of_the_whole(separator: Separator) -> None:
    audio = noise(1, 30_000)
    spectrum = stft(torch.from_numpy(audio.samples))
    frames = spectrum.shape[2]
    magnitude = mirrored(spectrum[0].abs(), -(-frames // 32) * 32)
    masks = separator.masks(magnitude, separator.encoded(["flute"]))[:, :, :frames]
    from clipsep.features.spectrogram import unwarp

    expected = istft(unwarp(masks) * spectrum, 30_000)
    assert np.allclose(separator.separate(audio, ["flute"]).stems["flute"].samples, expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("kind", ["clipsep", "early", "middle"])
def test_the_network_of_a_separator_is_faster_and_computes_the_same(kind: str) -> None:
    network = stirred(build_model(kind, width=2, depth=5, query_dim=4))  # type: ignore[arg-type]  # kinds by name
    for name, buffer in network.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(len(name)))
    separator = Separator(network, TableQueries(TABLE))
    mixture, asked = torch.rand(1, 256, 64), torch.tensor([[TABLE["flute"]]])
    with torch.inference_mode():
        fast, plain = separator.network(mixture, asked).queries, network(mixture, asked).queries
    assert torch.allclose(fast, plain, rtol=1e-3, atol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in separator.network.unet.up_norms)


def test_blocks_of_any_size_give_the_same_sound(separator: Separator) -> None:
    audio = noise(2, 50_000, 22050)
    whole = separator.separate(audio, ["flute"])
    blocks = list(separator.stream(in_blocks(audio, [700, 9000]), ["flute"]))
    assert np.allclose(join(block.stems[0] for block in blocks).samples, whole.stems["flute"].samples, atol=1e-5)


def test_several_queries_are_what_each_is_alone(separator: Separator) -> None:
    audio = noise(1, 20_000)
    together = separator.separate(audio, ["flute", "tuba"])
    for name in ("flute", "tuba"):
        alone = separator.separate(audio, [name])
        assert np.allclose(together.stems[name].samples, alone.stems[name].samples, atol=1e-5)
        assert together.presence[name] == pytest.approx(alone.presence[name], abs=1e-3)
    assert not np.allclose(together.stems["flute"].samples, together.stems["tuba"].samples, atol=1e-3)


def test_joined_queries_take_the_greater_mask_or_the_sum_and_negative_ones_are_taken_away(separator: Separator) -> None:
    magnitude = torch.rand(513, 64)
    flute, tuba = separator.masks(magnitude, separator.encoded(["flute", "tuba"]))
    both = separator.masks(magnitude, separator.encoded(["flute+tuba"]))[0]
    assert torch.allclose(both, torch.maximum(flute, tuba))
    summed = separator.masks(magnitude, separator.encoded([Query.of_text("flute+tuba", combine="sum")]))[0]
    assert torch.allclose(summed, (flute + tuba).clamp(max=1.0), atol=1e-6)
    without = Query.of_text("flute", negative=parse_terms("tuba"))
    assert torch.allclose(separator.masks(magnitude, separator.encoded([without]))[0], flute * (1 - tuba), atol=1e-6)


def test_what_lies_above_8_khz_is_left_to_the_residual_unless_masks_are_extended(separator: Separator) -> None:
    times = np.arange(88_200) / 44100
    audio = Audio(0.3 * np.sin(2 * np.pi * 12_000 * times), 44100)
    assert separator.separate(audio, ["flute"]).stems["flute"].rms < 1e-3
    assert separator.separate(audio, ["flute"], band="extend").stems["flute"].rms > 1e-2


def test_silence_stays_silence(separator: Separator) -> None:
    made = separator.separate(Audio(np.zeros((2, 20_000)), 44100), ["flute"])
    assert made.stems["flute"].peak == 0
    assert made.presence["flute"] == -120.0


def test_pit_gives_its_sources_without_being_asked() -> None:
    separator = Separator(stirred(build_model("pit", width=2, depth=5)))
    made = separator.separate(noise(1, 9000))
    assert list(made.stems) == ["source 1", "source 2"]
    with pytest.raises(QueryError, match="takes no queries"):
        separator.separate(noise(1, 9000), ["flute"])


@pytest.mark.parametrize(
    ("queries", "message"),
    [([], "nothing is asked for"), (["oboe"], "does not know 'oboe'"), (["flute", "flute"], "stands twice")],
)
def test_what_cannot_be_asked_is_refused_before_the_sound_is_read(
    separator: Separator, queries: list[str], message: str
) -> None:
    def never() -> Iterator[Audio]:
        raise AssertionError("read")
        yield

    with pytest.raises(QueryError, match=message):
        separator.stream(never(), queries)


def test_masks_of_noise_heads_are_shown_and_no_sound_passes_through_them() -> None:
    network = stirred(build_model("clipsep-nit", width=2, depth=5, query_dim=4))
    separator = Separator(network, TableQueries(TABLE))
    sound, shown = noise(1, 20_000), []
    plain = separator.separate(sound, ["flute", "tuba"])
    watched = separator.stream(
        [sound], ["flute", "tuba"], watch=lambda masks, _: shown.append(masks), shown="queries and noise"
    )
    stems = join(block.stems[1] for block in watched)
    assert np.allclose(stems.samples, plain.stems["tuba"].samples, atol=1e-6)
    masks = torch.cat(shown, dim=2)
    asked = torch.tensor([TABLE["flute"], TABLE["tuba"]])[None]
    magnitude = stft(torch.from_numpy(sound.samples))[0].abs()
    frames = magnitude.shape[1]
    with torch.inference_mode():
        expected = network(warp(mirrored(magnitude, -(-frames // 32) * 32))[None], asked)
    assert torch.allclose(masks, torch.cat([expected.queries, expected.noise], dim=1)[0, :, :, :frames], atol=1e-4)
    with pytest.raises(QueryError, match="has no noise heads"):
        Separator(stirred(build_model("pit", width=2, depth=5))).stream([sound], shown="queries and noise")


def test_no_seam_is_heard_where_windows_meet(separator: Separator) -> None:
    # A steady sound has steady masks: what windows make of their edges must not be heard in the level of the stem.
    sound = noise(1, 40 * 16000, seed=3)
    stem = separator.separate(sound, ["flute"]).stems["flute"].samples[0]
    frames = stem[: len(stem) // 4000 * 4000].reshape(-1, 4000)
    levels = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1))
    step = WINDOW - 2 * CONTEXT  # frames from seam to seam
    seams = [round((CONTEXT + (index + 1) * step) * 256 / 4000) for index in range(2)]
    jumps = np.abs(np.diff(levels))
    at_seams = np.concatenate([jumps[seam - 1 : seam + 1] for seam in seams])
    assert at_seams.max() <= np.percentile(jumps, 99) + 0.1


def test_too_many_streams_are_refused(separator: Separator) -> None:
    queries = [Query(f"query {index}", parse_terms("flute")) for index in range(9)]
    with pytest.raises(QueryError, match="at most 8"):
        separator.separate(noise(8, 100), queries)
