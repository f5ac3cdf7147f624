"""What tracks and whole pieces share: lists of events as attributes, and operations on all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast, overload

import numpy as np

from muspy_core.base import Base, Field
from muspy_core.columns import E, EventList
from muspy_core.events import Annotation, ControlChange

ComplexBaseT = TypeVar("ComplexBaseT", bound="ComplexBase")

CONTROL_CHANGE = "control_change"


class ListOf(Generic[E]):
    """An attribute that is an `EventList`, made when first looked at (an empty list costs nothing)."""

    def __init__(self, event_type: type[E]) -> None:
        self.event_type = event_type

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> ListOf[E]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> EventList[E]: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> ListOf[E] | EventList[E]:
        if instance is None:
            return self
        events = instance.__dict__.get(self.name)
        if events is None:
            events = instance.__dict__[self.name] = EventList(self.event_type)
        return cast("EventList[E]", events)

    def __set__(self, instance: object, events: Iterable[E] | None) -> None:
        if events is None:
            instance.__dict__.pop(self.name, None)
        elif isinstance(events, EventList) and events.event_type is self.event_type:
            instance.__dict__[self.name] = events
        else:
            instance.__dict__[self.name] = EventList(self.event_type, events)


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
            return list(self) == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # a mutable sequence, as a list

    def __repr__(self) -> str:
        return repr(list(self))

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

    def trim(self, end: int) -> None:
        """Drop annotations at or after `end`."""
        trim(self.controls, end)
        trim(self.others, end)

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


def trim(events: EventList[Any], end: int) -> None:
    """Drop events that start at or after `end` and cut what sounds beyond it, in place."""
    array = events.array
    if not len(array):
        return
    events.select(array["time"] < end)
    if "duration" in (array.dtype.names or ()) and len(events):
        times = events.array["time"]
        # An unknown duration is stored as −1 and stays so.
        events.edit("duration", lambda durations: np.minimum(durations, end - times))


def optional_field(name: str, kind: type, low: int | None = None, high: int | None = None) -> Field:
    """Declare an optional attribute of a container."""
    return Field(kind, name=name, low=low, high=high)


def list_field(name: str, kind: type) -> Field:
    """Declare a list attribute of a container."""
    return Field(kind, name=name, is_list=True)


class ComplexBase(Base):
    """Base class of containers: adds operations on lists (MusPy's `ComplexBase`)."""

    _list_attributes: ClassVar[list[str]] = []

    def lists(self) -> Iterator[tuple[Field, Any]]:
        """Iterate over the list attributes and their values."""
        for field in self._fields:
            if field.is_list:
                yield field, getattr(self, field.name)

    def __iadd__(self: ComplexBaseT, other: ComplexBaseT | Iterable[Any]) -> ComplexBaseT:
        return self.extend(other)

    def __add__(self: ComplexBaseT, other: ComplexBaseT) -> ComplexBaseT:
        return self.deepcopy().extend(other, deepcopy=True)

    def append(self: ComplexBaseT, obj: Any) -> ComplexBaseT:
        """Append an object to the list that holds its type; return the container.

        Raises TypeError if no list does.
        """
        self._list_for(obj).append(obj)
        return self

    def _list_for(self, obj: Any) -> Any:
        for field in self._fields:
            if field.is_list and type(obj) is field.type:
                return getattr(self, field.name)
        raise TypeError(f"a {type(self).__name__} has no list of {type(obj).__name__}")

    def extend(self: ComplexBaseT, other: ComplexBaseT | Iterable[Any], deepcopy: bool = False) -> ComplexBaseT:
        """Append the objects of another container of this type, or of an iterable; return the container."""
        from copy import deepcopy as copy_object

        if isinstance(other, ComplexBase):
            if not isinstance(other, type(self)):
                raise TypeError(f"cannot extend a {type(self).__name__} by a {type(other).__name__}")
            for field, items in other.lists():
                getattr(self, field.name).extend(copy_object(list(items)) if deepcopy else list(items))
        else:
            for item in list(other):
                self.append(copy_object(item) if deepcopy else item)
        return self

    def remove_invalid(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Remove invalid items from lists (all by default) in place; return the container."""
        for field in self._chosen_lists(attr):
            items = getattr(self, field.name)
            if recursive:
                for item in items:
                    if isinstance(item, ComplexBase):
                        item.remove_invalid()
            kept = [item for item in items if not isinstance(item, Base) or item.is_valid()]
            if len(kept) != len(items):
                setattr(self, field.name, kept)
        return self

    def remove_duplicate(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Keep the first of equal items in lists (all by default), in place; return the container."""
        for field in self._chosen_lists(attr):
            items = getattr(self, field.name)
            if isinstance(items, (EventList, AnnotationView)):
                items.remove_duplicate()
                continue
            if recursive:
                for item in items:
                    if isinstance(item, ComplexBase):
                        item.remove_duplicate()
            setattr(self, field.name, _unique(items))
        return self

    def sort(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Sort lists (all by default) stably by time, in place; return the container."""
        for field in self._chosen_lists(attr):
            items = getattr(self, field.name)
            if isinstance(items, (EventList, AnnotationView)):
                items.sort_by("time")
            elif recursive:
                for item in items:
                    if isinstance(item, ComplexBase):
                        item.sort()
        return self

    def _adjust_nested_time(self, field: Field, func: Callable[[int], int]) -> None:
        value = getattr(self, field.name)
        if isinstance(value, (EventList, AnnotationView)):
            value.adjust_time(func)
        else:
            super()._adjust_nested_time(field, func)

    def _chosen_lists(self, attr: str | None) -> Sequence[Field]:
        chosen = [field for field in self._chosen(attr) if field.is_list]
        if attr is not None and not chosen:
            raise TypeError(f"{type(self).__name__}.{attr} is not a list")
        return chosen


def _unique(items: Sequence[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
