"""How late, how fast and how right the live arranger is when hands play chorales that it has not learned.

    python benchmarks/arranger_live.py --pieces 12 --json live.json

A performance is simulated from the score: each note-on comes 0 to SPREAD ms late, in any order, and the tempo drifts by
up to 5 % up and down over 16 quarters. Latency is counted from note-on in to note-on out: the wait for the rest of the
chord, and the computation as measured. Accuracy stands beside that of the same model on the score, on the same notes.
Random numbers are seeded. Set OMP_NUM_THREADS=1: the work of a chord is too small for more.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from arranger.checkpoint import load_checkpoint
from arranger.clocks import SteadyTempo
from arranger.corpus import load_corpus
from arranger.decoding import decode, decode_causally
from arranger.inference import Tagger
from arranger.live import LiveArranger, Missing
from arranger.mixture import RESOLUTION, Piece, shuffled_ties
from arranger.splits import split_of
from arranger.streaming import play

QPM = 90.0
DRIFT = 0.05
DRIFT_QUARTERS = 16.0


@dataclass(frozen=True)
class Setting:
    """One way to play. mode: of the model. spread_ms: of a chord. told: the tempo told, as a share of the true one."""

    mode: str
    spread_ms: float
    window_ms: float
    drift: float = DRIFT
    told: float = 1.0
    missing: Missing = "expected"

    @property
    def name(self) -> str:
        """As printed."""
        tempo = "" if self.told == 1 else f", told {self.told:g} x the tempo"
        tempo += "" if self.missing == "expected" else ", missing parts ignored"
        return f"{self.mode}: spread {self.spread_ms:g} ms, window {self.window_ms:g} ms, drift {self.drift:.0%}{tempo}"


SETTINGS = (
    Setting("online", 0, 12, drift=0),
    Setting("online", 0, 12),
    Setting("online", 10, 12),
    Setting("online", 20, 12),
    Setting("online", 30, 12),
    Setting("online", 30, 12, missing="ignored"),
    Setting("online", 30, 0),
    Setting("online", 30, 35),
    Setting("online", 30, 12, told=1.3),
    Setting("causal", 0, 0, drift=0),
    Setting("causal", 30, 0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bach-chorales")
    parser.add_argument("--subset", choices=["valid", "test"], default="test", help="of the grouped split")
    parser.add_argument("--pieces", type=int, default=12, help="the first so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--clock", choices=["wall", "processor"], default="wall", help="which time the computation took"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    corpus = {piece.name: piece for piece in load_corpus("bach")}
    names = sorted(getattr(split_of("grouped", "bach", list(corpus)), options.subset))[: options.pieces]
    rng = np.random.default_rng(options.seed)
    pieces = [shuffled_ties(corpus[name], rng) for name in names]
    clock = time.thread_time if options.clock == "processor" else time.perf_counter
    rows = [measure(options.model, pieces, setting, options.seed, clock) for setting in SETTINGS]
    print(f"{len(pieces)} chorales, {sum(map(len, pieces)):,} notes, {QPM:g} quarters a minute, seed {options.seed}")
    for row in rows:
        print(
            f"{row['setting']:84} accuracy {row['accuracy']:.4f} (score {row['accuracy_on_score']:.4f})  "
            f"latency p50 {row['latency_ms_p50']:5.1f} p99 {row['latency_ms_p99']:5.1f} ms  "
            f"{row['notes_per_second']:,.0f} notes/s ({options.clock} time)"
        )
    if options.json is not None:
        options.json.write_text(
            json.dumps({"pieces": names, "seed": options.seed, "clock": options.clock, "rows": rows}, indent=1) + "\n",
            encoding="utf-8",
        )


def measure(model: str, pieces: list[Piece], setting: Setting, seed: int, clock: Callable[[], float]) -> dict[str, Any]:
    """Play all pieces in one setting."""
    checkpoint = load_checkpoint(model, setting.mode)
    tagger = Tagger(checkpoint)
    rng = np.random.default_rng(seed)
    right = right_on_score = 0
    latencies, compute_s = [], 0.0
    for piece in pieces:
        arranger = LiveArranger(
            checkpoint,
            window_s=setting.window_ms / 1000,
            clock=SteadyTempo(QPM * setting.told, 0.0),
            missing=setting.missing,
        )
        onset, end = performed(piece, setting, rng)
        label, _, latency, spent = play(arranger, onset, end, piece.mixture.pitch, piece.mixture.velocity, clock)
        right += int((label == piece.label).sum())
        latencies.append(latency)
        compute_s += spent
        method = decode_causally if setting.mode == "causal" else decode
        config = arranger.control.decoding(checkpoint.decoding)
        on_score = method(piece.mixture, tagger.logits(piece.mixture), arranger.parts, config)
        right_on_score += int((on_score == piece.label).sum())
    notes = sum(map(len, pieces))
    p50, p99 = np.percentile(np.concatenate(latencies), [50, 99]) * 1000
    return {
        "setting": setting.name,
        "notes": notes,
        "accuracy": right / notes,
        "accuracy_on_score": right_on_score / notes,
        "latency_ms_p50": float(p50),
        "latency_ms_p99": float(p99),
        "notes_per_second": notes / compute_s,
    }


def performed(piece: Piece, setting: Setting, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return when each key is pressed and released, in seconds: a drifting tempo, and fingers that are not together.

    The tempo is QPM · (1 + drift · sin 2π(q / 16 + φ)) at quarter q, with a phase φ of its own for every piece.
    """
    steps = np.arange(piece.mixture.offset.max() + 1)
    phase = rng.random()
    tempo = QPM * (1 + setting.drift * np.sin(2 * np.pi * (steps / RESOLUTION / DRIFT_QUARTERS + phase)))
    times = np.concatenate([[0.0], np.cumsum(60 / RESOLUTION / tempo)])
    late = rng.random(len(piece)) * setting.spread_ms / 1000
    onset = times[piece.mixture.onset] + late
    return onset, np.maximum(times[piece.mixture.offset], onset + 0.01)


if __name__ == "__main__":
    main()
