"""A CLIP model for tests: real towers of open_clip, small and random, as a description and a file of weights."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import torch

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def write_tiny_clip(folder: Path, *, name: str = "tiny-clip", seed: int = 0) -> tuple[str, str]:
    """Write NAME.json and NAME.pt; return their paths."""
    description, weights = folder / f"{name}.json", folder / f"{name}.pt"
    description.write_text(json.dumps(TINY), encoding="utf-8")
    open_clip.add_model_config(description)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = open_clip.create_model(name, pretrained=None)
    torch.save(network.state_dict(), weights)
    return str(description), str(weights)
