"""What is repeated, after which pause, and what is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from proxy import Answer

from topup_client import (
    ConflictError,
    CreditsHeldError,
    InsufficientCreditsError,
    InvalidRequestError,
    PaymentProviderError,
    RateLimitedError,
    Retries,
    Topup,
    TopupError,
    UnavailableError,
    UnexpectedAnswerError,
)

if TYPE_CHECKING:
    from proxy import Proxy
    from service import Service


def problem(status: int, code: str, retry_after: str | None = None) -> Answer:
    """A problem of the service."""
    members = {
        "type": f"urn:topup:problem:{code}",
        "title": "t",
        "status": status,
        "code": code,
        "detail": "d",
        "error": "d",
    }
    headers = [("content-type", "application/problem+json"), ("x-request-id", "req_1")]
    if retry_after is not None:
        headers.append(("retry-after", retry_after))
    return Answer(status, json.dumps(members).encode(), tuple(headers))


REPEATED = [
    problem(408, "request_timeout"),
    problem(409, "idempotency_key_in_use", "1"),
    problem(409, "refund_in_progress", "1"),
    problem(429, "rate_limited", "2"),
    problem(503, "too_busy", "1"),
    problem(503, "database_unavailable", "5"),
    problem(504, "provider_timeout"),
    Answer(429),
    Answer(502, b"<html>Bad Gateway</html>"),
    Answer(503, b"{}"),
    Answer(504),
]


@pytest.mark.parametrize("answer", REPEATED, ids=lambda answer: f"{answer.status}")
def test_what_passes_is_repeated_with_the_same_key(
    lossy: Topup, topup: Topup, proxy: Proxy, account: str, pauses: list[float], answer: Answer
) -> None:
    proxy.next(answer, answer)
    lossy.debit(account, 12)
    assert len(proxy.seen) == 3
    assert len({seen.idempotency_key for seen in proxy.seen}) == 1
    wanted = float(dict(answer.headers).get("retry-after", "0"))
    assert len(pauses) == 2
    assert all(wanted <= pause <= wanted + 0.05 for pause in pauses)
    assert topup.balance(account).available_credits == 88


REFUSED: list[tuple[Answer, type[TopupError]]] = [
    (problem(402, "insufficient_credits"), InsufficientCreditsError),
    (problem(409, "credits_held", "1"), CreditsHeldError),
    (problem(409, "hold_captured"), ConflictError),
    (problem(422, "idempotency_key_reused"), InvalidRequestError),
    (problem(429, "too_many_open_checkouts", "1"), RateLimitedError),
    (problem(500, "internal_error"), UnavailableError),
    (problem(502, "provider_refused"), PaymentProviderError),
    (problem(418, "a_new_code"), TopupError),
    (Answer(404, b"Not Found"), UnexpectedAnswerError),
    (Answer(500, b"oops"), UnexpectedAnswerError),
    (Answer(301, b"", (("location", "http://127.0.0.1:1/"),)), UnexpectedAnswerError),
    (Answer(200, b"<html>"), UnexpectedAnswerError),
    (Answer(200, b"[]"), UnexpectedAnswerError),
    (Answer(200, b'{"id":"spend_1"}'), UnexpectedAnswerError),
]


@pytest.mark.parametrize(("answer", "kind"), REFUSED, ids=lambda value: getattr(value, "status", None))
def test_a_refusal_is_not_repeated(
    lossy: Topup, proxy: Proxy, pauses: list[float], answer: Answer, kind: type[TopupError]
) -> None:
    proxy.next(answer)
    with pytest.raises(TopupError) as caught:
        lossy.debit("user_1", 12)
    assert type(caught.value) is kind
    assert caught.value.status == answer.status
    assert len(proxy.seen) == 1
    assert pauses == []


def test_repeating_has_an_end(lossy: Topup, proxy: Proxy, pauses: list[float]) -> None:
    proxy.next(*[problem(503, "too_busy")] * 9)
    with pytest.raises(UnavailableError) as caught:
        lossy.debit("user_1", 12)
    assert (caught.value.code, caught.value.request_id) == ("too_busy", "req_1")
    assert len(proxy.seen) == 5
    assert len(pauses) == 4


def test_a_pause_that_is_too_long_is_the_callers(lossy: Topup, proxy: Proxy, pauses: list[float]) -> None:
    proxy.next(problem(429, "rate_limited", "3600"))
    with pytest.raises(RateLimitedError) as caught:
        lossy.debit("user_1", 12)
    assert caught.value.retry_after_seconds == 3600
    assert pauses == []


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9", "²", "soon", ""])
def test_a_pause_that_is_no_number_of_seconds_is_ours(
    lossy: Topup, proxy: Proxy, pauses: list[float], retry_after: str
) -> None:
    proxy.next(problem(503, "too_busy", retry_after.encode().decode("latin-1")))
    lossy.balance("user_1")
    assert len(pauses) == 1
    assert pauses[0] <= 0.05


def test_pauses_double_up_to_their_limit() -> None:
    retries = Retries(attempts=20, first_delay_seconds=1, longest_delay_seconds=8)
    error = TopupError("d", code="too_busy", status=503)
    for attempt, longest in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (19, 8)]:
        pauses = [retries.pause_after(error, attempt) for _ in range(200)]
        assert all(pause is not None and longest / 2 <= pause <= longest for pause in pauses)
        assert len(set(pauses)) > 100
    assert retries.pause_after(error, 20) is None


@pytest.mark.parametrize("settings", [{"attempts": 0}, {"first_delay_seconds": -1.0}])
def test_settings_that_cannot_be_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must"):
        Retries(**settings)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "ftp://a", "http://", "http://u:p@a", "http://a/?b=c", "http://a/#b"]
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Topup(url, api_key="key")


@pytest.mark.parametrize("key", ["", "a b", "a\n", "ä"])
def test_what_is_no_api_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        Topup("http://127.0.0.1:8080", api_key=key)
    assert not key or key not in str(caught.value)


def test_the_api_key_is_in_no_text_of_the_client(
    service: Service, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    with Topup(f"{proxy.url}/", api_key=service.api_key, retries=Retries(attempts=1)) as topup:
        proxy.next("lose answer")
        with pytest.raises(TopupError) as caught:
            topup.balance("user_1")
        assert proxy.seen[0].headers["x-api-key"] == service.api_key
        assert proxy.seen[0].headers["user-agent"].startswith("topup-client-python/")
        told = f"{topup!r} {caught.value!r} {caught.value} {caplog.text}"
    assert service.api_key not in told
