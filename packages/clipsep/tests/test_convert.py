"""Weights in the published layout give the network that the published code would have built of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from clipsep.checkpoint import ModelError
from clipsep.convert import convert, convert_file
from torch import nn


class PublishedBlock(nn.Module):
    """A block with the layout of Sound of Pixels: everything inside is one sequence, skips are concatenations."""

    def __init__(self, outer: int, inner: int, inputs: int, inside: nn.Module | None, outermost: bool = False) -> None:
        super().__init__()
        self.outermost = outermost
        down: list[nn.Module] = [nn.Conv2d(inputs, inner, 4, 2, 1, bias=False)]
        up: list[nn.Module] = [nn.ReLU(True), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)]
        up.append(nn.Conv2d(inner * (1 if inside is None else 2), outer, 3, padding=1, bias=outermost))
        if not outermost:
            down.insert(0, nn.LeakyReLU(0.2, True))
            up.append(nn.BatchNorm2d(outer))
            if inside is not None:
                down.append(nn.BatchNorm2d(inner))
        self.model = nn.Sequential(*down, *([inside] if inside is not None else []), *up)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class PublishedNIT(nn.Module):
    """The modules of the published NIT model with their names, small."""

    def __init__(self, width: int = 2, depth: int = 7, maps: int = 4) -> None:
        super().__init__()
        channels = [width * min(2**block, 8) for block in range(depth)]
        block: nn.Module = PublishedBlock(channels[-2], channels[-1], channels[-2], None)
        for index in range(depth - 2, 0, -1):
            block = PublishedBlock(channels[index - 1], channels[index], channels[index - 1], block)
        self.sound_net = nn.Module()
        self.sound_net.bn0 = nn.BatchNorm2d(1)
        self.sound_net.unet_block = PublishedBlock(maps, width, 1, block, outermost=True)
        self.frame_net = nn.Linear(512, maps)
        self.pit_nets = nn.ModuleList([nn.Linear(maps, maps), nn.Linear(maps, maps)])
        self.synth_net = nn.Module()
        self.synth_net.scale = nn.Parameter(torch.randn(maps))
        self.synth_net.bias = nn.Parameter(torch.randn(1))

    def forward(self, mixture: torch.Tensor, queries: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.sound_net.unet_block(self.sound_net.bn0(torch.log(mixture + 1e-10)[:, None]))
        z = self.frame_net(queries)
        noise = torch.stack([head(z.mean(1)) for head in self.pit_nets], 1)
        return self.mixed(z, maps), self.mixed(noise, maps)

    def mixed(self, z: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        weighted = torch.einsum("bnk,bkgt->bngt", torch.sigmoid(z) * self.synth_net.scale, maps)
        return torch.sigmoid(weighted + self.synth_net.bias)


@pytest.fixture
def published() -> PublishedNIT:
    torch.manual_seed(0)
    network = PublishedNIT()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize("prefix", ["module.", ""])
def test_the_converted_network_makes_the_same_masks(published: PublishedNIT, prefix: str) -> None:
    weights = {prefix + name: value for name, value in published.state_dict().items()}
    network = convert(weights)
    assert (network.config.kind, network.config.width, network.config.depth) == ("clipsep-nit", 2, 7)
    assert network.config.noise_input == "mean"
    mixture, queries = torch.rand(2, 256, 128), torch.randn(2, 2, 512)
    expected, noise = published(mixture, queries)
    masks = network(mixture, queries)
    assert masks.noise is not None
    assert torch.allclose(masks.queries, expected, atol=1e-6)
    assert torch.allclose(masks.noise, noise, atol=1e-6)


def test_a_file_is_read_and_what_is_missing_is_named(published: PublishedNIT, tmp_path: Path) -> None:
    weights = {f"module.{name}": value for name, value in published.state_dict().items()}
    torch.save(weights, tmp_path / "nit.pth")
    assert convert_file(tmp_path / "nit.pth").config.maps == 4
    del weights["module.pit_nets.1.bias"]
    torch.save(weights, tmp_path / "less.pth")
    with pytest.raises(ModelError, match=r"less\.pth: pit_nets\.1\.bias is missing"):
        convert_file(tmp_path / "less.pth")
    weights |= {"module.pit_nets.1.bias": torch.zeros(4), "module.more": torch.zeros(1)}
    torch.save(weights, tmp_path / "more.pth")
    with pytest.raises(ModelError, match=r"not of a published clipsep-nit: more"):
        convert_file(tmp_path / "more.pth")


@pytest.mark.parametrize("content", [b"", b"no weights at all"])
def test_files_without_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.pth").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.pth: holds no weights"):
        convert_file(tmp_path / "model.pth")


def test_other_layouts_are_refused() -> None:
    with pytest.raises(ModelError, match="not the layout"):
        convert({"encoder.weight": torch.zeros(3)})
