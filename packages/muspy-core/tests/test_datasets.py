"""Folders of scores, conversions that survive a kill, splits and views for networks."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core as m
import numpy as np
import pytest
from dataset_samples import Saved, piece
from hostile_server import serving
from hypothesis import given
from hypothesis import strategies as st
from muspy_core.datasets.base import ConcatDataset, Subset
from muspy_core.datasets.downloads import Remote, checksum
from muspy_core.datasets.folder import MusicDataset
from muspy_core.datasets.networks import TorchMusic, Windows, random_crop, stratified_sampler
from muspy_core.datasets.remote import RemoteFolderDataset
from muspy_core.datasets.splits import grouped_split, random_split, stratified_split
from muspy_core.datasets.windows import MusicWindows, RandomWindows, pianoroll_window
from strategies import muspy_notes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "songs"
    (root / "b").mkdir(parents=True)
    for number in range(12):
        piece(number).save_json(root / ("b" if number % 2 else ".") / f"{number:02d}.song")
    return root


def test_a_folder_is_read_in_the_order_of_its_paths(folder: Path) -> None:
    dataset = Saved(folder)
    assert len(dataset) == 12
    assert [music.metadata.title for music in dataset][:2] == ["piece 0", "piece 2"]
    assert sorted(path.name for path in folder.iterdir())[-1] == "b"


@pytest.mark.parametrize(
    ("n_jobs", "kind"),
    [
        *((1, kind) for kind in ("json", "yaml", "arrow")),
        (2, "arrow"),
        *(pytest.param(2, kind, marks=pytest.mark.slow) for kind in ("json", "yaml")),
    ],
)
def test_converted_pieces_equal_those_read_on_the_fly(folder: Path, kind: str, n_jobs: int) -> None:
    on_the_fly = list(Saved(folder))
    converted = Saved(folder, convert=True, kind=kind, n_jobs=n_jobs)  # type: ignore[arg-type] # parametrised
    assert list(converted) == on_the_fly
    assert list(Saved(folder)) == on_the_fly
    assert list(converted.on_the_fly()) == on_the_fly
    assert list(MusicDataset(folder / "_converted")) == on_the_fly
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("kind", ["json", "arrow"])
def test_bad_files_are_listed_and_the_rest_goes_on(folder: Path, kind: str) -> None:
    (folder / "03-bad.song").write_text("{")
    dataset = Saved(folder, convert=True, kind=kind)  # type: ignore[arg-type] # parametrised
    assert len(dataset) == 12
    assert [name for name, _ in dataset.report.failed] == ["03-bad.song"]
    assert "03-bad.song" in json.loads((folder / "_converted/conversion.json").read_text())["failed"][0][0]
    with pytest.raises(m.JSONError):
        Saved(folder).convert(kind, ignore_exceptions=False)  # type: ignore[arg-type] # parametrised


@pytest.mark.parametrize("kind", ["json", "yaml", "arrow"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_pieces_that_cannot_be_saved_are_listed_and_the_rest_goes_on(tmp_path: Path, kind: str, n_jobs: int) -> None:
    bad = m.Music(annotations=[m.Annotation(0, object())])
    report = Subset([piece(0), bad, piece(2)], range(3)).save(tmp_path, kind, n_jobs, verbose=False)
    assert report.names == ["0", "2"]
    assert [name for name, _ in report.failed] == ["1"]
    assert list(MusicDataset(tmp_path)) == [piece(0), piece(2)]
    with pytest.raises(m.MuspyError):
        Subset([bad], [0]).save(tmp_path / "again", kind, ignore_exceptions=False)


@pytest.mark.parametrize("first", ["json", "yaml", "arrow"])
@pytest.mark.parametrize("second", ["json", "yaml", "arrow"])
def test_another_conversion_replaces_the_first(folder: Path, first: str, second: str) -> None:
    dataset = Saved(folder, convert=True, kind=first)  # type: ignore[arg-type] # parametrised
    piece(99).save_json(folder / "00-new.song")
    dataset.convert(second, verbose=False)  # type: ignore[arg-type] # parametrised
    converted = list(dataset)
    assert converted == list(dataset.on_the_fly())
    assert len(converted) == 13


def test_an_interrupted_conversion_of_other_files_is_not_continued(folder: Path) -> None:
    class Stopped(Saved):
        def read(self, filename: Path) -> m.Music:
            if filename.name.startswith("08"):
                raise KeyboardInterrupt
            return super().read(filename)

    with pytest.raises(KeyboardInterrupt):
        Stopped(folder, convert=True)
    piece(99).save_json(folder / "00-new.song")
    assert list(Saved(folder, convert=True)) == list(Saved(folder).on_the_fly())


def test_converted_files_are_named_without_the_report(folder: Path) -> None:
    dataset = Saved(folder, convert=True)
    assert [path.name for path in dataset.get_converted_filenames()] == [f"{i:02d}.json" for i in range(12)]
    assert [path.name for path in dataset.convert("arrow").get_converted_filenames()] == ["music.arrow"]
    with pytest.raises(ValueError, match="kind"):
        MusicDataset(folder, "xml")  # type: ignore[arg-type] # unknown on purpose


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="song"):
        Saved(tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        Saved(tmp_path / "missing")
    with pytest.raises(ValueError, match="not converted"):
        Saved(tmp_path, use_converted=True)


SLOW_CONVERSION = """
import sys
from dataset_samples import Slow
from muspy_core.datasets import shards
shards.SECONDS = 0.1
Slow(sys.argv[1], convert=True, kind=sys.argv[2])
"""


@pytest.mark.parametrize("kind", ["json", "arrow"])
def test_a_killed_conversion_loses_at_most_what_it_was_doing(folder: Path, kind: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", SLOW_CONVERSION, str(folder), kind]
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    pattern = "[0-9]*.json" if kind == "json" else "shards/[0-9]*.arrow"
    while len(done := set((folder / "_converted").glob(pattern))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(done) >= 3
    assert not (folder / "_converted/.muspy.success").exists()
    before = {path: path.stat().st_mtime_ns for path in done}
    read = pieces_read(folder, done)
    resumed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    # Nothing that was there is read again, and it is what the others are joined to.
    assert not read & set(resumed.stdout.split())
    assert kind == "arrow" or all(path.stat().st_mtime_ns == at for path, at in before.items())
    assert list(Saved(folder)) == list(Saved(folder).on_the_fly())
    assert sorted(path.name for path in (folder / "_converted").iterdir() if path.is_dir()) == []


def pieces_read(folder: Path, done: set[Path]) -> set[str]:
    """The names of the raw files whose pieces are in converted files or shards."""
    spans = [[int(number) for number in path.stem.split("-")] for path in done]
    progress = folder / "_converted/shards/joined.json"
    if progress.exists():
        spans.append([0, json.loads(progress.read_text())["pieces"]])
    numbers = {number for first, *stop in spans for number in range(first, *(stop or [first + 1]))}
    names = [path.name for path in Saved(folder).get_raw_filenames()]
    return {names[number] for number in numbers}


def test_a_remote_folder_is_downloaded_extracted_and_read(folder: Path, tmp_path: Path) -> None:
    import shutil

    archive = Path(shutil.make_archive(str(tmp_path / "songs"), "zip", folder))
    with serving(archive.read_bytes(), "truncate") as server:

        class Remoted(RemoteFolderDataset, Saved):
            _sources = {  # noqa: RUF012 - MusPy's name and form
                "songs": Remote("songs.zip", server.url, archive.stat().st_size, checksum(archive, "sha256"))
            }

        with pytest.raises(RuntimeError, match="download_and_extract"):
            Remoted(tmp_path / "root")
        dataset = Remoted(tmp_path / "root", download_and_extract=True, cleanup=True)
        assert list(dataset) == list(Saved(folder))
        assert not dataset.source_exists()
        assert len(Remoted(tmp_path / "root", download_and_extract=True)) == 12


# --- splits --------------------------------------------------------------------------------------------------------


def parts_of(split: dict[str, list[int]]) -> Iterator[int]:
    for indices in split.values():
        yield from indices


def test_shares_that_sum_to_one_in_floats_are_accepted() -> None:
    split = random_split(10, (0.7, 0.2, 0.1), 0)
    assert {name: len(indices) for name, indices in split.items()} == {"train": 7, "test": 2, "validation": 1}
    assert sorted(parts_of(split)) == list(range(10))
    assert split == random_split(10, (0.7, 0.2, 0.1), 0)


@pytest.mark.parametrize("shares", [(0.5, 0.6), (0.5,), (1.2, -0.2), (0.25, 0.25, 0.25, 0.25)])
def test_other_shares_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"share|parts"):
        random_split(10, shares)


def test_groups_stay_together() -> None:
    groups = [i // 3 for i in range(100)]
    split = grouped_split(groups, (0.8, 0.1, 0.1), 1)
    assert sorted(parts_of(split)) == list(range(100))
    part_of = {index: name for name, indices in split.items() for index in indices}
    assert all(part_of[i] == part_of[j] for i in range(100) for j in range(100) if groups[i] == groups[j])
    assert 70 <= len(split["train"]) <= 90


def test_classes_keep_their_shares() -> None:
    split = stratified_split([0] * 90 + [1] * 10, (0.8, 0.2), 2)
    assert sum(index >= 90 for index in split["test"]) == 2
    assert len(split["test"]) == 20


def test_split_files_are_written_once_and_then_read(tmp_path: Path) -> None:
    dataset = Subset([piece(i) for i in range(10)], range(10))
    first = dataset.split(tmp_path / "split.json", 0.8, random_state=3)
    assert dataset.split(tmp_path / "split.json") == first
    with pytest.raises(ValueError, match="beyond"):
        Subset(dataset, [0]).split(tmp_path / "split.json")


# --- networks ------------------------------------------------------------------------------------------------------


def pitches(music: m.Music) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return music.tracks[0].notes.array["pitch"].astype(np.int64)


def test_a_data_set_becomes_one_for_each_part() -> None:
    dataset = Subset([piece(i) for i in range(10)], range(10))
    parts = dataset.to_pytorch_dataset(factory=pitches, splits=(0.8, 0.2), random_state=0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 8, "test": 2}
    assert isinstance(parts["train"], TorchMusic)
    assert parts["train"][0].shape == (5,)
    with pytest.raises(TypeError, match="exactly one"):
        dataset.to_pytorch_dataset()


def test_views_for_networks_can_be_sent_to_worker_processes(folder: Path) -> None:
    import pickle

    view = Saved(folder, convert=True, kind="arrow").to_pytorch_dataset(representation="pitch")
    assert np.array_equal(pickle.loads(pickle.dumps(view))[3], view[3])


@pytest.mark.parametrize("options", [{"representation": "note"}, {"factory": pitches}])
def test_tensorflow_gets_the_same_arrays(options: dict[str, Any]) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    dataset = Subset([piece(i) for i in range(10)], range(10))
    arrays = [array.numpy() for array in dataset.to_tensorflow_dataset(**options)]
    expected = dataset.to_pytorch_dataset(**options)
    assert all(array.dtype == np.float32 for array in arrays)
    assert all(np.array_equal(array, expected[i]) for i, array in enumerate(arrays))
    parts = dataset.to_tensorflow_dataset(**options, splits=(0.8, 0.2), random_state=0)
    assert {name: len(list(part)) for name, part in parts.items()} == {"train": 8, "test": 2}


def test_concatenated_data_sets_know_their_members() -> None:
    dataset = ConcatDataset([[piece(0), piece(1)], [], [piece(2)]])
    assert [music.metadata.title for music in dataset] == ["piece 0", "piece 1", "piece 2"]
    assert dataset.members.tolist() == [0, 0, 2]
    assert dataset[-1] == piece(2)


def test_signatures_are_those_of_muspy(muspy: ModuleType) -> None:
    for name in ("split", "to_pytorch_dataset", "to_tensorflow_dataset", "save"):
        theirs = inspect.signature(getattr(muspy.Dataset, name)).parameters
        ours = inspect.signature(getattr(m.Dataset, name)).parameters
        assert [(p.name, p.default) for p in theirs.values()] == [(p.name, p.default) for p in ours.values()], name
    for name in ("__init__", "convert", "read", "load", "on_the_fly", "use_converted"):
        theirs = inspect.signature(getattr(muspy.FolderDataset, name)).parameters
        ours = inspect.signature(getattr(m.FolderDataset, name)).parameters
        assert list(theirs)[: len(ours)] == list(ours)[: len(theirs)], name


def test_stratified_sampling_draws_every_data_set_equally_often() -> None:
    torch = pytest.importorskip("torch")
    sampler = stratified_sampler([0] * 990 + [1] * 10, torch.Generator().manual_seed(0))
    share = np.mean([index >= 990 for index in sampler])
    assert 0.45 < share < 0.55


def test_windows_cover_every_row_once() -> None:
    arrays = [np.arange(10), np.arange(3), np.arange(0), np.arange(4)]
    windows = Windows(arrays, 4, pad=-1)
    assert [window.tolist() for window in (windows[i] for i in range(len(windows)))] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, -1, -1],
        [0, 1, 2, -1],
        [0, 1, 2, 3],
    ]


def test_random_crops_depend_on_the_generator_alone() -> None:
    crop = random_crop(np.arange(100), 10, np.random.default_rng(5))
    assert crop.tolist() == random_crop(np.arange(100), 10, np.random.default_rng(5)).tolist()
    assert len(crop) == 10
    assert random_crop(np.arange(3), 5, np.random.default_rng(0), pad=0).tolist() == [0, 1, 2, 0, 0]


@given(
    music=st.builds(m.Music, tracks=st.lists(st.builds(m.Track, notes=st.lists(muspy_notes, max_size=5)), max_size=2)),
    start=st.integers(0, 90),
    length=st.integers(1, 40),
)
def test_a_window_of_a_piano_roll_is_its_rows(music: m.Music, start: int, length: int) -> None:
    expected = np.zeros((start + length, 128), np.uint8)
    if any(track.notes for track in music.tracks):
        roll = m.to_pianoroll_representation(music)[: start + length]
        expected[: len(roll)] = roll
    assert np.array_equal(pianoroll_window(music, start, length), expected[start:])


def test_windows_of_music_cover_every_step_once(tmp_path: Path) -> None:
    pieces = [piece(0), m.Music(), piece(1)]
    m.write_arrow(tmp_path / "music.arrow", pieces)
    windows = MusicWindows(m.read_arrow(tmp_path / "music.arrow"), 8)
    # 20 steps each: two windows and a half, which is filled up with silence.
    assert len(windows) == 6
    rolls = [np.concatenate([windows[i] for i in range(first, first + 3)]) for first in (0, 3)]
    for roll, music in zip(rolls, (pieces[0], pieces[2]), strict=True):
        assert np.array_equal(roll[:20], m.to_pianoroll_representation(music)[:20])
        assert not roll[20:].any()
    with pytest.raises(IndexError):
        windows[6]


def test_random_windows_depend_on_seed_epoch_and_piece_alone() -> None:
    def starts(windows: RandomWindows) -> list[int]:
        return [windows[index] for index in range(len(windows))]

    pieces = [piece(number) for number in range(40)]
    windows = RandomWindows(pieces, 4, 0, encode=lambda music, start, length: start)
    first = starts(windows)
    assert first == [windows[index] for index in range(40)] == starts(RandomWindows(pieces, 4, 0, windows.encode))
    assert set(first) == set(range(17))
    windows.set_epoch(1)
    assert starts(windows) != first
    assert RandomWindows([m.Music()], 4, 0)[0].shape == (4, 128)
