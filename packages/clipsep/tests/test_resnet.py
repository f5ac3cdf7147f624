"""Sound of Pixels: pictures → vectors of a frozen ResNet → a model that is asked by pictures alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("torchvision", reason="torchvision (clipsep[clip]) is not installed")

from clipsep.cli import main
from clipsep.features.queries import encoder_of
from clipsep.features.wordings import QueryError
from clipsep.library import Library
from clipsep.resnet import FrameNetwork, ResNetQueries
from media_samples import sine, write_video
from muspy_core.media import Frame
from torch.nn import functional as F
from torchvision import models


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in the layout of torchvision's file; random, for those of ImageNet are not shipped."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(models.resnet18(weights=None).state_dict(), path)
    return path


def test_the_network_has_the_published_size_and_sees_14_by_14_places() -> None:
    network = FrameNetwork()
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_176_512
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert network.features(torch.zeros(1, 3, 224, 224)).shape == (1, 512, 14, 14)


def test_weights_of_torchvision_give_its_features_where_nothing_is_dilated(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    theirs = models.resnet18(weights=None).eval()
    theirs.load_state_dict(state)
    network = FrameNetwork(state)
    picture = torch.rand(1, 3, 224, 224)
    given = (picture - network.mean) / network.std
    upto = torch.nn.Sequential(*list(theirs.children())[:7])  # the stages before the dilated one
    assert torch.equal(network.features[:7](given), upto(given))
    expected = F.adaptive_max_pool2d(network.features(given), 1).flatten(1)
    assert torch.equal(network(picture), expected)


def test_pictures_and_videos_have_vectors_and_texts_have_none(weights: Path, tmp_path: Path) -> None:
    encoder = encoder_of({"kind": "resnet", "weights": str(weights)}, cache=tmp_path / "cache")
    assert isinstance(encoder, ResNetQueries)
    Frame(0.0, np.full((300, 240, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    vector = encoder.image(tmp_path / "grey.png")
    assert vector.shape == (512,)
    assert vector.any()
    video = write_video(tmp_path / "video.mp4", seconds=3.0)
    frames = encoder.frames(video, [0.5, 1.5, 2.5])
    assert np.allclose(encoder.image(video), frames.mean(0), atol=1e-3)
    with pytest.raises(QueryError, match="knows pictures, no texts; ask with --image"):
        encoder.text("violin")


def test_files_that_hold_no_such_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no such file of weights"):
        ResNetQueries(tmp_path / "none.pth")
    Frame(0.0, np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "black.png")
    (tmp_path / "junk.pth").write_bytes(b"junk")
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "other.pth")
    for name in ("junk.pth", "other.pth"):
        with pytest.raises(QueryError, match=f"{name}: is not torchvision's resnet18"):
            ResNetQueries(tmp_path / name).image(tmp_path / "black.png")


@pytest.mark.slow
def test_videos_are_prepared_trained_on_and_asked_by_picture(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightning", reason="lightning (clipsep[train]) is not installed")
    from clipsep.fit import fit

    monkeypatch.chdir(tmp_path)
    for index in range(8):
        (tmp_path / "videos" / f"label-{index % 2}").mkdir(parents=True, exist_ok=True)
        path = tmp_path / "videos" / f"label-{index % 2}" / f"{index}.mp4"
        write_video(path, sound=sine(3.0, 200.0 * (index + 1)))
    assert main(["prepare", "videos", "-o", "data", "--resnet-weights", str(weights), "--split", "0.5,0.25,0.25"]) == 0
    library = Library.read("data")
    assert library.vectors.image.shape == (24, 512)  # a picture a second
    tiny = ["--model.config.width", "2", "--model.config.depth", "5", "--data.frames", "32", "--data.batch_size", "2"]
    quiet = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    short = ["--trainer.max_steps", "2", "--trainer.val_check_interval", "1"]
    assert fit(["-c", "music-sop", *tiny, *quiet, *short, "--data.folder", "data"]) == 0
    Frame(0.0, np.full((40, 40, 3), 200, np.uint8)).save(tmp_path / "picture.png")
    model = ["--model", "runs/music-sop/export"]
    assert main(["separate", str(library.sounds[0]), "--image", "picture.png", "-o", "out.wav", *model]) == 0
    assert (tmp_path / "out.wav").is_file()
    capsys.readouterr()
    measured = ["evaluate", "data/manifest.csv", "--pictures", "--split", "test", "--fast", "--json", *model]
    assert main(measured) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["methods"]) == {"mixture", "half", "oracle", "pictures"}
    assert report["n"] <= library.manifest.splits["test"]
    assert main(["evaluate", "data/manifest.csv", "--pictures", "--split", "exam", *model]) == 2
    assert "no sound is in the part 'exam'" in capsys.readouterr().err
