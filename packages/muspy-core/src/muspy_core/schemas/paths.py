"""Where the schemas lie (paths → checks)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_MUSICXML_SCHEMA = "generate_classes/musicxml_4_0.xsd"


def get_json_schema_path() -> str:
    """Return the path of the JSON schema (draft 07)."""
    return str(_FOLDER / "music.schema.json")


def get_yaml_schema_path() -> str:
    """Return the path of the YAML schema, in the language of Yamale."""
    return str(_FOLDER / "music.schema.yaml")


def get_musicxml_schema_path() -> str:
    """Return the path of the MusicXML 4.0 schema (W3C XSD) in the installed package `musicxml`.

    Raises ImportError if it is not there.
    """
    found = importlib.util.find_spec("musicxml")
    path = Path(found.origin).parent / _MUSICXML_SCHEMA if found is not None and found.origin else None
    if path is None or not path.is_file():
        raise ImportError(
            "MusicXML's schema comes with the package musicxml (Python 3.11 or later): pip install "
            "'muspy-core[schema]'",
            name="musicxml",
        )
    return str(path)
