"""Writing ABC: what is written is read back as it was."""

from __future__ import annotations

from pathlib import Path

import muspy_core
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import (
    ABCError,
    Barline,
    Chord,
    ChordSymbol,
    Clef,
    Dynamic,
    KeySignature,
    Lyric,
    Metadata,
    Music,
    Note,
    Slur,
    Tempo,
    Text,
    TimeSignature,
    Track,
    abc_string,
    read_abc,
    read_abc_string,
    write_abc,
)

RESOLUTION = 24


def read(text: str, **options: int | bool) -> Music:
    music = read_abc_string(text, **options)  # type: ignore[arg-type] # resolution or expand_repeats
    assert isinstance(music, Music)
    return music


def rows(music: Music) -> list[list[tuple[int, int, int]]]:
    """(onset, pitch, duration) of every track, sorted."""
    return [
        sorted((note.time, note.pitch, note.duration) for note in track.notes if note.grace is None)
        for track in music.tracks
    ]


def melody(*pitches: int, duration: int = RESOLUTION) -> Track:
    return Track(notes=[Note(index * duration, pitch, duration) for index, pitch in enumerate(pitches)])


# --- properties ------------------------------------------------------------------------------------------------------

notes = st.builds(
    Note,
    time=st.integers(0, 400),
    pitch=st.integers(0, 127),
    duration=st.integers(1, 120),
    pitch_str=st.none() | st.sampled_from(["C", "C#", "Db", "E", "Fb", "F##", "G", "Abb", "B#"]),
    voice=st.none() | st.integers(1, 3),
)
tracks = st.builds(Track, notes=st.lists(notes, min_size=1, max_size=25))
keys = st.builds(
    KeySignature,
    time=st.integers(0, 300),
    root=st.none() | st.integers(0, 11),
    mode=st.none() | st.sampled_from(["major", "minor", "dorian"]),
    fifths=st.none() | st.integers(-7, 7),
)
meters = st.builds(
    TimeSignature, time=st.integers(0, 300), numerator=st.integers(1, 12), denominator=st.sampled_from([2, 4, 8, 16])
)
pieces = st.builds(
    Music,
    resolution=st.sampled_from([1, 2, 4, 5, 10, 12, 17, 24, 48, 97, 480, 1920]),
    tempos=st.lists(st.builds(Tempo, time=st.integers(0, 300), qpm=st.integers(20, 300)), max_size=3),
    key_signatures=st.lists(keys, max_size=3),
    time_signatures=st.lists(meters, max_size=3),
    tracks=st.lists(tracks, min_size=1, max_size=3),
)


@given(pieces, st.booleans(), st.integers(1, 6))
def test_every_note_is_read_back(music: Music, compact_repeats: bool, bars_per_line: int) -> None:
    text = abc_string(music, compact_repeats, bars_per_line)
    assert rows(read(text, resolution=music.resolution)) == rows(music)


@given(st.lists(st.sampled_from([60, 62, 64]), min_size=1, max_size=48), st.sampled_from([2, 3, 4]))
def test_folded_repeats_play_the_same_measures(pitches: list[int], numerator: int) -> None:
    music = Music(tracks=[melody(*pitches)], time_signatures=[TimeSignature(0, numerator, 4)])
    back = read(abc_string(music))
    assert rows(back) == rows(music)
    assert [bar.time for bar in back.barlines] == list(range(0, len(pitches) * RESOLUTION, numerator * RESOLUTION))


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=8)


@given(names, names, st.lists(names, max_size=2), names)
def test_every_text_is_read_back(title: str, name: str, creators: list[str], word: str) -> None:
    music = Music(
        metadata=Metadata(title=title, creators=creators),
        tracks=[Track(name=name, notes=[Note(0, 60, 24)])],
        texts=[Text(0, word, kind="words")],
    )
    back = read(abc_string(music))
    assert (back.metadata.title, back.metadata.creators, back.tracks[0].name) == (title, creators, name)
    assert [text.text for text in back.texts] == [word]


# --- claims ----------------------------------------------------------------------------------------------------------


