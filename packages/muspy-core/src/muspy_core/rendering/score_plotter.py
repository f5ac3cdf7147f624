"""Music → notes on one staff, plotted with matplotlib: MusPy's `show_score` and `ScorePlotter`.

For melodies, to be looked at and changed object by object; `engrave` sets whole scores. One unit of the axes is a
staff space, the lowest line of the staff is at the baseline, and a cursor moves to the right as objects are plotted.
"""

from __future__ import annotations

import importlib
import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.base import Base
from muspy_core.errors import RenderError
from muspy_core.events import Barline, KeySignature, Note, Tempo, TimeSignature
from muspy_core.io.musicxml.attributes_writer import fifths_of_key
from muspy_core.io.musicxml.spelling import natural_pitch, place, spell_in_key
from muspy_core.music import Music
from muspy_core.rendering.pianoroll import _pyplot
from muspy_core.rendering.score_glyphs import (
    ACCIDENTALS,
    CLEFS,
    DOT,
    METRONOME_QUARTER,
    Symbol,
    music_font,
    number_text,
    signature_alterations,
    signature_places,
    symbols_of,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Arc
    from matplotlib.text import Text

# Sizes in staff spaces.
_HEAD_WIDTH, _STEM_LENGTH, _STEM_INSET = 1.18, 3.5, 0.168
_STAFF_LINE, _LEDGER_LINE, _STEM, _THIN_BAR, _THICK_BAR, _TIE = 0.13, 0.16, 0.12, 0.16, 0.5, 0.14
_ACCIDENTAL_WIDTH = 1.2
_MIDDLE_LINE, _TOP_LINE = 2, 4
# At 144, a character of a font of SMuFL is as large as the staff: four spaces are one em.
_FONT_SCALE = 144.0


class ScorePlotter:
    """Plots a staff of music, object after object.

    Args:
        fig, ax: matplotlib figure and axes to plot on.
        resolution: Time steps per quarter note.
        note_spacing: Distance of two notes in staff spaces, 4 by default.
        font_path: A music font in the layout of SMuFL; Bravura by default.
        font_scale: Size of the characters; at 144, the default, they fit the staff.

    What was plotted is in the lists staffs, bar_lines, clefs, tempo_texts, tempo_notes, key_signatures,
    time_signatures, notes (heads, signs, flags and dots), stems, ledger_lines and ties, to be changed at will; left,
    right, bottom and top are its bounds. Raises RenderError if there is no music font.
    """

    def __init__(
        self,
        fig: Figure,
        ax: Axes,
        resolution: int,
        note_spacing: int | None = None,
        font_path: str | os.PathLike[str] | None = None,
        font_scale: float | None = None,
    ) -> None:
        self.fig = fig
        self.ax = ax
        self.resolution = resolution
        self.note_spacing = 4 if note_spacing is None else note_spacing
        self.font_path = music_font() if font_path is None else Path(font_path)
        self.font_scale = _FONT_SCALE if font_scale is None else font_scale
        if not self.font_path.is_file():
            raise RenderError(f"{self.font_path}: there is no such music font; leave `font_path` out for Bravura")
        self.ax.set_aspect("equal")
        self.ax.axis(False)
        self.left = self.right = self.bottom = self.top = 0.0
        self.staffs: list[Line2D] = []
        self.bar_lines: list[Line2D] = []
        self.final_bar_line: list[Artist] | None = None
        self.clefs: list[Text] = []
        self.tempo_texts: list[Text] = []
        self.tempo_notes: list[Text] = []
        self.key_signatures: list[Text] = []
        self.time_signatures: list[Text] = []
        self.notes: list[Text] = []
        self.stems: list[Line2D] = []
        self.ledger_lines: list[Line2D] = []
        self.ties: list[Arc] = []
        self._widths: list[tuple[Any, float]] = []
        self._baseline = 0.0
        self._position = 0.0
        self._clef, self._lowest_line = "treble", CLEFS["treble"][0]
        self._fifths = 0
        self._alterations: dict[int, int] = {}
        self._chord: _Chord | None = None
        self._last_time = 0

    # --- the frame -------------------------------------------------------------------------------------------------

    def set_baseline(self, y: float) -> None:
        """Set the height of the lowest line of the staff; what follows is plotted there."""
        self._baseline = y
        self.update_boundaries(bottom=y, top=y + _TOP_LINE)
        self._chord = None

    def update_boundaries(
        self,
        left: float | None = None,
        right: float | None = None,
        bottom: float | None = None,
        top: float | None = None,
    ) -> None:
        """Widen the bounds of the plot so that they include the given ones."""
        self.left = self.left if left is None else min(self.left, left)
        self.right = self.right if right is None else max(self.right, right)
        self.bottom = self.bottom if bottom is None else min(self.bottom, bottom)
        self.top = self.top if top is None else max(self.top, top)

    def adjust_fonts(self, scale: float | None = None) -> None:
        """Fit the axes to the bounds, and characters and lines to the staff; scale: see `font_scale`.

        To be called last, and again after the figure has changed its size.
        """
        scale = self.font_scale if scale is None else scale
        properties = importlib.import_module("matplotlib.font_manager").FontProperties
        self.ax.set_xlim(self.left, self.right)
        self.ax.set_ylim(self.bottom, self.top)
        inches_a_space = self.fig.get_figheight() * self.ax.get_position().height / (self.top - self.bottom)
        for text in self.tempo_texts:
            text.set_fontsize(inches_a_space * scale)
            text.set_fontfamily("serif")
        for texts, size in (
            (self.tempo_notes, inches_a_space * scale),
            (self.clefs + self.key_signatures + self.time_signatures + self.notes, inches_a_space * scale * 2),
        ):
            font = properties(fname=os.fspath(self.font_path), size=size)
            for text in texts:
                text.set_fontproperties(font)
        for artist, width in self._widths:
            artist.set_linewidth(width * inches_a_space * 72)

    def plot_staffs(self, start: float | None = None, end: float | None = None) -> list[Line2D]:
        """Plot the five lines of the staff from `start` (0) to `end` (the cursor)."""
        start = 0.0 if start is None else start
        end = self._position if end is None else end
        lines = [self._line((start, end), (y, y), _STAFF_LINE) for y in range(_TOP_LINE + 1)]
        self.staffs += lines
        self.update_boundaries(start - 1, end + 1, self._baseline - 1, self._baseline + _TOP_LINE + 1)
        return lines

    def plot_bar_line(self) -> Line2D:
        """Plot a bar line; after it, accidentals count anew."""
        self._finish_chord()
        line = self._line((self._position, self._position), (0, _TOP_LINE), _THIN_BAR)
        self.bar_lines.append(line)
        self.update_boundaries(self._position - 1, self._position + 1)
        self._position += 1
        self._alterations = {}
        return line

    def plot_final_bar_line(self) -> list[Artist]:
        """Plot the thin and the thick line at the end."""
        patches = importlib.import_module("matplotlib.patches")
        self._finish_chord()
        thin = self._line((self._position, self._position), (0, _TOP_LINE), _THIN_BAR)
        corner = (self._position + 0.5, self._baseline)
        thick = self.ax.add_patch(patches.Rectangle(corner, _THICK_BAR, _TOP_LINE, facecolor="k", edgecolor="none"))
        self.update_boundaries(self._position - 1, self._position + 2)
        self._position += 0.5 + _THICK_BAR
        self.final_bar_line = [thin, thick]
        return self.final_bar_line

    # --- signs -----------------------------------------------------------------------------------------------------

    def plot_clef(self, kind: str = "treble", octave: int = 0) -> Text:
        """Plot a clef and read the notes after it in it.

        kind: "treble", "alto" or "bass". octave: −2 … 2, for an alto clef −1 or 0. Raises ValueError for others.
        """
        kind = kind.lower()
        if kind not in CLEFS:
            raise ValueError(f"`kind` must be one of {', '.join(CLEFS)}, got {kind!r}")
        lowest, line, characters = CLEFS[kind]
        if octave not in characters:
            raise ValueError(f"`octave` of the {kind} clef must be one of {sorted(characters)}, got {octave!r}")
        self._finish_chord()
        self._clef, self._lowest_line = kind, lowest + 7 * octave
        text = self._text(self._position, line, characters[octave])
        self.clefs.append(text)
        self.update_boundaries(self._position - 1, self._position + 4, self._baseline - 3, self._baseline + 7)
        self._position += 4
        return text

    def plot_tempo(self, qpm: float) -> list[Artist]:
        """Plot a metronome mark above the staff, in quarter notes per minute."""
        self._finish_chord()
        note = self._text(self._position, 7, METRONOME_QUARTER, ha="right")
        text = self._text(self._position, 7, f" = {qpm:.4g}")
        self.tempo_notes.append(note)
        self.tempo_texts.append(text)
        self.update_boundaries(self._position - 2, self._position + 6, top=self._baseline + 10)
        return [note, text]

    def plot_key_signature(self, root: int | None, mode: str | None, fifths: int | None = None) -> list[Text]:
        """Plot a key signature and spell the notes after it in its key.

        root: pitch class of the tonic. mode: "major", "minor" or a church mode. fifths: sharps (+) or flats (−), where
        they are known. A key that cannot be told is none, as C major.
        """
        self._finish_chord()
        found = fifths_of_key(KeySignature(0, root=root, mode=mode, fifths=fifths))
        self._fifths = max(min(found or 0, 7), -7)
        self._alterations = {}
        texts = []
        for diatonic in signature_places(self._fifths, self._clef):
            y = (diatonic - CLEFS[self._clef][0]) / 2
            texts.append(self._text(self._position, y, ACCIDENTALS[1 if self._fifths > 0 else -1]))
            self._position += 1
        if texts:
            self._position += 1
            self.update_boundaries(right=self._position + 1)
        self.key_signatures += texts
        return texts

    def plot_time_signature(self, numerator: int, denominator: int) -> list[Text]:
        """Plot a time signature."""
        self._finish_chord()
        places = ((3, numerator), (1, denominator))
        texts = [self._text(self._position + 1, y, number_text(number), ha="center") for y, number in places]
        self.time_signatures += texts
        self.update_boundaries(self._position - 1, self._position + 5, self._baseline - 2, self._baseline + 6)
        self._position += 4
        return texts

    # --- notes -----------------------------------------------------------------------------------------------------

    def plot_note(
        self, time: int, duration: int, pitch: int, pitch_str: str | None = None
    ) -> tuple[list[Text], list[Arc]] | None:
        """Plot a note: its heads, stems, flags, dots, accidental and ledger lines, tied where it takes several.

        time, duration: time steps; a note at the time of the last one belongs to its chord. pitch: MIDI note number.
        pitch_str: its spelling, where the key does not say it. Returns texts and ties, or None with a warning for a
        note that is earlier than the last.
        """
        if time < self._last_time:
            warnings.warn("Note times must be sorted. Skipped unsorted one.", RuntimeWarning, stacklevel=2)
            return None
        chord = self._chord
        if chord is None or time > self._last_time:
            self._finish_chord()
            chord = self._chord = _Chord(self._position)
        self._last_time = time
        written = place(pitch, pitch_str)
        diatonic = spell_in_key(pitch, self._fifths) if written is None else written
        y = (diatonic - self._lowest_line) / 2
        if chord.up is None:
            chord.up = y < _MIDDLE_LINE
        symbols = symbols_of(duration, self.resolution) or [Symbol(-2)]
        texts = self._accidental(chord.position, y, diatonic, pitch)
        ties = []
        for index, symbol in enumerate(symbols):
            x = chord.position + index * self.note_spacing
            texts += self._symbol(chord, index, x, y, symbol)
            self._ledgers(x, y)
            if index:
                ties.append(self._tie(x, y, chord.up))
        chord.width = max(chord.width, len(symbols))
        self.notes += texts
        self.ties += ties
        self.update_boundaries(
            chord.position - 2,
            chord.position + len(symbols) * self.note_spacing,
            self._baseline + y - _STEM_LENGTH - 1,
            self._baseline + y + _STEM_LENGTH + 1,
        )
        return texts, ties

    def plot_object(self, obj: Base) -> None:
        """Plot a note, tempo, key signature, time signature or bar line; others are passed over."""
        if isinstance(obj, Note):
            self.plot_note(obj.time, obj.duration, obj.pitch, obj.pitch_str)
        elif isinstance(obj, Tempo):
            self.plot_tempo(obj.qpm)
        elif isinstance(obj, TimeSignature):
            self.plot_time_signature(obj.numerator, obj.denominator)
        elif isinstance(obj, KeySignature):
            self.plot_key_signature(obj.root, obj.mode, obj.fifths)
        elif isinstance(obj, Barline):
            self.plot_bar_line()

    def _finish_chord(self) -> None:
        """Move the cursor behind the notes that were plotted last."""
        if self._chord is not None:
            self._position = self._chord.position + self._chord.width * self.note_spacing
            self._chord = None

    def _accidental(self, x: float, y: float, diatonic: int, pitch: int) -> list[Text]:
        """The sign in front of a note, if the key and the bar so far do not say it."""
        alteration = pitch - natural_pitch(diatonic)
        expected = self._alterations.get(diatonic, signature_alterations(self._fifths).get(diatonic % 7, 0))
        self._alterations[diatonic] = alteration
        if alteration == expected or alteration not in ACCIDENTALS:
            return []
        return [self._text(x - _ACCIDENTAL_WIDTH, y, ACCIDENTALS[alteration])]

    def _symbol(self, chord: _Chord, index: int, x: float, y: float, symbol: Symbol) -> list[Text]:
        texts = [self._text(x, y, symbol.head)]
        # A dot beside a note on a line stands in the space above.
        height = y + 0.5 if y == int(y) else y
        texts += [self._text(x + _HEAD_WIDTH + 0.5 + 0.6 * dot, height, DOT) for dot in range(symbol.dots)]
        if symbol.tuplet and not chord.width:
            above = max(_TOP_LINE + 2.5, y + (_STEM_LENGTH + 1 if chord.up else 1.5))
            texts.append(self._text(x, above, number_text(symbol.tuplet, tuplet=True)))
        if symbol.has_stem:
            texts += self._stem(chord, index, x, y, symbol)
        return texts

    def _stem(self, chord: _Chord, index: int, x: float, y: float, symbol: Symbol) -> list[Text]:
        side = x + _HEAD_WIDTH - _STEM / 2 if chord.up else x + _STEM / 2
        start, end = (y + _STEM_INSET, y + _STEM_LENGTH) if chord.up else (y - _STEM_INSET, y - _STEM_LENGTH)
        self.stems.append(self._line((side, side), (start, end), _STEM))
        flag = symbol.flag(bool(chord.up))
        if flag is None:
            return []
        known = chord.flags.get((index, flag))
        if known is None:
            text = chord.flags[index, flag] = self._text(side - _STEM / 2, end, flag)
            return [text]
        # The notes of a chord share one flag, at the far end of their stem.
        farthest = max if chord.up else min
        known.set_y(farthest(known.get_position()[1], self._baseline + end))
        return []

    def _ledgers(self, x: float, y: float) -> None:
        for line in [*range(-1, math.ceil(y) - 1, -1), *range(_TOP_LINE + 1, math.floor(y) + 1)]:
            self.ledger_lines.append(self._line((x - 0.4, x + _HEAD_WIDTH + 0.4), (line, line), _LEDGER_LINE))

    def _tie(self, x: float, y: float, up: bool) -> Arc:
        """An arc from the symbol before to the one at x, on the side where there are no stems."""
        patches = importlib.import_module("matplotlib.patches")
        start, end = x - self.note_spacing + _HEAD_WIDTH, x
        center = ((start + end) / 2, self._baseline + y + (-0.5 if up else 0.5))
        angles = (180, 360) if up else (0, 180)
        arc = patches.Arc(center, end - start, 1.4, theta1=angles[0], theta2=angles[1])
        self._widths.append((arc, _TIE))
        self.ax.add_patch(arc)
        tie: Arc = arc
        return tie

    def _text(self, x: float, y: float, text: str, **options: Any) -> Text:
        return self.ax.text(x, self._baseline + y, text, **options)

    def _line(self, xs: tuple[float, float], ys: tuple[float, float], width: float) -> Line2D:
        line_2d = importlib.import_module("matplotlib.lines").Line2D
        line: Line2D = line_2d(xs, [self._baseline + y for y in ys], color="k", solid_capstyle="butt")
        self.ax.add_line(line)
        self._widths.append((line, width))
        return line


class _Chord:
    """The notes at one time: where they stand, how many symbols wide they are, where their stems point."""

    def __init__(self, position: float) -> None:
        self.position = position
        self.width = 0
        self.up: bool | None = None
        self.flags: dict[tuple[int, str], Text] = {}


def show_score(
    music: Music,
    figsize: tuple[float, float] | None = None,
    clef: str = "treble",
    clef_octave: int = 0,
    note_spacing: int | None = None,
    font_path: str | os.PathLike[str] | None = None,
    font_scale: float | None = None,
) -> ScorePlotter:
    """Plot music on one staff with matplotlib; `engrave` sets whole scores.

    Args:
        music: The music; the notes of all tracks go on the staff.
        figsize: Width and height in inches; by default those of matplotlib's settings.
        clef: "treble", "alto" or "bass".
        clef_octave: Octave of the clef, −2 … 2.
        note_spacing, font_path, font_scale: See `ScorePlotter`.

    Returns the plotter; `plotter.fig.savefig("score.png")` saves the figure. Raises RenderError without a music font,
    ValueError for an unknown clef.
    """
    fig = _pyplot().figure(figsize=figsize)
    plotter = ScorePlotter(fig, fig.add_axes((0, 0, 1, 1)), music.resolution, note_spacing, font_path, font_scale)
    plotter.plot_bar_line()
    plotter.plot_clef(clef, clef_octave)
    for obj in _in_order(music):
        plotter.plot_object(obj)
    plotter.plot_final_bar_line()
    plotter.plot_staffs()
    plotter.adjust_fonts()
    return plotter


def _in_order(music: Music) -> list[Base]:
    """The objects to plot, by time: bar line, key, time signature, tempo, then the notes from the highest."""
    notes = [note for track in music.tracks for note in track.notes.peek()]
    notes.sort(key=lambda note: (note.time, -note.pitch, note.duration))
    marks: list[Any] = [barline for barline in music.barlines.peek() if barline.time > 0]
    marks += [*music.key_signatures.peek(), *music.time_signatures.peek(), *music.tempos.peek()]
    # The sort is stable: at one time the marks come before the notes, and in the order above.
    return sorted([*marks, *notes], key=lambda obj: obj.time)
