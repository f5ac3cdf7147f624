"""Manifests: folders of real files, published layouts, three formats that read back equal, and kill -9."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from muspy_core import Audio
from muspy_core.errors import MediaError
from muspy_core.media import (
    Manifest,
    MediaItem,
    build_manifest,
    content_hash,
    esc50,
    find_media,
    music,
    vggsound,
    vggsound_clean,
)
from muspy_core.media.published import vggsound_classes

pytest.importorskip("av", reason="PyAV (muspy-core[media]) is not installed")
pytest.importorskip("PIL", reason="Pillow (muspy-core[media]) is not installed")

from media_samples import RATE, sine, write_video


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos, a sound, an image, a file that is cut off, one that is empty, and what is no media file."""
    from PIL import Image

    root = tmp_path_factory.mktemp("media")
    for name in ("violin", "acoustic_guitar"):
        (root / name).mkdir()
    write_video(root / "violin/b.mp4", seconds=1)
    write_video(root / "acoustic_guitar/a.webm", seconds=1, sound=np.zeros((1, 0), np.float32))
    Audio(sine(0.5), RATE).write(root / "violin/tone.wav")
    Image.new("RGB", (20, 10)).save(root / "picture.png")
    (root / "violin/cut.mp4").write_bytes((root / "violin/b.mp4").read_bytes()[:3000])
    (root / "violin/empty.mkv").write_bytes(b"")
    (root / "violin/readme.txt").write_text("no media")
    (root / ".hidden.mp4").write_bytes(b"")
    return root


class TestFolders:
    def test_every_file_is_described_or_named_with_its_fault(self, folder: Path) -> None:
        manifest = build_manifest(folder)
        assert [item.path for item in manifest] == [
            "acoustic_guitar/a.webm",
            "picture.png",
            "violin/b.mp4",
            "violin/tone.wav",
        ]
        assert [item.label for item in manifest] == ["acoustic guitar", None, "violin", "violin"]
        assert [item.kind for item in manifest] == ["video", "image", "video", "audio"]
        assert [item.has_audio for item in manifest] == [False, False, True, True]
        assert manifest[2].sha256 == content_hash(folder / "violin/b.mp4")
        assert (manifest[3].duration_s, manifest[3].sample_rate, manifest[3].fps) == (0.5, RATE, None)
        assert dict(manifest.failed) == {
            "violin/cut.mp4": "is no video or sound that can be decoded, or is damaged",
            "violin/empty.mkv": "the file is empty",
        }

    @pytest.mark.slow
    def test_processes_and_order_change_nothing(self, folder: Path) -> None:
        assert build_manifest(folder, n_jobs=2) == build_manifest(folder)

    def test_damage_within_is_found_by_decoding_all(self, folder: Path, tmp_path: Path) -> None:
        path = write_video(tmp_path / "early.mp4", options={"movflags": "faststart"})
        path.write_bytes(path.read_bytes()[:-3000])
        assert build_manifest(tmp_path).failed == ()
        ((name, reason),) = build_manifest(tmp_path, depth="whole").failed
        assert (name, "cut off" in reason or "truncated" in reason) == ("early.mp4", True)

    def test_items_give_sound_and_pictures(self, folder: Path) -> None:
        manifest = build_manifest(folder)
        clip = manifest.clip(2, sample_rate=16000, channels=1)
        assert (clip.label, clip.audio.sample_rate, clip.audio.frames) == ("violin", 16000, 16000)
        assert [frame.time_s for frame in manifest.frames(2, [0.2, 0.5])] == pytest.approx([0.2, 0.5])
        assert manifest.frames(2, 1, short_side=24, crop=24)[0].pixels.shape == (24, 24, 3)
        assert manifest.frames(1, 2)[1].pixels.shape == (10, 20, 3)

    def test_folders_without_media_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="no file in this folder"):
            find_media(tmp_path)
        with pytest.raises(OSError, match="no folder"):
            find_media(tmp_path / "nothing")


