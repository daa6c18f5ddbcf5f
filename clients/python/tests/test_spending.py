"""Credits are spent, refused, and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topup_client import (
    AuthenticationError,
    BatchItem,
    ConflictError,
    CreditsHeldError,
    InsufficientCreditsError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    SpendLimitReachedError,
    Topup,
    TopupError,
    error_of,
)

if TYPE_CHECKING:
    from service import Service


def test_a_debit_is_on_record_and_given_back_in_parts(topup: Topup, account: str) -> None:
    spend = topup.debit(account, 12, operation="image", subject="member_7", metadata={"model": "large"})
    assert (spend.credits, spend.operation, spend.subject, spend.metadata) == (
        12,
        "image",
        "member_7",
        {"model": "large"},
    )
    assert spend.balance.available_credits == 88
    (part,) = topup.get_spend(spend.id).parts
    assert part.credits == 12
    assert topup.refund_spend(spend.id, 5, reason="Blurred").balance.available_credits == 93
    assert topup.refund_spend(spend.id).credits == 7
    with pytest.raises(ConflictError) as caught:
        topup.refund_spend(spend.id)
    assert caught.value.code == "nothing_to_refund"


def test_a_key_names_the_work_and_charges_once(topup: Topup, account: str) -> None:
    spends = {topup.debit(account, 10, idempotency_key="job-1").id for _ in range(3)}
    assert len(spends) == 1
    assert topup.balance(account).available_credits == 90
    topup.debit(account, 10)
    topup.debit(account, 10)
    assert topup.balance(account).available_credits == 70


def test_too_few_credits_are_told_in_numbers(topup: Topup, account: str) -> None:
    with pytest.raises(InsufficientCreditsError) as caught:
        topup.debit(account, 101, idempotency_key="job-1")
    error = caught.value
    assert (error.status, error.code) == (402, "insufficient_credits")
    assert (error.required_credits, error.available_credits, error.held_credits, error.owed_credits) == (101, 100, 0, 0)
    assert error.idempotency_key == "job-1"
    assert error.request_id
    assert error.request_id in str(error)
    assert topup.debit(account, 101, on_shortfall="cap", minimum_credits=50).uncollected_credits == 1


def test_held_credits_are_another_refusal(topup: Topup, account: str) -> None:
    hold = topup.create_hold(account, 60)
    with pytest.raises(CreditsHeldError) as caught:
        topup.debit(account, 50)
    assert (caught.value.held_credits, caught.value.retry_after_seconds) == (60, 1.0)
    topup.release_hold(hold.id)
    topup.debit(account, 50)


def test_a_limit_is_named(topup: Topup, account: str) -> None:
    topup.set_limit(account, "day", 30, subject="member/7")
    with pytest.raises(SpendLimitReachedError) as caught:
        topup.debit(account, 31, subject="member/7")
    limit = caught.value.limit
    assert limit is not None
    assert (limit.period, limit.credits, limit.subject) == ("day", 30, "member/7")
    assert topup.get_limit(account, "day", subject="member/7").left_credits == 30
    assert [limit.period for limit in topup.limits(account)] == ["day"]
    access = topup.access(account, 31, subject="member/7")
    assert (access.allowed, access.code) == (False, "spend_limit_reached")
    topup.remove_limit(account, "day", subject="member/7")
    topup.remove_limit(account, "day", subject="member/7")
    assert topup.access(account, 31, subject="member/7").allowed
    assert list(topup.limits(account)) == []


def test_a_batch_decides_each_debit_by_itself(topup: Topup, account: str) -> None:
    items = [
        BatchItem(key="a", account_id=account, credits=3),
        BatchItem(key="b", account_id=account, credits=1_000),
        BatchItem(key="a", account_id=account, credits=3),
    ]
    good, refused, again = topup.debit_batch(items)
    assert good.spend is not None
    assert again.spend is not None
    assert good.spend.id == again.spend.id
    assert refused.problem is not None
    error = error_of(refused.problem)
    assert isinstance(error, InsufficientCreditsError)
    assert error.required_credits == 1_000
    assert topup.balance(account).available_credits == 97


def test_keys_that_may_not_are_told_why(service: Service, account: str) -> None:
    with Topup(service.url, api_key=service.new_key("--name", "reader", "--scope", "read")) as reader:
        assert reader.balance(account).available_credits == 100
        with pytest.raises(PermissionDeniedError) as caught:
            reader.debit(account, 1)
    assert caught.value.code == "scope_missing"
    with Topup(service.url, api_key="topup_sk_of_nobody") as stranger, pytest.raises(AuthenticationError):
        stranger.balance(account)


def test_bad_fields_are_named(topup: Topup, account: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        topup.debit(account, 0, operation="Not Allowed")
    assert {error.field for error in caught.value.errors} == {"credits", "operation"}


@pytest.mark.parametrize("account_id", [".", "..", "../../admin/accounts/x", "a?credits=1", "a%2Fb", "ä/ö", "a b#c"])
def test_an_account_id_with_any_characters_is_one_segment(topup: Topup, account_id: str) -> None:
    assert topup.balance(account_id).account_id == account_id


@pytest.mark.parametrize("spend_id", [".", "..", "spend_none", "a/b"])
def test_an_id_of_nothing_is_not_found(topup: Topup, spend_id: str) -> None:
    with pytest.raises(NotFoundError):
        topup.get_spend(spend_id)


@pytest.mark.parametrize("key", ["", " a", "a ", "ä", "a\nb", "x" * 256])
def test_what_is_no_key_is_refused_before_anything_is_sent(topup: Topup, account: str, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        topup.debit(account, 1, idempotency_key=key)


def test_an_empty_id_is_refused_before_anything_is_sent(topup: Topup) -> None:
    with pytest.raises(ValueError, match="empty"):
        topup.balance("")


def test_other_routes_can_be_called_too(topup: Topup, account: str) -> None:
    answer = topup.request("GET", "/admin/reconciliations", query={"limit": "1"})
    assert isinstance(answer["data"], list)
    assert topup.request(
        "PUT", f"/accounts/{account}/credits/limits/day".replace(" ", "%20").replace("r/", "r%2F"), body={"credits": 5}
    )
    with pytest.raises(TopupError) as caught:
        topup.request("POST", "/credits/debits/batch", body={"items": "none"})
    assert caught.value.status == 400
