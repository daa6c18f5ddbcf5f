# Made from _async/_operating.py by scripts/generate.py. Change that file.
"""What operators do: give credits, correct balances, block accounts, refund purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from .._call import Call, Time, path, query, time_text, valid_key
from ..models import (
    AccountDetails,
    Adjustment,
    BlockReason,
    CreateAdjustment,
    CreateGrant,
    CreateRefund,
    Grant,
    GrantCategory,
    Preview,
    Refund,
    TopupDetails,
    TopupSummary,
    VoidGrant,
)
from ._caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Operating", "RefundReason", "TopupState"]

TopupState: TypeAlias = Literal["creating", "open", "processing", "paid", "expired", "failed"]


RefundReason: TypeAlias = Literal["requested_by_customer", "duplicate", "fraudulent"]


class Operating(Caller):
    """The calls of operators. The API key needs the scope `admin`."""

    def get_account(self, account_id: str) -> AccountDetails:
        """Look at an account, and whether it is blocked."""
        return self._read(AccountDetails, Call(method="GET", path=path("admin", "accounts", account_id)))

    def block_account(self, account_id: str, *, reason: str) -> AccountDetails:
        """Let an account begin nothing new. Holds that are open can still be captured."""
        place = path("admin", "accounts", account_id, "block")
        return self._read(AccountDetails, Call(method="POST", path=place, body=BlockReason(reason=reason)))

    def unblock_account(self, account_id: str, *, reason: str) -> AccountDetails:
        """Let a blocked account spend again."""
        place = path("admin", "accounts", account_id, "unblock")
        return self._read(AccountDetails, Call(method="POST", path=place, body=BlockReason(reason=reason)))

    def grant_credits(
        self,
        account_id: str,
        credits: int,
        *,
        reason: str,
        expires_at: Time | None = None,
        category: GrantCategory | None = None,
        priority: int | None = None,
        create: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Grant:
        """Give credits, which may end at a time. The customer sees the reason.

        `create=True` permits an account that never had credits; otherwise a mistyped id would make a new one.
        """
        body = CreateGrant(
            credits=credits,
            reason=reason,
            expires_at=None if expires_at is None else time_text(expires_at),
            category=category,
            priority=priority,
            create=create,
        )
        place = path("admin", "accounts", account_id, "grants")
        key = valid_key(idempotency_key)
        return self._read(Grant, Call(method="POST", path=place, body=body, idempotency_key=key))

    def void_grant(self, grant_id: str, *, reason: str) -> Grant:
        """End a promotion early. Credits that were bought cannot be voided; refund the top-up."""
        place = path("admin", "grants", grant_id, "void")
        return self._read(Grant, Call(method="POST", path=place, body=VoidGrant(reason=reason)))

    def adjust(
        self,
        account_id: str,
        credits: int,
        *,
        reason: str,
        create: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Adjustment:
        """Correct a balance: a positive number of credits gives, a negative one takes."""
        body = CreateAdjustment(credits=credits, reason=reason, create=create)
        place = path("admin", "accounts", account_id, "adjustments")
        key = valid_key(idempotency_key)
        return self._read(Adjustment, Call(method="POST", path=place, body=body, idempotency_key=key))

    def adjustments(self, account_id: str) -> Iterator[Adjustment]:
        """Corrections of a balance, newest first."""
        return self._pages(Adjustment, Call(method="GET", path=path("admin", "accounts", account_id, "adjustments")))

    def topups(
        self, account_id: str | None = None, *, state: TopupState | None = None, surplus: bool | None = None
    ) -> Iterator[TopupSummary]:
        """Purchases, newest first, of one account or of all."""
        parameters = query(accountId=account_id, state=state, surplus=surplus)
        return self._pages(TopupSummary, Call(method="GET", path="/admin/topups", query=parameters))

    def get_topup(self, topup_id: str) -> TopupDetails:
        """Everything that is recorded about a purchase."""
        return self._read(TopupDetails, Call(method="GET", path=path("admin", "topups", topup_id)))

    def preview_refund(
        self,
        topup_id: str,
        *,
        credits: int | None = None,
        amount: int | None = None,
        unspent: bool | None = None,
        payment_id: str | None = None,
    ) -> Preview:
        """What a refund would do; it is not made."""
        parameters = query(credits=credits, amount=amount, unspent=unspent, paymentId=payment_id)
        place = path("admin", "topups", topup_id, "refunds", "preview")
        return self._read(Preview, Call(method="GET", path=place, query=parameters))

    def refund_topup(
        self,
        topup_id: str,
        *,
        credits: int | None = None,
        amount: int | None = None,
        unspent: bool | None = None,
        payment_id: str | None = None,
        reason: RefundReason | None = None,
        idempotency_key: str | None = None,
    ) -> Refund:
        """Give money back for `credits`, an `amount` in minor units, or what is `unspent`; by default for everything.

        After an `UnavailableError` or a `NoAnswerError` the refund may have been made. Repeat it with the error's
        `idempotency_key`, and it is made once.
        """
        body = CreateRefund(credits=credits, amount=amount, unspent=unspent, payment_id=payment_id, reason=reason)
        place = path("admin", "topups", topup_id, "refunds")
        key = valid_key(idempotency_key)
        return self._read(Refund, Call(method="POST", path=place, body=body, idempotency_key=key))
