"""A score in MEI or Humdrum kern → MEI of one form, by verovio in a child process (first stage of both readers)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from muspy_core.io.xml import one_line, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = ' xmlns="http://www.music-encoding.org/ns/mei"'
MAX_TEXT_SIZE = 64 * 1024 * 1024  # the largest MEI editions of operas reach some 30 MB
DEFAULT_TIMEOUT = 120.0


def normalise(data: bytes, name: str, source_format: str, timeout: float, error: type[Exception]) -> Element:
    """Return the root of a score as verovio states it: without namespace, notes with ids.

    source_format: "mei" or "humdrum". timeout: seconds after which the attempt is given up.
    Raises `error`, naming the file, if verovio refuses it, ends or takes too long; ModuleNotFoundError without verovio.
    """
    if importlib.util.find_spec("verovio") is None:
        raise ModuleNotFoundError(
            "MEI and kern files are read through verovio, which is not installed: "
            "pip install './packages/muspy-core[scores]'"
        )
    if not data.strip():
        raise error(f"{name}: the file is empty")
    if len(data) > MAX_TEXT_SIZE:
        raise error(f"{name}: {len(data):,} bytes are more than the limit of {MAX_TEXT_SIZE:,}")
    if source_format == "mei":
        parse_xml(data, name, error)  # entities and what is no XML end here
    answer = _ask({"text": _decode(data), "format": source_format}, name, timeout, error)
    if "mei" not in answer:
        raise error(f"{name}: {one_line(str(answer.get('error')))}")
    document = answer["mei"].replace(NAMESPACE, "", 1)
    root = parse_xml(document.encode(), name, error)
    if root.find(".//score") is None:
        raise error(f"{name}: there is no score in this file")
    return root


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _ask(request: dict[str, Any], name: str, timeout: float, error: type[Exception]) -> dict[str, Any]:
    """Send a request to a child process and return its answer."""
    command = [sys.executable, "-m", "muspy_core.io.mei._verovio"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=timeout,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise error(f"{name}: verovio did not read it within {timeout:g} s; `timeout` allows more") from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise error(f"{name}: verovio could not read it (exit code {done.returncode})") from None
    return answer
