"""From a folder of sounds to a trained model: preparation, mixtures, schedule, and `clipsep fit`."""

from __future__ import annotations

import dataclasses
import filecmp
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

pytest.importorskip("lightning", reason="lightning (clipsep[train]) is not installed")

from clipsep.augmentation import Augmentation, played, with_levels
from clipsep.checkpoint import load_checkpoint, save_checkpoint
from clipsep.config import CLIPSepConfig, ConfigError
from clipsep.data import MixDataModule, MixDataset, Mixing
from clipsep.experiments.configs import configurations, recipes
from clipsep.features.queries import TableQueries
from clipsep.fit import CONFIGS, fit
from clipsep.library import Library, LibraryError
from clipsep.model import build_model
from clipsep.prepare import picture_times, prepare, similarities
from clipsep.training import CLIPSepModule, spectrograms
from muspy_core import Audio
from muspy_core.configurations import ConfigurationError
from muspy_core.runs import write_configurations
from sound_samples import PITCHES, prepared, write_sounds

TINY = ["--model.config.width", "2", "--model.config.depth", "5", "--data.frames", "32", "--data.batch_size", "4"]
QUIET = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sounds(tmp_path_factory.mktemp("sounds"))


@pytest.fixture(scope="module")
def folder(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    prepared(folder, sounds)
    return folder


# --- preparation -----------------------------------------------------------------------------------------------------


def test_sounds_become_16_khz_mono_with_labels_and_a_split_and_what_has_no_sound_is_named(
    sounds: Path, tmp_path: Path
) -> None:
    result = prepare(sounds, tmp_path, progress=False)
    library = Library.read(tmp_path)
    assert library.labels == tuple(PITCHES)
    assert len(library.manifest) == 18
    assert [Path(path).name for path, _ in result.failed] == ["broken.wav"]
    assert set(library.manifest.splits) == {"train", "test", "validation"}
    audio = Audio.read(library.sounds[0])
    assert (audio.sample_rate, audio.channels, audio.frames) == (16000, 1, 24000)
    assert library.samples(0) == 24000


def test_preparing_again_keeps_sounds_and_split(sounds: Path, tmp_path: Path) -> None:
    first = prepare(sounds, tmp_path, progress=False)
    before = {path: path.stat().st_mtime_ns for path in first.library.sounds}
    again = prepare(sounds, tmp_path, progress=False)
    assert {path: path.stat().st_mtime_ns for path in again.library.sounds} == before
    assert [item.split for item in again.library.manifest] == [item.split for item in first.library.manifest]


def test_a_folder_without_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"")
    with pytest.raises(LibraryError, match="none of 1 files has sound"):
        prepare(tmp_path / "in", tmp_path / "out", progress=False)
    with pytest.raises(LibraryError, match="make it by `clipsep prepare"):
        Library.read(tmp_path / "in")


def test_labels_get_vectors_of_the_encoder(sounds: Path, tmp_path: Path) -> None:
    encoder = TableQueries({label: [float(index), 1.0] for index, label in enumerate(PITCHES)})
    vectors = prepare(sounds, tmp_path, encoder=encoder, progress=False).library.vectors
    assert vectors.wordings["train"] == {label: [row] for row, label in enumerate(PITCHES)}
    assert np.array_equal(vectors.text, [[0, 1], [1, 1], [2, 1]])


def test_pictures_are_taken_once_a_second() -> None:
    assert picture_times(0.0, 3.2) == [0.5, 1.5, 2.5]
    assert picture_times(30.0, 0.6) == [30.3]


def test_similarity_is_the_mean_cosine_of_pictures_and_text(folder: Path) -> None:
    library = Library.read(folder)
    assert list(similarities(library.manifest, library.vectors)) == pytest.approx([1.0] * 18, abs=1e-3)


# --- mixtures --------------------------------------------------------------------------------------------------------


def test_validation_mixtures_are_the_same_in_every_run_and_sources_differ(folder: Path) -> None:
    library = Library.read(folder)
    dataset = MixDataset(library, range(18), Mixing(samples=8191))
    first, queries = dataset[4]
    assert np.array_equal(first, MixDataset(library, range(18), Mixing(samples=8191))[4][0])
    assert first.shape == (2, 8191)
    assert not np.array_equal(first[0], first[1])
    assert queries["text"].shape == (2, 8)
    whole = Audio.read(library.sounds[4])
    middle = whole.frames // 2 - 8191 // 2
    assert np.allclose(first[0], whole.samples[0, middle : middle + 8191] / 2)


