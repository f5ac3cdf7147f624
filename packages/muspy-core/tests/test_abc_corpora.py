"""Real tune books: every tune is read, as music21 reads it, and survives writing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from muspy_core import Music, abc_string, read_abc, read_abc_string

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"

# Tunes of the Nottingham books: 1,034 titles in the cleaned version, three more fragments in the original.
NOTTINGHAM = {"ABC_cleaned": 1034, "ABC_original": 1037}


def rows(music: Music) -> list[list[tuple[int, ...]]]:
    """Onset, pitch, duration and grace of every note of every track."""
    columns = ("time", "pitch", "duration", "grace")
    return [sorted(zip(*(track.notes.array[name].tolist() for name in columns), strict=True)) for track in music.tracks]


def books(folder: Path) -> list[Music]:
    tunes: list[Music] = []
    for path in sorted(folder.glob("*.abc")):
        book = read_abc(path)
        tunes += book if isinstance(book, list) else [book]
    return tunes


@pytest.mark.slow
@pytest.mark.parametrize("version", sorted(NOTTINGHAM))
def test_every_nottingham_tune_is_read_and_written(version: str, shared_data: Path) -> None:
    tunes = books(shared_data / "nottingham" / version)
    assert len(tunes) == NOTTINGHAM[version]
    assert all(tune.metadata.title and len(tune.tracks[0].notes) for tune in tunes)
    for tune in tunes:
        back = read_abc_string(abc_string(tune))
        assert isinstance(back, Music)
        assert rows(back) == rows(tune), tune.metadata.title


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["Essen", "O'Neill", "Ryan's Mammoth", "Airds"])
def test_notes_are_those_of_music21(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 40th tune has the same onsets, pitches and durations, but where the cause is known (abc_misreadings.py)."""
    pytest.importorskip("music21", reason="music21 is the oracle and brings the tunes")
    if not (BENCHMARKS / "bench_abc.py").is_file():
        pytest.skip("the comparison stands in benchmarks/bench_abc.py, which is not part of this installation")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    bench = __import__("bench_abc")
    for name in ("bench_abc", "abc_misreadings"):
        monkeypatch.delitem(sys.modules, name)
    row = bench.compare(corpus, every=40)
    assert row["verdicts"]["equal"] >= 0.8 * row["tunes"]
    assert row["verdicts"]["unexplained"] <= 0.01 * row["tunes"], row["causes"]["unexplained"]
