"""Networks have the published parameter counts; queries choose among the maps of one run; what cannot be is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from clipsep.checkpoint import ModelError, Training, load_checkpoint, save_checkpoint
from clipsep.config import ConfigError
from clipsep.features.spectrogram import FLOOR
from clipsep.model import CLIPSep, PITSep, build_model, n_parameters
from clipsep.unet import UNet
from sound_samples import stirred


def mixture(frames: int = 32, batch: int = 2) -> torch.Tensor:
    return torch.rand(batch, 256, frames, generator=torch.Generator().manual_seed(0))


def queries(n: int = 2, dim: int = 512, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, n, dim, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("kind", "fields", "count"),
    [
        ("clipsep", {}, 30_290_659),
        ("clipsep-nit", {}, 30_292_771),
        ("pit", {}, 30_274_276),
        ("labelsep", {"labels": [f"label {i}" for i in range(11)]}, 30_296_291),
        ("labelsep", {"labels": [f"label {i}" for i in range(309)]}, 30_448_867),
        ("bertsep", {}, 30_282_467),
        ("early", {}, 30_287_715),
        # The published middle fusion counts 30,403,524; 1,185 of them are used by nothing.
        ("middle", {}, 30_403_524 - 1_185),
    ],
)
def test_networks_of_the_papers_size_have_the_published_number_of_parameters(
    kind: str, fields: dict[str, object], count: int
) -> None:
    with torch.device("meta"):  # shapes without numbers
        assert n_parameters(build_model(kind, **fields)) == count  # type: ignore[arg-type]  # kinds by name


def test_the_parts_have_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        assert n_parameters(UNet()) == 30_274_210
        assert n_parameters(build_model("sop")) == 30_290_659  # its ResNet is frozen, and makes vectors beforehand


@pytest.mark.parametrize(("width", "millions"), [(32, 7.60), (16, 1.92), (8, 0.49)])
def test_smaller_widths_have_the_sizes_of_the_specification(width: int, millions: float) -> None:
    with torch.device("meta"):
        network = build_model("clipsep", width=width)
    assert n_parameters(network) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize("kind", ["clipsep", "clipsep-nit", "bertsep", "early", "middle"])
def test_masks_have_one_plane_for_each_query(kind: str) -> None:
    network = build_model(kind, width=2, query_dim=20, depth=5).eval()  # type: ignore[arg-type]  # kinds by name
    masks = network(mixture(), queries(3, 20))
    assert masks.queries.shape == (2, 3, 256, 32)
    assert ((masks.queries > 0) & (masks.queries < 1)).all()
    assert (masks.noise is not None) == (kind == "clipsep-nit")


def test_pit_has_one_plane_for_each_source_and_looks_at_no_query() -> None:
    network = stirred(build_model("pit", width=2, depth=5, sources=3))
    masks = network(mixture()).queries
    assert masks.shape == (2, 3, 256, 32)
    assert isinstance(network, PITSep)
    maps = network.heads(network.unet(torch.log(mixture() + FLOOR)[:, None]))
    assert torch.allclose(masks, torch.sigmoid(maps), atol=1e-6)


def test_labels_are_looked_up_in_a_table() -> None:
    network = stirred(build_model("labelsep", width=2, depth=5, labels=["flute", "violin"]))
    masks = network(mixture(), torch.tensor([[0, 1], [1, 0]])).queries
    swapped = network(mixture(), torch.tensor([[1, 0], [0, 1]])).queries
    assert torch.allclose(masks, swapped.flip(1), atol=1e-6)
    assert not torch.allclose(masks, swapped, atol=1e-3)


def test_the_mask_is_the_weighted_sum_of_the_maps_through_a_sigmoid() -> None:
    network = stirred(build_model("clipsep", width=2, depth=5, maps=4, query_dim=6))
    assert isinstance(network, CLIPSep)
    heard, asked = mixture(), queries(2, 6)
    maps = network.maps(heard)
    masks = network(heard, asked).queries
    for b, i, g, t in ((0, 0, 3, 5), (1, 1, 200, 31)):
        z = network.projection.weight @ asked[b, i] + network.projection.bias
        total = sum(network.scale[k] * torch.sigmoid(z[k]) * maps[b, k, g, t] for k in range(4)) + network.bias
        assert masks[b, i, g, t].item() == pytest.approx(torch.sigmoid(total).item(), abs=1e-5)


@pytest.mark.parametrize("how", ["sum", "mean"])
def test_noise_heads_hear_all_queries_together(how: str) -> None:
    network = stirred(build_model("clipsep-nit", width=2, depth=5, query_dim=6, noise_input=how))
    assert isinstance(network, CLIPSep)
    heard, asked = mixture(), queries(2, 6)
    noise = network(heard, asked).noise
    assert noise is not None
    z = network.project(asked)
    together = z[:, 0] + z[:, 1] if how == "sum" else (z[:, 0] + z[:, 1]) / 2
    expected = network.mix(network.noise_heads[1](together)[:, None], network.features(heard))
    assert torch.allclose(noise[:, 1:2], torch.sigmoid(expected), atol=1e-6)
    assert torch.allclose(noise, network(heard, asked.flip(1)).noise, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "nit"}, "choose one of clipsep, clipsep-nit"),
        ({"depth": 4}, "at least 5"),
        ({"width": 0}, "must be positive"),
        ({"sources": 1}, "at least 2"),
        ({"mask": "soft"}, "choose one of binary, ratio"),
        ({"kind": "sop", "query_dim": 100}, "length 512"),
    ],
)
def test_configurations_that_cannot_be_are_refused(fields: dict[str, object], message: str) -> None:
    fields = {"kind": "clipsep", **fields}
    with pytest.raises(ConfigError, match=message):
        build_model(fields.pop("kind"), **fields)  # type: ignore[arg-type]  # kinds by name


def test_a_saved_model_comes_back(tmp_path: Path) -> None:
    network = stirred(build_model("clipsep-nit", width=2, depth=5, query_dim=6))
    training = Training(7, {"kind": "clip", "model": "tiny"}, "twelve instruments", {"sdr": 4.5})
    save_checkpoint(tmp_path, network, training)
    loaded = load_checkpoint(tmp_path)
    assert loaded.training == training
    assert loaded.model.config == network.config
    heard, asked = mixture(), queries(2, 6)
    assert torch.allclose(loaded.model(heard, asked).queries, network(heard, asked).queries, atol=2e-3)


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unknown model 'nothing'"):
        load_checkpoint("nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no clipsep model"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, build_model("pit", width=2, depth=5))
    text = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace('"pit"', '"clipsep"'))
    with pytest.raises(ModelError, match="missing or not of this model"):
        load_checkpoint(tmp_path)


def test_a_fused_network_multiplies_before_it_doubles_and_computes_the_same() -> None:
    network = stirred(UNet(width=4, depth=5, outputs=3))
    for name, buffer in network.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(len(name)))
    spectrogram, weights = torch.randn(2, 1, 64, 96), torch.randn(2, 5, 3)
    fused = network.fused()
    with torch.inference_mode():
        features = network.features(spectrogram)
        assert torch.allclose(fused.features(spectrogram), features, rtol=1e-4, atol=1e-5)
        assert torch.allclose(fused.mixed(features, weights), network.mixed(features, weights), rtol=1e-4, atol=1e-4)
        whole = torch.einsum("bmk,bkyx->bmyx", weights, network(spectrogram))
        assert torch.allclose(network.mixed(features, weights), whole, rtol=1e-3, atol=1e-4)
