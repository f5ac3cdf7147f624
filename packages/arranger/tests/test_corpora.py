"""Readers of the corpora that must be downloaded, on files of their layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from arranger.corpora.bands import FAMILIES, family, read_freedoom, read_lakh
from arranger.corpora.musicnet import musicnet_label, read_musicnet_quartets
from arranger.corpora.nes import read_nes
from arranger.corpora.scores import CorpusError, movement_starts, movements, read_openscore_quartets
from arranger.corpus import CORPORA, load_corpus
from arranger.splits import shipped_duplicates, shipped_groups, split_of, work_of
from mixtures import random_piece
from muspy_core import Barline, Music, Note, Tempo, Track, write

QUARTET = ("Violin I", "Violin II", "Viola", "Cello")


def tracks(names: tuple[str, ...], programs: tuple[int, ...] = (), count: int = 12) -> list[Track]:
    """One track a name, each with `count` quarter notes a fourth below the one before."""
    return [
        Track(
            name=name,
            program=programs[i] if programs else 40,
            notes=[Note(24 * beat, 76 - 5 * i, 24) for beat in range(count)],
        )
        for i, name in enumerate(names)
    ]


def save(path: Path, names: tuple[str, ...], **options: tuple[int, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, Music(resolution=24, tracks=tracks(names, **options)))


def test_musicnet_has_its_quartets_by_its_own_table(tmp_path: Path) -> None:
    folder = tmp_path / "musicnet_midis/Beethoven"
    save(folder / "2313_qt15_1.mid", QUARTET)
    save(folder / "1788_other.mid", QUARTET)
    rows = ["id,composer,composition,movement,ensemble,source,transcriber,catalog_name,seconds"]
    rows += ["2313,Beethoven,String Quartet No 15,1,String Quartet,S,T,OP132,9", "1788,S,A,2,Piano Quintet,S,T,D667,4"]
    (tmp_path / "musicnet_metadata.csv").write_text("\n".join(rows) + "\n")
    (piece,) = read_musicnet_quartets(tmp_path)
    assert piece.name == "2313_qt15_1"
    assert np.bincount(piece.label).tolist() == [12, 12, 12, 12]
    assert set(piece.mixture.pitch[piece.label == 1].tolist()) == {71}


def test_musicnet_without_its_table_says_where_it_is(tmp_path: Path) -> None:
    save(tmp_path / "2313_qt15_1.mid", QUARTET)
    with pytest.raises(CorpusError, match=r"musicnet_metadata\.csv"):
        read_musicnet_quartets(tmp_path)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Violino I", 0), ("Violino II", 1), ("Violin 1", 0), ("violin2", 1), ("1st Violin", 0), ("Second violin", 1),
        ("Viola", 2), ("Violoncello", 3), ("Cello", 3), ("Piano", None), ("Violin II.", 1),
    ],
)  # fmt: skip
def test_the_second_violin_is_not_taken_for_the_first(name: str, label: int | None) -> None:
    assert musicnet_label(name) == label


def test_nes_music_is_read_in_fiftieths_of_a_second_and_keeps_its_split(tmp_path: Path) -> None:
    for subset in ("train", "valid", "test"):
        path = tmp_path / "nesmdb_midi" / subset / f"000_{subset}.mid"
        path.parent.mkdir(parents=True)
        voices = [
            # A tick is 1/44,100 s: notes of 0.1 s, every 0.2 s.
            Track(name=name, program=80, notes=[Note(8820 * i, 60 + i, 4410, velocity=3) for i in range(12)])
            for name in ("p1", "p2", "tr", "no")
        ]
        write(path, Music(resolution=22050, tempos=[Tempo(0, 120.0)], tracks=voices))
    pieces = read_nes(tmp_path)
    assert [piece.name for piece in pieces] == ["test/000_test", "train/000_train", "valid/000_valid"]
    assert np.bincount(pieces[0].label).tolist() == [12, 12, 12]
    assert np.unique(pieces[0].mixture.onset).tolist() == list(range(0, 120, 10))
    assert set(pieces[0].mixture.duration.tolist()) == {5}
    assert set(pieces[0].mixture.velocity.tolist()) == {64}
    split = split_of("paper", "nes", [piece.name for piece in pieces])
    assert (split.train, split.test) == (("train/000_train",), ("test/000_test",))


def test_lakh_has_the_pieces_of_the_cleansed_list_in_five_families(tmp_path: Path) -> None:
    known, other = "0" * 32, "1" * 32
    for name in (known, other):
        path = tmp_path / "lmd_matched/A/B/C/TRABC" / f"{name}.mid"
        save(path, ("a", "b", "c", "d"), programs=(0, 33, 61, 73))
    (tmp_path / "cleansed_ids.txt").write_text(f"{known}    TRABC\n")
    (piece,) = read_lakh(tmp_path)
    assert piece.name == known
    assert np.bincount(piece.label, minlength=5).tolist() == [12, 0, 12, 0, 12]


def test_the_families_are_those_of_the_paper() -> None:
    known = {program: family(program) for program in range(128)}
    assert [sum(label == k for label in known.values()) for k in range(5)] == [8, 8, 8, 10, 8]
    assert (known[46], known[47], known[73]) == (None, None, None)
    assert len(FAMILIES) == 5


def test_a_damaged_file_among_many_is_passed_over_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "good.mid", ("a", "b"), programs=(0, 33))
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    assert [piece.name for piece in read_freedoom(tmp_path)] == ["good"]
    assert "bad.mid" in caplog.text


def test_a_work_is_cut_where_its_measures_are_counted_anew() -> None:
    bars = [Barline(96 * i, number=str(number)) for i, number in enumerate((1, 2, 3, 0, 1, 2))]
    starts = movement_starts(Music(resolution=24, barlines=bars))
    assert starts.tolist() == [0, 288]
    piece = random_piece(0, steps=48)
    first, second = movements(piece, starts)
    assert (first.name, second.name) == ("random-1", "random-2")
    assert len(first) + len(second) == len(piece)
    assert second.mixture.onset.min() == 0


def test_the_second_of_two_cellos_is_a_cello(tmp_path: Path) -> None:
    names = ("Violin 1", "Violin 2", "Viola", "Violoncello", "Violoncello")
    write(tmp_path / "sq1.mxl", Music(resolution=24, tracks=tracks(names)))
    (piece,) = read_openscore_quartets(tmp_path)
    assert np.bincount(piece.label).tolist() == [12, 12, 12, 24]


@pytest.mark.parametrize("name", [name for name, corpus in CORPORA.items() if corpus.dataset])
def test_a_corpus_that_is_not_there_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    from muspy_core.datasets.catalogue import CATALOGUE

    assert CORPORA[name].dataset in CATALOGUE
    with pytest.raises(CorpusError, match=f"dataset download {CORPORA[name].dataset} FOLDER"):
        load_corpus(name, tmp_path)
    with pytest.raises(CorpusError, match=str(tmp_path)):
        load_corpus(name, tmp_path, tmp_path)


@pytest.mark.parametrize("draw", range(5))
def test_no_quartet_stands_on_two_sides(draw: int) -> None:
    names = [name for group in shipped_groups("openscore-quartets") for name in group]
    split = split_of(f"grouped:{draw}", "openscore-quartets", names)
    works = [{work_of(name) for name in split.subset(subset)} for subset in ("train", "valid", "test")]
    assert sum(map(len, works)) == len(set().union(*works)) == 111


def test_all_pieces_of_a_corpus_can_be_tested_on() -> None:
    assert split_of("whole", "music21-quartets", ["b", "a"]).test == ("a", "b")


# ---- the real files, where they are


@pytest.mark.slow
def test_openscore_has_111_quartets_that_music21_has_not() -> None:
    from arranger.corpora.groups import groups_of

    folder = Path(__file__).parents[4] / "shared/data/openscore-quartets"
    if not folder.is_dir():
        pytest.skip("the OpenScore quartets are not in ../shared/data")
    groups, duplicates = groups_of("openscore-quartets", folder)
    assert groups == shipped_groups("openscore-quartets")
    assert duplicates == shipped_duplicates("openscore-quartets")
    assert (len(groups), len(duplicates)) == (111, 11)


@pytest.mark.slow
def test_the_music21_wheel_has_46_quartets() -> None:
    pytest.importorskip("music21", reason="music21, whose wheel holds the scores, is not installed")
    pieces = load_corpus("music21-quartets")
    assert len(pieces) == 46
    counts = sum(np.bincount(piece.label, minlength=4) for piece in pieces)
    assert np.round(100 * counts / counts.sum(), 1).tolist() == [28.4, 26.1, 24.5, 21.0]


@pytest.mark.slow
def test_freedoom_has_107_pieces_with_two_families() -> None:
    folder = Path(__file__).parents[4] / "shared/data/freedoom-midi"
    if not folder.is_dir():
        pytest.skip("Freedoom's music is not in ../shared/data")
    assert len(read_freedoom(folder)) == 107
