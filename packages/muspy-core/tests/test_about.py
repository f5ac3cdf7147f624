"""`info` says what a bug report needs."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import muspy_core
import numpy as np
import pytest
from muspy_core import about
from muspy_core.cli import main


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a bundled model, and with no distribution."""
    folder = tmp_path / "sounding_package"
    (folder / "pretrained" / "choir").mkdir(parents=True)
    (folder / "pretrained" / "choir" / "model.safetensors").write_bytes(b"weights")
    (folder / "pretrained" / "choir" / "README.md").write_text("a card")
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounding_package", raising=False)
    return "sounding_package"


def test_weights_are_known_by_their_hashes(package: str) -> None:
    assert about.models(package) == [
        {"file": "choir/model.safetensors", "bytes": 7, "sha256": hashlib.sha256(b"weights").hexdigest()}
    ]


def test_versions_are_those_that_are_installed() -> None:
    found = about.versions("muspy_core")
    assert found["muspy-core"] == muspy_core.__version__
    assert found["numpy"] == np.__version__


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about.metadata, "requires", lambda name: ["no-such-thing>=1; extra == 'all'", "numpy>=1.26"])
    found = about.facts("muspy_core") | {"torch": None, "models": []}
    assert found["versions"]["no-such-thing"] is None
    assert "no-such-thing        not installed" in about.lines(found)
    assert about.lines(found)[-1] == "model                none bundled"


def test_the_command_prints_lines_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    about.add_info(parser.add_subparsers(), "muspy_core")
    for arguments in (["info"], ["info", "--json"]):
        options = parser.parse_args(arguments)
        assert options.command(options) == 0
    shown = capsys.readouterr().out
    report = json.loads(shown[shown.index("\n{") :])
    assert report["package"] == "muspy_core"
    assert shown.startswith(f"Python {report['python']}, {report['platform']}\n")


def test_muspy_core_says_them_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["muspy-core"] == muspy_core.__version__
    assert found["MIDI parser"] in ("compiled", "Python")
