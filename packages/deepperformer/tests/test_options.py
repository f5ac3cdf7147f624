"""What the paper does not have and is off by default: marks, recording conditions, a discriminator of mel patches."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from deepperformer.adversarial import AdversarialSynthesisModule, PatchDiscriminator
from deepperformer.checkpoint import Checkpoint, Training, load_checkpoint, save_checkpoint
from deepperformer.config import AlignmentConfig, SynthesisConfig
from deepperformer.data import ClipDataModule
from deepperformer.errors import DataError, ModelError, PerformError
from deepperformer.features.marks import MARKS, no_marks
from deepperformer.features.notes import music_of
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.fit import fit
from deepperformer.model import AlignmentModel, SynthesisModel
from deepperformer.perform import Performance, Performer
from deepperformer.prepare import load_prepared, prepare, rendered
from deepperformer.recordings import Recording
from deepperformer.soundfonts import check_different, shared_names
from muspy_core import Audio
from muspy_core.rendering.soundfont import default_soundfont
from tunes import timings_of, tune

SMALL = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "dropout": 0.0, "performers": 2}
ROWS, TIMINGS = tune(notes=20), timings_of(tune(notes=20))
FLUID = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


def synthesis(**options: int) -> SynthesisModel:
    """A model that has learned nothing; the weights that all have are those of the same seed."""
    torch.random.manual_seed(0)
    plain = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1))
    model = SynthesisModel(SynthesisConfig(**SMALL, decoder_layers=1, **options))
    model.load_state_dict(plain.state_dict(), strict=False)
    return model


def performer(**options: int) -> Performer:
    conditions = ("hall", "room")[: options.get("conditions", 0)]
    return Performer(
        Checkpoint(
            "s", "synthesis", synthesis(**options).eval(), MelDefinition(), ("ann", "bob"), Training(), conditions
        )
    )


def marked(*notes: int) -> np.ndarray:
    marks = no_marks(len(ROWS))
    marks[list(notes), MARKS.index("staccato")] = True
    return marks


# --- marks -----------------------------------------------------------------------------------------------------------


def test_notes_without_marks_sound_as_in_a_model_that_reads_none() -> None:
    plain = performer().mel(Performance(ROWS, TIMINGS))
    reading = performer(marks=len(MARKS))
    assert np.array_equal(reading.mel(Performance(ROWS, TIMINGS, marked())), plain)
    assert np.array_equal(reading.mel(Performance(ROWS, TIMINGS)), plain)
    assert np.array_equal(performer().mel(Performance(ROWS, TIMINGS, marked(3))), plain)


def test_a_mark_is_heard_by_models_that_read_it_alone() -> None:
    notes = torch.from_numpy(ROWS)[None]
    mask, first = torch.ones(1, len(ROWS), dtype=torch.bool), torch.zeros(1, dtype=torch.long)
    marks = torch.from_numpy(marked(3))[None]
    model = synthesis(marks=len(MARKS)).eval()
    assert model.encoder is not None
    reader = model.encoder.reader
    changed = (reader(notes, marks) != reader(notes)).any(2)[0]
    assert changed.nonzero().flatten().tolist() == [3]
    few = AlignmentModel(AlignmentConfig(**SMALL, marks=MARKS.index("staccato") + 1)).eval()
    assert not torch.equal(few(notes, mask, first, first, marks), few(notes, mask, first, first))
    accent = torch.roll(marks, MARKS.index("accent"), 2)
    assert torch.equal(few(notes, mask, first, first, accent), few(notes, mask, first, first))


def test_timing_follows_marks_where_the_alignment_model_reads_them() -> None:
    torch.random.manual_seed(0)
    alignment = AlignmentModel(AlignmentConfig(**SMALL, target="ratio", marks=len(MARKS))).eval()
    timing = Checkpoint("a", "alignment", alignment, MelDefinition(), ("ann", "bob"), Training())
    player = Performer(performer().synthesis, None, timing)
    music = music_of(ROWS)
    plain = player.time_notes(music)
    music.tracks[0].notes[5].articulations = ["fermata"]
    held = player.time_notes(music)
    assert held.marks is not None
    assert held.marks.sum() == 1
    assert not np.array_equal(held.timings, plain.timings)


def test_realised_ornaments_are_played_on_request() -> None:
    music = music_of(ROWS)
    music.tracks[0].notes[0].ornaments = ["trill-mark"]
    written, played = (performer().time_notes(music, ornaments=how) for how in ("written", "played"))  # type: ignore[arg-type]
    assert len(written.rows) == len(ROWS)
    assert len(played.rows) > len(ROWS)
    assert played.duration == written.duration


# --- recording conditions --------------------------------------------------------------------------------------------


def test_a_condition_is_heard_in_every_frame_and_by_name() -> None:
    player = performer(conditions=2)
    played = Performance(ROWS, TIMINGS)
    hall, room = (player.mel(played, "ann", name) for name in ("hall", "room"))
    assert (hall != room).any(1).all()
    assert np.array_equal(player.mel(played, "ann"), hall)
    with pytest.raises(PerformError, match=r"no condition 'cellar': choose one of 0 \(hall\), 1 \(room\)"):
        player.mel(played, "ann", "cellar")
    with pytest.raises(PerformError, match="no condition 'hall': choose one of 0"):
        performer().mel(played, "ann", "hall")


def test_conditions_are_saved_with_the_model(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, synthesis(conditions=2), MelDefinition(), ("ann",), conditions=("hall", "room"))
    assert load_checkpoint(tmp_path).conditions == ("hall", "room")
    assert load_checkpoint("violin", "synthesis").conditions == ()


def test_with_players_as_performers_the_soundfont_is_the_condition() -> None:
    given = [Recording("a", "ann", "w", ROWS, TIMINGS, 100.0)]
    (by_font,), _ = rendered(given, [None], 40, MelDefinition())
    (by_player,), _ = rendered(given, [None], 40, MelDefinition(), "players")
    assert (by_font.performer, by_font.condition) == ("TimGM6mb", "TimGM6mb")
    assert (by_player.performer, by_player.condition) == ("ann", "TimGM6mb")


# --- models and data -------------------------------------------------------------------------------------------------


def test_options_add_their_own_weights_alone() -> None:
    paper = set(SynthesisModel().state_dict())
    with torch.device("meta"):
        marks = SynthesisModel(SynthesisConfig(marks=len(MARKS)))
        conditions = SynthesisModel(SynthesisConfig(conditions=2))
    assert marks.n_parameters == 6_582_096 + len(MARKS) * 128
    assert conditions.n_parameters == 6_582_096 + 2 * 128
    assert set(marks.state_dict()) - paper == {"encoder.reader.marks.weight"}
    assert set(conditions.state_dict()) - paper == {"condition.weight"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"marks": 100}, "from 0"),
        ({"conditions": -1}, "cannot be negative"),
        ({"marks": 3, "encoder": "rolls"}, "rolls have no notes"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        SynthesisConfig(**options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten works in two conditions; one note of each has a mark."""
    scores = tmp_path_factory.mktemp("scores")
    recordings = []
    for work in range(10):
        rows = tune(work, 12)
        music = music_of(rows)
        music.tracks[0].notes[2].articulations = ["staccato"]
        music.write(scores / f"{work}.musicxml")
        recordings += [
            Recording(
                f"{who}_{work}", who, f"w{work}", rows, timings_of(rows), 100.0,
                score=scores / f"{work}.musicxml", condition=place,
            )
            for who, place in (("ann", "hall"), ("bob", "room"))
        ]  # fmt: skip
    output = tmp_path_factory.mktemp("data")
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 16000 * 8)).clip(-1, 1).astype(np.float32)
    prepare(recordings, output, sound=lambda recording: Audio(noise, 16000), progress=False)
    return output


