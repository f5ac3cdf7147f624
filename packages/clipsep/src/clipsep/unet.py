"""Spectrogram of a mixture → intermediate masks: the U-Net of Sound of Pixels (§6.3.1, "7 layers").

Symbols: B mixtures, G = 256 bins, T frames (a multiple of 2^depth), K maps. Each block halves the picture by a 4 × 4
convolution and doubles it again by bilinear interpolation and a 3 × 3 convolution.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.2  # of the leaky rectifier on the way down


def channels_of(width: int, depth: int) -> list[int]:
    """Return the channels after each block on the way down: width × (1, 2, 4, 8, 8, …)."""
    return [width * min(2**block, 8) for block in range(depth)]


class UNet(nn.Module):
    """A U-Net without activation at its end.

    Args:
        width: Channels of the first block, 64 in the paper.
        depth: Number of blocks.
        inputs: Channels of the input: 1, or more where a query is tiled beside the spectrogram.
        outputs: K, channels of the output.
        condition: Length of a vector that joins at the bottleneck; 0: none.
    """

    def __init__(
        self, width: int = 64, depth: int = 7, *, inputs: int = 1, outputs: int = 32, condition: int = 0
    ) -> None:
        super().__init__()
        channels = channels_of(width, depth)
        before = [inputs, *channels[:-1]]
        self.norm = nn.BatchNorm2d(inputs)
        self.down = nn.ModuleList(
            nn.Conv2d(i, o, 4, stride=2, padding=1, bias=False) for i, o in zip(before, channels, strict=True)
        )
        # Neither behind the first nor behind the last convolution is there a normalisation.
        self.down_norms = nn.ModuleList(nn.BatchNorm2d(count) for count in channels[1:-1])
        joined = [*(2 * count for count in channels[:-1]), channels[-1] + condition]
        after = [outputs, *channels[:-1]]
        self.up = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1, bias=block == 0)
            for block, (i, o) in enumerate(zip(joined, after, strict=True))
        )
        self.up_norms = nn.ModuleList(nn.BatchNorm2d(count) for count in channels[:-1])
        # How a picture is doubled and convolved; `fused` chooses another way to the same numbers.
        self.rise: Callable[[Any, Tensor], Tensor] = doubled_and_convolved
        self.overlap: Callable[[Tensor], Tensor] = folded

    def forward(self, spectrogram: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return maps, (B, K, G, T).

        spectrogram: (B, inputs, G, T), logarithms of magnitudes. condition: (B, condition).
        """
        maps: Tensor = self.up[0](_doubled(self.features(spectrogram, condition)))
        return maps

    def mixed(self, features: Tensor, weights: Tensor) -> Tensor:
        """Return m weighted sums of the maps, (B, m, G, T), without making the maps: half of the work at any width.

        features: of `features`. weights: (B, m, K). Maps have no activation, so their sum is one convolution whose
        kernel is the sum of theirs. Each of its 9 places is summed over channels before the picture is doubled.
        """
        last = self.up[0]
        kernels = torch.einsum("bmk,kcyx->bmyxc", weights, last.weight.flip(2, 3).to(weights.dtype))
        _, _, height, length = features.shape
        places = torch.bmm(kernels.flatten(1, 3), F.relu(features).flatten(2)).unflatten(2, (height, length))
        places = F.interpolate(places, scale_factor=2, mode="bilinear", align_corners=True)
        summed = self.overlap(places.unflatten(1, (-1, 3, 3)))
        return summed + (weights @ last.bias.to(weights.dtype))[:, :, None, None]

    def features(self, spectrogram: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return what the last block doubles and turns into maps, (B, 2·width, G/2, T/2); arguments as `forward`."""
        depth = len(self.down)
        skips = []
        hidden = self.down[0](self.norm(spectrogram))
        for block in range(1, depth):
            skips.append(hidden)
            hidden = self.down[block](F.leaky_relu(hidden, _SLOPE))
            if block < depth - 1:
                hidden = self.down_norms[block - 1](hidden)
        if condition is not None:
            tiled = condition[:, :, None, None].expand(-1, -1, *hidden.shape[2:])
            hidden = torch.cat([hidden, tiled], dim=1)
        for block in range(depth - 1, 0, -1):
            hidden = self.up_norms[block - 1](self.rise(self.up[block], hidden))
            # What is skipped has gone through the leaky rectifier; the rectifier that follows makes no difference of
            # it.
            hidden = torch.cat([skips[block - 1], hidden], dim=1)
        return hidden

    def fused(self) -> UNet:
        """Return a copy for inference whose normalisations are part of the convolutions before them."""
        made: UNet = copy.deepcopy(self).eval()
        made.rise, made.overlap = convolved_and_doubled, added
        fuse: Any = torch.nn.utils.fusion.fuse_conv_bn_eval
        for convolutions, norms in ((made.down, made.down_norms), (made.up, made.up_norms)):
            for index, norm in enumerate(norms):
                convolutions[index + 1] = fuse(convolutions[index + 1], norm)
                norms[index] = nn.Identity()
        return made


def doubled_and_convolved(convolution: nn.Conv2d, hidden: Tensor) -> Tensor:
    """Rectify a picture, double it, and convolve it, as in the paper. hidden: (B, C, H, W)."""
    made: Tensor = convolution(_doubled(hidden))
    return made


def convolved_and_doubled(convolution: nn.Conv2d, hidden: Tensor) -> Tensor:
    """Return what `doubled_and_convolved` returns, with a quarter of its multiplications (for inference).

    Doubling is linear in each channel, so that it may follow the sum over channels: each of the 9 places of the kernel
    is applied to the small picture, and the doubled results are added where they belong. In training the nine pictures
    would be kept for the gradient.
    """
    rectified = F.relu(hidden)
    made: Tensor | None = None
    for row in range(3):
        for column in range(3):
            place = F.conv2d(rectified, convolution.weight[:, :, row, column, None, None])
            place = F.interpolate(place, scale_factor=2, mode="bilinear", align_corners=True)
            made = _bordered(place) if made is None else made
            _shifted(made, row, column).add_(place)
    assert made is not None  # a kernel has places
    whole = made[:, :, 1:-1, 1:-1]
    return whole if convolution.bias is None else whole + convolution.bias[:, None, None].to(whole.dtype)


def folded(places: Tensor) -> Tensor:
    """Add the pictures of the places of a kernel where they belong, (B, m, H, W). places: (B, m, 3, 3, H, W)."""
    height, length = places.shape[-2:]
    summed: Tensor = F.fold(places.flatten(4).flatten(1, 3), (height, length), 3, padding=1)
    return summed


def added(places: Tensor) -> Tensor:
    """Return what `folded` returns, faster, where no gradients are wanted."""
    made = _bordered(places[:, :, 0, 0])
    for row in range(3):
        for column in range(3):
            _shifted(made, 2 - row, 2 - column).add_(places[:, :, row, column])
    return made[:, :, 1:-1, 1:-1]


def _bordered(picture: Tensor) -> Tensor:
    """Zeros like a picture, (B, C, H + 2, W + 2), with a border that is cut off in the end."""
    batch, channels, height, length = picture.shape
    return picture.new_zeros(batch, height + 2, length + 2, channels).permute(0, 3, 1, 2)


def _shifted(bordered: Tensor, row: int, column: int) -> Tensor:
    """Where the picture of a place of the kernel is added: that of the first row belongs to the row below it."""
    height, length = bordered.shape[-2] - 2, bordered.shape[-1] - 2
    return bordered[:, :, 2 - row : 2 - row + height, 2 - column : 2 - column + length]


def _doubled(hidden: Tensor) -> Tensor:
    return F.interpolate(F.relu(hidden), scale_factor=2, mode="bilinear", align_corners=True)


def initialise(module: nn.Module) -> None:
    """Draw weights as Sound of Pixels does: tiny, so that training begins with masks near one half."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.001)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.0001)
