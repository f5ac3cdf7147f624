"""Corpora: which files are songs, and splits by lists of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmt.cli import main
from mmt.corpora import RECIPES, is_song, listed_split, recipe_of
from mmt.notes import EncodingError, music_of
from mmt.songs import Songs, load_split
from test_encoding import rows


@pytest.mark.parametrize(
    ("corpus", "song", "other"),
    [
        ("pop909", "POP909/007/007.mid", "POP909/007/versions/007-v1.mid"),
        ("lmd", "lmd_full/c/c03aad6fbcbc4ce22572f74062c58c63.mid", "lmd_full/readme.mid"),
        ("openscore-lieder", "scores/Schubert/Winterreise/1/lc1.mxl", "scores/Schubert/Winterreise/1/lc1.pdf"),
        ("freedoom", "musics/d_e1m1.mid", "musics/d_e1m1.mus"),
    ],
)
def test_songs_of_a_corpus_are_known_by_their_paths(corpus: str, song: str, other: str) -> None:
    assert is_song(RECIPES[corpus], song)
    assert not is_song(RECIPES[corpus], other)


def test_an_unknown_corpus_is_answered_with_the_names() -> None:
    with pytest.raises(ValueError, match="pop909, freedoom"):
        recipe_of("pop")


def song(program: int) -> np.ndarray:
    return rows(*((beat, 0, 60 + beat % 12, 12, program) for beat in range(60)))


def written_lists(folder: Path, **names: str) -> Path:
    for subset in ("train", "valid", "test"):
        (folder / f"{subset}-names.txt").write_text(names.get(subset, ""))
    return folder


def test_lists_of_names_split_songs_and_leave_out_the_others(tmp_path: Path) -> None:
    names = ["lmd_full/a/a1.mid", "lmd_full/b/b1.mid", "lmd_full/b/b2.mid"]
    songs = Songs.of((name, song(0)) for name in names)
    lists = written_lists(tmp_path, train="b/b1\nc/c7\n", test="a/a1\n")
    assert listed_split(songs, lists) == {"train": [names[1]], "valid": [], "test": [names[0]]}


def test_lists_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    songs = Songs.of([("a/a1.mid", song(0))])
    with pytest.raises(EncodingError, match="no list of names"):
        listed_split(songs, tmp_path)
    with pytest.raises(EncodingError, match="none of the 1 songs"):
        listed_split(songs, written_lists(tmp_path, train="b/b1"))
    with pytest.raises(EncodingError, match="twice"):
        listed_split(songs, written_lists(tmp_path, train="a/a1", test="a1"))


def test_a_corpus_is_prepared_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in ("001", "002", "003"):
        folder = tmp_path / "POP909" / number
        (folder / "versions").mkdir(parents=True)
        music_of(song(int(number))).write(folder / f"{number}.mid")
        music_of(song(0)).write(folder / "versions" / f"{number}-v1.mid")
    lists = written_lists(tmp_path, train="001/001\n002/002", valid="", test="003/003")
    given = ["prepare", str(tmp_path / "POP909"), "-o", str(tmp_path / "data"), "--corpus", "pop909"]
    assert main([*given, "--lists", str(lists)]) == 0
    assert load_split(tmp_path / "data")["train"] == ["POP909/001/001.mid", "POP909/002/002.mid"]
    assert main([*given[:2], "-o", str(tmp_path / "x"), "--corpus", "lmd"]) == 2
    assert "no file is a song of Lakh MIDI" in capsys.readouterr().err
