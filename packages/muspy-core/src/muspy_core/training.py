"""Training with Lightning as all packages have it: `fit` with configurations by name, and the best model exported.

Lightning and jsonargparse come with the extra `train` of each model package; `errors.needed` says so where they are
missing, so this module is imported inside of it.
"""

from __future__ import annotations

import logging
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
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from muspy_core.configurations import ConfigurationError, check_checkpoint, with_configuration_paths
from muspy_core.fine_tuning import Initial

LONGEST_ERROR = 400  # characters
LIGHTNING_LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric")


def fit_by_configuration(
    package: str,
    arguments: Sequence[str],
    model: type[L.LightningModule],
    data: type[L.LightningDataModule],
    *,
    links: Mapping[str, str] | None = None,
    fill_in: Callable[[Any], None] | None = None,
    initial: Callable[[str, str | None], Initial] | None = None,
) -> int:
    """Train what a configuration says, and return the exit code.

    What is logged goes into `metrics.csv` and, beside it, into a file that TensorBoard reads.

    package: import name; its folder `configs` holds the configurations that bare names mean. arguments: those of
    LightningCLI's `fit`. model, data: classes; where they are abstract Lightning's, a configuration names the class.
    links: arguments of the model → arguments of the data that are always the same. fill_in: completes the parsed
    configuration before anything is made of it. initial: finds the model that `--init-from` names, given the path of
    the module's class where a configuration names one; the modules are then `FineTuned`.

    Raises ConfigurationError, in one line, for what Lightning or a class does not accept, and for a checkpoint that is
    not safe to open.
    """

    class FitCLI(LightningCLI):
        """Hands from the model to the data what both must agree on, and says in one line what is wrong."""

        initial: Initial | None = None

        def init_parser(self, **kwargs: Any) -> LightningArgumentParser:
            """Make a parser whose errors are raised, not printed under the usage of a hundred options."""
            parser = super().init_parser(**kwargs)
            parser.error = _refuse
            return parser

        def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
            """Parse, and look at a checkpoint before Lightning opens it."""
            try:
                self.parse_with_initial(parser, args)
            except RecursionError:
                raise ConfigurationError("a configuration contains itself, or is nested too deeply") from None
            checkpoint = self.config["fit"].get("ckpt_path")
            # "last", "best" and the like are names of the trainer's own.
            if checkpoint is not None and Path(str(checkpoint)).suffix:
                check_checkpoint(checkpoint)

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            """Link the arguments, and let a training begin with a model."""
            if initial is not None:
                parser.add_argument(
                    "--init-from",
                    type=str | None,
                    default=None,
                    metavar="MODEL",
                    help="trained model to begin with: a bundled name, folder or hub:OWNER/NAME; its architecture is "
                    "taken over, the optimiser starts anew",
                )
            for source, target in (links or {}).items():
                parser.link_arguments(source, target)

        def parse_with_initial(self, parser: LightningArgumentParser, arguments: list[str]) -> None:
            """Parse, and once more where there is a model to begin with, what it says before all configurations."""
            silent = [argument for argument in arguments if not argument.startswith("--print_config")]
            super().parse_arguments(parser, silent)
            config = self.config["fit"]
            if initial is not None and config["init_from"] is not None:
                model_class = config["model"]["class_path"] if self.subclass_mode_model else None
                self.initial = initial(config["init_from"], model_class)
                arguments = ["fit", "--config", self.initial.configuration(model_class), *arguments[1:]]
            if arguments != silent:
                super().parse_arguments(parser, arguments)

        def before_instantiate_classes(self) -> None:
            """Complete the configuration."""
            if fill_in is not None:
                fill_in(self.config["fit"])
            if self.initial is not None:
                data = self.config["fit"]["data"].as_dict()
                self.initial.check("data", data.get("init_args", data), self.initial.data)

        def instantiate_classes(self) -> None:
            """Make model, data and trainer; a model that there was before gives its weights, and its name."""
            super().instantiate_classes()
            if self.initial is not None:
                module: Any = self.model
                self.initial.check("model", module.architecture(), self.initial.architecture)
                module.begin_with(self.initial.weights)
                for callback in self.trainer.callbacks:
                    if isinstance(callback, ExportBest):
                        callback.init_from = self.initial.name

        def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
            """Make the trainer, which logs for TensorBoard beside its table."""
            trainer = super().instantiate_trainer(**kwargs)
            trainer.loggers = with_both_loggers(trainer.loggers)
            return trainer

    speak_once()
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


def with_both_loggers(loggers: Sequence[Logger]) -> list[Logger]:
    """Return a table (CSV) and a TensorBoard file in the same folder, where there is one of both; else what is given.

    A configuration names one, so that its folder can be changed by `--trainer.logger.init_args.save_dir`.
    """
    kinds = {CSVLogger: TensorBoardLogger, TensorBoardLogger: CSVLogger}
    if len(loggers) != 1 or type(loggers[0]) not in kinds:
        return list(loggers)
    given: Any = loggers[0]
    other: Any = kinds[type(given)]
    try:
        beside = other(save_dir=given.save_dir, name=given.name, version=given.version)
    except ModuleNotFoundError:
        # An environment from before tensorboard belonged to the extra `train`.
        logging.getLogger(__name__).warning("no file for TensorBoard is written: tensorboard is not installed")
        return list(loggers)
    return [given, beside]


def speak_once() -> None:
    """Let Lightning's messages go through the program's own log handlers, where it has some, and not twice.

    `lightning` gives its logger a handler of its own in any case, and its parts hand on what they say beside that.
    """
    if logging.getLogger().hasHandlers():
        for name in LIGHTNING_LOGGERS:
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True


@dataclass(frozen=True)
class History:
    """What a training has come to.

    scores: validation figures by name, rounded to five digits. init_from: name of the model that it began with.
    """

    steps: int
    epoch: int
    scores: Mapping[str, float]
    init_from: str | None = None


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
        self.init_from: str | None = None

    @abstractmethod
    def export(self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: History) -> None:
        """Write the model into a folder. Raises TypeError for modules or data of another package."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save if this is the best validation; of several processes the first one does."""
        if trainer.sanity_checking:
            return
        # All processes ask: the first one tells the others its log folder, and waits for them.
        folder = Path(self.folder or Path(trainer.log_dir or trainer.default_root_dir) / "export")
        if not trainer.is_global_zero:
            return
        if self.monitor is not None:
            value = trainer.callback_metrics.get(self.monitor)
            if value is None or not self._is_better(float(value)):
                return
            self.best = float(value)
        scores = {name: round(float(score), 5) for name, score in trainer.callback_metrics.items() if "val" in name}
        data: L.LightningDataModule = trainer.datamodule  # type: ignore[attr-defined]  # set when fit is called
        self.export(
            folder, pl_module, data, History(trainer.global_step, trainer.current_epoch, scores, self.init_from)
        )

    def _is_better(self, value: float) -> bool:
        return value < self.best if self.mode == "min" else value > self.best

    def state_dict(self) -> dict[str, Any]:
        """The best value so far, so that resumed training does not overwrite a better model, and what it began with."""
        return {"best": self.best, "init_from": self.init_from}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best value, and what the training began with."""
        self.best = state_dict["best"]
        self.init_from = state_dict.get("init_from", self.init_from)


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
