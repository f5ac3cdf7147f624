"""What files of music have to look like: a JSON schema, a YAML schema and the MusicXML schema, and checks against them.

The first two are made from the declarations of the data model (`description.py`) and lie beside this file; they accept
what MusPy and this package write, and tolerate keys that they do not know. MusicXML's own schema comes with the package
`musicxml`. All checks need the extra `[schema]`.
"""

from __future__ import annotations

from muspy_core.events import DEFAULT_SCHEMA_VERSION
from muspy_core.schemas.checks import validate_json, validate_musicxml, validate_yaml
from muspy_core.schemas.paths import get_json_schema_path, get_musicxml_schema_path, get_yaml_schema_path

__all__ = [
    "DEFAULT_SCHEMA_VERSION",
    "get_json_schema_path",
    "get_musicxml_schema_path",
    "get_yaml_schema_path",
    "validate_json",
    "validate_musicxml",
    "validate_yaml",
]
