"""`python -m muspy_core.schemas` writes the schema files anew after a change of the data model."""

from __future__ import annotations

from pathlib import Path

from muspy_core.schemas.description import json_schema_text, yaml_schema_text
from muspy_core.schemas.paths import get_json_schema_path, get_yaml_schema_path

if __name__ == "__main__":
    Path(get_json_schema_path()).write_text(json_schema_text(), encoding="utf-8")
    Path(get_yaml_schema_path()).write_text(yaml_schema_text(), encoding="utf-8")
