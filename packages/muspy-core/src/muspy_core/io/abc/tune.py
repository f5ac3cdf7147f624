"""One tune: lines → header fields and voices (second stage of reading ABC)."""

from __future__ import annotations

import logging
import re

from muspy_core.errors import ABCError
from muspy_core.io.abc import fields
from muspy_core.io.abc.book import Tune
from muspy_core.io.abc.fields import Key, Meter, Staff, plain_text
from muspy_core.io.abc.lyrics import align
from muspy_core.io.abc.tokens import TOKEN
from muspy_core.io.abc.voice import VoiceReader

logger = logging.getLogger(__name__)

MAX_VOICES = 200
C_MAJOR = Key((0,) * 7, 0, None, None)

_FIELD = re.compile(r"([A-Za-z+]):(.*)", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%")
# What mail programs left in old books: "=3D" for "=", "=20" for a space at the end of a line, and "=" where they broke
# a line. None of these can be a natural, which stands before the letter of a note.
_MAILED = re.compile(r"=(?:(3D)|20(?=\s*$)|(?=\s*$))")
# Letters of notes, rests and marks: before a bar line they are music ("G:|"), not a field.
_MUSIC_LETTERS = "ABCDEFGabcdefgzxXZ"


class TuneReader:
    """Reads the lines of a tune.

    texts: values of the text fields (T, C, N, …) by letter. voices: by identifier, in order of appearance. parts:
    (position, name) of the parts marked in the body. part_order: the P: field of the header.
    """

    def __init__(self, tune: Tune) -> None:
        self._tune = tune
        self.number = tune.number
        self.texts: dict[str, list[str]] = {}
        self.voices: dict[str, VoiceReader] = {}
        self.parts: list[tuple[int, str]] = []
        self.part_order = ""
        self.copyright: str | None = None
        self.line = tune.line

        self._meter: Meter | None = None
        self._unit: int | None = None
        self._has_bad_unit = False
        self._key = C_MAJOR
        self._staff = Staff()
        self._tempo: str | None = None
        self._program: int | None = None
        self._midi_shift = 0
        self._propagation = "pitch"
        self._shorthands: dict[str, str] = {}
        self._has_key = False
        self._is_keyless = not any(line.startswith("K:") for line in tune.lines)
        self._in_body = False
        self._voice: VoiceReader | None = None
        self._continues = False
        self._last_field = ""

    def read(self, file_header: list[str]) -> None:
        """Read the fields of the book, then the lines of the tune; `line` tells how far it got.

        Raises ABCError for content that makes no sense.
        """
        for line in file_header:
            self._read_line(line)
        for offset, line in enumerate(self._tune.lines):
            self.line = self._tune.line + offset
            self._read_line(line)
        for voice in self.voices.values():
            voice.end_line()
        self._add_header_tempo()

    # --- lines -------------------------------------------------------------------------------------------------------

    def _read_line(self, line: str) -> None:
        if line.startswith("%%"):
            self._read_directive(line[2:])
            return
        if "%" in line:
            line = _COMMENT.split(line, maxsplit=1)[0]
        field = _FIELD.match(line)
        may_be_music = self._has_key or self._is_keyless
        if field is not None and not (may_be_music and line[0] in _MUSIC_LETTERS and line[2:3] in tuple("|:")):
            letter, value = field.group(1), field.group(2).strip()
            if letter == "+":
                self._continue_field(value)
            else:
                self._last_field = letter
                self._read_field(letter, value)
        elif line.strip() and (self._has_key or (self._is_keyless and "|" in line)):
            self._read_music(line)

    def _read_music(self, line: str) -> None:
        voice = self._current_voice()
        if not self._continues:
            voice.start_line()
        self._continues = line.rstrip().endswith("\\")
        if "=" in line:
            line = _MAILED.sub(lambda match: "=" if match.group(1) else "", line)
        tokens = TOKEN.finditer(line)
        field = voice.read(tokens)
        while field is not None:
            self._read_field(field[1], field[3:-1].strip())
            voice = self._current_voice()
            field = voice.read(tokens)
        voice.end_line()

    def _current_voice(self) -> VoiceReader:
        """Return the voice that music goes to, and make it if it is the first."""
        self._in_body = True
        if self._voice is None:
            self._voice = next(iter(self.voices.values()), None) or self._add_voice("1")
        return self._voice

    def _add_voice(self, identifier: str) -> VoiceReader:
        if len(self.voices) >= MAX_VOICES:
            raise ABCError(f"has more than {MAX_VOICES} voices")
        unit = self._unit or fields.default_unit(self._meter)
        voice = self.voices[identifier] = VoiceReader(identifier, self._key, self._meter, unit)
        voice.propagation = self._propagation
        voice.shorthands |= self._shorthands
        voice.program = self._program
        voice.midi_shift = self._midi_shift
        voice.set_staff(self._staff)
        if self._has_key:
            voice.set_key(self._key)
        voice.set_meter(self._meter)
        return voice

    # --- fields ------------------------------------------------------------------------------------------------------

    def _read_field(self, letter: str, value: str) -> None:
        if letter == "K":
            self._read_key(value)
        elif letter == "V":
            self._read_voice(value)
        elif letter == "M":
            self._read_meter(value)
        elif letter == "L":
            self._read_unit(value)
        elif letter == "Q":
            self._read_tempo(value)
        elif letter == "P":
            self._read_part(value)
        elif letter == "w":
            self._read_lyrics(value)
        elif letter == "I":
            self._read_directive(value)
        elif letter == "U":
            self._read_shorthand(value)
        elif letter in "ABCDFGHNORSTWZ":
            self.texts.setdefault(letter, []).append(plain_text(value))

    def _continue_field(self, value: str) -> None:
        """Append a `+:` line to the text field before it."""
        if self._last_field == "w":
            self._read_lyrics(value, continues=True)
        elif self.texts.get(self._last_field):
            texts = self.texts[self._last_field]
            texts[-1] = f"{texts[-1]} {plain_text(value)}"

    def _read_key(self, value: str) -> None:
        key, staff = fields.parse_key(value)
        if not self._in_body:
            self._key = key or self._key
            self._staff = staff
            self._has_key = True
            for voice in self.voices.values():
                unit = self._unit or fields.default_unit(self._meter)
                voice.unit = unit
                voice.set_key(self._key)
                voice.set_staff(voice.staff.over(staff))
        else:
            voice = self._current_voice()
            if key is not None:
                voice.set_key(key)
            voice.set_staff(staff)

    def _read_voice(self, value: str) -> None:
        words = fields.split_words(value)
        identifier = words[0].strip('"')[:100]
        if not identifier:
            return
        voice = self.voices.get(identifier) or self._add_voice(identifier)
        attributes = re.sub(r"\s*=\s*", "=", value)
        voice.set_staff(fields.parse_staff(fields.split_words(attributes)[1:]))
        if self._has_key:
            self._in_body = True
            self._voice = voice
            self._continues = False

    def _read_meter(self, value: str) -> None:
        meter = fields.parse_meter(value)
        if self._in_body:
            self._current_voice().set_meter(meter)
            return
        self._meter = meter
        for voice in self.voices.values():
            voice.set_meter(meter)

    def _read_unit(self, value: str) -> None:
        unit = fields.parse_unit(value)
        if unit is None:
            if not self._has_bad_unit:
                logger.warning("line %d: unit note length %r is unreadable and ignored", self.line, value[:40])
            self._has_bad_unit = True
        elif self._in_body:
            self._current_voice().unit = unit
        else:
            self._unit = unit

    def _read_tempo(self, value: str) -> None:
        if not self._in_body:
            self._tempo = value
            return
        self._add_tempo(self._current_voice(), value)

    def _add_header_tempo(self) -> None:
        """Give the tempo of the header to the first voice; its unit may depend on fields after it."""
        if self._tempo is not None and self.voices:
            voice = next(iter(self.voices.values()))
            position, voice.position = voice.position, 0
            self._add_tempo(voice, self._tempo, self._unit or fields.default_unit(self._meter))
            voice.position = position

    def _add_tempo(self, voice: VoiceReader, value: str, unit: int | None = None) -> None:
        qpm, words = fields.parse_tempo(value, unit or voice.unit)
        if qpm is not None:
            voice.tempos.append((voice.position, qpm, words))
        elif words:
            voice.texts.append((voice.position, words, "words"))

    def _read_part(self, value: str) -> None:
        if not self._in_body and not self._has_key:
            self.part_order = value
            return
        voice = self._current_voice()
        name = value.strip()
        if name:
            voice.texts.append((voice.position, plain_text(name), "rehearsal"))
            if voice is next(iter(self.voices.values())):
                self.parts.append((voice.position, name[0]))

    def _read_lyrics(self, value: str, continues: bool = False) -> None:
        if self._voice is None:
            return
        voice = self._voice
        if not continues:
            voice.verse += 1
        verse = min(max(voice.verse, 1), 32_000)
        before = next((text for _, text, number in reversed(voice.lyrics) if number == verse), "")
        divided = before.endswith(" -")
        voice.lyrics += [(onset, text, verse) for onset, text in align(value, voice.sung, divided)]

    def _read_shorthand(self, value: str) -> None:
        match = re.match(r"([.~H-Wh-w])\s*=\s*[!+]?([^!+\s]{1,40})", value)
        if match is not None:
            self._shorthands[match.group(1)] = match.group(2)
            for voice in self.voices.values():
                voice.shorthands[match.group(1)] = match.group(2)

    def _read_directive(self, text: str) -> None:
        """Obey what bears on the notes: MIDI program, channel and transposition, and how far accidentals reach."""
        midi = re.match(r"MIDI[\s=]+(program|transpose|channel)\s+(?:\d{1,2}\s+(?=\d))?(-?\d{1,3})", text)
        if midi is not None:
            self._read_midi(midi.group(1), int(midi.group(2)))
            return
        copyright_ = re.match(r"abc-copyright\s+(\S.*)", text)
        if copyright_ is not None:
            self.copyright = plain_text(copyright_.group(1).strip())
        accidentals = re.match(r"propagate-accidentals\s+(not|octave|pitch)", text)
        if accidentals is not None:
            self._propagation = accidentals.group(1)
            for voice in self.voices.values():
                voice.propagation = self._propagation

    def _read_midi(self, command: str, value: int) -> None:
        voices = [self._voice] if self._voice is not None else list(self.voices.values())
        if command == "program" and 0 <= value <= 127:
            if self._voice is None:
                self._program = value
            for voice in voices:
                voice.program = value if voice.program is None or not voice.has_notes else voice.program
        elif command == "transpose" and abs(value) <= fields.MAX_SHIFT:
            if self._voice is None:
                self._midi_shift = value
            for voice in voices:
                voice.set_midi_shift(value)
        elif command == "channel":
            for voice in voices:
                voice.is_drum = value == 10
