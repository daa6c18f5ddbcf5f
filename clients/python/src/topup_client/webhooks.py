"""Verifies what Topup sends to your server, as Standard Webhooks (https://www.standardwebhooks.com) says."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["WebhookEvent", "WebhookVerificationError", "verify_webhook"]

_PREFIX = "whsec_"


class WebhookVerificationError(Exception):
    """The message is not from Topup, or is too old. Answer 400 and do nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """A verified message.

    Attributes:
        id: The id of the message. It is the same when the message is sent again: remember it, and do nothing twice.
        type: What has happened, such as `topup.paid`.
        timestamp: When it happened, in RFC 3339.
        data: What it happened to.

    """

    id: str
    type: str
    timestamp: str
    data: dict[str, Any]


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance_seconds: int = 300,
    now: float | None = None,
) -> WebhookEvent:
    """Check a message, and read it.

    Pass the body as it came: parsed and written again, it has another signature. While you replace the secret, pass
    both. `now` is in seconds since 1970; by default the time of this machine.

    Raises:
        WebhookVerificationError: If a header is missing, no signature matches, or the message is older or newer than
            `tolerance_seconds`.
        ValueError: If a secret is no `whsec_…`.

    """
    keys = [_key(each) for each in ([secret] if isinstance(secret, str) else secret)]
    if not keys:
        raise ValueError("there is no secret to check the message with")
    raw = body.encode() if isinstance(body, str) else body
    found = {name.lower(): value for name, value in headers.items()}
    message_id = _header(found, "webhook-id")
    timestamp = _header(found, "webhook-timestamp")
    signatures = _header(found, "webhook-signature")
    signed = b".".join([message_id.encode(), timestamp.encode(), raw])
    expected = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    # All are compared, so that the time tells nothing.
    matches = [hmac.compare_digest(given, ours) for given in _signatures(signatures) for ours in expected]
    if not any(matches):
        raise WebhookVerificationError(
            "no signature matches; is it the secret of this endpoint, and the body as it came?"
        )
    _check_age(timestamp, time.time() if now is None else now, tolerance_seconds)
    return _event(message_id, raw)


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise ValueError("a webhook secret is whsec_ and base64") from cause
    if not key:
        raise ValueError("the webhook secret is empty")
    return key


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise WebhookVerificationError(f"the header {name} is missing")
    return value


def _signatures(header: str) -> list[bytes]:
    """Those of version 1. Malformed ones are left out; another may match."""
    found: list[bytes] = []
    for entry in header.split():
        version, _, encoded = entry.partition(",")
        if version != "v1":
            continue
        try:
            found.append(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            continue
    return found


def _check_age(timestamp: str, now: float, tolerance_seconds: int) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise WebhookVerificationError("webhook-timestamp is no whole number of seconds")
    age = now - int(timestamp)
    if age > tolerance_seconds:
        raise WebhookVerificationError(f"the message is {age:.0f} seconds old; is the clock of this machine right?")
    if age < -tolerance_seconds:
        raise WebhookVerificationError(
            f"the message is from {-age:.0f} seconds ahead; is the clock of this machine right?"
        )


def _event(message_id: str, raw: bytes) -> WebhookEvent:
    try:
        payload = json.loads(raw)
    except ValueError as cause:
        raise WebhookVerificationError("the body is signed, and is no JSON") from cause
    members = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
    kind, timestamp, data = members.get("type"), members.get("timestamp"), members.get("data")
    if not (isinstance(kind, str) and isinstance(timestamp, str) and isinstance(data, dict)):
        raise WebhookVerificationError("the body is signed, and has no type, timestamp and data")
    return WebhookEvent(id=message_id, type=kind, timestamp=timestamp, data=cast("dict[str, Any]", data))