def test_training_draws_anew_with_gains_and_mixtures_stay_within_full_scale(folder: Path) -> None:
    dataset = MixDataset(Library.read(folder), range(18), Mixing(samples=8191), np.random.default_rng(0))
    one, two = dataset[4][0], dataset[4][0]
    assert not np.array_equal(one, two)
    assert np.abs(one.sum(0)).max() <= 1.0


def test_short_sounds_are_repeated(folder: Path) -> None:
    library = Library.read(folder)
    clip = MixDataset(library, range(18), Mixing(samples=65535))[0][0][0]
    assert np.allclose(clip[:24000], clip[24000:48000])


def test_off_query_sounds_are_in_the_target_and_may_be_named(folder: Path) -> None:
    library = Library.read(folder)
    plain = MixDataset(library, range(18), Mixing(samples=8191))[0][0][0]
    mixing = Mixing(samples=8191, off_query=1.0, named=1.0)
    noisy, queries = MixDataset(library, range(18), mixing)[0]
    assert not np.allclose(noisy[0], plain)
    assert queries["text"].shape == (2, 8)


def test_sounds_of_a_mixture_have_different_labels_if_asked_and_absent_queries_stand_for_silence(folder: Path) -> None:
    mixing = Mixing(samples=8191, queries="label", peers="other-label", absent=1)
    dataset = MixDataset(Library.read(folder), range(18), mixing, np.random.default_rng(0))
    for index in range(18):
        sources, queries = dataset[index]
        assert sorted(queries["label"]) == [0, 1, 2]
        assert sources[:2].any(axis=1).all()
        assert not sources[2].any()
    with pytest.raises(LibraryError, match="3 labels are too few"):
        MixDataset(Library.read(folder), range(18), dataclasses.replace(mixing, absent=2, sources=3))[0]


def test_clips_change_in_training_alone(folder: Path) -> None:
    library = Library.read(folder)
    changed = Mixing(samples=8191, augmentation=Augmentation(semitones=2.0, equalizer_db=4.0))
    fixed, plain = MixDataset(library, range(18), changed), MixDataset(library, range(18), Mixing(samples=8191))
    assert np.array_equal(fixed[3][0], plain[3][0])
    clip = MixDataset(library, range(18), changed, np.random.default_rng(0))[3][0]
    assert clip.shape == (2, 8191)
    assert np.isfinite(clip).all()


def test_a_faster_clip_is_higher_and_a_level_of_an_octave_is_heard_there_alone() -> None:
    times = np.arange(32768) / 16000
    sound = np.sin(2 * np.pi * 500 * times).astype(np.float32)
    faster = played(sound, 2 ** (2 / 12), 8192)
    assert np.abs(np.fft.rfft(faster)).argmax() * 16000 / 8192 == pytest.approx(561, abs=2)
    decibels = np.zeros(9)
    decibels[4] = 6.0  # 500 Hz
    assert np.std(with_levels(sound, decibels)) / np.std(sound) == pytest.approx(10**0.3, rel=0.01)
    other = np.sin(2 * np.pi * 2000 * times).astype(np.float32)
    assert np.allclose(with_levels(other, decibels)[100:-100], other[100:-100], atol=0.02)


@pytest.mark.parametrize(("queries", "kinds"), [("hybrid", {"image", "text"}), ("label", {"label"}), ("none", set())])
def test_batches_hold_the_queries_that_are_asked_for(folder: Path, queries: str, kinds: set[str]) -> None:
    data = MixDataModule(str(folder), queries=queries, frames=32, batch_size=4)  # type: ignore[arg-type]  # by name
    batch = next(iter(data.train_dataloader()))
    assert batch.sources.shape == (4, 2, 8191)
    assert set(batch.queries) == kinds


def test_a_query_that_the_folder_has_not_is_said(folder: Path) -> None:
    mixing = Mixing(samples=8191, wordings="test")
    with pytest.raises(LibraryError, match="no test text for"):
        MixDataset(Library.read(folder), range(18), mixing)[0]


