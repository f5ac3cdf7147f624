"""The figures and tables of chapter 2.4 over every data set that needs no download (Figs. 2.5–2.7).

    python -m muspy_core.analysis --data DATA     measure what is not yet measured, then render
    python -m muspy_core.analysis --render        render the page and its figures from the statistics kept

Statistics are kept as one small JSON file a data set.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from pathlib import Path

from muspy_core.analysis.chords import ChordRecall, measure_chords
from muspy_core.analysis.songs import measure_songs
from muspy_core.analysis.summary import Statistics, load_statistics, save_statistics, summarise
from muspy_core.console import positive, run_command
from muspy_core.datasets.catalogue.sources import open_dataset, source_of
from muspy_core.io.files import write_atomically

logger = logging.getLogger(__name__)

# Name → key of the catalogue, and the folder below --data; None: in the music21 wheel. Freedoom is a folder of files.
DATASETS: dict[str, tuple[str, str | None]] = {
    "m21jsb": ("music21-jsb", None),
    "music21": ("music21-without-bach", None),
    "essen": ("essen-music21", None),
    "oneill": ("oneills", None),
    "ryan": ("ryans", None),
    "airds": ("airds", None),
    "lieder": ("openscore-lieder", "openscore-lieder"),
    "quartets": ("openscore-quartets", "openscore-quartets"),
    "pop909": ("pop909", "pop909"),
    "freedoom": ("", "freedoom-midi"),
    "nottingham": ("nmd", "nottingham/ABC_cleaned"),
}
PAGES = Path("docs/muspy-core")
CHORDS = Path("results/chords/pop909.json")
# By which the price of a change of chord was chosen (see `chords.CHANGE`).
SONGS_OF_THE_CHOICE = 50


def main() -> int:
    """Parse the arguments, measure and render."""
    parser = argparse.ArgumentParser(prog="python -m muspy_core.analysis", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of downloaded data sets; without it the music21 wheel's")
    parser.add_argument("--pages", type=Path, default=PAGES, help="folder of the page, its figures and results")
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--render", action="store_true", help="measure nothing; only render what is kept")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run_command(lambda: _run(arguments), debug=arguments.debug)


def _run(arguments: argparse.Namespace) -> None:
    kept = arguments.pages / "results" / "analysis"
    if not arguments.render:
        for name in DATASETS:
            _measure(name, kept / f"{name}.json", arguments)
        _measure_chords(arguments.pages / CHORDS, arguments)
    statistics = [load_statistics(kept / f"{name}.json") for name in DATASETS if (kept / f"{name}.json").exists()]
    _render(statistics, arguments.pages)


def _measure_chords(path: Path, arguments: argparse.Namespace) -> None:
    key, folder = DATASETS["pop909"]
    if path.exists() or folder is None or arguments.data is None or not (arguments.data / folder).is_dir():
        return
    recall = measure_chords("pop909", source_of(open_dataset(key, arguments.data / folder)), SONGS_OF_THE_CHOICE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(dataclasses.asdict(recall)) + "\n", encoding="utf-8")
    logger.info("chords of pop909: recall %.3f on %d songs", recall.recall, recall.songs)


def _measure(name: str, path: Path, arguments: argparse.Namespace) -> None:
    key, folder = DATASETS[name]
    if path.exists() or (folder is not None and (arguments.data is None or not (arguments.data / folder).is_dir())):
        return
    root = None if folder is None else arguments.data / folder
    dataset = open_dataset(key, root) if key else open_dataset(str(root))
    path.parent.mkdir(parents=True, exist_ok=True)
    statistics = summarise(name, measure_songs(source_of(dataset), arguments.jobs))
    save_statistics(path, statistics)
    logger.info("%s: %d songs, %d cannot be read", name, statistics.songs, statistics.failed)


def _render(statistics: list[Statistics], pages: Path) -> None:
    from muspy_core.analysis.figures import save_figures
    from muspy_core.analysis.pages import analysis_tables, chord_table, replace_section

    save_figures(statistics, pages / "images")
    for name, text in analysis_tables(statistics).items():
        replace_section(pages / "analysis.md", name, text)
    if (pages / CHORDS).exists():
        recall = ChordRecall(**json.loads((pages / CHORDS).read_text(encoding="utf-8")))
        replace_section(pages / "analysis.md", "chords", chord_table(recall))
    logger.info("rendered %d data sets", len(statistics))


if __name__ == "__main__":
    raise SystemExit(main())
