"""An export of a training → a bundled model that knows its labels without the sentence encoder (the last step).

    python -m clipsep.experiments.bundle runs/labels-instruments/s0/export DATA -o src/clipsep/pretrained/instruments

A label's vector is the mean of the texts that it was trained with.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from muspy_core.console import Parser, run_command

from clipsep.checkpoint import ModelError, load_checkpoint, save_checkpoint
from clipsep.features.queries import LabelledSentences, SentenceQueries
from clipsep.library import Library

LARGEST_BYTES = 8_000_000


def bundle(export: str | os.PathLike[str], data: str | os.PathLike[str], folder: str | os.PathLike[str]) -> int:
    """Write an exported model with the vectors of its labels into a folder; return the size of that in bytes.

    data: the prepared folder that the model was trained on. Raises ModelError if the model does not read sentences, or
    does not fit into a package.
    """
    loaded, library = load_checkpoint(export), Library.read(data)
    encoder = dict(loaded.training.encoder)
    if encoder.get("kind") != "sentence":
        raise ModelError(f"{export}: its queries are read by {encoder.get('kind')}, not by the sentence encoder")
    vectors = library.vectors
    labels = {
        label: np.asarray(vectors.text[list(vectors.wordings["train"][label])], np.float32).mean(axis=0).tolist()
        for label in library.trained_labels
    }
    described = LabelledSentences(labels, SentenceQueries(encoder.get("mean", ()))).describe()
    save_checkpoint(folder, loaded.model, dataclasses.replace(loaded.training, encoder=described))
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    if size > LARGEST_BYTES:
        raise ModelError(f"{folder}: {size:,} bytes, more than the {LARGEST_BYTES:,} that a package may hold")
    return size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m clipsep.experiments.bundle", description="Bundle a trained model.")
    parser.add_argument("export", type=Path, help="folder that the training exported")
    parser.add_argument("data", type=Path, help="folder of the stems that it was trained on")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the bundled model")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    size = bundle(options.export, options.data, options.output)
    sys.stdout.write(f"wrote {options.output}: {size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
