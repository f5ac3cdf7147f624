"""Types of the compiled parser, _midi.c (its tables are described in midi_tables.py)."""

ABI: int

def parse(data: bytes, spans: bytes, mode: int, tolerant: bool, /) -> tuple[bytearray, ...]: ...
