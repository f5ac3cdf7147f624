"""Tables → their rows, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Iterator

from mmt.experiments.runs import Row, model_rows


def rows_of(table: str) -> Iterator[Row]:
    """Yield the rows of a table."""
    return {"models": model_rows}[table]()
