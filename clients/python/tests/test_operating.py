"""An operator gives, corrects and blocks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from topup_client import ConflictError, InsufficientCreditsError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from service import Service

    from topup_client import Topup


def test_grants_that_end_and_are_ended(topup: Topup, account: str) -> None:
    end = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    grant = topup.grant_credits(account, 20, reason="A present", expires_at=end, category="paid", priority=1)
    assert (grant.expires_at, grant.priority, grant.category) == ("2099-12-31T23:00:00Z", 1, "paid")
    with pytest.raises(ConflictError) as caught:
        topup.void_grant(grant.id, reason="A mistake")
    assert caught.value.code == "grant_bought"
    gift = topup.grant_credits(account, 30, reason="A present")
    ended = topup.void_grant(gift.id, reason="A mistake")
    assert (ended.remaining_credits, ended.voided_at is not None) == (0, True)
    assert topup.balance(account).available_credits == 120


def test_an_unknown_account_is_not_made_by_mistake(service: Service, topup: Topup) -> None:
    account = service.new_account()
    for call in (topup.grant_credits, topup.adjust):
        with pytest.raises(NotFoundError) as caught:
            call(account, 5, reason="Welcome")
        assert caught.value.code == "unknown_account"
    assert topup.adjust(account, 5, reason="Welcome", create=True).balance_after == 5


def test_corrections_are_listed_with_their_reasons(topup: Topup, account: str) -> None:
    topup.adjust(account, -30, reason="Counted twice", idempotency_key="ticket-1")
    topup.adjust(account, -30, reason="Counted twice", idempotency_key="ticket-1")
    (adjustment,) = topup.adjustments(account)
    assert (adjustment.credits, adjustment.reason, adjustment.balance_after) == (-30, "Counted twice", 70)
    with pytest.raises(InsufficientCreditsError):
        topup.adjust(account, -71, reason="Too much")


def test_a_blocked_account_begins_nothing(topup: Topup, account: str) -> None:
    hold = topup.create_hold(account, 10)
    blocked = topup.block_account(account, reason="Its key was stolen")
    assert (blocked.blocked, blocked.block_reason) == (True, "Its key was stolen")
    with pytest.raises(PermissionDeniedError) as caught:
        topup.debit(account, 1)
    assert caught.value.code == "account_blocked"
    assert topup.capture_hold(hold.id, 10).credits == 10
    topup.unblock_account(account, reason="It has a new one")
    assert not topup.get_account(account).blocked
    topup.debit(account, 1)
