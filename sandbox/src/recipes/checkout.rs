//! Recipes for checkout sessions, and for what only a bank debit does.

use super::recipe::{Recipe, Step, get, post};

const SESSION: Step = post(
    "session",
    "/v1/checkout/sessions",
    &[
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1500"),
        ("line_items[0][price_data][product_data][name]", "Trigger"),
        ("line_items[0][quantity]", "2"),
        ("success_url", "https://example.com/success"),
        ("cancel_url", "https://example.com/cancel"),
    ],
);

const DEBIT_SESSION: Step = post(
    "session",
    "/v1/checkout/sessions",
    &[
        ("mode", "payment"),
        ("allowed_payment_method_types[0]", "sepa_debit"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][unit_amount]", "1500"),
        ("line_items[0][price_data][product_data][name]", "Trigger"),
        ("line_items[0][quantity]", "2"),
        ("payment_intent_data[setup_future_usage]", "off_session"),
        ("success_url", "https://example.com/success"),
        ("cancel_url", "https://example.com/cancel"),
    ],
);

const PAGE: Step = get("page", "/v1/payment_pages/${session:id}");

macro_rules! debit {
    ($iban:literal) => {
        post(
            "confirm",
            "/v1/payment_pages/${session:id}/confirm",
            &[
                ("payment_method_data[type]", "sepa_debit"),
                ("payment_method_data[sepa_debit][iban]", $iban),
                ("payment_method_data[billing_details][name]", "Jane Doe"),
                ("payment_method_data[billing_details][email]", "jane@example.com"),
                ("expected_amount", "${session:amount_total}"),
            ],
        )
    };
}

pub(super) const RECIPES: &[Recipe] = &[
    Recipe {
        name: "checkout.session.completed",
        steps: &[
            SESSION,
            PAGE,
            post(
                "confirm",
                "/v1/payment_pages/${session:id}/confirm",
                &[("payment_method", "pm_card_visa"), ("expected_amount", "${session:amount_total}")],
            ),
        ],
    },
    Recipe {
        name: "checkout.session.async_payment_succeeded",
        steps: &[DEBIT_SESSION, PAGE, debit!("AT611904300234573201")],
    },
    Recipe {
        name: "checkout.session.async_payment_failed",
        steps: &[DEBIT_SESSION, PAGE, debit!("AT861904300235473202")],
    },
    // This debit takes three minutes, which leaves time to look at it.
    Recipe { name: "payment_intent.processing", steps: &[DEBIT_SESSION, PAGE, debit!("AT321904300235473204")] },
    Recipe {
        name: "checkout.session.expired",
        steps: &[SESSION, post("expire", "/v1/checkout/sessions/${session:id}/expire", &[])],
    },
];
