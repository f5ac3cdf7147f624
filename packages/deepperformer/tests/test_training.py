"""From prepared recordings to trained models: batches, schedules, `deepperformer fit`, checkpoints."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from deepperformer.checkpoint import CONFIGS as CONFIG_CLASSES
from deepperformer.checkpoint import Training, build, load_checkpoint, save_checkpoint
from deepperformer.config import AlignmentConfig, HiFiGANConfig, ISTFTConfig, SynthesisConfig
from deepperformer.data import ClipDataModule, SegmentDataModule
from deepperformer.errors import DataError, ModelError
from deepperformer.experiments.configs import MODULES, configurations
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.fit import CONFIGS, fit
from deepperformer.model import AlignmentModel, SynthesisModel, constant_tempo
from deepperformer.prepare import prepare
from deepperformer.recordings import Recording
from deepperformer.training import AlignmentModule, rate_of, varied
from deepperformer.vocoder.hifigan import HiFiGAN
from deepperformer.vocoder.istft import ISTFTInverter
from muspy_core import Audio
from tunes import timings_of, tune

WORKS = 10


def sound(recording: Recording) -> Audio:
    """Tones at the pitches of the notes, which is quicker than a SoundFont."""
    assert recording.timings is not None
    clock = np.arange(round(16000 * recording.timings.max())) / 16000
    samples = np.zeros(len(clock), np.float32)
    for (_, _, pitch, _), (start, end) in zip(recording.rows.tolist(), recording.timings.tolist(), strict=True):
        inside = (clock >= start) & (clock < end)
        samples[inside] += 0.2 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * (clock[inside] - start))
    return Audio(samples, 16000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten works of some 10 s, each played by two performers."""
    recordings = [
        Recording(f"{performer}_{work}", performer, f"work-{work}", tune(work, 16), times, 100.0 + work)
        for performer, shift in (("ann", 0), ("bob", 1))
        for work in range(WORKS)
        for times in [timings_of(tune(work, 16), 100.0 + work, shift)]
    ]
    output = tmp_path_factory.mktemp("data")
    prepare(recordings, output, sound=sound, progress=False)
    return output


# --- batches ---------------------------------------------------------------------------------------------------------


def test_a_batch_has_the_notes_their_times_and_the_mel(folder: Path) -> None:
    data = ClipDataModule(str(folder), "mel", batch_size=3, move=False)
    data.setup()
    batch = next(iter(data.val_dataloader()))
    assert batch.mel is not None
    assert batch.mel.shape == (2 if len(batch) == 2 else 3, 312, 80)
    assert batch.notes.shape[:2] == batch.mask.shape == batch.onsets.shape
    assert batch.notes[batch.mask][:, 2].min() >= 55
    first = (batch.onsets - batch.anchor[:, None])[0, batch.notes[0, :, 0] == 0]
    assert first[0] == 0


def test_moved_windows_stay_in_the_recording(folder: Path) -> None:
    data = ClipDataModule(str(folder), "mel", batch_size=4)
    data.setup()
    moved, again = next(iter(data.train_dataloader())), next(iter(data.train_dataloader()))
    assert moved.mel is not None
    assert torch.isfinite(moved.mel).all()
    assert torch.equal(moved.notes, again.notes)  # the same seed, the same windows
    data.seed = 1
    assert not torch.equal(moved.anchor, next(iter(data.train_dataloader())).anchor)


def test_the_papers_split_holds_out_single_clips(folder: Path) -> None:
    data = ClipDataModule(str(folder), split="random")
    data.setup()
    windows = [window for subset in data.windows.values() for window in subset]
    assert len(windows) == len(set(windows))
    assert len(data.windows["valid"]) == len(data.windows["test"]) == round(0.1 * len(windows))


def test_sound_must_be_there_where_it_is_needed(tmp_path: Path) -> None:
    prepare([Recording("a", "ann", "w", tune(), timings_of(tune()), 100.0)], tmp_path, progress=False)
    with pytest.raises(DataError, match="no recording has sound"):
        ClipDataModule(str(tmp_path), "mel").setup()
    with pytest.raises(DataError, match="holds no sound"):
        SegmentDataModule(str(tmp_path)).setup()


def test_segments_come_from_prepared_recordings_or_from_any_folder(folder: Path, tmp_path: Path) -> None:
    data = SegmentDataModule(str(folder), samples=2048, batch_size=2)
    data.setup()
    assert next(iter(data.train_dataloader())).shape == (2, 2048)
    assert next(iter(data.val_dataloader())).shape == (2, 8192)
    sound(Recording("a", "ann", "w", tune(), timings_of(tune()), 100.0)).resample(22050).write(tmp_path / "a.wav")
    single = SegmentDataModule(str(tmp_path), samples=2048)
    single.setup()
    assert len(single.sounds["train"][0]) == pytest.approx(9 * len(single.sounds["valid"][0]), rel=0.01)


