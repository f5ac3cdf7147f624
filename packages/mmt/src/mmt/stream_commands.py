"""The command `mmt stream`: music on a MIDI port, or into a file, while it is written (parse, call, report)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, add_command, add_json_option, add_overwrite_option, check_writable, print_step

from mmt.cli_options import add_sampling, instrument_names, load_model, sampling_options, warnings_of

SECONDS = 60.0


def add_stream(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "stream",
        _stream,
        "play music while it is written",
        "mmt stream -o virtual --instruments piano,violin",
    )
    parser.add_argument("-o", "--output", metavar="PORT|FILE", help="a MIDI port (its name, or virtual), or a file")
    parser.add_argument("--list", action="store_true", help="name the MIDI ports, and do nothing else")
    parser.add_argument("--instruments", metavar="NAMES", help="comma-separated, such as piano,violin,cello")
    parser.add_argument("--tempo", type=float, default=120.0, metavar="QPM", help="quarters a minute (default: 120)")
    parser.add_argument(
        "--buffer", type=float, default=1.0, metavar="S", help="seconds written ahead of what is heard (default: 1)"
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="S", help=f"after which it ends (default: {SECONDS:g})"
    )
    add_sampling(parser)
    add_overwrite_option(parser)
    add_json_option(parser)


def _stream(options: argparse.Namespace) -> int:
    from muspy_core import ports, write
    from muspy_core.io import WRITABLE
    from muspy_core.io.files import write_atomically

    from mmt.extended import codes_of_names
    from mmt.formats import format_of
    from mmt.instruments import NAMES
    from mmt.streaming import play, stream_notes

    if options.list:
        for name in ports.port_names("mmt")[1]:
            print(name)
        return EXIT_OK
    settings = sampling_options(options)
    _check(options)
    target = Path(options.output) if options.output.lower().endswith(WRITABLE) else None
    if target is not None:
        check_writable(target, overwrite=options.overwrite)
    names = instrument_names(options.instruments)
    heard = [NAMES[code - 1] for code in codes_of_names(names or ()) if code <= len(NAMES)]
    with nullcontext(None) if target is not None else closing(ports.open_port(options.output, "output", "mmt")) as port:
        start = time.perf_counter()
        checkpoint = load_model(options)
        prompt = format_of(checkpoint.model).prompt(names)
        for warning in warnings_of(checkpoint, heard):
            print(f"note: {warning}", file=sys.stderr)
        if not options.json:
            print_step(f"loaded {options.model}", time.perf_counter() - start)
            print("playing; Ctrl-C ends", flush=True)
        played = play(
            stream_notes(checkpoint.model, prompt, settings),
            _sender(port),
            qpm=options.tempo,
            buffer_s=options.buffer,
            limit_s=options.seconds,
        )
    if target is not None:
        with write_atomically(target, options.overwrite) as temporary:
            write(temporary, played.music(options.tempo))
    first_ms = None if played.first_s is None else 1000 * played.first_s
    if options.json:
        report = {
            "notes": len(played.notes), "first_ms": first_ms, "late": played.late, "underruns": played.underruns,
            "latest_ms": 1000 * max(played.lateness_s, default=0.0),
        }  # fmt: skip
        print(json.dumps(report, indent=2))
        return EXIT_OK
    begun = "" if first_ms is None else f", the first after {first_ms:.0f} ms"
    print(f"{len(played.notes)} notes{begun}; {played.late} late, {played.underruns} underruns")
    if target is not None:
        print(f"wrote {target}\nnext: muspy-core view {target}")
    return EXIT_OK


def _check(options: argparse.Namespace) -> None:
    if options.output is None:
        raise ValueError("stream needs --output, a MIDI port or a file; --list names the ports")
    for name, value in (("--tempo", options.tempo), ("--seconds", options.seconds), ("--buffer", options.buffer)):
        if not value > 0:
            raise ValueError(f"{name} {value:g}: must be above 0")


def _sender(port: Any) -> Any:
    """Return what sends sounds to a port, a channel for each instrument and drums' own; to None they go unheard."""
    if port is None:
        return lambda sound: None
    from muspy_core.ports import CHANNELS, PERCUSSION_CHANNEL, import_mido

    from mmt.extended import DRUM_PROGRAM

    mido = import_mido("mmt")
    channels = {DRUM_PROGRAM: PERCUSSION_CHANNEL}

    def send(sound: Any) -> None:
        if sound.program not in channels:
            # A port has no more channels than these: later instruments share them, and the last one's sound.
            channels[sound.program] = CHANNELS[(len(channels) - 1) % len(CHANNELS)]
            port.send(mido.Message("program_change", channel=channels[sound.program], program=sound.program))
        velocity = max(sound.velocity, 1) if sound.kind == "on" else 0
        port.send(
            mido.Message(f"note_{sound.kind}", channel=channels[sound.program], note=sound.pitch, velocity=velocity)
        )

    return send
