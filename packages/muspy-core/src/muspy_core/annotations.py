"""The annotations of a track as MusPy has them: control changes and all others, two lists in one view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence
from typing import Any, cast, overload

from muspy_core.columns import EventList
from muspy_core.events import Annotation, ControlChange

CONTROL_CHANGE = "control_change"


class ControlAnnotation(Annotation):
    """A control change, seen as MusPy's annotation: `{"number": …, "value": …}` in the group "control_change".

    Reading and writing go to the `ControlChange` behind it.
    """

    def __init__(self, control: ControlChange) -> None:
        self.__dict__["control"] = control

    @property
    def time(self) -> int:
        """Time of the control change in steps."""
        return self.control.time

    @time.setter
    def time(self, time: int) -> None:
        self.control.time = time

    @property
    def control(self) -> ControlChange:
        """The control change itself."""
        return cast("ControlChange", self.__dict__["control"])

    @property
    def annotation(self) -> dict[str, int]:
        """Number and value; changing the dictionary changes the control change."""
        return _ControlValues(self.control)

    @annotation.setter
    def annotation(self, values: Mapping[str, int]) -> None:
        self.control.number, self.control.value = values["number"], values["value"]

    group = CONTROL_CHANGE
    midi_track = None

    def _adjust_own_time(self, func: Callable[[int], int]) -> None:
        self.control.time = func(self.control.time)

    def __deepcopy__(self, memo: Any) -> Annotation:  # type: ignore[override] # the copy stands alone
        return Annotation(self.time, dict(self.annotation), self.group)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Annotation):
            return NotImplemented
        return (self.time, self.annotation, self.group) == (other.time, other.annotation, other.group)

    def __repr__(self) -> str:
        return repr(Annotation(self.time, dict(self.annotation), self.group))

    __hash__ = Annotation.__hash__


class _ControlValues(dict[str, int]):
    """The number and value of a control change as a dictionary that writes through."""

    def __init__(self, control: ControlChange) -> None:
        super().__init__(number=control.number, value=control.value)
        self._control = control

    def __setitem__(self, key: str, value: int) -> None:
        if key not in ("number", "value"):
            raise KeyError(f"a control change has a number and a value, no {key!r}")
        super().__setitem__(key, value)
        setattr(self._control, key, value)

    def update(self, *values: Any, **more: int) -> None:
        """Change number, value or both."""
        for key, value in dict(*values, **more).items():
            self[key] = value

    def __ior__(self, values: Any) -> _ControlValues:  # type: ignore[override,misc] # dict's own overloads
        self.update(values)
        return self

    def __delitem__(self, key: str) -> None:
        raise KeyError(f"a control change has a number and a value; {key!r} cannot be removed")

    def pop(self, key: str, *default: Any) -> Any:
        """Raise KeyError: neither can be removed."""
        del self[key]

    def popitem(self) -> Any:
        """Raise KeyError: neither can be removed."""
        del self["value"]

    def clear(self) -> None:
        """Raise KeyError: neither can be removed."""
        del self["number"]

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy stands alone.
        return (dict, (dict(self),))


class AnnotationView(MutableSequence[Annotation]):
    """All annotations of a track: its control changes first, then the others.

    A view of two lists, not a copy: what is appended, changed or removed here is so there.
    """

    event_type = Annotation

    def __init__(self, controls: EventList[ControlChange], others: EventList[Annotation]) -> None:
        self.controls = controls
        self.others = others

    def __len__(self) -> int:
        return len(self.controls) + len(self.others)

    def __iter__(self) -> Iterator[Annotation]:
        for control in self.controls:
            yield ControlAnnotation(control)
        yield from self.others

    @overload
    def __getitem__(self, key: int) -> Annotation: ...

    @overload
    def __getitem__(self, key: slice) -> MutableSequence[Annotation]: ...

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return list(self)[key]
        index = self._index(key)
        count = len(self.controls)
        return ControlAnnotation(self.controls[index]) if index < count else self.others[index - count]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            items = list(self)
            items[key] = value
            self.replace(items)
            return
        index = self._index(key)
        count = len(self.controls)
        control = as_control_change(value)
        if control is not None and index < count:
            self.controls[index] = control
        elif control is None and index >= count:
            self.others[index - count] = value
        else:
            del self[index]
            self.insert(index, value)

    def __delitem__(self, key: Any) -> None:
        if isinstance(key, slice):
            items = list(self)
            del items[key]
            self.replace(items)
            return
        index = self._index(key)
        count = len(self.controls)
        if index < count:
            del self.controls[index]
        else:
            del self.others[index - count]

    def insert(self, index: int, value: Annotation) -> None:
        """Insert an annotation, a control change among the control changes."""
        control = as_control_change(value)
        count = len(self.controls)
        index = max(index + len(self), 0) if index < 0 else index
        if control is not None:
            self.controls.insert(min(index, count), control)
        else:
            self.others.insert(max(index - count, 0), value)

    def replace(self, annotations: Iterable[Annotation]) -> None:
        """Replace all annotations."""
        items = list(annotations)
        controls = [as_control_change(item) for item in items]
        others = [item for item, control in zip(items, controls, strict=True) if control is None]
        self.controls.clear()
        self.others.clear()
        self.controls.extend(control for control in controls if control is not None)
        self.others.extend(others)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AnnotationView):
            return self.controls == other.controls and self.others == other.others
        if isinstance(other, (list, tuple)):
            return self.peek() == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # a mutable sequence, as a list

    def __repr__(self) -> str:
        return repr(self.peek())

    # What `ComplexBase` asks of every list of events.

    def adjust_time(self, func: Callable[[int], int]) -> None:
        """Apply a function to all times."""
        self.controls.adjust_time(func)
        self.others.adjust_time(func)

    def sort_by(self, *names: str) -> None:
        """Sort each of the two lists stably."""
        self.controls.sort_by(*names)
        self.others.sort_by(*names)

    def remove_duplicate(self) -> None:
        """Keep the first of equal annotations."""
        self.controls.remove_duplicate()
        self.others.remove_duplicate()

    def end_time(self) -> int:
        """Return the latest time in steps."""
        return max(self.controls.end_time(), self.others.end_time())

    def peek(self, stop: int | None = None) -> list[Annotation]:
        """Return the first `stop` annotations (all by default) as `EventList.peek` does."""
        return [*map(ControlAnnotation, self.controls.peek(stop)), *self.others.peek(stop)][:stop]

    def validate_type(self) -> None:
        """Raise TypeError if an attribute of an annotation has the wrong type."""
        self.controls.validate_type()
        self.others.validate_type()

    def validate(self) -> None:
        """Raise TypeError or ValueError if an attribute of an annotation is invalid."""
        self.controls.validate()
        self.others.validate()

    def remove_invalid(self) -> None:
        """Remove invalid annotations."""
        self.controls.remove_invalid()
        self.others.remove_invalid()

    def fix_type(self) -> None:
        """Convert values of the wrong type."""
        self.controls.fix_type()
        self.others.fix_type()

    def trim(self, end: int) -> None:
        """Drop annotations at or after `end`."""
        self.controls.trim(end)
        self.others.trim(end)

    def _index(self, key: Any) -> int:
        return int(range(len(self))[key])


def as_control_change(annotation: Annotation) -> ControlChange | None:
    """Return the control change that an annotation of MusPy's form stands for, else None."""
    if isinstance(annotation, ControlAnnotation):
        return annotation.control
    values = getattr(annotation, "annotation", None)
    if getattr(annotation, "group", None) != CONTROL_CHANGE or not isinstance(values, Mapping):
        return None
    if set(values) != {"number", "value"}:
        return None
    return ControlChange(annotation.time, values["number"], values["value"])
