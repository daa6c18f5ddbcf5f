//! Recipes for payment intents and charges.

use super::recipe::{Recipe, Step, post};

const PATH: &str = "/v1/payment_intents";

macro_rules! intent {
    ($($more:expr),*) => {
        post("payment_intent", PATH, &[("amount", "2000"), ("currency", "usd"), ("description", "Trigger"), $($more),*])
    };
}
pub(super) use intent;

const CONFIRM: (&str, &str) = ("confirm", "true");
const VISA: (&str, &str) = ("payment_method", "pm_card_visa");
const PAID: Step = intent!(VISA, CONFIRM);
const RESERVED: Step = intent!(VISA, CONFIRM, ("capture_method", "manual"));
const DECLINED: Step = intent!(("payment_method", "pm_card_chargeDeclined"), CONFIRM).fails_with("card_error");

pub(super) const RECIPES: &[Recipe] = &[
    Recipe { name: "payment_intent.created", steps: &[intent!()] },
    Recipe { name: "payment_intent.succeeded", steps: &[PAID] },
    Recipe {
        name: "payment_intent.canceled",
        steps: &[intent!(), post("cancel", "/v1/payment_intents/${payment_intent:id}/cancel", &[])],
    },
    Recipe {
        name: "payment_intent.requires_action",
        steps: &[intent!(("payment_method", "pm_card_authenticationRequired"), CONFIRM)],
    },
    Recipe { name: "payment_intent.payment_failed", steps: &[DECLINED] },
    Recipe { name: "payment_intent.amount_capturable_updated", steps: &[RESERVED] },
    Recipe { name: "charge.succeeded", steps: &[PAID] },
    Recipe { name: "charge.failed", steps: &[DECLINED] },
    Recipe {
        name: "charge.captured",
        steps: &[RESERVED, post("capture", "/v1/payment_intents/${payment_intent:id}/capture", &[])],
    },
    Recipe { name: "charge.updated", steps: &[PAID] },
];
