// Generated from openapi/openapi.json by `npm run generate`. Do not edit.

export interface paths {
    "/accounts/{accountId}/credits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the balance of an account.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. The balance of
         *     an account that never had credits is all zeros.
         */
        get: operations["getAccountBalance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says whether an account could spend.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. The answer
         *     promises nothing: reserve the credits with a hold if the work depends on them.
         */
        get: operations["getAccountAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/debits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes credits from an account.
         * @description Requires an API key with the scope `spend`. The credits are taken from the account's grants in burn order. A request
         *     repeated with the same key and body returns the first debit, with the header `Idempotent-Replayed: true`; a refusal
         *     is not stored, so the same key may succeed after a top-up. Name the work with the key, not the try.
         */
        post: operations["createDebit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the grants of an account, newest first.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
         */
        get: operations["listAccountGrants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the open holds of an account, those that end first before the others.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
         */
        get: operations["listHolds"];
        put?: never;
        /**
         * Reserves credits of an account.
         * @description Requires an API key with the scope `spend`. The credits stay in the account and cannot be spent otherwise until the
         *     hold is captured, released or ends. A request repeated with the same key and body returns the first hold.
         */
        post: operations["createHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the limits of an account.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
         */
        get: operations["listAccountLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/limits/{period}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a limit.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
         */
        get: operations["getAccountLimit"];
        /**
         * Sets a limit.
         * @description Requires an API key with the scope `spend`. What was spent in the running period and what open holds reserve count
         *     against it. The account need not have had credits before. A lower limit takes nothing back.
         */
        put: operations["setAccountLimit"];
        post?: never;
        /**
         * Removes a limit.
         * @description Requires an API key with the scope `spend`. Removing a limit that is not there changes nothing.
         */
        delete: operations["removeAccountLimit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/statement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the statement of an account.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. With
         *     `Accept: text/csv` the answer has every entry instead, oldest first.
         */
        get: operations["getAccountStatement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the ledger entries of an account, newest first.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. Pass the
         *     `nextCursor` of one page as the `cursor` of the next.
         */
        get: operations["listAccountTransactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/credits/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the usage of an account.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. A spend counts
         *     when it was made, and what was given back counts when it was given back.
         */
        get: operations["getAccountUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/accounts/{accountId}/entitlement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns what an account is entitled to.
         * @description One answer for everything that a backend gates on. Requires a customer's token for its own account, or an API key with
         *     the scope `read`.
         */
        get: operations["getEntitlement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns an account: its balance, and whether it is blocked.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        get: operations["getAccount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}/adjustments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the adjustments of an account, newest first.
         * @description Each entry says how many credits were granted or taken, by whom and why. Requires a token with the admin scope, or
         *     an API key with the scope `admin`. A key bound to one account can list only that account's adjustments.
         */
        get: operations["listAdjustments"];
        put?: never;
        /**
         * Grants credits to an account or takes them.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`. A key bound to one account can adjust
         *     only that account. An adjustment never takes a balance below zero; granted credits first fill a negative balance. A
         *     request repeated with the same key and body returns the first adjustment.
         */
        post: operations["createAdjustment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns when an account's balance is low.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        get: operations["getBalanceAlert"];
        /**
         * Sets an account's own threshold.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`. The account need not have had credits
         *     before. If its balance is low by the new threshold and was not before, `balance.low` is sent.
         */
        put: operations["setBalanceAlert"];
        post?: never;
        /**
         * Removes an account's own threshold, so that `LOW_BALANCE_CREDITS` counts again.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        delete: operations["removeBalanceAlert"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}/block": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Blocks an account: it begins nothing new.
         * @description Debits, holds and extensions get 403 `account_blocked`. Holds that are open can still be captured and released, and
         *     credits can still be bought and given. Blocking it again changes nothing. Requires a token with the admin scope, or
         *     an API key with the scope `admin`.
         */
        post: operations["blockAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}/currency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the currency in which an account buys when a purchase names none.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        get: operations["getAccountCurrency"];
        /**
         * Sets the currency in which an account buys when a purchase names none.
         * @description It changes no purchase that was made, and a purchase can still name another currency. The account need not have
         *     credits yet. Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        put: operations["setAccountCurrency"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives credits to an account.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`. The credits first fill a negative balance.
         *     A request repeated with the same key and body returns the first grant.
         */
        post: operations["createGrant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/accounts/{accountId}/unblock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets a blocked account spend again.
         * @description An account that is not blocked is left as it is. Requires a token with the admin scope, or an API key with the scope
         *     `admin`.
         */
        post: operations["unblockAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/adoptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Adopts paid top-ups that Topup has no record of, for example after a backup was restored.
         * @description Topup reads them from Stripe and credits each one once, even if the request is repeated, together with its refunds
         *     and disputes. A top-up that another installation on the same Stripe account sold is not adopted, unless `unverified`
         *     is `true`. Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one
         *     account.
         */
        post: operations["adoptPurchases"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the endpoints.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        get: operations["listEndpoints"];
        put?: never;
        /**
         * Creates an endpoint.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. It
         *     gets the messages about what happens from now on. The answer contains its secret, which is not shown again.
         */
        post: operations["createEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns an endpoint.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. Its
         *     secret is not shown again; rotate it if it is lost.
         */
        get: operations["getEndpoint"];
        put?: never;
        post?: never;
        /**
         * Deletes an endpoint.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. What
         *     waits for it is not delivered any more.
         */
        delete: operations["deleteEndpoint"];
        options?: never;
        head?: never;
        /**
         * Changes an endpoint.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. One
         *     that is activated again gets what waited for it; what it missed meanwhile can be resent.
         */
        patch: operations["changeEndpoint"];
        trace?: never;
    };
    "/admin/endpoints/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the deliveries to an endpoint, newest message first.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         *     Messages and their deliveries are kept for 90 days.
         */
        get: operations["listEndpointDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints/{id}/deliveries/{messageId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the delivery of a message to an endpoint: the message, and every attempt.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        get: operations["getEndpointDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints/{id}/deliveries/{messageId}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a message to an endpoint once more.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. It has
         *     the same id and body as before. One that still waits is tried now.
         */
        post: operations["resendMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints/{id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends the messages of a period to an endpoint once more, in their order.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        post: operations["resendMessages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replaces an endpoint's secret.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. For 24
         *     hours messages are signed with both secrets, so that receivers can change it without missing one.
         */
        post: operations["rotateEndpointSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/endpoints/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a test to an endpoint.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. The
         *     message has the type `endpoint.test` and goes to this endpoint alone, whatever its types.
         */
        post: operations["testEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/grants/{id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a grant early.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`. What is left of the grant is taken from
         *     the account, except what open holds reserve. Credits that were bought cannot be ended; refund the top-up instead.
         */
        post: operations["voidGrant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists all plans, also those that are not sold.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` for all accounts.
         */
        get: operations["listAllPlans"];
        /**
         * Applies plans: makes their products and prices at Stripe, and stores them.
         * @description Applying the same plans again changes nothing. A changed amount makes a new price, which new subscriptions get;
         *     running ones keep theirs. With `dryRun=true` it only says what would change. Requires a token with the admin scope, or
         *     an API key with the scope `admin` for all accounts.
         */
        put: operations["applyPlans"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/reconciliations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the latest reconciliations with Stripe, newest first, without their reports.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        get: operations["listReconciliations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/reconciliations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a reconciliation with Stripe and its report.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        get: operations["getReconciliation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists all subscriptions, newest first.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` for all accounts.
         */
        get: operations["listAllSubscriptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/topups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists top-ups, newest first.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`. A key bound to one account sees only
         *     that account's top-ups. `surplus=true` lists top-ups that were paid more than once; the surplus payment should be
         *     refunded.
         */
        get: operations["listTopups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/topups/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explains one top-up from Topup's own records.
         * @description Returns the agreed terms, the payments, refunds and disputes, the events received, and the ledger entries. Does not
         *     call Stripe; `POST …/check` does. Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        get: operations["getTopup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/topups/{id}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Checks the state of a top-up at Stripe and applies the result.
         * @description Use it when a customer has paid but the webhook has not arrived. If the id of the checkout session is not known,
         *     Topup searches Stripe's list of sessions. If the top-up is paid, Topup applies its refunds and disputes. The call is
         *     safe to repeat at any time: a top-up is never credited twice. Requires a token with the admin scope, or an API key
         *     with the scope `admin`.
         */
        post: operations["checkTopup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/topups/{id}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns where the customer's receipt of a paid top-up is.
         * @description Topup asks Stripe for it. A top-up that is not paid has no receipt (`not_found`). Requires a token with the admin
         *     scope, or an API key with the scope `admin`.
         */
        get: operations["getTopupReceipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/topups/{id}/refunds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refunds a top-up, or part of it, through Stripe and takes back the credits that the refunded money paid for.
         * @description Requires a token with the admin scope, or an API key with the scope `admin`. A key bound to one account can refund
         *     only that account's top-ups. Credits are taken back even if they were spent; the balance then falls below zero.
         *
         *     A request repeated with the same key and body returns the first refund, or continues it if it was interrupted; the
         *     money goes back once. The key belongs to the top-up, whichever credentials are used. `GET …/refunds/preview` shows
         *     what a refund would do.
         */
        post: operations["createRefund"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/topups/{id}/refunds/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows what a refund would do, without making it.
         * @description Returns the amount, the credits and the balance afterwards, or why the refund is not possible. Moves nothing and does
         *     not call Stripe. Requires a token with the admin scope, or an API key with the scope `admin`.
         */
        get: operations["previewRefund"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the events from Stripe that failed to be processed, newest first.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        get: operations["listFailedWebhookEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a failed event with its payload.
         * @description Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
         */
        get: operations["getFailedWebhookEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-events/{id}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Credits a top-up whose payment was rejected only because of its amount.
         * @description The charged amount without tax must be at least the agreed amount. Topup records who accepted the event and why. A
         *     repeated request returns the first result; nothing is credited twice. Requires a token with the admin scope, or an
         *     API key with the scope `admin` that is not bound to one account.
         */
        post: operations["acceptFailedWebhookEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-events/{id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Closes a failed event that will never have an effect.
         * @description Topup records the reason and who closed the event. No balance changes. Requires a token with the admin scope, or an
         *     API key with the scope `admin` that is not bound to one account.
         */
        post: operations["closeFailedWebhookEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/webhook-events/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Processes a failed event again, as if Stripe delivered it now.
         * @description The call is safe to repeat at any time: no event credits twice. Requires a token with the admin scope, or an API key
         *     with the scope `admin` that is not bound to one account.
         */
        post: operations["replayFailedWebhookEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auto-topup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns an account's auto top-up: its rules, its state, and the last attempts.
         * @description Requires a customer's token, or an API key with the scope `checkout`.
         */
        get: operations["getAutoTopup"];
        /**
         * Turns auto top-up on, with new rules and consent, or off.
         * @description Requires a customer's token, or an API key with the scope `checkout`. If fewer credits than the threshold are
         *     available already, the first charge follows at once. Turning it on again ends a pause.
         */
        put: operations["setAutoTopup"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auto-topup/recovery": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens the page on which the customer confirms a payment that the bank asked about: a checkout for the same credits.
         * @description Requires a customer's token, or an API key with the scope `checkout`. If such a page is open already, it is returned.
         */
        post: operations["createAutoTopupRecovery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the caller's balance.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account. The account is the
         *     token's subject, or the one that the key is bound to.
         */
        get: operations["getBalance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says whether the caller's account could spend.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account. The answer promises
         *     nothing: reserve the credits with a hold if the work depends on them.
         */
        get: operations["getAccess"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/debits/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes credits of up to 100 accounts.
         * @description Requires an API key with the scope `spend`. Each debit is decided by itself, as if it had been sent alone: there is
         *     no all-or-nothing, and a debit that fails does not stop the others. Debits have no order, except that of those with
         *     the same key the first one decides. The answer is 200 if the list could be read; each result has its own status.
         *     Repeat a batch whose answer was lost: debits that were made return their first result.
         */
        post: operations["createDebits"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/debits/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a debit or the spend of a captured hold, with the grants that its credits came from.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
         */
        get: operations["getDebit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/debits/{id}/refunds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives spent credits back.
         * @description Requires an API key with the scope `spend`. The credits go back to the grants that they came from, the last part
         *     first; credits of a grant that has ended stay good for seven days. They first fill a negative balance. A request
         *     repeated with the same key and body returns the first refund.
         */
        post: operations["refundDebit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the caller's grants, newest first.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account.
         */
        get: operations["listGrants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/holds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a hold.
         * @description Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
         */
        get: operations["getHold"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/holds/{id}/capture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Spends what a hold reserves: less, exactly that, or more.
         * @description Requires an API key with the scope `spend`. Up to the reserved number of credits it always succeeds; what exceeds it
         *     is taken only from what is available. The rest of the hold is freed. A hold that has ended can still be captured,
         *     from what is available. Repeated with the same number of credits, the request returns the same spend.
         */
        post: operations["captureHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/holds/{id}/extend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reserves more credits, or for longer.
         * @description Requires an API key with the scope `spend`. The request names new totals, so that repeating it changes nothing. 402
         *     or 409 leaves the hold as it was: stop the work and capture what was done.
         */
        post: operations["extendHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/holds/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Frees what a hold reserves.
         * @description Requires an API key with the scope `spend`. A hold that was released or has ended stays as it is.
         */
        post: operations["releaseHold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the limits of the caller's account.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account.
         */
        get: operations["listLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/limits/{period}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a limit of the caller's account.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account.
         */
        get: operations["getLimit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/quote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Quotes the price of a number of credits.
         * @description Returns the price of the credits, the fee line and the total, in minor units. Credits are sold in multiples of
         *     `creditUnitCredits`; another number is refused with the nearest ones (`not_a_multiple`). Without `credits` it quotes
         *     the smallest purchase, which tells a page what it can offer. Prices are in `currency`, one of those in the answer's
         *     `currencies`, or in the main one. With `cardCountry`, the fee is the one that an automatic top-up with a saved card of
         *     that country has; without it, that of a checkout, whose card is not known. Needs no credentials.
         */
        get: operations["getQuote"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens a checkout session for credits and returns the payment page.
         * @description Requires a customer's token, or an API key with the scope `checkout`. With an `Idempotency-Key`, the same request
         *     repeated within one day returns the first checkout session instead of opening a second one. The key belongs to the
         *     account, whichever credentials are used.
         */
        post: operations["createCheckout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the state of a top-up, for the page that the customer returns to.
         * @description Requires a customer's token, which shows that customer's top-ups only; a token with the admin scope; or an API key
         *     with the scope `read` or `checkout`.
         *
         *     If the webhook has not arrived yet, Topup asks Stripe, at most once per checkout session in five seconds, so that a
         *     returning customer sees the credits at once. If an account polls many sessions too often, the answer is what Topup
         *     has recorded.
         */
        get: operations["getCheckout"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/sessions/{id}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns where the customer's receipt of a paid top-up is.
         * @description Requires a customer's token, which shows that customer's receipts only; a token with the admin scope; or an API key
         *     with the scope `read` or `checkout`. Topup asks Stripe for it. A top-up that is not paid has no receipt (`not_found`).
         */
        get: operations["getReceipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/statement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the statement of the caller's account.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account. With
         *     `Accept: text/csv` the answer has every entry instead, oldest first.
         */
        get: operations["getStatement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the caller's ledger entries, newest first.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account. Pass the `nextCursor`
         *     of one page as the `cursor` of the next.
         */
        get: operations["listTransactions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/credits/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the usage of the caller's account.
         * @description Requires a customer's token, or an API key with the scope `read` that is bound to one account. A spend counts when
         *     it was made, and what was given back counts when it was given back.
         */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Checks that the process is running.
         * @description Checks nothing else: restarting the process does not repair a failed database. Needs no credentials.
         */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Checks that the service can handle requests: the database is reachable, migrated and writable.
         * @description Load balancers should send no requests to a process that is not ready. A test write runs at most once every few
         *     seconds, and immediately after a write has failed. Needs no credentials.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/payment-methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the saved cards of an account.
         * @description Requires a customer's token, or an API key with the scope `checkout`. Stripe is asked each time, because cards change
         *     there by themselves.
         */
        get: operations["listPaymentMethods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/payment-methods/default": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Makes a card the one that is charged where none is named.
         * @description Requires a customer's token, or an API key with the scope `checkout`. An auto top-up that is paused because there was
         *     no card goes on.
         */
        put: operations["setDefaultPaymentMethod"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/payment-methods/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens a page on which the customer saves a card without buying anything.
         * @description Requires a customer's token, or an API key with the scope `checkout`. The saved card becomes the default.
         */
        post: operations["createCardSetup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/payment-methods/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Removes a saved card for good.
         * @description Requires a customer's token, or an API key with the scope `checkout`. An auto top-up that names the card pauses.
         */
        delete: operations["removePaymentMethod"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the plans that are sold.
         * @description Needs no credentials. With a currency, only the plans and prices in it.
         */
        get: operations["listPlans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/portal/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens the payment provider's portal for the account's own customer.
         * @description Requires a customer's token, or an API key with the scope `checkout`. Nothing has to be set up in Stripe's dashboard.
         *     What the customer does there comes back by webhooks.
         */
        post: operations["createPortalSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the subscriptions of an account, also ended ones.
         * @description Requires a customer's token, which shows that customer's; or an API key with the scope `read`, which names the account
         *     unless it is bound to one.
         */
        get: operations["listSubscriptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens a checkout for a plan and returns the payment page.
         * @description Requires a customer's token, or an API key with the scope `checkout`. An account that has as many running
         *     subscriptions as `SUBSCRIPTIONS_MAX` allows is refused (`subscription_exists`): change its plan instead. With an
         *     `Idempotency-Key`, the same request repeated returns the first checkout session.
         */
        post: operations["createSubscriptionCheckout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns a subscription with its invoices and what its periods brought.
         * @description Requires a customer's token, or an API key with the scope `read`.
         */
        get: operations["getSubscription"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a subscription.
         * @description Requires a customer's token, or an API key with the scope `checkout`; to end it at once, a token with the admin scope
         *     or an API key with the scope `admin`. A change of the plan that waits for the end of the period is taken back.
         */
        post: operations["cancelSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{id}/change": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes the plan of a subscription.
         * @description A dearer plan with the same interval takes effect at once: the difference for the rest of the period is paid now, and if that fails nothing
         *     changes (`updatePending`, with the page to pay in `due`). Its credits come with the payment, less those that the period
         *     has brought. Any other plan takes effect with the next period; in a trial every change is at once. The present plan takes
         *     a change back that waits.
         *     Requires a customer's token, or an API key with the scope `checkout`.
         */
        post: operations["changeSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{id}/change/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says what a change of the plan would cost, and when it would take effect.
         * @description Requires a customer's token, or an API key with the scope `read`.
         */
        get: operations["previewSubscriptionChange"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/subscriptions/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets a subscription go on whose end was decided.
         * @description Requires a customer's token, or an API key with the scope `checkout`.
         */
        post: operations["resumeSubscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/stripe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receives an event from Stripe, signed with the endpoint's secret.
         * @description 200 means that the event was processed: its effect is recorded, or it will never have one. Any other status makes
         *     Stripe retry.
         */
        post: operations["receiveStripeEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Why the event is accepted. */
        AcceptWebhookEvent: {
            /**
             * @description The reason, for the record: 1 to 500 printable characters.
             * @example tax was switched on in the dashboard by mistake
             */
            reason: string;
        };
        /** @description An accepted event. */
        AcceptedWebhookEvent: {
            /** @example 2026-11-21T12:05:00Z */
            acceptedAt: string;
            /**
             * @description Who accepted it.
             * @example API key key_1 (back office)
             */
            acceptedBy: string;
            /**
             * Format: int64
             * @description The agreed amount, in minor units.
             * @example 289
             */
            agreedAmount: number;
            /**
             * Format: int64
             * @description The charged amount, in minor units.
             * @example 317
             */
            chargedAmount: number;
            /**
             * Format: int64
             * @description The number of credits in the top-up.
             * @example 250
             */
            credits: number;
            /**
             * @description The provider's id of the event.
             * @example evt_1a2b3c
             */
            eventId: string;
            /**
             * @description `credited`; or, if there was nothing to credit: `already_paid`, `surplus_payment` or `duplicate`.
             * @example credited
             */
            outcome: string;
            /**
             * @description Why it was accepted.
             * @example tax was switched on in the dashboard by mistake
             */
            reason: string;
            /**
             * Format: int64
             * @description The part of the charged amount that is tax, in minor units.
             * @example 28
             */
            taxAmount: number;
            /**
             * @description The id of the top-up.
             * @example topup_019a0000000070008000000000000000
             */
            topupId: string;
        };
        /** @description Whether an account could spend. */
        Access: {
            /**
             * @description Whether a debit of so many credits would succeed now.
             * @example true
             */
            allowed: boolean;
            /**
             * Format: int64
             * @description Credits that can be spent or reserved now.
             * @example 200
             */
            availableCredits: number;
            /**
             * @description The code of the problem that a debit would get: `spend_limit_reached`, `insufficient_credits`, `credits_held` or
             *     `account_blocked`; null if it would succeed.
             * @example insufficient_credits
             */
            code?: string | null;
            /**
             * Format: int64
             * @description Credits that open holds reserve.
             * @example 50
             */
            heldCredits: number;
            /** @description The limits that the debit would meet: the account's and the subject's. */
            limits: components["schemas"]["Limit"][];
        };
        /** @description An account's credits after a request. */
        AccountBalance: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description Credits that can be spent or reserved now: `remainingCredits` minus `heldCredits`, at least 0.
             * @example 200
             */
            availableCredits: number;
            /**
             * Format: int64
             * @description Credits that open holds reserve.
             * @example 50
             */
            heldCredits: number;
            /**
             * Format: int64
             * @description How far the balance is below zero; otherwise 0.
             * @example 0
             */
            owedCredits: number;
            /**
             * Format: int64
             * @description The sum of all ledger entries. Negative if credits were taken back after they had been spent.
             * @example 250
             */
            remainingCredits: number;
        };
        /** @description The currency of an account's purchases. */
        AccountCurrency: {
            /** @example user_1 */
            accountId: string;
            /**
             * @description The currency of a purchase that names none.
             * @example eur
             */
            currency: string;
        };
        /** @description An account, and whether it may spend. */
        AccountDetails: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description Credits that could be spent or reserved now if it is not blocked.
             * @example 200
             */
            availableCredits: number;
            /**
             * @description When.
             * @example 2026-11-21T12:01:00Z
             */
            blockChangedAt?: string | null;
            /**
             * @description Who did so: an API key with its name, or a token's subject.
             * @example API key key_019a0000000070008000000000000000 (back office)
             */
            blockChangedBy?: string | null;
            /**
             * @description Why it was blocked or unblocked the last time; null if it never was.
             * @example Its key was stolen
             */
            blockReason?: string | null;
            /**
             * @description Whether an operator has blocked it.
             * @example true
             */
            blocked: boolean;
            /**
             * Format: int64
             * @description Credits that open holds reserve.
             * @example 50
             */
            heldCredits: number;
            /**
             * Format: int64
             * @description How far the balance is below zero; otherwise 0.
             * @example 0
             */
            owedCredits: number;
            /**
             * Format: int64
             * @description Its balance.
             * @example 250
             */
            remainingCredits: number;
        };
        /** @description A page on which the customer confirms a payment. */
        Action: {
            /** @example 2026-11-30T13:00:00Z */
            expiresAt: string;
            /** @example https://checkout.stripe.com/c/pay/cs_test_a1b2c3 */
            url: string;
        };
        /** @description Credits that an operator granted or took. */
        Adjustment: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description The balance of the account after the adjustment.
             * @example 200
             */
            balanceAfter: number;
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The number of credits; negative if they were taken.
             * @example -50
             */
            credits: number;
            /**
             * @description The id of the adjustment, which is also the `source` of its ledger entry.
             * @example adjustment_019a0000000070008000000000000000
             */
            id: string;
            /**
             * @description Who made the adjustment: an API key with its name, or a token's subject.
             * @example API key key_019a0000000070008000000000000000 (back office)
             */
            madeBy: string;
            /** @example Goodwill for the outage of 21 November */
            reason: string;
        };
        /** @description A page of adjustments, newest first. */
        Adjustments: {
            data: components["schemas"]["Adjustment"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 1795262400000_adjustment_019a0000000070008000000000000000
             */
            nextCursor?: string | null;
        };
        /** @description The result for one checkout session. */
        AdoptionResult: {
            /** @example user_1 */
            accountId?: string | null;
            /**
             * Format: int64
             * @description The amount paid, in minor units.
             * @example 289
             */
            amount?: number | null;
            /**
             * Format: int64
             * @description The balance of the account afterwards, if this request adopted the top-up; otherwise null.
             * @example 250
             */
            balanceAfter?: number | null;
            /**
             * Format: int64
             * @example 250
             */
            credits?: number | null;
            /**
             * @description The outcome in words.
             * @example sold by this installation
             */
            detail: string;
            /**
             * @description `adopted`, `already_here` (Topup already has it) or `adoptable` (dry run). If it cannot be adopted, the reason:
             *     `unverified` (no proof that this installation sold it), `does_not_fit` (what was sold and what was paid do not
             *     match), `not_paid`, `unknown_at_provider`, `belongs_to_another` (the session or the payment belongs to another
             *     top-up) or `not_asked` (Stripe could not be asked).
             * @example adopted
             */
            outcome: string;
            /** @example cs_test_a1b2c3 */
            sessionId: string;
            /**
             * @description The id of the top-up. Null, like the fields below, if it cannot be adopted.
             * @example topup_019a0000000070008000000000000000
             */
            topupId?: string | null;
        };
        /** @description The result for each checkout session, in the order of the request. */
        Adoptions: {
            data: components["schemas"]["AdoptionResult"][];
        };
        /** @description A page of subscriptions, newest first. */
        AllSubscriptions: {
            data: components["schemas"]["Subscription"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 1795262400000_sub_1Qw2e3R4t5Y6u7I8
             */
            nextCursor?: string | null;
        };
        /** @description What applying changed, or would change. */
        AppliedPlans: {
            /** @description The changes; empty if everything is as it should be. */
            changes: components["schemas"]["Change"][];
            /** @description All plans afterwards. */
            data: components["schemas"]["Plan"][];
            /**
             * @description Whether nothing was changed.
             * @example false
             */
            dryRun: boolean;
        };
        /** @description Plans to apply. Plans that are stored and not among these stay as they are; set `active` to false to stop selling one. */
        ApplyPlans: {
            /**
             * @description 1 to 200 plans, with the fields of `plans.toml`: `id`, `name`, `interval`, `intervalCount`, `creditsPerPeriod`,
             *     `rollover` (`expire`, `keep` or `{"cap": n}`), `trialDays`, `trialCredits`, `active`, and `amount` with the price of
             *     a period in minor units for each currency.
             * @example [
             *       {
             *         "amount": {
             *           "usd": 2000
             *         },
             *         "creditsPerPeriod": 10000,
             *         "id": "pro",
             *         "interval": "month",
             *         "name": "Pro"
             *       }
             *     ]
             */
            plans: Record<string, never>[];
        };
        /** @description An account's auto top-up. */
        AutoTopup: {
            /** @example user_1 */
            accountId: string;
            action?: components["schemas"]["Action"] | null;
            /** @description The last ten, newest first. */
            attempts: components["schemas"]["AutoTopupAttempt"][];
            /**
             * Format: int64
             * @description What they took this month (UTC), in minor units.
             * @example 1061
             */
            chargedThisMonthMinor: number;
            /**
             * Format: int64
             * @description How many charges were made today (UTC), or may have been.
             * @example 1
             */
            chargesToday: number;
            /**
             * @description The currency of all amounts.
             * @example usd
             */
            currency: string;
            reason?: components["schemas"]["Reason"] | null;
            /**
             * @description When the pause ends by itself; null if it does not.
             * @example 2026-12-01T00:00:00Z
             */
            resumesAt?: string | null;
            rules?: components["schemas"]["StoredRules"] | null;
            state: components["schemas"]["State"];
        };
        /** @description A charge of a saved card. */
        AutoTopupAttempt: {
            /**
             * Format: int64
             * @example 0
             */
            bonusCredits: number;
            /** @example visa */
            cardBrand: string;
            /** @example 4242 */
            cardLast4: string;
            /**
             * @description Why it was declined or refused: Stripe's code; null otherwise. A card that was reported stolen or lost shows as
             *     `generic_decline`.
             * @example insufficient_funds
             */
            code?: string | null;
            /**
             * Format: int64
             * @example 1000
             */
            credits: number;
            /**
             * @description When the credits ran low.
             * @example 2026-11-30T12:00:00Z
             */
            crossedAt: string;
            /** @example usd */
            currency: string;
            /** @example 2026-11-30T12:00:01Z */
            endedAt?: string | null;
            /**
             * @description `running`, `paid`, `declined` or `refused`. More may be added.
             * @example paid
             */
            outcome: string;
            /** @example 2026-11-30T12:00:00Z */
            startedAt: string;
            /**
             * @description The id of the top-up.
             * @example topup_019a0000000070008000000000000000
             */
            topupId: string;
            /**
             * Format: int64
             * @description The charge, in minor units.
             * @example 1061
             */
            totalAmount: number;
        };
        /** @description The balance of the account after the refund. */
        BalanceAfter: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description How far the balance is below zero; otherwise 0.
             * @example 0
             */
            owedCredits: number;
            /**
             * Format: int64
             * @description The credits that can be spent. Negative if credits were taken back after they had been spent.
             * @example 150
             */
            remainingCredits: number;
        };
        /** @description When an account's balance is low. */
        BalanceAlert: {
            /** @example user_1 */
            accountId: string;
            /**
             * @description Whether `balance.low` was sent last, and not `balance.recovered`.
             * @example false
             */
            isLow: boolean;
            /**
             * @description Whether that is the account's own threshold, and not `LOW_BALANCE_CREDITS`.
             * @example true
             */
            isOwn: boolean;
            /**
             * Format: int64
             * @description It is low when fewer credits are available; null: never.
             * @example 1000
             */
            lowCredits?: number | null;
        };
        /** @description A debit of a batch. */
        BatchItem: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description As in a single debit.
             * @example 12
             */
            credits: number;
            /**
             * @description The idempotency key: 1 to 255 printable ASCII characters that name the work.
             * @example request_5f7c8ec7
             */
            key: string;
            /**
             * @description As in a single debit.
             * @example {
             *       "model": "large"
             *     }
             */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description As in a single debit.
             * @example 1
             */
            minimumCredits?: number | null;
            /** @description As in a single debit. */
            onShortfall?: components["schemas"]["OnShortfall"];
            /**
             * @description As in a single debit.
             * @example chat.completion
             */
            operation?: string | null;
            /**
             * @description As in a single debit.
             * @example member_7
             */
            subject?: string | null;
        };
        /** @description The result of one debit. */
        BatchResult: {
            /**
             * @description The debit's key; null if it has none that is text.
             * @example request_5f7c8ec7
             */
            key?: string | null;
            /** @description Why not, if they were not. */
            problem?: components["schemas"]["Problem"];
            /** @description The spend, if the credits were taken. */
            spend?: components["schemas"]["Spend"];
            /**
             * Format: int32
             * @description The status that a single debit would have got.
             * @example 200
             */
            status: number;
        };
        /** @description The results, in the order of the debits. */
        BatchResults: {
            results: components["schemas"]["BatchResult"][];
        };
        /** @description Why an account is blocked or unblocked. */
        BlockReason: {
            /**
             * @description The reason, for the record: 1 to 500 printable characters.
             * @example Its key was stolen
             */
            reason: string;
        };
        /** @description When a subscription ends. */
        CancelSubscription: {
            /**
             * @description `period_end`: with the period that is paid. `now`: at once, which needs the admin scope; nothing is refunded.
             * @example period_end
             */
            at: string;
        };
        /** @description What the work came to. */
        CaptureHold: {
            /**
             * Format: int64
             * @description The credits to take; 0 frees the hold and records that the work cost nothing.
             * @example 42
             */
            credits: number;
            /**
             * @description Replaces the hold's metadata: at most 16 texts, 2 KiB as JSON.
             * @example {
             *       "tokens": "1843"
             *     }
             */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description What to do when this is more than the hold reserves and the account has available: `cap` (the default) takes
             *     what there is, `reject` takes nothing and leaves the hold as it is.
             */
            onShortfall?: components["schemas"]["OnShortfall"];
        };
        /** @description A change of a plan. */
        Change: {
            /**
             * @description What changes, in words.
             * @example creditsPerPeriod 10000 -> 12000
             */
            change: string;
            /** @example pro */
            planId: string;
        };
        /** @description What to change of an endpoint. What is not named stays. */
        ChangeEndpoint: {
            /**
             * @description At most 200 characters.
             * @example The shop's backend
             */
            description?: string | null;
            state?: components["schemas"]["WantedState"] | null;
            /**
             * @description The types of messages; an empty list for all.
             * @example [
             *       "topup.paid",
             *       "balance.low"
             *     ]
             */
            types?: string[] | null;
            /**
             * @description An https URL. http is only for the networks in `WEBHOOK_ALLOWED_NETWORKS`.
             * @example https://app.example.com/webhooks/topup
             */
            url?: string | null;
        };
        /** @description The plan to change to. */
        ChangePlan: {
            /** @example pro */
            planId: string;
            /**
             * @description The `prorationDate` of a preview, so that what is charged is what was shown.
             * @example 2026-11-21T12:01:00Z
             */
            prorationDate?: string | null;
        };
        /** @description What a change of the plan would cost. */
        ChangePreview: {
            /**
             * Format: int64
             * @description What is paid now, in minor units; negative if money is kept for later invoices.
             * @example 1045
             */
            amountDue: number;
            /** @example usd */
            currency: string;
            /** @example 2026-11-21T12:01:00Z */
            effectiveAt: string;
            /**
             * Format: int64
             * @description What a period costs from then on, with the fee line.
             * @example 2091
             */
            periodAmount: number;
            /** @example pro */
            planId: string;
            /**
             * @description Send it with the change, so that the amount stays; null if nothing is paid now.
             * @example 2026-11-21T12:01:00Z
             */
            prorationDate?: string | null;
            /**
             * @description `now`, or `period_end`: a plan that costs less, or has another interval, takes effect with the next period.
             * @example now
             */
            takesEffect: string;
        };
        /** @description Why the failed event is closed. */
        CloseWebhookEvent: {
            /**
             * @description The reason, for the record: 1 to 500 printable characters.
             * @example refunded in the dashboard
             */
            reason?: string | null;
        };
        /** @description How many credits to grant or take, and why. */
        CreateAdjustment: {
            /**
             * @description `true` permits an account that never had credits. Otherwise such an account returns 404 `unknown_account`, so
             *     that a mistyped account id does not credit a stranger.
             * @example false
             */
            create?: boolean | null;
            /**
             * Format: int64
             * @description The number of credits: positive to grant, negative to take; not 0, and at most 1,000,000,000 units of
             *     `CREDIT_UNIT_CREDITS` either way.
             * @example -50
             */
            credits: number;
            /**
             * @description The reason, for the record: 1 to 500 printable characters.
             * @example Goodwill for the outage of 21 November
             */
            reason: string;
        };
        /** @description Which top-ups to adopt. */
        CreateAdoption: {
            /**
             * @description `true` only shows what would be done and writes nothing.
             * @example true
             */
            dryRun?: boolean | null;
            /**
             * @description The ids of 1 to 20 checkout sessions, as listed under `unknownHere` in the report of a reconciliation.
             * @example [
             *       "cs_test_a1b2c3"
             *     ]
             */
            sessionIds: string[];
            /**
             * @description `true` also adopts a top-up without proof that this installation sold it, if it cost what it would cost today.
             *     Allowed only with a single id.
             * @example false
             */
            unverified?: boolean | null;
        };
        /** @description Where the customer goes after the page. */
        CreateCardSetup: {
            /**
             * @description The account. Defaults to the token's subject, or to the account that the API key is bound to.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * @description Where the customer goes after leaving the page without saving a card.
             * @example https://app.example.com/billing?cancelled=1
             */
            cancelUrl?: string | null;
            /**
             * @description Where the customer goes after saving the card: an absolute URL on one of the `ALLOWED_ORIGINS`.
             * @example https://app.example.com/billing
             */
            successUrl: string;
        };
        /** @description How many credits to take, and for what. */
        CreateDebit: {
            /**
             * Format: int64
             * @description The number of credits, 1 to 9,007,199,254,740,991.
             * @example 12
             */
            credits: number;
            /**
             * @description Data of your own: at most 16 texts, 2 KiB as JSON. The customer can read it.
             * @example {
             *       "model": "large"
             *     }
             */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description With `cap`: the fewest credits to take; with fewer, nothing is taken. Default 0.
             * @example 1
             */
            minimumCredits?: number | null;
            /** @description What to do when the account has fewer: `reject` (the default) takes nothing, `cap` takes what there is. */
            onShortfall?: components["schemas"]["OnShortfall"];
            /**
             * @description The kind of work, such as `chat.completion`: 1 to 64 of a-z, 0-9, `_`, `.` and `-`.
             * @example chat.completion
             */
            operation?: string | null;
            /**
             * @description A part of the account, such as a member or a key of the customer: 1 to 200 printable characters.
             * @example member_7
             */
            subject?: string | null;
        };
        /** @description Where to send which messages. */
        CreateEndpoint: {
            /**
             * @description At most 200 characters.
             * @example The shop's backend
             */
            description?: string | null;
            /**
             * @description The types of messages; none, or an empty list, for all.
             * @example [
             *       "topup.paid",
             *       "balance.low"
             *     ]
             */
            types?: string[] | null;
            /**
             * @description An https URL. http is only for the networks in `WEBHOOK_ALLOWED_NETWORKS`.
             * @example https://app.example.com/webhooks/topup
             */
            url: string;
        };
        /** @description How many credits to give, for how long, and why. */
        CreateGrant: {
            /** @description `promotional` (the default), or `paid` for credits that were paid for elsewhere. */
            category?: components["schemas"]["GrantCategory"];
            /**
             * @description `true` permits an account that never had credits. Otherwise such an account returns 404 `unknown_account`.
             * @example false
             */
            create?: boolean | null;
            /**
             * Format: int64
             * @description The number of credits: at least 1, and at most 1,000,000,000 units of `CREDIT_UNIT_CREDITS`.
             * @example 100
             */
            credits: number;
            /**
             * @description When what is left of them ends, in the future; by default never.
             * @example 2027-01-01T00:00:00Z
             */
            expiresAt?: string | null;
            /**
             * Format: int64
             * @description 0 to 100; lower numbers are spent first. Default 50.
             * @example 50
             */
            priority?: number | null;
            /**
             * @description The reason, which the customer can see: 1 to 500 printable characters.
             * @example Welcome
             */
            reason: string;
        };
        /** @description How many credits to reserve, for how long, and for what. */
        CreateHold: {
            /**
             * Format: int64
             * @description The number of credits, 1 to 9,007,199,254,740,991.
             * @example 50
             */
            credits: number;
            /**
             * Format: int64
             * @description After how many seconds it ends by itself, 1 to 86,400; default 900.
             * @example 900
             */
            expiresInSeconds?: number | null;
            /**
             * @description Data of your own: at most 16 texts, 2 KiB as JSON. The customer can read it.
             * @example {
             *       "model": "large"
             *     }
             */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description The fewest credits that are of use: with fewer available than `credits`, what there is is reserved. Default
             *     `credits`.
             * @example 10
             */
            minimumCredits?: number | null;
            /**
             * @description The kind of work, such as `chat.completion`: 1 to 64 of a-z, 0-9, `_`, `.` and `-`.
             * @example chat.completion
             */
            operation?: string | null;
            /**
             * @description A part of the account, such as a member or a key of the customer: 1 to 200 printable characters.
             * @example member_7
             */
            subject?: string | null;
        };
        /** @description Where the customer goes afterwards, and what to do there. */
        CreatePortalSession: {
            /**
             * @description The account. Defaults to the token's subject, or to the account that the API key is bound to.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * @description `payment_method_update`, `subscription_cancel` or `subscription_update`; without it the portal's home page.
             * @example payment_method_update
             */
            flow?: string | null;
            /**
             * @description Where the customer goes afterwards: an absolute URL on one of the `ALLOWED_ORIGINS`.
             * @example https://app.example.com/plan
             */
            returnUrl: string;
        };
        /** @description Where the customer goes after the page. */
        CreateRecovery: {
            /**
             * @description The account. Defaults to the token's subject, or to the account that the API key is bound to.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * @description Where the customer goes after leaving the page without paying.
             * @example https://app.example.com/billing?cancelled=1
             */
            cancelUrl?: string | null;
            /**
             * @description Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`.
             * @example https://app.example.com/billing
             */
            successUrl: string;
        };
        /**
         * @description What to refund: one of `credits`, `amount` and `unspent`. Without them, everything that is left is refunded, including
         *     the fee line.
         */
        CreateRefund: {
            /**
             * Format: int64
             * @description Refund this amount, in minor units. It takes back the credits that it paid for; the fee line is refunded last.
             * @example 100
             */
            amount?: number | null;
            /**
             * Format: int64
             * @description Refund this many credits, at the price paid for them, which must be a whole amount unless these are all that are
             *     left. The fee line is not included, not even with the last credits; to refund it as well, omit `credits` and
             *     `amount`.
             * @example 100
             */
            credits?: number | null;
            /**
             * @description A surplus payment of the top-up, whose refund takes no credits. Defaults to the payment that was credited.
             * @example pi_3a1b2c3
             */
            paymentId?: string | null;
            /**
             * @description Stripe's reason for the refund: `requested_by_customer` (default), `duplicate` or `fraudulent`.
             * @example requested_by_customer
             */
            reason?: string | null;
            /**
             * @description `true`: refund the price of what remains unspent of this top-up's credits, without the fee line. That is the
             *     largest amount that takes no other credits.
             * @example true
             */
            unspent?: boolean | null;
        };
        /** @description What to buy, and where Stripe sends the customer afterwards. */
        CreateSession: {
            /**
             * @description The account that receives the credits. Defaults to the token's subject, or to the account that the API key is
             *     bound to; required for an API key that is not bound to an account.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * @description Where the customer goes after leaving the payment page without paying: an absolute URL on one of the
             *     `ALLOWED_ORIGINS`.
             * @example https://app.example.com/credits?cancelled=1
             */
            cancelUrl?: string | null;
            /**
             * Format: int64
             * @description The number of credits to buy, an integer: a multiple of the quote's `creditUnitCredits`.
             * @example 250
             */
            credits: number;
            /**
             * @description The currency to pay in: one that credits are sold in, in lower case. Defaults to the account's.
             * @example usd
             */
            currency?: string | null;
            /**
             * @description Whether the customer's card is saved, so that it can be charged later without the customer (`PUT /auto-topup`).
             *     Requires `SAVED_CARDS=on`. Defaults to false. Stripe's page says that the card is saved.
             * @example false
             */
            saveCard?: boolean | null;
            /**
             * @description Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`. Stripe replaces
             *     `{CHECKOUT_SESSION_ID}` with the id of the checkout session.
             * @example https://app.example.com/credits?session_id={CHECKOUT_SESSION_ID}
             */
            successUrl: string;
        };
        /** @description How many credits to give back, and why. */
        CreateSpendRefund: {
            /**
             * Format: int64
             * @description The number of credits; by default all that were not given back yet.
             * @example 5
             */
            credits?: number | null;
            /**
             * @description The reason, for the record: 1 to 500 printable characters.
             * @example The image was not usable
             */
            reason?: string | null;
        };
        /** @description What to subscribe to, and where Stripe sends the customer afterwards. */
        CreateSubscriptionSession: {
            /**
             * @description The account that subscribes. Defaults to the token's subject, or to the account that the API key is bound to.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * @description Where the customer goes after leaving the payment page: an absolute URL on one of the `ALLOWED_ORIGINS`.
             * @example https://app.example.com/plan?cancelled=1
             */
            cancelUrl?: string | null;
            /**
             * @description The plan.
             * @example pro
             */
            planId: string;
            /**
             * @description Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`.
             * @example https://app.example.com/plan?session_id={CHECKOUT_SESSION_ID}
             */
            successUrl: string;
        };
        /** @description An open checkout session. */
        CreatedSession: {
            /**
             * @description When the checkout session expires.
             * @example 2026-11-21T13:00:00Z
             */
            expiresAt: string;
            /**
             * @description The id of the checkout session.
             * @example cs_test_a1b2c3
             */
            id: string;
            /**
             * @description The payment page. Send the customer there.
             * @example https://checkout.stripe.com/c/pay/cs_test_a1b2c3
             */
            url: string;
        };
        /** @description The balance of an account. */
        Credits: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description Credits that can be spent or reserved now: `remainingCredits` minus `heldCredits`, at least 0.
             * @example 250
             */
            availableCredits: number;
            /**
             * Format: int32
             * @description How many digits of a number of credits people should read as decimals: with 2, show 250 as 2.50.
             * @example 0
             */
            creditDisplayDecimals: number;
            /**
             * Format: int64
             * @description Credits that open holds reserve.
             * @example 0
             */
            heldCredits: number;
            nextExpiry?: components["schemas"]["NextExpiry"] | null;
            /**
             * Format: int64
             * @description How far the balance is below zero, because credits were taken back after they had been spent; otherwise 0. Later
             *     top-ups fill this gap first.
             * @example 0
             */
            owedCredits: number;
            /**
             * Format: int64
             * @description The balance: `totalCredits` minus `usedCredits`. Negative if credits were taken back after they had been spent.
             * @example 250
             */
            remainingCredits: number;
            /**
             * Format: int64
             * @description Credits granted, minus credits taken back or expired.
             * @example 250
             */
            totalCredits: number;
            /**
             * @description The time of the latest ledger entry; null if there is none.
             * @example 2026-11-21T12:01:00Z
             */
            updatedAt?: string | null;
            /**
             * Format: int64
             * @description Credits spent.
             * @example 0
             */
            usedCredits: number;
        };
        /** @description Debits, each with a key of its own. */
        DebitBatch: {
            /** @description 1 to 100 debits. Each is read by itself, so that one that is malformed does not stop the others. */
            items: components["schemas"]["BatchItem"][];
        };
        /** @description An invoice that is not paid. */
        Due: {
            /**
             * @description Whether the customer has to confirm the payment.
             * @example false
             */
            actionRequired: boolean;
            /**
             * Format: int64
             * @description In minor units.
             * @example 2091
             */
            amount: number;
            /**
             * Format: int64
             * @description How often it was tried.
             * @example 1
             */
            attempt: number;
            /** @example usd */
            currency: string;
            /** @example in_1Qw2e3R4t5Y6u7I8 */
            invoiceId: string;
            /**
             * @description When it is tried next; null if it is not.
             * @example 2026-12-24T12:01:00Z
             */
            nextAttemptAt?: string | null;
            /**
             * @description The page on which the customer can pay it.
             * @example https://invoice.stripe.com/i/acct_1/test_1
             */
            payUrl?: string | null;
        };
        /** @description An address that messages are sent to. */
        Endpoint: {
            /** @example 2026-11-21T12:00:00Z */
            createdAt: string;
            /** @example The shop's backend */
            description: string;
            /**
             * @description Why it is disabled: `operator`, `failing` (nothing but failures for five days) or `gone` (it answered 410).
             * @example null
             */
            disabledReason?: string | null;
            /**
             * @description When the failures began that no success has followed; null if the last attempt succeeded.
             * @example null
             */
            failingSince?: string | null;
            /** @example endpoint_019a0000000070008000000000000000 */
            id: string;
            /**
             * @description Until when the secret before the last rotation signs as well; null if it does not.
             * @example null
             */
            oldSecretUntil?: string | null;
            /**
             * @description `active`, or `disabled`: it gets no messages, and those that wait for it are kept.
             * @example active
             */
            state: string;
            /**
             * @description The types of messages that it gets; empty for all.
             * @example [
             *       "topup.paid",
             *       "balance.low"
             *     ]
             */
            types: string[];
            /** @example 2026-11-21T12:00:00Z */
            updatedAt: string;
            /** @example https://app.example.com/webhooks/topup */
            url: string;
        };
        /** @description An attempt to deliver a message. */
        EndpointAttempt: {
            /**
             * Format: int64
             * @description Counted from 1.
             * @example 1
             */
            attempt: number;
            /** @example 2026-11-21T12:00:01Z */
            attemptedAt: string;
            /**
             * @description What was wrong.
             * @example null
             */
            error?: string | null;
            /**
             * Format: int64
             * @description How long it took.
             * @example 42
             */
            milliseconds: number;
            /**
             * Format: int64
             * @description The HTTP status of the answer; null if there was none.
             * @example 200
             */
            status?: number | null;
        };
        /** @description A page of deliveries, newest message first. */
        EndpointDeliveries: {
            data: components["schemas"]["EndpointDelivery"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 41
             */
            nextCursor?: string | null;
        };
        /** @description A delivery of a message to an endpoint. */
        EndpointDelivery: {
            /**
             * @description Null if the message is about no account.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * Format: int64
             * @description How many attempts were made.
             * @example 1
             */
            attempts: number;
            /**
             * @description When the message was written.
             * @example 2026-11-21T12:00:00Z
             */
            createdAt: string;
            /** @example 2026-11-21T12:00:01Z */
            lastAttemptAt?: string | null;
            /**
             * @description What was wrong with the last attempt.
             * @example null
             */
            lastError?: string | null;
            /**
             * Format: int64
             * @description The HTTP status of the last answer; null if there was none.
             * @example 200
             */
            lastStatus?: number | null;
            /**
             * @description The message's id, which is sent as `webhook-id`.
             * @example msg_topup_paid_019a0000000070008000000000000000
             */
            messageId: string;
            /**
             * @description When its account's next attempt at this endpoint is due. Messages of an account go out one after the other. Null
             *     unless it waits.
             * @example null
             */
            nextAttemptAt?: string | null;
            /**
             * @description `waiting`, `done`, or `failed`: it is not tried any more.
             * @example done
             */
            state: string;
            /** @example topup.paid */
            type: string;
        };
        /** @description A delivery with its message and its attempts. */
        EndpointDeliveryDetails: components["schemas"]["EndpointDelivery"] & {
            /** @description The last 50 attempts, newest first. */
            attemptList: components["schemas"]["EndpointAttempt"][];
            /** @description The message as it is sent. */
            payload: Record<string, never>;
        };
        /** @description A test that is on its way. */
        EndpointTest: {
            /**
             * @description The message's id; see the endpoint's deliveries for what becomes of it.
             * @example msg_endpoint_test_019a0000000070008000000000000000
             */
            messageId: string;
        };
        /** @description An endpoint and its secret, which is shown this once. */
        EndpointWithSecret: components["schemas"]["Endpoint"] & {
            /**
             * @description The secret that verifies messages, for a Standard Webhooks library.
             * @example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=
             */
            secret: string;
        };
        /** @description All endpoints, oldest first. */
        Endpoints: {
            /** @description There are at most 20. */
            data: components["schemas"]["Endpoint"][];
        };
        /** @description The plan of an entitlement. */
        EntitledPlan: {
            /** @example pro */
            id: string;
            /** @example Pro */
            name?: string | null;
        };
        /** @description What an account is entitled to. */
        Entitlement: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description The credits that can be spent now, whatever they came from.
             * @example 9500
             */
            availableCredits: number;
            /**
             * @description When the subscription ends, if that is decided.
             * @example 2026-12-21T12:01:00Z
             */
            cancelAt?: string | null;
            /**
             * @description Whether a subscription entitles the account to its plan now: it runs, or its renewal is not paid and its grace is
             *     not over.
             * @example true
             */
            entitled: boolean;
            /**
             * @description While the renewal is not paid: until when it entitles all the same (`PAST_DUE_GRACE_DAYS`).
             * @example 2026-12-24T12:01:00Z
             */
            graceUntil?: string | null;
            /**
             * @description When the period ends.
             * @example 2026-12-21T12:01:00Z
             */
            periodEnd?: string | null;
            plan?: components["schemas"]["EntitledPlan"] | null;
            /**
             * @description The status of the subscription.
             * @example active
             */
            status?: string | null;
            /** @example sub_1Qw2e3R4t5Y6u7I8 */
            subscriptionId?: string | null;
        };
        /** @description An event from Stripe that was processed. */
        EventDetails: {
            /** @example evt_1a2b3c */
            id: string;
            /**
             * @description The outcome, as a code.
             * @example credited
             */
            outcome: string;
            /** @example 2026-11-21T12:01:00Z */
            receivedAt: string;
            /** @example checkout.session.completed */
            type: string;
        };
        /** @description The new totals of a hold. */
        ExtendHold: {
            /**
             * Format: int64
             * @description The new total of reserved credits. A total below the present one changes nothing, so that a repeated or late
             *     request does no harm.
             * @example 80
             */
            credits?: number | null;
            /**
             * Format: int64
             * @description After how many seconds from now it ends, 1 to 604,800; at most seven days after the hold was made. An earlier
             *     end than the present one changes nothing.
             * @example 900
             */
            expiresInSeconds?: number | null;
        };
        /** @description A failed event that names the top-up or one of its payments. It is listed only while its payload is stored. */
        FailedEventDetails: {
            /**
             * Format: int64
             * @example 1
             */
            attempts: number;
            /** @example amount_total is 288, agreed was 289 */
            error: string;
            /** @example evt_1a2b3c */
            id: string;
            /**
             * @description `permanent` or `transient`; see `FailedWebhookEvent`.
             * @example permanent
             */
            kind: string;
            /** @example 2026-11-21T12:01:00Z */
            lastFailedAt: string;
            /**
             * @description When the event was resolved; null if it is not.
             * @example 2026-11-21T12:02:00Z
             */
            resolvedAt?: string | null;
            /** @example checkout.session.completed */
            type: string;
        };
        /** @description A failed event with its payload. */
        FailedWebhookDelivery: {
            /** @description The event. */
            event: components["schemas"]["FailedWebhookEvent"];
            /**
             * @description The body as sent by Stripe; it contains personal data. Null if it was erased or never stored.
             * @example {"id":"evt_1a2b3c"}
             */
            payload?: string | null;
        };
        /** @description An event from Stripe that failed to be processed. */
        FailedWebhookEvent: {
            /**
             * Format: int64
             * @description The number of failed attempts.
             * @example 3
             */
            attempts: number;
            /**
             * @description Why the event was closed.
             * @example refunded in the dashboard
             */
            closeReason?: string | null;
            /**
             * @description When an operator closed the event; null if it was not closed.
             * @example 2026-11-22T09:00:00Z
             */
            closedAt?: string | null;
            /**
             * @description Who closed the event.
             * @example token of operator_1
             */
            closedBy?: string | null;
            /**
             * @description The last error; for a permanent failure, the error that makes it permanent.
             * @example the database failed
             */
            error: string;
            /**
             * @description When the event first failed.
             * @example 2026-11-21T12:00:00Z
             */
            firstFailedAt: string;
            /**
             * @description The provider's id of the event.
             * @example evt_1a2b3c
             */
            id: string;
            /**
             * @description `transient`: a retry may succeed. `permanent`: the event contradicts the agreed terms; a person must look at it.
             * @example transient
             */
            kind: string;
            /**
             * @description When the event last failed.
             * @example 2026-11-21T12:05:00Z
             */
            lastFailedAt: string;
            /**
             * @description `kept`; `erased` (the retention time has passed); or `none` (never stored).
             * @example kept
             */
            payloadState: string;
            /**
             * @description The payment provider.
             * @example stripe
             */
            provider: string;
            /**
             * @description When the event was resolved; null if it was not.
             * @example 2026-11-21T12:10:00Z
             */
            resolvedAt?: string | null;
            /**
             * @description `open`; `resolved` (processed later, or found not to concern Topup); or `closed` (by an operator).
             * @example open
             */
            state: string;
            /**
             * @description Stripe's type of the event.
             * @example checkout.session.completed
             */
            type: string;
        };
        /** @description A page of failed events, ordered by first failure, newest first. */
        FailedWebhookEvents: {
            data: components["schemas"]["FailedWebhookEvent"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 1800000000000_evt_1a2b3c
             */
            nextCursor?: string | null;
        };
        /** @description How the fee line was calculated when the top-up was created, and the fee that Stripe charged. */
        FeeDetails: {
            /**
             * Format: int64
             * @description The fee that Stripe was expected to charge, in minor units.
             * @example 38
             */
            expected: number;
            /**
             * Format: int64
             * @description The fixed part of the fee, in minor units.
             * @example 30
             */
            fixed: number;
            /** @example Processing fee */
            label: string;
            /**
             * @description The fee mode: `gross_up` or `absorb`.
             * @example gross_up
             */
            mode: string;
            /** @example 2.9 */
            ratePercent: string;
            /**
             * Format: int64
             * @description The fee that Stripe charged for the credited payment, in minor units of `realCurrency`; null until known.
             * @example 38
             */
            real?: number | null;
            /**
             * @description The currency in which Stripe settles the payment.
             * @example usd
             */
            realCurrency?: string | null;
        };
        /** @description An invalid field. */
        FieldError: {
            /** @description A stable, machine-readable code. */
            code: string;
            /** @description The name of the field in the request. */
            field: string;
            /** @description What is wrong and how to fix it. */
            message: string;
        };
        /** @description What the customer agreed to. Kept as evidence. */
        GivenConsent: {
            /**
             * @description From a server: the customer's address. From a customer, the address of the request is kept.
             * @example 203.0.113.7
             */
            ip?: string | null;
            /**
             * @description The version of the text that the customer read and agreed to: 1 to 100 printable characters.
             * @example 2026-11-30
             */
            textVersion: string;
            /**
             * @description From a server: the customer's user agent. From a customer, that of the request is kept.
             * @example Mozilla/5.0
             */
            userAgent?: string | null;
        };
        /** @description Credits of one origin. */
        Grant: {
            /** @example user_1 */
            accountId: string;
            /**
             * @description `paid` or `promotional`.
             * @example paid
             */
            category: string;
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The credits at first.
             * @example 250
             */
            credits: number;
            /**
             * @description When the rest ends; null for never.
             * @example 2027-11-21T12:01:00Z
             */
            expiresAt?: string | null;
            /**
             * @description The id of the top-up or adjustment that brought the credits; for a bonus, the top-up's with `:bonus` at its end;
             *     for a promotion an id of its own.
             * @example topup_019a0000000070008000000000000000
             */
            id: string;
            /**
             * @description `purchase`, `bonus`, `promotion`, `adjustment`, `subscription`, or `returned`: credits given back that their first grant could not
             *     take.
             * @example purchase
             */
            kind: string;
            /**
             * Format: int64
             * @description Lower numbers are spent first. Of equal ones, what ends first is; then promotional credits, then the oldest.
             * @example 50
             */
            priority: number;
            /**
             * @description Why an operator gave them; null for other kinds.
             * @example Welcome
             */
            reason?: string | null;
            /**
             * Format: int64
             * @description What remains of them.
             * @example 180
             */
            remainingCredits: number;
            /**
             * @description The top-up of a purchase or bonus; null for other kinds.
             * @example topup_019a0000000070008000000000000000
             */
            topupId?: string | null;
            /**
             * @description When an operator ended it early; null otherwise.
             * @example 2026-12-01T09:00:00Z
             */
            voidedAt?: string | null;
        };
        /**
         * @description Whether money was paid for the credits.
         * @enum {string}
         */
        GrantCategory: "promotional" | "paid";
        /** @description A page of grants, newest first. */
        Grants: {
            data: components["schemas"]["Grant"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 41_topup_019a0000000070008000000000000000
             */
            nextCursor?: string | null;
        };
        /** @description The service is healthy. */
        Health: {
            /** @example ok */
            status: string;
        };
        /** @description Credits reserved for a spend. */
        Hold: {
            /** @example user_1 */
            accountId: string;
            /** @description The account's credits after this request. */
            balance: components["schemas"]["AccountBalance"];
            /**
             * Format: int64
             * @description The credits that were captured; null before.
             * @example 42
             */
            capturedCredits?: number | null;
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The credits that it reserves, or reserved.
             * @example 50
             */
            credits: number;
            /**
             * @description When it ends by itself.
             * @example 2026-11-21T12:16:00Z
             */
            expiresAt: string;
            /** @example hold_019a0000000070008000000000000000 */
            id: string;
            /**
             * @description The caller's own data. The customer can read it.
             * @example {
             *       "model": "large"
             *     }
             */
            metadata: {
                [key: string]: string;
            };
            /**
             * @description The kind of work; null if none was named.
             * @example chat.completion
             */
            operation?: string | null;
            /**
             * Format: int64
             * @description The credits asked for; more than `credits` if there were fewer and `minimumCredits` allowed that.
             * @example 50
             */
            requestedCredits: number;
            /**
             * @description The spend that captured it; null before.
             * @example spend_019a0000000070008000000000000000
             */
            spendId?: string | null;
            /**
             * @description `open`: it reserves credits. `captured`: they were spent. `released`: they were freed. `expired`: its time
             *     ended; it reserves nothing, and can still be captured from what is available.
             * @example open
             */
            state: string;
            /**
             * @description The part of the account that reserved; null if none was named.
             * @example member_7
             */
            subject?: string | null;
        };
        /** @description A page of open holds, those that end first before the others. */
        Holds: {
            /** @description The holds. */
            data: components["schemas"]["Hold"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 1795262400000_hold_019a0000000070008000000000000000
             */
            nextCursor?: string | null;
        };
        /** @description An invoice. */
        Invoice: {
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /** @example usd */
            currency: string;
            /** @example in_1Qw2e3R4t5Y6u7I8 */
            id: string;
            /**
             * @description Its number, as the customer reads it.
             * @example ABCD-0001
             */
            number?: string | null;
            /**
             * Format: int64
             * @description In minor units.
             * @example 2091
             */
            paidAmount: number;
            /** @example 2026-11-21T12:01:00Z */
            paidAt?: string | null;
            /**
             * @description Why it was made, in Stripe's word.
             * @example subscription_cycle
             */
            reason: string;
            /**
             * @description `draft`, `open`, `paid`, `uncollectible` or `void`.
             * @example paid
             */
            status: string;
            /**
             * Format: int64
             * @description In minor units.
             * @example 2091
             */
            totalAmount: number;
            /**
             * @description The page with the invoice.
             * @example https://invoice.stripe.com/i/acct_1/test_1
             */
            url?: string | null;
        };
        /** @description A limit of spending. */
        Limit: {
            /**
             * Format: int64
             * @description The most credits that may be spent in the period.
             * @example 10000
             */
            credits: number;
            /**
             * Format: int64
             * @description The credits that open holds reserve, whenever they were made.
             * @example 200
             */
            heldCredits: number;
            /**
             * Format: int64
             * @description The credits that can still be spent or reserved; at least 0.
             * @example 800
             */
            leftCredits: number;
            /**
             * @description `day`, `month` (both of UTC) or `total`.
             * @example month
             */
            period: string;
            /**
             * @description When `usedCredits` begins at 0 again; null for `total`.
             * @example 2026-12-01T00:00:00Z
             */
            resetsAt?: string | null;
            /**
             * @description The part of the account that it is for; null for the whole account.
             * @example team-a
             */
            subject?: string | null;
            /**
             * Format: int64
             * @description The credits spent in the period, less what was given back of them.
             * @example 9000
             */
            usedCredits: number;
        };
        /** @description A page of limits, ordered by subject and period. */
        Limits: {
            data: components["schemas"]["Limit"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example month_team-a
             */
            nextCursor?: string | null;
        };
        /** @description Credits that end. */
        NextExpiry: {
            /**
             * @description When they end.
             * @example 2027-11-21T12:01:00Z
             */
            at: string;
            /**
             * Format: int64
             * @description How many of them are left now. They are spent before credits that end later, so fewer may end.
             * @example 180
             */
            credits: number;
        };
        /**
         * @description What to do when the account has fewer credits than asked for.
         * @enum {string}
         */
        OnShortfall: "reject" | "cap";
        /** @description Credits that one grant gave. */
        Part: {
            /**
             * Format: int64
             * @example 12
             */
            credits: number;
            /**
             * @description The grant: the id of a top-up, an adjustment or a promotion. Null for credits that a refund or dispute had taken
             *     before the work was charged.
             * @example topup_019a0000000070008000000000000000
             */
            grantId?: string | null;
        };
        /** @description A payment at Stripe. */
        PaymentDetails: {
            /** @example ch_3a1b2c3 */
            chargeId?: string | null;
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /** @example txn_3a1b2c3 */
            feeId?: string | null;
            /** @example pi_3a1b2c3 */
            paymentId: string;
            /**
             * Format: int64
             * @example 38
             */
            realFee?: number | null;
            /** @example usd */
            realFeeCurrency?: string | null;
            /**
             * @description `credited`: the payment that paid for the credits. `surplus`: an additional payment, which credits nothing and
             *     should be refunded. `waiting`: a payment whose money is not booked.
             * @example credited
             */
            role: string;
            /** @example cs_test_a1b2c3 */
            sessionId?: string | null;
        };
        /** @description What a period brought. */
        Period: {
            /**
             * Format: int64
             * @description How many credits it gave: the plan's, less what the same time had brought before.
             * @example 10000
             */
            credits: number;
            /**
             * @description The id of the grant.
             * @example sub_1:price_1:1795262460
             */
            grantId: string;
            /** @example in_1Qw2e3R4t5Y6u7I8 */
            invoiceId: string;
            /**
             * @description `period` or `trial`.
             * @example period
             */
            kind: string;
            /** @example 2026-12-21T12:01:00Z */
            periodEnd: string;
            /** @example 2026-11-21T12:01:00Z */
            periodStart: string;
            /** @example pro */
            planId: string;
            /**
             * Format: int64
             * @description How many refunds and disputes took back.
             * @example 0
             */
            takenCredits: number;
        };
        /** @description A plan. */
        Plan: {
            /**
             * @description Whether it is sold. Running subscriptions go on in any case.
             * @example true
             */
            active: boolean;
            /**
             * Format: int64
             * @description The credits of a paid period.
             * @example 10000
             */
            creditsPerPeriod: number;
            /** @example pro */
            id: string;
            /**
             * @description The unit of a period: `day`, `week`, `month` or `year`.
             * @example month
             */
            interval: string;
            /**
             * Format: int64
             * @description How many of them a period has.
             * @example 1
             */
            intervalCount: number;
            /**
             * @description What customers read.
             * @example Pro
             */
            name: string;
            /** @description What a period costs, one price for each currency. */
            prices: components["schemas"]["Price"][];
            /**
             * @description What happens to credits that are left when the next period is paid: `expire`, `keep`, or `cap`: no more than
             *     `rolloverCap` stay.
             * @example expire
             */
            rollover: string;
            /**
             * Format: int64
             * @description The most credits that stay; null unless `rollover` is `cap`.
             * @example 5000
             */
            rolloverCap?: number | null;
            /**
             * Format: int64
             * @description The credits of the trial.
             * @example 500
             */
            trialCredits: number;
            /**
             * Format: int64
             * @description For how many days a new subscriber pays nothing.
             * @example 14
             */
            trialDays: number;
        };
        /** @description The plans that are sold. */
        Plans: {
            data: components["schemas"]["Plan"][];
        };
        /** @description The portal, open for one visitor. */
        PortalSession: {
            /**
             * @description Send the customer there at once: it is good for a short time and must not be mailed.
             * @example https://billing.stripe.com/p/session/test_a1b2c3
             */
            url: string;
        };
        /** @description The effect of a refund that has not been made. */
        Preview: {
            /**
             * Format: int64
             * @description The amount that would be refunded, in minor units; 0 if the refund is not possible.
             * @example 100
             */
            amount: number;
            /** @description The balance of the account afterwards. */
            balance: components["schemas"]["PreviewedBalance"];
            /**
             * Format: int64
             * @description The part of the top-up's bonus that would be taken back with them.
             * @example 0
             */
            bonusCredits: number;
            /**
             * @description Why the refund is not possible, as the error code that a refund would return; null if it is possible.
             * @example null
             */
            code?: string | null;
            /**
             * Format: int64
             * @description The number of credits that would be taken back.
             * @example 100
             */
            credits: number;
            /** @example usd */
            currency: string;
            /**
             * Format: int64
             * @description The part of `amount` that refunds the fee line, in minor units.
             * @example 0
             */
            feeAmount: number;
            /**
             * Format: int64
             * @description The largest amount that can be refunded while no dispute is open, in minor units.
             * @example 289
             */
            largestAmount: number;
            /**
             * Format: int64
             * @description The largest number of credits that can be refunded.
             * @example 250
             */
            largestCredits: number;
            /**
             * @description The payment to refund; null if there is none.
             * @example pi_3a1b2c3
             */
            paymentId?: string | null;
            /**
             * @description Whether the refund is possible according to Topup's own records. Stripe has the final decision.
             * @example true
             */
            possible: boolean;
            /**
             * @description The same in words; null if the refund is possible.
             * @example null
             */
            reason?: string | null;
            /**
             * Format: int64
             * @description The part of the amount that is tax on top of the price and the fee line.
             * @example 0
             */
            taxAmount: number;
            /**
             * Format: int64
             * @description What remains unspent of this top-up's credits now, without its bonus.
             * @example 180
             */
            unspentCredits: number;
        };
        /** @description The balance of the account after a refund that has not been made. */
        PreviewedBalance: components["schemas"]["BalanceAfter"] & {
            /**
             * Format: int64
             * @description The credits that open holds reserve. A refund may take them; the captures then go below zero.
             * @example 0
             */
            heldCredits: number;
        };
        /** @description The price of a period, in minor units. */
        Price: {
            /**
             * Format: int64
             * @description The price of the plan.
             * @example 2000
             */
            amount: number;
            /** @example usd */
            currency: string;
            /**
             * Format: int64
             * @description The fee line beside it; 0 if the seller absorbs the fee.
             * @example 91
             */
            feeAmount: number;
            /**
             * @description `exclusive`: tax comes on top. `inclusive`: the amounts contain it. null: no tax is charged.
             * @example exclusive
             */
            taxBehavior?: string | null;
            /**
             * Format: int64
             * @description What the customer pays each period, and tax on top of it if `taxBehavior` is `exclusive`.
             * @example 2091
             */
            totalAmount: number;
        };
        /**
         * @description An error as defined by RFC 9457.
         * @example {
         *       "code": "invalid_request",
         *       "detail": "credits: the smallest purchase is 18 credits",
         *       "error": "credits: the smallest purchase is 18 credits",
         *       "errors": [
         *         {
         *           "code": "too_few",
         *           "field": "credits",
         *           "message": "the smallest purchase is 18 credits"
         *         }
         *       ],
         *       "status": 400,
         *       "title": "Bad Request",
         *       "type": "urn:topup:problem:invalid_request"
         *     }
         */
        Problem: {
            /**
             * Format: int64
             * @description For problems about credits: how many can be spent or reserved now.
             */
            availableCredits?: number;
            /** @description A stable, machine-readable code. */
            code: string;
            /** @description What is wrong and how to fix it. */
            detail: string;
            /** @description A copy of `detail`, for clients of the API that this one replaced. */
            error: string;
            /** @description The invalid fields; absent if there are none. */
            errors?: components["schemas"]["FieldError"][];
            /**
             * Format: int64
             * @description For problems about credits: how many open holds reserve.
             */
            heldCredits?: number;
            /** @description For `spend_limit_reached`: the limit. */
            limit?: components["schemas"]["ReachedLimit"];
            /**
             * Format: int64
             * @description For problems about credits: how far the balance is below zero; otherwise 0.
             */
            owedCredits?: number;
            /**
             * Format: int64
             * @description For problems about credits: how many are needed at least.
             */
            requiredCredits?: number;
            /**
             * Format: int32
             * @description The HTTP status code.
             */
            status: number;
            /** @description The reason phrase of the HTTP status. */
            title: string;
            /** @description `urn:topup:problem:` followed by the code. */
            type: string;
        };
        /** @description The price of a number of credits. Amounts are in minor units of the currency; numbers of credits are integers. */
        Quote: {
            /**
             * Format: int64
             * @description The credits given on top.
             * @example 0
             */
            bonusCredits: number;
            /**
             * Format: int32
             * @description How many digits of a number of credits people should read as decimals: with 2, show 250 as 2.50.
             * @example 0
             */
            creditDisplayDecimals: number;
            /**
             * Format: int64
             * @description The price of a unit.
             * @example 1
             */
            creditUnitAmount: number;
            /**
             * Format: int64
             * @description How many credits a unit has. Purchases are multiples of it.
             * @example 1
             */
            creditUnitCredits: number;
            /**
             * Format: int64
             * @description The number of credits.
             * @example 250
             */
            credits: number;
            /**
             * Format: int64
             * @description The price of the credits.
             * @example 250
             */
            creditsAmount: number;
            /**
             * @description When the credits and their bonus end if they are paid now; null if they never do.
             * @example 2027-11-21T12:01:00Z
             */
            creditsExpireAt?: string | null;
            /**
             * @description The currencies that credits are sold in, the main one first.
             * @example [
             *       "usd"
             *     ]
             */
            currencies: string[];
            /**
             * @description The currency of all amounts.
             * @example usd
             */
            currency: string;
            /**
             * Format: int64
             * @description The fee line; 0 if the seller absorbs the fee.
             * @example 39
             */
            feeAmount: number;
            /**
             * Format: int64
             * @description The largest number of credits that can be bought at once.
             * @example 100000
             */
            largestCredits: number;
            /**
             * Format: int64
             * @description The smallest number of credits that can be bought.
             * @example 18
             */
            smallestCredits: number;
            /**
             * @description `exclusive`: tax comes on top, as soon as the customer's address is known. `inclusive`: the amounts contain it.
             *     null: no tax is charged.
             * @example exclusive
             */
            taxBehavior?: string | null;
            /**
             * Format: int64
             * @description What the customer pays: `creditsAmount` plus `feeAmount`, and tax on top of it if `taxBehavior` is `exclusive`.
             * @example 289
             */
            totalAmount: number;
        };
        /** @description A limit of spending that leaves too few credits. */
        ReachedLimit: {
            /**
             * Format: int64
             * @description The most credits that may be spent in the period.
             * @example 10000
             */
            credits: number;
            /**
             * Format: int64
             * @description The credits that open holds reserve.
             * @example 0
             */
            heldCredits: number;
            /**
             * @description `day`, `month` or `total`.
             * @example month
             */
            period: string;
            /**
             * @description When the next period begins; null for `total`.
             * @example 2026-12-01T00:00:00Z
             */
            resetsAt?: string | null;
            /**
             * @description The part of the account that it is for; null for the whole account.
             * @example team-a
             */
            subject?: string | null;
            /**
             * Format: int64
             * @description The credits spent in the period.
             * @example 9990
             */
            usedCredits: number;
        };
        /**
         * @description Why it is paused.
         * @enum {string}
         */
        Reason: "declined" | "card_declined" | "authentication_required" | "card_expired" | "no_card" | "daily_limit" | "monthly_limit" | "disputed" | "refunded" | "not_for_sale" | "provider_refused";
        /** @description Where the receipt of a payment is. */
        Receipt: {
            /**
             * @description The page with the receipt at the payment provider, which also shows refunds. It can be opened for some weeks; ask
             *     for it again instead of storing it.
             * @example https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xAbCdEf
             */
            url: string;
        };
        /** @description The event was processed; Stripe need not retry. */
        Received: {
            /** @example true */
            received: boolean;
        };
        /** @description A run that compares Topup's records with Stripe's. */
        Reconciliation: {
            /**
             * @description What started the run: `command` or `schedule`.
             * @example schedule
             */
            cause: string;
            /**
             * @description Whether the run only compared and applied nothing.
             * @example false
             */
            dryRun: boolean;
            /**
             * @description Why the run failed and how to fix it. Whatever could be compared was still compared and applied.
             * @example null
             */
            error?: string | null;
            /**
             * @description When the run ended; null while it is running.
             * @example 2026-11-21T12:01:00Z
             */
            finishedAt?: string | null;
            /** @example reconciliation_019a0000000070008000000000000000 */
            id: string;
            /**
             * Format: int64
             * @description The number of differences that the run could not resolve and that need a person. Null if the run produced no
             *     report.
             * @example 0
             */
            leftOver?: number | null;
            /**
             * @description Why the run is incomplete, as a code: `missing_permission`, `too_many` or `provider_failed`. After
             *     `provider_failed` the service tries again at growing intervals; after the other two, when the next run is due.
             * @example null
             */
            obstacle?: string | null;
            /** @description The report, as printed by `topup reconcile --json`. Null in lists, and if the run produced no report. */
            report?: Record<string, never> | null;
            /**
             * @description The start of the compared period.
             * @example 2026-10-22T12:00:00Z
             */
            since: string;
            /** @example 2026-11-21T12:00:00Z */
            startedAt: string;
            /**
             * @description `running`, `finished`, `failed`, or `interrupted` (the process ended before the run did; the next run starts
             *     over).
             * @example finished
             */
            state: string;
        };
        /** @description The latest reconciliations, newest first. */
        Reconciliations: {
            data: components["schemas"]["Reconciliation"][];
        };
        /** @description A refund. */
        Refund: {
            /**
             * Format: int64
             * @description The refunded amount, in minor units.
             * @example 100
             */
            amount: number;
            balance: components["schemas"]["BalanceAfter"];
            /**
             * Format: int64
             * @description The part of the top-up's bonus that was taken with them.
             * @example 0
             */
            bonusCreditsTaken: number;
            /**
             * Format: int64
             * @description The number of credits taken from the account.
             * @example 100
             */
            creditsTaken: number;
            /** @example usd */
            currency: string;
            /**
             * @description Topup's id of the refund request.
             * @example refund_019a0000000070008000000000000000
             */
            id: string;
            /** @example pi_3a1b2c3 */
            paymentId: string;
            /**
             * @description Stripe's id of the refund.
             * @example re_3a1b2c3
             */
            refundId: string;
            /**
             * @description Stripe's status of the refund when it was made. The refund can still fail later; the credits then return.
             * @example succeeded
             */
            status: string;
            /** @example topup_019a0000000070008000000000000000 */
            topupId: string;
        };
        /** @description A refund requested through Topup. */
        RefundRequestDetails: {
            /**
             * Format: int64
             * @example 100
             */
            amount: number;
            /**
             * Format: int64
             * @description The part of the bonus that was taken with them.
             * @example 0
             */
            bonusCreditsTaken?: number | null;
            /** @example 2026-11-21T12:05:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @example 100
             */
            creditsTaken?: number | null;
            /** @example usd */
            currency: string;
            /**
             * @description Why Stripe refused the refund, or why it has not been made yet.
             * @example already_refunded
             */
            failureCode?: string | null;
            /** @example refund_019a0000000070008000000000000000 */
            id: string;
            /** @example pi_3a1b2c3 */
            paymentId: string;
            /** @example requested_by_customer */
            reason?: string | null;
            /**
             * @description Stripe's id of the refund.
             * @example re_3a1b2c3
             */
            refundId?: string | null;
            /**
             * @description Who requested the refund: an API key with its name, or a token's subject.
             * @example API key key_019a0000000070008000000000000000 (back office)
             */
            requestedBy: string;
            /**
             * @description `creating`: not made yet, or the outcome is unknown; a repeated request with the same key continues it, and
             *     `failureCode` has the last error. `created`: made. `refused`: refused by Stripe.
             * @example created
             */
            state: string;
        };
        /** @description The result of a replay. */
        ReplayedWebhookEvent: {
            /**
             * @description More about the outcome, in words.
             * @example credited
             */
            detail: string;
            /** @description The event after the replay. */
            event: components["schemas"]["FailedWebhookEvent"];
            /**
             * @description `decided`: processed, now or earlier. `foreign`: the event does not concern Topup. `rejected`: the event
             *     contradicts the agreed terms and has no effect. `failed`: the attempt failed again.
             *     `already_resolved`: there was nothing to do.
             * @example decided
             */
            outcome: string;
        };
        /** @description A period. */
        ResendMessages: {
            /**
             * @description The first moment of the period.
             * @example 2026-11-21T00:00:00Z
             */
            from: string;
            /**
             * @description The last moment of the period; now by default.
             * @example 2026-11-22T00:00:00Z
             */
            to?: string | null;
            which?: components["schemas"]["ResendWhich"] | null;
        };
        /**
         * @description Which messages of a period to send once more.
         * @enum {string}
         */
        ResendWhich: "missed" | "all";
        /** @description What was queued. */
        Resent: {
            /**
             * Format: int64
             * @description How many messages were queued.
             * @example 12
             */
            messages: number;
        };
        /** @description A refund or a dispute. */
        ReversalDetails: {
            /**
             * Format: int64
             * @example 100
             */
            amount: number;
            /**
             * @description Whether its amount currently counts as taken back.
             * @example true
             */
            counts: boolean;
            /** @example 2026-11-21T12:05:00Z */
            createdAt: string;
            /** @example usd */
            currency: string;
            /**
             * @description Stripe's id of the refund or dispute.
             * @example re_3a1b2c3
             */
            id: string;
            /**
             * @description `refund` or `dispute`.
             * @example refund
             */
            kind: string;
            /** @example pi_3a1b2c3 */
            paymentId: string;
            /** @example requested_by_customer */
            reason?: string | null;
            /**
             * @description Stripe's status of the refund or dispute.
             * @example succeeded
             */
            status: string;
            /** @example 2026-11-21T12:05:00Z */
            updatedAt: string;
        };
        /** @description A saved card. */
        SavedCard: {
            /**
             * @description The brand, in Stripe's word.
             * @example visa
             */
            brand: string;
            /**
             * @description The country that issued it, as two letters, if Stripe says so. Its fee may depend on it: `cardCountry` of a quote.
             * @example US
             */
            country?: string | null;
            /** @example 2026-11-21T12:00:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The month in which it ends.
             * @example 12
             */
            expMonth: number;
            /**
             * Format: int64
             * @description The year in which it ends.
             * @example 2030
             */
            expYear: number;
            /** @example pm_1a2b3c */
            id: string;
            /**
             * @description Whether it is charged where no card is named.
             * @example true
             */
            isDefault: boolean;
            /**
             * @description Whether its last month is over.
             * @example false
             */
            isExpired: boolean;
            /**
             * @description The last four digits.
             * @example 4242
             */
            last4: string;
        };
        /** @description An account's saved cards. */
        SavedCards: {
            /** @description Newest first. */
            data: components["schemas"]["SavedCard"][];
        };
        /** @description The current state of a top-up. */
        Session: {
            /**
             * @description The account that receives the credits.
             * @example user_1
             */
            accountId: string;
            /**
             * Format: int64
             * @description The credits given on top when it is paid.
             * @example 0
             */
            bonusCredits: number;
            /** @example 2026-11-21T12:00:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The number of credits.
             * @example 250
             */
            credits: number;
            /**
             * Format: int64
             * @description The price of the credits, in minor units.
             * @example 250
             */
            creditsAmount: number;
            /**
             * @description When they end; null before the payment, and if they never end.
             * @example 2027-11-21T12:01:00Z
             */
            creditsExpireAt?: string | null;
            /**
             * Format: int64
             * @description For how many days from the payment the credits are good; null if they never end.
             * @example 365
             */
            creditsExpireDays?: number | null;
            /**
             * @description The currency of all amounts.
             * @example usd
             */
            currency: string;
            /**
             * @description Stripe's decline code of the last declined payment attempt; null if no attempt was declined, and once the top-up
             *     is paid. The customer can try again while the checkout session is open.
             * @example insufficient_funds
             */
            declineCode?: string | null;
            /** @example 2026-11-21T13:00:00Z */
            expiresAt: string;
            /**
             * Format: int64
             * @description The fee line, in minor units.
             * @example 39
             */
            feeAmount: number;
            /**
             * @description The id of the checkout session.
             * @example cs_test_a1b2c3
             */
            id: string;
            /**
             * @description When the top-up was paid; null before.
             * @example 2026-11-21T12:01:00Z
             */
            paidAt?: string | null;
            state: components["schemas"]["SessionState"];
            /**
             * Format: int64
             * @description The tax in the charge, in minor units; null before the payment, and if no tax was agreed.
             * @example 55
             */
            taxAmount?: number | null;
            /**
             * @description `exclusive`: tax comes on top of `totalAmount`. `inclusive`: it contains it. null: no tax was agreed.
             * @example exclusive
             */
            taxBehavior?: string | null;
            /**
             * @description The id of the top-up.
             * @example topup_019a0000000070008000000000000000
             */
            topupId: string;
            /**
             * Format: int64
             * @description What the customer pays, in minor units, before tax that comes on top.
             * @example 289
             */
            totalAmount: number;
        };
        /**
         * @description The state of a top-up.
         * @enum {string}
         */
        SessionState: "open" | "processing" | "paid" | "expired" | "failed";
        /** @description The currency to set. */
        SetAccountCurrency: {
            /**
             * @description A currency that credits are sold in, in lower case; null for the main one.
             * @example eur
             */
            currency?: string | null;
        };
        /** @description When to buy credits by itself, how many, and how often at most. */
        SetAutoTopup: {
            /**
             * @description The account. Defaults to the token's subject, or to the account that the API key is bound to.
             * @example user_1
             */
            accountId?: string | null;
            consent?: components["schemas"]["GivenConsent"] | null;
            /**
             * Format: int64
             * @description How many credits are bought at a time: as for a checkout.
             * @example 1000
             */
            credits?: number | null;
            /**
             * @description The currency to pay in and of `maxPerMonthMinor`: one that credits are sold in. Defaults to the account's.
             * @example usd
             */
            currency?: string | null;
            /**
             * @description Whether credits are bought. With false, nothing else is needed.
             * @example true
             */
            enabled: boolean;
            /**
             * Format: int64
             * @description The most purchases in a day (UTC): 1 to 100.
             * @example 3
             */
            maxPerDay?: number | null;
            /**
             * Format: int64
             * @description The most that is charged in a month (UTC), in minor units.
             * @example 10000
             */
            maxPerMonthMinor?: number | null;
            /**
             * @description The card to charge. By default that which is the customer's default at the time.
             * @example pm_1a2b3c
             */
            paymentMethodId?: string | null;
            /**
             * @description Where the customer goes after confirming a payment that the bank asked about: an absolute URL on one of the
             *     `ALLOWED_ORIGINS`. Defaults to the first of them.
             * @example https://app.example.com/billing
             */
            returnUrl?: string | null;
            /**
             * Format: int64
             * @description Credits are bought when fewer than this are available.
             * @example 500
             */
            thresholdCredits?: number | null;
        };
        /** @description An account's own threshold. */
        SetBalanceAlert: {
            /**
             * Format: int64
             * @description The balance is low when fewer credits are available; 0 for never.
             * @example 1000
             */
            lowCredits: number;
        };
        /** @description Which card is charged where none is named. */
        SetDefaultCard: {
            /**
             * @description The account. Defaults to the token's subject, or to the account that the API key is bound to.
             * @example user_1
             */
            accountId?: string | null;
            /**
             * @description The card.
             * @example pm_1a2b3c
             */
            paymentMethodId: string;
        };
        /** @description How many credits may be spent. */
        SetLimit: {
            /**
             * Format: int64
             * @description The most credits that may be spent in the period; 0 stops all spending.
             * @example 10000
             */
            credits: number;
        };
        /** @description Credits spent. */
        Spend: {
            /** @example user_1 */
            accountId: string;
            /** @description The account's credits after this request. */
            balance: components["schemas"]["AccountBalance"];
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The credits taken.
             * @example 12
             */
            credits: number;
            /**
             * @description The hold that was captured; null for a debit.
             * @example hold_019a0000000070008000000000000000
             */
            holdId?: string | null;
            /** @example spend_019a0000000070008000000000000000 */
            id: string;
            /**
             * @description The caller's own data. The customer can read it.
             * @example {
             *       "model": "large"
             *     }
             */
            metadata: {
                [key: string]: string;
            };
            /**
             * @description The kind of work; null if none was named.
             * @example chat.completion
             */
            operation?: string | null;
            /**
             * Format: int64
             * @description How many of the credits were given back.
             * @example 0
             */
            refundedCredits: number;
            /**
             * Format: int64
             * @description The credits asked for.
             * @example 12
             */
            requestedCredits: number;
            /**
             * @description The part of the account that spent; null if none was named.
             * @example member_7
             */
            subject?: string | null;
            /**
             * Format: int64
             * @description The credits asked for and not taken, because the account did not have them (`onShortfall: cap`).
             * @example 0
             */
            uncollectedCredits: number;
        };
        /** @description A spend with the grants that its credits came from. */
        SpendDetails: components["schemas"]["Spend"] & {
            /** @description The grants that the credits came from, in the order in which they were taken. */
            parts: components["schemas"]["Part"][];
        };
        /** @description Spent credits that were given back. */
        SpendRefund: {
            /** @example user_1 */
            accountId: string;
            /** @description The account's credits after this request. */
            balance: components["schemas"]["AccountBalance"];
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The credits that were given back.
             * @example 5
             */
            credits: number;
            /** @example spendrefund_019a0000000070008000000000000000 */
            id: string;
            /** @example The image was not usable */
            reason?: string | null;
            /** @example spend_019a0000000070008000000000000000 */
            spendId: string;
        };
        /**
         * @description Whether the card is charged.
         * @enum {string}
         */
        State: "active" | "paused" | "off";
        /** @description An account's statement. */
        Statement: {
            /** @example user_1 */
            accountId: string;
            /**
             * @description The time of reading.
             * @example 2026-11-21T12:01:00Z
             */
            asOf: string;
            /**
             * Format: int64
             * @description The balance after the last entry of this time.
             * @example 180
             */
            closingCredits: number;
            /** @description What moved in between, by kind of entry; together it is the closing less the opening. */
            data: components["schemas"]["StatementKind"][];
            /**
             * Format: int64
             * @description The balance before the first entry of this time.
             * @example 0
             */
            openingCredits: number;
        };
        /** @description What entries of one kind moved. */
        StatementKind: {
            /**
             * Format: int64
             * @description The sum of their credits; negative if they took credits.
             * @example -70
             */
            credits: number;
            /**
             * Format: int64
             * @description How many entries there are.
             * @example 12
             */
            entries: number;
            /**
             * @description The kind of the entries.
             * @example spend
             */
            kind: string;
        };
        /** @description What the customer agreed to. */
        StoredConsent: {
            /** @example 2026-11-30T12:00:00Z */
            givenAt: string;
            /** @example 2026-11-30 */
            textVersion: string;
        };
        /** @description The rules in force. */
        StoredRules: {
            consent: components["schemas"]["StoredConsent"];
            /**
             * Format: int64
             * @example 1000
             */
            credits: number;
            /**
             * Format: int64
             * @example 3
             */
            maxPerDay: number;
            /**
             * Format: int64
             * @description In minor units.
             * @example 10000
             */
            maxPerMonthMinor: number;
            /**
             * @description The card; null for the customer's default.
             * @example pm_1a2b3c
             */
            paymentMethodId?: string | null;
            /**
             * Format: int64
             * @example 500
             */
            thresholdCredits: number;
        };
        /** @description A subscription. */
        Subscription: {
            /** @example user_1 */
            accountId: string;
            /**
             * @description When it ends, if that is decided.
             * @example 2026-12-21T12:01:00Z
             */
            cancelAt?: string | null;
            /**
             * @description Why it ends or ended, in Stripe's word.
             * @example cancellation_requested
             */
            cancelReason?: string | null;
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            due?: components["schemas"]["Due"] | null;
            /**
             * @description When it ended.
             * @example 2026-12-21T12:01:00Z
             */
            endedAt?: string | null;
            /**
             * @description The id of the subscription at the payment provider.
             * @example sub_1Qw2e3R4t5Y6u7I8
             */
            id: string;
            /**
             * @description The plan of the next period, if that is another one.
             * @example basic
             */
            nextPlanId?: string | null;
            /**
             * @description When the period ends and the next one is billed.
             * @example 2026-12-21T12:01:00Z
             */
            periodEnd?: string | null;
            /** @example 2026-11-21T12:01:00Z */
            periodStart?: string | null;
            /**
             * @description The plan; null if its price is no plan's.
             * @example pro
             */
            planId?: string | null;
            /**
             * @description `incomplete`, `incomplete_expired`, `trialing`, `active`, `past_due`, `unpaid`, `canceled` or `paused`. `active`
             *     does not say that the period is paid; credits come with the payment.
             * @example active
             */
            status: string;
            /**
             * @description When the trial ends or ended; null without one.
             * @example 2026-11-21T12:01:00Z
             */
            trialEnd?: string | null;
            /**
             * @description Whether a change of the plan waits for its payment.
             * @example false
             */
            updatePending: boolean;
        };
        /** @description A subscription with its history. */
        SubscriptionDetails: components["schemas"]["Subscription"] & {
            /** @description Its invoices, newest first. */
            invoices: components["schemas"]["Invoice"][];
            /** @description What its periods brought, newest first. */
            periods: components["schemas"]["Period"][];
        };
        /** @description Subscriptions, newest first. */
        Subscriptions: {
            data: components["schemas"]["Subscription"][];
        };
        /** @description The result of checking a top-up at Stripe, and the top-up afterwards. */
        TopupCheck: {
            /**
             * @description The outcome in words.
             * @example Stripe says that it is paid: 250 credits are in the books, the account has 250
             */
            detail: string;
            /**
             * @description `credited`, `already_paid`, `processing`, `expired`, `failed`, `nothing_to_do` (Stripe reports nothing new),
             *     `reversals_applied`, `surplus_payment`, `rejected` (Stripe's data contradicts the agreed terms) or `not_found`
             *     (Stripe has no checkout session for it).
             * @example credited
             */
            outcome: string;
            topup: components["schemas"]["TopupDetails"];
        };
        /** @description Everything that Topup has recorded about one top-up. */
        TopupDetails: {
            /** @example user_1 */
            accountId: string;
            /**
             * @description When the top-up was adopted from Stripe's data, for example after a restore; otherwise null.
             * @example null
             */
            adoptedAt?: string | null;
            /**
             * @description Who adopted it.
             * @example null
             */
            adoptedBy?: string | null;
            /**
             * Format: int64
             * @description The credits given on top when it is paid. A share of them is taken back with the credits; `ledgerEntries` say
             *     how many.
             * @example 0
             */
            bonusCredits: number;
            /** @example 2026-11-21T12:00:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The price of a unit, in minor units.
             * @example 1
             */
            creditUnitAmount: number;
            /**
             * Format: int64
             * @description The number of credits in a unit.
             * @example 1
             */
            creditUnitCredits: number;
            /**
             * Format: int64
             * @example 250
             */
            credits: number;
            /**
             * Format: int64
             * @example 250
             */
            creditsAmount: number;
            /**
             * @description When they end; null before the payment, and if they never end.
             * @example 2027-11-21T12:01:00Z
             */
            creditsExpireAt?: string | null;
            /**
             * Format: int64
             * @description For how many days from the payment the credits are good; null if they never end.
             * @example 365
             */
            creditsExpireDays?: number | null;
            /**
             * @description The currency of all amounts.
             * @example usd
             */
            currency: string;
            /**
             * @description Stripe's decline code of the last declined payment attempt.
             * @example insufficient_funds
             */
            declineCode?: string | null;
            /** @example 2026-11-21T12:00:30Z */
            declinedAt?: string | null;
            events: components["schemas"]["EventDetails"][];
            /** @example 2026-11-21T13:00:00Z */
            expiresAt: string;
            failedEvents: components["schemas"]["FailedEventDetails"][];
            /**
             * @description Why the top-up failed.
             * @example payment_failed
             */
            failureCode?: string | null;
            fee: components["schemas"]["FeeDetails"];
            /**
             * Format: int64
             * @example 39
             */
            feeAmount: number;
            /** @example topup_019a0000000070008000000000000000 */
            id: string;
            ledgerEntries: components["schemas"]["Transaction"][];
            /** @example 2026-11-21T12:01:00Z */
            paidAt?: string | null;
            payments: components["schemas"]["PaymentDetails"][];
            /**
             * @description The payment provider.
             * @example stripe
             */
            provider: string;
            refundRequests: components["schemas"]["RefundRequestDetails"][];
            reversals: components["schemas"]["ReversalDetails"][];
            /**
             * @description The id of the checkout session; null if none is known.
             * @example cs_test_a1b2c3
             */
            sessionId?: string | null;
            /**
             * @description `creating`, `open`, `processing`, `paid`, `expired` or `failed`.
             * @example paid
             */
            state: string;
            /**
             * Format: int64
             * @description How many of these credits refunds and disputes have taken back.
             * @example 100
             */
            takenCredits: number;
            /**
             * Format: int64
             * @description The tax in the charge, in minor units; null before the payment, and if no tax was agreed.
             * @example 55
             */
            taxAmount?: number | null;
            /**
             * @description `exclusive`: tax comes on top of `totalAmount`. `inclusive`: it contains it. null: no tax was agreed.
             * @example exclusive
             */
            taxBehavior?: string | null;
            /**
             * Format: int64
             * @description What the customer pays, in minor units, before tax that comes on top.
             * @example 289
             */
            totalAmount: number;
        };
        /** @description A top-up in a list. */
        TopupSummary: {
            /** @example user_1 */
            accountId: string;
            /**
             * Format: int64
             * @description The credits given on top when it is paid.
             * @example 0
             */
            bonusCredits: number;
            /** @example 2026-11-21T12:00:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @example 250
             */
            credits: number;
            /** @example usd */
            currency: string;
            /** @example topup_019a0000000070008000000000000000 */
            id: string;
            /** @example 2026-11-21T12:01:00Z */
            paidAt?: string | null;
            /**
             * @description `creating`, `open`, `processing`, `paid`, `expired` or `failed`.
             * @example paid
             */
            state: string;
            /**
             * Format: int64
             * @description The number of payments beyond the credited one. They credit nothing and should be refunded.
             * @example 0
             */
            surplusPayments: number;
            /**
             * Format: int64
             * @description How many of these credits refunds and disputes have taken back.
             * @example 100
             */
            takenCredits: number;
            /**
             * Format: int64
             * @description The amount that the customer pays, in minor units.
             * @example 289
             */
            totalAmount: number;
        };
        /** @description A page of top-ups, newest first. */
        Topups: {
            data: components["schemas"]["TopupSummary"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 1795262400000_topup_019a0000000070008000000000000000
             */
            nextCursor?: string | null;
        };
        /** @description A ledger entry. */
        Transaction: {
            /**
             * Format: int64
             * @description The balance after this entry.
             * @example 250
             */
            balanceAfter: number;
            /** @example 2026-11-21T12:01:00Z */
            createdAt: string;
            /**
             * Format: int64
             * @description The number of credits; negative if they were taken.
             * @example 250
             */
            credits: number;
            /**
             * @description A human-readable description of kind and reason.
             * @example Credits bought
             */
            description: string;
            /** @example entry_019a0000000070008000000000000000 */
            id: string;
            /**
             * @description `topup`: credits bought. `reversal`: credits taken back by a refund or dispute, or returned when the refund
             *     failed or the dispute was won. `adjustment`: a correction by an operator. `spend`: credits spent, one entry for
             *     each grant that they came from. `spend_refund`: spent credits given back. `bonus`: credits given on top of a
             *     purchase. `bonus_reversal`: a part of a bonus, taken back or returned with its purchase. `promotion`: credits
             *     given by an operator. `expiry`: credits whose time ended. `void`: credits of a promotion that an operator ended early.
             *     `subscription`: the credits of a paid period, or of a trial. `subscription_reversal`: those taken back by a refund or
             *     dispute, or returned.
             * @example topup
             */
            kind: string;
            /**
             * @description The reason of a reversal, also of a bonus. `refund` and `dispute` took credits; `refund_failed`, `dispute_won` and
             *     `dispute_returned` (the disputed money came back in another way) returned them. For a promotion or a refund of a
             *     spend, the text that came with it. Null for other kinds.
             * @example refund
             */
            reason?: string | null;
            /**
             * @description What caused the entry: the id of the top-up, adjustment, spend, refund or grant. For a reversal, for the further
             *     entries of a spend, and for the end of a grant, a number follows.
             * @example topup_019a0000000070008000000000000000
             */
            source: string;
        };
        /** @description A page of ledger entries, newest first. */
        Transactions: {
            data: components["schemas"]["Transaction"][];
            /**
             * @description Pass it as `cursor` to get the next page; null on the last page.
             * @example 41
             */
            nextCursor?: string | null;
        };
        /** @description An account's usage. */
        Usage: {
            /**
             * @description The time of reading. Spends of the running hour are counted up to here.
             * @example 2026-11-21T12:01:00Z
             */
            asOf: string;
            /** @description Hours and days in their order, without those of no usage; operations and subjects with the most credits first. */
            data: components["schemas"]["UsageEntry"][];
            /**
             * @description Whether there are more than these 1,000 operations or subjects.
             * @example false
             */
            hasMore: boolean;
        };
        /** @description Usage of one hour, day, operation or subject. */
        UsageEntry: {
            /**
             * Format: int64
             * @description The credits that were spent.
             * @example 1200
             */
            credits: number;
            /**
             * @description The beginning of the hour, the day in UTC (`2026-11-21`), the operation or the subject; null where none was
             *     named.
             * @example chat.completion
             */
            key?: string | null;
            /**
             * Format: int64
             * @description The credits that were given back in this time, whenever they had been spent.
             * @example 5
             */
            refundedCredits: number;
            /**
             * Format: int64
             * @description The number of spends. A spend of 0 credits is not counted.
             * @example 48
             */
            spends: number;
        };
        /** @description Why a grant is ended. */
        VoidGrant: {
            /**
             * @description The reason, for the record: 1 to 500 printable characters.
             * @example The campaign was abused
             */
            reason: string;
        };
        /**
         * @description Whether an endpoint gets messages.
         * @enum {string}
         */
        WantedState: "active" | "disabled";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getAccountBalance: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The balance; all zeros for an account that never had credits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credits"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccountAccess: {
        parameters: {
            query?: {
                /**
                 * @description How many credits; default 1
                 * @example 12
                 */
                credits?: number;
                /**
                 * @description The part of the account that would spend
                 * @example team-a
                 */
                subject?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether it could. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Access"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createDebit: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description 1 to 255 printable ASCII characters that name the work, so that it is charged once however often the request is repeated
                 * @example request_5f7c8ec7
                 */
                "idempotency-key": string;
            };
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateDebit"];
            };
        };
        responses: {
            /** @description The credits were taken. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Spend"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has too few credits (`insufficient_credits`); the problem has the numbers. */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The balance would be enough, but open holds reserve it (`credits_held`): try again after `Retry-After`, and do not top up. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAccountGrants: {
        parameters: {
            query?: {
                /**
                 * @description `open` (the default): those with credits left; `all`
                 * @example open
                 */
                state?: string;
                /**
                 * @description Grants per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 41_topup_019a0000000070008000000000000000
                 */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of grants. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grants"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listHolds: {
        parameters: {
            query?: {
                /**
                 * @description Only `open`
                 * @example open
                 */
                state?: string;
                /**
                 * @description Holds per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 1795262400000_hold_019a0000000070008000000000000000
                 */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of open holds. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Holds"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createHold: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description 1 to 255 printable ASCII characters that name the work
                 * @example request_5f7c8ec7
                 */
                "idempotency-key": string;
            };
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateHold"];
            };
        };
        responses: {
            /** @description The credits are reserved. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has too few credits (`insufficient_credits`); the problem has the numbers. */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The balance would be enough, but other holds reserve it (`credits_held`): try again after `Retry-After`. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAccountLimits: {
        parameters: {
            query?: {
                /**
                 * @description Only those of this subject
                 * @example team-a
                 */
                subject?: string;
                /**
                 * @description Limits per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example month_team-a
                 */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of limits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccountLimit: {
        parameters: {
            query?: {
                /**
                 * @description The part of the account; none for the whole account
                 * @example team-a
                 */
                subject?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
                /**
                 * @description `day`, `month` or `total`
                 * @example month
                 */
                period: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setAccountLimit: {
        parameters: {
            query?: {
                /**
                 * @description The part of the account; none for the whole account
                 * @example team-a
                 */
                subject?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
                /**
                 * @description `day`, `month` or `total`
                 * @example month
                 */
                period: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetLimit"];
            };
        };
        responses: {
            /** @description The limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeAccountLimit: {
        parameters: {
            query?: {
                /**
                 * @description The part of the account; none for the whole account
                 * @example team-a
                 */
                subject?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
                /**
                 * @description `day`, `month` or `total`
                 * @example month
                 */
                period: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is no such limit any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccountStatement: {
        parameters: {
            query: {
                /**
                 * @description The beginning
                 * @example 2026-11-01T00:00:00Z
                 */
                from: string;
                /**
                 * @description The end, which is not included, at most 366 days later; default now
                 * @example 2026-12-01T00:00:00Z
                 */
                to?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statement. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statement"];
                    "text/csv": string;
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAccountTransactions: {
        parameters: {
            query?: {
                /**
                 * @description Entries per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 41
                 */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of ledger entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transactions"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccountUsage: {
        parameters: {
            query: {
                /**
                 * @description The beginning, a full hour
                 * @example 2026-11-01T00:00:00Z
                 */
                from: string;
                /**
                 * @description The end, a full hour that is not included; default now
                 * @example 2026-12-01T00:00:00Z
                 */
                to?: string;
                /**
                 * @description `day` (the default), `hour` (at most 31 days), `operation` or `subject`; at most 366 days
                 * @example day
                 */
                by?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The usage. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEntitlement: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entitlement. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entitlement"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account never had credits (`unknown_account`). */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAdjustments: {
        parameters: {
            query?: {
                /**
                 * @description Adjustments per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 1795262400000_adjustment_019a0000000070008000000000000000
                 */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of adjustments. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adjustments"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createAdjustment: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description 1 to 255 printable ASCII characters; use a new key for each adjustment
                 * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
                 */
                "idempotency-key": string;
            };
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAdjustment"];
            };
        };
        responses: {
            /** @description The adjustment was made. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adjustment"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account never had credits, and `create` is not `true` (`unknown_account`). */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has fewer credits than requested to take (`insufficient_credits`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBalanceAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The threshold. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BalanceAlert"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setBalanceAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetBalanceAlert"];
            };
        };
        responses: {
            /** @description The threshold. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BalanceAlert"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeBalanceAlert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The threshold of the settings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BalanceAlert"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    blockAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BlockReason"];
            };
        };
        responses: {
            /** @description The account is blocked. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account never had credits (`unknown_account`). */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccountCurrency: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The currency. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountCurrency"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setAccountCurrency: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetAccountCurrency"];
            };
        };
        responses: {
            /** @description The currency in force now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountCurrency"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createGrant: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description 1 to 255 printable ASCII characters; use a new key for each grant
                 * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
                 */
                "idempotency-key": string;
            };
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateGrant"];
            };
        };
        responses: {
            /** @description The credits were given. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grant"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account never had credits, and `create` is not `true` (`unknown_account`). */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unblockAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The account id, percent-encoded
                 * @example user_1
                 */
                accountId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BlockReason"];
            };
        };
        responses: {
            /** @description The account is not blocked. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account never had credits (`unknown_account`). */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    adoptPurchases: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAdoption"];
            };
        };
        responses: {
            /** @description The result for each checkout session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adoptions"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEndpoints: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All endpoints. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoints"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateEndpoint"];
            };
        };
        responses: {
            /** @description The endpoint was created. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointWithSecret"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There are 20 endpoints already (`too_many_endpoints`), or the signing key is another one than that of the existing endpoints (`signing_key_changed`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is no such endpoint any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeEndpoint"];
            };
        };
        responses: {
            /** @description The endpoint as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEndpointDeliveries: {
        parameters: {
            query?: {
                /**
                 * @description `waiting`, `done` or `failed`; default all
                 * @example failed
                 */
                state?: string;
                /**
                 * @description Deliveries per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 41
                 */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointDeliveries"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEndpointDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
                /**
                 * @description The message's id
                 * @example msg_topup_paid_019a0000000070008000000000000000
                 */
                messageId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointDeliveryDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendMessage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
                /**
                 * @description The message's id
                 * @example msg_topup_paid_019a0000000070008000000000000000
                 */
                messageId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointDeliveryDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The endpoint is disabled (`endpoint_disabled`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendMessages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResendMessages"];
            };
        };
        responses: {
            /** @description The messages are on their way. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Resent"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The endpoint is disabled (`endpoint_disabled`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateEndpointSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint with its new secret. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointWithSecret"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The signing key is another one than that of the existing endpoints (`signing_key_changed`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The endpoint's id
                 * @example endpoint_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The test is on its way. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointTest"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The endpoint is disabled (`endpoint_disabled`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    voidGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the grant
                 * @example grant_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VoidGrant"];
            };
        };
        responses: {
            /** @description The grant has ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grant"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credits were bought (`grant_bought`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAllPlans: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All plans. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plans"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    applyPlans: {
        parameters: {
            query?: {
                /**
                 * @description Only say what would change
                 * @example true
                 */
                dryRun?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApplyPlans"];
            };
        };
        responses: {
            /** @description The plans are applied, or what applying them would change. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AppliedPlans"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider cannot sell plans (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listReconciliations: {
        parameters: {
            query?: {
                /**
                 * @description Number of reconciliations, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The latest reconciliations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reconciliations"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReconciliation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the reconciliation, or `latest`
                 * @example latest
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The reconciliation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reconciliation"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no reconciliation with that id, or none at all. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAllSubscriptions: {
        parameters: {
            query?: {
                /**
                 * @description Subscriptions per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 1795262400000_sub_1Qw2e3R4t5Y6u7I8
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of subscriptions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AllSubscriptions"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTopups: {
        parameters: {
            query?: {
                /**
                 * @description Only top-ups of this account
                 * @example user_1
                 */
                accountId?: string;
                /**
                 * @description Only top-ups in this state: `creating`, `open`, `processing`, `paid`, `expired` or `failed`
                 * @example paid
                 */
                state?: string;
                /**
                 * @description `true`: only top-ups that were paid more than once
                 * @example true
                 */
                surplus?: boolean;
                /**
                 * @description Top-ups per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 1795262400000_topup_019a0000000070008000000000000000
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of top-ups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Topups"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTopup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the top-up
                 * @example topup_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The details of the top-up. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopupDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkTopup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the top-up
                 * @example topup_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The top-up was checked at Stripe. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopupCheck"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider cannot tell (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTopupReceipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the top-up
                 * @example topup_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where the receipt is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider has no receipts (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createRefund: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description 1 to 255 printable ASCII characters; use a new key for each refund
                 * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
                 */
                "idempotency-key": string;
            };
            path: {
                /**
                 * @description The id of the top-up
                 * @example topup_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRefund"];
            };
        };
        responses: {
            /** @description The refund was made. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refund"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The refund is not possible: `topup_not_paid`, `already_refunded`, `amount_too_large`, `payment_disputed`, `nothing_unspent`, `surplus_has_no_credits`, `insufficient_funds`. Or it is not possible yet: `refund_in_progress`, `idempotency_key_in_use`. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `refund_not_possible`: Stripe does not refund this payment; `detail` contains Stripe's reason, and nothing was refunded. `idempotency_key_reused`: the key was already used with a different refund of this top-up. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It is not known whether the refund was made (`refund_unsettled`, `provider_unavailable`, `provider_rate_limited`), or the service is too busy. Repeat the request with the same key; the refund is made once. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewRefund: {
        parameters: {
            query?: {
                /**
                 * @description Number of credits to refund, without the fee line
                 * @example 100
                 */
                credits?: number;
                /**
                 * @description Amount to refund, in minor units; without `credits`, `amount` and `unspent`, everything that is left
                 * @example 100
                 */
                amount?: number;
                /**
                 * @description `true`: the price of what remains unspent of this top-up's credits
                 * @example false
                 */
                unspent?: boolean;
                /**
                 * @description A surplus payment of the top-up; by default the credited payment
                 * @example pi_3a1b2c3
                 */
                paymentId?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The id of the top-up
                 * @example topup_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The effect of the refund. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFailedWebhookEvents: {
        parameters: {
            query?: {
                /**
                 * @description `open` (default), `resolved`, `closed` or `all`
                 * @example open
                 */
                state?: string;
                /**
                 * @description `transient`, `permanent` or `all` (default)
                 * @example transient
                 */
                kind?: string;
                /**
                 * @description Events per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 1800000000000_evt_1a2b3c
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of failed events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FailedWebhookEvents"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getFailedWebhookEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The provider's id of the event
                 * @example evt_1a2b3c
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The failed event. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FailedWebhookDelivery"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no failed event with that id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    acceptFailedWebhookEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The provider's id of the event
                 * @example evt_1a2b3c
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptWebhookEvent"];
            };
        };
        responses: {
            /** @description The event was accepted; `outcome` says whether credits were added. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedWebhookEvent"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no failed event with that id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_acceptable`: the event is not a payment of a known top-up, the amount does not differ, something other than the amount differs, or the amount is less than agreed. `payload_erased`: the payload was erased or never stored, and Stripe does not return the event. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider cannot tell (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    closeFailedWebhookEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The provider's id of the event
                 * @example evt_1a2b3c
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CloseWebhookEvent"];
            };
        };
        responses: {
            /** @description The event was closed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FailedWebhookEvent"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no failed event with that id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The event is already closed or resolved (`not_open`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replayFailedWebhookEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The provider's id of the event
                 * @example evt_1a2b3c
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event was replayed; see `outcome`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayedWebhookEvent"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no failed event with that id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payload was erased or never stored (`payload_erased`); resend the event from Stripe's dashboard. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAutoTopup: {
        parameters: {
            query?: {
                /**
                 * @description The account; defaults to that of the credentials
                 * @example user_1
                 */
                accountId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The auto top-up; its state is `off` if it was never turned on. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutoTopup"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No cards are saved (`saved_cards_off`) or charged (`auto_topup_off`) here. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setAutoTopup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetAutoTopup"];
            };
        };
        responses: {
            /** @description The auto top-up. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutoTopup"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such saved card (`no_saved_card`), or it has expired (`card_expired`); or no cards are saved (`saved_cards_off`) or charged (`auto_topup_off`) here. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createAutoTopupRecovery: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRecovery"];
            };
        };
        responses: {
            /** @description The page is open. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedSession"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No payment waits for the customer (`recovery_not_needed`); or no cards are saved (`saved_cards_off`) or charged (`auto_topup_off`) here. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getBalance: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The balance; all zeros for an account that never had credits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credits"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccess: {
        parameters: {
            query?: {
                /**
                 * @description How many credits; default 1
                 * @example 12
                 */
                credits?: number;
                /**
                 * @description The part of the account that would spend
                 * @example team-a
                 */
                subject?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether it could. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Access"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createDebits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DebitBatch"];
            };
        };
        responses: {
            /** @description The results, in the order of the debits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchResults"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDebit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the spend
                 * @example spend_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The spend. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpendDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refundDebit: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description 1 to 255 printable ASCII characters that name the refund
                 * @example refund_5f7c8ec7
                 */
                "idempotency-key": string;
            };
            path: {
                /**
                 * @description The id of the spend
                 * @example spend_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSpendRefund"];
            };
        };
        responses: {
            /** @description The credits were given back. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpendRefund"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Everything was given back already (`nothing_to_refund`), or more is asked for than is left (`amount_too_large`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listGrants: {
        parameters: {
            query?: {
                /**
                 * @description `open` (the default): those with credits left; `all`
                 * @example open
                 */
                state?: string;
                /**
                 * @description Grants per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 41_topup_019a0000000070008000000000000000
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of grants. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grants"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the hold
                 * @example hold_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hold. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    captureHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the hold
                 * @example hold_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CaptureHold"];
            };
        };
        responses: {
            /** @description The credits were taken. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Spend"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description With `reject`: the account has too few credits (`insufficient_credits`). */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hold was captured with another number of credits (`hold_captured`) or released (`hold_released`); or, with `reject`, other holds reserve the credits (`credits_held`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    extendHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the hold
                 * @example hold_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExtendHold"];
            };
        };
        responses: {
            /** @description The hold. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has too few credits (`insufficient_credits`). */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Other holds reserve the credits (`credits_held`), or the hold is no longer open (`hold_captured`, `hold_released`, `hold_expired`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the hold
                 * @example hold_019a0000000070008000000000000000
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hold reserves nothing any more. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The hold was captured (`hold_captured`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLimits: {
        parameters: {
            query?: {
                /**
                 * @description Only those of this subject
                 * @example team-a
                 */
                subject?: string;
                /**
                 * @description Limits per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example month_team-a
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of limits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLimit: {
        parameters: {
            query?: {
                /**
                 * @description The part of the account; none for the whole account
                 * @example team-a
                 */
                subject?: string;
            };
            header?: never;
            path: {
                /**
                 * @description `day`, `month` or `total`
                 * @example month
                 */
                period: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQuote: {
        parameters: {
            query?: {
                /**
                 * @description The number of credits; by default the smallest that can be bought
                 * @example 250
                 */
                credits?: number;
                /**
                 * @description The currency; by default the main one
                 * @example usd
                 */
                currency?: string;
                /**
                 * @description The country that issued the saved card to be charged, as two letters
                 * @example US
                 */
                cardCountry?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The price, line by line. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Quote"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCheckout: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description 1 to 255 printable ASCII characters; use a new key for each top-up
                 * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
                 */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSession"];
            };
        };
        responses: {
            /** @description The checkout session is open. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedSession"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The first request with this key is still running (`idempotency_key_in_use`), or its checkout session was paid or has expired (`session_ended`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account opens too many checkouts per minute (`rate_limited`) or has too many open ones (`too_many_open_checkouts`); or there were too many requests without valid credentials (`rate_limited`). `Retry-After` says when to try again. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCheckout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the checkout session
                 * @example cs_test_a1b2c3
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current state of the top-up. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such checkout session, or it is not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Tokens cannot be verified at the moment, or the service is too busy; try again later. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReceipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the checkout session
                 * @example cs_test_a1b2c3
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where the receipt is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider has no receipts (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStatement: {
        parameters: {
            query: {
                /**
                 * @description The beginning
                 * @example 2026-11-01T00:00:00Z
                 */
                from: string;
                /**
                 * @description The end, which is not included, at most 366 days later; default now
                 * @example 2026-12-01T00:00:00Z
                 */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statement. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statement"];
                    "text/csv": string;
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTransactions: {
        parameters: {
            query?: {
                /**
                 * @description Entries per page, 1 to 100; default 20
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description The `nextCursor` of the previous page
                 * @example 41
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of ledger entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transactions"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getUsage: {
        parameters: {
            query: {
                /**
                 * @description The beginning, a full hour
                 * @example 2026-11-01T00:00:00Z
                 */
                from: string;
                /**
                 * @description The end, a full hour that is not included; default now
                 * @example 2026-12-01T00:00:00Z
                 */
                to?: string;
                /**
                 * @description `day` (the default), `hour` (at most 31 days), `operation` or `subject`; at most 366 days
                 * @example day
                 */
                by?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The usage. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process is running. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The service can handle requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The request did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPaymentMethods: {
        parameters: {
            query?: {
                /**
                 * @description The account; defaults to that of the credentials
                 * @example user_1
                 */
                accountId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cards. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedCards"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No cards are saved here (`saved_cards_off`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setDefaultPaymentMethod: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetDefaultCard"];
            };
        };
        responses: {
            /** @description The cards. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedCards"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No cards are saved here (`saved_cards_off`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCardSetup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateCardSetup"];
            };
        };
        responses: {
            /** @description The page is open. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedSession"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No cards are saved here (`saved_cards_off`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removePaymentMethod: {
        parameters: {
            query?: {
                /**
                 * @description The account; defaults to that of the credentials
                 * @example user_1
                 */
                accountId?: string;
            };
            header?: never;
            path: {
                /**
                 * @description The id of the card
                 * @example pm_1a2b3c
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The card is removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No cards are saved here (`saved_cards_off`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPlans: {
        parameters: {
            query?: {
                /**
                 * @description The currency; by default all of them
                 * @example usd
                 */
                currency?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The plans, in the order of their ids. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plans"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createPortalSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreatePortalSession"];
            };
        };
        responses: {
            /** @description The portal is open. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalSession"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account never had a checkout (`no_customer`), has no running subscription (`no_subscription`), or the portal cannot change plans beside a fee line (`portal_cannot_change`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider has no portal (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSubscriptions: {
        parameters: {
            query?: {
                /**
                 * @description The account; for API keys and tokens with the admin scope
                 * @example user_1
                 */
                accountId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The subscriptions, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscriptions"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createSubscriptionCheckout: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description 1 to 255 printable ASCII characters; use a new key for each subscription
                 * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
                 */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSubscriptionSession"];
            };
        };
        responses: {
            /** @description The checkout session is open. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedSession"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has a running subscription (`subscription_exists`), the plan has no price in the currency (`plan_not_for_sale`), or the first request with this key is still running (`idempotency_key_in_use`) or its checkout has ended (`session_ended`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The key was already used with a different request (`idempotency_key_reused`). */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the subscription
                 * @example sub_1Qw2e3R4t5Y6u7I8
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The subscription. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionDetails"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the subscription
                 * @example sub_1Qw2e3R4t5Y6u7I8
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelSubscription"];
            };
        };
        responses: {
            /** @description The subscription, which ends at `cancelAt` or has ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscription"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The subscription does not run (`subscription_not_running`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider keeps no subscriptions (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the subscription
                 * @example sub_1Qw2e3R4t5Y6u7I8
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePlan"];
            };
        };
        responses: {
            /** @description The subscription afterwards. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscription"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The latest invoice is not paid (`subscription_past_due`), the plan is the same (`same_plan`) or has no price in the currency (`plan_not_for_sale`), an earlier change waits (`change_pending`), the subscription does not run (`subscription_not_running`) or has no plan (`subscription_without_plan`), or the payment was refused (`change_refused`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider keeps no subscriptions (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewSubscriptionChange: {
        parameters: {
            query: {
                /**
                 * @description The plan to change to
                 * @example pro
                 */
                planId: string;
            };
            header?: never;
            path: {
                /**
                 * @description The id of the subscription
                 * @example sub_1Qw2e3R4t5Y6u7I8
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the change would cost. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePreview"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The plan cannot be changed now; the codes are those of the change. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider keeps no subscriptions (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeSubscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of the subscription
                 * @example sub_1Qw2e3R4t5Y6u7I8
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The subscription, which goes on. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Subscription"];
                };
            };
            /** @description The request is invalid; `errors` lists the invalid fields, if any. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are missing or invalid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credentials are not valid for this account, or lack the scope for this request. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not found, or not visible to the caller. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The subscription has ended (`subscription_not_running`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
             *     does not apply to requests with valid credentials.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error. The log has the cause under the `x-request-id` of this response. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The payment provider keeps no subscriptions (`provider_unsupported`). */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
             *     opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
             */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
             *     tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
             */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Stripe did not answer in time (`provider_timeout`). */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    receiveStripeEvent: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description `t=<seconds>,v1=<HMAC-SHA256 of the time and the raw body>`
                 * @example t=1800000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd
                 */
                "stripe-signature": string;
            };
            path?: never;
            cookie?: never;
        };
        /** @description The event exactly as Stripe sent it, at most 1 MiB */
        requestBody: {
            content: {
                "application/json": number[];
            };
        };
        responses: {
            /** @description The event was processed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Received"];
                };
            };
            /** @description The signature is invalid or its time is too far off, or the body is not an event. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body did not arrive in time. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The `Content-Encoding` is not supported; only gzip and deflate are. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The event had no effect; Stripe should retry. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service cannot handle the request at the moment; `Retry-After` says when to try again. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
