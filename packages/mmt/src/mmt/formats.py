"""What generation has to know of an encoding: music ↔ rows ↔ codes, by the name in a model's configuration.

`mmt` is the paper's (`encoding`), `extended` whole music (`extended`). Rows of both begin with the columns of note
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from muspy_core import Music
from numpy.typing import NDArray

from mmt import encoding, extended
from mmt.encoding import Codes
from mmt.instruments import CODE_OF_PROGRAM, codes_of_names
from mmt.model import MMT
from mmt.notes import PROGRAM, EncodingError, NoteRows, checked_rows, music_of, notes_of


@dataclass(frozen=True)
class Format:
    """An encoding as generation uses it.

    rows_of, music_of: music to rows (n, columns) and back. encode, decode: rows to codes (L, F) and back. header: what
    stands before the first note of a song with these instrument codes. codes_of: instrument codes of names. of_program:
    (programs,) instrument codes, 0 where there is none. checked: rows, after a look at their shape and values.
    """

    rows_of: Callable[[Music], NoteRows]
    music_of: Callable[[NoteRows], Music]
    encode: Callable[[NoteRows], Codes]
    decode: Callable[[Codes], NoteRows]
    header: Callable[[NDArray[np.integer] | list[int]], Codes]
    codes_of: Callable[[Iterable[str]], list[int]]
    of_program: NDArray[np.int64]
    checked: Callable[[NoteRows], NoteRows]

    @property
    def fields(self) -> int:
        """Number of fields of an event."""
        return int(self.header([]).shape[1])

    def prompt(self, names: Iterable[str] | None) -> Codes:
        """Return the prompt of a song for these instruments, or of one about which nothing is said (None).

        Raises InstrumentError for an unknown name, EncodingError for none.
        """
        if names is None:
            return np.zeros((1, self.fields), np.int64)
        codes = self.codes_of(names)
        if not codes:
            raise EncodingError("no instrument is named")
        return self.header(codes)

    def players_of(self, rows: NoteRows) -> tuple[int, ...]:
        """Return the codes of the instruments that play, ascending; rows: (n, columns)."""
        codes = np.unique(self.of_program[rows[:, PROGRAM]])
        return tuple(codes[codes > 0].tolist())


NOTES = Format(
    notes_of,
    music_of,
    encoding.encode,
    encoding.decode,
    encoding.header_codes,
    codes_of_names,
    CODE_OF_PROGRAM,
    checked_rows,
)
WHOLE = Format(
    extended.rows_of,
    extended.music_of,
    extended.encode,
    extended.decode,
    extended.header_codes,
    extended.codes_of_names,
    extended.CODE_OF_PROGRAM,
    extended.checked_rows,
)


def format_of(model: MMT) -> Format:
    """Return the format of a model that writes songs."""
    return WHOLE if model.config.encoding == "extended" else NOTES


def format_of_codes(codes: Codes) -> Format:
    """Return the format of codes, (L, F), by the number of their fields."""
    return WHOLE if codes.shape[1] == len(extended.FIELDS) else NOTES
