"""docs/licences.md names every dependency and every file of data in the wheels."""

from __future__ import annotations

from pathlib import Path

import list_licences
import pytest


def test_every_dependency_and_every_file_has_a_licence() -> None:
    assert list_licences.missing() == []


def test_what_is_not_on_the_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = list_licences.PAGE.read_text(encoding="utf-8")
    shorter = tmp_path / "licences.md"
    shorter.write_text(page.replace("| numpy |", "| another |").replace("/corpora/bwv", "/corpora/bmv"), "utf-8")
    monkeypatch.setattr(list_licences, "PAGE", shorter)
    first, second = list_licences.missing()
    assert "numpy" in first
    assert "bwv244.10.musicxml" in second


def test_our_own_packages_are_not_among_the_dependencies() -> None:
    assert not {"muspy-core", "mmt", "arranger", "clipsep", "clipsonic", "deepperformer"} & set(
        list_licences.requirements()
    )
