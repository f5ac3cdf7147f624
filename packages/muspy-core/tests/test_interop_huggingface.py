"""Arrow tables of music in Hugging Face `datasets` and Parquet, and back."""

from __future__ import annotations

from pathlib import Path

import muspy_core as m
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import music
from test_arrow import song

pa = pytest.importorskip("pyarrow")

PIECES = [song("a"), m.Music(), m.Music(tracks=[m.Track(notes=[m.Note(0, 60, 4, off_kind="open")])]), song("b")]


@given(pieces=st.lists(music, max_size=3))
@settings(max_examples=8)
def test_tables_hold_any_music(pieces: list[m.Music]) -> None:
    assert list(m.from_arrow(m.to_arrow(pieces))) == pieces


def test_slices_and_several_chunks_are_tables_too() -> None:
    table = pa.concat_tables([m.to_arrow(PIECES), m.to_arrow(PIECES[::-1])])
    assert list(m.from_arrow(table.slice(1, 6))) == [*PIECES, *PIECES[::-1]][1:7]
    assert m.from_arrow(table)[-1] == PIECES[0]


def test_tables_of_anything_else_are_refused() -> None:
    with pytest.raises(m.ArrowError, match="its columns are x"):
        m.from_arrow(pa.table({"x": [1]}))
    with pytest.raises(m.ArrowError, match="not a table of music"):
        m.from_arrow(pa.table({"tracks": ["piano"]}))
    with pytest.raises(m.ArrowError, match="70000"):
        m.to_arrow(m.Music(tracks=[m.Track(notes=[m.Note(0, 70_000, 1)])]))


def test_parquet_keeps_the_pieces(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(m.to_arrow(PIECES), tmp_path / "songs.parquet")
    assert list(m.from_arrow(parquet.read_table(tmp_path / "songs.parquet"))) == PIECES


@pytest.fixture
def hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    datasets = pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


@pytest.mark.parametrize("pieces", [PIECES, PIECES[1:3]], ids=["notation", "performance"])
@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_hugging_face_opens_our_files_and_gives_the_pieces_back(
    kind: str, pieces: list[m.Music], tmp_path: Path, hugging_face: object
) -> None:
    path = tmp_path / f"songs.{kind}"
    if kind == "arrow":
        m.write_arrow(path, pieces)
    else:
        pytest.importorskip("pyarrow.parquet").write_table(m.to_arrow(pieces), path)
    rows = hugging_face.load_dataset(  # type: ignore[attr-defined] # a module
        kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["metadata"]["title"] for row in rows] == [piece.metadata.title for piece in pieces]
    assert list(m.from_arrow(rows.with_format("arrow")[:])) == pieces


def test_what_hugging_face_shuffles_and_filters_is_music(hugging_face: object) -> None:
    rows = hugging_face.Dataset(m.to_arrow(PIECES))  # type: ignore[attr-defined] # a module
    chosen = rows.select([3, 0]).with_format("arrow")[:]
    assert list(m.from_arrow(chosen)) == [PIECES[3], PIECES[0]]
    titled = rows.filter(lambda row: row["metadata"]["title"] is not None).with_format("arrow")[:]
    assert [piece.metadata.title for piece in m.from_arrow(titled)] == ["a", "b"]
