"""Tables → their rows, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mmt.checkpoint import bundled
from mmt.experiments.runs import Folders, Row, export_folder, model_rows
from mmt.experiments.tables import BUNDLED, MODELS, WHOLE

SHORT = {BUNDLED: (1000, 64), "parallel": (200, 96), "conditional": (200, 96)}  # samples, events, for faults


def rows_of(table: str, folders: Folders) -> Iterator[Row]:
    """Yield the rows of a table. Rows about models are those of models that are there."""
    if table == "models":
        yield from model_rows()
    elif table == "coverage":
        from mmt.experiments.coverage import corpora, measure_coverage

        for corpus in corpora(folders):
            yield Row(f"coverage/{corpus}.json", partial(measure_coverage, corpus))
    elif table == "infilling":
        from mmt.experiments.infilling import measure_infilling

        if BUNDLED in bundled():
            yield Row(f"infilling/{BUNDLED}.json", measure_infilling)
    elif table == "whole":
        from mmt.experiments.whole import measure_whole

        if WHOLE in bundled():
            yield Row(f"whole/{WHOLE}.json", measure_whole)
    else:
        yield from _rows_of_samples(table, folders)


def _rows_of_samples(table: str, folders: Folders) -> Iterator[Row]:
    from mmt.experiments.samples import measure_attention, measure_samples, measure_validity

    for name in trained(folders):
        if table == "samples":
            yield Row(f"samples/{name}.json", partial(measure_samples, name))
        elif name in SHORT and table == "validity":
            count, length = SHORT[name]
            yield Row(f"validity/{name}.json", partial(measure_validity, name, count=count, length=length))
        elif name in SHORT:
            yield Row(f"attention/{name}.json", partial(measure_attention, name))


def trained(folders: Folders) -> list[str]:
    """Return the names of the models that are there: the bundled one, and first trainings of those compared."""
    there = [BUNDLED] if BUNDLED in bundled() else []
    finished = [
        name for name, model in MODELS.items() if (export_folder(model, 0, folders.runs).parent / "finished").exists()
    ]
    return there + finished
