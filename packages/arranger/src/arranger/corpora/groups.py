"""Related pieces of a corpus, written once into the file that the package carries (pieces → splits).

python -m arranger.corpora.groups bach
python -m arranger.corpora.groups openscore-quartets --source FOLDER
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from muspy_core.console import Parser, run_command
from muspy_core.io.files import write_atomically

from arranger.corpora.scores import read_music21_quartets, read_openscore_quartets
from arranger.corpus import corpus_of
from arranger.mixture import Piece
from arranger.splits import SAME_TUNE, related_groups, shared_tune, tune_fragments, work_groups, work_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = Parser(prog="python -m arranger.corpora.groups", description="Group the related pieces of a corpus.")
    parser.add_argument("corpus", help="its name")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="folder of its files")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return run_command(lambda: _run(options), debug=options.debug)


def _run(options: argparse.Namespace) -> int:
    groups, duplicates = groups_of(options.corpus, options.source)
    path = Path(str(resources.files("arranger") / "corpora" / f"{options.corpus}-groups.json"))
    with write_atomically(path) as temporary:
        temporary.write_text(as_json(options.corpus, groups, duplicates), encoding="utf-8")
    sys.stdout.write(f"wrote {path}: {len(groups)} groups\n")
    return 0


def groups_of(corpus: str, source: Path | None = None) -> tuple[list[list[str]], list[str]]:
    """Return the groups of a corpus, and the works that are left out because the music21 wheel has them."""
    if corpus == "openscore-quartets":
        pieces = read_openscore_quartets(source)
        duplicates = duplicate_works(pieces, read_music21_quartets())
        return work_groups([piece for piece in pieces if work_of(piece.name) not in duplicates]), duplicates
    pieces = corpus_of(corpus).read(source)
    return (work_groups if "quartets" in corpus else related_groups)(pieces), []


def duplicate_works(movements: Sequence[Piece], others: Sequence[Piece]) -> list[str]:
    """Return the works of which a movement shares its tune with one of the other pieces, sorted."""
    tunes = [tune_fragments(piece) for piece in others]
    return sorted(
        {
            work_of(movement.name)
            for movement in movements
            for own in [tune_fragments(movement)]
            if any(shared_tune(own, tune) >= SAME_TUNE for tune in tunes)
        }
    )


def as_json(corpus: str, groups: Sequence[Sequence[str]], duplicates: Sequence[str]) -> str:
    """Return the file's text, one group a line."""
    lines = ",\n".join(f"  {json.dumps(list(group))}" for group in groups)
    left_out = f' "duplicates": {json.dumps(list(duplicates))},\n' if duplicates else ""
    return f'{{\n "corpus": "{corpus}",\n{left_out} "groups": [\n{lines}\n ]\n}}\n'


if __name__ == "__main__":
    sys.exit(main())
