"""Figures → docs/clipsep/results.md (the end of the experiments). What has not been run is named, not left out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from muspy_core.runs import mean_sd, page_head, read_figures

from clipsep.experiments import combinations
from clipsep.experiments.runs import METRICS, runs_of
from clipsep.experiments.stems import instruments
from clipsep.experiments.tables import TABLES, Row
from clipsep.metrics import bootstrap_interval

TITLES = {
    "labels": "Labels, texts and no query",
    "shift": "Noise invariant training and the shift of queries",
    "sweep": "The regulariser of the noise heads",
    "fusion": "Where the query enters",
    "finetune": "Noisy first, clean afterwards",
    "more": "Further variants",
}

COMBINATIONS = (
    "By the bundled model, SI-SDR, mean ± standard error over mixtures; the interval is a paired bootstrap. Two of "
    "three instruments: the sum of masks is best; two wordings of one: the greatest mask is, or their mean vector. "
    "`separate` cannot know which of both is meant, so that `max` stays the default. A negative query neither helped "
    "nor harmed."
)


def render(results: Path) -> str:
    """Return the page as Markdown. results: folder of the figures."""
    published = (resources.files("clipsep.experiments") / "published.md").read_text(encoding="utf-8")
    parts = [page_head("clipsep").rstrip("\n"), ""]
    for table, title in TITLES.items():
        parts += [f"## {title}", "", *_table(table, results), *_details(table, results)]
        if table == "shift":
            parts += _gap(results)
        parts += _missing(table, results)
    parts += ["## Two sounds at once, and one without another", "", COMBINATIONS, "", *_combinations(results)]
    return "\n".join([*parts, published])


def _combinations(results: Path) -> list[str]:
    found = read_figures(results, combinations.FILE)
    return combinations.page(next(iter(found.values()))) if found else ["Nothing of this table has been run yet.", ""]


def _found(table: str, row: Row, results: Path) -> list[dict[str, Any]]:
    return list(read_figures(results / table / row.name, "s*.json").values())


def _table(table: str, results: Path) -> list[str]:
    lines = ["| | steps | asked by | SNR | SI-SDR | SDR | SI-SDR gain | seeds | n |", f"|{'---|' * 9}"]
    first: dict[str, Any] | None = None
    for row in TABLES[table]:
        found = _found(table, row, results)
        if not found:
            continue
        first = first or found[0]
        for kind in found[0]["asked"]:
            made = [figures["asked"][kind] for figures in found]
            cells = [_mean([figures[metric]["mean"] for figures in made if metric in figures]) for metric in METRICS]
            gain = _mean([figures["si_sdr_gain"]["mean"] for figures in made])
            steps = found[0]["training"]["steps"]
            lines.append(
                f"| {row.title} | {steps:,} | {kind} | {' | '.join(cells)} | {gain} | {len(found)} | {found[0]['n']} |"
            )
    if first is None:
        return ["Nothing of this table has been run yet.", ""]
    for name, title in (("mixture", "mixture"), ("half", "mixture, halved"), ("oracle", "true binary mask")):
        values = first["baselines"][name]
        cells = [_mean([values[metric]["mean"]] if metric in values else []) for metric in METRICS]
        gain = values["si_sdr"]["mean"] - first["baselines"]["mixture"]["si_sdr"]["mean"]
        lines.append(f"| *{title}* | | | {' | '.join(cells)} | {gain:+.2f} | | {first['n']} |")
    return [*lines, ""]


def _mean(values: Sequence[float]) -> str:
    """Mean, and standard deviation of several; – if nothing was measured."""
    return mean_sd(values, 2) if values else "–"


def _details(table: str, results: Path) -> list[str]:
    """Of each row's first seed: pairs of one family and of two, medians, and what is asked for and not there."""
    families = {instrument.name: instrument.family for instrument in instruments()}
    lines = []
    for row in TABLES[table]:
        for figures in _found(table, row, results)[:1]:
            kind = row.asked[0]
            asked, told = figures["asked"][kind], []
            for title, same in (("one family", True), ("two families", False)):
                gains = [gain for pair, gain in asked.get("pairs", {}).items() if _related(pair, families) == same]
                told += [f"{title} {np.mean(gains):+.2f} dB ({len(gains)} pairs)"] if gains else []
            if "median" in asked["si_sdr_gain"]:
                told.append(f"median of all mixtures {asked['si_sdr_gain']['median']:+.2f} dB")
            if "absent" in figures:
                absent = figures["absent"]
                share = f"at most -15 dB in {absent['share_hardly_heard']:.0%}"
                level = f"{absent['median_db']:.1f} dB beside the mixture (median; {share} of {absent['n']})"
                told.append(f"asked for a class that is not there, the result is {level}")
            lines.append(f"* {row.title}, SI-SDR gain by {kind}: {'; '.join(told)}. `{figures.get('command', '')}`")
    return [*lines, ""] if lines else []


def _related(pair: str, families: dict[str, str]) -> bool:
    target, other = pair.split(" | ")
    return families[target] == families[other]


def _gap(results: Path) -> list[str]:
    """The transfer gap (matched minus shifted query) of both, and the paired difference of the gaps."""
    gaps = {}
    for row in TABLES["shift"]:
        found = _found("shift", row, results)
        gaps[row.name] = {
            figures["seed"]: np.subtract(figures["asked"]["caption"]["gains"], figures["asked"]["name"]["gains"])
            for figures in found
        }
    seeds = sorted(set(gaps["clipsep"]) & set(gaps["nit"]))
    if not seeds:
        return []
    clipsep, nit = (np.concatenate([gaps[name][seed] for seed in seeds]) for name in ("clipsep", "nit"))
    low, high = bootstrap_interval(clipsep - nit, np.random.default_rng(0))
    interval = f"paired bootstrap over mixtures and seeds, 95 %: {low:+.2f} to {high:+.2f}"
    larger = f"{np.mean(clipsep - nit):+.2f} dB ({interval})"
    return [
        f"Transfer gap (caption - name, SI-SDR, {len(seeds)} seeds): CLIPSep {clipsep.mean():+.2f} dB, NIT "
        f"{nit.mean():+.2f} dB. The gap of CLIPSep is larger by {larger}.",
        "",
    ]


def _missing(table: str, results: Path) -> list[str]:
    left = [f"{run.row.name} s{run.seed}" for run in runs_of(table) if not run.result(results).exists()]
    if not left:
        return []
    command = f"`python -m clipsep.experiments --table {table} --budget-min N` goes on with them."
    return [f"Not run yet: {', '.join(left)}. {command}", ""]