class TestResuming:
    def test_what_was_done_is_not_done_again(self, folder: Path, tmp_path: Path) -> None:
        root = shutil.copytree(folder, tmp_path / "media")
        whole = build_manifest(root)
        entry = {"stamp": list(stamp(root / "violin/b.mp4")), "error": "was looked at before"}
        line = json.dumps({"path": "violin/b.mp4", "depth": "header", "format": 1, **entry})
        (tmp_path / ".out.csv.journal").write_text(line + '\n{"path": "pict')  # the end of a killed process

        manifest = build_manifest(root, tmp_path / "out.csv")

        assert dict(manifest.failed)["violin/b.mp4"] == "was looked at before"
        assert len(manifest) == len(whole) - 1
        assert not (tmp_path / ".out.csv.journal").exists()

    def test_a_file_that_has_changed_is_looked_at_again(self, folder: Path, tmp_path: Path) -> None:
        root = shutil.copytree(folder, tmp_path / "media")
        entry = {"stamp": [1, 2], "error": "of another file"}
        line = json.dumps({"path": "violin/b.mp4", "depth": "header", "format": 1, **entry})
        (tmp_path / ".out.csv.journal").write_text(line + "\n")
        assert "violin/b.mp4" not in dict(build_manifest(root, tmp_path / "out.csv").failed)

    def test_a_manifest_that_exists_is_kept(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "out.csv").write_text("mine")
        with pytest.raises(FileExistsError):
            build_manifest(folder, tmp_path / "out.csv")
        assert (tmp_path / "out.csv").read_text() == "mine"

    @pytest.mark.slow
    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
    def test_kill_9_loses_at_most_the_file_at_hand(self, tmp_path: Path) -> None:
        root = tmp_path / "media"
        root.mkdir()
        first = write_video(root / "000.mp4", seconds=1)
        for number in range(1, 400):
            shutil.copy(first, root / f"{number:03}.mp4")
        program = "import sys; from muspy_core.media import build_manifest; build_manifest(*sys.argv[1:])"
        target, journal = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.journal"
        child = subprocess.Popen([sys.executable, "-c", program, str(root), str(target)])
        while not journal.exists() or journal.stat().st_size < 5000:
            assert child.poll() is None, "the scan ended before it could be killed"
            time.sleep(0.005)
        child.kill()
        child.wait()
        done = journal.read_text().count("\n")
        assert 0 < done < 400
        assert not target.exists()

        build_manifest(root, target)

        manifest = Manifest.read(target, root)
        assert len(manifest) == 400
        assert len({item.sha256 for item in manifest}) == 1


def stamp(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


names = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), min_size=1, max_size=20)
seconds = st.floats(0.001, 1e6, allow_nan=False)
items = st.builds(
    MediaItem,
    path=names.filter(str.strip),
    kind=st.sampled_from(["video", "audio", "image"]),
    label=st.none() | names,
    split=st.none() | names,
    group=st.none() | names,
    start_s=st.just(0.0) | st.floats(0, 1e-4),
    end_s=st.none() | seconds,
    duration_s=st.none() | seconds,
    fps=st.none() | seconds,
    width=st.none() | st.integers(1, 2**31),
    has_audio=st.none() | st.booleans(),
    size_bytes=st.none() | st.integers(0, 2**50),
)


