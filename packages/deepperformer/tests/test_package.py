"""The installed package is what its metadata says, and light to import."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import deepperformer


def test_the_version_is_the_one_in_the_metadata() -> None:
    assert deepperformer.__version__ == version("deepperformer")


def test_notes_and_mels_need_no_torch() -> None:
    program = (
        "import sys, deepperformer.features.notes, deepperformer.features.spectrogram, deepperformer.recordings\n"
        "print([name for name in ('torch', 'librosa', 'scipy', 'lightning') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
