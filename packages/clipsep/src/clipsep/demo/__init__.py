"""A duet that comes with the package, and its separation: what `clipsep demo` does (installation → something to hear).

The music is the beginning of Théodore Gouvy's string quartet op. 16 no. 1 (score: OpenScore, CC0), its first violin played
by a flute, viola and cello by a piano, both of the SoundFont FluidR3 GM (MIT). The recording is CC0. The bundled model has
heard neither the piece nor these instruments. `python -m clipsep.experiments.demo` makes the file again.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from muspy_core.console import check_writable

from clipsep.output import Targets, separate_file
from clipsep.query import Query
from clipsep.separate import Separator

DUET = Path(__file__).parent / "duet.flac"
LABELS = ("flute", "piano")


def separate_duet(separator: Separator, folder: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write the duet, its two instruments, the residual and a page into a folder; return what a JSON report holds.

    Raises OSError for files that exist or cannot be written, QueryError for a model that does not know the two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / DUET.name
    check_writable(copy, overwrite=overwrite)
    stems = tuple(folder / f"{label}.wav" for label in LABELS)
    targets = Targets(stems, folder / "residual.wav", folder / "report.html")
    queries = [Query.of_text(label) for label in LABELS]
    details = separate_file(separator, DUET, queries, targets, overwrite=overwrite)
    shutil.copyfile(DUET, copy)
    return {"mixture": str(copy), **details}
