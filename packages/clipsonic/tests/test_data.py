"""From folders of sounds and videos to batches: what is prepared, what is refused, and what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clipsonic.clips import Clips, DataError
from clipsonic.data import ClipDataModule, CropDataset, PairDataset
from clipsonic.features.queries import LabelEncoder
from clipsonic.prepare import Prepared, prepare, read_wordings
from muspy_core.media import Manifest, MediaItem, build_manifest
from numpy.typing import NDArray
from sound_folders import tone, write_sounds


class FrameEncoder(LabelEncoder):
    """Reads the brightness of frames."""

    def frames(self, path: Path, times_s: list[float], sha256: str | None = None) -> NDArray[np.float32]:
        """A vector of times."""
        return np.stack([np.full(self.dim, time_s + 1, np.float32) for time_s in times_s])


class TokenEncoder(FrameEncoder):
    """Also gives two encoded tokens of a text, the second after its end."""

    def tokens(self, texts: list[str]) -> NDArray[np.float32]:
        """Tokens of the length of the text."""
        return np.stack([[np.full(self.dim, len(text)), np.zeros(self.dim)] for text in texts]).astype(np.float32)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The prepared sounds of a folder."""
    folder = write_sounds(tmp_path_factory.mktemp("sounds") / "all")
    manifest = build_manifest(folder, folder / "table.csv")
    wordings = {"low": [("a deep tone", "train"), ("something deep", "test")]}
    return prepare(manifest, folder.parent / "data", LabelEncoder(8), wordings=wordings, progress=False)


def test_sounds_are_kept_to_the_sample_and_the_rest_is_named(prepared: Prepared) -> None:
    clips = Clips.load(prepared.clips.folder)
    assert clips.labels == ("high", "low")
    assert len(clips.clips) == 12
    assert sorted(Path(name).name for name, _ in prepared.failed) == ["damaged.wav", "silent.wav"]
    clip = next(clip for clip in clips.clips if clip.name == "high/2.wav")
    np.testing.assert_allclose(clips.audio(clip).samples, tone(1500.0 * 1.1).samples, atol=1e-4)
    assert {clip.split for clip in clips.clips} == {"train", "valid", "test"}


def test_wordings_for_tests_are_not_for_training(prepared: Prepared) -> None:
    clips = prepared.clips
    train, test = clips.label_vectors(), clips.label_vectors("test")
    expected = LabelEncoder(8).texts(["low", "a deep tone", "something deep"])
    np.testing.assert_array_equal(train["low"], expected[:2])
    np.testing.assert_array_equal(test["low"], expected[2:])
    assert len(train["high"]) == 1


def test_crops_are_reproducible_and_differ_from_epoch_to_epoch(prepared: Prepared) -> None:
    data = CropDataset(prepared.clips, "train", 4096, "text", seed=3)
    again = CropDataset(prepared.clips, "train", 4096, "text", seed=3)
    np.testing.assert_array_equal(data[1][0], again[1][0])
    again.epoch = 1
    assert np.abs(data[1][0] - again[1][0]).max() > 0
    fixed = CropDataset(prepared.clips, "valid", 4096, "text", seed=3)
    before = fixed[0][0]
    fixed.epoch = 1
    np.testing.assert_array_equal(fixed[0][0], before)


def test_short_clips_are_followed_by_silence(prepared: Prepared) -> None:
    wave, query = CropDataset(prepared.clips, "train", 20_000, "text")[0]
    assert wave.shape == (20_000,)
    assert not wave[16_000:].any()
    assert query.shape == (8,)


def test_training_texts_are_moved_by_noise_as_long_as_wordings_are_apart(prepared: Prepared) -> None:
    texts = prepared.clips.label_vectors()
    squares = [np.square(vectors - vectors.mean(0)).sum(1) for vectors in texts.values()]
    apart = float(np.sqrt(np.concatenate(squares).mean()))
    assert apart > 0
    still = CropDataset(prepared.clips, "train", 4096, "text")
    moved = CropDataset(prepared.clips, "train", 4096, "text", spread=2.0)
    noise = []
    for epoch in range(40):
        still.epoch = moved.epoch = epoch
        noise += [moved[index][1] - still[index][1] for index in range(len(moved))]
    assert np.sqrt(np.square(noise).sum(-1).mean()) == pytest.approx(2 * apart, rel=0.15)
    fixed = CropDataset(prepared.clips, "valid", 4096, "text", spread=2.0)
    np.testing.assert_array_equal(fixed[0][1], CropDataset(prepared.clips, "valid", 4096, "text")[0][1])


