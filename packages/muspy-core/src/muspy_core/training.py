"""Training with Lightning as all packages have it: `fit` with configurations by name, and the best model exported.

Lightning and jsonargparse come with the extra `train` of each model package; `errors.needed` says so where they are
missing, so this module is imported inside of it.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NoReturn

import lightning as L
import torch
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from muspy_core.configurations import ConfigurationError, check_checkpoint, with_configuration_paths

LONGEST_ERROR = 400  # characters


def fit_by_configuration(
    package: str,
    arguments: Sequence[str],
    model: type[L.LightningModule],
    data: type[L.LightningDataModule],
    *,
    links: Mapping[str, str] | None = None,
    fill_in: Callable[[Any], None] | None = None,
) -> int:
    """Train what a configuration says, and return the exit code.

    package: import name; its folder `configs` holds the configurations that bare names mean. arguments: those of
    LightningCLI's `fit`. model, data: classes; where they are abstract Lightning's, a configuration names the class.
    links: arguments of the model → arguments of the data that are always the same. fill_in: completes the parsed
    configuration before anything is made of it.

    Raises ConfigurationError, in one line, for what Lightning or a class does not accept, and for a checkpoint that is
    not safe to open.
    """

    class FitCLI(LightningCLI):
        """Hands from the model to the data what both must agree on, and says in one line what is wrong."""

        def init_parser(self, **kwargs: Any) -> LightningArgumentParser:
            """Make a parser whose errors are raised, not printed under the usage of a hundred options."""
            parser = super().init_parser(**kwargs)
            parser.error = _refuse
            return parser

        def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
            """Parse, and look at a checkpoint before Lightning opens it."""
            try:
                super().parse_arguments(parser, args)
            except RecursionError:
                raise ConfigurationError("a configuration contains itself, or is nested too deeply") from None
            checkpoint = self.config["fit"].get("ckpt_path")
            # "last", "best" and the like are names of the trainer's own.
            if checkpoint is not None and Path(str(checkpoint)).suffix:
                check_checkpoint(checkpoint)

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            """Link the arguments."""
            for source, target in (links or {}).items():
                parser.link_arguments(source, target)

        def before_instantiate_classes(self) -> None:
            """Complete the configuration."""
            if fill_in is not None:
                fill_in(self.config["fit"])

    with warnings.catch_warnings():
        # The arguments are those of the command line; only bare names have been replaced.
        warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
        FitCLI(
            model,
            data,
            subclass_mode_model=model is L.LightningModule,
            subclass_mode_data=data is L.LightningDataModule,
            args=["fit", *with_configuration_paths(arguments, Path(str(resources.files(package) / "configs")))],
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": package},
        )
    return 0


def _refuse(message: str, error: Exception | None = None) -> NoReturn:
    """Raise what jsonargparse would print; it tells of each class that a value might have been."""
    text = " ".join(message.split())
    shown = text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]} …"
    raise ConfigurationError(f"{shown} (--print_config shows what there is)") from error


@dataclass(frozen=True)
class History:
    """What a training has come to. scores: validation figures by name, rounded to five digits."""

    steps: int
    epoch: int
    scores: Mapping[str, float]


class ExportBest(L.Callback, ABC):
    """Writes the model whenever a validation is the best so far; a package says in `export` how.

    Args:
        folder: Where to; None: `export` in the trainer's log folder.
        monitor: The logged value that is compared; None: every validation counts as the best, the last stays.
        mode: Whether it is to be smallest or largest.
    """

    def __init__(
        self, folder: str | None = None, monitor: str | None = "val_loss", mode: Literal["min", "max"] = "min"
    ) -> None:
        self.folder, self.monitor, self.mode = folder, monitor, mode
        self.best = float("inf") if mode == "min" else float("-inf")

    @abstractmethod
    def export(self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: History) -> None:
        """Write the model into a folder. Raises TypeError for modules or data of another package."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save if this is the best validation; of several processes the first one does."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        if self.monitor is not None:
            value = trainer.callback_metrics.get(self.monitor)
            if value is None or not self._is_better(float(value)):
                return
            self.best = float(value)
        scores = {name: round(float(score), 5) for name, score in trainer.callback_metrics.items() if "val" in name}
        folder = Path(self.folder or Path(trainer.log_dir or trainer.default_root_dir) / "export")
        data: L.LightningDataModule = trainer.datamodule  # type: ignore[attr-defined]  # set when fit is called
        self.export(folder, pl_module, data, History(trainer.global_step, trainer.current_epoch, scores))

    def _is_better(self, value: float) -> bool:
        return value < self.best if self.mode == "min" else value > self.best

    def state_dict(self) -> dict[str, Any]:
        """The best value so far, so that resumed training does not overwrite a better model."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best value."""
        self.best = state_dict["best"]


def linear_decay(step: int, warmup: int, end: int, rest: float) -> float:
    """Return the share of the learning rate at a step: linear from 0 to 1 at `warmup`, to `rest` at `end`, then that.

    warmup, end: steps; 0 for no warm-up.
    """
    if step < warmup:
        return (step + 1) / warmup
    if step >= end:
        return rest
    return 1 - (1 - rest) * (step - warmup) / max(end - warmup, 1)


def reseed(worker: int) -> None:
    """Give a data set that draws (`rng`) a generator of its own in each worker; all would draw the same otherwise."""
    import numpy as np

    information = torch.utils.data.get_worker_info()
    if information is not None and getattr(information.dataset, "rng", None) is not None:
        information.dataset.rng = np.random.default_rng(information.seed)
