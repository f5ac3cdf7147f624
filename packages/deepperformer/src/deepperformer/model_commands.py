"""`deepperformer evaluate` and `deepperformer export`: figures and pictures of models, and files for other programs."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import EXIT_OK, add_json_option, print_step

if TYPE_CHECKING:
    from muspy_core.exporting import Format

    from deepperformer.checkpoint import Checkpoint

FIGURES = {
    "alignment": ("figure-5-4.png",),
    "synthesis": ("figure-5-3.png", "figure-5-5.png", "figure-5-6.png"),
}


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("model", metavar="MODEL", help="bundled name, folder (of one model or three) or hub:OWNER/NAME")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="what `prepare` made; for inverters "
                        "any folder of sound")  # fmt: skip
    parser.add_argument("--split", default="movement", help="as in training: movement, random, fold-1 … (default: "
                        "movement)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the split, as in training (default: 0)")
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="draw figures 5.3 to 5.6 of the dissertation")
    parser.add_argument("--beside", nargs="*", default=[], metavar="MODEL", help="more models for figure 5.6")
    add_json_option(parser)


def evaluate(options: argparse.Namespace) -> int:
    """Measure the model, or each model of a bundle."""
    report: dict[str, Any] = {}
    for stage, checkpoint in models_of(options.model).items():
        start = time.perf_counter()
        figures = _figures_of(stage, checkpoint, options)
        report[stage] = {**figures, "steps": checkpoint.training.steps}
        if not options.json:
            print_step(
                f"{stage} ({checkpoint.training.steps:,} steps): {_line(stage, figures)}", time.perf_counter() - start
            )
    written = [] if options.figures is None else draw(options)
    if options.json:
        print(json.dumps({**report, "figures": [str(path) for path in written]}, indent=2, ensure_ascii=False))
    else:
        for path in written:
            print(f"wrote {path}")
    return EXIT_OK


def models_of(name: str) -> dict[str, Checkpoint]:
    """Return the models of a bundle, or the only one, by stage. Raises ModelError if there is none."""
    from muspy_core.pretrained import CONFIG_NAME

    from deepperformer.checkpoint import STAGES, load_checkpoint, model_folder

    folder = model_folder(name)
    stages = [stage for stage in STAGES if (folder / stage / CONFIG_NAME).is_file()]
    if stages:
        return {stage: load_checkpoint(name, stage) for stage in stages}
    checkpoint = load_checkpoint(name)
    return {checkpoint.kind if checkpoint.kind in STAGES else "inverter": checkpoint}


def _figures_of(stage: str, checkpoint: Checkpoint, options: argparse.Namespace) -> dict[str, Any]:
    from deepperformer.data import ClipDataModule, SegmentDataModule
    from deepperformer.evaluate import evaluate_alignment, evaluate_synthesis
    from deepperformer.vocoder.copying import evaluate_inverter

    if stage == "inverter":
        data = SegmentDataModule(str(options.data), sample_rate=checkpoint.mel.sample_rate, seed=options.seed)
        data.setup()
        return evaluate_inverter({"model": checkpoint.model}, data.sounds["valid"], checkpoint.mel)
    if stage == "alignment":
        return evaluate_alignment(
            checkpoint, ClipDataModule(str(options.data), "none", split=options.split, seed=options.seed)
        )
    return evaluate_synthesis(
        checkpoint, ClipDataModule(str(options.data), "mel", split=options.split, seed=options.seed)
    )


def _line(stage: str, figures: dict[str, Any]) -> str:
    if stage == "alignment":
        ours, constant = (figures[name]["onset_ms"]["mean"] for name in ("model", "constant"))
        return f"onsets {ours:.1f} ms off, at constant tempo {constant:.1f} ms, {figures['clips']} clips"
    if stage == "synthesis":
        ours, mean = (figures[name]["mse"]["mean"] for name in ("model", "mean_mel"))
        return f"squared error of log mels {ours:.3f}, of the mean mel {mean:.3f}, {figures['clips']} clips"
    ours, other = figures["model"], figures["griffin_lim"]
    names = (("mel_l1", "log mels"), ("lsd_db", "spectra, dB"), ("cents", "cents"))
    each = "; ".join(f"{title} {ours[key]:.3g} (Griffin-Lim {other[key]:.3g})" for key, title in names)
    return f"copies off by: {each}; {figures['clips']} clips"


def draw(options: argparse.Namespace) -> list[Path]:
    """Draw the figures that the models are good for."""
    from deepperformer import figures
    from deepperformer.checkpoint import load_checkpoint
    from deepperformer.data import ClipDataModule

    options.figures.mkdir(parents=True, exist_ok=True)
    models = models_of(options.model)
    paths = [options.figures / name for stage in models for name in FIGURES.get(stage, ())]
    if "alignment" in models:
        data = ClipDataModule(str(options.data), "none", split=options.split, seed=options.seed)
        data.setup()
        figures.alignment_figure(models["alignment"], data, paths[0])
    if "synthesis" in models:
        data = ClipDataModule(str(options.data), "mel", split=options.split, seed=options.seed)
        data.setup()
        first, second, third = paths[-3:]
        figures.data_figure(data, first)
        figures.polyphony_figure(models["synthesis"], data, second)
        beside = {name: load_checkpoint(name, "synthesis") for name in options.beside}
        figures.models_figure({"model": models["synthesis"], **beside}, data, third)
    return paths


# --- export ----------------------------------------------------------------------------------------------------------


def export_models(name: str, folder: Path, formats: list[Format], overwrite: bool) -> list[Path]:
    """Write each model of a bundle, or the one of a folder, for other programs; return the files."""
    from deepperformer.exporting import export

    return [path for checkpoint in models_of(name).values() for path in export(checkpoint, folder, formats, overwrite)]