def test_batches_know_marks_and_conditions(folder: Path) -> None:
    data = ClipDataModule(str(folder), "mel", batch_size=4, move=False)
    data.setup()
    batch = next(iter(data.val_dataloader()))
    assert data.conditions == ("hall", "room")
    assert torch.equal(batch.condition, batch.performer)
    assert batch.marks.shape == (*batch.mask.shape, len(MARKS))
    assert batch.marks.sum((1, 2)).tolist() == [1] * len(batch)
    assert batch.marks[0, 2, MARKS.index("staccato")] == 1


def test_data_prepared_before_there_were_marks_have_none(folder: Path, tmp_path: Path) -> None:
    """Folders of earlier versions hold neither."""
    described = json.loads((folder / "recordings.json").read_text(encoding="utf-8"))
    for line in described["recordings"]:
        del line["condition"]
    (tmp_path / "recordings.json").write_text(json.dumps(described), encoding="utf-8")
    with np.load(folder / "notes.npz") as arrays:
        np.savez(tmp_path / "notes.npz", **{name: arrays[name] for name in ("rows", "timings", "bounds")})
    old = load_prepared(tmp_path)
    assert not np.concatenate(old.marks).any()
    assert set(old.conditions) == {""}


def test_more_conditions_than_the_model_knows_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 recording conditions, the model 1"):
        fit([*arguments("small-condition", folder, tmp_path), "--model.config.conditions", "1"])


