"""Video frames → vectors, as Sound of Pixels has it: a ResNet-18 with a dilated last stage (§6.5, baseline SOP).

Symbols: B mixtures, n sources, L frames of each. The network is frozen and expects the weights of ImageNet, which the
paper's baseline takes from torchvision; they are not shipped.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# What torchvision's weights expect; the published code gave them CLIP's.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class FrameNetwork(nn.Module):
    """Frames → their features, maxima over the picture, means over the frames; 11,176,512 parameters, frozen."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        try:
            from torchvision.models import resnet18
        except ImportError as error:
            message = f"SOP needs the package torchvision: pip install 'clipsep[clip]' ({error})"
            raise ImportError(message, name="torchvision") from None
        network = resnet18(weights=None)
        network.layer4.apply(_dilate)
        self.features = nn.Sequential(*list(network.children())[:-2])
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None], persistent=False)

    def train(self, mode: bool = True) -> FrameNetwork:
        """Stay in the state of evaluation: a frozen network keeps its statistics."""
        super().train(False)
        return self

    @torch.no_grad()
    def forward(self, frames: Tensor) -> Tensor:
        """Return vectors, (B, n, 512). frames: (B, n, L, 3, 224, 224), 0 to 1, RGB."""
        batch = (frames.flatten(0, 2) - self.mean) / self.std
        vectors = F.adaptive_max_pool2d(self.features(batch), 1).flatten(1)
        pooled: Tensor = vectors.view(*frames.shape[:3], -1).mean(dim=2)
        return pooled


def _dilate(module: Any) -> None:
    """Give up the stride of a stage, and look twice as far instead: 14 × 14 places are left of 224 × 224 pixels."""
    if not isinstance(module, nn.Conv2d):
        return
    if module.stride == (2, 2):
        module.stride = (1, 1)
    elif module.kernel_size == (3, 3):
        module.dilation = module.padding = (2, 2)
