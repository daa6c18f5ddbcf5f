"""Between JSON and the dataclasses of `models`.

Reading is tolerant towards newer services: unknown members are ignored, and so are unknown words where a list of words
is known. What is missing or of another type is an error.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing

T = typing.TypeVar("T")


class InvalidShapeError(Exception):
    """The JSON is not what the API's document says."""


def member_name(field: str) -> str:
    """The name in JSON: `account_id` is `accountId`."""
    first, *rest = field.split("_")
    return first + "".join(part.capitalize() for part in rest)


def encode(value: object) -> typing.Any:  # noqa: ANN401 - JSON
    """JSON of a dataclass. Members that are None are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {member_name(name): encode(item) for name, item in fields if item is not None}
    if isinstance(value, list):
        return [encode(item) for item in typing.cast("list[object]", value)]
    return value


def decode(model: type[T], value: object) -> T:
    """A dataclass from JSON.

    Raises:
        InvalidShapeError: If a required member is missing, or a member has another type.

    """
    return typing.cast("T", _read(model, value, model.__name__))


@functools.cache
def _hints(model: type) -> dict[str, typing.Any]:
    return typing.get_type_hints(model)


def _read(expected: typing.Any, value: object, place: str) -> object:  # noqa: ANN401 - a type of typing
    origin = typing.get_origin(expected)
    arguments = typing.get_args(expected)
    if origin is typing.Union or origin is types.UnionType:
        return _read_optional(arguments, value, place)
    if origin is list and isinstance(value, list):
        items = typing.cast("list[object]", value)
        return [_read(arguments[0], item, f"{place}[{index}]") for index, item in enumerate(items)]
    if origin is dict and isinstance(value, dict):
        members = typing.cast("dict[str, object]", value)
        return {name: _read(arguments[1], member, f"{place}.{name}") for name, member in members.items()}
    if origin is typing.Literal and isinstance(value, str):
        return value
    if expected is typing.Any:
        return value
    if dataclasses.is_dataclass(expected) and isinstance(expected, type) and isinstance(value, dict):
        return _read_members(expected, typing.cast("dict[str, object]", value), place)
    if expected in (str, int, bool) and type(value) is expected:
        return value
    raise InvalidShapeError(f"{place} is not of the documented type")


def _read_optional(alternatives: tuple[typing.Any, ...], value: object, place: str) -> object:
    if value is None and type(None) in alternatives:
        return None
    (expected,) = (alternative for alternative in alternatives if alternative is not type(None))
    return _read(expected, value, place)


def _read_members(model: type, members: dict[str, object], place: str) -> object:
    arguments: dict[str, object] = {}
    for field in dataclasses.fields(model):
        name = member_name(field.name)
        if name in members:
            arguments[field.name] = _read(_hints(model)[field.name], members[name], f"{place}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InvalidShapeError(f"{place}.{name} is missing")
    return model(**arguments)
