"""Importing the packages loads no heavy module (benchmarks/bench_import.py measures time and memory)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "IPython",
    "diffusers",
    "librosa",
    "lightning",
    "lxml",
    "matplotlib",
    "mido",
    "music21",
    "muspy",
    "pandas",
    "pretty_midi",
    "pyarrow",
    "pypianoroll",
    "pytorch_lightning",
    "scipy",
    "soundfile",
    "soxr",
    "symusic",
    "torch",
    "transformers",
    "verovio",
    "yaml",
}


def modules_after(statement: str) -> set[str]:
    """The top-level modules that are loaded in a fresh interpreter after a statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps([m.partition('.')[0] for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("name", ["muspy_core", "arranger", "mmt", "deepperformer", "clipsep", "clipsonic"])
def test_importing_a_package_loads_no_heavy_module(name: str) -> None:
    assert modules_after(f"import {name}") & HEAVY == set()


@pytest.mark.parametrize("name", ["muspy_core.cli", "arranger.cli"])
def test_a_command_starts_without_torch_and_plotting(name: str) -> None:
    assert modules_after(f"import {name}") & {"torch", "matplotlib", "music21", "scipy", "lightning"} == set()


def test_the_check_sees_what_is_loaded() -> None:
    assert "yaml" in modules_after("import yaml")
