"""Selling credits: what they cost, the checkout, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call import Call, path, query, valid_key
from ..models import CreatedSession, CreateSession, Quote, Session
from . import _runtime
from ._caller import AsyncCaller

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["AsyncBuying"]

_FINAL_STATES = frozenset({"paid", "expired", "failed"})


class AsyncBuying(AsyncCaller):
    """The calls that sell credits."""

    async def quote(self, credits: int, *, currency: str | None = None) -> Quote:
        """What a number of credits costs, line by line, with its bonus; by default in the service's main currency."""
        asked = query(credits=credits, currency=currency)
        return await self._read(Quote, Call(method="GET", path="/credits/quote", query=asked))

    async def create_checkout(
        self,
        account_id: str,
        credits: int,
        *,
        success_url: str,
        cancel_url: str | None = None,
        currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedSession:
        """Open a checkout. Send the customer to its `url`.

        Put `{CHECKOUT_SESSION_ID}` into `success_url`; the payment provider replaces it with the id of the checkout.
        Both URLs must be on one of the service's `ALLOWED_ORIGINS`. Without `currency`, it is the account's.
        """
        body = CreateSession(
            account_id=account_id,
            credits=credits,
            currency=currency,
            success_url=success_url,
            cancel_url=cancel_url,
        )
        key = valid_key(idempotency_key)
        return await self._read(
            CreatedSession, Call(method="POST", path="/credits/sessions", body=body, idempotency_key=key)
        )

    async def get_checkout(self, checkout_id: str) -> Session:
        """Look at a checkout. Only `state == "paid"` says that credits were bought; a return to your page does not."""
        return await self._read(Session, Call(method="GET", path=path("credits", "sessions", checkout_id)))

    async def wait_for_checkout(
        self,
        checkout_id: str,
        *,
        states: Collection[str] = _FINAL_STATES,
        timeout_seconds: float = 20.0,
        every_seconds: float = 1.0,
    ) -> Session:
        """Look at a checkout until it is paid, expired or failed, or until the time is over.

        Returns what was seen last, whose state may be `open` or `processing`: payments by bank take days.
        """
        until = _runtime.monotonic() + timeout_seconds
        while True:
            session = await self.get_checkout(checkout_id)
            if session.state in states or _runtime.monotonic() + every_seconds > until:
                return session
            await _runtime.sleep(every_seconds)