def test_a_melody_looks_as_a_musician_would_write_it() -> None:
    scale = [Note(0, 67, 24), Note(24, 66, 12), Note(36, 65, 12), Note(48, 67, 72), Note(144, 72, 48)]
    music = Music(
        metadata=Metadata(title="Scale", creators=["Anon."]),
        tempos=[Tempo(0, 90, text="Andante")],
        key_signatures=[KeySignature(0, root=7, mode="major", fifths=1)],
        time_signatures=[TimeSignature(0, 4, 4)],
        tracks=[Track(notes=scale)],
    )
    assert abc_string(music) == (
        'X:1\nT:Scale\nC:Anon.\nM:4/4\nL:1/4\nQ:"Andante" 1/4=90\nK:G\nG F/=F/ G2- | G z c2 |]\n'
    )


def test_the_unit_is_the_denominator_of_the_first_meter() -> None:
    music = Music(time_signatures=[TimeSignature(0, 6, 8)], tracks=[melody(60, 62, 64, duration=36)])
    assert "L:1/8\nK:none\nC3 D3 | E3 |]\n" in abc_string(music)


def test_triplets_are_written_as_triplets() -> None:
    assert "(3CDE F" in abc_string(
        Music(tracks=[Track(notes=[*melody(60, 62, 64, duration=8).notes, Note(24, 65, 12)])])
    )


def test_repeated_measures_are_folded_if_asked_for() -> None:
    music = Music(time_signatures=[TimeSignature(0, 2, 4)], tracks=[melody(*[60, 62, 64, 65] * 2, 67)])
    assert "|: C D | E F :|\nG |]" in abc_string(music)
    assert "C D | E F | C D | E F |\nG |]" in abc_string(music, compact_repeats=False)


def test_measures_are_as_many_on_a_line_as_asked_for() -> None:
    music = Music(time_signatures=[TimeSignature(0, 1, 4)], tracks=[melody(60, 62, 64, 65, 67)])
    assert "C | D |\nE | F |\nG |]" in abc_string(music, bars_per_line=2)
    with pytest.raises(ValueError, match="bars_per_line must be at least 1"):
        abc_string(music, bars_per_line=0)


def test_a_pickup_stays_a_pickup() -> None:
    music = Music(
        barlines=[Barline(0), Barline(24)], time_signatures=[TimeSignature(0, 3, 4)], tracks=[melody(60, 62, 64)]
    )
    assert "C | D E |]" in abc_string(music)


def test_chords_and_grace_notes_are_written() -> None:
    track = Track(chords=[Chord(0, [60, 64, 67], 48)], notes=[Note(48, 74, 12, grace="acciaccatura"), Note(48, 72, 48)])
    text = abc_string(Music(time_signatures=[TimeSignature(0, 4, 4)], tracks=[track]))
    assert "[CEG]2 {/d/}c2 |]" in text
    back = read(text).tracks[0].notes
    assert [(note.time, note.duration, note.grace) for note in back if note.grace] == [(48, 12, "acciaccatura")]


def test_marks_are_read_back() -> None:
    track = Track(
        name="Flute",
        program=73,
        notes=[
            Note(0, 60, 24, articulations=["staccato", "fermata"], voice=1),
            Note(24, 61, 24, pitch_str="Db", ornaments=["trill-mark"], voice=1),
            Note(48, 62, 48, voice=1),
        ],
        lyrics=[Lyric(0, "o -", verse=1), Lyric(24, "- ver", verse=1), Lyric(24, "two words", verse=2)],
        slurs=[Slur(0, 24)],
        dynamics=[Dynamic(0, "mf"), Dynamic(0, "crescendo", 48)],
        clefs=[Clef(0, "C", 3)],
    )
    music = Music(
        tracks=[track],
        time_signatures=[TimeSignature(0, 2, 4), TimeSignature(48, 3, 4)],
        key_signatures=[KeySignature(0, 9, "dorian", 1, "A"), KeySignature(48, 5, "major", -1, "F")],
        tempos=[Tempo(0, 100), Tempo(72, 62.5, text="slow")],
        chord_symbols=[ChordSymbol(0, "A", "minor-seventh", text="m7"), ChordSymbol(60, "D", "minor", bass="F")],
        texts=[Text(24, 'a "quoted" 100% text', kind="words"), Text(48, "B", kind="rehearsal")],
    )
    back = read(abc_string(music))
    found = back.tracks[0]
    assert (found.name, found.program) == ("Flute", 73)
    assert found.notes.side("articulations") == [["staccato", "fermata"], None, None]
    assert found.notes.side("ornaments") == [None, ["trill-mark"], None]
    assert found.notes.side("pitch_str") == ["C", "Db", "D"]
    for name in ("lyrics", "slurs", "dynamics", "clefs"):
        assert getattr(found, name) == getattr(track, name), name
    for name in ("time_signatures", "tempos", "texts", "key_signatures"):
        assert getattr(back, name) == getattr(music, name), name
    assert [(symbol.time, symbol.root, symbol.kind, symbol.bass) for symbol in back.chord_symbols] == [
        (0, "A", "minor-seventh", None),
        (60, "D", "minor", "F"),
    ]


