"""Sound → what basic-pitch's last hidden layer makes of it, and how far two sounds are apart there (extra `judge`).

The layer is what the network's onsets are computed from: 33 features of each frame and pitch, here averaged over the
pitches, so that it matters little which notes are played. Symbols: T frames, F features.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core import Audio
from muspy_core.errors import needed
from numpy.typing import NDArray

from deepperformer.errors import ModelError
from deepperformer.transcription import EDGE, Transcriber, sound_windows

NAME = "basic-pitch, last hidden layer, mean over pitches"
ONSETS = Transcriber.OUTPUTS[1]

Features = NDArray[np.float32]


class Embedder:
    """Basic-pitch's network up to its last hidden layer.

    Args:
        path: `nmp.onnx`.

    Raises ModelError if the file is no such network, and ImportError without onnx or onnxruntime.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        with needed("deepperformer", "judge", "an embedding"):
            import onnx
            import onnxruntime
        Transcriber(path)  # which says what is wrong with a file that is no such network
        graph = onnx.load(os.fspath(Path(path)))
        self.name = last_hidden(graph)
        graph.graph.output.append(onnx.ValueInfoProto(name=self.name))
        self.session: Any = onnxruntime.InferenceSession(graph.SerializeToString())

    def features(self, audio: Audio) -> Features:
        """Return the features of each frame of 256 samples at 22.05 kHz, (T, F)."""
        feed = self.session.get_inputs()[0].name
        windows, frames = sound_windows(audio)
        layers = [self.session.run([self.name], {feed: window})[0][0] for window in windows]  # (F, frames, pitches)
        features: Features = np.concatenate([layer.mean(2).T[EDGE:-EDGE] for layer in layers])[:frames]
        return features


def last_hidden(network: Any) -> str:
    """Return the name of what the last convolution before the onsets reads. network: an ONNX model."""
    makers = {output: node for node in network.graph.node for output in node.output}
    node = makers.get(ONSETS)
    while node is not None and node.op_type != "Conv":
        node = makers.get(node.input[0])
    if node is None:
        raise ModelError("the network computes its onsets by no convolution: it is not basic-pitch's")
    return str(node.input[0])


def embedding_distance(features: Features, real: Features) -> float:
    """Return how far features, (T, F), are from real ones, (T', F), in units of how far these spread.

    The root of the Fréchet distance of normal distributions of independent features (squared differences of means and
    of standard deviations, summed), over that of the real variances. Raises ValueError for fewer than two frames.
    """
    if min(len(features), len(real)) < 2:
        raise ValueError(f"{len(features)} and {len(real)} frames: a distance needs two of each at least")
    ours, theirs = ((found.mean(0, dtype=np.float64), found.std(0, dtype=np.float64)) for found in (features, real))
    between = sum(float(np.square(a - b).sum()) for a, b in zip(ours, theirs, strict=True))
    within = float(np.square(theirs[1]).sum())
    return float(np.sqrt(between / max(within, 1e-12)))
