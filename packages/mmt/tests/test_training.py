"""From folders of scores to a trained model: preparation, windows, batches, schedule, and `mmt fit`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmt.baselines import mmm, remi
from mmt.checkpoint import load_checkpoint
from mmt.cli import main
from mmt.config import MMTConfig
from mmt.data import Collate, SongDataModule, Window, encode_window
from mmt.encoding import NOTE
from mmt.extending import extend
from mmt.fit import CONFIGS
from mmt.notes import EncodingError, music_of, notes_of
from mmt.prepare import fingerprint, prepare, related, split_of
from mmt.songs import Songs, load_split, save_split
from mmt.training import MMTModule
from test_encoding import rows


def tune(seed: int, beats: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rows(*((beat, 6 * half, int(rng.integers(50, 80)), 6, program)
                  for beat in range(beats) for half in (0, 1) for program in (0, 40)))  # fmt: skip


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 short pieces in MIDI and MusicXML, one that is too short, and one that is damaged."""
    folder = tmp_path_factory.mktemp("scores")
    for index in range(24):
        (folder / f"work-{index // 2}").mkdir(exist_ok=True)
        music_of(tune(index)).write(
            folder / f"work-{index // 2}" / f"piece-{index}.{'mid' if index % 3 else 'musicxml'}"
        )
    music_of(tune(99, beats=4)).write(folder / "short.mid")
    (folder / "damaged.mid").write_bytes(b"MThd and nothing else")
    return folder


