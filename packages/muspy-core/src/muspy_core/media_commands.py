"""`muspy-core media manifest|frames|audio`: videos, sounds and images at the console (parse, call, report)."""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from muspy_core.console import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    Job,
    Parser,
    add_command,
    add_json_option,
    add_output_options,
    add_resume_option,
    plan,
    positive,
    print_step,
    run_jobs,
)
from muspy_core.pipes import add_pipes

DESCRIPTION = """\
Videos, sounds and images: tables of them, and what is in them.

  muspy-core media manifest videos -o videos.csv -j 4          a table of a folder; broken files are listed
  muspy-core media frames videos -o frames --fps 1 --size 224  pictures, one a second
  muspy-core media audio videos -o sounds --sample-rate 16000  their sound
"""
LAYOUTS = ("folder", "music", "music-duet", "vggsound", "vggsound-clean", "esc50")


def add_media_commands(commands: Any) -> None:
    """Add `media` with its verbs to the sub-parsers of a program."""
    media = commands.add_parser("media", help="tables, pictures and sound of videos", description=DESCRIPTION)
    verbs = media.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    _add_manifest(verbs)

    frames = add_command(
        verbs, "frames", _frames, "take pictures out of videos", "muspy-core media frames a.mp4 -o a --fps 1"
    )
    frames.add_argument("files", nargs="+", type=Path, metavar="FILE", help="videos or folders of videos")
    add_output_options(frames, "folder for the pictures, 000001.jpg, … (default: the name of the video here)")
    which = frames.add_mutually_exclusive_group()
    which.add_argument("--fps", type=_rate, metavar="X", help="pictures a second (default: 1)")
    which.add_argument("--count", type=positive, metavar="N", help="so many, evenly spaced")
    which.add_argument("--at", type=float, action="append", metavar="SECONDS", help="the one nearest to a time; again")
    frames.add_argument("--size", type=positive, metavar="PIXELS", help="of the shorter side")
    frames.add_argument("--crop", type=positive, metavar="PIXELS", help="cut this square out of the middle")
    frames.add_argument("--to", choices=("jpg", "png", "webp"), default="jpg", help="(default: jpg)")
    add_resume_option(frames)

    audio = add_command(verbs, "audio", _audio, "take the sound out of videos", "muspy-core media audio a.mp4 -o a.wav")
    audio.add_argument("files", nargs="+", type=Path, metavar="FILE", help="videos, sounds, or folders of them")
    add_output_options(audio, "file to write: .wav, .flac, .mp3, .ogg; or a folder (default: FILE.wav here)")
    audio.add_argument("--to", metavar="EXT", default="wav", help="format of files in a folder (default: wav)")
    audio.add_argument("--sample-rate", type=positive, metavar="HZ", help="(default: that of the file)")
    audio.add_argument("--channels", type=int, choices=(1, 2), help="(default: those of the file)")
    audio.add_argument("--start", type=float, default=0.0, metavar="SECONDS", help="(default: 0)")
    audio.add_argument("--end", type=float, metavar="SECONDS", help="(default: the end)")
    add_resume_option(audio)
    add_pipes(audio, "files", extension=lambda options: f".{options.to.lower().lstrip('.')}")


def _add_manifest(verbs: Any) -> None:
    manifest = add_command(
        verbs,
        "manifest",
        _manifest,
        "make a table of a folder of videos, sounds and images",
        "muspy-core media manifest videos -o videos.csv -j 4",
    )
    manifest.add_argument("folder", type=Path, metavar="FOLDER", help="the files; sub-folders are labels")
    manifest.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="table to write: .csv, .jsonl or .parquet"
    )
    manifest.add_argument("--layout", choices=LAYOUTS, default="folder", help="of a published set (default: folder)")
    manifest.add_argument("--ids", type=Path, metavar="FILE", help="vggsound.csv, or your list for music (JSON)")
    manifest.add_argument("--depth", choices=("header", "whole"), default="header", help="whole: decode everything")
    manifest.add_argument(
        "--split", type=_shares, metavar="A[,B[,C]]", help="draw train, test, validation: 0.8,0.1,0.1"
    )
    manifest.add_argument("--seed", type=int, default=0, metavar="N", help="of the split (default: 0)")
    manifest.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    manifest.add_argument("--overwrite", action="store_true", help="replace a table that exists")
    add_json_option(manifest)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no rate above 0")
    return rate


def _shares(text: str) -> list[float]:
    from muspy_core.datasets.splits import shares_of

    try:
        shares = [float(part) for part in text.split(",")]
        return list(shares_of(shares if len(shares) > 1 else shares[0]))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


# --- manifest --------------------------------------------------------------------------------------------------------


