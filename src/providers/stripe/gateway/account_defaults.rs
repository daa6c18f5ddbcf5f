//! Sets every checkout option explicitly that the Stripe account's settings could otherwise switch on.
//!
//! An omitted parameter gets the account's default, today's or a later one: tax that was not agreed could be added
//! after the customer entered an address, a promotion code could lower the total, the page could ask for a phone number. The customer must
//! pay what was agreed, so nothing is omitted. A parameter that has no value for "off" is not an account default and is
//! not sent.

use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionAfterExpiration,
    CreateCheckoutSessionAfterExpirationRecovery, CreateCheckoutSessionAutomaticTax,
    CreateCheckoutSessionConsentCollection, CreateCheckoutSessionConsentCollectionPromotions,
    CreateCheckoutSessionConsentCollectionTermsOfService, CreateCheckoutSessionCustomerCreation,
    CreateCheckoutSessionInvoiceCreation, CreateCheckoutSessionManagedPayments, CreateCheckoutSessionNameCollection,
    CreateCheckoutSessionNameCollectionBusiness, CreateCheckoutSessionNameCollectionIndividual,
    CreateCheckoutSessionPhoneNumberCollection, CreateCheckoutSessionTaxIdCollection,
    CreateCheckoutSessionWalletOptions, CreateCheckoutSessionWalletOptionsLink,
    CreateCheckoutSessionWalletOptionsLinkDisplay,
};
use stripe_shared::CheckoutSessionBillingAddressCollection;

use crate::providers::port::TaxRequest;

/// Switches all of these options off except agreed tax. Link stays on if the operator offers it, by name or by leaving the choice to the
/// dashboard.
pub(super) fn refuse(
    session: CreateCheckoutSession,
    payment_methods: &[String],
    has_customer: bool,
    tax: Option<&TaxRequest>,
) -> CreateCheckoutSession {
    // Stripe accepts this option only where no customer is named.
    let session = if has_customer {
        session
    } else {
        session.customer_creation(CreateCheckoutSessionCustomerCreation::IfRequired)
    };
    let has_tax = tax.is_some();
    let offers_link = payment_methods.is_empty() || payment_methods.iter().any(|method| method == "link");
    session
        .adaptive_pricing(adaptive_pricing())
        .after_expiration(after_expiration())
        .allow_promotion_codes(false)
        .automatic_tax(CreateCheckoutSessionAutomaticTax::new(has_tax))
        .billing_address_collection(address_collection(has_tax))
        .consent_collection(consent_collection())
        .invoice_creation(CreateCheckoutSessionInvoiceCreation::new(false))
        .managed_payments(managed_payments())
        .name_collection(name_collection())
        .phone_number_collection(CreateCheckoutSessionPhoneNumberCollection::new(false))
        .tax_id_collection(CreateCheckoutSessionTaxIdCollection::new(tax.is_some_and(|tax| tax.asks_ids)))
        .wallet_options(wallet_options(offers_link))
}

/// The tax follows from the address.
const fn address_collection(has_tax: bool) -> CheckoutSessionBillingAddressCollection {
    if has_tax {
        CheckoutSessionBillingAddressCollection::Required
    } else {
        CheckoutSessionBillingAddressCollection::Auto
    }
}

fn adaptive_pricing() -> CreateCheckoutSessionAdaptivePricing {
    let mut pricing = CreateCheckoutSessionAdaptivePricing::new();
    pricing.enabled = Some(false);
    pricing
}

/// A recovered checkout would be a session without an agreement.
fn after_expiration() -> CreateCheckoutSessionAfterExpiration {
    let mut after = CreateCheckoutSessionAfterExpiration::new();
    after.recovery = Some(CreateCheckoutSessionAfterExpirationRecovery::new(false));
    after
}

fn consent_collection() -> CreateCheckoutSessionConsentCollection {
    let mut consent = CreateCheckoutSessionConsentCollection::new();
    consent.promotions = Some(CreateCheckoutSessionConsentCollectionPromotions::None);
    consent.terms_of_service = Some(CreateCheckoutSessionConsentCollectionTermsOfService::None);
    consent
}

/// With managed payments, Stripe is the seller and adds tax.
fn managed_payments() -> CreateCheckoutSessionManagedPayments {
    let mut managed = CreateCheckoutSessionManagedPayments::new();
    managed.enabled = Some(false);
    managed
}

fn name_collection() -> CreateCheckoutSessionNameCollection {
    let mut names = CreateCheckoutSessionNameCollection::new();
    names.business = Some(CreateCheckoutSessionNameCollectionBusiness::new(false));
    names.individual = Some(CreateCheckoutSessionNameCollectionIndividual::new(false));
    names
}

fn wallet_options(offers_link: bool) -> CreateCheckoutSessionWalletOptions {
    use CreateCheckoutSessionWalletOptionsLinkDisplay::{Auto, Never};
    let mut link = CreateCheckoutSessionWalletOptionsLink::new();
    link.display = Some(if offers_link { Auto } else { Never });
    let mut wallets = CreateCheckoutSessionWalletOptions::new();
    wallets.link = Some(link);
    wallets
}
