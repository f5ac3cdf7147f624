"""Scores, piano rolls and the notebook view: what is drawn is what the music holds."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from muspy_core import Chord, KeySignature, Metadata, Music, Note, RenderError, Tempo, TimeSignature, Track
from muspy_core.rendering import Engraving, engrave, show_pianoroll
from muspy_core.rendering.notebook import music_repr_html
from muspy_core.rendering.score import _in_child_process, font_css
from muspy_core.rendering.summary import clock, first_bar_number, key_name, summarize

NOTE_ID = re.compile(r'data-id="(n\d+-\d+)"')


@pytest.fixture
def music() -> Music:
    """Two bars for two voices; the first note of the second voice is tied over the bar line."""
    return Music(
        metadata=Metadata(title="A <small> piece"),
        resolution=24,
        tempos=[Tempo(0, 90)],
        key_signatures=[KeySignature(0, 9, "minor", 0)],
        time_signatures=[TimeSignature(0, 3, 4)],
        tracks=[
            Track(name="Flute", program=73, notes=[Note(i * 24, 69 + i, 24, 60 + 10 * i) for i in range(6)]),
            Track(name="Cello & bass", program=42, notes=[Note(0, 45, 96), Note(96, 47, 48)]),
        ],
    )


@pytest.fixture
def engraving(music: Music) -> Engraving:
    pytest.importorskip("verovio", reason="verovio comes with the extra [render]")
    return engrave(music)


class TestScore:
    def test_every_note_is_on_the_page_once(self, engraving: Engraving) -> None:
        ids = [name for page in engraving.pages for name in NOTE_ID.findall(page)]

        assert sorted(set(ids)) == [*(f"n0-{i}" for i in range(6)), "n1-0", "n1-1"]
        assert len(ids) == len(set(ids))

    def test_the_times_are_those_of_the_music(self, engraving: Engraving, music: Music) -> None:
        seconds = music.tempo_map.seconds(np.array([24, 48]))

        assert engraving.times["n0-1"] == pytest.approx(seconds.tolist(), abs=0.002)

    def test_the_same_music_gives_the_same_page(self, engraving: Engraving, music: Music) -> None:
        assert engrave(music).pages == engraving.pages

    def test_a_page_is_an_svg_document(self, engraving: Engraving, tmp_path: Path) -> None:
        (path,) = engraving.save(tmp_path / "score.svg")

        root = ElementTree.parse(path).getroot()
        assert root.tag.endswith("svg")
        assert root.find(".//*[@id='n0-3']") is not None

    def test_a_picture_has_ink_and_letters(self, engraving: Engraving, tmp_path: Path) -> None:
        pytest.importorskip("resvg_py", reason="resvg-py comes with the extra [render]")
        image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

        (path,) = engraving.save(tmp_path / "score.png")

        with image.open(path) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert pixels.shape[1] == 2000
        assert 0.005 < np.mean(pixels < 128) < 0.2
        left = pixels[:, :200]  # the names of the parts stand left of the staves
        assert np.mean(left < 128) > 0.001

    def test_long_scores_give_the_first_pages(self) -> None:
        pytest.importorskip("verovio", reason="verovio comes with the extra [render]")
        notes = [Note(i * 12, 60 + i % 12, 12) for i in range(2400)]

        engraving = engrave(Music(time_signatures=[TimeSignature(0, 4, 4)], tracks=[Track(notes=notes)]), pages=2)

        assert len(engraving.pages) == 2
        assert engraving.total_pages > 2

    def test_pages_get_numbers(self, engraving: Engraving, tmp_path: Path) -> None:
        twice = Engraving(engraving.pages * 2, 2, engraving.times)

        assert [path.name for path in twice.save(tmp_path / "s.svg")] == ["s-1.svg", "s-2.svg"]

    def test_an_existing_file_is_kept(self, engraving: Engraving, tmp_path: Path) -> None:
        (tmp_path / "score.svg").write_text("mine")

        with pytest.raises(FileExistsError):
            engraving.save(tmp_path / "score.svg", overwrite=False)

        assert (tmp_path / "score.svg").read_text() == "mine"

    def test_other_formats_are_refused(self, engraving: Engraving, tmp_path: Path) -> None:
        with pytest.raises(RenderError, match=r"\.svg, \.png or \.pdf"):
            engraving.save(tmp_path / "score.gif")

    def test_time_is_limited(self, music: Music) -> None:
        pytest.importorskip("verovio", reason="verovio comes with the extra [render]")
        with pytest.raises(RenderError, match="within"):
            engrave(music, timeout=0.001)

    def test_a_document_that_verovio_refuses_is_an_error_and_no_crash(self) -> None:
        pytest.importorskip("verovio", reason="verovio comes with the extra [render]")
        with pytest.raises(RenderError, match="score"):
            _in_child_process({"xml": "<nonsense", "pages": None, "options": {}}, 60)

    def test_the_page_fonts_are_cut_down(self, engraving: Engraving) -> None:
        style = font_css(engraving.pages)

        assert style.count("@font-face") >= 4
        assert len(style) < 80_000
        assert font_css(["<svg></svg>"]) == ""


class TestPianoRoll:
    @pytest.fixture(autouse=True)
    def _needs_matplotlib(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("matplotlib", reason="matplotlib comes with the extra [render]").use("Agg")

    def test_each_track_is_drawn_note_by_note(self, music: Music) -> None:
        axes = show_pianoroll(music, time="steps")

        sizes = [len(collection.get_paths()) for collection in axes.collections if len(collection.get_facecolor())]
        assert sizes == [6, 2]
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Flute", "Cello & bass"]

    @pytest.mark.parametrize(("time", "end"), [("bars", 144), ("steps", 144), ("seconds", 4.0)])
    def test_the_time_axis_ends_with_the_music(self, music: Music, time: str, end: float) -> None:
        assert show_pianoroll(music, time=time).get_xlim() == pytest.approx((0, end))

    def test_bars_are_numbered(self, music: Music) -> None:
        axes = show_pianoroll(music)

        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2"]

    def test_a_track_alone_and_chords_are_drawn(self) -> None:
        axes = show_pianoroll(Track(chords=[Chord(0, [60, 64, 67], 24)]))

        assert len(axes.collections[0].get_paths()) == 3

    def test_empty_music_is_drawn_empty(self) -> None:
        assert show_pianoroll(Music()).get_xlabel() == "Time (s)"

    def test_given_axes_are_used(self, music: Music) -> None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots()

        assert show_pianoroll(music, axes=axes) is axes

    def test_an_unknown_axis_is_refused(self, music: Music) -> None:
        with pytest.raises(RenderError, match="time must be"):
            show_pianoroll(music, time="minutes")
        with pytest.raises(RenderError, match="track alone"):
            show_pianoroll(music.tracks[0], time="seconds")


class TestNotebook:
    def test_the_summary_and_the_parts_are_named_safely(self, music: Music) -> None:
        shown = music_repr_html(music)

        assert "A &lt;small&gt; piece" in shown
        assert "Cello &amp; bass" in shown
        assert "A minor" in shown
        assert "90 qpm" in shown

    def test_every_note_is_a_shape_and_the_picture_is_valid(self, music: Music) -> None:
        root = ElementTree.fromstring(re.search(r"<svg.*</svg>", music_repr_html(music)).group())

        shapes = "".join(path.get("d") for path in root if path.get("fill"))
        assert shapes.count("z") == 8

    def test_long_pieces_stay_small(self) -> None:
        notes = [Note(i, 40 + i % 40, 2) for i in range(50_000)]

        assert len(music_repr_html(Music(tracks=[Track(notes=notes)]))) < 250_000

    def test_music_shows_itself(self, music: Music) -> None:
        assert music._repr_html_() == music_repr_html(music)

    def test_no_other_library_is_loaded(self) -> None:
        code = (
            "import sys; from muspy_core import Music, Note, Track\n"
            "Music(tracks=[Track(notes=[Note(0, 60, 24)])])._repr_html_()\n"
            "print([name for name in ('matplotlib', 'soundfile', 'verovio', 'lxml') if name in sys.modules])"
        )

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert done.stdout.strip() == "[]"


class TestSummary:
    def test_figures(self, music: Music) -> None:
        summary = summarize(music)

        assert (summary.bars, summary.tracks, summary.notes, summary.seconds) == (2, 2, 8, 4.0)
        assert summary.facts()["Key"] == "A minor"

    @pytest.mark.parametrize(
        ("arguments", "name"),
        [
            ((0, "major", 0), "C major"),
            ((-3, "minor", 0), "C minor"),
            ((7, None, 1), "C♯ major"),
            ((-5, "major", 1), "D♭ major"),
            ((None, "dorian", 2), "D dorian"),
            ((None, None, None), ""),
        ],
    )
    def test_keys_are_named_by_their_fifths(self, arguments: tuple[int, str, int], name: str) -> None:
        assert key_name(*arguments) == name

    @pytest.mark.parametrize(("seconds", "text"), [(7.25, "7.2 s"), (60, "1:00"), (187.4, "3:07"), (3600, "60:00")])
    def test_times_read_as_people_write_them(self, seconds: float, text: str) -> None:
        assert clock(seconds) == text

    def test_an_upbeat_is_bar_0(self) -> None:
        from muspy_core import Barline

        music = Music(
            time_signatures=[TimeSignature(0, 4, 4)],
            barlines=[Barline(0), Barline(24), Barline(120)],
            tracks=[Track(notes=[Note(0, 60, 200)])],
        )

        assert first_bar_number(music) == 0
        assert first_bar_number(Music()) == 1
