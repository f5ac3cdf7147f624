"""Tune books in folders, and the scores inside the music21 wheel."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from pathlib import Path

import pytest
from muspy_core.datasets.abc import ABCFolderDataset
from muspy_core.datasets.corpus import (
    AirdsAirsDataset,
    EssenCorpusDataset,
    Music21ChoralesDataset,
    Music21Dataset,
    ONeillsDataset,
    RyansMammothDataset,
)

needs_music21 = pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="needs the music21 wheel")

BOOK = "X:1\nT:First\nK:C\nCDEF|\n\nX:2\nT:Last\nK:G\nGABc|\nd4|]"


def test_the_first_tune_and_the_last_line_of_a_book_are_kept(tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text(BOOK)
    dataset = ABCFolderDataset(tmp_path)
    assert [music.metadata.title for music in dataset] == ["First", "Last"]
    assert dataset[1].tracks[0].notes.array["pitch"].tolist() == [67, 69, 71, 72, 74]
    assert dataset[0].metadata.source_filename == "book.abc"


def test_a_book_without_tunes_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text("nothing")
    (tmp_path / "b.abc").write_text(BOOK)
    dataset = ABCFolderDataset(tmp_path, convert=True)
    assert len(dataset) == 2
    assert [name for name, _ in dataset.report.failed] == ["a.abc 0"]


@needs_music21
@pytest.mark.parametrize(
    ("dataset_class", "count"),
    [(EssenCorpusDataset, 8514), (ONeillsDataset, 2009), (RyansMammothDataset, 1059), (AirdsAirsDataset, 1180)],
)
def test_the_tune_books_of_the_wheel_are_complete(dataset_class: type, count: int) -> None:
    dataset = dataset_class(expand_repeats=False)
    assert len(dataset) == count == dataset.info().songs
    assert len(dataset[count // 2].tracks[0].notes)


@needs_music21
def test_the_chorales_of_the_wheel_are_read() -> None:
    dataset = Music21ChoralesDataset()
    assert len(dataset) == 410
    assert dataset.name(0).startswith("bach/")
    assert pickle.loads(pickle.dumps(dataset))[5] == dataset[5]
    assert "music21" in (dataset.citation() or "")


@needs_music21
def test_a_composer_is_a_folder_of_the_corpus(tmp_path: Path) -> None:
    dataset = Music21Dataset("schumann_clara")
    assert 0 < len(dataset) < 10
    converted = dataset.convert(tmp_path, "arrow")
    assert list(converted) == list(dataset)
    with pytest.raises(ValueError, match="haydn"):
        Music21Dataset("nobody")


@needs_music21
def test_music21_itself_is_not_imported() -> None:
    loaded = "music21" in sys.modules
    Music21ChoralesDataset()[0]
    assert ("music21" in sys.modules) == loaded
