"""Models + losses + optimisers: the Lightning modules of network, prior and vocoder that `clipsonic fit` trains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from muspy_core import training
from torch import Tensor

from clipsonic.averaging import Average
from clipsonic.checkpoint import Network, QuerySpace, save_network, save_prior
from clipsonic.config import MelConfig, NetworkConfig, PriorConfig
from clipsonic.data import ClipDataModule
from clipsonic.features.spectrogram import torch_mel_spectrogram
from clipsonic.initial import network_architecture
from clipsonic.losses import diffusion_loss
from clipsonic.model import SoundDiffusion
from clipsonic.prior import Prior, prior_loss, sample_images
from clipsonic.sampling import generators_of
from clipsonic.schedule import CosineSchedule

VALIDATION_SEED = 0


class NetworkModule(L.LightningModule):
    """Training of a diffusion network by AdamW, with the average of its weights (§7.4.1).

    Args:
        config: The network.
        mel: The spectrogram.
        learning_rate: 1e-4 in the paper.
        warmup_steps: Steps in which the rate rises to it; none in the paper.
        decay_steps: Steps at whose end the rate has fallen along a cosine to a tenth; 0: it stays, as in the paper.
        weight_decay: Decoupled; 0 in the published code.
        average: Decay of the average of the weights.
        dropped: Share of queries that are replaced by the null.
        centre: What queries are seen from: "origin" as in the paper, or the "mean" of the labels' texts.
    """

    def __init__(
        self,
        config: NetworkConfig,
        mel: MelConfig | None = None,
        learning_rate: float = 1e-4,
        warmup_steps: int = 0,
        decay_steps: int = 0,
        weight_decay: float = 0.0,
        average: float = 0.9999,
        dropped: float = 0.1,
        centre: Literal["origin", "mean"] = "origin",
    ) -> None:
        super().__init__()
        self.config, self.mel, self.centre = config, mel or MelConfig(), centre
        self.learning_rate, self.weight_decay, self.dropped = learning_rate, weight_decay, dropped
        self.warmup_steps, self.decay_steps = warmup_steps, decay_steps
        self.model = SoundDiffusion(config)
        self.average = Average(self.model, average)
        self.schedule = CosineSchedule(config.steps)

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return network_architecture(self.config, self.mel)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture, and what its queries are seen from."""
        for model in (self.model, self.average.module):
            model.load_state_dict(dict(weights))
        self.centre = "origin"  # which is the model's own centre from now on

    def on_fit_start(self) -> None:
        """Set what queries are seen from."""
        if self.centre == "mean":
            data: Any = self.trainer.datamodule  # type: ignore[attr-defined]  # set by Trainer.fit
            vectors = torch.cat([torch.from_numpy(of_label) for of_label in data.clips.label_vectors().values()])
            mean = torch.nn.functional.normalize(vectors, dim=-1).mean(0)
            for model in (self.model, self.average.module):
                model.centre.copy_(mean)

    def training_step(self, batch: list[Tensor], batch_index: int) -> Tensor:
        """Return the loss of a batch at random steps."""
        waves, queries = batch
        clean = self._mels(waves)
        # Each is uniform by itself; together they are spread evenly, so that the loss varies less (Kingma et al. 2021).
        places = (torch.arange(len(clean), device=clean.device) + torch.rand(1, device=clean.device)) / len(clean)
        steps = (places * self.config.steps).long().clamp(max=self.config.steps - 1)
        noise = torch.randn_like(clean)
        dropped = torch.rand(len(clean), device=clean.device) < self.dropped
        loss = self._loss(self.model, clean, noise, steps, queries, dropped).mean()
        self.log("train_loss", loss, batch_size=len(clean))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the average."""
        self.average.update(self.model, self.global_step)

    def validation_step(self, batch: list[Tensor], batch_index: int) -> None:
        """Log the averaged network's loss at fixed steps and noise, the same each time."""
        waves, queries = batch
        clean = self._mels(waves)
        generator = torch.Generator().manual_seed(VALIDATION_SEED + batch_index)
        # Evenly spread, so that the loss of two batches can be compared.
        places = (torch.arange(len(clean)) + torch.rand(1, generator=generator)) / len(clean)
        steps = (places * self.config.steps).long().to(clean.device)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        model = self.average.module
        assert isinstance(model, SoundDiffusion)
        loss = self._loss(model, clean, noise, steps, queries, None).mean()
        self.log("val_loss", loss, batch_size=len(clean), prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW; see the arguments."""
        optimizer = torch.optim.AdamW(self.model.parameters(), self.learning_rate, weight_decay=self.weight_decay)
        rate = Rate(self.warmup_steps, self.decay_steps)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def export(self, folder: Path, data: ClipDataModule, history: training.History) -> None:
        """Write the averaged network with the vectors of its labels."""
        assert data.clips is not None
        vectors = data.clips.label_vectors()
        labels = tuple(label for label in data.clips.labels if label in vectors)
        learned_from = "image" if data.learned_from == "image" else "text"
        model = self.average.module
        assert isinstance(model, SoundDiffusion)
        network = Network(
            model,
            self.mel,
            QuerySpace(data.clips.encoder, data.clips.template, learned_from),
            labels,
            # The first wording is the label in its template.
            torch.stack([torch.from_numpy(vectors[label][0]) for label in labels]) if labels else None,
            steps=history.steps,
            init_from=history.init_from,
        )
        save_network(folder, network)

    def _mels(self, waves: Tensor) -> Tensor:
        return torch_mel_spectrogram(waves, self.mel)[:, None]

    def _loss(
        self,
        model: SoundDiffusion,
        clean: Tensor,
        noise: Tensor,
        steps: Tensor,
        queries: Tensor,
        dropped: Tensor | None,
    ) -> Tensor:
        output = model(self.schedule.add_noise(clean, noise, steps), steps, model.condition(queries, dropped))
        return diffusion_loss(output, clean, noise, steps, self.config, self.schedule)


class PriorModule(L.LightningModule):
    """Training of a prior by AdamW (App. 7.A).

    Args:
        config: The prior.
        learning_rate: 1e-4 in the paper.
        weight_decay: 0.06 in the paper; not of norms, biases and single vectors.
        average: Decay of the average of the weights.
        dropped: Share of texts that are replaced by the null.
    """

    def __init__(
        self,
        config: PriorConfig,
        learning_rate: float = 1e-4,
        weight_decay: float = 0.06,
        average: float = 0.9999,
        dropped: float = 0.1,
    ) -> None:
        super().__init__()
        self.config, self.learning_rate, self.weight_decay, self.dropped = config, learning_rate, weight_decay, dropped
        self.model = Prior(config)
        self.average = Average(self.model, average)

    def architecture(self) -> dict[str, Any]:
        """Return what makes the model what it is."""
        return {"config": self.config.to_dict()}

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""
        for model in (self.model, self.average.module):
            model.load_state_dict(dict(weights))

    def training_step(self, batch: list[Tensor], batch_index: int) -> Tensor:
        """Return the loss of a batch of pairs at random steps."""
        texts, images, tokens = self._read(batch)
        dropped = torch.rand(len(texts), device=texts.device) < self.dropped
        loss = prior_loss(self.model, images, texts, tokens, dropped)
        self.log("train_loss", loss, batch_size=len(texts))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Move the average."""
        self.average.update(self.model, self.global_step)

    def validation_step(self, batch: list[Tensor], batch_index: int) -> None:
        """Log the averaged prior's loss, and the cosine of its samples to the true images (Table 7.2)."""
        texts, images, tokens = self._read(batch)
        generator = torch.Generator().manual_seed(VALIDATION_SEED + batch_index)
        model = self.average.module
        assert isinstance(model, Prior)
        kept = torch.zeros(len(texts), dtype=torch.bool, device=texts.device)
        loss = prior_loss(model, images, texts, tokens, kept, generator)
        self.log("val_loss", loss, batch_size=len(texts), sync_dist=True)
        if batch_index == 0:
            made = sample_images(model, texts, generators_of(range(len(texts))), tokens, steps=16, candidates=1)
            cosine = torch.nn.functional.cosine_similarity(made, images).mean()
            self.log("val_cosine", cosine, batch_size=len(texts), prog_bar=True, sync_dist=True)

    def _read(self, batch: list[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
        """Texts, images, and the texts' tokens where the prior reads them and the data has them."""
        texts, images, *rest = batch
        return texts, images, rest[0] if rest and self.config.tokens else None

    def configure_optimizers(self) -> Any:
        """AdamW that decays matrices alone."""
        matrices = [parameter for parameter in self.model.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in self.model.parameters() if parameter.ndim == 1]
        groups = [{"params": matrices, "weight_decay": self.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, self.learning_rate)

    def export(self, folder: Path, data: ClipDataModule, history: training.History) -> None:
        """Write the averaged prior."""
        assert data.clips is not None
        model = self.average.module
        assert isinstance(model, Prior)
        space = QuerySpace(data.clips.encoder, data.clips.template, "image")
        save_prior(folder, model, space, history.steps, history.init_from)


class Rate:
    """What the learning rate is multiplied by at a step: up to 1, then 1, or along a cosine to a tenth.

    Args:
        warmup_steps: Until the full rate.
        decay_steps: Until the last rate; 0: no fall.
    """

    def __init__(self, warmup_steps: int, decay_steps: int) -> None:
        self.warmup_steps, self.decay_steps = warmup_steps, decay_steps

    def __call__(self, step: int) -> float:
        """step: from 0."""
        import math

        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        if not self.decay_steps:
            return 1.0
        done = min((step - self.warmup_steps) / max(self.decay_steps - self.warmup_steps, 1), 1.0)
        return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


class Export(training.ExportBest):
    """Writes the model after each validation into a folder that `clipsonic` loads: the best so far, or the last.

    Args:
        folder: Where to; None: `export` in the trainer's log folder.
        monitor: The logged value that is to be smallest; None: the last model is kept, as in the paper.
    """

    def __init__(self, folder: str | None = None, monitor: str | None = None) -> None:
        super().__init__(folder, monitor)

    def export(
        self, folder: Path, module: L.LightningModule, data: L.LightningDataModule, history: training.History
    ) -> None:
        """Write what the module is."""
        exported: Any = module
        exported.export(folder, data, history)
