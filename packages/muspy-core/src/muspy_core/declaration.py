"""How an event class is declared: annotated attributes that are columns of a table (fields → events → columns)."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from muspy_core.base import Base, Field

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from typing import dataclass_transform
    else:
        from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        """Only type checkers read this decorator."""
        return lambda decorated: decorated


ClassT = TypeVar("ClassT", bound="type[Base]")


def column(field: Field, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare an attribute of an event; without a default it is required."""
    return dataclasses.field(default=default, metadata={"field": field})


@dataclass_transform(field_specifiers=(column,))
def event(cls: ClassT) -> ClassT:
    """Make an event class from its annotated attributes."""
    made: Any = dataclasses.dataclass(eq=False, repr=False)(cls)
    declared = [item for item in dataclasses.fields(made) if "field" in item.metadata]
    made._set_fields(
        dataclasses.replace(item.metadata["field"], name=item.name, optional=item.default is not dataclasses.MISSING)
        for item in declared
    )
    made._column_fields = tuple(field for field in made._fields if field.column)
    made._side_fields = tuple(field for field in made._fields if not field.column)
    made._muspy_names = tuple(item.name for item in declared if not item.kw_only)
    return cast("ClassT", made)


class Event(Base):
    """Base class of all events.

    `_order` (and `_off_order` of notes) is the position of the message in the file the event was read from, −1 if
    unknown; it breaks ties between simultaneous events when the file is written back and takes no part in equality.
    """

    time: int
    _order: ClassVar[int] = -1
    _off_order: ClassVar[int] = -1
    _column_fields: ClassVar[tuple[Field, ...]] = ()
    _side_fields: ClassVar[tuple[Field, ...]] = ()
    _muspy_names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _muspy_attributes(cls) -> tuple[str, ...]:
        return cls._muspy_names
