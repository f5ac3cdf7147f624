"""The published code's weights: loaded under their names, they give the logits of the network they were made for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmt.checkpoint import ModelError
from mmt.config import MMTConfig
from mmt.published import from_published, load_published
from torch import Tensor
from torch.nn import functional as F

DIM, DEPTH, LENGTH = 128, 2, 16
SIZES = MMTConfig().sizes


def weights(sizes: tuple[int, ...] = SIZES, *, absolute: bool = True) -> dict[str, Tensor]:
    """Random weights under the published names."""
    generator = torch.Generator().manual_seed(0)

    def made(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / shape[-1] ** 0.5

    def pair(name: str, outputs: int, inputs: int | None = None) -> dict[str, Tensor]:
        weight = made(outputs) if inputs is None else made(outputs, inputs)
        return {f"{name}.weight": weight, f"{name}.bias": made(outputs)}

    state = {f"token_emb.{i}.emb.weight": made(size, DIM) for i, size in enumerate(sizes)}
    if absolute:
        state["pos_emb.emb.weight"] = made(LENGTH, DIM)
    for layer in range(0, 2 * DEPTH, 2):
        attention, forward = f"attn_layers.layers.{layer}", f"attn_layers.layers.{layer + 1}"
        state |= {f"{attention}.1.to_{part}.weight": made(DIM, DIM) for part in "qkv"}
        state |= pair(f"{attention}.0.0", DIM) | pair(f"{attention}.1.to_out", DIM, DIM) | pair(f"{forward}.0.0", DIM)
        state |= pair(f"{forward}.1.ff.0.0", 4 * DIM, DIM) | pair(f"{forward}.1.ff.3", DIM, 4 * DIM)
    state |= pair("norm", DIM)
    for i, size in enumerate(sizes):
        state |= pair(f"to_logits.{i}", size, DIM)
    return state


def logits_of(state: dict[str, Tensor], codes: Tensor) -> list[Tensor]:
    """The published network, written out: pre-norm blocks, causal attention in heads of 64, exact GELU."""
    fields, length = codes.shape[-1], codes.shape[1]
    x = sum(state[f"token_emb.{i}.emb.weight"][codes[..., i]] for i in range(fields))
    x = x + state["pos_emb.emb.weight"][:length] * DIM**-0.5
    for layer in range(0, 2 * DEPTH, 2):
        attention, forward = f"attn_layers.layers.{layer}", f"attn_layers.layers.{layer + 1}"
        y = F.layer_norm(x, (DIM,), state[f"{attention}.0.0.weight"], state[f"{attention}.0.0.bias"])
        mixed = []
        for head in range(DIM // 64):
            rows = slice(64 * head, 64 * head + 64)
            q, k, v = (y @ state[f"{attention}.1.to_{part}.weight"][rows].T for part in "qkv")
            scores = q @ k.transpose(1, 2) / 8
            future = torch.ones(length, length, dtype=torch.bool).triu(1)
            mixed.append(scores.masked_fill(future, float("-inf")).softmax(-1) @ v)
        name = f"{attention}.1.to_out"
        x = x + torch.cat(mixed, -1) @ state[f"{name}.weight"].T + state[f"{name}.bias"]
        y = F.layer_norm(x, (DIM,), state[f"{forward}.0.0.weight"], state[f"{forward}.0.0.bias"])
        y = y @ state[f"{forward}.1.ff.0.0.weight"].T + state[f"{forward}.1.ff.0.0.bias"]
        y = y * 0.5 * (1 + torch.erf(y / 2**0.5))
        x = x + y @ state[f"{forward}.1.ff.3.weight"].T + state[f"{forward}.1.ff.3.bias"]
    x = F.layer_norm(x, (DIM,), state["norm.weight"], state["norm.bias"])
    return [x @ state[f"to_logits.{i}.weight"].T + state[f"to_logits.{i}.bias"] for i in range(fields)]


def test_published_weights_give_the_logits_of_the_published_network(tmp_path: Path) -> None:
    state = weights()
    torch.save({f"decoder.net.{name}": tensor for name, tensor in state.items()}, tmp_path / "best_model.pt")
    model = load_published(tmp_path / "best_model.pt")
    assert (model.config.dim, model.config.depth, model.config.max_length, model.config.positions) == (
        DIM, DEPTH, LENGTH, "absolute")  # fmt: skip
    generator = torch.Generator().manual_seed(1)
    codes = torch.stack([torch.randint(size, (2, LENGTH), generator=generator) for size in SIZES], -1)
    with torch.no_grad():
        for ours, theirs in zip(model(codes, codes), logits_of(state, codes), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_kinds_of_published_networks_are_told_apart() -> None:
    assert from_published(weights(absolute=False)).config.positions == "none"
    rotary = weights(absolute=False) | {"attn_layers.rotary_pos_emb.inv_freq": torch.ones(16)}
    assert from_published(rotary).config.positions == "rotary"
    single = {name.replace("token_emb.0.", "token_emb.").replace("to_logits.0.", "to_logits."): tensor
              for name, tensor in weights((372,)).items()}  # fmt: skip
    assert from_published(single).config.encoding == "mmm"


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not the published model's weights"):
        from_published({"weight": torch.zeros(2)})
    cut = weights()
    del cut["attn_layers.layers.2.1.to_k.weight"]
    with pytest.raises(ModelError, match="to_k"):
        from_published(cut)
    (tmp_path / "text.pt").write_text("no weights")
    torch.save({"model": Path}, tmp_path / "code.pt")
    for name in ("text.pt", "code.pt"):
        with pytest.raises(ModelError, match=name):
            load_published(tmp_path / name)
