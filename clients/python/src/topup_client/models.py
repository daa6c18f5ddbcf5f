"""The API's objects. Made from openapi/openapi.json by scripts/generate.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, kw_only=True)
class AccountBalance:
    """
    An account's credits after a request.
    """

    account_id: str
    available_credits: int
    """
    Credits that can be spent or reserved now: `remainingCredits` minus `heldCredits`, at least 0.
    """
    held_credits: int
    """
    Credits that open holds reserve.
    """
    owed_credits: int
    """
    How far the balance is below zero; otherwise 0.
    """
    remaining_credits: int
    """
    The sum of all ledger entries. Negative if credits were taken back after they had been spent.
    """


@dataclass(frozen=True, kw_only=True)
class AccountDetails:
    """
    An account, and whether it may spend.
    """

    account_id: str
    available_credits: int
    """
    Credits that could be spent or reserved now if it is not blocked.
    """
    blocked: bool
    """
    Whether an operator has blocked it.
    """
    held_credits: int
    """
    Credits that open holds reserve.
    """
    owed_credits: int
    """
    How far the balance is below zero; otherwise 0.
    """
    remaining_credits: int
    """
    Its balance.
    """
    block_changed_at: str | None = None
    """
    When.
    """
    block_changed_by: str | None = None
    """
    Who did so: an API key with its name, or a token's subject.
    """
    block_reason: str | None = None
    """
    Why it was blocked or unblocked the last time; null if it never was.
    """


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """
    Credits that an operator granted or took.
    """

    account_id: str
    balance_after: int
    """
    The balance of the account after the adjustment.
    """
    created_at: str
    credits: int
    """
    The number of credits; negative if they were taken.
    """
    id: str
    """
    The id of the adjustment, which is also the `source` of its ledger entry.
    """
    made_by: str
    """
    Who made the adjustment: an API key with its name, or a token's subject.
    """
    reason: str


@dataclass(frozen=True, kw_only=True)
class Adjustments:
    """
    A page of adjustments, newest first.
    """

    data: list[Adjustment]
    next_cursor: str | None = None
    """
    Pass it as `cursor` to get the next page; null on the last page.
    """


@dataclass(frozen=True, kw_only=True)
class BalanceAfter:
    """
    The balance of the account after the refund.
    """

    account_id: str
    owed_credits: int
    """
    How far the balance is below zero; otherwise 0.
    """
    remaining_credits: int
    """
    The credits that can be spent. Negative if credits were taken back after they had been spent.
    """


@dataclass(frozen=True, kw_only=True)
class BlockReason:
    """
    Why an account is blocked or unblocked.
    """

    reason: str
    """
    The reason, for the record: 1 to 500 printable characters.
    """


@dataclass(frozen=True, kw_only=True)
class CancelSubscription:
    """
    When a subscription ends.
    """

    at: str
    """
    `period_end`: with the period that is paid. `now`: at once, which needs the admin scope; nothing is refunded.
    """


@dataclass(frozen=True, kw_only=True)
class ChangePlan:
    """
    The plan to change to.
    """

    plan_id: str
    proration_date: str | None = None
    """
    The `prorationDate` of a preview, so that what is charged is what was shown.
    """


@dataclass(frozen=True, kw_only=True)
class ChangePreview:
    """
    What a change of the plan would cost.
    """

    amount_due: int
    """
    What is paid now, in minor units; negative if money is kept for later invoices.
    """
    currency: str
    effective_at: str
    period_amount: int
    """
    What a period costs from then on, with the fee line.
    """
    plan_id: str
    takes_effect: str
    """
    `now`, or `period_end`: a plan that costs less, or has another interval, takes effect with the next period.
    """
    proration_date: str | None = None
    """
    Send it with the change, so that the amount stays; null if nothing is paid now.
    """


@dataclass(frozen=True, kw_only=True)
class CreateAdjustment:
    """
    How many credits to grant or take, and why.
    """

    credits: int
    """
    The number of credits: positive to grant, negative to take; not 0, and at most 1,000,000,000 units of
    `CREDIT_UNIT_CREDITS` either way.
    """
    reason: str
    """
    The reason, for the record: 1 to 500 printable characters.
    """
    create: bool | None = None
    """
    `true` permits an account that never had credits. Otherwise such an account returns 404 `unknown_account`, so
    that a mistyped account id does not credit a stranger.
    """


@dataclass(frozen=True, kw_only=True)
class CreateHold:
    """
    How many credits to reserve, for how long, and for what.
    """

    credits: int
    """
    The number of credits, 1 to 9,007,199,254,740,991.
    """
    expires_in_seconds: int | None = None
    """
    After how many seconds it ends by itself, 1 to 86,400; default 900.
    """
    metadata: dict[str, str] | None = None
    """
    Data of your own: at most 16 texts, 2 KiB as JSON. The customer can read it.
    """
    minimum_credits: int | None = None
    """
    The fewest credits that are of use: with fewer available than `credits`, what there is is reserved. Default
    `credits`.
    """
    operation: str | None = None
    """
    The kind of work, such as `chat.completion`: 1 to 64 of a-z, 0-9, `_`, `.` and `-`.
    """
    subject: str | None = None
    """
    A part of the account, such as a member or a key of the customer: 1 to 200 printable characters.
    """


@dataclass(frozen=True, kw_only=True)
class CreatePortalSession:
    """
    Where the customer goes afterwards, and what to do there.
    """

    return_url: str
    """
    Where the customer goes afterwards: an absolute URL on one of the `ALLOWED_ORIGINS`.
    """
    account_id: str | None = None
    """
    The account. Defaults to the token's subject, or to the account that the API key is bound to.
    """
    flow: str | None = None
    """
    `payment_method_update`, `subscription_cancel` or `subscription_update`; without it the portal's home page.
    """


@dataclass(frozen=True, kw_only=True)
class CreateRefund:
    """
    What to refund: one of `credits`, `amount` and `unspent`. Without them, everything that is left is refunded, including
    the fee line.
    """

    amount: int | None = None
    """
    Refund this amount, in minor units. It takes back the credits that it paid for; the fee line is refunded last.
    """
    credits: int | None = None
    """
    Refund this many credits, at the price paid for them, which must be a whole amount unless these are all that are
    left. The fee line is not included, not even with the last credits; to refund it as well, omit `credits` and
    `amount`.
    """
    payment_id: str | None = None
    """
    A surplus payment of the top-up, whose refund takes no credits. Defaults to the payment that was credited.
    """
    reason: str | None = None
    """
    Stripe's reason for the refund: `requested_by_customer` (default), `duplicate` or `fraudulent`.
    """
    unspent: bool | None = None
    """
    `true`: refund the price of what remains unspent of this top-up's credits, without the fee line. That is the
    largest amount that takes no other credits.
    """


@dataclass(frozen=True, kw_only=True)
class CreateSession:
    """
    What to buy, and where Stripe sends the customer afterwards.
    """

    credits: int
    """
    The number of credits to buy, an integer: a multiple of the quote's `creditUnitCredits`.
    """
    success_url: str
    """
    Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`. Stripe replaces
    `{CHECKOUT_SESSION_ID}` with the id of the checkout session.
    """
    account_id: str | None = None
    """
    The account that receives the credits. Defaults to the token's subject, or to the account that the API key is
    bound to; required for an API key that is not bound to an account.
    """
    cancel_url: str | None = None
    """
    Where the customer goes after leaving the payment page without paying: an absolute URL on one of the
    `ALLOWED_ORIGINS`.
    """
    currency: str | None = None
    """
    The currency to pay in: one that credits are sold in, in lower case. Defaults to the account's.
    """
    save_card: bool | None = None
    """
    Whether the customer's card is saved, so that it can be charged later without the customer (`PUT /auto-topup`).
    Requires `SAVED_CARDS=on`. Defaults to false. Stripe's page says that the card is saved.
    """


@dataclass(frozen=True, kw_only=True)
class CreateSpendRefund:
    """
    How many credits to give back, and why.
    """

    credits: int | None = None
    """
    The number of credits; by default all that were not given back yet.
    """
    reason: str | None = None
    """
    The reason, for the record: 1 to 500 printable characters.
    """


@dataclass(frozen=True, kw_only=True)
class CreateSubscriptionSession:
    """
    What to subscribe to, and where Stripe sends the customer afterwards.
    """

    plan_id: str
    """
    The plan.
    """
    success_url: str
    """
    Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`.
    """
    account_id: str | None = None
    """
    The account that subscribes. Defaults to the token's subject, or to the account that the API key is bound to.
    """
    cancel_url: str | None = None
    """
    Where the customer goes after leaving the payment page: an absolute URL on one of the `ALLOWED_ORIGINS`.
    """


@dataclass(frozen=True, kw_only=True)
class CreatedSession:
    """
    An open checkout session.
    """

    expires_at: str
    """
    When the checkout session expires.
    """
    id: str
    """
    The id of the checkout session.
    """
    url: str
    """
    The payment page. Send the customer there.
    """


@dataclass(frozen=True, kw_only=True)
class Due:
    """
    An invoice that is not paid.
    """

    action_required: bool
    """
    Whether the customer has to confirm the payment.
    """
    amount: int
    """
    In minor units.
    """
    attempt: int
    """
    How often it was tried.
    """
    currency: str
    invoice_id: str
    next_attempt_at: str | None = None
    """
    When it is tried next; null if it is not.
    """
    pay_url: str | None = None
    """
    The page on which the customer can pay it.
    """


@dataclass(frozen=True, kw_only=True)
class EntitledPlan:
    """
    The plan of an entitlement.
    """

    id: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entitlement:
    """
    What an account is entitled to.
    """

    account_id: str
    available_credits: int
    """
    The credits that can be spent now, whatever they came from.
    """
    entitled: bool
    """
    Whether a subscription entitles the account to its plan now: it runs, or its renewal is not paid and its grace is
    not over.
    """
    cancel_at: str | None = None
    """
    When the subscription ends, if that is decided.
    """
    grace_until: str | None = None
    """
    While the renewal is not paid: until when it entitles all the same (`PAST_DUE_GRACE_DAYS`).
    """
    period_end: str | None = None
    """
    When the period ends.
    """
    plan: EntitledPlan | None = None
    status: str | None = None
    """
    The status of the subscription.
    """
    subscription_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class EventDetails:
    """
    An event from Stripe that was processed.
    """

    id: str
    outcome: str
    """
    The outcome, as a code.
    """
    received_at: str
    type: str


@dataclass(frozen=True, kw_only=True)
class ExtendHold:
    """
    The new totals of a hold.
    """

    credits: int | None = None
    """
    The new total of reserved credits. A total below the present one changes nothing, so that a repeated or late
    request does no harm.
    """
    expires_in_seconds: int | None = None
    """
    After how many seconds from now it ends, 1 to 604,800; at most seven days after the hold was made. An earlier
    end than the present one changes nothing.
    """


@dataclass(frozen=True, kw_only=True)
class FailedEventDetails:
    """
    A failed event that names the top-up or one of its payments. It is listed only while its payload is stored.
    """

    attempts: int
    error: str
    id: str
    kind: str
    """
    `permanent` or `transient`; see `FailedWebhookEvent`.
    """
    last_failed_at: str
    type: str
    resolved_at: str | None = None
    """
    When the event was resolved; null if it is not.
    """


@dataclass(frozen=True, kw_only=True)
class FeeDetails:
    """
    How the fee line was calculated when the top-up was created, and the fee that Stripe charged.
    """

    expected: int
    """
    The fee that Stripe was expected to charge, in minor units.
    """
    fixed: int
    """
    The fixed part of the fee, in minor units.
    """
    label: str
    mode: str
    """
    The fee mode: `gross_up` or `absorb`.
    """
    rate_percent: str
    real: int | None = None
    """
    The fee that Stripe charged for the credited payment, in minor units of `realCurrency`; null until known.
    """
    real_currency: str | None = None
    """
    The currency in which Stripe settles the payment.
    """


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """
    An invalid field.
    """

    code: str
    """
    A stable, machine-readable code.
    """
    field: str
    """
    The name of the field in the request.
    """
    message: str
    """
    What is wrong and how to fix it.
    """


@dataclass(frozen=True, kw_only=True)
class Grant:
    """
    Credits of one origin.
    """

    account_id: str
    category: str
    """
    `paid` or `promotional`.
    """
    created_at: str
    credits: int
    """
    The credits at first.
    """
    id: str
    """
    The id of the top-up or adjustment that brought the credits; for a bonus, the top-up's with `:bonus` at its end;
    for a promotion an id of its own.
    """
    kind: str
    """
    `purchase`, `bonus`, `promotion`, `adjustment`, `subscription`, or `returned`: credits given back that their first grant could not
    take.
    """
    priority: int
    """
    Lower numbers are spent first. Of equal ones, what ends first is; then promotional credits, then the oldest.
    """
    remaining_credits: int
    """
    What remains of them.
    """
    expires_at: str | None = None
    """
    When the rest ends; null for never.
    """
    reason: str | None = None
    """
    Why an operator gave them; null for other kinds.
    """
    topup_id: str | None = None
    """
    The top-up of a purchase or bonus; null for other kinds.
    """
    voided_at: str | None = None
    """
    When an operator ended it early; null otherwise.
    """


GrantCategory: TypeAlias = Literal["promotional", "paid"]
"""
Whether money was paid for the credits.
"""


@dataclass(frozen=True, kw_only=True)
class Grants:
    """
    A page of grants, newest first.
    """

    data: list[Grant]
    next_cursor: str | None = None
    """
    Pass it as `cursor` to get the next page; null on the last page.
    """


@dataclass(frozen=True, kw_only=True)
class Hold:
    """
    Credits reserved for a spend.
    """

    account_id: str
    balance: AccountBalance
    """
    The account's credits after this request.
    """
    created_at: str
    credits: int
    """
    The credits that it reserves, or reserved.
    """
    expires_at: str
    """
    When it ends by itself.
    """
    id: str
    metadata: dict[str, str]
    """
    The caller's own data. The customer can read it.
    """
    requested_credits: int
    """
    The credits asked for; more than `credits` if there were fewer and `minimumCredits` allowed that.
    """
    state: str
    """
    `open`: it reserves credits. `captured`: they were spent. `released`: they were freed. `expired`: its time
    ended; it reserves nothing, and can still be captured from what is available.
    """
    captured_credits: int | None = None
    """
    The credits that were captured; null before.
    """
    operation: str | None = None
    """
    The kind of work; null if none was named.
    """
    spend_id: str | None = None
    """
    The spend that captured it; null before.
    """
    subject: str | None = None
    """
    The part of the account that reserved; null if none was named.
    """


@dataclass(frozen=True, kw_only=True)
class Holds:
    """
    A page of open holds, those that end first before the others.
    """

    data: list[Hold]
    """
    The holds.
    """
    next_cursor: str | None = None
    """
    Pass it as `cursor` to get the next page; null on the last page.
    """


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """
    An invoice.
    """

    created_at: str
    currency: str
    id: str
    paid_amount: int
    """
    In minor units.
    """
    reason: str
    """
    Why it was made, in Stripe's word.
    """
    status: str
    """
    `draft`, `open`, `paid`, `uncollectible` or `void`.
    """
    total_amount: int
    """
    In minor units.
    """
    number: str | None = None
    """
    Its number, as the customer reads it.
    """
    paid_at: str | None = None
    url: str | None = None
    """
    The page with the invoice.
    """


@dataclass(frozen=True, kw_only=True)
class Limit:
    """
    A limit of spending.
    """

    credits: int
    """
    The most credits that may be spent in the period.
    """
    held_credits: int
    """
    The credits that open holds reserve, whenever they were made.
    """
    left_credits: int
    """
    The credits that can still be spent or reserved; at least 0.
    """
    period: str
    """
    `day`, `month` (both of UTC) or `total`.
    """
    used_credits: int
    """
    The credits spent in the period, less what was given back of them.
    """
    resets_at: str | None = None
    """
    When `usedCredits` begins at 0 again; null for `total`.
    """
    subject: str | None = None
    """
    The part of the account that it is for; null for the whole account.
    """


@dataclass(frozen=True, kw_only=True)
class Limits:
    """
    A page of limits, ordered by subject and period.
    """

    data: list[Limit]
    next_cursor: str | None = None
    """
    Pass it as `cursor` to get the next page; null on the last page.
    """


@dataclass(frozen=True, kw_only=True)
class NextExpiry:
    """
    Credits that end.
    """

    at: str
    """
    When they end.
    """
    credits: int
    """
    How many of them are left now. They are spent before credits that end later, so fewer may end.
    """


OnShortfall: TypeAlias = Literal["reject", "cap"]
"""
What to do when the account has fewer credits than asked for.
"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    Credits that one grant gave.
    """

    credits: int
    grant_id: str | None = None
    """
    The grant: the id of a top-up, an adjustment or a promotion. Null for credits that a refund or dispute had taken
    before the work was charged.
    """


@dataclass(frozen=True, kw_only=True)
class PaymentDetails:
    """
    A payment at Stripe.
    """

    created_at: str
    payment_id: str
    role: str
    """
    `credited`: the payment that paid for the credits. `surplus`: an additional payment, which credits nothing and
    should be refunded. `waiting`: a payment whose money is not booked.
    """
    charge_id: str | None = None
    fee_id: str | None = None
    real_fee: int | None = None
    real_fee_currency: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Period:
    """
    What a period brought.
    """

    credits: int
    """
    How many credits it gave: the plan's, less what the same time had brought before.
    """
    grant_id: str
    """
    The id of the grant.
    """
    invoice_id: str
    kind: str
    """
    `period` or `trial`.
    """
    period_end: str
    period_start: str
    plan_id: str
    taken_credits: int
    """
    How many refunds and disputes took back.
    """


@dataclass(frozen=True, kw_only=True)
class PortalSession:
    """
    The portal, open for one visitor.
    """

    url: str
    """
    Send the customer there at once: it is good for a short time and must not be mailed.
    """


@dataclass(frozen=True, kw_only=True)
class PreviewedBalance(BalanceAfter):
    """
    The balance of the account after a refund that has not been made.
    """

    held_credits: int
    """
    The credits that open holds reserve. A refund may take them; the captures then go below zero.
    """


@dataclass(frozen=True, kw_only=True)
class Price:
    """
    The price of a period, in minor units.
    """

    amount: int
    """
    The price of the plan.
    """
    currency: str
    fee_amount: int
    """
    The fee line beside it; 0 if the seller absorbs the fee.
    """
    total_amount: int
    """
    What the customer pays each period, and tax on top of it if `taxBehavior` is `exclusive`.
    """
    tax_behavior: str | None = None
    """
    `exclusive`: tax comes on top. `inclusive`: the amounts contain it. null: no tax is charged.
    """


@dataclass(frozen=True, kw_only=True)
class Quote:
    """
    The price of a number of credits. Amounts are in minor units of the currency; numbers of credits are integers.
    """

    bonus_credits: int
    """
    The credits given on top.
    """
    credit_display_decimals: int
    """
    How many digits of a number of credits people should read as decimals: with 2, show 250 as 2.50.
    """
    credit_unit_amount: int
    """
    The price of a unit.
    """
    credit_unit_credits: int
    """
    How many credits a unit has. Purchases are multiples of it.
    """
    credits: int
    """
    The number of credits.
    """
    credits_amount: int
    """
    The price of the credits.
    """
    currencies: list[str]
    """
    The currencies that credits are sold in, the main one first.
    """
    currency: str
    """
    The currency of all amounts.
    """
    fee_amount: int
    """
    The fee line; 0 if the seller absorbs the fee.
    """
    largest_credits: int
    """
    The largest number of credits that can be bought at once.
    """
    smallest_credits: int
    """
    The smallest number of credits that can be bought.
    """
    total_amount: int
    """
    What the customer pays: `creditsAmount` plus `feeAmount`, and tax on top of it if `taxBehavior` is `exclusive`.
    """
    credits_expire_at: str | None = None
    """
    When the credits and their bonus end if they are paid now; null if they never do.
    """
    tax_behavior: str | None = None
    """
    `exclusive`: tax comes on top, as soon as the customer's address is known. `inclusive`: the amounts contain it.
    null: no tax is charged.
    """


@dataclass(frozen=True, kw_only=True)
class ReachedLimit:
    """
    A limit of spending that leaves too few credits.
    """

    credits: int
    """
    The most credits that may be spent in the period.
    """
    held_credits: int
    """
    The credits that open holds reserve.
    """
    period: str
    """
    `day`, `month` or `total`.
    """
    used_credits: int
    """
    The credits spent in the period.
    """
    resets_at: str | None = None
    """
    When the next period begins; null for `total`.
    """
    subject: str | None = None
    """
    The part of the account that it is for; null for the whole account.
    """


@dataclass(frozen=True, kw_only=True)
class Refund:
    """
    A refund.
    """

    amount: int
    """
    The refunded amount, in minor units.
    """
    balance: BalanceAfter
    bonus_credits_taken: int
    """
    The part of the top-up's bonus that was taken with them.
    """
    credits_taken: int
    """
    The number of credits taken from the account.
    """
    currency: str
    id: str
    """
    Topup's id of the refund request.
    """
    payment_id: str
    refund_id: str
    """
    Stripe's id of the refund.
    """
    status: str
    """
    Stripe's status of the refund when it was made. The refund can still fail later; the credits then return.
    """
    topup_id: str


@dataclass(frozen=True, kw_only=True)
class RefundRequestDetails:
    """
    A refund requested through Topup.
    """

    amount: int
    created_at: str
    currency: str
    id: str
    payment_id: str
    requested_by: str
    """
    Who requested the refund: an API key with its name, or a token's subject.
    """
    state: str
    """
    `creating`: not made yet, or the outcome is unknown; a repeated request with the same key continues it, and
    `failureCode` has the last error. `created`: made. `refused`: refused by Stripe.
    """
    bonus_credits_taken: int | None = None
    """
    The part of the bonus that was taken with them.
    """
    credits_taken: int | None = None
    failure_code: str | None = None
    """
    Why Stripe refused the refund, or why it has not been made yet.
    """
    reason: str | None = None
    refund_id: str | None = None
    """
    Stripe's id of the refund.
    """


@dataclass(frozen=True, kw_only=True)
class ReversalDetails:
    """
    A refund or a dispute.
    """

    amount: int
    counts: bool
    """
    Whether its amount currently counts as taken back.
    """
    created_at: str
    currency: str
    id: str
    """
    Stripe's id of the refund or dispute.
    """
    kind: str
    """
    `refund` or `dispute`.
    """
    payment_id: str
    status: str
    """
    Stripe's status of the refund or dispute.
    """
    updated_at: str
    reason: str | None = None


SessionState: TypeAlias = Literal["open", "processing", "paid", "expired", "failed"]
"""
The state of a top-up.
"""


@dataclass(frozen=True, kw_only=True)
class SetLimit:
    """
    How many credits may be spent.
    """

    credits: int
    """
    The most credits that may be spent in the period; 0 stops all spending.
    """


@dataclass(frozen=True, kw_only=True)
class Spend:
    """
    Credits spent.
    """

    account_id: str
    balance: AccountBalance
    """
    The account's credits after this request.
    """
    created_at: str
    credits: int
    """
    The credits taken.
    """
    id: str
    metadata: dict[str, str]
    """
    The caller's own data. The customer can read it.
    """
    refunded_credits: int
    """
    How many of the credits were given back.
    """
    requested_credits: int
    """
    The credits asked for.
    """
    uncollected_credits: int
    """
    The credits asked for and not taken, because the account did not have them (`onShortfall: cap`).
    """
    hold_id: str | None = None
    """
    The hold that was captured; null for a debit.
    """
    operation: str | None = None
    """
    The kind of work; null if none was named.
    """
    subject: str | None = None
    """
    The part of the account that spent; null if none was named.
    """


@dataclass(frozen=True, kw_only=True)
class SpendDetails(Spend):
    """
    A spend with the grants that its credits came from.
    """

    parts: list[Part]
    """
    The grants that the credits came from, in the order in which they were taken.
    """


@dataclass(frozen=True, kw_only=True)
class SpendRefund:
    """
    Spent credits that were given back.
    """

    account_id: str
    balance: AccountBalance
    """
    The account's credits after this request.
    """
    created_at: str
    credits: int
    """
    The credits that were given back.
    """
    id: str
    spend_id: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class StatementKind:
    """
    What entries of one kind moved.
    """

    credits: int
    """
    The sum of their credits; negative if they took credits.
    """
    entries: int
    """
    How many entries there are.
    """
    kind: str
    """
    The kind of the entries.
    """


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """
    A subscription.
    """

    account_id: str
    created_at: str
    id: str
    """
    The id of the subscription at the payment provider.
    """
    status: str
    """
    `incomplete`, `incomplete_expired`, `trialing`, `active`, `past_due`, `unpaid`, `canceled` or `paused`. `active`
    does not say that the period is paid; credits come with the payment.
    """
    update_pending: bool
    """
    Whether a change of the plan waits for its payment.
    """
    cancel_at: str | None = None
    """
    When it ends, if that is decided.
    """
    cancel_reason: str | None = None
    """
    Why it ends or ended, in Stripe's word.
    """
    due: Due | None = None
    ended_at: str | None = None
    """
    When it ended.
    """
    next_plan_id: str | None = None
    """
    The plan of the next period, if that is another one.
    """
    period_end: str | None = None
    """
    When the period ends and the next one is billed.
    """
    period_start: str | None = None
    plan_id: str | None = None
    """
    The plan; null if its price is no plan's.
    """
    trial_end: str | None = None
    """
    When the trial ends or ended; null without one.
    """


@dataclass(frozen=True, kw_only=True)
class SubscriptionDetails(Subscription):
    """
    A subscription with its history.
    """

    invoices: list[Invoice]
    """
    Its invoices, newest first.
    """
    periods: list[Period]
    """
    What its periods brought, newest first.
    """


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """
    Subscriptions, newest first.
    """

    data: list[Subscription]


@dataclass(frozen=True, kw_only=True)
class TopupSummary:
    """
    A top-up in a list.
    """

    account_id: str
    bonus_credits: int
    """
    The credits given on top when it is paid.
    """
    created_at: str
    credits: int
    currency: str
    id: str
    state: str
    """
    `creating`, `open`, `processing`, `paid`, `expired` or `failed`.
    """
    surplus_payments: int
    """
    The number of payments beyond the credited one. They credit nothing and should be refunded.
    """
    taken_credits: int
    """
    How many of these credits refunds and disputes have taken back.
    """
    total_amount: int
    """
    The amount that the customer pays, in minor units.
    """
    paid_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Topups:
    """
    A page of top-ups, newest first.
    """

    data: list[TopupSummary]
    next_cursor: str | None = None
    """
    Pass it as `cursor` to get the next page; null on the last page.
    """


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """
    A ledger entry.
    """

    balance_after: int
    """
    The balance after this entry.
    """
    created_at: str
    credits: int
    """
    The number of credits; negative if they were taken.
    """
    description: str
    """
    A human-readable description of kind and reason.
    """
    id: str
    kind: str
    """
    `topup`: credits bought. `reversal`: credits taken back by a refund or dispute, or returned when the refund
    failed or the dispute was won. `adjustment`: a correction by an operator. `spend`: credits spent, one entry for
    each grant that they came from. `spend_refund`: spent credits given back. `bonus`: credits given on top of a
    purchase. `bonus_reversal`: a part of a bonus, taken back or returned with its purchase. `promotion`: credits
    given by an operator. `expiry`: credits whose time ended. `void`: credits of a promotion that an operator ended early.
    `subscription`: the credits of a paid period, or of a trial. `subscription_reversal`: those taken back by a refund or
    dispute, or returned.
    """
    source: str
    """
    What caused the entry: the id of the top-up, adjustment, spend, refund or grant. For a reversal, for the further
    entries of a spend, and for the end of a grant, a number follows.
    """
    reason: str | None = None
    """
    The reason of a reversal, also of a bonus. `refund` and `dispute` took credits; `refund_failed`, `dispute_won` and
    `dispute_returned` (the disputed money came back in another way) returned them. For a promotion or a refund of a
    spend, the text that came with it. Null for other kinds.
    """


@dataclass(frozen=True, kw_only=True)
class Transactions:
    """
    A page of ledger entries, newest first.
    """

    data: list[Transaction]
    next_cursor: str | None = None
    """
    Pass it as `cursor` to get the next page; null on the last page.
    """


@dataclass(frozen=True, kw_only=True)
class UsageEntry:
    """
    Usage of one hour, day, operation or subject.
    """

    credits: int
    """
    The credits that were spent.
    """
    refunded_credits: int
    """
    The credits that were given back in this time, whenever they had been spent.
    """
    spends: int
    """
    The number of spends. A spend of 0 credits is not counted.
    """
    key: str | None = None
    """
    The beginning of the hour, the day in UTC (`2026-11-21`), the operation or the subject; null where none was
    named.
    """


@dataclass(frozen=True, kw_only=True)
class VoidGrant:
    """
    Why a grant is ended.
    """

    reason: str
    """
    The reason, for the record: 1 to 500 printable characters.
    """


@dataclass(frozen=True, kw_only=True)
class Access:
    """
    Whether an account could spend.
    """

    allowed: bool
    """
    Whether a debit of so many credits would succeed now.
    """
    available_credits: int
    """
    Credits that can be spent or reserved now.
    """
    held_credits: int
    """
    Credits that open holds reserve.
    """
    limits: list[Limit]
    """
    The limits that the debit would meet: the account's and the subject's.
    """
    code: str | None = None
    """
    The code of the problem that a debit would get: `spend_limit_reached`, `insufficient_credits`, `credits_held` or
    `account_blocked`; null if it would succeed.
    """


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """
    A debit of a batch.
    """

    account_id: str
    credits: int
    """
    As in a single debit.
    """
    key: str
    """
    The idempotency key: 1 to 255 printable ASCII characters that name the work.
    """
    metadata: dict[str, str] | None = None
    """
    As in a single debit.
    """
    minimum_credits: int | None = None
    """
    As in a single debit.
    """
    on_shortfall: OnShortfall | None = None
    """
    As in a single debit.
    """
    operation: str | None = None
    """
    As in a single debit.
    """
    subject: str | None = None
    """
    As in a single debit.
    """


@dataclass(frozen=True, kw_only=True)
class CaptureHold:
    """
    What the work came to.
    """

    credits: int
    """
    The credits to take; 0 frees the hold and records that the work cost nothing.
    """
    metadata: dict[str, str] | None = None
    """
    Replaces the hold's metadata: at most 16 texts, 2 KiB as JSON.
    """
    on_shortfall: OnShortfall | None = None
    """
    What to do when this is more than the hold reserves and the account has available: `cap` (the default) takes
    what there is, `reject` takes nothing and leaves the hold as it is.
    """


@dataclass(frozen=True, kw_only=True)
class CreateDebit:
    """
    How many credits to take, and for what.
    """

    credits: int
    """
    The number of credits, 1 to 9,007,199,254,740,991.
    """
    metadata: dict[str, str] | None = None
    """
    Data of your own: at most 16 texts, 2 KiB as JSON. The customer can read it.
    """
    minimum_credits: int | None = None
    """
    With `cap`: the fewest credits to take; with fewer, nothing is taken. Default 0.
    """
    on_shortfall: OnShortfall | None = None
    """
    What to do when the account has fewer: `reject` (the default) takes nothing, `cap` takes what there is.
    """
    operation: str | None = None
    """
    The kind of work, such as `chat.completion`: 1 to 64 of a-z, 0-9, `_`, `.` and `-`.
    """
    subject: str | None = None
    """
    A part of the account, such as a member or a key of the customer: 1 to 200 printable characters.
    """


@dataclass(frozen=True, kw_only=True)
class CreateGrant:
    """
    How many credits to give, for how long, and why.
    """

    credits: int
    """
    The number of credits: at least 1, and at most 1,000,000,000 units of `CREDIT_UNIT_CREDITS`.
    """
    reason: str
    """
    The reason, which the customer can see: 1 to 500 printable characters.
    """
    category: GrantCategory | None = None
    """
    `promotional` (the default), or `paid` for credits that were paid for elsewhere.
    """
    create: bool | None = None
    """
    `true` permits an account that never had credits. Otherwise such an account returns 404 `unknown_account`.
    """
    expires_at: str | None = None
    """
    When what is left of them ends, in the future; by default never.
    """
    priority: int | None = None
    """
    0 to 100; lower numbers are spent first. Default 50.
    """


@dataclass(frozen=True, kw_only=True)
class Credits:
    """
    The balance of an account.
    """

    account_id: str
    available_credits: int
    """
    Credits that can be spent or reserved now: `remainingCredits` minus `heldCredits`, at least 0.
    """
    credit_display_decimals: int
    """
    How many digits of a number of credits people should read as decimals: with 2, show 250 as 2.50.
    """
    held_credits: int
    """
    Credits that open holds reserve.
    """
    owed_credits: int
    """
    How far the balance is below zero, because credits were taken back after they had been spent; otherwise 0. Later
    top-ups fill this gap first.
    """
    remaining_credits: int
    """
    The balance: `totalCredits` minus `usedCredits`. Negative if credits were taken back after they had been spent.
    """
    total_credits: int
    """
    Credits granted, minus credits taken back or expired.
    """
    used_credits: int
    """
    Credits spent.
    """
    next_expiry: NextExpiry | None = None
    updated_at: str | None = None
    """
    The time of the latest ledger entry; null if there is none.
    """


@dataclass(frozen=True, kw_only=True)
class DebitBatch:
    """
    Debits, each with a key of its own.
    """

    items: list[BatchItem]
    """
    1 to 100 debits. Each is read by itself, so that one that is malformed does not stop the others.
    """


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    A plan.
    """

    active: bool
    """
    Whether it is sold. Running subscriptions go on in any case.
    """
    credits_per_period: int
    """
    The credits of a paid period.
    """
    id: str
    interval: str
    """
    The unit of a period: `day`, `week`, `month` or `year`.
    """
    interval_count: int
    """
    How many of them a period has.
    """
    name: str
    """
    What customers read.
    """
    prices: list[Price]
    """
    What a period costs, one price for each currency.
    """
    rollover: str
    """
    What happens to credits that are left when the next period is paid: `expire`, `keep`, or `cap`: no more than
    `rolloverCap` stay.
    """
    trial_credits: int
    """
    The credits of the trial.
    """
    trial_days: int
    """
    For how many days a new subscriber pays nothing.
    """
    rollover_cap: int | None = None
    """
    The most credits that stay; null unless `rollover` is `cap`.
    """


