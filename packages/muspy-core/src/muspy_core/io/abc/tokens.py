"""The words of a line of ABC music: one regular expression, and what notes and lengths mean.

Lengths are counted in ticks, of which a whole note has `WHOLE`: a number with so many divisors that every usual length,
also inside tuplets of up to 13 notes, is an integer.
"""

from __future__ import annotations

import functools
import re

WHOLE = 2**12 * 3**3 * 5 * 7 * 11 * 13
QUARTER = WHOLE // 4
MAX_QUARTERS = 200_000  # length of a tune; beyond is an accident or an attack

LETTERS = "CDEFGAB"
LETTER_PITCHES = (0, 2, 4, 5, 7, 9, 11)

# Numbers are bounded, and no repeated group can match the same text in two ways: matching takes linear time.
LENGTH = r"\d{0,9}(?:/{1,9}\d{0,9})?"
NOTE = re.compile(rf"(?:\^\^?|__?|=)?[A-Ga-g][,']*{LENGTH}")
CHORD_NOTES = re.compile(rf"(?:{NOTE.pattern})+")
TOKEN = re.compile(
    rf"""
    (?P<note>{NOTE.pattern})
  | (?P<space>[\s`\\$*;]+)
  | (?P<ending>\[\s?\d{{1,4}}(?:[,.-]\d{{1,4}})*)
  | (?P<bar>\.?(?:\[\|\]?[|:\]]*|\|[|:\]]*(?:\[\|[|:\]]*)?|:+(?:\|[|:\]]*(?:\[\|[|:\]]*)?|(?<=::)))
         (?P<pass>\d{{1,4}}(?:[,.-]\d{{1,4}})*)?)
  | (?P<quoted>"[^"]*")
  | (?P<field>\[[A-Za-z]:[^\]\[]{{0,1000}}\])
  | (?P<chord>\[(?=[^\][|]{{1,200}}\]))
  | (?P<chord_end>\]{LENGTH})
  | (?P<broken><+|>+)
  | (?P<tuplet>\(\d{{1,2}}(?::\d{{0,2}}){{0,2}})
  | (?P<slur>\.?\((?!&))
  | (?P<slur_end>\))
  | (?P<tie>\.?-)
  | (?P<rest>[zx]{LENGTH})
  | (?P<measures>[ZX]\d{{0,4}})
  | (?P<grace>\{{/?)
  | (?P<grace_end>\}})
  | (?P<decoration>![^!|\s][^!|\s]{{0,40}}!|\+[A-Za-z0-9.()<>/^_=,']{{1,40}}\+)
  | (?P<shorthand>[.~H-Wh-w])
  | (?P<overlay>\(?&\)?)
  | (?P<spacer>y\d{{0,9}})
  | (?P<unknown>.)
    """,
    re.VERBOSE,
)

_NOTE = re.compile(rf"(\^\^?|__?|=|)([A-Ga-g])([,']*)({LENGTH})")
ALTERATIONS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0, "": None}


@functools.lru_cache(maxsize=8192)
def parse_note(text: str) -> tuple[int, int, int, int | None, int, int]:
    """Return (diatonic number, letter, natural pitch, alteration or None, numerator, denominator) of a note ("^c'3/2").

    The diatonic number counts letters: 7 × octave + letter, with C4 (middle C) at 28; the natural pitch is the MIDI
    note number without an alteration.
    """
    match = _NOTE.fullmatch(text)
    assert match is not None  # the token expression is the same
    accidental, letter, marks, length = match.groups()
    octave = (5 if letter.islower() else 4) + marks.count("'") - marks.count(",")
    place = LETTERS.index(letter.upper())
    natural = 12 * octave + 12 + LETTER_PITCHES[place]
    return 7 * octave + place, place, natural, ALTERATIONS[accidental], *parse_length(length)


@functools.lru_cache(maxsize=1024)
def parse_length(text: str) -> tuple[int, int]:
    """Return numerator and denominator (may be 0) of a length: "" → 1/1, "3/2", "/" → 1/2, "//" → 1/4."""
    numerator, slash, rest = text.partition("/")
    digits = rest.lstrip("/")
    if not slash:
        denominator = 1
    elif digits:
        denominator = int(digits)
    else:
        denominator = 2 ** (1 + len(rest))
    return int(numerator or 1), denominator


def parse_passes(text: str) -> frozenset[int]:
    """Return the passes of an ending ("1", "1,3", "1-3"); empty if there are absurdly many."""
    passes: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        if int(last or first) > 100:
            return frozenset()
        passes.update(range(int(first), int(last or first) + 1))
    return frozenset(passes)
