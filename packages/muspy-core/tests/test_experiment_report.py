"""From finished rows to matrices, rank correlations, verdicts on the paper's claims, and the page."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("matplotlib")

from muspy_core.experiments.__main__ import rows_of
from muspy_core.experiments.claims import CLAIMS, findings
from muspy_core.experiments.corpora import MONOPHONIC, NAMES
from muspy_core.experiments.report import render
from muspy_core.experiments.results import MIXED, TRAINED_ON, Results, rank_correlation, spearman
from muspy_core.experiments.rows import WINDOWS_SEEN

Nats = Callable[[str, str], float]


# A large set of many voices comes last.
BY_HOURS = [*(name for name in NAMES if name != "pop909"), "pop909", *MIXED]


def write_rows(folder: Path, nats: Nats, *, kinds: tuple[str, ...] = ("lstm",), seeds: tuple[int, ...] = (0,)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind, seed in itertools.product(TRAINED_ON, kinds, seeds):
        tests = {test: {"nll": nats(name, test) + 0.1 * seed, "published_axis": 6.4} for test in NAMES}
        place = TRAINED_ON.index(name)
        row = {"trained_on": name, "kind": kind, "seed": seed, "windows": WINDOWS_SEEN, "test": tests}
        row |= {"train_hours": 1.0 + BY_HOURS.index(name), "train_pieces": 100 - place}
        (folder / f"{name}-{kind}-{seed}.json").write_text(json.dumps(row))


def like_the_paper(trained_on: str, test: str) -> float:
    """What every claim would see if it held: the more hours, the harder a set and the better its model elsewhere."""
    own = 1.0 + 0.1 * BY_HOURS.index(test) + (0.0 if test in MONOPHONIC else 1.0)
    if trained_on == "unified":
        return own
    if trained_on == "stratified":
        return own + (0.3 if test == NAMES[0] else -0.1)  # the first has the most pieces
    if trained_on == test:
        return own
    cost = 0.2 + 0.3 * (len(NAMES) - 1 - BY_HOURS.index(trained_on))
    cost += 4.0 if trained_on in MONOPHONIC and test not in MONOPHONIC else 0.0
    cost += 3.0 if trained_on == "m21jsb" else 0.0
    cost += 5.0 if test == "freedoom" else 0.0
    return own + cost


def test_a_matrix_holds_means_over_seeds(tmp_path: Path) -> None:
    write_rows(tmp_path, like_the_paper, seeds=(0, 1, 2))
    results = Results.load(tmp_path, WINDOWS_SEEN)
    assert results.seeds("essen", "lstm") == [0, 1, 2]
    assert results.nats("essen", "lstm", "airds").tolist() == pytest.approx(
        [like_the_paper("essen", "airds") + shift for shift in (0, 0.1, 0.2)]
    )
    assert results.matrix("lstm").shape == (13, 11)
    assert results.matrix("lstm")[2, 5] == pytest.approx(like_the_paper("essen", "airds") + 0.1)
    assert results.overall("unified", "lstm") == pytest.approx(
        np.mean([like_the_paper("unified", test) for test in NAMES]) + 0.1
    )
    assert np.isnan(results.matrix("gru")).all()


def test_rows_of_another_length_are_not_mixed_in(tmp_path: Path) -> None:
    write_rows(tmp_path, like_the_paper)
    assert Results.load(tmp_path, WINDOWS_SEEN + 1).rows == {}


def test_excess_is_against_the_own_model_of_the_test_set(tmp_path: Path) -> None:
    write_rows(tmp_path, like_the_paper)
    excess = Results.load(tmp_path, WINDOWS_SEEN).excess("lstm")
    assert np.diag(excess).tolist() == [0] * 11
    essen, pop909 = NAMES.index("essen"), NAMES.index("pop909")
    expected = like_the_paper("essen", "pop909") - like_the_paper("pop909", "pop909")
    assert excess[essen, pop909] == pytest.approx(expected)


@pytest.mark.parametrize("n", [3, 5, 6])
def test_rank_correlation_agrees_with_scipy(n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    first, second = np.random.default_rng(n).random((2, n))
    found = rank_correlation(first, second)
    assert found.rho == pytest.approx(stats.spearmanr(first, second).statistic)
    orders = itertools.permutations(second)
    at_least = [stats.spearmanr(first, order).statistic >= found.rho - 1e-9 for order in orders]
    assert found.p == pytest.approx(np.mean(at_least))


def test_a_perfect_order_of_five_has_p_of_one_in_120() -> None:
    found = rank_correlation([1, 2, 3, 4, 5], [10, 20, 30, 40, 50])
    assert (found.rho, found.p) == (1.0, pytest.approx(1 / 120))
    assert math.isnan(rank_correlation([1, 2, math.nan], [1, 2, 3]).rho)
    assert spearman([1, 2, 3], [3, 2, 1]) == -1


def test_every_claim_is_recognised_where_it_holds(tmp_path: Path) -> None:
    write_rows(tmp_path, like_the_paper, kinds=("lstm", "rnn"))
    found = {finding.claim: finding for finding in findings(Results.load(tmp_path, WINDOWS_SEEN))}
    assert [finding.holds for finding in found.values()] == [True] * len(CLAIMS), found


def test_every_claim_is_denied_where_the_opposite_holds(tmp_path: Path) -> None:
    def opposite(trained_on: str, test: str) -> float:
        if trained_on in MIXED:
            return 4.0 + (0.1 if trained_on == "stratified" else 0.0)
        if trained_on == test:
            return 2.0 - 0.1 * NAMES.index(test)
        # The same both ways; the smallest set and chorales travel best, and game music is the easiest test.
        return 2.0 - 0.1 * NAMES.index(test) + (0.0 if test == "freedoom" else 0.1) + 0.01 * NAMES.index(trained_on)

    write_rows(tmp_path, opposite)
    verdicts = [finding.holds for finding in findings(Results.load(tmp_path, WINDOWS_SEEN))]
    # Without a second model nothing is said of tendencies.
    assert verdicts == [None] + [False] * (len(CLAIMS) - 1)


def test_missing_rows_are_said_to_be_missing(tmp_path: Path) -> None:
    assert {finding.holds for finding in findings(Results.load(tmp_path, WINDOWS_SEEN))} == {None}


def test_the_page_is_rendered_from_rows_again_and_again(tmp_path: Path) -> None:
    sections = ("state", "own", "hours", "matrix", "spread", "claims", "published", "upstream")
    page = tmp_path / "experiments.md"
    page.write_text("".join(f"<!-- begin {name} -->\n<!-- end {name} -->\n" for name in sections))
    kept = tmp_path / "results"
    write_rows(kept / "cross", like_the_paper, seeds=(0, 1))
    write_rows(kept / "upstream", like_the_paper)
    planned = [(table, row) for table in ("cross", "upstream") for row in rows_of(table, list(NAMES))]
    render(kept, tmp_path, planned)
    first = page.read_text(encoding="utf-8")
    assert "39 of 91 rows are there. Not reached:\n\n* Transformer, `clean`, seed 0: all\n" in first
    assert "| essen | monophonic | 3.0 | – | 1.250 ± 0.071 | – | – | 3.49 | 2 |" in first
    assert "holds" in first
    render(kept, tmp_path, planned)
    assert page.read_text(encoding="utf-8") == first
    assert {path.name for path in (tmp_path / "images").iterdir()} == {
        "perplexity-by-hours.svg",
        "perplexity-by-model.svg",
        "train-test.svg",
    }