class TestTables:
    @settings(max_examples=12)
    @given(st.lists(items, min_size=1, max_size=4))
    @pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
    def test_tables_read_back_equal(self, tmp_path_factory: pytest.TempPathFactory, suffix: str, rows: list) -> None:
        if suffix == ".parquet":
            pytest.importorskip("pyarrow", reason="Parquet needs pyarrow (muspy-core[arrow])")
        folder = tmp_path_factory.mktemp("table")
        manifest = Manifest(tuple(rows), folder)
        assert Manifest.read(manifest.write(folder / f"table{suffix}")) == manifest

    def test_the_four_columns_of_clipsep_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "train.csv").write_text("a/x.wav,frames/x,12,acoustic_guitar\nb/y.wav,frames/y,9,flute\n")
        manifest = Manifest.read(tmp_path / "train.csv")
        assert [(item.path, item.kind, item.label) for item in manifest] == [
            ("a/x.wav", "audio", "acoustic guitar"),
            ("b/y.wav", "audio", "flute"),
        ]

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", "colour,size\nred,1\n"),
            ("a.csv", "path,kind\nx.mp4,film\n"),
            ("a.csv", "path,width\nx.mp4,wide\n"),
            ("a.csv", "path,has_audio\nx.mp4,perhaps\n"),
            ("a.csv", "path,colour\nx.mp4,red\n"),
            ("a.csv", "path,kind\n,video\n"),
            ("a.csv", b"\xff\xfe\x00"),
            ("a.jsonl", "[1]\n"),
            ("a.jsonl", "{"),
            ("a.jsonl", '{"kind": "video"}\n'),
            ("a.parquet", "no parquet"),
            ("a.txt", "path\nx\n"),
        ],
    )
    def test_what_is_no_manifest_is_refused_with_its_name(self, tmp_path: Path, name: str, content: str) -> None:
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow", reason="Parquet needs pyarrow (muspy-core[arrow])")
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(MediaError, match=name):
            Manifest.read(tmp_path / name)

    def test_splits_keep_groups_together_and_do_not_depend_on_the_order(self) -> None:
        rows = [MediaItem(f"{video}-{cut}.mp4", group=str(video)) for video in range(50) for cut in range(3)]
        split = Manifest(tuple(rows)).with_splits([0.8, 0.1, 0.1], seed=3)
        assert {len({item.split for item in split if item.group == str(video)}) for video in range(50)} == {1}
        assert split.splits["train"] == 120
        random.Random(0).shuffle(rows)
        other = Manifest(tuple(rows)).with_splits([0.8, 0.1, 0.1], seed=3)
        assert {item.path: item.split for item in other} == {item.path: item.split for item in split}
        assert len(split.where(split="test")) == split.splits["test"]


