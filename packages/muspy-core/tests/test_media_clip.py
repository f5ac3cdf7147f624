"""CLIP towers: real code with small random weights; the cache answers for them; what is wrong is said at once."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("open_clip", reason="open_clip_torch (muspy-core[clip]) is not installed")
pytest.importorskip("av", reason="PyAV (muspy-core[media]) is not installed")

import open_clip
import torch
from clip_samples import write_tiny_clip
from media_samples import picture, write_video
from muspy_core.errors import ClipError, MediaError
from muspy_core.media import ClipEncoder, Frame, content_hash, read_frames


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return write_tiny_clip(tmp_path_factory.mktemp("clip"))


def test_vectors_are_what_open_clip_itself_makes(tiny: tuple[str, str], tmp_path: Path) -> None:
    network, _, preprocess = open_clip.create_model_and_transforms("tiny-clip", pretrained=tiny[1])
    tokenizer = open_clip.get_tokenizer("tiny-clip")
    texts = ["a photo of a violin", "dog"]
    pixels = picture(90)
    Frame(0.0, pixels).save(tmp_path / "picture.png")
    with torch.inference_mode():
        expected = network.eval().encode_text(tokenizer(texts)).numpy()
        from PIL import Image

        image = network.encode_image(preprocess(Image.fromarray(pixels))[None]).numpy()
    encoder = ClipEncoder(*tiny)
    assert encoder.dim == 24
    assert np.allclose(encoder.texts(texts), expected, atol=1e-6)
    assert np.allclose(encoder.images([pixels, tmp_path / "picture.png"]), np.repeat(image, 2, 0), atol=1e-6)


def test_encoded_tokens_end_where_the_text_ends(tiny: tuple[str, str]) -> None:
    encoder = ClipEncoder(*tiny)
    network, _, _ = open_clip.create_model_and_transforms("tiny-clip", pretrained=tiny[1])
    numbers = open_clip.get_tokenizer("tiny-clip")(["a photo of a violin", "dog"])
    tokens = encoder.tokens(["a photo of a violin", "dog"])
    ends = numbers.argmax(1).tolist()
    for text, end in zip(tokens, ends, strict=True):
        assert text[: end + 1].any(1).all()
        assert not text[end + 1 :].any()
    # The vector of a text is its last token, projected.
    last = torch.from_numpy(tokens[[0, 1], ends])
    assert np.allclose(
        (last @ network.text_projection).detach().numpy(), encoder.texts(["a photo of a violin", "dog"]), atol=1e-5
    )
    with pytest.raises(ClipError, match="no text"):
        encoder.tokens([])


def test_pictures_of_a_video_are_embedded_at_times(tiny: tuple[str, str], tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4")
    encoder = ClipEncoder(*tiny)
    pixels = [frame.pixels for frame in read_frames(video, [2.5, 0.5])]
    assert np.allclose(encoder.frames(video, [2.5, 0.5]), encoder.images(pixels), atol=1e-6)


def test_what_the_cache_has_needs_neither_towers_nor_the_video(tiny: tuple[str, str], tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4")
    digest = content_hash(video)
    first = ClipEncoder(*tiny, cache=tmp_path / "cache")
    made = first.texts(["violin"]), first.frames(video, [1.0], sha256=digest)
    video.unlink()
    again = ClipEncoder(*tiny, cache=tmp_path / "cache")
    assert np.array_equal(again.texts(["violin"]), made[0])
    assert np.array_equal(again.frames(video, [1.0], sha256=digest), made[1])
    assert again._towers is None
    assert again.dim == 24
    with pytest.raises(FileNotFoundError):
        again.frames(video, [2.0], sha256=digest)


def test_other_weights_are_another_cache(tiny: tuple[str, str], tmp_path: Path) -> None:
    other = write_tiny_clip(tmp_path, seed=1)
    one = ClipEncoder(*tiny, cache=tmp_path / "cache")
    two = ClipEncoder(*other, cache=tmp_path / "cache")
    assert one.identity != two.identity
    assert not np.allclose(one.texts(["violin"]), two.texts(["violin"]), atol=1e-3)


def test_an_encoder_goes_to_another_process(tiny: tuple[str, str]) -> None:
    encoder = ClipEncoder(*tiny)
    vectors = encoder.texts(["violin"])
    assert np.array_equal(pickle.loads(pickle.dumps(encoder)).texts(["violin"]), vectors)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "empty"), ("  \n", "empty"), ("violin " * 500, r"500 tokens; tiny-clip reads at most 75")],
)
def test_empty_and_huge_texts_are_refused(tiny: tuple[str, str], text: str, message: str) -> None:
    with pytest.raises(ClipError, match=message):
        ClipEncoder(*tiny).texts(["violin", text])


def test_no_text_is_no_vector(tiny: tuple[str, str]) -> None:
    assert ClipEncoder(*tiny).texts([]).shape == (0, 24)


def test_a_file_that_is_no_image_is_named(tiny: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "dog.jpg").write_bytes(b"no image")
    with pytest.raises(MediaError, match=r"dog\.jpg: is no image"):
        ClipEncoder(*tiny).images([tmp_path / "dog.jpg"])


@pytest.mark.parametrize(
    ("model", "weights", "message"),
    [
        ("ViT-B-32-quickgelu", "nowhere/weights.pt", "no such file of weights"),
        ("ViT-B-32-quickgelu", "nosuchtag", "its tags: openai"),
        ("ViT-B-32", "openai", "name the model ViT-B-32-quickgelu"),
    ],
)
def test_weights_that_cannot_be_are_refused_before_anything_is_loaded(model: str, weights: str, message: str) -> None:
    with pytest.raises(ClipError, match=message):
        ClipEncoder(model, weights)


def test_weights_of_another_network_are_refused(tiny: tuple[str, str], tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ClipError, match=r"other\.pt: the weights of tiny-clip cannot be loaded"):
        ClipEncoder(tiny[0], tmp_path / "other.pt").texts(["violin"])
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ClipError, match=r"bad\.json: is no description"):
        ClipEncoder(str(tmp_path / "bad.json"), tiny[1]).texts(["violin"])


def test_without_the_hub_a_tag_fails_at_once_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    start = time.monotonic()
    with pytest.raises(ClipError, match="name the file instead of the tag"):
        ClipEncoder()
    assert time.monotonic() - start < 5  # loading would retry for a minute


def test_the_module_is_light() -> None:
    code = "import sys, muspy_core.media.clip; print('torch' in sys.modules, 'open_clip' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["False", "False"]
