"""Settings and fixtures of muspy-core's tests: hypothesis, the corpora beside the checkout, the MusPy oracle."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings

# Time is never asserted: a shared machine may pause for seconds. `--hypothesis-profile=thorough` searches longer.
# No phase `explain`: it traces every line of every example, so that one of 100,000 measures takes minutes, not seconds.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=30,
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=1000)
settings.load_profile("default")

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public-domain corpora: $MUSPY_SHARED_DATA, else `../shared/data` beside the checkout."""
    folder = Path(os.environ.get("MUSPY_SHARED_DATA") or CHECKOUT.parent / "shared/data")
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}; set MUSPY_SHARED_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def muspy() -> ModuleType:
    """MusPy itself, the oracle for what must stay as it is there."""
    with warnings.catch_warnings():
        # MusPy and what it imports use names that newer libraries deprecate.
        warnings.simplefilter("ignore")
        return pytest.importorskip("muspy", reason="MusPy is not installed; it is the oracle of this test")
