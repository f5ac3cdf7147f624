"""Every command of the six console scripts can answer in JSON, but for those named here with their reason."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator

import pytest

PACKAGES = ("muspy_core", "mmt", "arranger", "deepperformer", "clipsep", "clipsonic")
WITHOUT = {
    "fit": "LightningCLI parses its options; what a training has come to stands in metrics.csv and in its export",
    "completion": "prints a script that a shell reads",
}


def commands_of(package: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield all commands of a console script, `dataset list` as one, with their parsers."""
    yield from _walk("", importlib.import_module(f"{package}.cli")._parser())


def _walk(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    chosen = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in chosen:
        for below, child in action.choices.items():
            yield from _walk(f"{name} {below}".strip(), child)
    if not chosen:
        yield name, parser


@pytest.mark.parametrize("package", PACKAGES)
def test_every_command_has_json(package: str) -> None:
    found = dict(commands_of(package))
    assert len(found) >= 5
    options = {name: [text for action in parser._actions for text in action.option_strings]
               for name, parser in found.items()}  # fmt: skip
    missing = {name for name, texts in options.items() if "--json" not in texts}
    assert missing <= set(WITHOUT)


@pytest.mark.parametrize("package", PACKAGES)
def test_json_is_one_object_and_nothing_else(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the command that all have and that needs no files."""
    main = importlib.import_module(f"{package}.cli").main
    asked = ["dataset", "list", "--json"] if package == "muspy_core" else ["info", "--json"]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert isinstance(json.loads(said), dict | list)
