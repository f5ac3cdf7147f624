"""The data model → a JSON schema and a YAML schema (fields → schemas).

Every class is described once, from the same declarations that its own checks use, so that a file passes exactly if the
music in it is valid. What MusPy's files always have is required: program and is_drum of a track, and of an event all
that has no default or a default other than None.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

from muspy_core.base import Base, Field
from muspy_core.events import DEFAULT_SCHEMA_VERSION, Event, MidiMessage
from muspy_core.music import Music, Track

# Yamale knows inclusive bounds only; this is the smallest number above 0.
_ABOVE_ZERO = 5e-324
_HEXADECIMAL = "^([0-9a-fA-F]{2})*$"
_JSON_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
_YAML_TYPES = {int: "int", float: "num", str: "str", bool: "bool"}


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of saved music, draft 07."""
    first, *others = _classes(Music)
    whole = _json_class(first)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Music, schema version {DEFAULT_SCHEMA_VERSION}",
        **whole,
        "description": "A piece of music as MusPy and muspy-core save it. Times and durations are in time steps.",
        "definitions": {cls.__name__: _json_class(cls) for cls in others},
    }


def json_schema_text() -> str:
    """Return the JSON schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def yaml_schema_text() -> str:
    """Return the YAML schema of saved music in the language of Yamale, as the text of its file."""
    head = f"# Music as MusPy and muspy-core save it, schema version {DEFAULT_SCHEMA_VERSION}; a schema for Yamale.\n"
    first, *others = _classes(Music)
    parts = [head + _yaml_class(first, "")]
    parts += [f"{cls.__name__}:\n{_yaml_class(cls, '  ')}" for cls in others]
    return "\n---\n\n".join(parts)


def _classes(cls: type[Base], found: dict[type[Base], None] | None = None) -> list[type[Base]]:
    """Return a class and all classes of its fields, each once."""
    found = {} if found is None else found
    if cls not in found:
        found[cls] = None
        for field in cls._fields:
            if field.holds_objects:
                _classes(field.type, found)
    return list(found)


def _is_required(cls: type[Base], field: Field) -> bool:
    if cls is Track:
        return not field.optional
    return issubclass(cls, Event) and not _may_be_missing(cls, field)


def _may_be_missing(cls: type[Base], field: Field) -> bool:
    """Whether None is among the values of a field."""
    if not field.optional:
        return False
    return field.is_list or inspect.signature(cls).parameters[field.name].default is None


def _json_class(cls: type[Base]) -> dict[str, Any]:
    required = [field.name for field in cls._fields if _is_required(cls, field)]
    described: dict[str, Any] = {
        "description": (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " "),
        "type": "object",
        "properties": {field.name: _json_field(cls, field) for field in cls._fields},
    }
    return {**described, "required": required} if required else described


def _json_field(cls: type[Base], field: Field) -> dict[str, Any]:
    if field.type is object:
        return {}
    item = _json_item(cls, field)
    if field.is_list:
        item = {"type": "array", "items": item}
    if not _may_be_missing(cls, field):
        return item
    if "enum" in item:
        item["enum"].append(None)
    return {**item, "type": [item["type"], "null"]}


def _json_item(cls: type[Base], field: Field) -> dict[str, Any]:
    if field.holds_objects:
        return {"$ref": f"#/definitions/{field.type.__name__}"}
    if cls is MidiMessage and field.type is bytes:
        return {"type": "string", "pattern": _HEXADECIMAL}
    item: dict[str, Any] = {"type": _JSON_TYPES[_first_type(field)]}
    bounds = {"minimum": field.low, "maximum": field.high, "exclusiveMinimum": field.above}
    item.update({name: bound for name, bound in bounds.items() if bound is not None})
    return {**item, "enum": list(field.words)} if field.words else item


def _yaml_class(cls: type[Base], indent: str) -> str:
    return "".join(f"{indent}{field.name}: {_yaml_field(cls, field)}\n" for field in cls._fields)


def _yaml_field(cls: type[Base], field: Field) -> str:
    if field.type is object:
        return "any(required=False)" if field.optional else "any()"
    required = _is_required(cls, field)
    missing = [] if required else ["required=False"] if _may_be_missing(cls, field) else ["required=False, none=False"]
    if field.is_list:
        return f"list({', '.join([_yaml_item(cls, field, []), *missing])})"
    return _yaml_item(cls, field, missing)


def _yaml_item(cls: type[Base], field: Field, options: list[str]) -> str:
    if field.holds_objects:
        return f"include({', '.join([repr(field.type.__name__), *options])})"
    if cls is MidiMessage and field.type is bytes:
        return f"regex({', '.join([repr(_HEXADECIMAL), *options])})"
    if field.words:
        return f"enum({', '.join([*map(repr, field.words), *options])})"
    low = _ABOVE_ZERO if field.above == 0 else field.low
    bounds = [f"{name}={bound}" for name, bound in (("min", low), ("max", field.high)) if bound is not None]
    return f"{_YAML_TYPES[_first_type(field)]}({', '.join([*bounds, *options])})"


def _first_type(field: Field) -> type:
    first: type = field.type[0] if isinstance(field.type, tuple) else field.type
    return first
