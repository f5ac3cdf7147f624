"""Fine-tuning: what a training takes from the trained model that it begins with (`fit --init-from`).

The model's architecture stands in front of the configuration, as if it were the first `--config`: what nobody states is
the model's, and what a configuration states differently is refused by name. The optimiser starts anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from muspy_core.configurations import ConfigurationError

if TYPE_CHECKING:
    from torch import Tensor

FREE = frozenset({"dropout", "input_dropout"})  # they change no weights
MOST_DIFFERENCES = 3  # that an error lists


@dataclass(frozen=True)
class Initial:
    """A trained model that a training begins with.

    name: as it was given. architecture: arguments of the Lightning module that make the model what it is, as a
    configuration states them. data: arguments of the data that must agree with them. weights: by name.
    """

    name: str
    architecture: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    data: Mapping[str, Any] = field(default_factory=dict)

    def configuration(self, model_class: str | None = None) -> str:
        """Return what the model says about itself as a configuration in JSON.

        model_class: path of the class of the Lightning module, where configurations name it.
        """
        model: Mapping[str, Any] = self.architecture
        if model_class is not None:
            model = {"class_path": model_class, "init_args": self.architecture}
        return json.dumps({"model": model, **({"data": self.data} if self.data else {})})

    def check(self, what: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> None:
        """Raise ConfigurationError, which names the fields, where a configuration does not agree with the model.

        what: `model` or `data`. here: arguments in the configuration. there: those of the model.
        """
        different = list(_differences(what, _plain(here), _plain(there)))
        if different:
            listed = "; ".join(different[:MOST_DIFFERENCES])
            more = f"; and {len(different) - MOST_DIFFERENCES} more" if len(different) > MOST_DIFFERENCES else ""
            raise ConfigurationError(
                f"--init-from {self.name}: {listed}{more}; leave out of the configuration what the model brings along"
            )


class FineTuned(Protocol):
    """What the Lightning modules of all packages can do, so that a training can begin with a model."""

    def architecture(self) -> Mapping[str, Any]:
        """Return the arguments that make the model what it is, as `Initial.architecture` has them."""

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of a model of the same architecture."""


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return as JSON has it: tuples and lists are the same."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def _differences(path: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each field of the model that is another in a configuration."""
    for name, value in there.items():
        if name in FREE or (name in here and here[name] == value):
            continue
        if isinstance(value, Mapping) and isinstance(here.get(name), Mapping):
            yield from _differences(f"{path}.{name}", here[name], value)
        else:
            yield f"{path}.{name}: the configuration says {here.get(name)!r}, the model has {value!r}"