def _manifest(options: argparse.Namespace) -> int:
    import time

    from muspy_core.media import build_manifest

    start = time.perf_counter()
    if options.split and options.layout in ("vggsound", "vggsound-clean", "esc50"):
        raise ValueError(f"{options.layout} has a published split; leave out --split")
    listed = _listed(options)
    if options.split:
        listed = listed.with_splits(options.split, options.seed)
    manifest = build_manifest(
        listed,
        options.output,
        depth=options.depth,
        n_jobs=options.jobs,
        overwrite=options.overwrite,
        progress=False if options.json else None,
    )
    for path, reason in manifest.failed:
        print(f"failed: {path}: {reason}", file=sys.stderr)
    hours = sum((item.end_s or item.duration_s or 0.0) - item.start_s for item in manifest) / 3600
    if options.json:
        report = {"manifest": str(options.output), "items": len(manifest), "hours": round(hours, 4)}
        report.update(labels=len(manifest.labels), splits={str(name): n for name, n in manifest.splits.items()})
        failed = [{"file": path, "error": reason} for path, reason in manifest.failed]
        print(json.dumps({**report, "failed": failed, "missing": list(manifest.missing)}, indent=2, ensure_ascii=False))
    else:
        labels = f", {len(manifest.labels)} labels" if manifest.labels else ""
        done = f"wrote {options.output}: {len(manifest):,} items, {hours:,.2f} hours{labels}"
        print_step(done, time.perf_counter() - start)
        if manifest.missing:
            print(f"{len(manifest.missing):,} files of the published list are not in {options.folder}")
        print(f'next: muspy_core.media.Manifest.read("{options.output}", "{options.folder}") in Python')
    return EXIT_SOME_FAILED if manifest.failed else EXIT_OK


def _listed(options: argparse.Namespace) -> Any:
    from muspy_core import media

    if options.layout == "vggsound":
        if options.ids is None:
            raise ValueError("the layout vggsound needs your copy of vggsound.csv: add --ids vggsound.csv")
        return media.vggsound(options.folder, options.ids)
    if options.layout in ("music", "music-duet"):
        return media.music(options.folder, "duet" if options.layout == "music-duet" else "solo", ids=options.ids)
    if options.ids is not None:
        raise ValueError(f"the layout {options.layout} takes no list; leave out --ids")
    readers: dict[str, Callable[[Path], Any]] = {
        "folder": media.find_media,
        "vggsound-clean": media.vggsound_clean,
        "esc50": media.esc50,
    }
    return readers[options.layout](options.folder)


# --- frames, audio ---------------------------------------------------------------------------------------------------


def _frames(options: argparse.Namespace) -> int:
    from muspy_core.media.files import VIDEOS
    from muspy_core.media.frames import check_size

    check_size(options.size, options.crop)
    settings = {"fps": options.fps, "count": options.count, "at": options.at}
    settings.update(short_side=options.size, crop=options.crop)
    work = functools.partial(_frames_one, overwrite=options.overwrite, suffix=f".{options.to}", settings=settings)
    return _run(options, VIDEOS, "", work, "pictures of")


def _frames_one(job: Job, *, overwrite: bool, suffix: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Write the pictures into a folder that appears when they are all there."""
    from muspy_core.media.frames import evenly_spaced_frames, read_frames, stream_frames

    size = {"short_side": settings["short_side"], "crop": settings["crop"]}
    if settings["count"] is not None:
        frames: Any = evenly_spaced_frames(job.input, settings["count"], **size)
    elif settings["at"] is not None:
        frames = read_frames(job.input, settings["at"], **size)
    else:
        frames = stream_frames(job.input, fps=settings["fps"] or 1.0, **size)
    count = 0
    with tempfile.TemporaryDirectory(dir=job.output.parent, prefix=f".{job.output.name[:40]}-") as temporary:
        made = Path(temporary) / "frames"
        made.mkdir()
        for count, frame in enumerate(frames, 1):
            frame.save(made / f"{count:06d}{suffix}")
        if overwrite and job.output.exists():
            _remove_pictures(job.output)
        made.rename(job.output)
    return {"pictures": count}


def _remove_pictures(folder: Path) -> None:
    """Remove a folder of ours; one that holds anything but numbered pictures is left alone."""
    if not folder.is_dir() or not all(file.stem.isdecimal() and len(file.stem) == 6 for file in folder.iterdir()):
        raise FileExistsError(17, "is no folder of pictures of ours and is not replaced", str(folder))
    shutil.rmtree(folder)


def _audio(options: argparse.Namespace) -> int:
    from muspy_core.audio import FORMATS
    from muspy_core.media.files import SOUNDS, VIDEOS

    suffix = f".{options.to.lower().lstrip('.')}"
    batch = len(options.files) > 1 or options.files[0].is_dir()
    named = None if batch or options.output is None or options.output.is_dir() else options.output
    if (named.suffix.lower() if named is not None else suffix) not in FORMATS:
        raise ValueError(f"{named or options.to}: the extension is none of {', '.join(FORMATS)}")
    settings = {"start_s": options.start, "end_s": options.end, "sample_rate": options.sample_rate}
    settings.update(channels=options.channels, overwrite=options.overwrite)
    work = functools.partial(_audio_one, settings=settings)
    return _run(options, VIDEOS + SOUNDS, suffix, work, "sound of")


def _audio_one(job: Job, *, settings: dict[str, Any]) -> dict[str, Any]:
    from muspy_core.media import extract_audio

    return {"audio_seconds": round(extract_audio(job.input, job.output, **settings), 3)}


def _run(options: argparse.Namespace, extensions: tuple[str, ...], suffix: str, work: Any, verb: str) -> int:
    if options.resume and options.overwrite:
        raise ValueError("--resume keeps files that are there, --overwrite replaces them; choose one")
    batch = len(options.files) > 1 or options.files[0].is_dir()
    jobs = plan(options.files, options.output, extensions, suffix, overwrite=options.overwrite or options.resume)
    return run_jobs(
        jobs,
        work,
        verb=verb,
        workers=options.jobs,
        overwrite=options.overwrite,
        as_json=options.json,
        report_folder=options.output if batch else None,
        debug=options.debug,
        is_done=(lambda job: job.output.exists()) if options.resume else None,
    )
