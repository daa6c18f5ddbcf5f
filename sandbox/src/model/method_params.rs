//! A payment method as the parameters of a request describe it: in `POST /v1/payment_methods`, and as
//! `payment_method_data` of an intent.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Context,
    address::{ADDRESS, Address},
    card::Outcome,
    card_entry::{self, CardParams},
    email::check_email,
    error::ApiError,
    payment::PaymentMethod,
    sepa,
    spec::{Field, Kind, optional, required},
};

const TEXT: Kind = Kind::Text(5_000);
pub(crate) const REDISPLAY: Kind = Kind::OneOf(&["always", "limited", "unspecified"]);

const CARD: &[Field] = &[
    optional("number", TEXT),
    optional("exp_month", Kind::Integer(0)),
    optional("exp_year", Kind::Integer(0)),
    optional("cvc", TEXT),
    optional("token", TEXT),
];

/// `billing_details`.
pub(crate) const BILLING: &[Field] = &[
    optional("address", Kind::Unset(&Kind::Object(ADDRESS))),
    optional("email", Kind::Unset(&TEXT)),
    optional("name", Kind::Unset(&TEXT)),
    optional("phone", Kind::Unset(&TEXT)),
];

/// The parameters of a payment method.
pub(crate) const METHOD: &[Field] = &[
    required("type", Kind::OneOf(&["card", "customer_balance", "sepa_debit"])),
    optional("customer_balance", Kind::Object(&[])),
    optional("card", Kind::Object(CARD)),
    optional("sepa_debit", Kind::Object(&[required("iban", TEXT)])),
    optional("billing_details", Kind::Object(BILLING)),
    optional("allow_redisplay", REDISPLAY),
    optional("metadata", Kind::Metadata),
];

/// Where the customer agreed. The sandbox checks it and needs it no more.
pub(crate) const MANDATE_DATA: Field = optional(
    "mandate_data",
    Kind::Object(&[required(
        "customer_acceptance",
        Kind::Object(&[
            required("type", Kind::OneOf(&["offline", "online"])),
            optional("accepted_at", Kind::Integer(0)),
            optional("offline", Kind::Object(&[])),
            optional("online", Kind::Object(&[optional("ip_address", TEXT), optional("user_agent", TEXT)])),
        ]),
    )]),
);
/// `payment_method_options` of a payment intent: how the customer sends the money.
pub(crate) const METHOD_OPTIONS: Field = optional(
    "payment_method_options",
    Kind::Object(&[optional(
        "customer_balance",
        Kind::Object(&[
            optional("funding_type", Kind::OneOf(&["bank_transfer"])),
            optional(
                "bank_transfer",
                Kind::Object(&[
                    required("type", TEXT),
                    optional("eu_bank_transfer", Kind::Object(&[required("country", Kind::Text(2))])),
                ]),
            ),
        ]),
    )]),
);

/// What the request said.
#[derive(Debug, Deserialize)]
pub(crate) struct MethodParams {
    r#type: String,
    card: Option<WantedCard>,
    sepa_debit: Option<WantedDebit>,
    #[serde(default)]
    billing_details: Billing,
    allow_redisplay: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct WantedCard {
    number: Option<String>,
    exp_month: Option<i64>,
    exp_year: Option<i64>,
    cvc: Option<String>,
    token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WantedDebit {
    iban: String,
}

/// Who pays with it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Billing {
    pub(crate) address: Option<Address>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
}

impl MethodParams {
    /// The payment method. `at` is the parameter that these are inside, or empty.
    pub(crate) fn build(self, context: &mut Context<'_>, at: &str) -> Result<PaymentMethod, ApiError> {
        let name = |param: &str| if at.is_empty() { param.to_owned() } else { format!("{at}[{param}]") };
        check_email(self.billing_details.email.as_deref(), &name("billing_details[email]"))?;
        let method = match (self.r#type.as_str(), self.card, self.sepa_debit) {
            ("card", Some(card), None) => card.build(context, &name("card"))?,
            ("sepa_debit", None, Some(debit)) => sepa::from_iban(&debit.iban, context)?,
            ("customer_balance", None, None) => {
                PaymentMethod { bank_transfer: true, ..PaymentMethod::new(context, Outcome::Delayed) }
            }
            (kind, None, None) => return Err(ApiError::missing_param(&name(kind))),
            (kind, _, _) => {
                let message = format!("You can only pass the details of the type `{kind}`.");
                return Err(ApiError::invalid(message).param(name("type")));
            }
        };
        Ok(PaymentMethod {
            email: self.billing_details.email,
            name: self.billing_details.name,
            phone: self.billing_details.phone,
            address: self.billing_details.address,
            allow_redisplay: self.allow_redisplay.unwrap_or(method.allow_redisplay),
            metadata: self.metadata,
            ..method
        })
    }
}

impl WantedCard {
    fn build(self, context: &mut Context<'_>, at: &str) -> Result<PaymentMethod, ApiError> {
        if let Some(token) = &self.token {
            return card_entry::from_token(token, &format!("{at}[token]"), context);
        }
        let missing = |name: &str| ApiError::missing_param(&format!("{at}[{name}]"));
        let typed = CardParams {
            number: self.number.ok_or_else(|| missing("number"))?,
            exp_month: self.exp_month.ok_or_else(|| missing("exp_month"))?,
            exp_year: self.exp_year.ok_or_else(|| missing("exp_year"))?,
            cvc: self.cvc,
        };
        card_entry::from_card(&typed, context)
    }
}
