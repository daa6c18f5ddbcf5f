"""The example, started by its one command, sells and spends."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import standardwebhooks
from browser import browse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

HERE = Path(__file__).resolve().parent
SECRET = "whsec_ZXhhbXBsZS1zZWNyZXQtb2YtdGhlLWRlbW8="


class Example:
    """The running example."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(3)
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.sandbox = f"http://127.0.0.1:{ports[2]}"
        self.data = folder / "topup-dev"
        environment = {
            **os.environ,
            "PORT": str(ports[0]),
            "TOPUP_PORT": str(ports[1]),
            "SANDBOX_PORT": str(ports[2]),
            "DATA": str(self.data),
            "PYTHON": sys.executable,
            "TOPUP_PROGRAM": os.environ.get("TOPUP_PROGRAM") or str(HERE.parents[1] / "target/debug/topup"),
            "SECONDS_FOR_EACH_WORD": "0.005",
        }
        self.process = subprocess.Popen([str(HERE / "run")], env=environment, start_new_session=True)
        try:
            until("the example answers", self.is_up)
        except BaseException:
            self.stop()
            raise

    def is_up(self) -> bool:
        assert self.process.poll() is None, "the example has ended"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(self.url).is_success
        return False

    def stop(self) -> int:
        """Press Ctrl-C."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait()

    @contextlib.contextmanager
    def customer(self) -> Generator[httpx.Client]:
        """A browser that has opened the page."""
        with httpx.Client(base_url=self.url, timeout=30) as browser:
            assert "Words for credits" in browser.get("/").text
            yield browser

    def buy(self, browser: httpx.Client, credits: int) -> str:
        """Buy credits and return. The checkout's id."""
        total: int = browser.get("/api/quote", params={"credits": credits}).json()["total"]
        page: str = browser.post("/api/checkouts", json={"credits": credits}).raise_for_status().json()["url"]
        assert page.startswith(self.sandbox)
        checkout = page.partition("?")[0].rpartition("/")[2]
        key = json.loads((self.data / "secrets.json").read_text())["stripe_secret_key"]
        payment = {"payment_method": "pm_card_visa", "expected_amount": total}
        confirm = f"{self.sandbox}/v1/payment_pages/{checkout}/confirm"
        httpx.post(confirm, auth=(key, ""), data=payment).raise_for_status()
        until("the purchase is paid", lambda: browser.get(f"/api/checkouts/{checkout}").json() == {"state": "paid"})
        return checkout


def free_ports(number: int) -> list[int]:
    """Ports at which nothing listens."""
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def until(what: str, is_so: Callable[[], bool]) -> None:
    """Ask until it is so, for at most three minutes."""
    end = time.monotonic() + 180
    while not is_so():
        assert time.monotonic() < end, f"not within three minutes: {what}"
        time.sleep(0.05)


def balance(browser: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = browser.get("/api/balance").raise_for_status().json()
    return told


def ask(prompt: str, request_id: str = "request-1") -> dict[str, Any]:
    return {"url": "/api/answers", "json": {"prompt": prompt, "requestId": request_id}}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Generator[Example]:
    """The example, started once."""
    example = Example(tmp_path_factory.mktemp("example"))
    yield example
    assert example.stop() in (0, 130), "it stops at Ctrl-C"
    with pytest.raises(httpx.ConnectError):
        httpx.get(example.sandbox)


@pytest.fixture
def browser(example: Example) -> Iterator[httpx.Client]:
    """A customer with 250 credits."""
    with example.customer() as browser:
        example.buy(browser, 250)
        yield browser


def test_what_was_bought_is_there_and_only_for_its_buyer(example: Example) -> None:
    with example.customer() as buyer, example.customer() as other:
        checkout = example.buy(buyer, 250)
        assert balance(buyer) == {"available": 250, "held": 0}
        assert balance(other) == {"available": 0, "held": 0}
        assert other.get(f"/api/checkouts/{checkout}").status_code == 404
    assert httpx.get(f"{example.url}/api/balance").status_code == 401


def test_words_are_charged_as_they_were_written(browser: httpx.Client) -> None:
    answer = browser.post(**ask("Tell me about holds")).raise_for_status()
    assert len(answer.text.split()) == 80
    assert balance(browser) == {"available": 170, "held": 0}


def test_without_credits_nothing_is_written(example: Example) -> None:
    with example.customer() as browser:
        refused = browser.post(**ask("Tell me about holds"))
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")


def test_when_the_credits_end_so_do_the_words(browser: httpx.Client) -> None:
    answer = browser.post(**ask("please " * 20))
    assert answer.text.endswith("[insufficient_credits]")
    assert len(answer.text.split()) == 241
    assert balance(browser) == {"available": 10, "held": 0}


def test_who_goes_away_pays_what_was_written_until_then(browser: httpx.Client) -> None:
    with browser.stream("POST", **ask("please " * 10)) as answer:
        assert next(answer.iter_text())
    until("nothing is held", lambda: balance(browser)["held"] == 0)
    assert 50 < balance(browser)["available"] < 250


def test_what_fails_costs_nothing(browser: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        browser.post(**ask("please fail"))
    until("nothing is held", lambda: balance(browser)["held"] == 0)
    assert balance(browser)["available"] == 250


def test_problems_have_the_words_of_topup(browser: httpx.Client) -> None:
    refused = browser.post("/api/checkouts", json={"credits": 0})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")


def test_a_customer_buys_and_spends_in_a_browser(example: Example) -> None:
    browse("example", example.url)


def test_webhooks_are_verified(example: Example) -> None:
    body = '{"type":"balance.low","timestamp":"2026-11-21T12:00:00Z","data":{"accountId":"user_1"}}'
    now = datetime.datetime.now(datetime.timezone.utc)
    signature = standardwebhooks.Webhook(SECRET).sign("msg_1", now, body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    url = f"{example.url}/webhooks/topup"
    assert httpx.post(url, content=body, headers=headers).status_code == 204
    assert httpx.post(url, content=f"{body} ", headers=headers).status_code == 400
