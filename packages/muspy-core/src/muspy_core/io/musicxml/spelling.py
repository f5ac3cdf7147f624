"""Note names, keys and transposition, for reading and for writing MusicXML.

A spelling is a letter and accidentals ("C", "Bb", "F##"). A diatonic number counts letters: 7 × octave + letter, C = 0.
"""

from __future__ import annotations

LETTERS = "CDEFGAB"
LETTER_PITCHES = (0, 2, 4, 5, 7, 9, 11)

# Distance of each mode's tonic from the tonic of the major key with the same signature, in fifths.
MODE_FIFTHS = {
    "major": 0,
    "ionian": 0,
    "minor": 3,
    "aeolian": 3,
    "dorian": 2,
    "phrygian": 4,
    "lydian": -1,
    "mixolydian": 1,
    "locrian": 5,
}

# Letters that an interval of 0 … 11 semitones spans, where a file does not say.
USUAL_LETTERS = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)


def natural_pitch(diatonic: int) -> int:
    """Return the MIDI note number of a diatonic number without accidental (middle C: 28 → 60)."""
    octave, letter = divmod(diatonic, 7)
    return 12 * (octave + 1) + LETTER_PITCHES[letter]


def spell(diatonic: int, pitch: int) -> str:
    """Return the spelling of a MIDI pitch on a given letter: (28, 61) → "C#"."""
    return LETTERS[diatonic % 7] + accidentals(pitch - natural_pitch(diatonic))


def accidentals(alter: int) -> str:
    """Return sharps or flats: 2 → "##", −1 → "b"."""
    return "#" * alter if alter > 0 else "b" * -alter


def parse_spelling(text: str | None) -> tuple[int, int] | None:
    """Return (letter, alteration) of a spelling, with or without an octave number; None if it is none."""
    if not text or text[0].upper() not in LETTERS:
        return None
    alter = 0
    for sign in text[1:].rstrip("-0123456789"):
        if sign in "#♯":
            alter += 1
        elif sign == "x":
            alter += 2
        elif sign in "b♭":
            alter -= 1
        else:
            return None
    return LETTERS.index(text[0].upper()), alter


def place(pitch: int, spelling: str | None) -> int | None:
    """Return the diatonic number on which a spelling notates a pitch, None if it does not name that pitch."""
    parsed = parse_spelling(spelling)
    if parsed is None:
        return None
    letter, alter = parsed
    octave, remainder = divmod(pitch - alter - LETTER_PITCHES[letter], 12)
    return None if remainder else 7 * (octave - 1) + letter


def spell_in_key(pitch: int, fifths: int) -> int:
    """Return the diatonic number for a pitch in a key: diatonic notes as the signature has them, else the usual raised
    or lowered degrees (places −3 … +8 on the line of fifths from the major tonic: C major has C♯, E♭, F♯, G♯, B♭)."""
    position = (7 * pitch) % 12  # on the line of fifths, C = 0
    position += 12 * ((fifths + 8 - position) // 12)
    letter = (4 * position) % 7
    alter = (position + 1) // 7
    octave = (pitch - alter - LETTER_PITCHES[letter]) // 12 - 1
    return 7 * octave + letter


def usual_diatonic(chromatic: int) -> int:
    """Return how many letters a transposition by semitones usually moves (−2 → −1, −9 → −5)."""
    octaves, rest = divmod(abs(chromatic), 12)
    letters = 7 * octaves + USUAL_LETTERS[rest]
    return letters if chromatic >= 0 else -letters


def fifths_of_interval(diatonic: int, chromatic: int) -> int:
    """Return how far an interval moves a key on the line of fifths (−1 letter, −2 semitones → −2)."""
    return 7 * chromatic - 12 * diatonic


def shift_spelling(spelling: str, diatonic: int, chromatic: int) -> str:
    """Return a spelling moved by an interval ("D", −1, −2 → "C"); what cannot be parsed is returned as it is."""
    parsed = parse_spelling(spelling)
    if parsed is None or (diatonic == 0 and chromatic == 0):
        return spelling
    letter, alter = parsed
    pitch = natural_pitch(letter + 28) + alter
    return spell(letter + 28 + diatonic, pitch + chromatic)


def key_root(fifths: int, mode: str | None) -> tuple[int, str] | None:
    """Return (pitch class, name) of the tonic of a key, None for an unknown mode."""
    if mode not in MODE_FIFTHS:
        return None
    position = fifths + MODE_FIFTHS[mode]
    letter = (4 * position) % 7
    return (7 * position) % 12, LETTERS[letter] + accidentals((position + 1) // 7)
