"""Names that MusPy has too take the same arguments in the same order with the same defaults."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import muspy_core
import pytest
from muspy_core import MIDIError, MuseScoreError, MusicXMLError

# (ours, theirs): both mean the same.
EQUAL_DEFAULTS = {
    # What MusPy's development version has.
    ("synthesize", "gain"): (1, None),
    ("write_audio", "gain"): (1, None),
    ("write_audio", "audio_format"): ("auto", None),
    ("Note", "velocity"): (64, None),
    ("Chord", "velocity"): (64, None),
    ("Metadata", "schema_version"): ("0.2", "0.2"),
}
CONTAINERS = ("Base", "ComplexBase", "Music", "Track")


def parameters(function: Any) -> list[inspect.Parameter]:
    """The parameters of a function, without `self` and catch-alls."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    found = inspect.signature(function).parameters.values()
    return [item for item in found if item.name != "self" and item.kind not in kinds]


def assert_compatible(ours: Any, theirs: Any, name: str) -> None:
    """Every call that MusPy accepts is accepted here, and means the same."""
    expected = parameters(theirs)
    found = parameters(ours)
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in inspect.signature(ours).parameters.values())
    assert [item.name for item in found[: len(expected)]] == [item.name for item in expected] or takes_any, name
    for mine, other in zip(found, expected, strict=False):
        if mine.default is not other.default and mine.default != other.default:
            assert EQUAL_DEFAULTS.get((name, mine.name)) == (mine.default, other.default), (name, mine.name)
    for extra in found[len(expected) :]:
        assert extra.default is not inspect.Parameter.empty, f"{name} needs {extra.name}, which MusPy does not know"


def shared_names(muspy: ModuleType) -> list[str]:
    names = [name for name in muspy.__all__ if not inspect.ismodule(getattr(muspy, name))]
    return [name for name in names if name in muspy_core.__all__]


def test_functions_and_classes_take_the_arguments_of_muspy(muspy: ModuleType) -> None:
    shared = shared_names(muspy)
    assert len(shared) > 40
    for name in shared:
        ours, theirs = getattr(muspy_core, name), getattr(muspy, name)
        if inspect.isfunction(theirs):
            assert_compatible(ours, theirs, name)
        elif inspect.isclass(theirs) and not issubclass(theirs, Exception) and name not in ("Base", "ComplexBase"):
            assert_compatible(ours.__init__, theirs.__init__, name)


def test_constants_are_those_of_muspy(muspy: ModuleType) -> None:
    for name in ("DEFAULT_RESOLUTION", "DEFAULT_VELOCITY", "DEFAULT_SCHEMA_VERSION"):
        if hasattr(muspy, name):
            assert getattr(muspy_core, name) == getattr(muspy, name)


@pytest.mark.parametrize("name", [*CONTAINERS, "Note", "Chord", "Annotation", "KeySignature", "Metadata", "Tempo"])
def test_methods_take_the_arguments_of_muspy(muspy: ModuleType, name: str) -> None:
    ours, theirs = getattr(muspy_core, name), getattr(muspy, name)
    for method, function in inspect.getmembers(theirs, callable):
        if not method.startswith("_") and hasattr(ours, method):
            assert_compatible(getattr(ours, method), function, f"{name}.{method}")


def test_errors_are_those_that_muspy_code_catches() -> None:
    for error in (MIDIError, MusicXMLError, MuseScoreError):
        assert issubclass(error, ValueError)


def test_every_exported_name_exists() -> None:
    for name in muspy_core.__all__:
        assert getattr(muspy_core, name) is not None
    assert set(muspy_core.__all__) <= {*dir(muspy_core), "__version__"}
    with pytest.raises(AttributeError, match="nothing"):
        _ = muspy_core.nothing
