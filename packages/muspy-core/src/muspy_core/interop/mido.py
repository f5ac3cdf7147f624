"""mido MidiFile ⇄ Music, by way of MIDI bytes and our own reader and writer, so that no message is lost."""

from __future__ import annotations

import io
from typing import Any

from muspy_core.errors import MIDIError
from muspy_core.interop.peers import import_peer
from muspy_core.io.midi import midi_bytes, read_midi_bytes
from muspy_core.music import Music

# mido's own default says nothing about the texts: it stands for "bytes as they are".
MIDO_DEFAULT_CHARSET = "latin1"


def from_mido(midi: Any, duplicate_note_mode: str = "fifo") -> Music:
    """Return a mido MidiFile as Music, with every message kept.

    Args:
        midi: The MidiFile.
        duplicate_note_mode: Which of several sounding notes of one pitch a note-off ends; see `read_midi`.

    Raises MIDIError if the messages make no MIDI file (times that are not integers, values out of range).
    """
    buffer = io.BytesIO()
    try:
        midi.save(file=buffer)
    except (TypeError, ValueError, AttributeError) as error:
        raise MIDIError(f"mido cannot write this MidiFile: {error}") from error
    charset = None if midi.charset == MIDO_DEFAULT_CHARSET else midi.charset
    return read_midi_bytes(buffer.getvalue(), duplicate_note_mode, charset=charset)


def to_mido(music: Music, use_note_off_message: bool = False) -> Any:
    """Return music as a mido MidiFile that holds the same messages as the file `write_midi` writes.

    Args:
        music: The music.
        use_note_off_message: End notes by note-off messages rather than by note-on messages of velocity 0, where the
            notes do not say how they end.
    """
    mido = import_peer("mido")
    data = midi_bytes(music, use_note_off_message)
    return mido.MidiFile(file=io.BytesIO(data), charset=music.charset or "utf-8")
