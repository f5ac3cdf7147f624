"""Separation of long files: real-time factor, cost of more queries, memory at two lengths.

    python benchmarks/clipsep_separation.py --threads 2 --json clipsep.json

The network has the paper's size (30.3 million parameters) and random weights: speed does not depend on them. Each row
is a process of its own, so that its peak memory is its own. Time is from the first byte to the last: decoding,
transforms, network, encoding; processor seconds are those that all threads worked, which other work on the machine
changes less. The file is noise in stereo at 44.1 kHz.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[2.0, 10.0], help="lengths (default: 2 10)")
    parser.add_argument("--queries", type=int, nargs="+", default=[1, 8], help="at the first length (default: 1 8)")
    parser.add_argument("--width", type=int, default=64, help="of the U-Net (default: 64, the paper's)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--one", nargs=2, type=float, metavar=("MINUTES", "QUERIES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measured(options, options.one[0], int(options.one[1]))))
        return
    cases = [(minutes, options.queries[0]) for minutes in options.minutes]
    cases += [(options.minutes[0], count) for count in options.queries[1:]]
    rows = []
    for minutes, count in cases:
        settings = ["--width", str(options.width), "--precision", options.precision, "--threads", str(options.threads)]
        command = [sys.executable, __file__, "--one", str(minutes), str(count), *settings]
        rows.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        row = rows[-1]
        took = f"{row['seconds']:8.1f} s ({row['processor_seconds']:.1f} s worked)"
        speed = f"real-time factor {row['real_time_factor']:.3f}  peak {row['peak_gb']:.2f} GB"
        print(f"{row['minutes']:6.1f} min  {row['queries']} queries  {took}  {speed}", flush=True)
    if len(options.queries) > 1:
        print(f"{rows[-1]['queries']} queries cost {rows[-1]['seconds'] / rows[0]['seconds']:.2f} times one")
    if options.json is not None:
        options.json.write_text(
            json.dumps({"threads": options.threads, "width": options.width, "rows": rows}, indent=1)
        )


def measured(options: argparse.Namespace, minutes: float, queries: int) -> dict[str, float]:
    import numpy as np
    import torch
    from clipsep.features.queries import TableQueries
    from clipsep.model import build_model
    from clipsep.output import Targets, separate_file
    from clipsep.query import Query
    from clipsep.separate import Separator
    from muspy_core import Audio
    from muspy_core.audio_blocks import AudioWriter

    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    names = [f"query {index}" for index in range(queries)]
    table = TableQueries({name: rng.standard_normal(512).tolist() for name in names})
    separator = Separator(build_model("clipsep", width=options.width), table, precision=options.precision)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.wav")
        with AudioWriter(source, 44100, 2) as writer:
            for _ in range(round(minutes * 6)):
                writer.write(Audio(0.1 * rng.standard_normal((2, 441_000)), 44100))
        targets = Targets(tuple(Path(folder, f"{index}.wav") for index in range(queries)), Path(folder, "rest.wav"))
        start, worked = time.perf_counter(), time.process_time()
        separate_file(separator, source, [Query.of_text(name) for name in names], targets, progress=False)
        seconds, worked = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    factor = seconds / (60 * minutes)
    return {
        "minutes": minutes,
        "queries": queries,
        "seconds": seconds,
        "processor_seconds": worked,
        "real_time_factor": factor,
        "peak_gb": peak,
    }


if __name__ == "__main__":
    main()
