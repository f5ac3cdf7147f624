"""What data sets are made of: length, initial tempo and key of their songs (chapter 2.4), and chords of a piece.

In reading order: keys → chords → songs (facts about each song) → summary (statistics of a data set) → figures, pages →
__main__, which renders Figs. 2.5–2.7.
"""

from muspy_core.analysis.chords import Chords, estimate_chords
from muspy_core.analysis.keys import Key, declared_key, estimate_key, estimate_keys, pitch_class_durations
from muspy_core.analysis.songs import Songs, initial_tempo, measure_songs
from muspy_core.analysis.summary import Statistics, summarise

__all__ = [
    "Chords",
    "Key",
    "Songs",
    "Statistics",
    "declared_key",
    "estimate_chords",
    "estimate_key",
    "estimate_keys",
    "initial_tempo",
    "measure_songs",
    "pitch_class_durations",
    "summarise",
]
