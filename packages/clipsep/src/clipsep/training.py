"""Model + loss + optimiser: the Lightning module that `clipsep fit` trains (§6.5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from muspy_core import training
from muspy_core.fine_tuning import Initial
from torch import Tensor

from clipsep.checkpoint import Training, load_checkpoint, save_checkpoint
from clipsep.config import CLIPSepConfig
from clipsep.data import Batch, MixDataModule
from clipsep.features.spectrogram import loss_weights, stft, true_masks, warp
from clipsep.losses import nit_loss, noise_activation, noise_regulariser, pit_loss, query_loss
from clipsep.model import Masks, build_model


class CLIPSepModule(L.LightningModule):
    """Training of any of the networks by Adam, with a linear warm-up and a linear decay.

    Args:
        config: The network. A LabelSep without labels takes those of the data.
        learning_rate: After the warm-up.
        warmup_steps: Steps until the full rate.
        decay_end_step: Step at which the decay ends.
        decay_end_rate: What is left of the rate then.
        gamma: Activation of the noise heads that costs nothing, γ; None: no regulariser.
        noise_weight: λ, weight of the regulariser.
        noise_warmup_steps: Steps during which the noise heads are left out.
        compile: Whether the network is compiled by `torch.compile`.
    """

    def __init__(
        self,
        config: CLIPSepConfig,
        learning_rate: float = 1e-3,
        warmup_steps: int = 5000,
        decay_end_step: int = 100_000,
        decay_end_rate: float = 0.1,
        gamma: float | None = 0.25,
        noise_weight: float = 0.1,
        noise_warmup_steps: int = 0,
        compile: bool = False,
    ) -> None:
        super().__init__()
        self.config = config
        self.learning_rate = learning_rate
        self.warmup_steps, self.decay_end_step, self.decay_end_rate = warmup_steps, decay_end_step, decay_end_rate
        self.gamma, self.noise_weight, self.noise_warmup_steps = gamma, noise_weight, noise_warmup_steps
        self.model = build_model(config)
        self.network: Any = torch.compile(self.model) if compile else self.model

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of a batch; hybrid training asks by image in even steps, by text in odd ones."""
        kinds = list(batch.queries)
        kind = kinds[self.global_step % len(kinds)] if kinds else None
        loss, parts = self._loss(batch, kind)
        self.log("train_loss", loss, batch_size=len(batch.sources))
        self.log_dict({f"train_{name}": value for name, value in parts.items()}, batch_size=len(batch.sources))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the loss for each kind of query; `val_loss` is that by image where there is one (as in the paper)."""
        self._score(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """The same for test mixtures."""
        self._score(batch, "test")

    def _score(self, batch: Batch, stage: str) -> None:
        size = len(batch.sources)
        for place, kind in enumerate(list(batch.queries) or [None]):
            loss, parts = self._loss(batch, kind)
            if place == 0:
                self.log(f"{stage}_loss", loss, batch_size=size, prog_bar=True, sync_dist=True)
                named = {f"{stage}_{name}": value for name, value in parts.items()}
                self.log_dict(named, batch_size=size, sync_dist=True)
            if len(batch.queries) > 1:
                self.log(f"{stage}_loss_{kind}", loss, batch_size=size, sync_dist=True)

    def _loss(self, batch: Batch, kind: str | None) -> tuple[Tensor, dict[str, Tensor]]:
        mixture, sources = spectrograms(batch.sources)
        masks = self.network(mixture, batch.queries[kind] if kind else None)
        targets, weights = true_masks(sources, mixture, self.config.mask), loss_weights(mixture)
        return self.loss_of(masks, targets, weights)

    def loss_of(self, masks: Masks, targets: Tensor, weights: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of masks, and what else is logged.

        targets: (B, n, G, T). weights: (B, G, T).
        """
        if self.config.kind == "pit":
            return pit_loss(masks.queries, targets, weights), {}
        if masks.noise is None or (self.training and self.global_step < self.noise_warmup_steps):
            return query_loss(masks.queries, targets, weights), {}
        loss = nit_loss(masks.queries, masks.noise, targets, weights)
        if self.gamma is not None:
            loss = loss + self.noise_weight * noise_regulariser(masks.noise, self.gamma)
        return loss, {"noise_activation": noise_activation(masks.noise)}

    def configure_optimizers(self) -> Any:
        """Adam, its rate times `rate_at` of the step."""
        learned = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(learned, self.learning_rate)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate_at)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def rate_at(self, step: int) -> float:
        """Return what the learning rate is multiplied by: up to 1, then linearly down to `decay_end_rate`."""
        return training.linear_decay(step, self.warmup_steps, self.decay_end_step, self.decay_end_rate)

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return {"config": self.config.to_dict()}

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""
        self.model.load_state_dict(dict(weights))


def spectrograms(sources: Tensor) -> tuple[Tensor, Tensor]:
    """Return magnitudes on the grid of the mixture, (B, G, T), and its sources, (B, n, G, T). sources: (B, n, N)."""
    with torch.no_grad(), torch.autocast(sources.device.type, enabled=False):
        together = torch.cat([sources.sum(1, keepdim=True), sources], dim=1).float()
        magnitudes = warp(stft(together.flatten(0, 1)).abs())
        magnitudes = magnitudes.view(*together.shape[:2], *magnitudes.shape[1:])
    return magnitudes[:, 0], magnitudes[:, 1:]


def initial(name: str, model_class: str | None = None) -> Initial:
    """Return a trained model for `fit` to begin with (fine-tuning, Table 6.6).

    name: as `load_checkpoint` takes it. Raises ModelError.
    """
    model = load_checkpoint(name).model
    return Initial(name, {"config": model.config.to_dict()}, model.state_dict())


class ExportBest(training.ExportBest):
    """Writes the best model so far as a folder that `clipsep.checkpoint.load_checkpoint` loads.

    Args:
        folder: Where to; None: `export` in the trainer's log folder.
        monitor: The logged value that is to be smallest.
    """

    def __init__(self, folder: str | None = None, monitor: str = "val_loss") -> None:
        super().__init__(folder, monitor)

    def export(
        self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: training.History
    ) -> None:
        """Write the model with what its queries are."""
        if not isinstance(module, CLIPSepModule) or not isinstance(data, MixDataModule):
            raise TypeError("ExportBest works with CLIPSepModule and MixDataModule")
        library = data.read_library
        learned = Training(
            steps=history.steps,
            encoder=library.vectors.encoder or {"kind": "labels"},
            data=f"{len(data.part('train'))} sounds of {len(library.trained_labels)} labels",
            scores={name: score for name, score in history.scores.items() if name == self.monitor},
            init_from=history.init_from,
        )
        save_checkpoint(folder, module.model, learned)
