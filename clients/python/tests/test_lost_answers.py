"""Answers are lost on the way, and everything is done once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from topup_client import BatchItem, NoAnswerError, Retries, Topup, new_idempotency_key

if TYPE_CHECKING:
    from proxy import Fate, Proxy
    from service import Service

LOST: list[Fate] = ["lose request", "lose answer", "cut answer"]
FIVE_LOST: list[Fate] = ["lose answer"] * 5


@pytest.fixture(params=LOST)
def lost(request: pytest.FixtureRequest, proxy: Proxy) -> Fate:
    """A way to lose an answer, which happens to the next two requests."""
    fate: Fate = request.param
    proxy.next(fate, fate)
    return fate


def keys(proxy: Proxy) -> set[str | None]:
    """The keys of three tries of the same request."""
    assert len(proxy.seen) == 3
    assert len({(seen.method, seen.path, seen.body) for seen in proxy.seen}) == 1
    return {seen.idempotency_key for seen in proxy.seen}


@pytest.mark.usefixtures("lost")
def test_a_debit_is_charged_once(lossy: Topup, topup: Topup, proxy: Proxy, account: str) -> None:
    spend = lossy.debit(account, 12)
    assert topup.balance(account).available_credits == 88
    assert [entry.credits for entry in topup.transactions(account)] == [-12, 100]
    assert topup.get_spend(spend.id).credits == 12
    (key,) = keys(proxy)
    assert key


@pytest.mark.usefixtures("lost")
def test_a_key_of_the_caller_is_kept(lossy: Topup, proxy: Proxy, account: str) -> None:
    lossy.debit(account, 12, idempotency_key="job-1")
    assert keys(proxy) == {"job-1"}


@pytest.mark.usefixtures("lost")
def test_a_batch_is_charged_once(lossy: Topup, topup: Topup, account: str) -> None:
    items = [BatchItem(key=new_idempotency_key(), account_id=account, credits=number) for number in (1, 2, 3)]
    assert all(result.spend for result in lossy.debit_batch(items))
    assert topup.balance(account).available_credits == 94


@pytest.mark.usefixtures("lost")
def test_a_spend_is_given_back_once(lossy: Topup, topup: Topup, proxy: Proxy, account: str) -> None:
    proxy.fates.clear()
    spend = topup.debit(account, 50)
    proxy.next("lose answer", "lose answer")
    lossy.refund_spend(spend.id, 20)
    assert topup.balance(account).available_credits == 70
    assert len(keys(proxy)) == 1


@pytest.mark.usefixtures("lost")
def test_credits_are_held_once(lossy: Topup, topup: Topup, proxy: Proxy, account: str) -> None:
    hold = lossy.create_hold(account, 30)
    assert [each.id for each in topup.holds(account)] == [hold.id]
    assert topup.balance(account).held_credits == 30
    assert len(keys(proxy)) == 1


@pytest.mark.parametrize("fate", LOST)
def test_a_hold_is_extended_captured_and_released_once(
    lossy: Topup, topup: Topup, proxy: Proxy, account: str, fate: Fate
) -> None:
    with lossy.hold(account, 30) as hold:
        hold.use(25)
        proxy.next(fate, fate)
        assert hold.extend(40).credits == 40
        proxy.next(fate, fate)
    assert len(proxy.seen) == 3
    with lossy.hold(account, 30) as other:
        proxy.next(fate, fate)
        other.release()
    assert len(proxy.seen) == 3
    balance = topup.balance(account)
    assert (balance.available_credits, balance.held_credits) == (75, 0)


@pytest.mark.usefixtures("lost")
def test_a_purchase_opens_one_checkout(service: Service, lossy: Topup, topup: Topup, proxy: Proxy) -> None:
    account = service.new_account()
    checkout = lossy.create_checkout(account, 250, success_url=service.url)
    assert len(list(topup.topups(account))) == 1
    assert topup.get_checkout(checkout.id).state == "open"
    assert len(keys(proxy)) == 1


@pytest.mark.usefixtures("lost")
def test_credits_are_given_once(lossy: Topup, topup: Topup, account: str) -> None:
    lossy.grant_credits(account, 5, reason="A present")
    assert topup.balance(account).available_credits == 105


@pytest.mark.usefixtures("lost")
def test_a_balance_is_corrected_once(lossy: Topup, topup: Topup, account: str) -> None:
    lossy.adjust(account, -5, reason="Counted twice")
    assert topup.balance(account).available_credits == 95


@pytest.mark.usefixtures("lost")
def test_reading_goes_on(lossy: Topup, proxy: Proxy, account: str) -> None:
    assert lossy.balance(account).available_credits == 100
    assert keys(proxy) == {None}


def test_an_unknown_end_says_how_to_go_on(lossy: Topup, topup: Topup, proxy: Proxy, account: str) -> None:
    proxy.next(*FIVE_LOST)
    with pytest.raises(NoAnswerError) as caught:
        lossy.debit(account, 12)
    error = caught.value
    assert len(proxy.seen) == 5
    assert (error.code, error.status) == ("no_answer", None)
    assert "may or may not have been done" in str(error)
    assert error.idempotency_key
    topup.debit(account, 12, idempotency_key=error.idempotency_key)
    assert topup.balance(account).available_credits == 88


def test_without_retries_nothing_is_repeated(service: Service, proxy: Proxy, account: str) -> None:
    proxy.next("lose answer")
    once = Retries(attempts=1)
    with Topup(proxy.url, api_key=service.api_key, retries=once) as topup, pytest.raises(NoAnswerError):
        topup.debit(account, 1)
    assert len(proxy.seen) == 1


def test_nothing_listens_there(service: Service) -> None:
    with (
        Topup("http://127.0.0.1:1", api_key=service.api_key, retries=Retries(attempts=1)) as topup,
        pytest.raises(NoAnswerError, match="no answer"),
    ):
        topup.balance("user_1")


def test_an_answer_that_takes_too_long_is_lost() -> None:
    # It takes connections, and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = Topup(url, api_key="topup_sk_silent", timeout_seconds=0.2, retries=Retries(attempts=1))
        with client, pytest.raises(NoAnswerError):
            client.debit("user_1", 1)
