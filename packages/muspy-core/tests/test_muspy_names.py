"""Every name of MusPy is here and takes the same parameters in the same order with the same defaults.

`muspy_names.json` lists them: those of the release 0.5.0, checked against the installed MusPy, and what MusPy's
development version has beyond it.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import muspy_core
import pytest
from muspy_core import MIDIError, MuseScoreError, MusicXMLError
from muspy_signatures import GOLDEN, describe, described, parameters

DOCS = Path(__file__).resolve().parents[3] / "docs/migration.md"
TABLE: dict[str, dict[str, dict[str, Any]]] = json.loads(GOLDEN.read_text())
RELEASED, HEAD = TABLE["0.5.0"], TABLE["head"]
NAMES = {**RELEASED, **HEAD}

# What differs, and why. Each stands in the migration guide too.
DIFFERENT_DEFAULTS = {
    ("Note.__init__", "velocity=64"): "MusPy's None becomes 64 as well",
    ("Chord.__init__", "velocity=64"): "MusPy's None becomes 64 as well",
}
# Functions that name what MusPy's take by **kwargs and hand on.
NAMED_KEYWORDS = {
    "write_midi": "use_note_off_message, for mido",
    "write_abc": "compact_repeats and bars_per_line",
    "show_pianoroll": "the plot is another one; MusPy's is `music.to_pypianoroll().plot(...)`",
}
DIFFERENT_VALUES = {"__version__": "the version of this package"}
SUB_MODULES = {
    "inputs": "abc event json midi musescore music21 musicxml note pianoroll pitch wrappers yaml",
    "outputs": "abc audio event json midi music21 musicxml note pianoroll pitch wrappers yaml",
}


def accepts_every_call(ours: list[str], theirs: list[str], place: str) -> bool:
    """Whether whatever can be passed to theirs can be passed to ours, and means the same."""
    if "**kwargs" in theirs:
        theirs = [item for item in theirs if item != "**kwargs"]
        if "**kwargs" not in ours and place not in NAMED_KEYWORDS:
            return False
    if "**kwargs" in ours and [item for item in theirs if item not in ours]:
        # Thin methods hand everything on by keyword.
        ours = [*[item for item in ours if item != "**kwargs"], *theirs[len(ours) - 1 :]]
    for mine, other in zip(ours, theirs, strict=False):
        if mine != other and (place, mine) not in DIFFERENT_DEFAULTS:
            return False
        if mine.partition("=")[0] != other.partition("=")[0]:
            return False
    return len(ours) >= len(theirs) and all("=" in item or item.startswith("*") for item in ours[len(theirs) :])


def test_the_table_is_that_of_muspy(muspy: ModuleType) -> None:
    assert described(muspy) == RELEASED


def test_the_table_has_the_names_of_the_release_and_of_the_development_version() -> None:
    assert len(RELEASED) == 145
    assert len(NAMES) == 146


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_here_and_of_the_same_kind(name: str) -> None:
    assert name in muspy_core.__all__
    kind = describe(getattr(muspy_core, name))["kind"]
    assert kind == NAMES[name]["kind"]


@pytest.mark.parametrize("name", [name for name, found in NAMES.items() if found["kind"] == "constant"])
def test_constants_have_the_same_value(name: str) -> None:
    assert (getattr(muspy_core, name) == NAMES[name]["value"]) == (name not in DIFFERENT_VALUES)


@pytest.mark.parametrize("name", [name for name, found in NAMES.items() if found["kind"] == "function"])
def test_a_function_takes_the_same_parameters(name: str) -> None:
    assert accepts_every_call(parameters(getattr(muspy_core, name)), NAMES[name]["parameters"], name)


@pytest.mark.parametrize("name", [name for name, found in NAMES.items() if found["kind"] == "class"])
def test_methods_take_the_same_parameters(name: str) -> None:
    ours = getattr(muspy_core, name)
    for member, found in NAMES[name]["members"].items():
        mine = inspect.getattr_static(ours, member)
        if found == "property":
            assert isinstance(mine, property) or member in {field.name for field in ours._fields}, member
        else:
            place = f"{name}.{member}"
            assert accepts_every_call(parameters(getattr(ours, member)), found, place), place


@pytest.mark.parametrize(
    ("ours", "theirs", "accepted"),
    [
        (["path", "kind=None"], ["path", "kind=None"], True),
        (["path", "kind=None", "tolerant=False"], ["path", "kind=None"], True),
        (["path", "**kwargs"], ["path", "compressed=None"], True),
        (["path", "kind=None"], ["path", "kind=None", "**kwargs"], False),
        (["path", "mode"], ["path"], False),
        (["path"], ["path", "kind=None"], False),
        (["path", "kind='json'"], ["path", "kind=None"], False),
        (["kind=None", "path"], ["path", "kind=None"], False),
        (["path", "kinds=None"], ["path", "kind=None"], False),
    ],
)
def test_the_comparison_finds_what_differs(ours: list[str], theirs: list[str], accepted: bool) -> None:
    assert accepts_every_call(ours, theirs, "f") is accepted


@pytest.mark.parametrize("module", ["datasets", "external", "inputs", "metrics", "outputs", "processors", "schemas",
                                    "visualization"])  # fmt: skip
def test_sub_modules_have_the_names_of_muspys(module: str, muspy: ModuleType) -> None:
    for name in getattr(muspy, module).__all__:
        assert getattr(getattr(muspy_core, module), name) is getattr(muspy_core, name), name


@pytest.mark.parametrize(
    ("package", "module"), [(p, name) for p, names in SUB_MODULES.items() for name in names.split()]
)
def test_modules_of_inputs_and_outputs_have_the_functions_of_muspys(
    package: str, module: str, muspy: ModuleType
) -> None:
    ours = getattr(getattr(muspy_core, package), module)
    if (package, module) == ("outputs", "abc"):
        assert ours.write_abc is muspy_core.write_abc
        return
    theirs = getattr(getattr(muspy, package), module)
    public = {name for name in getattr(muspy, package).__all__ if getattr(theirs, name, None)}
    own = {name for name in public if getattr(theirs, name).__module__ == theirs.__name__}
    assert own
    for name in own:
        assert getattr(ours, name) is getattr(muspy_core, name), name


def test_sequences_are_found_where_muspys_tests_look_for_them() -> None:
    names = "EventSequence get_indexer to_default_event_sequence to_performance_event_sequence to_remi_event_sequence"
    for name in names.split():
        assert getattr(muspy_core.outputs.event, name) is getattr(muspy_core, name)


def test_every_name_and_difference_stands_in_the_migration_guide() -> None:
    guide = DOCS.read_text(encoding="utf-8")
    for name in [place.removesuffix(".__init__") for place, _ in DIFFERENT_DEFAULTS] + [*NAMED_KEYWORDS]:
        assert f"`{name}(" in guide
    for name in [*DIFFERENT_VALUES, *NAMES]:
        assert f"`{name}`" in guide or f"`{name}(" in guide, name


def test_the_modules_load_no_other_library_until_it_is_needed() -> None:
    modules = ["external", "inputs", "outputs", "processors", "schemas", "visualization"]
    heavy = ["matplotlib", "music21", "mido", "pretty_midi", "pypianoroll", "symusic", "torch", "jsonschema", "verovio"]
    program = (
        f"import importlib, sys\n"
        f"for name in {modules}: importlib.import_module('muspy_core.' + name)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_errors_are_those_that_muspy_code_catches() -> None:
    for error in (MIDIError, MusicXMLError, MuseScoreError):
        assert issubclass(error, ValueError)


def test_every_exported_name_exists() -> None:
    for name in muspy_core.__all__:
        assert getattr(muspy_core, name) is not None
    assert set(muspy_core.__all__) <= {*dir(muspy_core), "__version__"}
    with pytest.raises(AttributeError, match="nothing"):
        _ = muspy_core.nothing
