"""`muspy-core dataset list|download|convert|stats`: data sets at the console (parse, call, report)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muspy_core.console import EXIT_OK, EXIT_SOME_FAILED, Parser, add_command, add_json_option, positive, print_step

if TYPE_CHECKING:
    from muspy_core.analysis.summary import Statistics

DESCRIPTION = """\
Data sets by name, and folders of your own files.

  muspy-core dataset list                              what there is
  muspy-core dataset download nes data/nes             download and extract
  muspy-core dataset convert nes data/nes --to arrow   into data/nes/_converted
  muspy-core dataset stats nes data/nes                songs, hours, notes, tempos, keys
  muspy-core dataset stats songs                       the same for a folder of files
"""
KINDS = ("arrow", "json", "yaml")


def add_dataset_commands(commands: Any) -> None:
    """Add `dataset` with its verbs to the sub-parsers of a program."""
    dataset = commands.add_parser(
        "dataset", help="list, download, convert and count data sets", description=DESCRIPTION
    )
    verbs = dataset.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    listed = _verb(verbs, "list", _list, "what data sets there are", "muspy-core dataset list --genre folk")
    listed.add_argument("--genre", metavar="NAME", help="only these: classical, folk, game, hymn, misc, pop")
    listed.add_argument("--source", choices=("download", "wheel", "site", "by hand"), help="only those had like this")

    download = _verb(
        verbs, "download", _download, "download and extract a data set", "muspy-core dataset download nes data/nes"
    )
    download.add_argument("key", metavar="KEY", help="data set (see `dataset list`)")
    download.add_argument("root", type=Path, metavar="FOLDER", help="where to; it is made if need be")
    download.add_argument("--overwrite", action="store_true", help="download again what is there")
    download.add_argument("--cleanup", action="store_true", help="remove archives once they are extracted")

    conversion = _verb(
        verbs,
        "convert",
        _convert,
        "convert a data set or a folder of files for fast reading",
        "muspy-core dataset convert nes data/nes --to arrow -j 4",
    )
    _add_data(conversion)
    conversion.add_argument("--to", choices=KINDS, default="arrow", help="(default: arrow, one file)")
    conversion.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="(default: _converted in the folder)")

    stats = _verb(
        verbs,
        "stats",
        _stats,
        "count songs, hours and notes; lengths, tempos and keys",
        "muspy-core dataset stats nes data/nes",
    )
    _add_data(stats)


def _verb(verbs: Any, name: str, function: Any, purpose: str, example: str) -> argparse.ArgumentParser:
    parser = add_command(verbs, name, function, purpose, example)
    add_json_option(parser)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", help="data set (see `dataset list`), or a folder of files of any format")
    parser.add_argument("root", nargs="?", type=Path, metavar="FOLDER", help="where the data set was extracted")
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")


# --- list, download --------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from muspy_core.datasets.catalogue.table import checksums, count, flags, rows

    chosen = [
        row for row in rows() if options.genre in (None, row["genre"]) and options.source in (None, row["source"])
    ]
    if not chosen:
        raise ValueError("no data set is like this; see `muspy-core dataset list`")
    if options.json:
        print(json.dumps(chosen, indent=2, ensure_ascii=False))
        return EXIT_OK
    titles = f"{'songs':>7} {'hours':>8} {'counted':>8} {'hours':>6}"
    print(f"{'key':<21} {'name':<29} {'genre':<9} {titles}  M C T 1  source and licence")
    for row in chosen:
        end = f"{checksums(row)}; {row['license'] or 'no licence stated'}"
        counts = f"{count(row['songs']):>7} {count(row['hours']):>8}"
        counts += f" {count(row['counted_songs']):>8} {count(row['counted_hours']):>6}"
        print(f"{row['key']:<21} {row['name']:<29} {row['genre']:<9} {counts}  {flags(row)}  {end}")
    print("M: melody, C: chords, T: several tracks, 1: one voice; songs and hours as published, and as counted here")
    return EXIT_OK


def _download(options: argparse.Namespace) -> int:
    from muspy_core.datasets.catalogue import get_dataset
    from muspy_core.datasets.catalogue.hymnal import HymnalDataset
    from muspy_core.datasets.folder import FolderDataset
    from muspy_core.datasets.remote import RemoteFolderDataset

    dataset = get_dataset(options.key)
    start = time.perf_counter()
    if issubclass(dataset, RemoteFolderDataset):
        found: FolderDataset = dataset(
            options.root, True, options.overwrite, options.cleanup, use_converted=False, verbose=not options.json
        )
    elif issubclass(dataset, HymnalDataset):
        options.root.mkdir(parents=True, exist_ok=True)
        found = dataset(options.root, download=True)
    else:
        info = dataset.info()
        how = (
            info.note if issubclass(dataset, FolderDataset) else "it is part of the music21 wheel: pip install music21"
        )
        raise ValueError(f"{options.key} is not downloaded by this command ({how}; {info.homepage})")
    seconds = time.perf_counter() - start
    if options.json:
        print(json.dumps({"key": options.key, "folder": str(options.root), "pieces": len(found)}, indent=2))
        return EXIT_OK
    print_step(f"downloaded {options.key}: {len(found):,} pieces in {options.root}", seconds)
    print(f"next: muspy-core dataset convert {options.key} {options.root} --to arrow")
    return EXIT_OK


# --- convert ---------------------------------------------------------------------------------------------------------


def _convert(options: argparse.Namespace) -> int:
    from muspy_core.datasets.catalogue.sources import AnyFolder, open_dataset, source_of
    from muspy_core.datasets.conversion import REPORT_NAME, convert
    from muspy_core.datasets.folder import FolderDataset

    dataset = open_dataset(options.key, options.root)
    start = time.perf_counter()
    if options.output is not None:
        # Without the report it is an interrupted conversion, which goes on.
        if (options.output / REPORT_NAME).exists():
            raise FileExistsError(17, "holds a finished conversion; name another folder", str(options.output))
        progress = False if options.json else None
        report = convert(source_of(dataset), options.output, options.to, options.jobs, progress=progress)
        folder = options.output
    elif isinstance(dataset, FolderDataset) and not isinstance(dataset, AnyFolder):
        report = dataset.convert(options.to, options.jobs, verbose=not options.json and sys.stderr.isatty()).report
        folder = dataset.converted_dir
    else:
        raise ValueError("say where to: add -o FOLDER")
    seconds = time.perf_counter() - start
    done, failed = len(report.names), len(report.failed)
    if options.json:
        content = {"folder": str(folder), "kind": options.to, "converted": done, "seconds": round(seconds, 3)}
        print(json.dumps({**content, "failed": report.failed}, indent=2, ensure_ascii=False))
    else:
        rate = f"{done / seconds:,.0f} a second"
        print_step(f"converted {done:,} of {done + failed:,} pieces into {folder}, {rate}", seconds)
        print(f'next: muspy_core.MusicDataset("{folder}") in Python')
    return _end(report.failed)


# --- stats -----------------------------------------------------------------------------------------------------------


def _stats(options: argparse.Namespace) -> int:
    from muspy_core.analysis.songs import measure_songs
    from muspy_core.analysis.summary import summarise
    from muspy_core.datasets.catalogue.sources import open_dataset, source_of
    from muspy_core.datasets.catalogue.table import published

    dataset = open_dataset(options.key, options.root)
    measured = measure_songs(source_of(dataset), options.jobs, progress=False if options.json else None)
    counts, statistics = measured.counts, summarise(options.key, measured)
    songs, hours = published(type(dataset))
    if options.json:
        content = {**dataclasses.asdict(counts), "published": {"songs": songs, "hours": hours}}
        distributions = {name: value for name, value in dataclasses.asdict(statistics).items() if name not in content}
        print(json.dumps({**content, "statistics": distributions}, indent=2, ensure_ascii=False))
    else:
        _print_count("Songs", f"{counts.songs:,}", f"{songs:,}" if songs else None)
        _print_count("Hours", f"{counts.hours:,.2f}", f"{hours:,.2f}" if hours else None)
        _print_count("Notes", f"{counts.notes:,}")
        _print_count("With drums", f"{counts.songs_with_drums:,}")
        if counts.songs:
            medians = f"{counts.median_seconds:,.1f} s, {counts.median_notes:,g} notes, {counts.median_tracks:g} tracks"
            _print_count("Median", medians)
            _print_distributions(statistics)
    return _end(measured.failed)


def _print_distributions(statistics: Statistics) -> None:
    """Print half the songs' lengths, the initial tempos and the keys, and how many songs do not state them."""
    from muspy_core.analysis.pages import percent

    songs, tempos, declared = statistics.songs, statistics.tempos, sum(statistics.declared)
    first, third = statistics.lengths.quartiles
    _print_count("Lengths", f"half of them from {first:,.1f} to {third:,.1f} s")
    if tempos.n:
        slow, fast = tempos.quartiles
        default = percent(statistics.at_default_tempo, tempos.n)
        stated = f"{tempos.median:.0f} qpm in the median, half from {slow:.0f} to {fast:.0f}, {default} exactly 120"
        _print_count("Tempo", f"{stated}; {percent(tempos.missing, songs)} state none")
    else:
        _print_count("Tempo", "no song states any")
    if declared:
        shares = f"{percent(statistics.minor_share)} minor, {percent(statistics.declared[0], declared)} C major"
        _print_count("Key", f"{shares} of the {percent(declared, songs)} that declare one")
    else:
        _print_count("Key", "no song declares a major or minor key")
    if sum(statistics.estimated):
        _print_count("Notes' key", f"{percent(statistics.estimated_minor_share)} minor")


def _print_count(label: str, text: str, published: str | None = None) -> None:
    print(f"{label:<11} {text}" + (f"  (published: {published})" if published else ""))


def _end(failed: Sequence[tuple[str, str]]) -> int:
    """List what failed and return the exit code."""
    for name, reason in failed:
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return EXIT_SOME_FAILED if failed else EXIT_OK