@pytest.fixture(scope="module")
def prepared(scores: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared songs of that folder."""
    folder = tmp_path_factory.mktemp("data")
    prepare([scores], folder, progress=False)
    return folder


# --- preparation -----------------------------------------------------------------------------------------------------


def test_scores_become_songs_and_what_cannot_be_used_is_named(scores: Path, tmp_path: Path) -> None:
    result = prepare([scores], tmp_path, group_depth=2, progress=False)
    assert len(result.songs) == 24
    assert [Path(name).name for name, _ in result.failed] == ["damaged.mid"]
    assert [Path(name).name for name, _ in result.left_out] == ["short.mid"]
    songs = Songs.load(tmp_path)
    name = next(name for name in songs.names if name.endswith("piece-1.mid"))
    assert songs[songs.names.index(name)].tolist() == notes_of(music_of(tune(1))).tolist()
    for names in load_split(tmp_path).values():
        works = [Path(name).parent for name in names]
        assert all(works.count(work) == 2 for work in works)  # movements of a work stay together


def test_transposed_copies_stay_on_one_side_of_the_split() -> None:
    higher = tune(0)
    higher[:, 2] += 3
    songs = Songs.of([(f"song-{seed}", tune(seed)) for seed in range(20)] + [("copy", higher)])
    assert fingerprint(higher) == fingerprint(tune(0))
    groups = related(songs)
    assert groups[0] == groups[-1]
    assert len(set(groups)) == 20
    split = split_of(songs, seed=0)
    assert [subset for subset, names in split.items() if "song-0" in names or "copy" in names] in (
        ["train"],
        ["valid"],
        ["test"],
    )
    assert sorted(name for names in split.values() for name in names) == sorted(songs.names)


def test_nothing_to_prepare_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["prepare", str(tmp_path / "empty"), "-o", str(tmp_path / "data")]) == 2
    assert "no file in this folder" in capsys.readouterr().err
    music_of(tune(0, beats=2)).write(tmp_path / "empty" / "short.mid")
    assert main(["prepare", str(tmp_path / "empty"), "-o", str(tmp_path / "data")]) == 2
    assert "none of 1 files can be used" in capsys.readouterr().err


def test_damaged_songs_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="mmt prepare"):
        Songs.load(tmp_path)
    (tmp_path / "songs.npz").write_bytes(b"PK nothing")
    with pytest.raises(EncodingError, match="damaged"):
        Songs.load(tmp_path)
    save_split(tmp_path, {"train": []})
    with pytest.raises(EncodingError, match="no split"):
        load_split(tmp_path)


# --- windows and batches ---------------------------------------------------------------------------------------------


def test_without_augmentation_a_window_is_the_beginning() -> None:
    assert Window(max_beat=10)(tune(0)).tolist() == tune(0)[:40].tolist()


def test_random_windows_start_at_beat_0_or_later_and_are_transposed() -> None:
    rng = np.random.default_rng(0)
    shifts = set()
    for _ in range(200):
        window = Window(max_beat=16)(tune(0), rng)
        assert 0 <= window[:, 0].min() <= window[:, 0].max() < 16
        assert len(window) > 10
        shifts.add(int(window[0, 2] - tune(0)[:, 2].min()))
    everything = Window(max_beat=256)
    seen = {int((everything(tune(0), rng)[:, 2] - tune(0)[:, 2])[0]) for _ in range(200)}
    assert seen == set(range(-5, 7))


def test_long_songs_are_cut_as_published_or_without_a_false_end() -> None:
    codes = encode_window(tune(0), "mmt", 50, "reference")
    assert codes.shape == (50, 6)
    assert codes[-1].tolist() == [4, 0, 0, 0, 0, 0]
    assert encode_window(tune(0), "mmm", 50, "reference")[-2:, 0].tolist() == [mmm.END_OF_TRACK, mmm.END_OF_SONG]
    assert encode_window(tune(0), "remi", 50, "reference")[-1, 0] == remi.END_OF_SONG
    assert encode_window(tune(0), "mmt", 50, "grammar")[-1, 0] == NOTE
    assert encode_window(tune(0), "mmm", 50, "grammar")[:, 0].tolist() == mmm.encode(tune(0))[:50].tolist()


def test_batches_are_padded_and_masked() -> None:
    batch = Collate("mmt")([encode_window(tune(0, beats), "mmt", 512, "grammar") for beats in (2, 3)])
    assert batch.notes.tolist() == [8, 12]
    assert batch.codes.shape == (2, 17, 6)
    assert batch.mask.sum(1).tolist() == [13, 17]
    assert batch.codes[0, 13:].abs().sum() == 0


def test_the_data_module_counts_the_notes_that_are_predicted(prepared: Path) -> None:
    data = SongDataModule(str(prepared), max_length=64, batch_size=4)
    data.setup()
    for batch in data.val_dataloader():
        assert batch.notes.tolist() == (batch.codes[..., 0] == NOTE).sum(1).tolist()


@pytest.mark.parametrize("encoding", ["mmt", "mmm", "remi"])
def test_notes_are_counted_alike_in_all_encodings(encoding: str) -> None:
    batch = Collate(encoding)([encode_window(tune(0, 8), encoding, 4096, "grammar")])  # type: ignore[arg-type]  # one of them
    assert batch.notes.tolist() == [32]


# --- training --------------------------------------------------------------------------------------------------------


def test_the_learning_rate_rises_and_falls_as_in_the_paper() -> None:
    module = MMTModule(MMTConfig(dim=64, depth=1))
    rates = [module.rate_at(step) for step in (0, 2499, 4999, 5000, 52_500, 100_000, 150_000)]
    assert rates == pytest.approx([1 / 5000, 0.5, 1.0, 1.0, 0.55, 0.1, 0.1])


def tiny(name: str, prepared: Path) -> list[str]:
    """Arguments of a training of seconds, which writes below the current folder."""
    return [
        *("fit", "-c", name, "--data.folder", str(prepared), "--data.batch_size", "2", "--model.config.dim", "64"),
        *("--model.config.depth", "1", "--model.config.max_length", "64", "--trainer.max_steps", "20"),
        *("--trainer.val_check_interval", "9", "--trainer.accelerator", "cpu", "--trainer.limit_val_batches", "2"),
        *("--trainer.enable_model_summary", "false", "--trainer.enable_progress_bar", "false"),
    ]


def test_a_model_is_trained_and_exported_and_generates(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(tiny("small-conditional", prepared)) == 0
    export = tmp_path / "runs" / "small-conditional" / "export"
    checkpoint = load_checkpoint(export)
    assert checkpoint.training.steps > 0
    assert set(checkpoint.training.songs) == set(load_split(prepared)["train"])
    assert main(["generate", "--model", str(export), "-o", str(tmp_path / "out"), "--length", "20"]) == 0
    assert (tmp_path / "out" / "song-01.mid").is_file()


def test_fine_tuning_begins_with_a_shipped_model_and_says_so(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a learning rate of 0 the model stays as it was; its size is stated nowhere."""
    monkeypatch.chdir(tmp_path)
    shipped = load_checkpoint("default")
    given = [
        *("fit", "-c", "small-conditional", "--init-from", "default", "--data.folder", str(prepared)),
        *("--data.batch_size", "1", "--trainer.max_steps", "1", "--trainer.val_check_interval", "1"),
        *("--trainer.limit_val_batches", "1", "--trainer.num_sanity_val_steps", "0"),
        *("--trainer.enable_model_summary", "false", "--trainer.enable_progress_bar", "false"),
    ]
    assert main([*given, "--model.learning_rate", "0"]) == 0
    tuned = load_checkpoint("runs/small-conditional/export")
    assert tuned.training.init_from == "default"
    assert tuned.model.config.tasks  # which the configuration leaves open
    before = shipped.model.state_dict()
    assert all(torch.equal(before[name], weights) for name, weights in tuned.model.state_dict().items())
    logs = {path.name.split(".")[0] for path in Path("runs/small-conditional").rglob("*") if path.is_file()}
    assert {"metrics", "events"} <= logs
    capsys.readouterr()
    assert main([*given, "--model.config.dim", "64", "--data.order", "grammar"]) == 2
    said = capsys.readouterr().err
    assert "--init-from default: model.config.dim: the configuration says 64, the model has 192" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_every_configuration_trains(name: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = prepared
    if name.endswith("extended"):
        data = tmp_path / "data-extended"
        extend(prepared, data, progress=False)
    assert main(tiny(name, data)) == 0
    assert (tmp_path / "runs" / name / "export" / "model.safetensors").is_file()


@pytest.mark.slow
def test_two_processes_train_together(prepared: Path, tmp_path: Path) -> None:
    arguments = [*tiny("small-conditional", prepared), "--trainer.devices", "2", "--trainer.strategy", "ddp"]
    command = [sys.executable, "-m", "mmt.cli", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "MEMBER: 2/2" in done.stdout + done.stderr
    assert load_checkpoint(tmp_path / "runs" / "small-conditional" / "export").training.steps > 0


def test_every_configuration_has_the_size_it_names() -> None:
    import yaml

    sizes = {}
    for path in CONFIGS.glob("*.yaml"):
        config = MMTConfig(**yaml.safe_load(path.read_text())["model"]["config"])
        with torch.device("meta"):
            sizes[path.stem] = MMTModule(config).model.n_parameters
    assert sizes["paper-ape"] == 19_944_950
    assert sizes["paper-rpe"] == sizes["paper-npe"] == 19_420_662
    assert (sizes["paper-mmm"], sizes["paper-remi"]) == (19_811_700, 20_726_000)
    assert max(size for name, size in sizes.items() if name.startswith("small")) < 4_000_000


def test_an_unknown_configuration_is_answered_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "-c", "medium"]) == 2
    assert "small-parallel" in capsys.readouterr().err
