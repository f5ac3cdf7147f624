r"""Exports of trainings → the bundled models: three folders and a card (runs → `pretrained`).

    python -m deepperformer.experiments.bundle violin --alignment RUN/export --synthesis RUN/export \
        --inverter RUN/export

Nothing is rounded here: exports have half precision already. A stage that is left out is done without (see `perform`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically
from muspy_core.pretrained import CONFIG_NAME, WEIGHTS_NAME

from deepperformer.checkpoint import MODELS, STAGES, Checkpoint, load_checkpoint
from deepperformer.errors import ModelError

MOST_BYTES = 12_000_000
CARD_NAME = "README.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m deepperformer.experiments.bundle", description="Put models into the package.")
    parser.add_argument("name", help="of the bundle")
    for stage in STAGES:
        parser.add_argument(f"--{stage}", type=Path, metavar="FOLDER", help=f"the export of the {stage} model")
    parser.add_argument("--into", type=Path, default=MODELS.home, help="folder of the bundles (default: the package's)")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    given = {stage: getattr(options, stage) for stage in STAGES if getattr(options, stage) is not None}
    return run_command(lambda: _run(options.name, given, options.into), debug=options.debug)


def _run(name: str, exports: Mapping[str, Path], into: Path) -> int:
    size = bundle(exports, into / name)
    sys.stdout.write(f"wrote {into / name}: {', '.join(exports)}, {size:,} bytes\n")
    return 0


def bundle(exports: Mapping[str, Path], folder: Path) -> int:
    """Copy exports, by stage, into a bundle, write its card, and return its size in bytes.

    Raises ModelError for a bundle without synthesis, over 12 MB, or of models that do not go together, and MelError
    for models of different mels.
    """
    checkpoints = {stage: load_checkpoint(path) for stage, path in exports.items()}
    if "synthesis" not in checkpoints:
        raise ModelError("a bundle needs a synthesis model")
    for stage, checkpoint in checkpoints.items():
        if stage != "inverter" and checkpoint.kind != stage:
            raise ModelError(f"{checkpoint.name}: is a model of kind {checkpoint.kind}, not {stage}")
        checkpoints["synthesis"].mel.check(checkpoint.mel, checkpoint.name)
    size = sum((path / name).stat().st_size for path in exports.values() for name in (WEIGHTS_NAME, CONFIG_NAME))
    if size > MOST_BYTES:
        raise ModelError(f"{size:,} bytes of models: a bundle has {MOST_BYTES:,} at most")
    for stage, path in exports.items():
        (folder / stage).mkdir(parents=True, exist_ok=True)
        for name in (WEIGHTS_NAME, CONFIG_NAME):
            with write_atomically(folder / stage / name) as temporary:
                shutil.copyfile(path / name, temporary)
    with write_atomically(folder / CARD_NAME) as temporary:
        temporary.write_text(card(folder.name, checkpoints), encoding="utf-8")
    return size


def card(name: str, checkpoints: Mapping[str, Checkpoint]) -> str:
    """Return a short card: what the models are, how far they were trained, and what they scored on validation.

    What no checkpoint knows, data, licence, commands and figures, is written by hand in `NAME.md` beside this file.
    """
    lines = [f"# {name}", "", "Weights in half precision. Figures are of the validation part of each training.", ""]
    lines += ["| model | kind | parameters | steps | validation |", "|---|---|---|---|---|"]
    for stage, checkpoint in checkpoints.items():
        scores = ", ".join(
            f"{key.removeprefix('val_')} {value:.4g}" for key, value in checkpoint.training.scores.items()
        )
        count = sum(parameter.numel() for parameter in checkpoint.model.parameters())
        lines.append(f"| {stage} | {checkpoint.kind} | {count:,} | {checkpoint.training.steps:,} | {scores} |")
    missing = [stage for stage in STAGES if stage not in checkpoints]
    instead = {"alignment": "the score's tempo is kept", "inverter": "Griffin-Lim makes the sound"}
    lines += ["", *(f"Without {stage}: {instead[stage]}." for stage in missing)] if missing else []
    about = resources.files("deepperformer.experiments") / f"{name}.md"
    lines += ["", about.read_text(encoding="utf-8").rstrip("\n")] if about.is_file() else []
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
