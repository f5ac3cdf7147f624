"""A backend of mido whose output "DAW" keeps what it is sent: the sequencer's end, on machines without MIDI.

It stands in for the system's driver alone; ports are opened and used as any other (`MIDO_BACKEND=loopback_ports`).
"""

from __future__ import annotations

import time
from typing import Any

from mido.ports import BaseOutput

NAME = "DAW loopback 1"
RECEIVED: list[tuple[float, Any]] = []  # (seconds by the clock, message)


def get_devices(**options: Any) -> list[dict[str, Any]]:
    """List the devices, as mido asks a backend to."""
    return [{"name": NAME, "is_input": False, "is_output": True}]


class Output(BaseOutput):  # type: ignore[misc]  # mido has no types
    """The port."""

    def _send(self, message: Any) -> None:
        RECEIVED.append((time.perf_counter(), message))
