"""HiFi-GAN's discriminators: of periods and of scales; they exist in training only.

The published ones have 70.7 million parameters, most of the cost of training a generator of 0.9; `scale` makes their
channels fewer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from deepperformer.model import count_parameters

PERIODS = (2, 3, 5, 7, 11)
PERIOD_CHANNELS = (32, 128, 512, 1024, 1024)
PERIOD_STRIDES = (3, 3, 3, 3, 1)
# Output channels, kernel, stride, groups of the convolutions of a scale.
SCALE_LAYERS = (
    (128, 15, 1, 1),
    (128, 41, 2, 4),
    (256, 41, 2, 16),
    (512, 41, 4, 16),
    (1024, 41, 4, 16),
    (1024, 41, 1, 16),
    (1024, 5, 1, 1),
)
SCALES = 3
SLOPE = 0.1

Judged = tuple[list[Tensor], list[list[Tensor]]]


class Discriminators(nn.Module):
    """All discriminators together.

    Args:
        scale: Factor of their channels; 1 is the published size.
        periods: Periods in samples at which sound is folded.
    """

    def __init__(self, scale: float = 1.0, periods: Sequence[int] = PERIODS) -> None:
        super().__init__()
        if not 1 / 8 <= scale <= 1:
            raise ValueError(f"discriminator_scale={scale}: from 1/8 (16 channels in groups of 16) to 1")
        self.periods = nn.ModuleList(PeriodDiscriminator(period, scale) for period in periods)
        self.scales = nn.ModuleList(ScaleDiscriminator(scale, spectral=index == 0) for index in range(SCALES))
        self.pool = nn.AvgPool1d(4, 2, padding=2)

    @property
    def n_parameters(self) -> int:
        """Number of trainable values."""
        return count_parameters(self)

    def forward(self, samples: Tensor) -> Judged:
        """Return the scores of each discriminator, and its features, scores included. samples: (B, S)."""
        sound = samples[:, None]
        scores, features = [], []
        for period in self.periods:
            found = period(sound)
            scores.append(found[-1])
            features.append(found)
        for index, discriminator in enumerate(self.scales):
            sound = self.pool(sound) if index else sound
            found = discriminator(sound)
            scores.append(found[-1])
            features.append(found)
        return scores, features


class PeriodDiscriminator(nn.Module):
    """Looks at every p-th sample: folds sound into rows of p and convolves along the columns."""

    def __init__(self, period: int, scale: float) -> None:
        super().__init__()
        self.period = period
        channels = [1, *(max(round(count * scale), 1) for count in PERIOD_CHANNELS)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(inputs, outputs, (5, 1), (stride, 1), padding=(2, 0)))
            for inputs, outputs, stride in zip(channels, channels[1:], PERIOD_STRIDES, strict=False)
        )
        self.last = weight_norm(nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, sound: Tensor) -> list[Tensor]:
        """sound: (B, 1, S). Returns the features of each layer, the scores last."""
        rest = -sound.shape[2] % self.period
        hidden = F.pad(sound, (0, rest), mode="reflect") if rest else sound
        hidden = hidden.unflatten(2, (-1, self.period))
        return _features(self.layers, self.last, hidden)


class ScaleDiscriminator(nn.Module):
    """Looks at consecutive samples; spectral: the first one is normalised by its spectral norm."""

    def __init__(self, scale: float, spectral: bool) -> None:
        super().__init__()
        normalise = spectral_norm if spectral else weight_norm
        layers, inputs = [], 1
        for count, kernel, stride, groups in SCALE_LAYERS:
            outputs = round(count * scale)
            layers.append(
                normalise(nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=min(groups, inputs)))
            )
            inputs = outputs
        self.layers = nn.ModuleList(layers)
        self.last = normalise(nn.Conv1d(inputs, 1, 3, padding=1))

    def forward(self, sound: Tensor) -> list[Tensor]:
        """sound: (B, 1, S). Returns the features of each layer, the scores last."""
        return _features(self.layers, self.last, sound)


def _features(layers: nn.ModuleList, last: nn.Module, hidden: Tensor) -> list[Tensor]:
    features = []
    for layer in layers:
        hidden = F.leaky_relu(layer(hidden), SLOPE)
        features.append(hidden)
    features.append(torch.flatten(last(hidden), 1))
    return features
