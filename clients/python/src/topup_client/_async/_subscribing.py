"""Plans and subscriptions: what an account is entitled to, the checkout, changes, the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from .._call import Call, path, query, time_text, valid_key
from ..models import (
    CancelSubscription,
    ChangePlan,
    ChangePreview,
    CreatedSession,
    CreatePortalSession,
    CreateSubscriptionSession,
    Entitlement,
    Plan,
    Plans,
    PortalSession,
    Subscription,
    SubscriptionDetails,
    Subscriptions,
)
from ._caller import AsyncCaller

if TYPE_CHECKING:
    from .._call import Time

__all__ = ["AsyncSubscribing", "PortalFlow"]

PortalFlow: TypeAlias = Literal["payment_method_update", "subscription_cancel", "subscription_update"]
"""What a customer does in the portal."""


class AsyncSubscribing(AsyncCaller):
    """The calls about plans. The API key needs the scope `checkout`; to look, `read`."""

    async def plans(self) -> list[Plan]:
        """The plans that are sold."""
        return (await self._read(Plans, Call(method="GET", path="/plans"))).data

    async def entitlement(self, account_id: str) -> Entitlement:
        """What an account is entitled to: plan, status, grace, and the credits that can be spent now."""
        return await self._read(Entitlement, Call(method="GET", path=path("accounts", account_id, "entitlement")))

    async def subscriptions(self, account_id: str) -> list[Subscription]:
        """The subscriptions of an account, newest first, also ended ones."""
        call = Call(method="GET", path="/subscriptions", query=query(accountId=account_id))
        return (await self._read(Subscriptions, call)).data

    async def get_subscription(self, subscription_id: str) -> SubscriptionDetails:
        """A subscription with its invoices and what its periods brought."""
        return await self._read(SubscriptionDetails, Call(method="GET", path=path("subscriptions", subscription_id)))

    async def create_subscription_checkout(
        self,
        account_id: str,
        plan_id: str,
        *,
        success_url: str,
        cancel_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedSession:
        """Open a checkout for a plan. Send the customer to its `url`.

        Both URLs must be on one of the service's `ALLOWED_ORIGINS`.
        """
        body = CreateSubscriptionSession(
            account_id=account_id, plan_id=plan_id, success_url=success_url, cancel_url=cancel_url
        )
        key = valid_key(idempotency_key)
        return await self._read(
            CreatedSession, Call(method="POST", path="/subscriptions/sessions", body=body, idempotency_key=key)
        )

    async def preview_change(self, subscription_id: str, plan_id: str) -> ChangePreview:
        """What a change of the plan would cost, and when it would take effect."""
        place = path("subscriptions", subscription_id, "change", "preview")
        return await self._read(ChangePreview, Call(method="GET", path=place, query=query(planId=plan_id)))

    async def change_plan(
        self, subscription_id: str, plan_id: str, *, proration_date: Time | None = None
    ) -> Subscription:
        """Change the plan. With the `proration_date` of a preview, what is paid is what was shown."""
        date = None if proration_date is None else time_text(proration_date)
        place = path("subscriptions", subscription_id, "change")
        body = ChangePlan(plan_id=plan_id, proration_date=date)
        return await self._read(Subscription, Call(method="POST", path=place, body=body))

    async def cancel_subscription(
        self, subscription_id: str, *, at: Literal["period_end", "now"] = "period_end"
    ) -> Subscription:
        """End a subscription with the period that is paid, or at once, which needs the scope `admin`."""
        place = path("subscriptions", subscription_id, "cancel")
        return await self._read(Subscription, Call(method="POST", path=place, body=CancelSubscription(at=at)))

    async def resume_subscription(self, subscription_id: str) -> Subscription:
        """Let a subscription go on whose end was decided."""
        return await self._read(
            Subscription, Call(method="POST", path=path("subscriptions", subscription_id, "resume"))
        )

    async def create_portal_session(
        self, account_id: str, *, return_url: str, flow: PortalFlow | None = None
    ) -> PortalSession:
        """Open the payment provider's portal for one visitor. Send the customer to its `url` at once."""
        body = CreatePortalSession(account_id=account_id, return_url=return_url, flow=flow)
        return await self._read(PortalSession, Call(method="POST", path="/portal/sessions", body=body))
