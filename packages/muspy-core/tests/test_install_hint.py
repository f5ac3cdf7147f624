"""What tells people which distribution to install names ours, whatever it is called on the index."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest
from muspy_core.errors import MuspyError, install_hint
from muspy_core.io.files import read_text


def test_the_hint_names_the_distribution_of_an_import_package() -> None:
    assert distribution("muspy-core").name == "muspy-core"
    assert install_hint("muspy_core", "render") == "pip install 'muspy-core[render]'"


def test_a_package_without_a_console_script_is_named_as_it_is() -> None:
    assert install_hint("no_such_package", "train") == "pip install 'no_such_package[train]'"


@pytest.mark.parametrize("content", [b"caf\xe9", b"\xff\xfea\0", b"text,\0\n"])
def test_what_is_no_text_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(MuspyError, match=r"table\.csv: is no text"):
        read_text(tmp_path / "table.csv", MuspyError)


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"\xef\xbb\xbftext\r\n")
    assert read_text(tmp_path / "table.csv", MuspyError) == "text\n"
