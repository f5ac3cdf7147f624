"""What weights of 8 bits cost: -log p of a note on test songs, in single precision and in `int8`, of one model.

    python benchmarks/mmt_precision.py --model default --data data --songs 40 --json precision.json

data: a folder that `mmt prepare` made. The first test songs of its split are read, as long as the model sees at once. A
mode is honest only if it is within 1 % of single precision.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mmt.checkpoint import load_checkpoint
from mmt.evaluate import likelihood
from mmt.int8 import to_int8
from mmt.songs import Songs, load_split

ALLOWED = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    model = load_checkpoint(options.model).model
    songs = Songs.load(options.data).subset(load_split(options.data)["test"][: options.songs])
    exact, rounded = (likelihood(kind, songs) for kind in (model, to_int8(model)))
    change = rounded.nll_note / exact.nll_note - 1
    print(f"{exact.songs} songs, {exact.notes} notes: {exact.nll_note:.4f} nats a note, int8 {rounded.nll_note:.4f}")
    print(f"{change:+.3%}, which is {'within' if abs(change) <= ALLOWED else 'not within'} {ALLOWED:.0%}")
    if options.json is not None:
        results = {"float32": exact.nll_note, "int8": rounded.nll_note, "notes": exact.notes, "change": change}
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
