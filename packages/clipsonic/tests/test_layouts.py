"""Folders as downloaders leave MUSIC and VGGSound → prepared clips, by the console script."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from clipsonic.cli import main
from clipsonic.clips import Clips
from clipsonic.features.queries import LabelEncoder
from clipsonic.prepare import prepare
from muspy_core.media import music
from sound_folders import tone

# The beginning of MUSIC's published list of solos.
LISTED = ("jW_AuF6dQYY", "3wPouBFa9U0", "eHbxLcoLWYY", "cTO_2R81fdY")


def test_music_is_found_by_its_ids_in_any_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {label: [f"{label}-{index:05d}" for index in range(10)] for label in ("flute", "cello")}
    for row, video in enumerate([*listed["flute"], *listed["cello"]]):
        folder = tmp_path / "music" / ("first" if row % 2 else "second")
        folder.mkdir(parents=True, exist_ok=True)
        tone(200.0 + 20 * row, 0.3).write(folder / f"{video}.wav")
    (tmp_path / "mine.json").write_text(json.dumps({"videos": listed}))
    arguments = ["prepare", str(tmp_path / "music"), "-o", str(tmp_path / "data"), "--layout", "music"]
    assert main([*arguments, "--ids", str(tmp_path / "mine.json"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["labels"] == ["cello", "flute"]
    # 9:1 by video as in the paper; one of the eighteen is set aside for validation.
    assert report["split"] == {"train": 17, "valid": 1, "test": 2}


def test_the_published_list_of_music_needs_no_copy(tmp_path: Path) -> None:
    for row, video in enumerate(LISTED):
        tone(300.0 + 50 * row, 0.3).write(tmp_path / f"{video}.wav")
    manifest = music(tmp_path).with_splits((0.75, 0.25), 0)
    clips = prepare(manifest, tmp_path / "data", LabelEncoder(8), progress=False).clips
    assert clips.labels == ("flute",)
    assert len(clips.clips) == len(LISTED)


def test_vggsound_keeps_the_published_split_and_its_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"video{index:06d}", 30 * index, ("playing violin fiddle", "dog barking, woof")[index % 2],
             "test" if index >= 36 else "train") for index in range(40)]  # fmt: skip
    (tmp_path / "cuts").mkdir()
    for row, (video, start, _, _) in enumerate(rows):
        tone(200.0 + 10 * row, 0.3).write(tmp_path / "cuts" / f"{video}_{start:06d}.wav")
    lines = [f'{video},{start},"{label}",{split}' for video, start, label, split in rows]
    (tmp_path / "vggsound.csv").write_text("\n".join([*lines, 'gonefromyou,10,"dog barking, woof",train']) + "\n")
    arguments = ["prepare", str(tmp_path / "cuts"), "-o", str(tmp_path / "data"), "--layout", "vggsound"]
    assert main([*arguments, "--ids", str(tmp_path / "vggsound.csv")]) == 0
    assert "prepared 40 clips of 2 labels" in capsys.readouterr().out
    clips = Clips.load(tmp_path / "data")
    splits = {Path(clip.name).stem[:11]: clip.split for clip in clips.clips}
    assert all((splits[video] == "test") == (split == "test") for video, _, _, split in rows)
    assert Counter(splits.values()) == {"train": 34, "valid": 2, "test": 4}
    assert clips.labels == ("dog barking, woof", "playing violin fiddle")


def test_vggsound_without_its_list_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cuts").mkdir()
    assert main(["prepare", str(tmp_path / "cuts"), "-o", str(tmp_path / "data"), "--layout", "vggsound"]) == 2
    assert "--ids vggsound.csv" in capsys.readouterr().err
