"""Rows are done once, trainings go on where they were cut off, and the page is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from muspy_core.runs import Experiments, do_missing, mean_sd, read_figures, train_once, write_figures


def test_rows_that_have_figures_are_left_and_the_budget_ends_the_work(tmp_path: Path) -> None:
    write_figures(tmp_path / "a.json", {"value": 1})
    measured = []

    def measure(row: str) -> dict[str, int]:
        measured.append(row)
        return {"value": len(measured)}

    def done(budget_s: float) -> list[str]:
        rows = do_missing("abc", lambda row: tmp_path / f"{row}.json", measure, budget_s, lambda row, _: row)
        return list(rows)

    assert done(0) == []
    assert done(60) == ["b", "c"]
    assert done(60) == []
    assert measured == ["b", "c"]
    assert read_figures(tmp_path, "[ac].json") == {"a": {"value": 1}, "c": {"value": 2}}


def test_a_training_goes_on_from_its_last_checkpoint_and_is_done_once(tmp_path: Path) -> None:
    calls: list[Sequence[str]] = []

    def cut_off(arguments: Sequence[str]) -> int:
        calls.append(arguments)
        (tmp_path / "checkpoints").mkdir()
        (tmp_path / "checkpoints" / "last.ckpt").touch()
        raise KeyboardInterrupt

    def whole(arguments: Sequence[str]) -> int:
        calls.append(arguments)
        return 0

    with pytest.raises(KeyboardInterrupt):
        train_once(tmp_path, cut_off, ["-c", "small"])
    for _ in range(2):
        train_once(tmp_path, whole, ["-c", "small"])
    assert len(calls) == 2
    assert list(calls[1][-2:]) == ["--ckpt_path", str(tmp_path / "checkpoints" / "last.ckpt")]


def test_means_have_a_deviation_where_there_are_several() -> None:
    assert mean_sd([1.25], 1) == "1.2"
    assert mean_sd([1.0, 3.0], 2) == "2.00 ± 1.41"
    assert mean_sd([1.0], 1, "+") == "+1.0"


def test_the_command_does_rows_writes_the_page_and_its_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiments = Experiments(
        "package",
        ("first", "second"),
        lambda options: iter([f"{options.table} {options.budget_s:g} {options.extra}"]),
        lambda results: f"# {results.name}\n",
        lambda results: {"picture": "<svg/>"},
        lambda parser: parser.add_argument("--extra"),
        lambda options: iter(["at last"]),
    )
    page = tmp_path / "results.md"
    given = ["--table", "second", "--budget-min", "2", "--extra", "x", "--render", "--page", str(page)]
    assert experiments.main([*given, "--results", str(tmp_path / "figures-of-rows")]) == 0
    assert capsys.readouterr().out.splitlines() == ["second 120 x", f"wrote {page}", "at last"]
    assert page.read_text(encoding="utf-8") == "# figures-of-rows\n"
    assert (tmp_path / "figures" / "picture.svg").read_text(encoding="utf-8") == "<svg/>"
    with pytest.raises(SystemExit):
        experiments.main(["--table", "third"])