def test_transposing_instruments_are_written_at_their_written_pitch() -> None:
    track = Track(notes=[Note(0, 58, 24, pitch_str="Bb")], transposition=-2)
    text = abc_string(Music(tracks=[track]))
    assert "transpose=-2" in text
    assert "\nC2 |]" in text
    back = read(text)
    assert (back.tracks[0].notes[0].pitch, back.tracks[0].transposition) == (58, -2)


def test_every_track_is_a_voice() -> None:
    music = Music(tracks=[melody(60, 62), melody(48), Track(is_drum=True, notes=[Note(0, 36, 24)])])
    back = read(abc_string(music))
    assert rows(back) == rows(music)
    assert [track.is_drum for track in back.tracks] == [False, False, True]


@pytest.mark.parametrize(
    "body", ["|: C4 |1 D4 :|2 E4 |]", "C4 |: D4 ::: E4 :|", "C4 !fine! | D4 !D.C.! |]", "!segno! C4 | D4 !D.S.! |]"]
)
def test_kept_repeats_are_written_as_they_were(body: str) -> None:
    text = f"X:1\nT:\nM:4/4\nL:1/4\nK:C\n{body}\n"
    written = abc_string(read(text, expand_repeats=False))
    assert read(written, expand_repeats=False).repeats == read(text, expand_repeats=False).repeats
    assert rows(read(written)) == rows(read(text))


def test_music_without_notes_is_a_tune_without_notes() -> None:
    for music in (Music(), Music(tracks=[Track()]), Music(tempos=[Tempo(10, 90)])):
        assert sum(len(track.notes) for track in read(abc_string(music)).tracks) == 0


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "tune.abc"
    write_abc(path, Music(tracks=[melody(60)]))
    assert rows(muspy_core.read(path)) == [[(0, 60, 24)]]
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        write_abc(path, Music(), overwrite=False)
    with pytest.raises(ABCError, match="meter 2000/4"):
        write_abc(path, Music(time_signatures=[TimeSignature(0, 2000, 4)]))
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["tune.abc"]


def test_several_pieces_make_a_tune_book(tmp_path: Path) -> None:
    path = tmp_path / "book.abc"
    pieces = [Music(metadata=Metadata(title=title), tracks=[melody(60)]) for title in ("One", "Two")]
    write_abc(path, pieces)
    book = read_abc(path)
    assert isinstance(book, list)
    assert [tune.metadata.title for tune in book] == ["One", "Two"]
    second = read_abc(path, number=2)
    assert isinstance(second, Music)
    assert second.metadata.title == "Two"


def test_absurdly_long_music_is_refused() -> None:
    music = Music(resolution=1, tracks=[Track(notes=[Note(10**9, 60, 1)])])
    with pytest.raises(ABCError, match="more than 200,000 measures"):
        abc_string(music)


def test_columns_stay_columns() -> None:
    music = read("X:1\nK:C\nCDEF|")
    before = np.array(music.tracks[0].notes.array)
    abc_string(music)
    assert music.tracks[0].notes.is_columnar
    assert np.array_equal(music.tracks[0].notes.array, before)
