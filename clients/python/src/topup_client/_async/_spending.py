"""Spending credits: debits, holds for a block, and giving back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call import Call, path, query, valid_key
from ..models import (
    Access,
    BatchItem,
    BatchResult,
    BatchResults,
    CreateDebit,
    CreateHold,
    CreateSpendRefund,
    DebitBatch,
    OnShortfall,
    Spend,
    SpendDetails,
    SpendRefund,
)
from ._holds import AsyncHolds
from ._open_hold import AsyncOpenHold, OnError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AsyncSpending"]


class AsyncSpending(AsyncHolds):
    """The calls that spend. The API key needs the scope `spend`; looking needs `read`.

    Every write has an idempotency key, which is also used when the request is repeated. Without one of yours, a new one
    is made for each call. Pass a key that names the *work*, such as the id of a job, if your program may do the call
    again later, for example after a crash: the work is then charged once.
    """

    async def access(
        self,
        account_id: str,
        credits: int | None = None,
        *,
        subject: str | None = None,
    ) -> Access:
        """Whether a debit would succeed now. It promises nothing; if work depends on the credits, take a hold."""
        place = path("accounts", account_id, "credits", "access")
        return await self._read(Access, Call(method="GET", path=place, query=query(credits=credits, subject=subject)))

    async def debit(
        self,
        account_id: str,
        credits: int,
        *,
        operation: str | None = None,
        subject: str | None = None,
        metadata: dict[str, str] | None = None,
        on_shortfall: OnShortfall | None = None,
        minimum_credits: int | None = None,
        idempotency_key: str | None = None,
    ) -> Spend:
        """Take credits for work whose price is known.

        With `on_shortfall="cap"` an account with too few gives what it has, at least `minimum_credits`.

        Raises:
            InsufficientCreditsError: The customer must top up.
            CreditsHeldError: Open holds reserve them; a top-up is not needed.
            SpendLimitReachedError: A limit leaves too few.

        """
        body = CreateDebit(
            credits=credits,
            operation=operation,
            subject=subject,
            metadata=metadata,
            on_shortfall=on_shortfall,
            minimum_credits=minimum_credits,
        )
        place = path("accounts", account_id, "credits", "debits")
        key = valid_key(idempotency_key)
        return await self._read(Spend, Call(method="POST", path=place, body=body, idempotency_key=key))

    async def debit_batch(self, items: Iterable[BatchItem]) -> list[BatchResult]:
        """Up to 100 debits of any accounts, each with a `key` of its own.

        Each is decided by itself and has a `spend` or a `problem`, in the order of the request. `error_of(problem)` is
        the exception that a single debit would have raised.
        """
        body = DebitBatch(items=list(items))
        call = Call(method="POST", path="/credits/debits/batch", body=body)
        return (await self._read(BatchResults, call)).results

    async def get_spend(self, spend_id: str) -> SpendDetails:
        """Look at a spend, with the grants that its credits came from."""
        return await self._read(SpendDetails, Call(method="GET", path=path("credits", "debits", spend_id)))

    async def refund_spend(
        self,
        spend_id: str,
        credits: int | None = None,
        *,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> SpendRefund:
        """Give spent credits back; without a number, all that were not given back yet."""
        body = CreateSpendRefund(credits=credits, reason=reason)
        place = path("credits", "debits", spend_id, "refunds")
        key = valid_key(idempotency_key)
        return await self._read(SpendRefund, Call(method="POST", path=place, body=body, idempotency_key=key))

    def hold(
        self,
        account_id: str,
        credits: int,
        *,
        minimum_credits: int | None = None,
        expires_in_seconds: int | None = None,
        operation: str | None = None,
        subject: str | None = None,
        metadata: dict[str, str] | None = None,
        idempotency_key: str | None = None,
        on_error: OnError = "release",
    ) -> AsyncOpenHold:
        """Reserve credits for work whose price is not known yet.

        Use it with `async with`. At the end of the block, what `use` counted is captured, and the rest is free again.
        If the block fails, nothing is charged, or with `on_error="capture"` what was used until then. When the block
        is cancelled or its generator is closed, because the client has gone, what was used is captured.

            async with topup.hold("user_1", 50, minimum_credits=10) as hold:
                async for token in model.stream(limit=hold.credits):
                    hold.use(1)

        Raises, when the block begins, what `debit` raises.
        """
        body = CreateHold(
            credits=credits,
            minimum_credits=minimum_credits,
            expires_in_seconds=expires_in_seconds,
            operation=operation,
            subject=subject,
            metadata=metadata,
        )
        return AsyncOpenHold(self, account_id, body, valid_key(idempotency_key), on_error)
