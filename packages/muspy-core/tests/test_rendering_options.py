"""Options of scores and piano rolls: which measures, parts and colours are drawn, and what a roll shows."""

from __future__ import annotations

import re

import numpy as np
import pytest
from muspy_core import Metadata, Music, Note, Tempo, TimeSignature, Track
from muspy_core.errors import RenderError

pytest.importorskip("verovio", reason="verovio (muspy-core[render]) is not installed")
pytest.importorskip("matplotlib", reason="matplotlib (muspy-core[render]) is not installed").use("Agg")

from muspy_core.rendering import engrave, show_pianoroll, show_tracks  # noqa: E402 - needs the above


@pytest.fixture(scope="module")
def music() -> Music:
    """Eight bars: a trumpet in B flat over a cello, and a part without notes."""
    return Music(
        metadata=Metadata(title="A title"),
        tempos=[Tempo(0, 120)],
        time_signatures=[TimeSignature(0, 4, 4)],
        tracks=[
            Track(56, name="Trumpet", transposition=-2, diatonic_transposition=-1,
                  notes=[Note(24 * i, 60 + i % 5, 24) for i in range(32)]),
            Track(42, name="Cello", notes=[Note(96 * i, 48, 96) for i in range(8)]),
            Track(0, name="Silent"),
        ],
    )  # fmt: skip


def note_ids(pages: tuple[str, ...]) -> set[str]:
    return set(re.findall(r'data-id="(n\d+-\d+)', "".join(pages)))


class TestScores:
    def test_measures_are_those_of_their_numbers(self, music: Music) -> None:
        assert note_ids(engrave(music, measures=(3, 4)).pages) == {
            *(f"n0-{index}" for index in range(8, 16)),
            "n1-2",
            "n1-3",
        }

    def test_chosen_parts_keep_their_ids(self, music: Music) -> None:
        score = engrave(music, tracks=[1], measures=(1, 1))
        assert note_ids(score.pages) == {"n1-0"}
        assert score.times["n1-1"] == pytest.approx((2.0, 4.0))

    def test_concert_pitch_is_the_pitch_that_sounds(self, music: Music) -> None:
        written, concert = engrave(music), engrave(music, pitch="concert")
        assert note_ids(written.pages) == note_ids(concert.pages)
        sharps = [len(re.findall('class="keySig"', "".join(score.pages))) for score in (written, concert)]
        accidentals = [len(re.findall('class="accid"', "".join(score.pages))) for score in (written, concert)]
        assert (sharps, accidentals) != ([sharps[0]] * 2, [accidentals[0]] * 2)
        assert music.tracks[0].transposition == -2

    def test_a_strip_is_one_system_and_titles_are_asked_for(self, music: Music) -> None:
        strip = engrave(music, layout="strip", scale=100)
        assert strip.total_pages == 1
        assert strip.pages[0].count(' class="system"') == 1
        assert "A title" in engrave(music, header="titles").pages[0]
        assert "A title" not in strip.pages[0]

    def test_notes_get_their_colours(self, music: Music) -> None:
        score = engrave(music).colored({"n0-3": "#ff0000", "n1-0": "teal"})
        page = "".join(score.pages)
        assert 'data-id="n0-3" fill="#ff0000"' in page
        assert 'data-id="n1-0" fill="teal"' in page
        assert page.count("fill=") == engrave(music).pages[0].count("fill=") + 2
        for colors in ({"n7-0": "red"}, {"n0-0": 'red" onload="x'}):
            with pytest.raises(RenderError):
                score.colored(colors)

    def test_values_that_cannot_be_are_refused(self, music: Music) -> None:
        for options in (
            {"measures": (9, 9)},
            {"measures": (3, 2)},
            {"measures": (0, 1)},
            {"tracks": []},
            {"tracks": [3]},
            {"tracks": [0, 0]},
            {"pitch": "loud"},
            {"layout": "wide"},
            {"header": "big"},
            {"paper": "a0"},
            {"measure_numbers": 65},
        ):
            with pytest.raises(RenderError):
                engrave(music, **options)

    def test_a_pdf_holds_every_page(self, music: Music) -> None:
        pytest.importorskip("resvg_py", reason="resvg-py (muspy-core[render]) is not installed")
        score = engrave(music, width=400, height=300, scale=50)
        data = score.to_pdf(zoom=1)
        assert data.startswith(b"%PDF")
        assert len(re.findall(rb"/Type /Page\b", data)) == score.total_pages > 1


def drawn(axes: object, music: Music) -> np.ndarray:
    """(steps, 128) bool: where the rectangles of a roll in steps lie."""
    roll = np.zeros((music.get_end_time(), 128), bool)
    for collection in axes.collections:  # type: ignore[attr-defined]  # matplotlib has no types here
        for path in collection.get_paths():
            low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
            if high[1] - low[1] < 1 and len(path.vertices) > 3:
                roll[round(low[0]) : round(high[0]), round((low[1] + high[1]) / 2)] = True
    return roll


class TestPianoRolls:
    def test_a_roll_shows_what_pypianoroll_holds(self, music: Music) -> None:
        pypianoroll = pytest.importorskip("pypianoroll", reason="pypianoroll is the oracle of this test")
        axes = show_pianoroll(music, time="steps", grid="none")
        theirs = music.to_pypianoroll()
        assert isinstance(theirs, pypianoroll.Multitrack)
        expected = np.any([track.pianoroll > 0 for track in theirs.tracks if len(track.pianoroll)], axis=0)
        assert np.array_equal(drawn(axes, music), expected[: music.get_end_time()])

    def test_spans_and_pitches(self, music: Music) -> None:
        assert show_pianoroll(music, span=(3, 4)).get_xlim() == (192, 384)
        assert show_pianoroll(music, time="seconds", span=(1, 2.5)).get_xlim() == (1, 2.5)
        assert show_pianoroll(music, pitches=(40, 80)).get_ylim() == (39.5, 80.5)
        for options in ({"span": (8, 9)}, {"span": (2, 1)}, {"pitches": (80, 40)}, {"grid": "x"}, {"keys": "x"}):
            with pytest.raises(RenderError):
                show_pianoroll(music, **options)

    def test_keys_are_named_as_asked(self, music: Music) -> None:
        def names(keys: str) -> list[str]:
            return [label.get_text() for label in show_pianoroll(music, keys=keys).get_yticklabels()]

        assert names("octaves") == ["C3", "C4"]
        assert {"C♯3", "E♭3", "B3"} <= set(names("pitches"))
        assert names("none") == []

    def test_every_sounding_track_has_its_row(self, music: Music) -> None:
        rows = show_tracks(music)
        assert [axes.get_title(loc="left") for axes in rows] == ["Trumpet", "Cello"]
        assert {axes.get_xlim() for axes in rows} == {(0, music.get_end_time())}
        with pytest.raises(RenderError, match="no track"):
            show_tracks(Music(tracks=[Track()]))
