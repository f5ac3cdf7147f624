"""The console script `muspy-core`: its parser, `info` and `convert` (the end of the flow: parse, call, report).

`render`, `engrave`, `plot` and `view` stand in rendering_commands.py; `media`, `dataset` and `listening` have modules
of their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import muspy_core
from muspy_core.completion_commands import add_completion_command
from muspy_core.console import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    Job,
    Parser,
    add_command,
    add_json_option,
    add_output_options,
    add_resume_option,
    expand_inputs,
    one_line,
    run_program,
    with_path,
)
from muspy_core.dataset_commands import add_dataset_commands
from muspy_core.io import READABLE, WRITABLE, write
from muspy_core.listening_commands import add_listening_commands
from muspy_core.media_commands import add_media_commands
from muspy_core.music import Music
from muspy_core.piece_commands import (
    MIDI_EXTENSIONS,
    Reading,
    add_inputs,
    is_batch,
    read_file,
    read_piece,
    read_tolerantly,
    reading_of,
    run_batch,
    suffix_of,
)
from muspy_core.pipes import add_from_option, add_pipes
from muspy_core.rendering_commands import add_rendering_commands

DESCRIPTION = """\
Look at, convert, play and show symbolic music (MIDI, MusicXML, ABC, JSON, YAML).

  muspy-core info song.mid                          what is in it
  muspy-core convert song.mid -o song.musicxml      to another format
  muspy-core render song.mid -o song.wav            to sound
  muspy-core engrave song.mid -o song.pdf           to a score
  muspy-core plot song.mid -o song.png              to a piano roll
  muspy-core view song.mid -o song.html             to a page with score, piano roll and player
  muspy-core media manifest videos -o videos.csv    a table of videos, sounds and images
  muspy-core dataset list                           data sets by name
  muspy-core listening build ours baseline -o test  a blind listening test

Files or folders: a folder is converted whole into the folder named by -o.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    return run_program(_parser, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="muspy-core", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"muspy-core {muspy_core.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    info = add_command(
        commands, "info", _info, "what a file holds; without a file, versions", "muspy-core info song.mid"
    )
    info.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files or folders")
    info.add_argument("--tolerant", action="store_true", help="keep what can be read of a damaged MIDI file")
    add_from_option(info)
    add_json_option(info)
    add_pipes(info, "files")

    convert = add_command(
        commands, "convert", _convert, "from one format to another", "muspy-core convert song.mid -o song.musicxml"
    )
    add_inputs(convert)
    add_output_options(convert, "file to write (its extension says how), or a folder", required=True)
    convert.add_argument("--to", metavar="EXT", help="format of files in a folder: musicxml, mid, abc, json, yaml, mxl")
    add_resume_option(convert)
    add_pipes(convert, "files", extension=_piped_format)

    add_rendering_commands(commands)
    add_media_commands(commands)
    add_dataset_commands(commands)
    add_listening_commands(commands)
    add_completion_command(commands, _parser)
    return parser


# --- info ------------------------------------------------------------------------------------------------------------


def _info(options: argparse.Namespace) -> int:
    if not options.files:
        _print_versions(as_json=options.json)
        return EXIT_OK
    files = expand_inputs(options.files, READABLE)
    if len(files) == 1:
        described = _describe(files[0], tolerant=options.tolerant)
        print(json.dumps(described, indent=2, ensure_ascii=False) if options.json else _as_text(described))
        return EXIT_OK
    done, failed = [], []
    for file in files:
        try:
            described = _describe(file, tolerant=options.tolerant)
        except (ValueError, OSError) as error:
            failed.append({"file": str(file), "error": with_path(one_line(error), file)})
            print(f"failed: {failed[-1]['error']}", file=sys.stderr)
            continue
        done.append(described)
        if not options.json:
            print(_as_text(described), end="\n\n")
    if options.json:
        print(json.dumps({"files": done, "failed": failed}, indent=2, ensure_ascii=False))
    if failed:
        print(f"{len(failed)} of {len(files)} files failed", file=sys.stderr)
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _describe(path: Path, *, tolerant: bool) -> dict[str, Any]:
    """Read a file and return what `info` says of it."""
    from muspy_core.io.midi import backend
    from muspy_core.rendering.summary import summarize

    found = read_tolerantly(path) if tolerant and path.suffix.lower() in MIDI_EXTENSIONS else read_file(path)
    tunes = [found] if isinstance(found, Music) else list(found)
    if not tunes:
        raise ValueError(f"{path}: no tune in this file")
    music = tunes[0]
    summary = summarize(music)
    described: dict[str, Any] = {"file": str(path), "format": music.metadata.source_format or path.suffix.lstrip(".")}
    if described["format"] == "midi":
        described["midi_backend"] = backend()
    if len(tunes) > 1:
        described["tunes"] = len(tunes)
    described.update(dataclasses.asdict(summary))
    described["facts"] = {**summary.facts(), "Resolution": f"{music.resolution} steps a quarter note"}
    described["parts"] = [
        {
            "track": index + 1,
            "name": track.name or f"Track {index + 1}",
            "program": track.program,
            "is_drum": track.is_drum,
            "notes": len(track.notes) + sum(len(chord.pitches) for chord in track.chords),
            "range": _range(track),
        }
        for index, track in enumerate(music.tracks)
        if len(track.notes) or len(track.chords)
    ]
    return described


