"""YAML: the same content as JSON (see `json.py`), for people to read and edit."""

from __future__ import annotations

import functools
import os
import re
from typing import IO, Any

from muspy_core.errors import YAMLError
from muspy_core.io.json import checked_music, read_text_source, write_text_target
from muspy_core.io.tables import music_to_dict
from muspy_core.music import Music

# Deeper than any annotation; PyYAML's loader in C follows any depth until its stack overflows.
MAX_DEPTH = 200
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MAYBE_ALIAS = re.compile(rb"(?:^|[\s\[{,:?-])\*[^\s]", re.MULTILINE)


def load_yaml(path: str | os.PathLike[str] | IO[Any], compressed: bool | None = None) -> Music:
    """Load music from a YAML file or file object.

    compressed: whether it is gzip-compressed; by default its first bytes decide.
    Raises YAMLError if the content is no YAML or no music, OSError if the file cannot be read.
    """
    name, content = parse_yaml(path, compressed)
    return checked_music(content, name, YAMLError)


def parse_yaml(path: str | os.PathLike[str] | IO[Any], compressed: bool | None = None) -> tuple[str, Any]:
    """Return the name of a YAML file or file object and what it holds as plain Python values, whatever it is.

    Raises YAMLError if it is no YAML, refers to parts of itself or is nested too deeply, OSError if it cannot be read.
    """
    import yaml

    name, data = read_text_source(path, compressed, YAMLError)
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _refuse_traps(data, loader)
        return name, yaml.load(data, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise YAMLError(f"{name}: not YAML: {' '.join(str(error).split())}") from None


def save_yaml(
    path: str | os.PathLike[str] | IO[Any],
    music: Music,
    skip_missing: bool = True,
    allow_unicode: bool = True,
    compressed: bool | None = None,
    *,
    overwrite: bool = True,
    **kwargs: Any,
) -> None:
    """Save music to a YAML file or file object; the arguments are those of `save_json`.

    allow_unicode: write characters beyond ASCII as they are. **kwargs: options of PyYAML's `dump`. Raises YAMLError if
    an annotation has no form in YAML.
    """
    import yaml

    content = music_to_dict(music, skip_missing)
    try:
        text = yaml.dump(content, Dumper=_plain_dumper(), allow_unicode=allow_unicode, sort_keys=False, **kwargs)
    except (yaml.YAMLError, RecursionError) as error:
        raise YAMLError(f"this music has no form in YAML: {' '.join(str(error).split())}") from None
    write_text_target(path, text.encode(), compressed, overwrite)


def _refuse_traps(data: bytes, loader: Any) -> None:
    """Raise if an alias refers back to a part of the file (a few lines of them can expand beyond any memory), or if
    it is nested too deeply."""
    import yaml

    # The events are only looked through where the bytes could hold such a thing at all.
    if not (data.startswith(_UTF_16_MARKS) or _MAYBE_ALIAS.search(data) or _possible_depth(data) > MAX_DEPTH):
        return
    depth = 0
    for event in yaml.parse(data, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not used in music files and are refused")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")


def _possible_depth(data: bytes) -> int:
    """An upper bound of how deeply a text is nested, found without parsing it."""
    longest_start = max(map(len, re.findall(rb"^[ ?:\t-]*", data, re.MULTILINE)), default=0)
    return longest_start + data.count(b"[") + data.count(b"{")


@functools.cache
def _plain_dumper() -> Any:
    """PyYAML's safe dumper, in C where there is one, that writes shared values out instead of aliases."""
    import yaml

    class PlainDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # C or Python, one interface
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return PlainDumper