@dataclass(frozen=True, kw_only=True)
class Plans:
    """
    The plans that are sold.
    """

    data: list[Plan]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """
    The effect of a refund that has not been made.
    """

    amount: int
    """
    The amount that would be refunded, in minor units; 0 if the refund is not possible.
    """
    balance: PreviewedBalance
    """
    The balance of the account afterwards.
    """
    bonus_credits: int
    """
    The part of the top-up's bonus that would be taken back with them.
    """
    credits: int
    """
    The number of credits that would be taken back.
    """
    currency: str
    fee_amount: int
    """
    The part of `amount` that refunds the fee line, in minor units.
    """
    largest_amount: int
    """
    The largest amount that can be refunded while no dispute is open, in minor units.
    """
    largest_credits: int
    """
    The largest number of credits that can be refunded.
    """
    possible: bool
    """
    Whether the refund is possible according to Topup's own records. Stripe has the final decision.
    """
    tax_amount: int
    """
    The part of the amount that is tax on top of the price and the fee line.
    """
    unspent_credits: int
    """
    What remains unspent of this top-up's credits now, without its bonus.
    """
    code: str | None = None
    """
    Why the refund is not possible, as the error code that a refund would return; null if it is possible.
    """
    payment_id: str | None = None
    """
    The payment to refund; null if there is none.
    """
    reason: str | None = None
    """
    The same in words; null if the refund is possible.
    """


