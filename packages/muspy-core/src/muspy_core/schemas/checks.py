"""Files → passed or refused, by the schemas beside this module (last stage)."""

from __future__ import annotations

import functools
import importlib
import json
import os
from pathlib import Path
from typing import Any

from lxml import etree

from muspy_core.errors import JSONError, MusicXMLError, YAMLError
from muspy_core.io.files import read_bytes
from muspy_core.io.json import read_text_source
from muspy_core.io.musicxml.source import unzip_score
from muspy_core.io.xml import parse_xml
from muspy_core.io.yaml import parse_yaml
from muspy_core.schemas.paths import get_json_schema_path, get_musicxml_schema_path, get_yaml_schema_path

# What MusicXML's schema imports from the addresses of its two foreign namespaces, as far as MusicXML uses it.
_XML_NAMESPACE = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
  <xs:attribute name="lang" type="xs:language"/>
  <xs:attribute name="space">
    <xs:simpleType>
      <xs:restriction base="xs:NCName">
        <xs:enumeration value="default"/>
        <xs:enumeration value="preserve"/>
      </xs:restriction>
    </xs:simpleType>
  </xs:attribute>
</xs:schema>
"""
_XLINK_NAMESPACE = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/1999/xlink">
  <xs:attribute name="href" type="xs:anyURI"/>
  <xs:attribute name="type" type="xs:string" fixed="simple"/>
  <xs:attribute name="role" type="xs:token"/>
  <xs:attribute name="title" type="xs:token"/>
  <xs:attribute name="show">
    <xs:simpleType>
      <xs:restriction base="xs:string">
        <xs:enumeration value="new"/>
        <xs:enumeration value="replace"/>
        <xs:enumeration value="embed"/>
        <xs:enumeration value="other"/>
        <xs:enumeration value="none"/>
      </xs:restriction>
    </xs:simpleType>
  </xs:attribute>
  <xs:attribute name="actuate">
    <xs:simpleType>
      <xs:restriction base="xs:string">
        <xs:enumeration value="onRequest"/>
        <xs:enumeration value="onLoad"/>
        <xs:enumeration value="other"/>
        <xs:enumeration value="none"/>
      </xs:restriction>
    </xs:simpleType>
  </xs:attribute>
</xs:schema>
"""
_IMPORTED = {"xml.xsd": _XML_NAMESPACE, "xlink.xsd": _XLINK_NAMESPACE}


def validate_json(path: str | os.PathLike[str]) -> None:
    """Check a JSON file of music (.json or .json.gz) against the JSON schema.

    Raises JSONError that names the file, the place and the value if it does not conform.
    """
    name, data = read_text_source(path, None, JSONError)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise JSONError(f"{name}: not JSON: {error}") from None
    errors = _json_validator().iter_errors(content)
    found = _import("jsonschema").exceptions.best_match(errors)
    if found is not None:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in found.absolute_path).lstrip(".")
        raise JSONError(f"{name}: {place or 'the whole file'}: {_short(found.message)}") from None


def validate_yaml(path: str | os.PathLike[str]) -> None:
    """Check a YAML file of music (.yaml, .yml, .yaml.gz) against the YAML schema.

    Raises YAMLError that names the file, the place and the value if it does not conform.
    """
    yamale = _import("yamale")
    name, content = parse_yaml(path)
    if not isinstance(content, dict):
        raise YAMLError(f"{name}: the whole file: expected a mapping, got {type(content).__name__}")
    # Yamale takes what its own `make_data` returns: documents, each with its name.
    (result,) = yamale.validate(_yaml_schema(), [(content, name)], strict=False, _raise_error=False)
    if result.errors:
        more = f" (and {len(result.errors) - 1} more)" if len(result.errors) > 1 else ""
        raise YAMLError(f"{name}: {_short(result.errors[0])}{more}")


def validate_musicxml(path: str | os.PathLike[str]) -> None:
    """Check a MusicXML file (.musicxml, .xml or .mxl) against the MusicXML 4.0 schema.

    Raises MusicXMLError that names the file, the line and the reason if it does not conform.
    """
    schema = _musicxml_schema()
    name, data = Path(path).name, read_bytes(path)
    root = parse_xml(unzip_score(data, name) if data.startswith(b"PK") else data, name, MusicXMLError)
    if not schema.validate(root):
        errors = list(schema.error_log)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise MusicXMLError(f"{name}: line {errors[0].line}: {_short(errors[0].message)}{more}")


@functools.cache
def _json_validator() -> Any:
    schema = json.loads(Path(get_json_schema_path()).read_text(encoding="utf-8"))
    return _import("jsonschema").Draft7Validator(schema)


@functools.cache
def _yaml_schema() -> Any:
    return _import("yamale").make_schema(get_yaml_schema_path())


@functools.cache
def _musicxml_schema() -> Any:
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    parser.resolvers.add(_ImportedSchemas())
    return etree.XMLSchema(etree.parse(get_musicxml_schema_path(), parser))


class _ImportedSchemas(etree.Resolver):
    """Answers from memory what the schema would fetch from the network."""

    # lxml hands over a context, which its stubs do not know.
    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        """Return the schema of a foreign namespace; None lets the parser open its own file."""
        text = _IMPORTED.get(str(system_url).rpartition("/")[2])
        return None if text is None else self.resolve_string(text, context, base_url=None)


def _short(message: str) -> str:
    """A message on one line: some of them quote the whole piece."""
    text = " ".join(message.split())
    return text if len(text) <= 300 else f"{text[:150]} … {text[-140:]}"


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"this check needs the package {module}: pip install 'muspy-core[schema]' ({error})"
        raise ImportError(message, name=module) from None
