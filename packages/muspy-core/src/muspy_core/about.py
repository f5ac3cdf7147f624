"""What a bug report needs: versions, torch and its devices, bundled weights by their hashes (`info` of every package).

mmt info            for people
mmt info --json     for a bug report
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib
import json
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, add_command, add_json_option
from muspy_core.errors import distribution_of

_REQUIREMENT = re.compile(r"[\w.-]+")
_SHOWN_DIGITS = 16  # of a hash; the JSON has all


def add_info(commands: Any, package: str) -> None:
    """Add the command `info` to the commands of a package, which is given by its import name."""
    text = "say versions, devices and bundled models"
    example = f"{package} info --json"
    add_json_option(add_command(commands, "info", functools.partial(_info, package), text, example))


def facts(package: str) -> dict[str, Any]:
    """Return what is installed of and for a package.

    versions: of its distribution, of muspy-core, and of what it may need, None where that is missing. torch: None where
    torch is missing. models: of each file of weights in the package, its size in bytes and its SHA-256.
    """
    return {
        "package": package,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": versions(package),
        "torch": torch_facts(),
        "models": models(package),
    }


def versions(package: str) -> dict[str, str | None]:
    """Return the versions of a package's distribution and of all that it may need, extras included."""
    own = distribution_of(package)
    found = {own: _version(own)}
    for line in sorted(metadata.requires(own) or (), key=str.lower):
        match = _REQUIREMENT.match(line)
        if match is not None:
            found.setdefault(match[0], _version(match[0]))
    return found


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def torch_facts() -> dict[str, Any] | None:
    """Return the version of torch, the CUDA that it was built for, its threads and its devices; None without torch."""
    try:
        torch: Any = importlib.import_module("torch")
    except ModuleNotFoundError:
        return None
    devices = ["cpu", *(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))]
    if getattr(torch.backends, "mps", None) is not None and torch.backends.mps.is_available():
        devices.append("mps")
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "devices": devices,
    }


def models(package: str) -> list[dict[str, Any]]:
    """Return the bundled files of weights: name below the folder `pretrained`, size in bytes, SHA-256."""
    home = Path(str(importlib.import_module(package).__file__)).parent / "pretrained"
    return [
        {
            "file": path.relative_to(home).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(home.rglob("*.safetensors"))
    ]


def lines(found: dict[str, Any]) -> list[str]:
    """Return facts as lines."""
    told = [f"Python {found['python']}, {found['platform']}"]
    told += [f"{name:<20} {version or 'not installed'}" for name, version in found["versions"].items()]
    torch = found["torch"]
    if torch is not None:
        built = f"built for CUDA {torch['cuda']}" if torch["cuda"] else "built for the CPU"
        told.append(f"devices              {', '.join(torch['devices'])} (torch {built}, {torch['threads']} threads)")
    told += [
        f"model                {model['file']}, {model['bytes']:,} bytes, sha256 {model['sha256'][:_SHOWN_DIGITS]}…"
        for model in found["models"]
    ]
    return told if found["models"] else [*told, "model                none bundled"]


def _info(package: str, options: argparse.Namespace) -> int:
    found = facts(package)
    print(json.dumps(found, indent=2) if options.json else "\n".join(lines(found)))
    return EXIT_OK