@dataclass(frozen=True, kw_only=True)
class Problem:
    """
    An error as defined by RFC 9457.
    """

    code: str
    """
    A stable, machine-readable code.
    """
    detail: str
    """
    What is wrong and how to fix it.
    """
    error: str
    """
    A copy of `detail`, for clients of the API that this one replaced.
    """
    status: int
    """
    The HTTP status code.
    """
    title: str
    """
    The reason phrase of the HTTP status.
    """
    type: str
    """
    `urn:topup:problem:` followed by the code.
    """
    available_credits: int | None = None
    """
    For problems about credits: how many can be spent or reserved now.
    """
    errors: list[FieldError] | None = None
    """
    The invalid fields; absent if there are none.
    """
    held_credits: int | None = None
    """
    For problems about credits: how many open holds reserve.
    """
    limit: ReachedLimit | None = None
    """
    For `spend_limit_reached`: the limit.
    """
    owed_credits: int | None = None
    """
    For problems about credits: how far the balance is below zero; otherwise 0.
    """
    required_credits: int | None = None
    """
    For problems about credits: how many are needed at least.
    """


@dataclass(frozen=True, kw_only=True)
class Session:
    """
    The current state of a top-up.
    """

    account_id: str
    """
    The account that receives the credits.
    """
    bonus_credits: int
    """
    The credits given on top when it is paid.
    """
    created_at: str
    credits: int
    """
    The number of credits.
    """
    credits_amount: int
    """
    The price of the credits, in minor units.
    """
    currency: str
    """
    The currency of all amounts.
    """
    expires_at: str
    fee_amount: int
    """
    The fee line, in minor units.
    """
    id: str
    """
    The id of the checkout session.
    """
    state: SessionState
    topup_id: str
    """
    The id of the top-up.
    """
    total_amount: int
    """
    What the customer pays, in minor units, before tax that comes on top.
    """
    credits_expire_at: str | None = None
    """
    When they end; null before the payment, and if they never end.
    """
    credits_expire_days: int | None = None
    """
    For how many days from the payment the credits are good; null if they never end.
    """
    decline_code: str | None = None
    """
    Stripe's decline code of the last declined payment attempt; null if no attempt was declined, and once the top-up
    is paid. The customer can try again while the checkout session is open.
    """
    paid_at: str | None = None
    """
    When the top-up was paid; null before.
    """
    tax_amount: int | None = None
    """
    The tax in the charge, in minor units; null before the payment, and if no tax was agreed.
    """
    tax_behavior: str | None = None
    """
    `exclusive`: tax comes on top of `totalAmount`. `inclusive`: it contains it. null: no tax was agreed.
    """