class TestPublishedSets:
    def test_music_in_the_layout_of_its_users(self, tmp_path: Path) -> None:
        for name in ("solo/video/flute/jW_AuF6dQYY.mp4", "solo/video/tuba/-X4loU7hcpw.webm"):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).touch()
        (tmp_path / "solo/jW_AuF6dQYY.wav").touch()  # the video counts, not the sound taken out of it
        found = music(tmp_path)
        assert [(item.path, item.label) for item in found] == [
            ("solo/video/flute/jW_AuF6dQYY.mp4", "flute"),
            ("solo/video/tuba/-X4loU7hcpw.webm", "tuba"),
        ]
        assert len(found.missing) == 536 - 2
        with pytest.raises(MediaError, match="none of the 149"):
            music(tmp_path, "duet")

    def test_music_lists_of_ones_own(self, tmp_path: Path) -> None:
        (tmp_path / "abcdefghijk.mp4").touch()
        listed = {"version": 1.0, "videos": {"acoustic_guitar violin": ["abcdefghijk", "ABCDEFGHIJ_"]}}
        (tmp_path / "own.json").write_text(json.dumps(listed))
        found = music(tmp_path, ids=tmp_path / "own.json")
        assert [item.label for item in found] == ["acoustic guitar and violin"]
        assert found.missing == ("ABCDEFGHIJ_",)
        for bad in ("[]", '{"videos": {"a": ["short"]}}', "{", '{"videos": []}'):
            (tmp_path / "own.json").write_text(bad)
            with pytest.raises(MediaError, match=r"own\.json"):
                music(tmp_path, ids=tmp_path / "own.json")

    def test_vggsound_with_its_official_split(self, tmp_path: Path) -> None:
        table = tmp_path / "vggsound.csv"
        table.write_text(
            "---g-f_I2yQ,1,people marching,test\n--0PQM4-hqg,30,waterfall burbling,train\n"
            '--56QUhyDQM,185,"playing tennis",train\n-0jeONf82dE,87,"vehicle horn, car horn, honking",train\n'
        )
        for name in ("video/---g-f_I2yQ_000001.mp4", "audio/-/0/-0jeONf82dE.wav", "video/--0PQM4-hqg_000030.mp4"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        found = vggsound(tmp_path, table)
        assert [(item.label, item.split, item.kind, item.start_s) for item in found] == [
            ("people marching", "test", "video", 0.0),
            ("waterfall burbling", "train", "video", 0.0),
            ("vehicle horn, car horn, honking", "train", "audio", 0.0),
        ]
        assert found.missing == ("--56QUhyDQM",)
        videos = vggsound(tmp_path, table, files="videos")
        assert (videos[1].start_s, videos[1].end_s) == (30.0, 40.0)
        (tmp_path / "video" / "--56QUhyDQM_000185.mp4").touch()
        assert vggsound(tmp_path, table, music=True).labels == ("playing tennis",)
        assert "playing tennis" not in vggsound(tmp_path, table, music=False).labels
        with pytest.raises(MediaError, match="published at"):
            vggsound(tmp_path, tmp_path / "none.csv")
        table.write_text("a,b,c,d\nx,y,z,w\n")
        with pytest.raises(MediaError, match="row 2"):
            vggsound(tmp_path, table)

    def test_vggsound_clean_has_its_100_clips_of_71_classes(self, tmp_path: Path) -> None:
        from importlib import resources

        lists = resources.files("muspy_core.media") / "lists"
        rows = list(csv.DictReader((lists / "vggsound_clean.csv").read_text().splitlines()))
        for row in rows:
            (tmp_path / f"{row['id']}_000030.mp4").touch()
            (tmp_path / f"{row['id']}.wav").touch()
        found = vggsound_clean(tmp_path)
        assert (len(found), len(found.labels)) == (100, 71)
        assert (len(vggsound_clean(tmp_path, music=False)), len(vggsound_clean(tmp_path, music=False).labels)) == (
            75,
            53,
        )
        assert len(vggsound_classes()) == 309
        assert set(found.labels) <= set(vggsound_classes())
        counts = {"solo": 536, "duet": 149}
        listed = list(csv.DictReader((lists / "music.csv").read_text().splitlines()))
        assert {part: sum(row["part"] == part for row in listed) for part in counts} == counts
        assert {len(row["id"]) for row in listed} == {11}

    def test_esc50_in_the_layout_of_its_archive(self, tmp_path: Path) -> None:
        (tmp_path / "meta").mkdir()
        (tmp_path / "audio").mkdir()
        (tmp_path / "meta/esc50.csv").write_text(
            "filename,fold,target,category,esc10,src_file,take\n"
            "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
            "1-100038-A-14.wav,1,14,chirping_birds,False,100038,A\n"
            "5-9032-A-0.wav,5,0,dog,True,9032,A\n"
        )
        for name in ("1-100032-A-0.wav", "1-100038-A-14.wav"):
            Audio(sine(0.1), RATE).write(tmp_path / "audio" / name)
        found = esc50(tmp_path)
        assert [(item.label, item.split, item.group) for item in found] == [
            ("dog", "fold 1", "100032"),
            ("chirping birds", "fold 1", "100038"),
        ]
        assert found.missing == ("5-9032-A-0.wav",)
        described = build_manifest(found, tmp_path / "esc50.csv")
        assert described[1].duration_s == pytest.approx(0.1)
        assert described[1].label == "chirping birds"
        assert Manifest.read(tmp_path / "esc50.csv").items == described.items
        with pytest.raises(MediaError, match="ESC-50-master"):
            esc50(tmp_path / "audio")
