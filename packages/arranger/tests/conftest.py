"""Settings and fixtures of arranger's tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from arranger.corpus import load_corpus, write_pieces
from arranger.mixture import Piece
from arranger.splits import split_of
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture(scope="session")
def chorales() -> list[Piece]:
    """All chorales of the music21 wheel; read once, then kept in the user's cache folder."""
    if find_spec("music21") is None:
        pytest.skip("music21, whose wheel holds the chorales, is not installed")
    return load_corpus("bach")


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a handful of made-up pieces under names of the grouped split, some in each of its parts."""
    from arranger.splits import shipped_groups
    from mixtures import random_piece

    split = split_of("grouped", "bach", [name for group in shipped_groups("bach") for name in group])
    names = [*split.train[:4], *split.valid[:2], *split.test[:2]]
    path = tmp_path_factory.mktemp("corpus") / "tiny.npz"
    write_pieces(path, [random_piece(seed, name=name) for seed, name in enumerate(names)])
    return path
