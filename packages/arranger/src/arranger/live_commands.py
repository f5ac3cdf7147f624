"""The command `arranger live`: a player or a file in, parts out, on ports or into a file (parse, call, report)."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, add_command, add_json_option, add_overwrite_option, check_writable

from arranger.cli_options import add_demands, control_of_options

DEFAULT_QPM = 120.0


def add_live(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "live",
        _live,
        "split what is played, as it is played",
        "arranger live --input 'Digital Piano' --output virtual --tempo 96",
    )
    parser.add_argument("--input", metavar="PORT|FILE", help="a MIDI port (its name, or virtual), or a file")
    parser.add_argument("--output", metavar="PORT|FILE", help="a MIDI port (its name, or virtual), or a file")
    parser.add_argument("--list", action="store_true", help="name the MIDI ports, and do nothing else")
    parser.add_argument(
        "--model", default="bach-chorales", help="bundled name, folder or hub:OWNER/NAME (default: bach-chorales)"
    )
    parser.add_argument("--mode", choices=("online", "causal"), default="online", help="(default: online)")
    add_demands(parser)
    parser.add_argument("--clock", choices=("fast", "real"), default="fast", help="for a file: at once, or in its time")
    parser.add_argument(
        "--tempo",
        metavar="QPM",
        help="quarters a minute, or midi-clock: as the input says (default: a file's own, or 120)",
    )
    parser.add_argument(
        "--window", type=float, default=12.0, metavar="MS", help="wait for the rest of a chord (default: 12)"
    )
    parser.add_argument(
        "--missing",
        choices=("expected", "ignored"),
        default="expected",
        help="parts missing in a chord; ignored: chords are struck together, as in a score (default: expected)",
    )
    add_overwrite_option(parser)
    add_json_option(parser)


def _live(options: argparse.Namespace) -> int:
    from muspy_core.io import READABLE, WRITABLE

    if options.list:
        return _list_ports()
    if options.input is None or options.output is None:
        raise ValueError("live needs --input and --output, each a MIDI port or a file; --list names the ports")
    source = Path(options.input) if options.input.lower().endswith(READABLE) else None
    target = Path(options.output) if options.output.lower().endswith(WRITABLE) else None
    if target is not None:
        check_writable(target, overwrite=options.overwrite)
    if options.tempo not in (None, "midi-clock"):
        _tempo(options.tempo)
    control = control_of_options(options)
    if source is not None and target is not None and options.clock == "fast":
        report = _stream(options, source, target, control)
    else:
        report = _relay(options, source, target, control)
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return EXIT_OK
    print(
        f"{report['notes']:,} notes in parts by {options.model} ({options.mode}); from key to sound "
        f"{report['latency_ms']['p50']:.1f} ms (median), {report['latency_ms']['p99']:.1f} ms (99 %)"
    )
    for warning in report.get("warnings", ()):
        print(f"note: {warning}")
    if target is not None:
        print(f"wrote {target}\nnext: muspy-core view {target}")
    return EXIT_OK


def _stream(options: argparse.Namespace, source: Path, target: Path, control: Any) -> dict[str, Any]:
    """A file as fast as it can; the parts are in a file of the same notes."""
    import numpy as np
    from muspy_core.io import write
    from muspy_core.io.files import write_atomically

    from arranger.streaming import stream

    streamed = stream(
        _read(source),
        options.model,
        options.mode,
        window_s=options.window / 1000,
        control=control,
        missing=options.missing,
    )
    with write_atomically(target, options.overwrite) as temporary:
        write(temporary, streamed.separation.music)
    p50, p99 = np.percentile(streamed.latency_s, [50, 99]) * 1000
    notes = len(streamed.separation.mixture)
    return {
        "notes": notes,
        "latency_ms": {"p50": float(p50), "p99": float(p99)},
        "notes_per_second": notes / streamed.compute_s,
        "warnings": list(streamed.separation.warnings),
    }


def _relay(options: argparse.Namespace, source: Path | None, target: Path | None, control: Any) -> dict[str, Any]:
    """A player, or a file in its own time, on ports or into a recording."""
    from contextlib import closing, nullcontext

    from muspy_core.io import write
    from muspy_core.io.files import write_atomically

    from arranger import ports
    from arranger.clocks import MidiClock, SteadyTempo
    from arranger.live import LiveArranger

    music = None if source is None else _read(source)
    follows = options.tempo == "midi-clock"
    own = float(music.tempos[0].qpm) if music is not None and len(music.tempos) else DEFAULT_QPM
    qpm = own if follows or options.tempo is None else _tempo(options.tempo)
    clock = MidiClock(qpm) if follows else SteadyTempo(qpm)
    arranger = LiveArranger(
        options.model,
        options.mode,
        window_s=options.window / 1000,
        clock=clock,
        control=control,
        missing=options.missing,
    )
    opened = nullcontext(None) if target is not None else closing(ports.open_output(options.output))
    with opened as output:
        if music is not None:
            performance = ports.relay(ports.ScheduledInput(ports.messages_of(music)), output, arranger)
        else:
            with closing(ports.open_input(options.input)) as player:
                if not options.json:
                    print(f"listening to {player.name!r}; Ctrl-C ends", flush=True)
                performance = ports.relay(player, output, arranger)
    if target is not None:
        with write_atomically(target, options.overwrite) as temporary:
            write(temporary, ports.recorded(performance, arranger.parts, qpm))
    latency = {"p50": performance.latency_ms(50), "p99": performance.latency_ms(99)}
    return {"notes": performance.notes, "latency_ms": latency}


def _tempo(text: str) -> float:
    try:
        qpm = float(text)
    except ValueError:
        qpm = 0.0
    if not 0 < qpm < math.inf:
        raise ValueError(f"--tempo {text}: give quarters a minute, or midi-clock")
    return qpm


def _read(path: Path) -> Any:
    from muspy_core.io import read

    music = read(path)
    if isinstance(music, list):
        raise ValueError(f"{path}: {len(music)} tunes; take one out by `muspy-core convert --tune N`")
    return music


def _list_ports() -> int:
    from arranger.ports import port_names

    for kind, names in zip(("inputs", "outputs"), port_names(), strict=True):
        print(f"{kind}: {', '.join(names) or 'none'}")
    return EXIT_OK
