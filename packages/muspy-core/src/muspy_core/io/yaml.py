"""YAML: the same content as JSON (see `json.py`), for people to read and edit."""

from __future__ import annotations

import os
from typing import IO, Any

from muspy_core.errors import YAMLError
from muspy_core.io.json import checked_music, read_text_source, write_text_target
from muspy_core.io.tables import music_to_dict
from muspy_core.music import Music


def load_yaml(path: str | os.PathLike[str] | IO[Any], compressed: bool | None = None) -> Music:
    """Load music from a YAML file or file object.

    compressed: whether it is gzip-compressed; by default its first bytes decide.
    Raises YAMLError if the content is no YAML or no music, OSError if the file cannot be read.
    """
    import yaml

    name, data = read_text_source(path, compressed, YAMLError)
    try:
        content = yaml.load(data, Loader=_safe_loader())
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise YAMLError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    return checked_music(content, name, YAMLError)


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

    allow_unicode: write characters beyond ASCII as they are. **kwargs: options of PyYAML's `dump`.
    """
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    content = music_to_dict(music, skip_missing)
    text = yaml.dump(content, Dumper=dumper, allow_unicode=allow_unicode, sort_keys=False, **kwargs)
    write_text_target(path, text.encode(), compressed, overwrite)


def _safe_loader() -> Any:
    """PyYAML's safe loader without aliases, which a few lines can expand beyond any memory."""
    import yaml

    class NoAliasLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # C or Python, the same class interface
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not used in music files and are refused")
            return super().compose_node(parent, index)

    return NoAliasLoader
