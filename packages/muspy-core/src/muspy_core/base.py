"""How music objects describe themselves: fields, and what follows from them (copies, dictionaries, checks).

A field is declared once, with its type, its allowed range and the column that holds it in a table of events
(`columns.py`). `Base` derives everything else from that declaration and keeps the interface of MusPy's `Base`.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

BaseT = TypeVar("BaseT", bound="Base")


@dataclasses.dataclass(frozen=True)
class Field:
    """One attribute of a music object.

    type: allowed type(s) of the value, or of each item if `is_list`. column: NumPy type of its column, "" if it is
    kept in a side column. none: the column value that stands for None. words: the closed vocabulary of a string field,
    stored as 1, 2, … low, high: allowed range, bounds included. above: a bound that the value must exceed.
    """

    type: Any
    column: str = ""
    none: int | None = None
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    is_list: bool = False
    optional: bool = True
    name: str = ""

    @property
    def holds_objects(self) -> bool:
        """Whether its values are music objects themselves."""
        return isinstance(self.type, type) and issubclass(self.type, Base)


class Base:
    """Base class of all music objects (MusPy's `Base`).

    Class attributes: `_attributes` (name → type, or a tuple of types), `_optional_attributes` and `_list_attributes`
    (names), all in order.
    """

    _fields: ClassVar[tuple[Field, ...]] = ()
    _attributes: ClassVar[OrderedDict[str, Any]] = OrderedDict()
    _optional_attributes: ClassVar[list[str]] = []
    _list_attributes: ClassVar[list[str]] = []

    @classmethod
    def _set_fields(cls, fields: Iterable[Field]) -> None:
        """Declare the fields of a class, in order."""
        cls._fields = tuple(fields)
        cls._attributes = OrderedDict((field.name, field.type) for field in cls._fields)
        cls._optional_attributes = [field.name for field in cls._fields if field.optional]
        cls._list_attributes = [field.name for field in cls._fields if field.is_list]

    def __init__(self, **kwargs: Any) -> None:
        for name in self._attributes:
            setattr(self, name, kwargs.get(name))

    def __repr__(self) -> str:
        shown = []
        for name in self._attributes:
            value = getattr(self, name)
            if name in self._list_attributes:
                if not value:
                    continue
                items = ", ".join(repr(item) for item in peek(value, 3))
                shown.append(f"{name}=[{items}{', ...' if len(value) > 3 else ''}]")
            elif value is not None:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __hash__(self) -> int:
        return hash(repr(self))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._attributes)

    def __lt__(self, other: Any) -> bool:
        return bool(getattr(self, "time") < other.time)  # noqa: B009 - only timed objects can be ordered

    def __gt__(self, other: Any) -> bool:
        return bool(getattr(self, "time") > other.time)  # noqa: B009 - only timed objects can be ordered

    def __copy__(self: BaseT) -> BaseT:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self: BaseT, memo: dict[int, Any] | None) -> BaseT:
        from copy import deepcopy

        copied = type(self).__new__(type(self))
        copied.__dict__.update({name: deepcopy(value, memo) for name, value in self.__dict__.items()})
        return copied

    # --- dictionaries and copies -----------------------------------------------------------------------------------

    @classmethod
    def from_dict(cls: type[BaseT], dict_: Mapping[str, Any], strict: bool = False, cast: bool = False) -> BaseT:
        """Return an object made from a mapping of attribute names to values; unknown keys are ignored.

        strict: raise TypeError when a value has the wrong type. cast: convert values instead. Neither is passed on to
        nested objects. Raises TypeError when a required attribute is missing, AssertionError when both are set.
        """
        if strict and cast:
            raise AssertionError("`strict` and `cast` exclude each other")
        values: dict[str, Any] = {}
        for field in cls._fields:
            value = dict_.get(field.name)
            if value is None:
                if not field.optional:
                    raise TypeError(f"{cls.__name__}: the required attribute `{field.name}` is missing")
            else:
                values[field.name] = cls._value_from_dict(field, value, strict, cast)
        return cls(**values)

    @classmethod
    def _value_from_dict(cls, field: Field, value: Any, strict: bool, cast: bool) -> Any:
        if field.holds_objects:
            if field.is_list:
                return [item if isinstance(item, Base) else field.type.from_dict(item) for item in value]
            return value if isinstance(value, Base) else field.type.from_dict(value)
        if cast:
            return _cast(field, value)
        if strict:
            check_type(cls.__name__, field, value)
        return value

    def to_ordered_dict(self, skip_missing: bool = True, deepcopy: bool = True) -> OrderedDict[str, Any]:
        """Return the object as an ordered dictionary, nested objects included.

        skip_missing: leave out attributes that are None or empty lists. Attributes beyond MusPy's are always left out
        while unset. deepcopy: copy mutable values.
        """
        from copy import deepcopy as copy_value

        result: OrderedDict[str, Any] = OrderedDict()
        for field in self._fields:
            value = getattr(self, field.name)
            missing = value is None or (field.is_list and not value)
            if missing and (skip_missing or field.name not in self._muspy_attributes()):
                continue
            if isinstance(value, Base):
                result[field.name] = value.to_ordered_dict(skip_missing, deepcopy)
            elif value is not None and field.is_list and field.holds_objects:
                result[field.name] = [
                    item.to_ordered_dict(skip_missing, deepcopy) if isinstance(item, Base) else item
                    for item in peek(value)
                ]
            else:
                result[field.name] = copy_value(value) if deepcopy else value
        return result

    @classmethod
    def _muspy_attributes(cls) -> tuple[str, ...]:
        """Names of the attributes that MusPy's class has as well."""
        return tuple(cls._attributes)

    def copy(self: BaseT) -> BaseT:
        """Return a shallow copy."""
        return self.__copy__()

    def deepcopy(self: BaseT) -> BaseT:
        """Return a deep copy."""
        return self.__deepcopy__(None)

    def pretty_str(self, skip_missing: bool = True) -> str:
        """Return the attributes as YAML, for people to read."""
        import yaml

        return str(yaml.safe_dump(_plain(self.to_ordered_dict(skip_missing)), sort_keys=False, allow_unicode=True))

    def print(self, skip_missing: bool = True) -> None:
        """Print the attributes as YAML."""
        print(self.pretty_str(skip_missing))  # noqa: T201 - printing is what MusPy's method is for

    # --- checks ----------------------------------------------------------------------------------------------------

    def validate_type(self: BaseT, attr: str | None = None, recursive: bool = True) -> BaseT:
        """Raise TypeError if an attribute (all by default) has the wrong type; return the object.

        recursive: check nested objects too.
        """
        for field in self._chosen(attr):
            value = getattr(self, field.name)
            if value is None and field.optional:
                continue
            check_type(type(self).__name__, field, value)
            if recursive:
                for item in value if field.is_list else (value,):
                    if isinstance(item, Base):
                        item.validate_type(recursive=True)
        return self

    def validate(self: BaseT, attr: str | None = None, recursive: bool = True) -> BaseT:
        """Raise TypeError or ValueError if an attribute (all by default) is invalid; return the object."""
        self.validate_type(attr, recursive=False)
        for field in self._chosen(attr):
            value = getattr(self, field.name)
            if value is None:
                continue
            check_range(type(self).__name__, field, value)
            if recursive:
                for item in value if field.is_list else (value,):
                    if isinstance(item, Base):
                        item.validate(recursive=True)
        return self

    def is_valid_type(self, attr: str | None = None, recursive: bool = True) -> bool:
        """Return whether an attribute (all by default) has the right type."""
        try:
            self.validate_type(attr, recursive)
        except TypeError:
            return False
        return True

    def is_valid(self, attr: str | None = None, recursive: bool = True) -> bool:
        """Return whether an attribute (all by default) has the right type and a valid value."""
        try:
            self.validate(attr, recursive)
        except (TypeError, ValueError):
            return False
        return True

    def fix_type(self: BaseT, attr: str | None = None, recursive: bool = True) -> BaseT:
        """Convert attributes (all by default) of the wrong type in place; return the object."""
        for field in self._chosen(attr):
            value = getattr(self, field.name)
            if value is None and field.optional:
                continue
            if field.holds_objects:
                for item in (value if field.is_list else (value,)) if recursive else ():
                    item.fix_type(recursive=True)
            else:
                setattr(self, field.name, _cast(field, value))
        return self

    def adjust_time(self: BaseT, func: Callable[[int], int], attr: str | None = None, recursive: bool = True) -> BaseT:
        """Apply a function to every time of the object (or of one attribute) in place; return the object.

        A duration is adjusted by way of its end: it becomes `func(time + duration) - func(time)`.
        """
        if attr is not None and attr not in self._attributes:
            raise AttributeError(f"{type(self).__name__} has no attribute `{attr}`")
        if "time" in self._attributes and attr in (None, "time"):
            self._adjust_own_time(func)
        if recursive:
            for field in self._chosen(attr):
                self._adjust_nested_time(field, func)
        return self

    def _adjust_own_time(self, func: Callable[[int], int]) -> None:
        time, duration = self.__dict__["time"], self.__dict__.get("duration")
        self.__dict__["time"] = func(time)
        if duration is not None:
            self.__dict__["duration"] = func(time + duration) - func(time)

    def _adjust_nested_time(self, field: Field, func: Callable[[int], int]) -> None:
        value = getattr(self, field.name)
        if field.holds_objects:
            for item in value if field.is_list else (value,):
                item.adjust_time(func)

    def _chosen(self, attr: str | None) -> Iterable[Field]:
        if attr is None:
            return self._fields
        chosen = [field for field in self._fields if field.name == attr]
        if not chosen:
            raise AttributeError(f"{type(self).__name__} has no attribute `{attr}`")
        return chosen


def peek(items: Any, stop: int | None = None) -> Any:
    """Return the first `stop` items (all by default) of a list; a list of events is not changed by the look."""
    return items.peek(stop) if hasattr(items, "peek") else items[:stop]


def _types_of(field: Field) -> tuple[type, ...]:
    return field.type if isinstance(field.type, tuple) else (field.type,)


def check_type(owner: str, field: Field, value: Any) -> None:
    """Raise TypeError if a value does not have the type of its field."""
    if value is None and field.optional:
        return
    types = _types_of(field)
    if field.is_list:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise TypeError(f"{owner}.{field.name}: expected a list, got {type(value).__name__}")
        items: Iterable[Any] = value
    else:
        items = (value,)
    if object in types:
        return
    for item in items:
        # bool is a subclass of int, and True is no pitch.
        if not isinstance(item, types) or (isinstance(item, bool) and bool not in types):
            expected = " or ".join(t.__name__ for t in types)
            raise TypeError(f"{owner}.{field.name}: expected {expected}, got {type(item).__name__} ({item!r})")


def check_range(owner: str, field: Field, value: Any) -> None:
    """Raise ValueError if a value of the right type is outside the range or vocabulary of its field."""
    if field.low is None and field.high is None and field.above is None and not field.words:
        return
    for item in value if field.is_list else (value,):
        if field.words and item not in field.words:
            raise ValueError(f"{owner}.{field.name}: {item!r} is not one of {', '.join(field.words)}")
        if field.above is not None and not item > field.above:
            raise ValueError(f"{owner}.{field.name}: {item} is not above {field.above:g}")
        if field.low is not None and item < field.low:
            raise ValueError(f"{owner}.{field.name}: {item} is below the lowest allowed value, {field.low}")
        if field.high is not None and item > field.high:
            raise ValueError(f"{owner}.{field.name}: {item} is above the highest allowed value, {field.high}")


def _cast(field: Field, value: Any) -> Any:
    target = _types_of(field)[0]
    if target is object:
        return value
    if field.is_list:
        return [target(item) for item in value]
    return value if isinstance(value, target) and type(value) is target else target(scalar(value))


def scalar(value: Any) -> Any:
    """Unwrap one-element arrays, which Python's own conversions refuse."""
    size = getattr(value, "size", None)
    return value.item() if size == 1 and hasattr(value, "item") else value


def _plain(value: Any) -> Any:
    """Containers and scalars that a safe YAML dumper knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return _plain(value.item()) if hasattr(value, "item") else str(value)
