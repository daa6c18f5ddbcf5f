"""Messages are verified as the official package signs them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json

import pytest
import standardwebhooks

from topup_client import WebhookEvent, WebhookVerificationError, verify_webhook

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four bytes or more").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of as many bytes").decode()
NOW = 1_795_262_400
BODY = json.dumps(
    {"type": "topup.paid", "timestamp": "2026-11-21T12:00:00Z", "data": {"accountId": "usér_1", "credits": 250}},
    ensure_ascii=False,
).encode()
EVENT = WebhookEvent(
    id="msg_1", type="topup.paid", timestamp="2026-11-21T12:00:00Z", data={"accountId": "usér_1", "credits": 250}
)


def signed(body: bytes = BODY, *, secret: str = SECRET, at: float = NOW, message_id: str = "msg_1") -> dict[str, str]:
    """The headers that the official package would send."""
    time = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    signature = standardwebhooks.Webhook(secret).sign(message_id, time, body.decode())
    return {"webhook-id": message_id, "webhook-timestamp": str(int(at)), "webhook-signature": signature}


def verify(
    body: bytes | str, headers: dict[str, str], *, secret: str | list[str] = SECRET, now: float = NOW
) -> WebhookEvent:
    return verify_webhook(body, headers, secret, now=now)


@pytest.mark.parametrize("body", [BODY, BODY.decode()])
def test_what_the_official_package_signs_is_read(body: bytes | str) -> None:
    assert verify(body, signed()) == EVENT


def test_what_is_read_is_what_the_official_package_verifies() -> None:
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    headers = signed(at=now)
    assert standardwebhooks.Webhook(SECRET).verify(BODY, headers) == json.loads(BODY)
    assert verify_webhook(BODY, headers, SECRET) == EVENT


def test_names_of_headers_may_be_in_any_case() -> None:
    assert verify(BODY, {name.title(): value for name, value in signed().items()}) == EVENT


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(header: str) -> None:
    for headers in ({**signed(), header: ""}, {name: value for name, value in signed().items() if name != header}):
        with pytest.raises(WebhookVerificationError, match=header):
            verify(BODY, headers)


def changed(**changes: str) -> dict[str, str]:
    return {**signed(), **{f"webhook-{name}": value for name, value in changes.items()}}


SIGNATURE = signed()["webhook-signature"].removeprefix("v1,")
FORGED = {
    "another body": (BODY + b" ", signed()),
    "another id": (BODY, changed(id="msg_2")),
    "another time": (BODY, changed(timestamp=str(NOW + 1))),
    "another secret": (BODY, signed(secret=OTHER)),
    "no version": (BODY, changed(signature=SIGNATURE)),
    "another version": (BODY, changed(signature=f"v1a,{SIGNATURE}")),
    "no signature": (BODY, changed(signature="v1,")),
    "a part of it": (BODY, changed(signature=f"v1,{SIGNATURE[:20]}")),
    "no base64": (BODY, changed(signature="v1,ä")),
    "as hexadecimal": (BODY, changed(signature=f"v1,{base64.b64decode(SIGNATURE).hex()}")),
    "with commas": (BODY, changed(signature=f"v1,{'A' * 43}=,v1,{SIGNATURE}")),
}


@pytest.mark.parametrize(("body", "headers"), FORGED.values(), ids=FORGED)
def test_a_forged_message_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError, match="no signature matches"):
        verify(body, headers)


@pytest.mark.parametrize("others", ["v1,AAAA", "v2,AAAA v1,ä", "nonsense", f"v1,{'A' * 43}="])
def test_one_of_several_signatures_is_enough(others: str) -> None:
    signature = signed()["webhook-signature"]
    assert verify(BODY, changed(signature=f"{others} {signature}")) == EVENT
    assert verify(BODY, changed(signature=f"{signature} {others}")) == EVENT


def test_while_a_secret_is_replaced_both_are_good() -> None:
    for secret in (SECRET, OTHER):
        assert verify(BODY, signed(secret=secret), secret=[OTHER, SECRET]) == EVENT
    both = f"{signed()['webhook-signature']} {signed(secret=OTHER)['webhook-signature']}"
    for secret in (SECRET, OTHER):
        assert verify(BODY, changed(signature=both), secret=secret) == EVENT


@pytest.mark.parametrize(("later", "is_good"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_message_is_good_for_five_minutes(later: int, *, is_good: bool) -> None:
    if is_good:
        assert verify(BODY, signed(), now=NOW + later) == EVENT
    else:
        with pytest.raises(WebhookVerificationError, match="clock"):
            verify(BODY, signed(), now=NOW + later)


@pytest.mark.parametrize("time", ["soon", "-1", "1.5", "²", "1e9", " 1795262400"])
def test_a_time_that_is_no_number_is_refused_although_it_is_signed(time: str) -> None:
    content = b".".join([b"msg_1", time.encode(), BODY])
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    with pytest.raises(WebhookVerificationError, match="whole number"):
        verify(BODY, changed(timestamp=time, signature=f"v1,{signature}"))


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"type":1,"timestamp":"t","data":{}}', b'"text"'])
def test_a_body_that_is_no_event_is_refused_although_it_is_signed(body: bytes) -> None:
    with pytest.raises(WebhookVerificationError, match="the body is signed"):
        verify(body, signed(body))


@pytest.mark.parametrize("secret", ["whsec_", "", "whsec_ä", "whsec_not base64", []])
def test_what_is_no_secret_is_a_mistake_of_the_caller(secret: str | list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        verify(BODY, signed(), secret=secret)
