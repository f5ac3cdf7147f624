"""The chorales."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from arranger import corpus
from arranger.corpora.scores import CorpusError, bach_label, read_bach_chorales
from arranger.corpus import load_corpus, read_pieces, write_pieces
from arranger.mixture import Piece, labelled_mixture
from arranger.parts import PART_SETS, SATB, STRING_QUARTET, PartsError, part_set
from mixtures import random_piece
from muspy_core import Music, Note, Track


def test_there_are_exactly_as_many_chorales_and_notes_as_counted(chorales: list[Piece]) -> None:
    # Table 4.1: 409 pieces; the original notebook counts 96,605 notes.
    assert len(chorales) == 409
    assert sum(map(len, chorales)) == 96_606


def test_the_parts_have_the_shares_that_were_counted(chorales: list[Piece]) -> None:
    counts = sum(np.bincount(piece.label, minlength=4) for piece in chorales)
    assert np.round(100 * counts / counts.sum(), 2).tolist() == [21.78, 25.19, 26.14, 26.89]


def test_the_chorales_last_as_long_as_in_the_paper(chorales: list[Piece]) -> None:
    # Table 4.1: 3.23 h, at 120 quarter notes a minute.
    quarters = sum(int(piece.mixture.offset.max()) for piece in chorales) / 24
    assert quarters / 120 / 60 == pytest.approx(3.226, abs=5e-4)


@pytest.mark.slow
def test_the_corpus_is_read_from_its_files(tmp_path: Path) -> None:
    if find_spec("music21") is None:
        pytest.skip("music21, whose wheel holds the chorales, is not installed")
    read = read_bach_chorales()
    assert (len(read), sum(map(len, read))) == (409, 96_606)


def test_pieces_come_back_from_their_file(tmp_path: Path) -> None:
    pieces = [random_piece(0, name="a"), random_piece(1, name="b")]
    write_pieces(tmp_path / "pieces.npz", pieces)
    for saved, loaded in zip(pieces, read_pieces(tmp_path / "pieces.npz"), strict=True):
        assert saved.name == loaded.name
        assert np.array_equal(saved.label, loaded.label)
        assert np.array_equal(saved.mixture.onset, loaded.mixture.onset)
        assert np.array_equal(saved.mixture.duration, loaded.mixture.duration)


def test_a_damaged_cache_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "_source_version", lambda name: "test")
    monkeypatch.setitem(corpus.CORPORA, "bach", corpus.Corpus(SATB, lambda folder: [random_piece(0, name="again")]))
    (tmp_path / f"bach-test-v{corpus._CACHE_VERSION}.npz").write_bytes(b"not a cache")
    assert [piece.name for piece in load_corpus("bach", tmp_path)] == ["again"]


def test_an_unknown_corpus_is_named() -> None:
    with pytest.raises(CorpusError, match="'brahms'"):
        load_corpus("brahms")


def test_a_part_is_known_by_its_whole_name() -> None:
    assert [SATB.label_of(name) for name in ("Soprano", "ALTO", " tenor ", "Bass")] == [0, 1, 2, 3]
    assert SATB.label_of("Soprano 1") is None
    assert STRING_QUARTET.label_of("Violino I") == 0
    assert STRING_QUARTET.label_of("Violino II") == 1
    assert STRING_QUARTET.label_of("cello") == 3


def test_two_scores_with_long_part_names_are_known() -> None:
    assert bach_label("bwv171.6", "Soprano Oboe 1 Violin1") == 0
    assert bach_label("bwv227.3", "Soprano 1") is None


def test_voices_and_strings_go_from_high_to_low_and_all_parts_have_ranges() -> None:
    for parts in PART_SETS.values():
        assert len({part.name for part in parts.parts}) == len(parts)
        lows = [part.low for part in parts.parts]
        assert lows == sorted(lows, reverse=True) or parts.name in ("nes", "pop-band")
        assert all(0 <= part.low < part.high <= 127 and 0 <= part.program <= 127 for part in parts.parts)


def test_unknown_part_sets_and_parts_are_named() -> None:
    with pytest.raises(PartsError, match="did you mean 'satb'"):
        part_set("satbb")
    with pytest.raises(PartsError, match="Soprano, Alto, Tenor, Bass"):
        SATB.index("Baritone")


def test_grace_notes_and_doubled_notes_are_left_out() -> None:
    notes = [
        Note(0, 60, 24), Note(0, 60, 24), Note(24, 62, 12, grace="acciaccatura"), Note(24, 64, 24), Note(48, 65, 0)
    ]  # fmt: skip
    music = Music(resolution=24, tracks=[Track(name="Alto", notes=notes), Track(notes=[Note(0, 40, 24)])])
    piece = labelled_mixture(music, [1, None])
    assert piece.mixture.pitch.tolist() == [60, 64]
    assert piece.label.tolist() == [1, 1]