# --- training --------------------------------------------------------------------------------------------------------


def arguments(name: str, folder: Path, runs: Path) -> list[str]:
    """Five steps of a tiny model."""
    return [
        "-c", name, "--data.folder", str(folder), "--data.batch_size", "2", "--trainer.max_steps", "5",
        "--trainer.val_check_interval", "5", "--trainer.logger.init_args.save_dir", str(runs),
        "--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu", "--trainer.limit_val_batches", "1",
        "--trainer.enable_model_summary", "false", "--model.config.dim", "16", "--model.config.attention_dim", "16",
        "--model.config.ffn", "16", "--model.config.encoder_layers", "1", "--model.config.decoder_layers", "1",
        "--trainer.log_every_n_steps", "1", "--trainer.num_sanity_val_steps", "0",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["small-marks", "small-condition", "small-adversarial"])
def test_five_steps_train_and_export_a_model_that_performs(name: str, folder: Path, tmp_path: Path) -> None:
    more = ["--model.adversarial_start", "2"] if name == "small-adversarial" else []
    assert fit([*arguments(name, folder, tmp_path), *more]) == 0
    exported = load_checkpoint(tmp_path / name / "export")
    assert exported.training.steps == 5
    assert exported.conditions == (("hall", "room") if name == "small-condition" else ())
    logged = (tmp_path / name / "metrics.csv").read_text().split("\n")[0]
    assert ("train_discriminator" in logged) == bool(more)
    assert np.isfinite(Performer(exported).mel(Performance(ROWS, TIMINGS))).all()


@pytest.mark.slow
def test_without_weight_there_is_no_discriminator_and_training_is_as_without(folder: Path, tmp_path: Path) -> None:
    given = arguments("small-adversarial", folder, tmp_path)
    assert fit([*given, "--model.adversarial_weight", "0"]) == 0
    assert fit(arguments("small-full", folder, tmp_path)) == 0
    ours, plain = (load_checkpoint(tmp_path / name / "export").model for name in ("small-adversarial", "small-full"))
    assert all(torch.equal(value, plain.state_dict()[key]) for key, value in ours.state_dict().items())
    assert AdversarialSynthesisModule(SynthesisConfig(**SMALL), adversarial_weight=0).judge is None


def test_the_discriminator_sees_patches() -> None:
    judge = PatchDiscriminator().eval()
    assert sum(parameter.numel() for parameter in judge.parameters()) == 64_577
    mel = torch.randn(1, 64, 80, requires_grad=True)
    scores = judge(mel)
    assert scores.shape == (1, 8, 10)
    (seen,) = torch.autograd.grad(scores[0, 4, 5], mel)
    assert seen[0].any(1).nonzero().flatten().tolist() == list(range(4 * 8 - 14, 4 * 8 + 15))


def test_an_adversary_cannot_weigh_less_than_nothing() -> None:
    with pytest.raises(ModelError, match="adversarial_weight=-1"):
        AdversarialSynthesisModule(SynthesisConfig(**SMALL), adversarial_weight=-1)


# --- SoundFonts that are called different ----------------------------------------------------------------------------


def test_different_soundfonts_share_less_than_a_twentieth_of_their_samples() -> None:
    """Those of the experiments; a SoundFont shares all with itself."""
    if not FLUID.is_file():
        pytest.skip("FluidR3_GM.sf2 is not installed")
    ours = Path(default_soundfont())
    assert shared_names(FLUID, ours) < 0.05
    assert shared_names(ours, ours) == 1
    check_different([FLUID, ours])


def test_one_soundfont_under_two_names_is_refused(tmp_path: Path) -> None:
    again = tmp_path / "Another.sf2"
    again.symlink_to(Path(default_soundfont()))
    with pytest.raises(DataError, match=r"share 100 % of the names of their samples: they count as one SoundFont"):
        rendered([], [None, again], 40, MelDefinition())


def test_options_leave_the_default_configuration_as_it_was() -> None:
    """Checkpoints of before name none of the new fields, and are read as ever."""
    old = {key: value for key, value in SynthesisConfig().to_dict().items() if key not in ("marks", "conditions")}
    assert SynthesisConfig.from_dict(old) == SynthesisConfig()
    assert dataclasses.replace(SynthesisConfig(), marks=0, conditions=0) == SynthesisConfig()
