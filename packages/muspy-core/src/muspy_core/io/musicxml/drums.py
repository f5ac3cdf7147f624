"""Percussion keys → places on a staff: where the General MIDI drum kit is usually notated (used by the writer)."""

from __future__ import annotations

# MIDI key → (display step and octave, notehead), on a five-line staff read as a treble clef.
DRUM_NOTATION = {
    35: ("E4", "normal"),
    36: ("F4", "normal"),
    37: ("C5", "x"),
    38: ("C5", "normal"),
    39: ("C5", "triangle"),
    40: ("C5", "normal"),
    41: ("G4", "normal"),
    42: ("G5", "x"),
    43: ("A4", "normal"),
    44: ("D4", "x"),
    45: ("B4", "normal"),
    46: ("G5", "circle-x"),
    47: ("D5", "normal"),
    48: ("E5", "normal"),
    49: ("A5", "x"),
    50: ("F5", "normal"),
    51: ("F5", "x"),
    52: ("B5", "x"),
    53: ("F5", "diamond"),
    54: ("D5", "triangle"),
    55: ("B5", "x"),
    56: ("E5", "triangle"),
    57: ("A5", "x"),
    59: ("F5", "x"),
}
DEFAULT_DRUM = ("C5", "normal")

# Names of General MIDI percussion keys 35 to 81.
DRUM_NAMES = (
    "Acoustic Bass Drum",
    "Bass Drum 1",
    "Side Stick",
    "Acoustic Snare",
    "Hand Clap",
    "Electric Snare",
    "Low Floor Tom",
    "Closed Hi-Hat",
    "High Floor Tom",
    "Pedal Hi-Hat",
    "Low Tom",
    "Open Hi-Hat",
    "Low-Mid Tom",
    "Hi-Mid Tom",
    "Crash Cymbal 1",
    "High Tom",
    "Ride Cymbal 1",
    "Chinese Cymbal",
    "Ride Bell",
    "Tambourine",
    "Splash Cymbal",
    "Cowbell",
    "Crash Cymbal 2",
    "Vibraslap",
    "Ride Cymbal 2",
    "Hi Bongo",
    "Low Bongo",
    "Mute Hi Conga",
    "Open Hi Conga",
    "Low Conga",
    "High Timbale",
    "Low Timbale",
    "High Agogo",
    "Low Agogo",
    "Cabasa",
    "Maracas",
    "Short Whistle",
    "Long Whistle",
    "Short Guiro",
    "Long Guiro",
    "Claves",
    "Hi Wood Block",
    "Low Wood Block",
    "Mute Cuica",
    "Open Cuica",
    "Mute Triangle",
    "Open Triangle",
)
FIRST_DRUM = 35


def drum_name(key: int) -> str:
    """Return the General MIDI name of a percussion key."""
    index = key - FIRST_DRUM
    return DRUM_NAMES[index] if 0 <= index < len(DRUM_NAMES) else f"Key {key}"


def drum_place(key: int, spelling: str | None) -> tuple[str, str, str]:
    """Return (step, octave, notehead) of a key; `spelling` ("F5") is its place where the music states one."""
    place, notehead = DRUM_NOTATION.get(key, DEFAULT_DRUM)
    if spelling is not None and len(spelling) == 2 and spelling[0] in "ABCDEFG" and spelling[1].isdecimal():
        place = spelling
    return place[0], place[1], notehead