def _range(track: Any) -> str:
    pitches = track.notes.array["pitch"]
    return f"{_pitch_name(int(pitches.min()))}–{_pitch_name(int(pitches.max()))}" if len(pitches) else ""


def _pitch_name(pitch: int) -> str:
    names = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
    return f"{names[pitch % 12]}{pitch // 12 - 1}"


def _as_text(described: dict[str, Any]) -> str:
    """Set the description of a file as lines."""
    kind = {"midi": "MIDI", "musicxml": "MusicXML", "abc": "ABC", "json": "JSON", "yaml": "YAML"}
    form = kind.get(described["format"], described["format"])
    if "midi_backend" in described:
        form += f", read by the {'compiled' if described['midi_backend'] == 'c' else 'Python'} parser"
    lines = [f"{described['file']} ({form})"]
    if described.get("tunes"):
        lines.append(f"  {described['tunes']} tunes; this is the first")
    facts = {**({"Title": described["title"]} if described["title"] else {}), **described["facts"]}
    lines += [f"  {label:<11} {text}" for label, text in facts.items()]
    width = max((len(part["name"]) for part in described["parts"]), default=0)
    for part in described["parts"]:
        sound = "drums" if part["is_drum"] else f"program {part['program']}"
        line = f"  {part['track']:>3}  {part['name']:<{width}}  {sound:<11} {part['notes']:>6,} notes  {part['range']}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def _print_versions(*, as_json: bool) -> None:
    from muspy_core.about import versions as versions_of
    from muspy_core.io.midi import backend
    from muspy_core.io.musicxml.tree import xml_backend

    versions: dict[str, Any] = {"Python": platform.python_version(), "platform": platform.platform()}
    versions |= versions_of("muspy_core")
    versions["MIDI parser"] = "compiled" if backend() == "c" else "Python"
    versions["MusicXML parser"] = "compiled" if xml_backend() == "c" else "lxml"
    versions["FluidSynth"] = shutil.which("fluidsynth")
    if as_json:
        print(json.dumps(versions, indent=2))
        return
    for name, version in versions.items():
        print(f"{name:<20} {version or 'not installed'}")


# --- convert ----------------------------------------------------------------------------------------------------------


def _convert(options: argparse.Namespace) -> int:
    suffix = suffix_of(options.to) or options.output.suffix
    if is_batch(options) and not options.to:
        raise ValueError("a folder needs a format for its files: add --to musicxml (or mid, abc, json, yaml)")
    if not options.to and not options.output.name.lower().endswith(WRITABLE) and not options.output.is_dir():
        raise ValueError(f"{options.output}: the extension is none of {', '.join(WRITABLE)}")
    work = functools.partial(_convert_one, reading=reading_of(options), overwrite=options.overwrite)
    return run_batch(options, suffix, work, "converted", "muspy-core view {output}")


def _piped_format(options: argparse.Namespace) -> str:
    """Return the extension of what goes into a pipe."""
    if not options.to:
        raise ValueError("-o - has no extension that says how: add --to musicxml (or mid, abc, json, yaml, mxl)")
    return suffix_of(options.to)


def _convert_one(job: Job, *, reading: Reading, overwrite: bool) -> None:
    _write(job.output, read_piece(job.input, reading), overwrite)


def _write(path: Path, music: Music, overwrite: bool) -> None:
    """Write a piece beside its place and move it there; every format's writer is atomic by this."""
    from muspy_core.io.files import write_atomically

    with write_atomically(path, overwrite) as temporary:
        write(temporary, music)


if __name__ == "__main__":
    sys.exit(main())
