"""ABC notation (.abc) ⇄ Music.

Reading: book (text → tunes) → tune (lines → fields and voices) → voice (tokens → rows) → repeats (playing order) →
timeline (time steps) → assembly (columns). Writing: measures (borders, signatures) → layers (notes → symbols) → staves
(symbols → text) → compaction (repeats) → writer (lines).
"""

from __future__ import annotations

from muspy_core.io.abc.book import split_tunes
from muspy_core.io.abc.reader import read_abc, read_abc_string
from muspy_core.io.abc.writer import abc_string, write_abc

__all__ = ["abc_string", "read_abc", "read_abc_string", "split_tunes", "write_abc"]
