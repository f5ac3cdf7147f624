"""Names of trained models find their folders, or say which names there are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from muspy_core.errors import MuspyError
from muspy_core.pretrained import Models, halves, write_model


class ModelError(MuspyError):
    """What the package of these tests raises."""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    """A package with two bundled models, and a folder that is none."""
    package = tmp_path / "packaged_models"
    for name in ("choir", "quartet"):
        (package / "pretrained" / name).mkdir(parents=True)
        (package / "pretrained" / name / "config.json").write_text("{}")
    (package / "pretrained" / "notes").mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "packaged_models", raising=False)
    return Models("packaged_models", ModelError)


def test_bundled_models_are_found_by_name(models: Models) -> None:
    assert models.names() == ["choir", "quartet"]
    assert models.folder("choir") == models.home / "choir"


def test_a_folder_is_a_model_of_its_own(models: Models, tmp_path: Path) -> None:
    assert models.folder(tmp_path) == tmp_path


def test_an_unknown_name_raises_the_packages_error_with_the_nearest(models: Models) -> None:
    with pytest.raises(ModelError, match=r"unknown model 'quartett'.*did you mean 'quartet'"):
        models.folder("quartett")
    with pytest.raises(ModelError, match="bundled models: choir, quartet"):
        models.folder("xyz")


def test_a_bundle_is_known_by_what_it_holds_below(models: Models) -> None:
    (models.home / "bundle" / "network").mkdir(parents=True)
    (models.home / "bundle" / "network" / "config.json").write_text("{}")

    assert Models("packaged_models", ModelError, "network/config.json").names() == ["bundle"]


def test_the_hub_is_asked_for_the_models_files_only(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

    def refuse(identifier: str, allow_patterns: list[str]) -> str:
        assert allow_patterns == ["model.safetensors", "config.json"]
        raise OSError(f"no route to {identifier}")

    monkeypatch.setattr(hub, "snapshot_download", refuse)
    with pytest.raises(ModelError, match="hub:someone/model: cannot be downloaded: no route to someone/model"):
        models.folder("hub:someone/model")


class TestFiles:
    @pytest.fixture(autouse=True)
    def _needs_torch(self) -> None:
        pytest.importorskip("torch", reason="torch is not installed")
        pytest.importorskip("safetensors", reason="safetensors is not installed")

    def test_weights_and_description_come_back(self, models: Models, tmp_path: Path) -> None:
        import torch

        weights = {"b": torch.tensor([1.0, 1 / 3]), "a": torch.eye(3)}
        write_model(tmp_path / "new" / "model", halves(weights), {"title": "Für Elise", "size": 3})

        assert sorted(path.name for path in (tmp_path / "new" / "model").iterdir()) == [
            "config.json",
            "model.safetensors",
        ]
        with models.reading(tmp_path / "new" / "model") as (description, found):
            assert description == {"title": "Für Elise", "size": 3}
        assert {name: tensor.dtype for name, tensor in found.items()} == {"a": torch.float32, "b": torch.float32}
        assert torch.equal(found["a"], weights["a"])
        assert found["b"].tolist() == [1.0, torch.tensor(1 / 3).half().item()]

    @pytest.mark.parametrize(
        ("damage", "said"),
        [
            (lambda folder: (folder / "config.json").unlink(), "config.json"),
            (lambda folder: (folder / "config.json").write_text("{"), "Expecting property name"),
            (lambda folder: (folder / "model.safetensors").write_bytes(b"no weights"), "rror"),
            (lambda folder: (folder / "config.json").write_text("[]"), "list indices"),
            (lambda folder: (folder / "config.json").write_text('{"sizes": 3}'), "size"),
        ],
    )
    def test_whatever_is_wrong_is_the_packages_error_and_names_the_folder(
        self, damage: Callable[[Path], object], said: str, models: Models, tmp_path: Path
    ) -> None:
        folder = tmp_path / "model"
        write_model(folder, {}, {"size": 3})
        damage(folder)
        with (
            pytest.raises(ModelError, match=rf"model: holds no packaged_models model: .*{said}"),
            models.reading(folder) as (description, _),
        ):
            assert description["size"]

    def test_what_the_package_says_of_its_files_is_not_said_again(self, models: Models, tmp_path: Path) -> None:
        write_model(tmp_path, {}, {})
        with pytest.raises(ModelError, match=r"^two heads$"), models.reading(tmp_path):
            raise ModelError("two heads")
