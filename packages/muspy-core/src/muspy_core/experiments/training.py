"""Training of the event models with Lightning (§2.5.3)."""

from __future__ import annotations

import math
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import functional as F

from muspy_core.experiments.data import IGNORE, Protocol
from muspy_core.experiments.model import EventModelConfig, State, build_model

# Share of the steps in which the learning rate rises.
WARM_UP = 0.05


class EventModule(pl.LightningModule):
    """Negative log-likelihood of the next event, in nats.

    Args:
        config: Size of the model.
        learning_rate: Of Adam.
        schedule: "cosine" warms up and falls to 0 over the steps of the trainer; "constant" is the published code's.
        protocol: "upstream" carries the recurrent state from batch to batch, as the published code does.
    """

    def __init__(
        self,
        config: EventModelConfig | None = None,
        learning_rate: float = 6e-3,
        protocol: Protocol = "clean",
        schedule: Literal["cosine", "constant"] = "cosine",
    ) -> None:
        super().__init__()
        self.config = config or EventModelConfig()
        self.learning_rate = learning_rate
        self.protocol = protocol
        self.schedule = schedule
        self.model = build_model(self.config)
        self._state: State | None = None

    def forward(self, events: Tensor) -> Tensor:
        """Return logits (B, T, V) for events (B, T)."""
        logits: Tensor = self.model(events)[0]
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        """Return the mean negative log-likelihood of a batch."""
        inputs, targets = batch
        logits, state = self.model(inputs, self._state)
        if self.protocol == "upstream":
            self._state = _detached(state)
        loss = nll(logits, targets)
        self.log("train/nll", loss, prog_bar=True)
        return loss

    def on_validation_start(self) -> None:
        """Keep the state of training apart from that of validation."""
        self._training_state, self._state = self._state, None

    def on_validation_end(self) -> None:
        """Go on with the state of training."""
        self._state = self._training_state

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> None:
        """Log the negative log-likelihood an event."""
        inputs, targets = batch
        count = int((targets != IGNORE).sum())
        self.log("val/nll", nll(self(inputs), targets), prog_bar=True, batch_size=count)

    def configure_optimizers(self) -> Any:
        """Return Adam, as in the paper, with the schedule of its learning rate."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.learning_rate, fused=True)
        if self.schedule == "constant":
            return optimizer
        steps = max(int(self.trainer.estimated_stepping_batches), 1)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step / steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_at(progress: float) -> float:
    """Return the learning rate at a point of training (0–1) as a share of the highest: a ramp, then half a cosine."""
    return min(1.0, progress / WARM_UP + 1e-2) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def nll(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Return the negative log-likelihood of targets (B, T) in nats under logits (B, T, V); padding does not count."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction=reduction)


def _detached(state: State | None) -> State | None:
    if isinstance(state, tuple):
        return state[0].detach(), state[1].detach()
    return None if state is None else state.detach()
