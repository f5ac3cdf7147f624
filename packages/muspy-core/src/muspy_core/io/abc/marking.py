"""What stands beside the notes of a voice: quoted strings, decorations, and signs that steer the playing order."""

from __future__ import annotations

from muspy_core.io.abc import marks
from muspy_core.io.abc.fields import plain_text
from muspy_core.io.abc.rows import Sign, VoiceRows


class MarkReader(VoiceRows):
    """Collects marks at the position reached; decorations wait for the next note.

    shorthands: decoration that each single character stands for (the U: field changes them).
    """

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.shorthands = dict(marks.SHORTHANDS)
        self._pending: list[str] = []
        self._open_wedges: dict[str, int] = {}

    def _read_quoted(self, text: str) -> None:
        """Read a chord symbol, or a text (with a sign for its place before it, or naming no chord)."""
        content = text[1:-1].strip()
        is_placed = content[:1] in tuple("^_<>@")
        symbol = None if is_placed else marks.parse_symbol(content)
        words = content[1:].strip() if is_placed else content
        if symbol is not None:
            self.symbols.append((self.position, symbol))
        elif words:
            self.texts.append((self.position, plain_text(words), "words"))

    def _read_shorthand(self, text: str) -> None:
        name = self.shorthands.get(text)
        if name is not None:
            self._decorate(name)

    def _decorate(self, name: str) -> None:
        if name in marks.DYNAMICS:
            self.dynamics.append((self.position, name, -1))
        elif name in marks.WEDGES:
            wedge, opens = marks.WEDGES[name]
            if opens:
                self._open_wedges[wedge] = self.position
            elif wedge in self._open_wedges:
                self.dynamics.append((self._open_wedges.pop(wedge), wedge, self.position))
        elif name.lower() in marks.SIGNS:
            self._add_sign(marks.SIGNS[name.lower()])
        elif name in marks.ARTICULATIONS or name in marks.ORNAMENTS:
            self._pending.append(name)

    def _attach(self, row: int) -> None:
        """Give the decorations read so far to a note."""
        articulations = [marks.ARTICULATIONS[name] for name in self._pending if name in marks.ARTICULATIONS]
        ornaments = [marks.ORNAMENTS[name] for name in self._pending if name in marks.ORNAMENTS]
        if articulations:
            self.articulations[row] = articulations
        if ornaments:
            self.ornaments[row] = ornaments
        self._pending = []

    def _add_sign(self, kind: str, passes: frozenset[int] = frozenset()) -> None:
        self.signs.append(Sign(self.position, kind, passes))
