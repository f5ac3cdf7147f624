"""What tracks and whole pieces share: lists of events as attributes, and operations on all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast, overload

from muspy_core.annotations import AnnotationView
from muspy_core.base import Base, Field
from muspy_core.columns import E, EventList

ComplexBaseT = TypeVar("ComplexBaseT", bound="ComplexBase")

# The attributes that hold events rather than containers.
TABLES = (EventList, AnnotationView)


class ListOf(Generic[E]):
    """An attribute that is an `EventList`, made when first looked at (an empty list costs nothing).

    A reader that can read lists one by one leaves a function in the container's `_unread`: name of a list → its events,
    or None. It is asked once for each list, when that is first looked at.
    """

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
            read = instance.__dict__.get("_unread")
            events = None if read is None else read(self.name)
            events = instance.__dict__[self.name] = EventList(self.event_type) if events is None else events
        return cast("EventList[E]", events)

    def __set__(self, instance: object, events: Iterable[E] | None) -> None:
        if events is None:
            instance.__dict__[self.name] = EventList(self.event_type)
        elif isinstance(events, EventList) and events.event_type is self.event_type:
            instance.__dict__[self.name] = events
        else:
            instance.__dict__[self.name] = EventList(self.event_type, events)


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
            if field.is_list and isinstance(obj, field.type):
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
            if isinstance(items, TABLES):
                items.remove_invalid()
                continue
            if recursive:
                for item in items:
                    if isinstance(item, ComplexBase):
                        item.remove_invalid()
            setattr(self, field.name, [item for item in items if not isinstance(item, Base) or item.is_valid()])
        return self

    def remove_duplicate(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Keep the first of equal items in lists (all by default), in place; return the container."""
        for field in self._chosen_lists(attr):
            items = getattr(self, field.name)
            if isinstance(items, TABLES):
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
            if isinstance(items, TABLES):
                items.sort_by("time")
            elif recursive:
                for item in items:
                    if isinstance(item, ComplexBase):
                        item.sort()
        return self

    def validate_type(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Raise TypeError if an attribute (all by default) has the wrong type; return the container.

        recursive: check nested objects too; columns are checked as columns.
        """
        for field in self._chosen(attr):
            value = getattr(self, field.name)
            if not (isinstance(value, EventList) and value.is_columnar):
                super().validate_type(field.name, recursive and not isinstance(value, TABLES))
            if recursive and isinstance(value, TABLES):
                value.validate_type()
        return self

    def validate(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Raise TypeError or ValueError if an attribute (all by default) is invalid; return the container."""
        for field in self._chosen(attr):
            value = getattr(self, field.name)
            if not isinstance(value, TABLES):
                super().validate(field.name, recursive)
            else:
                self.validate_type(field.name, recursive=False)
                if recursive:
                    value.validate()
        return self

    def fix_type(self: ComplexBaseT, attr: str | None = None, recursive: bool = True) -> ComplexBaseT:
        """Convert attributes (all by default) of the wrong type in place; return the container."""
        for field in self._chosen(attr):
            value = getattr(self, field.name)
            if not isinstance(value, TABLES):
                super().fix_type(field.name, recursive)
            elif recursive:
                value.fix_type()
        return self

    def __copy__(self: ComplexBaseT) -> ComplexBaseT:
        self._make_all_lists()
        return super().__copy__()

    def __deepcopy__(self: ComplexBaseT, memo: dict[int, Any] | None) -> ComplexBaseT:
        self._make_all_lists()
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[str, Any]:
        self._make_all_lists()
        return self.__dict__

    def _make_all_lists(self) -> None:
        """Look at all lists, so that a copy has (or shares) each one and none is left to be read from a file."""
        for _ in self.lists():
            pass
        self.__dict__.pop("_unread", None)

    def _adjust_nested_time(self, field: Field, func: Callable[[int], int]) -> None:
        value = getattr(self, field.name)
        if isinstance(value, TABLES):
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
