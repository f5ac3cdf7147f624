"""Music → MusicXML: the public writers, the head of the score, and how the stages follow one another.

layout (measures, positions) → voices (layers, chords, tied pieces) → note, attributes and directions writers → parts.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from pathlib import Path
from typing import IO

from muspy_core.errors import MusicXMLError
from muspy_core.events import Metadata
from muspy_core.io.files import write_target
from muspy_core.io.musicxml import elements
from muspy_core.io.musicxml.attributes_writer import AttributesWriter
from muspy_core.io.musicxml.directions_writer import barlines, part_directions, score_directions, texts_and_chords
from muspy_core.io.musicxml.drums import drum_name
from muspy_core.io.musicxml.header import DRUM_CHANNEL
from muspy_core.io.musicxml.layout import Page
from muspy_core.io.musicxml.part_writer import Part, PartWriter, parts_of
from muspy_core.music import Music, Track

EXTENSIONS = (".xml", ".musicxml", ".mxl")
DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles>'
    '<rootfile full-path="score.musicxml" media-type="application/vnd.recordare.musicxml+xml"/>'
    "</rootfiles></container>\n"
)
MIMETYPE = "application/vnd.recordare.musicxml"
ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same music


def write_musicxml(
    path: str | os.PathLike[str] | IO[bytes], music: Music, compressed: bool | None = None, *, overwrite: bool = True
) -> None:
    """Write music as MusicXML 4.0, ready to be engraved.

    The measures are those of `Music.barlines`, else they follow from the time signatures. Notes keep their voices,
    staves and spelling; where they have none, overlapping notes go to voices of their own and pitches are spelled in
    the key. Every note carries its index as an id: "n<track>-<note>", the same with ".2", ".3", … for the notes tied to
    it. Music whose onsets and ends are not notatable (see `layout`) is quantised on the page.

    Args:
        path: The file; .musicxml and .xml are plain, .mxl is compressed. Or a binary file object (plain).
        music: The music.
        compressed: Whether to write a compressed file; by default the extension decides.
        overwrite: Whether an existing file may be replaced.

    Raises MusicXMLError for another extension or music that cannot be written, FileExistsError if the file exists and
    must not be replaced, OSError if it cannot be written.
    """
    extension = ".musicxml"
    if isinstance(path, (str, os.PathLike)):
        extension = Path(path).suffix.lower()
        if extension not in EXTENSIONS:
            raise MusicXMLError(
                f"{Path(path).name}: a MusicXML file ends in {', '.join(EXTENSIONS)}, not {extension!r}"
            )
    data = musicxml_bytes(music)
    if extension == ".mxl" if compressed is None else compressed:
        data = _compress(data)
    write_target(path, data, overwrite)


def musicxml_bytes(music: Music) -> bytes:
    """Return music as an uncompressed MusicXML 4.0 document, as `write_musicxml` writes it; always the same bytes.

    Raises MusicXMLError if the music holds values that no score can show.
    """
    _check(music)
    try:
        page = Page(music)
        parts = parts_of(music) or [Part(1, 0, [Track()])]
        body = "".join(_part(music, parts, index, page) for index in range(len(parts)))
    except (TypeError, OverflowError) as error:
        raise MusicXMLError(f"this music cannot be written as MusicXML: {error}") from error
    document = f'{DOCTYPE}<score-partwise version="4.0">\n{_head(music, parts)}{body}</score-partwise>\n'
    return document.encode("utf-8")


def _check(music: Music) -> None:
    """Refuse values that would end in a broken file."""
    if music.resolution < 1:
        raise MusicXMLError(f"resolution is {music.resolution}; it must be at least 1")
    for index, track in enumerate(music.tracks):
        table = track.notes.array
        if len(table) and (table["time"].min() < 0 or table["duration"].min() < 0):
            raise MusicXMLError(f"track {index} has a note with a negative time or duration")
        if len(table) and not 0 <= table["pitch"].min() <= table["pitch"].max() <= 127:
            raise MusicXMLError(f"track {index} has a pitch outside 0 to 127")


def _compress(data: bytes) -> bytes:
    """Return a compressed MusicXML file (a zip archive with a container)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("mimetype", MIMETYPE), ("META-INF/container.xml", CONTAINER), ("score.musicxml", data)):
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _head(music: Music, parts: list[Part]) -> str:
    """Return everything before the first part."""
    metadata = music.metadata
    work = metadata.collection if metadata.movement_title is not None else metadata.title
    lines = []
    if work is not None:
        lines.append(f"<work><work-title>{elements.text(work)}</work-title></work>")
    if metadata.movement_number is not None:
        lines.append(f"<movement-number>{elements.text(metadata.movement_number)}</movement-number>")
    if metadata.movement_title is not None:
        lines.append(f"<movement-title>{elements.text(metadata.movement_title)}</movement-title>")
    lines.append("<identification>")
    lines += [f'<creator type="{kind}">{elements.text(name)}</creator>' for kind, name in _creators(metadata)]
    if metadata.copyright is not None:
        lines.append(f"<rights>{elements.text(metadata.copyright)}</rights>")
    encoders = "".join(f"<encoder>{elements.text(encoder)}</encoder>" for encoder in metadata.encoders)
    lines.append(f"<encoding>{encoders}<software>muspy-core</software></encoding>")
    lines.append("</identification>")
    if metadata.subtitle is not None:
        words = f"<credit-words>{elements.text(metadata.subtitle)}</credit-words>"
        lines.append(f'<credit page="1"><credit-type>subtitle</credit-type>{words}</credit>')
    lines.append("<part-list>")
    lines += [_score_part(part) for part in parts]
    lines.append("</part-list>")
    return "\n".join(lines) + "\n"


