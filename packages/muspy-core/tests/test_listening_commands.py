"""`muspy-core listening`: from folders of sounds to a table of means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from muspy_core.cli import main


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for system in ("ours", "baseline"):
        (tmp_path / system).mkdir()
        (tmp_path / system / "one.wav").write_bytes(f"{system} one".encode())
    return [str(tmp_path / "ours"), str(tmp_path / "baseline")]


def answered(key: Path, listeners: int) -> dict[str, list[dict[str, object]]]:
    """Answers of listeners who give "ours" 5 and "baseline" 2."""
    sounds = json.loads(key.read_text())["sounds"]
    return {
        "answers": [
            {"listener": f"l{i}", "question": 0, "sounds": [name], "value": 5 if sound["system"] == "ours" else 2}
            for i in range(listeners)
            for name, sound in sounds.items()
        ]
    }


def test_a_test_is_built_answered_and_reported(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listening", "build", *folders, "-o", str(tmp_path / "test")]) == 0
    printed = capsys.readouterr().out
    key = tmp_path / "test-key.json"
    assert str(key) in printed
    assert (tmp_path / "test/index.html").exists()
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers/a.json").write_text(json.dumps(answered(key, 3)))
    assert main(["listening", "report", str(key), str(tmp_path / "answers")]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["baseline", "2.00"]
    assert second.split()[:2] == ["ours", "5.00"]
    assert "3 answers of 3 listeners" in second


def test_reports_are_json_even_without_an_interval(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listening", "build", *folders, "-o", str(tmp_path / "test"), "--json"]) == 0
    key = Path(json.loads(capsys.readouterr().out)["key"])
    (tmp_path / "a.json").write_text(json.dumps(answered(key, 1)))
    assert main(["listening", "report", str(key), str(tmp_path / "a.json"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [(row["system"], row["mean"], row["low"]) for row in rows] == [("baseline", 2.0, None), ("ours", 5.0, None)]


def test_questions_come_from_a_file(folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = tmp_path / "test.yaml"
    questions.write_text('title: Which is better\nquestions:\n  - {kind: ab, text: "Which one?"}\n')
    assert main(["listening", "build", *folders, "-o", str(tmp_path / "test"), "--questions", str(questions)]) == 0
    assert "Which is better" in (tmp_path / "test/index.html").read_text()


def test_nothing_is_replaced_and_errors_are_one_line(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["listening", "build", *folders, "-o", str(tmp_path / "test")]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert main([*arguments, "--overwrite", "--seed", "1"]) == 0
    (tmp_path / "bad.json").write_text("{}")
    assert main(["listening", "report", str(tmp_path / "test-key.json"), str(tmp_path / "bad.json")]) == 2
    assert "bad.json: not answers" in capsys.readouterr().err
