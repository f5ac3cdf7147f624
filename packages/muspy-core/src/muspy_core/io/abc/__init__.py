"""ABC notation (.abc) ⇄ Music.

Reading: book (text → tunes) → tune (lines → fields and voices) → voice (tokens → rows) → repeats (playing order) →
timeline (time steps) → assembly (columns).
"""

from __future__ import annotations

from muspy_core.io.abc.book import split_tunes
from muspy_core.io.abc.reader import read_abc, read_abc_string

__all__ = ["read_abc", "read_abc_string", "split_tunes"]
