"""Types of the compiled XML parser, _tree.c (its elements are described in tree.py)."""

from xml.etree.ElementTree import Element

ABI: int

def parse(document: bytes, /) -> Element | None: ...