@dataclass(frozen=True, kw_only=True)
class Statement:
    """
    An account's statement.
    """

    account_id: str
    as_of: str
    """
    The time of reading.
    """
    closing_credits: int
    """
    The balance after the last entry of this time.
    """
    data: list[StatementKind]
    """
    What moved in between, by kind of entry; together it is the closing less the opening.
    """
    opening_credits: int
    """
    The balance before the first entry of this time.
    """


@dataclass(frozen=True, kw_only=True)
class TopupDetails:
    """
    Everything that Topup has recorded about one top-up.
    """

    account_id: str
    bonus_credits: int
    """
    The credits given on top when it is paid. A share of them is taken back with the credits; `ledgerEntries` say
    how many.
    """
    created_at: str
    credit_unit_amount: int
    """
    The price of a unit, in minor units.
    """
    credit_unit_credits: int
    """
    The number of credits in a unit.
    """
    credits: int
    credits_amount: int
    currency: str
    """
    The currency of all amounts.
    """
    events: list[EventDetails]
    expires_at: str
    failed_events: list[FailedEventDetails]
    fee: FeeDetails
    fee_amount: int
    id: str
    ledger_entries: list[Transaction]
    payments: list[PaymentDetails]
    provider: str
    """
    The payment provider.
    """
    refund_requests: list[RefundRequestDetails]
    reversals: list[ReversalDetails]
    state: str
    """
    `creating`, `open`, `processing`, `paid`, `expired` or `failed`.
    """
    taken_credits: int
    """
    How many of these credits refunds and disputes have taken back.
    """
    total_amount: int
    """
    What the customer pays, in minor units, before tax that comes on top.
    """
    adopted_at: str | None = None
    """
    When the top-up was adopted from Stripe's data, for example after a restore; otherwise null.
    """
    adopted_by: str | None = None
    """
    Who adopted it.
    """
    credits_expire_at: str | None = None
    """
    When they end; null before the payment, and if they never end.
    """
    credits_expire_days: int | None = None
    """
    For how many days from the payment the credits are good; null if they never end.
    """
    decline_code: str | None = None
    """
    Stripe's decline code of the last declined payment attempt.
    """
    declined_at: str | None = None
    failure_code: str | None = None
    """
    Why the top-up failed.
    """
    paid_at: str | None = None
    session_id: str | None = None
    """
    The id of the checkout session; null if none is known.
    """
    tax_amount: int | None = None
    """
    The tax in the charge, in minor units; null before the payment, and if no tax was agreed.
    """
    tax_behavior: str | None = None
    """
    `exclusive`: tax comes on top of `totalAmount`. `inclusive`: it contains it. null: no tax was agreed.
    """


@dataclass(frozen=True, kw_only=True)
class Usage:
    """
    An account's usage.
    """

    as_of: str
    """
    The time of reading. Spends of the running hour are counted up to here.
    """
    data: list[UsageEntry]
    """
    Hours and days in their order, without those of no usage; operations and subjects with the most credits first.
    """
    has_more: bool
    """
    Whether there are more than these 1,000 operations or subjects.
    """


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """
    The result of one debit.
    """

    status: int
    """
    The status that a single debit would have got.
    """
    key: str | None = None
    """
    The debit's key; null if it has none that is text.
    """
    problem: Problem | None = None
    """
    Why not, if they were not.
    """
    spend: Spend | None = None
    """
    The spend, if the credits were taken.
    """


@dataclass(frozen=True, kw_only=True)
class BatchResults:
    """
    The results, in the order of the debits.
    """

    results: list[BatchResult]
