"""A request, before anything is sent: where to, with what, and under which idempotency key."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

Time: TypeAlias = datetime.datetime | str
"""A time with a zone, or RFC 3339 text such as `2026-11-01T00:00:00Z`."""

_LONGEST_KEY = 255


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """A request to one route."""

    method: str
    path: str
    query: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    body: Any = None
    idempotency_key: str | None = None
    accept: str = "application/json"


def path(*segments: str) -> str:
    """A path of these segments, which may be ids with any characters."""
    return "".join(f"/{_segment(segment)}" for segment in segments)


def _segment(text: str) -> str:
    if not text:
        raise ValueError("an id must not be empty")
    # `.` and `..` alone would be taken for steps within the path.
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def query(**parameters: str | int | bool | Time | None) -> dict[str, str]:
    """Parameters by their names in JSON. Those that are None are left out; `from_` is `from`."""
    return {name.rstrip("_"): _text(value) for name, value in parameters.items() if value is not None}


def _text(value: str | int | Time) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return time_text(value) if isinstance(value, datetime.datetime) else str(value)


def time_text(time: Time) -> str:
    """RFC 3339 text of a time.

    Raises:
        ValueError: If a `datetime` has no zone.

    """
    if isinstance(time, str):
        return time
    if time.tzinfo is None:
        raise ValueError("a time needs a zone, such as datetime.now(timezone.utc)")
    return time.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def new_idempotency_key() -> str:
    """A key that no other work has."""
    return str(uuid.uuid4())


def valid_key(key: str | None) -> str:
    """The caller's key, or a new one.

    Raises:
        ValueError: If it is no key.

    """
    if key is None:
        return new_idempotency_key()
    is_printable = all(" " <= character <= "~" for character in key)
    if not (1 <= len(key) <= _LONGEST_KEY and is_printable and key.strip() == key):
        raise ValueError("an idempotency key has 1 to 255 printable ASCII characters, and no spaces around them")
    return key


def valid_base_url(base_url: str) -> str:
    """The URL without a slash at its end.

    Raises:
        ValueError: If it is no http or https URL of a host.

    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url must be an http or https URL, such as http://127.0.0.1:8080, not {base_url!r}")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("base_url must have no query, fragment or credentials; the API key is a parameter of its own")
    return base_url.rstrip("/")


def valid_api_key(api_key: str) -> str:
    """The API key.

    Raises:
        ValueError: If it cannot be one.

    """
    if not api_key or not all("!" <= character <= "~" for character in api_key):
        raise ValueError("api_key must be a key made by `topup keys create`; it is empty or has other characters")
    return api_key
