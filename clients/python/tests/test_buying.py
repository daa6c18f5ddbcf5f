"""Credits are bought at the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topup_client import ConflictError, InvalidRequestError, NotFoundError, new_idempotency_key

if TYPE_CHECKING:
    from service import Service

    from topup_client import Topup


def test_a_purchase_from_its_quote_to_its_refund(service: Service, topup: Topup) -> None:
    account, page = service.new_account(), f"{service.url}/?id={{CHECKOUT_SESSION_ID}}"
    quote = topup.quote(250)
    assert (quote.credits, quote.currency, quote.total_amount) == (250, "usd", 289)
    with pytest.raises(InvalidRequestError, match="usd"):
        topup.quote(250, currency="eur")
    with pytest.raises(InvalidRequestError, match="usd"):
        topup.create_checkout(account, 250, currency="eur", success_url=page)
    checkout = topup.create_checkout(account, 250, success_url=page, cancel_url=service.url)
    assert checkout.url.startswith(service.sandbox)
    assert topup.get_checkout(checkout.id).state == "open"

    assert service.pay(checkout, quote.total_amount).is_success
    paid = topup.wait_for_checkout(checkout.id)
    assert (paid.state, paid.account_id, paid.credits) == ("paid", account, 250)
    assert topup.balance(account).available_credits == 250
    (entry,) = topup.transactions(account)
    assert (entry.kind, entry.credits, entry.balance_after) == ("topup", 250, 250)

    (summary,) = topup.topups(account, state="paid")
    assert topup.preview_refund(summary.id, credits=100).amount == 100
    refund = topup.refund_topup(summary.id, credits=100, reason="requested_by_customer")
    assert (refund.credits_taken, refund.balance.remaining_credits) == (100, 150)
    details = topup.get_topup(summary.id)
    assert details.taken_credits == 100
    assert [reversal.kind for reversal in details.reversals] == ["refund"]


def test_the_same_key_opens_one_checkout(service: Service, topup: Topup) -> None:
    account, key = service.new_account(), new_idempotency_key()
    first = topup.create_checkout(account, 250, success_url=service.url, idempotency_key=key)
    again = topup.create_checkout(account, 250, success_url=service.url, idempotency_key=key)
    other = topup.create_checkout(account, 250, success_url=service.url)
    assert first.id == again.id
    assert first.id != other.id
    with pytest.raises(InvalidRequestError) as caught:
        topup.create_checkout(account, 300, success_url=service.url, idempotency_key=key)
    assert caught.value.code == "idempotency_key_reused"
    assert service.pay(first, 289).is_success
    assert topup.wait_for_checkout(first.id).state == "paid"
    with pytest.raises(ConflictError) as ended:
        topup.create_checkout(account, 250, success_url=service.url, idempotency_key=key)
    assert ended.value.code == "session_ended"


def test_waiting_ends_with_the_state_of_the_moment(service: Service, topup: Topup) -> None:
    checkout = topup.create_checkout(service.new_account(), 250, success_url=service.url)
    assert topup.wait_for_checkout(checkout.id, timeout_seconds=0).state == "open"


def test_what_is_not_sold_is_named_by_field(service: Service, topup: Topup) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        topup.create_checkout(service.new_account(), 0, success_url="https://elsewhere.example/")
    error = caught.value
    assert (error.status, error.code) == (400, "invalid_request")
    assert {field.field for field in error.errors} == {"credits", "successUrl"}
    assert all(field.message and field.code for field in error.errors)
    with pytest.raises(NotFoundError):
        topup.get_checkout("cs_test_none")