# --- schedules and checkpoints ---------------------------------------------------------------------------------------


def test_the_rate_is_the_transformers() -> None:
    peak = rate_of(3999, "transformer", 128, 4000)
    assert peak == pytest.approx(128**-0.5 * 4000**-0.5)
    assert rate_of(1999, "transformer", 128, 4000) == pytest.approx(peak / 2)
    assert rate_of(15_999, "transformer", 128, 4000) == pytest.approx(peak / 2)
    annealed = rate_of(15_999, "transformer", 128, 4000, (10_000, 20_000))
    assert annealed == pytest.approx(peak / 4)
    assert [rate_of(step, "constant", 128, 10) for step in (0, 9, 1000)] == [0.1, 1, 1]


@pytest.mark.parametrize(
    "model",
    [
        AlignmentModel(AlignmentConfig(dim=16, attention_dim=16, ffn=16)),
        SynthesisModel(SynthesisConfig(dim=16, attention_dim=16, ffn=16)),
        HiFiGAN(HiFiGANConfig(channels=16)),
        ISTFTInverter(ISTFTConfig(dim=16, hidden=16, layers=1)),
    ],
)
def test_a_checkpoint_gives_back_the_model_in_half_precision(model: torch.nn.Module, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, model, MelDefinition(), ("ann", "bob"), Training(7, ("w",), {"val": 1.0}))
    loaded = load_checkpoint(tmp_path)
    assert loaded.model.config == model.config
    assert (loaded.performers, loaded.training) == (("ann", "bob"), Training(7, ("w",), {"val": 1.0}))
    assert loaded.mel == MelDefinition()
    if isinstance(model, (HiFiGAN, ISTFTInverter)):
        mel = torch.randn(1, 5, 80)
        assert torch.allclose(loaded.model(mel), model.eval()(mel), atol=1e-2)
    else:
        for name, tensor in model.state_dict().items():
            assert torch.allclose(loaded.model.state_dict()[name], tensor, atol=1e-2), name


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no deepperformer model"):
        load_checkpoint(tmp_path)
    with pytest.raises(ModelError, match="unknown model 'viola'"):
        load_checkpoint("viola")


def test_varied_clips_keep_their_timing_relative_to_the_tempo(folder: Path) -> None:
    data = ClipDataModule(str(folder))
    data.setup()
    batch = next(iter(data.val_dataloader()))
    torch.random.manual_seed(0)
    moved = varied(batch, transpose=5, stretch=1.25)
    steps = [(b.onsets * b.qpm[:, None])[b.mask] for b in (batch, moved)]
    assert torch.allclose(*steps, rtol=1e-4)
    assert ((moved.qpm / batch.qpm).log().abs() <= np.log(1.25) + 1e-6).all()
    assert not torch.equal(moved.qpm, batch.qpm)
    assert (moved.notes[..., 2] - batch.notes[..., 2]).abs().max() <= 5
    assert torch.equal(moved.notes[..., :2], batch.notes[..., :2])
    same = varied(batch, transpose=0, stretch=1.0)
    assert torch.equal(same.notes, batch.notes)
    assert torch.equal(same.onsets, batch.onsets)


def test_an_untrained_model_of_deviations_keeps_to_the_tempo() -> None:
    module = AlignmentModule(AlignmentConfig(dim=16, attention_dim=16, ffn=16, target="deviation"))
    notes = torch.randint(0, 50, (2, 7, 4))
    output = module.model(notes, torch.ones(2, 7, dtype=torch.bool), torch.zeros(2).long(), torch.zeros(2).long())
    pace = torch.tensor([2.0, 3.0])
    assert torch.equal(module.model.decode(output, notes, pace), constant_tempo(notes, pace))


# --- deepperformer fit -----------------------------------------------------------------------------------------------

NOTES = ["--model.config.dim", "16", "--model.config.attention_dim", "16", "--model.config.ffn", "16"]
HIFIGAN = ["--model.config.init_args.channels", "16"]
ISTFT = ["--model.config.init_args.dim", "16", "--model.config.init_args.hidden", "16"]
PHASE = ["--model.config.dim", "16", "--model.config.hidden", "16"]
# The optimisers of a GAN step by hand, and the trainer counts the generator's steps alone.
JUDGES = ["--model.discriminator_scale", "0.125", "--model.warmup_steps", "16"]
SEGMENTS, CLIPS = ["--data.samples", "2048"], ["--data.frames", "8"]