def test_spectrograms_of_sources_and_mixture_lie_on_the_grid() -> None:
    mixture, sources = spectrograms(torch.randn(3, 2, 8191) * 0.1)
    assert mixture.shape == (3, 256, 32)
    assert sources.shape == (3, 2, 256, 32)
    assert (sources[:, 0] + sources[:, 1] >= mixture - 1e-4).all()


# --- training --------------------------------------------------------------------------------------------------------


def test_the_rate_rises_and_falls_as_in_the_paper() -> None:
    module = CLIPSepModule(CLIPSepConfig(width=2, depth=5))
    rates = [module.rate_at(step) for step in (0, 2499, 4999, 52_500, 100_000, 199_999)]
    assert rates == pytest.approx([0.0002, 0.5, 1.0, 0.55, 0.1, 0.1])


def test_the_regulariser_is_part_of_nits_loss_unless_gamma_is_none() -> None:
    config = CLIPSepConfig("clipsep-nit", width=2, depth=5, query_dim=4)
    masks = build_model(config)(torch.rand(1, 256, 32), torch.randn(1, 2, 4))
    targets, weights = torch.ones(1, 2, 256, 32), torch.ones(1, 256, 32)
    assert masks.noise is not None
    free, _ = CLIPSepModule(config, gamma=None).loss_of(masks, targets, weights)
    held, logged = CLIPSepModule(config, gamma=0.25).loss_of(masks, targets, weights)
    excess = masks.noise.sum(1).mean() - 0.25
    assert (held - free).item() == pytest.approx(0.1 * excess.item(), rel=1e-4)
    assert logged["noise_activation"].item() == pytest.approx(excess.item() + 0.25)


