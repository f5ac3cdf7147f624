"""Trained models → samples: length, speed, metrics beside the test songs, faults, attention (§3.4.3, §3.4.4)."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from muspy_core.runs import Figures

from mmt.assessment import Corpus, assess, beats_of, draw_samples
from mmt.attention import draw, evidence, relative_attentions
from mmt.checkpoint import Checkpoint, load_checkpoint
from mmt.encoding import encode
from mmt.evaluate import Estimate, excerpts_of, plain
from mmt.experiments.runs import EXCERPT_BEATS, Folders, export_folder
from mmt.experiments.tables import BUNDLED, EXCERPT_NOTES, MODELS, SAMPLES
from mmt.generate import Options, generate, unconditioned
from mmt.model import MMT
from mmt.validity import validity

TIMED = 10  # songs that are timed one by one
UNCACHED = 128  # events of the song that is timed without the cache
ATTENTION_SONGS = 100


def checkpoint_of(name: str, folders: Folders) -> Checkpoint:
    """Load the bundled model, or the first training of one that is compared."""
    return load_checkpoint(BUNDLED if name == BUNDLED else export_folder(MODELS[name], 0, folders.runs))


def measure_samples(name: str, folders: Folders) -> Figures:
    """Draw 100 samples of at most 1,024 events, and compare them with the test songs."""
    checkpoint = replace(checkpoint_of(name, folders), name=name)
    corpus = Corpus.of(folders.data, checkpoint.training)
    options = Options(length=min(1024, checkpoint.model.config.max_length if name != BUNDLED else 1024))
    found = assess(checkpoint, corpus, options, SAMPLES, EXCERPT_NOTES)
    return {
        **found.to_dict(),
        "s_per_note": asdict(seconds_a_note(checkpoint.model, options)),
        "s_per_note_uncached": seconds_uncached(checkpoint.model, options),
        "parameters": checkpoint.model.n_parameters,
        "command": f"mmt evaluate --model {name} --data DATA --n {SAMPLES} --length {options.length}",
    }


def seconds_a_note(model: MMT, options: Options) -> Estimate:
    """Return the processor time of a note, over songs that are drawn one by one."""
    times = []
    for index in range(TIMED):
        made = draw_samples(model, 1, replace(options, seed=options.seed + index))
        if made.notes:
            times.append(made.seconds / made.notes)
    return Estimate.of(times)


@torch.inference_mode()
def seconds_uncached(model: MMT, options: Options) -> float | None:
    """Return the processor time of a note where every event is computed from all events before it, again each time.

    What is timed are the steps of a song that was drawn before, up to 128 events; None if no song has a note.
    """
    for index in range(TIMED):
        made = draw_samples(model, 1, replace(options, seed=options.seed + index))
        if made.notes:
            break
    else:
        return None
    codes = torch.from_numpy(np.asarray(made.codes[0]).reshape(1, len(made.codes[0]), -1))[:, :UNCACHED]
    start = time.process_time()
    for length in range(1, codes.shape[1] + 1):
        model.heads(model.hidden(codes[:, :length])[:, -1:], codes[:, length - 1 : length])
    seconds = time.process_time() - start
    return float(seconds / (made.notes * codes.shape[1] / len(made.codes[0])))


# ---- faults


def measure_validity(name: str, folders: Folders, count: int, length: int) -> Figures:
    """Draw songs from the same weights with the grammar and with the published rules, and look for faults."""
    checkpoint = checkpoint_of(name, folders)
    corpus = Corpus.of(folders.data, checkpoint.training)
    truth = [corpus.test[index] for index in range(len(corpus.test))]
    figures: Figures = {"model": name, "samples": count, "length": length, "seed": 0}
    for rules in ("grammar", "published"):
        songs = []
        for start in range(0, count, 50):
            options = Options(length=length, rules=rules, seed=start)  # type: ignore[arg-type]  # one of the two
            songs += generate(checkpoint.model, [unconditioned()] * min(50, count - start), options)
        figures[rules] = asdict(validity(songs, truth))
    return {**figures, "command": f"python -m mmt.experiments --table validity --data DATA  # {name}"}


# ---- attention


def measure_attention(name: str, folders: Folders) -> Figures:
    """Test the claims about the attention on test songs, under both baselines, and draw the gain."""
    checkpoint = checkpoint_of(name, folders)
    corpus = Corpus.of(folders.data, checkpoint.training)
    test = corpus.test if name == BUNDLED else excerpts_of(corpus.test, EXCERPT_NOTES, EXCERPT_BEATS)
    beats = beats_of(checkpoint.model)
    songs = [encode(plain(test[index], beats)) for index in range(min(ATTENTION_SONGS, len(test)))]
    figures: Figures = {"model": name, "songs": len(songs), "seed": 0, "resamples": 1000}
    for baseline in ("causal", "full"):
        measured = relative_attentions(checkpoint.model, songs, baseline=baseline)  # type: ignore[arg-type]  # one of the two
        found = evidence(measured, np.random.default_rng(0))
        figures[baseline] = [{**asdict(item), "verdict": item.verdict} for item in found]
        if baseline == "causal":
            folder = Path(folders.results).parent / "figures"
            folder.mkdir(parents=True, exist_ok=True)
            for field, attention in measured.items():
                draw(attention, folder / f"{name}-{field}.png")
    return {**figures, "command": f"mmt evaluate --model {name} --data DATA --figures FOLDER"}
