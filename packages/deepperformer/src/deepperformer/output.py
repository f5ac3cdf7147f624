"""Requests of `deepperformer perform` → files: sound, timings or mel, and a report (perform → output → cli)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from muspy_core import Audio, Music, read
from muspy_core.audio_blocks import AudioWriter
from muspy_core.console import check_writable
from muspy_core.io.files import write_atomically

from deepperformer.errors import PerformError
from deepperformer.features.marks import Ornaments, marked_rows
from deepperformer.features.notes import played_rows, read_alignment, write_alignment
from deepperformer.features.spectrogram import Mel
from deepperformer.perform import Performance, Performer
from deepperformer.timing import ScoreTempo, constant_timings


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be performed, from which stage on and up to which, and where to; see `Performer.time_notes`.

    alignment, mel: files that stand in for a stage. from_midi: the score's own times are kept.
    """

    score: Path | None
    output: Path
    performer: str = "0"
    timing: str | None = None
    qpm: float | None = None
    humanise: float = 1.0
    part: str | None = None
    ornaments: Ornaments = "written"
    condition: str = "0"
    stop_after: Literal["align", "mel"] | None = None
    alignment: Path | None = None
    mel: Path | None = None
    from_midi: bool = False
    report: Path | None = None
    overwrite: bool = False

    def check(self) -> None:
        """Raise PerformError or OSError for what can be known to fail before anything is loaded."""
        check_writable(self.output, overwrite=self.overwrite)
        if self.report is not None:
            check_writable(self.report, overwrite=self.overwrite)
        if self.score is None and self.mel is None and self.alignment is None:
            raise PerformError("there is no score to perform: name one, or --alignment or --mel")
        if not 0 <= self.humanise <= 1:
            raise PerformError(f"--humanise {self.humanise:g}: from 0 (exactly the tempo) to 1 (as the model plays)")
        if self.mel is not None and (self.stop_after is not None or self.report is not None):
            raise PerformError("--mel is the last stage before sound: neither --stop-after nor --report goes with it")
        wanted = {"align": (".csv", ".mid", ".midi"), "mel": (".npy",)}.get(self.stop_after or "")
        if wanted and self.output.suffix.lower() not in wanted:
            raise PerformError(f"{self.output}: --stop-after {self.stop_after} writes {' or '.join(wanted)}")
        if self.report is not None and self.stop_after is not None:
            raise PerformError("--report shows the sound: it does not go with --stop-after")


def write_performance(performer: Performer, request: Request) -> dict[str, Any]:
    """Do what is requested, and return facts about it, for JSON."""
    if request.mel is not None:
        mel = read_mel(request.mel, performer)
        return _write_sound(performer, iter([mel]), request)
    performance, score_s = _timed(performer, request)
    notes = {"notes": len(performance.rows)}
    if request.stop_after == "align":
        write_alignment(request.output, performance.rows, performance.timings, request.overwrite)
        return {"output": str(request.output), **notes, "duration": round(performance.duration, 3)}
    blocks = performer.mel_blocks(performance, request.performer, request.condition)
    if request.stop_after == "mel":
        mel = np.concatenate(list(blocks))
        with write_atomically(request.output, request.overwrite) as temporary:
            np.save(temporary, mel)
        return {"output": str(request.output), **notes, "frames": len(mel)}
    facts = {**_write_sound(performer, blocks, request), **notes}
    if request.report is not None:
        _write_report(performer, performance, score_s, request)
        facts["report"] = str(request.report)
    return facts


def read_score(path: Path) -> Music:
    """Read a score. Raises PerformError for a file with several pieces."""
    music: Music | list[Music] = read(path)
    if isinstance(music, list):
        raise PerformError(f"{path}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    return music


def read_mel(path: Path, performer: Performer) -> Mel:
    """Read a mel spectrogram, (T, M). Raises PerformError for another shape, or for values that are no log mel."""
    try:
        mel: Mel = np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (ValueError, EOFError) as error:
        raise PerformError(f"{path}: holds no array: {error}") from None
    bands = performer.mel_definition.n_mels
    if mel.ndim != 2 or mel.shape[1] != bands or not len(mel):
        raise PerformError(f"{path}: its shape is {mel.shape}, not (frames, {bands})")
    if not np.isfinite(mel).all():
        raise PerformError(f"{path}: holds values that are not finite")
    return mel


def _timed(performer: Performer, request: Request) -> tuple[Performance, Any]:
    """Return the timed notes, and when the score has them, (n,) in seconds."""
    if request.score is None and request.alignment is not None:
        rows, timings = read_alignment(request.alignment)
        return Performance(rows, timings), timings[:, 0]
    if request.score is None:
        raise PerformError("there is no score to perform")
    music = read_score(request.score)
    tempo = ScoreTempo.of(music, request.qpm)
    if request.from_midi:
        rows, timings = played_rows(music, request.part)
        return Performance(rows, timings), timings[:, 0]
    if request.alignment is not None:
        rows, marks = marked_rows(music, "score", request.part, request.ornaments)
        _, timings = read_alignment(request.alignment, rows)
        performance = Performance(rows, timings, marks)
    else:
        performance = performer.time_notes(
            music,
            performer=request.performer,
            timing=request.timing,
            qpm=request.qpm,
            humanise=request.humanise,
            part=request.part,
            ornaments=request.ornaments,
        )
    return performance, constant_timings(performance.rows, tempo)[:, 0]


def _write_sound(performer: Performer, mels: Iterator[Mel], request: Request) -> dict[str, Any]:
    rate = performer.mel_definition.sample_rate
    with AudioWriter(request.output, rate, overwrite=request.overwrite) as writer:
        for block in performer.invert_blocks(mels):
            writer.write(block)
    return {"output": str(request.output), "duration": round(writer.frames / rate, 3), "sample_rate": rate}


def _write_report(performer: Performer, performance: Performance, score_s: Any, request: Request) -> None:
    from deepperformer.report import performance_page

    mel = performer.mel(performance, request.performer, request.condition)
    title = request.output.stem if request.score is None else request.score.stem
    page = performance_page(performance, score_s, mel, Audio.read(request.output), title)
    page.write(request.report, overwrite=request.overwrite)