def _creators(metadata: Metadata) -> list[tuple[str, str]]:
    """Return (role, name) of the creators; who is composer and lyricist is named twice, the second time as lyricist."""
    lyricists = Counter(metadata.lyricists)
    creators = []
    for name in reversed(metadata.creators):
        creators.append(("lyricist" if lyricists[name] > 0 else "composer", name))
        lyricists[name] -= 1
    return creators[::-1]


def _score_part(part: Part) -> str:
    """Return what the part list says about a part; programs and channels are counted from 1 in MusicXML."""
    track = part.tracks[0]
    abbreviation = (
        ""
        if track.abbreviation is None
        else (f"<part-abbreviation>{elements.text(track.abbreviation)}</part-abbreviation>")
    )
    names, midi = [], []
    for identifier, owner, key in part.instruments():
        name = drum_name(key) if key is not None else (owner.instrument or track.name or "")
        inside = f"<instrument-name>{elements.text(name)}</instrument-name>"
        names.append(f'<score-instrument id="{identifier}">{inside}</score-instrument>')
        midi.append(f'<midi-instrument id="{identifier}">{_midi(owner, key)}</midi-instrument>')
    name = f"<part-name>{elements.text(track.name or '')}</part-name>"
    return f'<score-part id="{part.identifier}">{name}{abbreviation}{"".join(names)}{"".join(midi)}</score-part>'


def _midi(track: Track, key: int | None) -> str:
    channel = track.channel
    if track.is_drum:
        channel = DRUM_CHANNEL
    elif channel == DRUM_CHANNEL:
        channel = None  # it would make a percussion part of it
    return "".join(
        (
            "" if channel is None else f"<midi-channel>{channel + 1}</midi-channel>",
            "" if track.bank is None else f"<midi-bank>{track.bank + 1}</midi-bank>",
            f"<midi-program>{track.program + 1}</midi-program>",
            "" if key is None else f"<midi-unpitched>{key + 1}</midi-unpitched>",
        )
    )


def _part(music: Music, parts: list[Part], index: int, page: Page) -> str:
    part = parts[index]
    is_first = index == 0
    own = {track.midi_track for other in parts for track in other.tracks if track.midi_track is not None}
    writer = PartWriter(part, page, AttributesWriter(part, music, page), barlines(music, page))
    writer.add_directions(score_directions(music, page) if is_first else [])
    writer.add_directions(part_directions(part, page, writer.level, writer.initial_level))
    writer.add_directions(texts_and_chords(music, part, page, is_first, own))
    if is_first:
        writer.attach_lyrics(list(music.lyrics))
    return f'<part id="{part.identifier}">\n{writer.write()}</part>\n'
