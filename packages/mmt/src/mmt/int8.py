"""A trained model → the same with weights of 8 bits, which generates faster on a CPU (after training, before use).

Generating one event reads every weight once, so its speed is that of memory. Weights are rounded for each output by
itself, activations for each call ("dynamic quantisation"); embeddings, norms and attention stay in single precision.
"""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn

from mmt.model import MMT

LARGEST = 127


class Int8Linear(nn.Module):
    """A linear layer with weights of 8 bits; made of one in single precision on the CPU."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weight = layer.weight.detach().float()
        scale = (weight.abs().amax(1).double() / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
        zeros = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():
            # Tensors of this type are to go from torch; it says so, and has nothing yet that is as fast for one row.
            warnings.filterwarnings("ignore", message="torch.quantize_per_tensor")
            rounded = torch.quantize_per_channel(weight, scale, zeros, 0, torch.qint8)
        bias = None if layer.bias is None else layer.bias.detach().float()
        self.packed = torch.ops.quantized.linear_prepack(rounded, bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs: (…, inputs). Returns (…, outputs)."""
        # A range of 7 bits for activations: products of pairs must not overflow 16 bits on processors without VNNI.
        result: Tensor = torch.ops.quantized.linear_dynamic(inputs, self.packed, reduce_range=True)
        return result


def to_int8(model: MMT) -> MMT:
    """Return a copy of a model whose linear layers have weights of 8 bits; it can generate but not be trained or saved.

    Raises ValueError for a model that is not on the CPU.
    """
    if model.norm.weight.device.type != "cpu":
        raise ValueError(f"weights of 8 bits are for the CPU, and the model is on {model.norm.weight.device}")
    rounded: MMT = copy.deepcopy(model).eval()
    for module in list(rounded.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, nn.Linear):
                setattr(module, name, Int8Linear(layer))
    return rounded