def tiny(name: str) -> list[str]:
    """What makes a configuration's model, discriminators and clips small."""
    if "baseline" in name:
        return [*HIFIGAN, *JUDGES, *CLIPS]
    if "hifigan" in name:
        return [*HIFIGAN, *JUDGES, *SEGMENTS]
    if "istft" in name:
        return [*ISTFT, *JUDGES, *SEGMENTS]
    return [*PHASE, *SEGMENTS] if "phase" in name else NOTES


def arguments(name: str, folder: Path, runs: Path, steps: int) -> list[str]:
    return [
        "-c", name, "--data.folder", str(folder), "--data.batch_size", "2", "--trainer.max_steps", str(steps),
        "--trainer.val_check_interval", str(steps), "--trainer.logger.init_args.save_dir", str(runs),
        "--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu", "--trainer.limit_val_batches", "1",
        "--trainer.enable_model_summary", "false",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["paper-alignment-ratio", "small-full", "small-phase"])
def test_fit_trains_and_exports_a_model(name: str, folder: Path, tmp_path: Path) -> None:
    assert fit([*arguments(name, folder, tmp_path, 3), *tiny(name)]) == 0
    exported = load_checkpoint(tmp_path / name / "export")
    assert exported.training.steps == 3
    with (tmp_path / name / "metrics.csv").open() as file:
        assert any("val_" in column for column in csv.DictReader(file).fieldnames or [])


@pytest.mark.slow
def test_training_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    given = [*arguments("small-full", folder, tmp_path, 2), *tiny("small-full")]
    fit([*given, "--trainer.callbacks.init_args.every_n_train_steps", "1"])
    last = next(tmp_path.rglob("last.ckpt"))
    assert fit([*given, "--trainer.max_steps", "4", "--ckpt_path", str(last)]) == 0
    assert load_checkpoint(tmp_path / "small-full" / "export").training.steps in (2, 4)


def test_the_shipped_configurations_are_those_of_the_tables() -> None:
    shipped = {file.stem: file.read_text(encoding="utf-8") for file in CONFIGS.glob("*.yaml")}
    assert shipped == dict(configurations())


SIZES = {
    "paper-alignment": 1_153_858,
    "small-alignment": 1_153_858,
    "paper-violin-full": 6_582_096,
    "paper-violin-without-notewise": 6_582_096 - 128,
    "paper-violin-without-performer": 6_582_096 - 17 * 128,
    "small-full": 3_630_672,
    "small-marks": 3_630_672 + 17 * 128,
    "small-condition": 3_630_672 + 2 * 128,
    "small-phase": 1_197_139,
    "hifigan-v2": 928_514,
}


@pytest.mark.parametrize(("name", "parameters"), SIZES.items())
def test_a_configuration_makes_a_model_of_the_published_size(name: str, parameters: int) -> None:
    described = yaml.safe_load(dict(configurations())[name])["model"]
    fields = described["init_args"]["config"]
    kind = next(kind for kind, (module, _) in MODULES.items() if described["class_path"].endswith(module))
    fields = fields.get("init_args", {}) if "class_path" in fields else fields
    kind = "hifigan" if kind == "baseline" else kind
    with torch.device("meta"):
        assert build(kind, CONFIG_CLASSES[kind].from_dict(fields)).n_parameters == parameters


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in configurations()])
def test_every_configuration_trains(name: str, folder: Path, tmp_path: Path) -> None:
    """Twenty steps, the last of a GAN's with its discriminators; models are tiny, everything else is as shipped."""
    given = arguments(name, folder, tmp_path, 20)
    given[given.index("--data.batch_size") + 1] = "1"
    assert fit([*given, *tiny(name)]) == 0
    described = json.loads((tmp_path / name / "export" / "config.json").read_text())
    assert described["training"]["steps"] == 20
    assert described["mel_fingerprint"] == MelDefinition().fingerprint


@pytest.mark.slow
def test_two_processes_train_one_model(folder: Path, tmp_path: Path) -> None:
    """DDP on the CPU; Lightning starts the second process by calling the program again."""
    given = [*arguments("small-full", folder, tmp_path, 3), *tiny("small-full"), "--trainer.devices", "2"]
    command = [sys.executable, "-m", "deepperformer.cli", "fit", *given, "--trainer.strategy", "ddp"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=850)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "MEMBER: 2/2" in done.stdout + done.stderr
    assert load_checkpoint(tmp_path / "small-full" / "export").training.steps == 3
