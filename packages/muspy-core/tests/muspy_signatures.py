"""The public names of MusPy as a table: what each is, and which parameters it takes.

`python muspy_signatures.py` writes `muspy_names.json` from the installed MusPy; its part "head", what MusPy's
development version has beyond the release, was written by hand from its source and is kept.
"""

from __future__ import annotations

import inspect
import json
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

GOLDEN = Path(__file__).with_name("muspy_names.json")


def described(module: ModuleType) -> dict[str, dict[str, Any]]:
    """Return name → what it is, of all public names of MusPy, or of a package that takes its place."""
    return {name: describe(getattr(module, name)) for name in module.__all__}


def describe(value: Any) -> dict[str, Any]:
    """Return the kind of a name, and the parameters of a function or of the methods that a class defines itself."""
    if inspect.ismodule(value):
        return {"kind": "module"}
    if inspect.isclass(value) and issubclass(value, Exception):
        return {"kind": "exception", "bases": [base.__name__ for base in value.__mro__[1:-1]]}
    if inspect.isclass(value):
        own = {name: item for name, item in vars(value).items() if name == "__init__" or not name.startswith("_")}
        members = {name: member(value, name, item) for name, item in own.items()}
        return {"kind": "class", "members": {name: found for name, found in members.items() if found is not None}}
    if inspect.isfunction(value):
        return {"kind": "function", "parameters": parameters(value)}
    return {"kind": "constant", "value": value}


def member(owner: type[Any], name: str, item: Any) -> str | list[str] | None:
    """Return "property" or the parameters of a method; None for data."""
    if isinstance(item, property):
        return "property"
    value = getattr(owner, name)
    return parameters(value) if callable(value) and not inspect.isclass(value) else None


def parameters(function: Any) -> list[str]:
    """Return the parameters of a function, ["path", "kind=None", "**kwargs"]; without self and cls."""
    found = []
    for item in inspect.signature(function).parameters.values():
        prefix = {item.VAR_POSITIONAL: "*", item.VAR_KEYWORD: "**"}.get(item.kind, "")
        default = "" if item.default is item.empty else f"={item.default!r}"
        found.append(f"{prefix}{item.name}{default}")
    return [item for item in found if item != "self"]


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import muspy
    head = json.loads(GOLDEN.read_text())["head"] if GOLDEN.exists() else {}
    GOLDEN.write_text(json.dumps({"0.5.0": described(muspy), "head": head}, indent=1, sort_keys=True) + "\n")