def test_batches_have_waves_and_queries(prepared: Prepared) -> None:
    module = ClipDataModule(str(prepared.clips.folder), "text", batch_size=4, frames=8)
    module.setup()
    waves, queries = next(iter(module.train_dataloader()))
    assert waves.shape == (4, 4096)
    assert queries.shape == (4, 8)


def test_clips_without_pictures_cannot_teach_by_images(prepared: Prepared) -> None:
    with pytest.raises(DataError, match="pictures"):
        CropDataset(prepared.clips, "train", 4096, "image")
    with pytest.raises(DataError, match="both pictures and a label"):
        PairDataset(prepared.clips, "train")


def test_videos_give_sound_and_a_random_frame(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    write_video(av, tmp_path / "violin" / "one.mp4")
    manifest = Manifest((MediaItem("violin/one.mp4", "video", "violin", "train"),), tmp_path)
    clips = prepare(manifest, tmp_path / "data", FrameEncoder(4), frames=4, progress=False).clips
    vectors = clips.image_vectors(clips.clips[0])
    np.testing.assert_allclose(vectors[:, 0], [1.25, 1.75, 2.25, 2.75], atol=0.02)
    drawn = {float(CropDataset(clips, "train", 4096, "image", seed=seed)[0][1][0]) for seed in range(20)}
    assert len(drawn) == 4
    text, image = PairDataset(clips, "train")[0]
    np.testing.assert_array_equal(text, LabelEncoder(4).texts(["violin"])[0])
    assert image.shape == (4,)


def test_a_prior_is_given_the_tokens_of_its_text(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    write_video(av, tmp_path / "violin" / "one.mp4")
    manifest = Manifest((MediaItem("violin/one.mp4", "video", "violin", "train"),), tmp_path)
    wordings = {"violin": [("a fiddle", "train"), ("for tests", "test")]}
    prepare(manifest, tmp_path / "data", TokenEncoder(4), wordings=wordings, frames=1, progress=False)
    clips = Clips.load(tmp_path / "data")
    lengths = {
        len(text): vector for text, vector in zip(("violin", "a fiddle"), clips.label_vectors()["violin"], strict=True)
    }
    for seed in range(4):
        text, _, tokens = PairDataset(clips, "train", seed)[0]
        assert tokens.shape == (2, 4)
        np.testing.assert_array_equal(text, lengths[int(tokens[0, 0])])
    assert clips.label_tokens("test")["violin"][0, 0, 0] == len("for tests")
    prepare(manifest, tmp_path / "data", FrameEncoder(4), frames=1, progress=False)
    assert Clips.load(tmp_path / "data").tokens is None


def test_what_is_no_prepared_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="clipsonic prepare makes them"):
        Clips.load(tmp_path)
    (tmp_path / "words.csv").write_text("label,text\nlow,deep\n")
    with pytest.raises(DataError, match="columns label, text and split"):
        read_wordings(tmp_path / "words.csv")


def write_video(av: object, path: Path) -> None:
    """Two seconds of grey pictures and a tone."""
    path.parent.mkdir(parents=True)
    with av.open(str(path), "w") as container:  # type: ignore[attr-defined]  # the module, imported by the test
        pictures = container.add_stream("libx264", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), "rgb24")  # type: ignore[attr-defined]
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        wave = tone(440.0, 2.0, 48_000).samples
        for first in range(0, wave.shape[1], 1024):
            part = np.ascontiguousarray(wave[:, first : first + 1024])
            frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")  # type: ignore[attr-defined]
            frame.sample_rate, frame.pts = 48_000, first
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
