/** The stable codes of the API's problems. Newer services may send others, so `TopupErrorCode` stays open. */
export const CODES = [
  "account_blocked", "account_forbidden", "admin_required", "already_refunded", "ambiguous_credentials",
  "amount_too_large", "amount_too_small", "api_key_required", "auto_topup_off", "body_too_large", "card_expired",
  "change_pending", "change_refused", "checkout_unsettled", "credits_held", "database_unavailable", "endpoint_disabled",
  "grant_bought", "hold_captured", "hold_expired", "hold_released", "host_not_loopback", "idempotency_key_in_use",
  "idempotency_key_required", "idempotency_key_reused", "insufficient_credits", "insufficient_funds", "internal_error",
  "invalid_api_key", "invalid_body", "invalid_json", "invalid_request", "invalid_token", "invalid_webhook",
  "keys_unavailable", "method_not_allowed", "missing_credentials", "no_customer", "no_saved_card", "no_subscription",
  "not_acceptable", "not_found", "not_open", "not_ready", "nothing_to_refund", "nothing_unspent", "payload_erased",
  "payment_disputed", "plan_not_for_sale", "portal_cannot_change", "provider_mismatch", "provider_no_url",
  "provider_rate_limited", "provider_refused", "provider_timeout", "provider_unavailable", "provider_unsupported",
  "rate_limited", "recovery_not_needed", "refund_in_progress", "refund_not_possible", "refund_unsettled",
  "request_timeout", "same_plan", "saved_cards_off", "scope_missing", "session_ended", "spend_limit_reached",
  "subscription_exists", "subscription_not_running", "subscription_past_due", "subscription_without_plan",
  "surplus_has_no_credits", "too_busy", "too_many_endpoints", "too_many_open_checkouts", "topup_not_paid",
  "unknown_account", "unsupported_content_encoding", "unsupported_media_type",
] as const;

/** A code that this version of the client knows. */
export type KnownCode = (typeof CODES)[number];

/**
 * What the client itself reports: `network_error` (no answer, or one that broke off), `timeout`, `token_unavailable`
 * (your `token` function failed), `unexpected_answer` (not an answer of Topup's, perhaps a proxy's).
 */
export type ClientCode = "network_error" | "timeout" | "token_unavailable" | "unexpected_answer";

/** Known codes are completed by editors; any other text is allowed, too. */
export type TopupErrorCode = KnownCode | ClientCode | (string & Record<never, never>);
