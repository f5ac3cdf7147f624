"""Settings and fixtures of deepperformer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bach_folder() -> Path:
    """The Bach Violin Dataset, where it is at hand."""
    folder = Path(__file__).parents[4] / "shared/data/bach-violin"
    if not folder.is_dir():
        pytest.skip("the Bach Violin Dataset is not in ../shared/data")
    return folder
