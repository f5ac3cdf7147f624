"""Figures of all rows → the results page in Markdown, ours beside the paper's (runs → docs)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muspy_core.runs import Figures, mean_sd, page_head, read_figures

from mmt.experiments import texts
from mmt.experiments.tables import BUNDLED, MODELS, PAPER, SEEDS, WHOLE, Paper

TITLES = {name: model.title for name, model in MODELS.items()} | {BUNDLED: "bundled model `default`"}
PAPER_NAMES = {"mmt": "MMT", "mmm": "MMM", "remi": "REMI+"}


def render(results: Path) -> str:
    """Return the page: the text written by hand, then every table."""
    tables = [_models, _coverage, _samples, _metrics, _validity, _infilling, _whole, _attention]
    lines = [line for table in tables for line in table(results)]
    return "\n".join([page_head("mmt"), *lines, *_opinions(), *_commands(results)])


def read(results: Path, table: str) -> dict[str, Figures]:
    """Return the figures of the rows of a table that there are, by row."""
    return read_figures(results / table)


# ---- tables


def _models(results: Path) -> list[str]:
    found = read(results, "models")
    lines = texts.MODELS.splitlines()
    for name in MODELS:
        rows = [found[key] for seed in SEEDS if (key := f"{name}-s{seed}") in found]
        if not rows:
            lines.append(f"| {TITLES[name]} | not run | | | |")
            continue
        values = [row["nll_note"] for row in rows]
        each = ", ".join(f"{value:.3f}" for value in values)
        parameters = rows[0]["training"]["parameters"]
        lines.append(f"| {TITLES[name]} | **{mean_sd(values, 3)}** | {len(rows)} | {parameters:,} | {each} |")
    return [*lines, "", *_difference(found)]


def _difference(found: dict[str, Figures]) -> list[str]:
    """Say what conditional heads gain, seed by seed."""
    gains = [
        found[f"parallel-s{seed}"]["nll_note"] - found[f"conditional-s{seed}"]["nll_note"]
        for seed in SEEDS
        if f"parallel-s{seed}" in found and f"conditional-s{seed}" in found
    ]
    if not gains:
        return []
    listed = ", ".join(f"{gain:+.3f}" for gain in gains)
    lower = sum(gain > 0 for gain in gains)
    gained = f"Conditional heads have the lower -log p in {lower} of {len(gains)} seeds"
    return [f"{gained}; what they gain, by seed: {listed} nats a note.", ""]


def _coverage(results: Path) -> list[str]:
    found = read(results, "coverage")
    if not found:
        return []
    lines = texts.COVERAGE.splitlines()
    for corpus, row in found.items():
        events = " | ".join(f"{row['events_per_note'][name]['mean']:.3f}" for name in PAPER_NAMES)
        if row["long_songs"]:
            beats = " | ".join(_interval(row["beats"][name], 1) for name in PAPER_NAMES)
            ratios = " | ".join(f"**{_interval(row['beats_of_mmt_by'][name], 2)}**" for name in ("mmm", "remi"))
        else:
            beats, ratios = " | | ", " | "
        lines.append(f"| {corpus} | {row['songs']} | {events} | {row['long_songs']} | {beats} | {ratios} |")
    return [*lines, ""]


def _samples(results: Path) -> list[str]:
    found = read(results, "samples")
    lines = texts.SAMPLES.splitlines()
    for name, title in TITLES.items():
        paper = _paper_of(name)
        published = f"{paper.length_s or ''} | {paper.speed or ''}"
        if name not in found:
            lines.append(f"| {title} | not run | | | | | {published} |")
            continue
        row = found[name]
        each = row["s_per_note"]
        uncached = "" if row["s_per_note_uncached"] is None else f"{row['s_per_note_uncached']:.4f}"
        lines.append(
            f"| {title} | {_interval(row['length_s'], 1)} | {_interval(row['notes'], 0)} | {row['notes_per_s']:.0f} | "
            f"{each['mean']:.4f} ± {each['half_width']:.4f} | {uncached} | {published} |"
        )
    return [*lines, ""]


def _metrics(results: Path) -> list[str]:
    found = read(results, "samples")
    lines = texts.METRICS.splitlines()
    if found:
        lines.append(f"| test songs | {_three(next(iter(found.values()))['truth'])} | | | | | |")
    for name, title in TITLES.items():
        if name not in found:
            lines.append(f"| {title} | not run | | | | | | | |")
            continue
        row = found[name]
        inside = f"{sum(row['within_sd'].values())} of 3"
        playing = "" if row["playing"] is None else f"{row['playing']:.1%}"
        lines.append(
            f"| {title} | {_three(row['samples'])} | {inside} | {row['nll_note']:.3f} | {row['bigram_nll_note']:.3f} | "
            f"{row['longest_copy']} notes | {playing} |"
        )
    for name, paper in PAPER.items():
        title = "paper: its test songs" if name == "truth" else f"paper: {PAPER_NAMES[name]}"
        lines.append(f"| {title} | {paper.entropy} | {paper.scale} | {paper.groove} | | | | | |")
    return [*lines, ""]


def _validity(results: Path) -> list[str]:
    found = read(results, "validity")
    faults = ("undecodable", "backwards", "duplicates", "undeclared", "unused", "empty", "bad_end", "crowded")
    lines = [
        *texts.VALIDITY.splitlines(),
        "",
        f"| | rules | songs | events | {' | '.join(fault.replace('_', ' ') for fault in faults)} |",
        "|---|---|---|---|" + "---|" * len(faults),
    ]
    for name, row in found.items():
        for rules in ("grammar", "published"):
            shares = " | ".join(f"{row[rules][fault]:.1%}" for fault in faults)
            lines.append(f"| {TITLES[name]} | {rules} | {row['samples']} | {row['length']} | {shares} |")
    if not found:
        lines.append("| not run |" + " |" * (len(faults) + 3))
    return [*lines, ""]


def _infilling(results: Path) -> list[str]:
    found = read(results, "infilling").get(BUNDLED)
    lines = texts.INFILLING.splitlines()
    if found is None:
        return [*lines, "| not run | | | | | | |", ""]
    for way, nats in found["nll_note"].items():
        worse = _interval(found["gain"][way], 3) if way in found["gain"] else ""
        differences = found["difference"][way]
        cells = [_interval(differences["pitch class entropy"], 3)]
        cells += [_interval(differences[name], 2, 100) for name in ("scale consistency", "groove consistency")]
        overlap = _interval(found["overlap"][way], 3)
        lines.append(f"| {way} | **{_interval(nats, 3)}** | {worse} | {overlap} | {' | '.join(cells)} |")
    first, last = found["span"]
    about = (
        f"{found['songs']} test songs, {found['notes']:,} notes in beats {first} to {last} of {found['beats']}; seed 0."
    )
    return [*lines, "", about, "", *_what_follows(found["gain"]["going on"])]


def _what_follows(gain: Figures) -> list[str]:
    """Say whether the music that follows the bars helps, where the interval says so."""
    if abs(gain["mean"]) <= gain["half_width"]:
        return []
    if gain["mean"] > 0:
        return ["What follows the bars helps: with it in view the model knows better what stands in them.", ""]
    return ["What follows the bars does not help this model: it knows better what stands in them from what was before "
            "alone. It has seen tasks in a third of a short training.", ""]  # fmt: skip


def _whole(results: Path) -> list[str]:
    found = read(results, "whole").get(WHOLE)
    lines = [*texts.WHOLE.splitlines(), ""]
    if found is None:
        return [*lines, "Not run yet.", ""]
    added = sum(found["fields"][name] for name in ("velocity", "tempo", "meter"))
    lines += [
        f"| {' | '.join(found['fields'])} | all |",
        "|---|" + "---|" * len(found["fields"]),
        f"| {' | '.join(f'{value:.3f}' for value in found['fields'].values())} | **{found['nll_note']:.3f}** |",
        "",
        f"{found['songs']} test songs, {found['counted_notes']:,} notes that it sees at once; {found['parameters']:,} "
        f"parameters, best of {found['steps']:,} steps. Velocity, tempo and time signature are {added:.3f} nats, "
        f"{added / found['nll_note']:.0%} of a note. In the first {found['beats']} beats of these songs "
        f"{found['events']:,} events stand for {found['notes']:,} notes, {found['drum_notes']:,} of them by drums; "
        f"without drums and the three fields it is {found['events_without']:,} events.",
        "",
    ]
    return lines


def _attention(results: Path) -> list[str]:
    found = read(results, "attention")
    lines = [*texts.ATTENTION.splitlines(), ""]
    if not found:
        return [*lines, "Not run yet.", ""]
    for name, row in found.items():
        heads = max(item["head"] for item in row["causal"])
        numbers = " | ".join(f"head {head}" for head in range(1, heads + 1))
        lines += [f"### {TITLES[name]}: {row['songs']} songs", ""]
        lines += [f"| claim: attends to | mean of heads | | {numbers} | full |", "|---|---|---|" + "---|" * (heads + 1)]
        for claim in dict.fromkeys(item["claim"] for item in row["causal"]):
            of_heads = [item for item in row["causal"] if item["claim"] == claim]
            full = next(item for item in row["full"] if item["claim"] == claim)
            mean = of_heads[0]
            interval = f"{mean['mean']:+.4f} ({mean['low']:+.4f} to {mean['high']:+.4f})"
            verdicts = " | ".join(item["verdict"] for item in of_heads[1:])
            lines.append(f"| {claim} | **{mean['verdict']}** | {interval} | {verdicts} | {full['verdict']} |")
        lines += [
            "",
            *(f"![Gain by {field}](figures/{name}-{field}.png)" for field in ("beat", "position", "pitch")),
            "",
        ]
    return lines


def _opinions() -> list[str]:
    lines = texts.OPINIONS.splitlines()
    lines += [
        f"| {PAPER_NAMES[name]} | {' | '.join(paper.opinions)} |" for name, paper in PAPER.items() if paper.opinions
    ]
    return [*lines, ""]


def _commands(results: Path) -> list[str]:
    lines = ["## Commands", ""]
    for table in ("models", "coverage", "samples", "validity", "infilling", "whole", "attention"):
        commands = dict.fromkeys(row["command"] for row in read(results, table).values())
        lines += [f"    {command}" for command in commands]
    return [*lines, ""]


# ---- cells


def _paper_of(name: str) -> Paper:
    return PAPER["mmt" if name == BUNDLED else MODELS[name].paper]


def _interval(estimate: Figures, digits: int, scale: float = 1.0) -> str:
    """A mean ± half of its interval; estimates of nothing are empty, and those of one song have no interval."""
    if not estimate["n"]:
        return ""
    mean = f"{scale * estimate['mean']:.{digits}f}"
    return mean if estimate["n"] < 2 else f"{mean} ± {scale * estimate['half_width']:.{digits}f}"


def _three(metrics: dict[str, Figures]) -> str:
    """The paper's three metrics, two of them in percent."""
    cells: Sequence[str] = [
        _interval(metrics["pitch_class_entropy"], 3),
        _interval(metrics["scale_consistency"], 2, 100),
        _interval(metrics["groove_consistency"], 2, 100),
    ]
    return " | ".join(cells)
