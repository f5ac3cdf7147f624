"""The command `export` of all model packages: options, what is said, and the report (no torch)."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, add_command, add_json_option, add_overwrite_option, print_step

Export = Callable[[str, Path, list[Any], bool], list[Path]]


def add_export(commands: Any, example: str, export: Callable[[], Export]) -> None:
    """Add `export` to the commands of a program.

    export: imports and returns what writes a model's files: its name, the folder, the formats, whether to overwrite →
    the files.
    """
    parser = add_command(commands, "export", lambda options: _run(options, export), "write models as TorchScript and "
                         "ONNX, for other programs", example)  # fmt: skip
    parser.add_argument("model", metavar="MODEL", help="bundled name, folder or hub:OWNER/NAME")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write into")
    parser.add_argument("--format", nargs="+", choices=("torchscript", "onnx"), default=["torchscript", "onnx"],
                        help="default: both")  # fmt: skip
    add_overwrite_option(parser)
    add_json_option(parser)


def _run(options: argparse.Namespace, export: Callable[[], Export]) -> int:
    start = time.perf_counter()
    files = export()(options.model, options.output, options.format, options.overwrite)
    if options.json:
        print(json.dumps({"output": [str(path) for path in files]}, indent=2))
    else:
        names = ", ".join(path.name for path in files)
        print_step(f"wrote {names} into {options.output}", time.perf_counter() - start)
    return EXIT_OK
