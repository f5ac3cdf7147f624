"""`mmt samples`: a song of every mode, and the page that leads to them."""

from __future__ import annotations

import json
from pathlib import Path

import muspy_core
import pytest
import torch
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.generate import Options
from mmt.model import MMT
from mmt.notes import music_of, notes_of
from mmt.samples_commands import samples
from test_encoding import rows


def model(tasks: bool) -> MMT:
    torch.random.manual_seed(0)
    return MMT(MMTConfig(dim=64, depth=1, max_length=128, tasks=tasks)).eval()


def piece() -> muspy_core.Music:
    return music_of(rows(*((beat, 0, pitch + beat % 5, 12, program)
                           for beat in range(24) for pitch, program in ((72, 40), (48, 42)))))  # fmt: skip


def test_every_mode_has_a_song() -> None:
    made = {sample.name: sample for sample in samples(model(tasks=True), Options(length=20), piece())}
    assert list(made) == ["nothing", "instruments", "piece", "continued", "filled-in", "harmonised"]
    before = notes_of(piece())
    kept = notes_of(made["filled-in"].music)
    outside = before[(before[:, 0] < 8) | (before[:, 0] >= 16)]  # bars 3 and 4 are beats 8 to 15
    assert {tuple(row) for row in outside} <= {tuple(row) for row in kept}
    melody = [row for row in before.tolist() if row[4] == 40]
    harmonised = notes_of(made["harmonised"].music).tolist()
    assert [row for row in harmonised if row[4] == 40] == melody
    assert {row[4] for row in harmonised} <= {0, 40}


def test_a_model_without_tasks_has_the_other_modes() -> None:
    names = [sample.name for sample in samples(model(tasks=False), Options(length=20), piece())]
    assert names == ["nothing", "instruments", "piece", "continued"]


@pytest.mark.slow
def test_a_page_leads_to_the_songs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("verovio")
    model(tasks=False).save_pretrained(tmp_path / "model")
    piece().write(tmp_path / "piece.mid")
    given = ["samples", "--model", str(tmp_path / "model"), "-o", str(tmp_path / "out"), "--length", "20"]
    assert main([*given, "--piece", str(tmp_path / "piece.mid"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [Path(song["file"]).name for song in report["songs"]][-1] == "04-continued.mid"
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "03-piece.html" in index
    assert main(given) == 2
    assert "--overwrite" in capsys.readouterr().err
