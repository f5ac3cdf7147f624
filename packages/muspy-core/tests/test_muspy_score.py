"""`show_score` plots what the music holds: pitches at their height, durations as symbols, keys, meters and tempi."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import ModuleType

import muspy_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from muspy_core import (
    Barline,
    Beat,
    KeySignature,
    Music,
    Note,
    RenderError,
    ScorePlotter,
    Tempo,
    TimeSignature,
    Track,
)
from muspy_core.rendering.score_glyphs import ACCIDENTALS, CLEFS, Symbol, number_text, symbols_of

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib comes with the extra [render]")
pytest.importorskip("fontTools", reason="fontTools comes with the extra [render]")
pytest.importorskip("verovio", reason="the font lies in verovio's wheel, which comes with the extra [render]")
matplotlib.use("Agg")

HEADS = {"\ue0a0", "\ue0a2", "\ue0a3", "\ue0a4"}


@pytest.fixture
def plotter() -> ScorePlotter:
    figure = pyplot().figure()
    return ScorePlotter(figure, figure.add_axes((0, 0, 1, 1)), 24)


@pytest.fixture(autouse=True)
def no_figures_stay_open() -> object:
    yield
    pyplot().close("all")


def pyplot() -> ModuleType:
    import matplotlib.pyplot as module

    return module


def heads(plotter: ScorePlotter) -> list[tuple[float, float]]:
    return [text.get_position() for text in plotter.notes if text.get_text() in HEADS]


def signs(plotter: ScorePlotter) -> list[int]:
    found = {character: alteration for alteration, character in ACCIDENTALS.items()}
    return [found[text.get_text()] for text in plotter.notes if text.get_text() in found]


def song() -> Music:
    return Music(
        tempos=[Tempo(0, 92.5)],
        key_signatures=[KeySignature(0, 2, "major")],
        time_signatures=[TimeSignature(0, 12, 8)],
        barlines=[Barline(0), Barline(144)],
        beats=[Beat(0)],
        tracks=[Track(notes=[Note(0, 62, 24), Note(24, 66, 24)]), Track(notes=[Note(144, 61, 48), Note(144, 69, 48)])],
    )


# --- symbols --------------------------------------------------------------------------------------------------------


@given(st.integers(1, 400), st.sampled_from([4, 12, 24, 480, 1024]))
def test_symbols_add_up_to_the_duration(duration: int, resolution: int) -> None:
    symbols = symbols_of(duration, resolution)
    total = sum(Fraction(2) ** symbol.power * (2 - Fraction(1, 2**symbol.dots)) for symbol in symbols)
    tuplet = symbols[0].tuplet
    if tuplet:
        # A third of a whole note is written as a half note: three in the time of two.
        total *= Fraction(1 << (tuplet.bit_length() - 1), tuplet)
    rest = Fraction(duration, 4 * resolution) - total
    assert 0 <= rest < Fraction(1, 1024)
    lengths = [symbol.power for symbol in symbols]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize(
    ("duration", "symbols"),
    [
        (24, [Symbol(-2)]),
        (36, [Symbol(-2, 1)]),
        (42, [Symbol(-2, 2)]),
        (60, [Symbol(-1), Symbol(-3)]),
        (8, [Symbol(-3, 0, 3)]),
        (192, [Symbol(1)]),
        (480, [Symbol(1), Symbol(1, 1)]),
        (384, [Symbol(1), Symbol(1)]),
        (3, [Symbol(-5)]),
        (0, []),
    ],
)
def test_durations_at_24_steps_a_quarter(duration: int, symbols: list[Symbol]) -> None:
    assert symbols_of(duration, 24) == symbols


def test_flags_are_those_of_the_value_and_the_direction() -> None:
    assert [Symbol(power).flag(up=True) for power in (-2, -3, -4, -10)] == [None, "\ue240", "\ue242", "\ue24e"]
    assert Symbol(-3).flag(up=False) == "\ue241"
    assert [Symbol(power).has_stem for power in (1, 0, -1, -5)] == [False, False, True, True]


# --- the staff ------------------------------------------------------------------------------------------------------


def test_everything_on_the_score_is_in_the_lists_of_muspy(tmp_path: Path) -> None:
    plotter = song().show_score(figsize=(8, 2))
    assert isinstance(plotter, ScorePlotter)
    assert [text.get_text() for text in plotter.clefs] == ["\ue050"]
    assert [text.get_text() for text in plotter.tempo_texts] == [" = 92.5"]
    assert [text.get_text() for text in plotter.time_signatures] == [number_text(12), number_text(8)]
    assert len(plotter.key_signatures) == 2
    assert len(heads(plotter)) == 4
    assert len(plotter.stems) == 4
    assert len(plotter.staffs) == 5
    assert len(plotter.bar_lines) == 2  # the opening one and the one within
    assert plotter.final_bar_line is not None
    assert len(plotter.final_bar_line) == 2
    assert not plotter.ties
    plotter.fig.savefig(tmp_path / "score.png")
    assert (tmp_path / "score.png").stat().st_size > 2000


def test_all_that_is_plotted_is_inside_the_bounds() -> None:
    plotter = song().show_score(figsize=(8, 2))
    plotter.fig.canvas.draw()
    left, right, bottom, top = plotter.left, plotter.right, plotter.bottom, plotter.top
    data = plotter.ax.transData.inverted()
    for text in [*plotter.notes, *plotter.clefs, *plotter.key_signatures, *plotter.time_signatures]:
        box = text.get_window_extent().transformed(data)
        assert left <= box.x0 <= box.x1 <= right
        assert bottom <= box.y0 <= box.y1 <= top, text.get_text()


def test_a_head_is_as_high_as_a_space() -> None:
    plotter = Music(tracks=[Track(notes=[Note(0, 71, 96)])]).show_score(figsize=(6, 3))
    plotter.fig.canvas.draw()
    box = plotter.notes[0].get_window_extent().transformed(plotter.ax.transData.inverted())
    # The box of a text is that of its font's line, not of its ink; its width is that of the head: 1.688 spaces.
    assert box.width == pytest.approx(1.688, abs=0.1)


@pytest.mark.parametrize(
    ("clef", "octave", "pitch", "height"),
    [
        ("treble", 0, 64, 0),
        ("treble", 0, 60, -1),
        ("treble", 0, 77, 4),
        ("treble", -1, 52, 0),
        ("treble", 1, 76, 0),
        ("bass", 0, 43, 0),
        ("bass", 0, 60, 5),
        ("bass", -2, 19, 0),
        ("alto", 0, 60, 2),
        ("alto", -1, 48, 2),
    ],
)
def test_notes_stand_where_their_clef_says(clef: str, octave: int, pitch: int, height: float) -> None:
    music = Music(tracks=[Track(notes=[Note(0, pitch, 24)])])
    plotter = muspy_core.show_score(music, clef=clef, clef_octave=octave)
    assert plotter.clefs[0].get_text() == CLEFS[clef][2][octave]
    ((_, y),) = heads(plotter)
    assert y == height


def test_notes_far_from_the_staff_have_ledger_lines(plotter: ScorePlotter) -> None:
    for time, pitch in enumerate((60, 57, 81, 84)):
        plotter.plot_note(24 * time, 24, pitch)
    heights = [line.get_ydata()[0] for line in plotter.ledger_lines]
    assert heights == [-1, -1, -2, 5, 5, 6]


def test_signs_stand_where_the_key_and_the_bar_do_not_say_them(plotter: ScorePlotter) -> None:
    plotter.plot_key_signature(7, "major")
    for time, pitch in enumerate((66, 65, 65, 66)):  # F sharp is in the key
        plotter.plot_note(24 * time, 24, pitch)
    assert signs(plotter) == [0, 1]
    plotter.plot_bar_line()
    plotter.plot_note(96, 24, 65)
    assert signs(plotter) == [0, 1, 0]


def test_a_spelling_is_kept(plotter: ScorePlotter) -> None:
    plotter.plot_object(Note(0, 63, 24, pitch_str="D#"))
    plotter.plot_object(Note(24, 63, 24, pitch_str="Eb"))
    assert signs(plotter) == [1, -1]
    assert [y for _, y in heads(plotter)] == [-0.5, 0]


@pytest.mark.parametrize(
    ("root", "mode", "fifths", "count"),
    [(0, "major", None, 0), (9, "minor", None, 0), (3, "major", None, 3), (4, "major", None, 4), (None, None, -7, 7),
     (2, "dorian", None, 0), (None, None, None, 0)],
)  # fmt: skip
def test_key_signatures_have_their_signs(
    plotter: ScorePlotter, root: int | None, mode: str | None, fifths: int | None, count: int
) -> None:
    assert len(plotter.plot_key_signature(root, mode, fifths)) == count


def test_notes_at_one_time_are_a_chord(plotter: ScorePlotter) -> None:
    for pitch in (67, 64, 60):
        plotter.plot_note(0, 12, pitch)
    plotter.plot_note(12, 12, 72)
    positions = [x for x, _ in heads(plotter)]
    assert positions == [0, 0, 0, plotter.note_spacing]
    flags = [text for text in plotter.notes if text.get_text() in ("\ue240", "\ue241")]
    assert len(flags) == 2


def test_a_note_of_several_symbols_is_tied(plotter: ScorePlotter) -> None:
    plotted = plotter.plot_note(0, 60, 71)
    assert plotted is not None
    texts, ties = plotted
    assert len(ties) == 1 == len(plotter.ties)
    assert len(heads(plotter)) == 2
    assert texts == plotter.notes


def test_a_note_that_comes_too_late_is_left_out_with_a_warning(plotter: ScorePlotter) -> None:
    plotter.plot_note(24, 24, 60)
    with pytest.warns(RuntimeWarning, match="sorted"):
        assert plotter.plot_note(0, 24, 60) is None
    assert len(heads(plotter)) == 1


def test_the_baseline_moves_the_staff(plotter: ScorePlotter) -> None:
    plotter.set_baseline(20)
    plotter.plot_note(0, 24, 64)
    plotter.plot_staffs(0, 10)
    ((_, y),) = heads(plotter)
    assert y == 20
    assert [line.get_ydata()[0] for line in plotter.staffs] == [20, 21, 22, 23, 24]
    assert plotter.top >= 25


# --- calls ----------------------------------------------------------------------------------------------------------


def test_show_chooses_by_the_kind() -> None:
    assert isinstance(song().show("score"), ScorePlotter)
    assert isinstance(muspy_core.show(song(), "Score"), ScorePlotter)
    for kind in ("piano-roll", "pianoroll", "piano roll"):
        assert isinstance(song().show(kind), type(song().show_pianoroll()))
    with pytest.raises(ValueError, match='"piano-roll" or "score", got \'video\''):
        song().show("video")


@pytest.mark.parametrize(("clef", "octave"), [("tenor", 0), ("treble", 3), ("alto", 1)])
def test_unknown_clefs_are_refused(clef: str, octave: int) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        muspy_core.show_score(song(), clef=clef, clef_octave=octave)


def test_a_font_that_is_not_there_is_named() -> None:
    with pytest.raises(RenderError, match=r"none\.otf: there is no such music font"):
        muspy_core.show_score(song(), font_path="none.otf")


def test_empty_music_is_an_empty_staff() -> None:
    plotter = Music().show_score()
    assert not plotter.notes
    assert len(plotter.staffs) == 5


def test_attributes_are_those_of_muspys_plotter(muspy: ModuleType, plotter: ScorePlotter) -> None:
    theirs = muspy.ScorePlotter(plotter.fig, plotter.ax, 24, font_path=plotter.font_path)
    public = {name for name in vars(theirs) if not name.startswith("_")}
    assert public <= set(vars(plotter))
