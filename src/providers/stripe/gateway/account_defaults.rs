//! Everything that the Stripe account's own settings can switch on in a checkout, said explicitly.
//!
//! What a request leaves out, a default of the account decides, today's or tomorrow's: tax would be added after the
//! customer typed an address, a promotion code would lower the total, the page would ask for a phone number. What was
//! agreed is what the customer pays, so nothing is left out. A parameter of Stripe's that has no value for "off" is not
//! a default of the account and is not sent.

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

/// Switches all of it off. Link stays where the operator offers it, by its name or by leaving the choice to the dashboard.
pub(super) fn refuse(session: CreateCheckoutSession, payment_methods: &[String]) -> CreateCheckoutSession {
    let offers_link = payment_methods.is_empty() || payment_methods.iter().any(|method| method == "link");
    session
        .adaptive_pricing(adaptive_pricing())
        .after_expiration(after_expiration())
        .allow_promotion_codes(false)
        .automatic_tax(CreateCheckoutSessionAutomaticTax::new(false))
        .billing_address_collection(CheckoutSessionBillingAddressCollection::Auto)
        .consent_collection(consent_collection())
        .customer_creation(CreateCheckoutSessionCustomerCreation::IfRequired)
        .invoice_creation(CreateCheckoutSessionInvoiceCreation::new(false))
        .managed_payments(managed_payments())
        .name_collection(name_collection())
        .phone_number_collection(CreateCheckoutSessionPhoneNumberCollection::new(false))
        .tax_id_collection(CreateCheckoutSessionTaxIdCollection::new(false))
        .wallet_options(wallet_options(offers_link))
}

fn adaptive_pricing() -> CreateCheckoutSessionAdaptivePricing {
    let mut pricing = CreateCheckoutSessionAdaptivePricing::new();
    pricing.enabled = Some(false);
    pricing
}

/// A recovered checkout would be a session that nobody agreed to.
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

/// With them Stripe is the seller and adds tax.
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
