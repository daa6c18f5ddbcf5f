//! Recipes for refunds and disputes.

use super::{
    payments::intent,
    recipe::{Recipe, Step, get, post},
};

const PATH: &str = "/v1/payment_intents";
const CONFIRM: (&str, &str) = ("confirm", "true");

const PAID: Step = intent!(("payment_method", "pm_card_visa"), CONFIRM);
const REFUND: Step = post("refund", "/v1/refunds", &[("payment_intent", "${payment_intent:id}")]);
const NOTE_REFUND: Step = post("update", "/v1/refunds/${refund:id}", &[("metadata[trigger]", "updated")]);

const INQUIRY: Step = intent!(("payment_method", "pm_card_createDisputeInquiry"), CONFIRM);
const CHARGEBACK: Step = intent!(("payment_method", "pm_card_createDispute"), CONFIRM);
const DISPUTES: Step = get("disputes", "/v1/disputes?payment_intent=${payment_intent:id}");

pub(super) const RECIPES: &[Recipe] = &[
    Recipe { name: "charge.refunded", steps: &[PAID, REFUND] },
    Recipe { name: "charge.refund.updated", steps: &[PAID, REFUND, NOTE_REFUND] },
    Recipe { name: "refund.created", steps: &[PAID, REFUND] },
    Recipe { name: "refund.updated", steps: &[PAID, REFUND, NOTE_REFUND] },
    Recipe {
        name: "refund.failed",
        steps: &[
            intent!(("payment_method", "pm_card_refundFail"), CONFIRM),
            REFUND,
            // On its own it would fail a few seconds later.
            post("fail", "/_sandbox/refunds/${refund:id}", &[("status", "failed")]),
        ],
    },
    // An inquiry, as in the Stripe CLI: no money is withdrawn.
    Recipe { name: "charge.dispute.created", steps: &[INQUIRY] },
    Recipe {
        name: "charge.dispute.updated",
        steps: &[
            INQUIRY,
            DISPUTES,
            post("update", "/v1/disputes/${disputes:data.0.id}", &[("metadata[trigger]", "updated")]),
        ],
    },
    Recipe {
        name: "charge.dispute.closed",
        steps: &[INQUIRY, DISPUTES, post("close", "/v1/disputes/${disputes:data.0.id}/close", &[])],
    },
    Recipe { name: "charge.dispute.funds_withdrawn", steps: &[CHARGEBACK] },
    Recipe {
        name: "charge.dispute.funds_reinstated",
        steps: &[
            CHARGEBACK,
            DISPUTES,
            post(
                "answer",
                "/v1/disputes/${disputes:data.0.id}",
                &[("evidence[uncategorized_text]", "winning_evidence")],
            ),
        ],
    },
];
