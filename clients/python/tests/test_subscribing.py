"""Plans are subscribed to, changed and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topup_client import ConflictError, InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from service import Service

    from topup_client import Topup

BASIC = {"id": "basic", "name": "Basic", "interval": "month", "creditsPerPeriod": 1_000, "amount": {"usd": 1_000}}
PRO = {**BASIC, "id": "pro", "name": "Pro", "creditsPerPeriod": 10_000, "amount": {"usd": 2_000}}


@pytest.fixture
def basic_total(topup: Topup) -> int:
    """What a month of the plan `basic` costs; there are plans then."""
    topup.request("PUT", "/admin/plans", body={"plans": [BASIC, PRO]})
    # `topup dev` sells plans of its own, too.
    plans = {plan.id: plan for plan in topup.plans()}
    basic, pro = plans["basic"], plans["pro"]
    assert (basic.credits_per_period, pro.name, pro.credits_per_period) == (1_000, "Pro", 10_000)
    return basic.prices[0].total_amount


def test_a_plan_is_subscribed_to_changed_ended_and_resumed(service: Service, topup: Topup, basic_total: int) -> None:
    account, page = service.new_account(), f"{service.url}/plan"
    assert topup.subscriptions(account) == []
    assert not topup.entitlement(account).entitled
    checkout = topup.create_subscription_checkout(account, "basic", success_url=page, idempotency_key="plan-1")
    again = topup.create_subscription_checkout(account, "basic", success_url=page, idempotency_key="plan-1")
    assert again.id == checkout.id
    assert service.pay(checkout, basic_total).is_success
    service.settle()
    entitlement = topup.entitlement(account)
    assert entitlement.entitled
    assert entitlement.plan
    assert (entitlement.plan.id, entitlement.available_credits) == ("basic", 1_000)
    (subscription,) = topup.subscriptions(account)
    preview = topup.preview_change(subscription.id, "pro")
    assert preview.takes_effect == "now"
    assert 0 < preview.amount_due <= basic_total
    assert topup.change_plan(subscription.id, "pro", proration_date=preview.proration_date).plan_id == "pro"
    assert topup.cancel_subscription(subscription.id).cancel_at
    assert not topup.resume_subscription(subscription.id).cancel_at
    service.settle()
    details = topup.get_subscription(subscription.id)
    assert details.invoices
    assert sorted(period.credits for period in details.periods) == [1_000, 9_000]
    assert topup.create_portal_session(account, return_url=page).url.startswith("http")
    assert topup.cancel_subscription(subscription.id, at="now").status == "canceled"


def test_what_cannot_be_subscribed_to_says_why(service: Service, topup: Topup, basic_total: int) -> None:
    account, page = service.new_account(), f"{service.url}/plan"
    assert basic_total > 0
    with pytest.raises(InvalidRequestError):
        topup.create_subscription_checkout(account, "none", success_url=page)
    with pytest.raises(ConflictError) as refused:
        topup.create_portal_session(account, return_url=page)
    assert refused.value.code == "no_customer"
    with pytest.raises(NotFoundError):
        topup.resume_subscription("sub_none")
