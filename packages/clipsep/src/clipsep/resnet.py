"""Pictures → vectors, as Sound of Pixels has it: a frozen ResNet-18 with a dilated last stage (§6.5, baseline SOP).

The network expects torchvision's weights of ImageNet, as the paper's baseline does; they are not shipped. Being frozen,
it runs once, before training: `clipsep prepare --resnet-weights` keeps the vectors of all pictures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from muspy_core.media import EmbeddingCache, content_hash, embedding_key
from muspy_core.media.files import kind_of, open_image
from muspy_core.media.frames import read_frames, video_duration
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clipsep.checkpoint import ModelError
from clipsep.convert import read_weights
from clipsep.features.queries import Vector, frame_times
from clipsep.features.wordings import QueryError

DIM = 512
SIDE = 224  # pixels
BATCH = 32
# What torchvision's weights expect; the published code gave them CLIP's.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class FrameNetwork(nn.Module):
    """Pictures → their features, maxima over the picture; 11,176,512 parameters, frozen.

    weights: of torchvision's resnet18 by name, its classifier included or not; None: random ones.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        network = _torchvision().resnet18(weights=None)
        if weights is not None:
            kept = {name: values for name, values in weights.items() if not name.startswith("fc.")}
            network.fc = nn.Identity()
            network.load_state_dict(kept)
        network.layer4.apply(_dilate)
        self.features = nn.Sequential(*list(network.children())[:-2])
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None], persistent=False)
        self.eval()

    @torch.inference_mode()
    def forward(self, pictures: Tensor) -> Tensor:
        """Return vectors, (pictures, 512). pictures: (pictures, 3, height, width), 0 to 1, RGB."""
        return F.adaptive_max_pool2d(self.features((pictures - self.mean) / self.std), 1).flatten(1)


class ResNetQueries:
    """Queries by pictures alone, the way of Sound of Pixels: the mean vector over the frames of a video.

    Args:
        weights: The file of torchvision's resnet18, resnet18-f37072fd.pth.
        cache: Folder in which vectors are kept; None: they are not.
        device: Where the network runs.

    Raises QueryError, at once, for a file that does not exist.
    """

    dim = DIM

    def __init__(
        self, weights: str | os.PathLike[str], *, cache: str | os.PathLike[str] | None = None, device: str = "cpu"
    ) -> None:
        self.weights, self.device = Path(weights), device
        if not self.weights.is_file():
            raise QueryError(f"{self.weights}: there is no such file of weights; torchvision's resnet18 is expected")
        identity = f"resnet18-dilated/{content_hash(self.weights)}"
        self._cache = None if cache is None else EmbeddingCache(cache, identity, preprocessing="imagenet-224")
        self._network: FrameNetwork | None = None

    def text(self, text: str) -> Vector:
        """Raise QueryError: the network sees pictures and reads nothing."""
        raise QueryError(f"{text[:60]!r}: this model knows pictures, no texts; ask with --image FILE")

    def image(self, path: str | os.PathLike[str]) -> Vector:
        """Return the vector of an image, or the mean of three frames around the middle of a video, (512,)."""
        if kind_of(path) == "video":
            return np.asarray(self.frames(path, frame_times(video_duration(path))).mean(axis=0), np.float32)

        def compute(chosen: list[int]) -> Vector:
            with open_image(path) as picture:
                picture.load()
            return self._run([picture])

        return np.asarray(self._vectors([content_hash(path)], ["image"], compute)[0], np.float32)

    def frames(self, path: str | os.PathLike[str], times_s: Sequence[float], *, sha256: str | None = None) -> Vector:
        """Return the vectors of a video's pictures at times in seconds, (times, 512). Raises MediaError."""
        digest = sha256 or content_hash(path)

        def compute(chosen: list[int]) -> Vector:
            from PIL import Image

            found = read_frames(path, [float(times_s[index]) for index in chosen])
            return self._run([Image.fromarray(frame.pixels) for frame in found])

        return self._vectors([digest] * len(times_s), [f"frame {time_s:.3f}" for time_s in times_s], compute)

    def describe(self) -> dict[str, Any]:
        """Return its description; weights by path."""
        return {"kind": "resnet", "weights": str(self.weights)}

    def _vectors(self, digests: list[str], parts: list[str], compute: Any) -> Vector:
        keys = [embedding_key(digest, part) for digest, part in zip(digests, parts, strict=True)]
        if self._cache is not None:
            return self._cache.get_or_compute(keys, compute, batch=BATCH)
        places = list(range(len(keys)))
        return np.concatenate([compute(places[first : first + BATCH]) for first in range(0, len(places), BATCH)])

    def _run(self, pictures: Sequence[Any]) -> Vector:
        if self._network is None:
            self._network = _load(self.weights).to(self.device)
        batch = torch.from_numpy(np.stack([_pixels(picture) for picture in pictures])).to(self.device)
        return np.asarray(self._network(batch).cpu().numpy(), np.float32)


def _pixels(picture: Any) -> NDArray[np.float32]:
    """The middle square of a picture, (3, 224, 224), 0 to 1."""
    from PIL import Image

    scale = SIDE / min(picture.size)
    size = [max(round(length * scale), SIDE) for length in picture.size]
    scaled = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    top, left = (scaled.shape[0] - SIDE) // 2, (scaled.shape[1] - SIDE) // 2
    return np.ascontiguousarray(scaled[top : top + SIDE, left : left + SIDE].transpose(2, 0, 1))


def _load(path: Path) -> FrameNetwork:
    """Build the network with the weights of a file."""
    try:
        return FrameNetwork(read_weights(path))
    except (ModelError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise QueryError(f"{path}: is not torchvision's resnet18: {reason}") from None


def _dilate(module: Any) -> None:
    """Give up the stride of a stage, and look twice as far instead: 14 × 14 places are left of 224 × 224 pixels."""
    if not isinstance(module, nn.Conv2d):
        return
    if module.stride == (2, 2):
        module.stride = (1, 1)
    elif module.kernel_size == (3, 3):
        module.dilation = module.padding = (2, 2)


def _torchvision() -> Any:
    try:
        from torchvision import models
    except ImportError as error:
        message = f"SOP needs the package torchvision: pip install 'clipsep[clip]' ({error})"
        raise ImportError(message, name="torchvision") from None
    return models
