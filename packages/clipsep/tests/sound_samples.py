"""Small sounds for the tests: notes with known spectra, a folder of them, and the folder prepared."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from clipsep.features.queries import TableQueries
from clipsep.library import Library, Vectors
from clipsep.prepare import prepare
from muspy_core import Audio

NetworkT = TypeVar("NetworkT", bound=torch.nn.Module)

PITCHES = {"flute": 1760.0, "tuba": 110.0, "violin": 660.0}
SECONDS = 1.5


def tone(frequency: float, seconds: float, rate: int = 22050, seed: int = 0) -> Audio:
    """A note with three harmonics and a little noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate)) / rate
    sound = sum(np.sin(2 * np.pi * frequency * k * times + rng.uniform(0, 6)) / k for k in (1, 2, 3))
    return Audio(0.2 * sound + 0.002 * rng.standard_normal(len(times)), rate)


def write_sounds(folder: Path, count: int = 6) -> Path:
    """A folder with a sub-folder of sounds for each label, and a file without sound."""
    for number, (label, pitch) in enumerate(PITCHES.items()):
        (folder / label).mkdir(parents=True)
        for index in range(count):
            tone(pitch * (1 + 0.01 * index), SECONDS, seed=100 * number + index).write(folder / label / f"{index}.wav")
    (folder / "flute" / "broken.wav").write_bytes(b"no sound")
    return folder


def prepared(folder: Path, sounds: Path, dim: int = 8) -> Library:
    """A prepared folder whose labels have one-hot vectors, as texts and as pictures; each label is in each split."""
    library = prepare(sounds, folder, progress=False).library
    parts = ("train", "train", "train", "train", "validation", "test")
    items = [dataclasses.replace(item, split=parts[index % 6]) for index, item in enumerate(library.manifest)]
    library = dataclasses.replace(library, manifest=library.manifest.of(items))
    labels = library.labels
    text = np.eye(len(labels), dim, dtype=np.float16)
    pairs = {a: {b: [labels.index(a)] for b in labels if b != a} for a in labels}
    frames, rows = [], []
    for item in library.manifest:
        frames.append((len(rows), 2))
        rows += [text[labels.index(item.label or "")]] * 2
    table = TableQueries({label: text[index].tolist() for index, label in enumerate(labels)})
    wordings = {"train": {label: [index] for index, label in enumerate(labels)}}
    vectors = Vectors(table.describe(), text, np.stack(rows), labels, wordings, pairs, tuple(frames))
    made = Library(library.manifest, vectors)
    made.write(folder)
    return Library.read(folder)


def stirred(network: NetworkT, seed: int = 0) -> NetworkT:
    """Weights as after some training: fresh ones are so small that nothing can be told from anything."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    network.eval()
    return network