def test_fine_tuning_begins_with_the_weights_of_a_model_and_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a learning rate of 0 the weights stay; its size is stated nowhere."""
    monkeypatch.chdir(tmp_path)
    trained = build_model("clipsep", width=3, depth=5, maps=4, query_dim=8)
    save_checkpoint("trained", trained)
    recipe = yaml.safe_load((CONFIGS / "small-text.yaml").read_text(encoding="utf-8"))
    del recipe["model"]["config"]
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    given = ["-c", "recipe.yaml", "--init-from", "trained", *QUIET, "--data.folder", str(folder), "--data.frames", "32",
             "--data.batch_size", "2", "--trainer.max_steps", "1", "--trainer.val_check_interval", "1"]  # fmt: skip
    assert fit([*given, "--model.learning_rate", "0"]) == 0
    tuned = load_checkpoint("runs/small-text/export")
    assert tuned.training.init_from == "trained"
    assert tuned.model.config == trained.config
    for name, weights in trained.named_parameters():
        assert torch.allclose(weights, tuned.model.state_dict()[name], atol=1e-3)
    with pytest.raises(
        ConfigurationError, match=r"trained: model\.config\.width: the configuration says 2, the model has 3"
    ):
        fit([*given, "--model.config.width", "2"])


def test_absent_queries_are_refused_where_heads_are_as_many_as_sources(folder: Path) -> None:
    with pytest.raises(ConfigError, match="absent=1: clipsep-nit learns an order"):
        fit(["-c", "small-nit", *TINY, *QUIET, "--data.folder", str(folder), "--data.absent", "1"])


def test_fit_trains_exports_and_resumes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["-c", "small-nit", *TINY, *QUIET, "--data.folder", str(folder)]
    steps = ["--trainer.val_check_interval", "2", "--trainer.callbacks.every_n_train_steps", "2"]
    assert fit([*arguments, *steps, "--trainer.max_steps", "2"]) == 0
    exported = load_checkpoint("runs/small-nit/export")
    assert exported.training.steps == 2
    assert exported.training.encoder["kind"] == "table"
    assert exported.model.config.query_dim == 8
    last = next(Path("runs/small-nit").rglob("last.ckpt"))
    assert fit([*arguments, *steps, "--trainer.max_steps", "4", "--ckpt_path", str(last)]) == 0
    assert torch.load(next(Path("runs/small-nit").rglob("last.ckpt")), weights_only=True)["global_step"] == 4


@pytest.mark.slow
def test_a_folder_of_videos_is_prepared_trained_resumed_and_asked_by_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("open_clip", reason="open_clip_torch (clipsep[clip]) is not installed")
    from clip_samples import write_tiny_clip
    from clipsep.cli import main
    from media_samples import sine, write_video
    from muspy_core.media import Frame

    monkeypatch.chdir(tmp_path)
    model, weights = write_tiny_clip(tmp_path)
    for index in range(20):
        label = f"label-{index % 4}"
        (tmp_path / "videos" / label).mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / "videos" / label / f"{index}.mp4", sound=sine(3.0, 200.0 * (index + 1)))
    write_video(tmp_path / "videos" / "silent.mp4", sound=np.zeros((1, 0), np.float32))
    arguments = ["prepare", "videos", "-o", "data", "--clip-model", model, "--clip-weights", weights]
    assert main(arguments) == 1  # one has no sound
    library = Library.read("data")
    assert len(library.manifest) == 20
    assert library.vectors.frames == tuple((3 * index, 3) for index in range(20))
    fitting = ["-c", "vggsound-clipsep-nit", *TINY, *QUIET, "--data.folder", "data"]
    steps = ["--trainer.val_check_interval", "2", "--trainer.callbacks.every_n_train_steps", "2"]
    assert fit([*fitting, *steps, "--trainer.max_steps", "2"]) == 0
    last = "runs/vggsound-clipsep-nit/checkpoints/last.ckpt"
    assert fit([*fitting, *steps, "--trainer.max_steps", "4", "--ckpt_path", last]) == 0
    Frame(0.0, np.full((40, 40, 3), 200, np.uint8)).save(tmp_path / "picture.png")
    video = str(library.sounds[0])
    asked = ["separate", video, "a dog", "--image", "picture.png", "-o", "out"]
    assert main([*asked, "--model", "runs/vggsound-clipsep-nit/export"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-dog.wav", "picture.wav"]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", list(recipes()), ids=lambda recipe: recipe.name)
def test_every_configuration_trains_20_steps(
    recipe: object, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = recipe.name  # type: ignore[attr-defined]  # a Recipe
    data = folder
    if recipe.kind == "sop":  # type: ignore[attr-defined]  # its pictures have vectors of the ResNet's length
        pytest.importorskip("torchvision", reason="torchvision (clipsep[clip]) is not installed")
        data = _widened(folder, tmp_path / "data")
    arguments = ["-c", name, *TINY, *QUIET, "--data.folder", str(data), "--trainer.max_steps", "20"]
    assert fit([*arguments, "--trainer.val_check_interval", "10"]) == 0
    assert load_checkpoint(f"runs/{name}/export").model.config.width == 2


@pytest.mark.slow
def test_two_processes_train_together(folder: Path, tmp_path: Path) -> None:
    arguments = ["fit", "-c", "small-nit", *TINY, *QUIET, "--data.folder", str(folder), "--data.batch_size", "2"]
    arguments += ["--trainer.devices", "2", "--trainer.strategy", "ddp"]
    arguments += ["--trainer.max_steps", "20", "--trainer.val_check_interval", "2"]
    command = [sys.executable, "-m", "clipsep.cli", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "MEMBER: 2/2" in done.stdout + done.stderr
    assert load_checkpoint(tmp_path / "runs" / "small-nit" / "export").training.steps > 0


def _widened(folder: Path, target: Path) -> Path:
    """The same folder with vectors of 512 numbers."""
    library = Library.read(folder)
    target.mkdir()
    (target / "audio").symlink_to(folder / "audio", target_is_directory=True)
    vectors = library.vectors
    wide = np.pad(vectors.image, ((0, 0), (0, 504))), np.pad(vectors.text, ((0, 0), (0, 504)))
    made = Library(library.manifest, dataclasses.replace(vectors, image=wide[0], text=wide[1]))
    made.write(target)
    return target


def test_the_configurations_are_what_the_recipes_say(tmp_path: Path) -> None:
    write_configurations(tmp_path, configurations())
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in CONFIGS.glob("*.yaml"))
    assert not filecmp.cmpfiles(tmp_path, CONFIGS, names, shallow=False)[1]
