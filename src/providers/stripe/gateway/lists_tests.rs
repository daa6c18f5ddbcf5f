use super::*;
use crate::domain::ids::PaymentId;
use crate::providers::stripe::gateway::money;
use crate::providers::stripe::gateway::permissions::owner_by_session;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::transport::{Answer, Request, TransportError};

/// A Stripe that gives every request the same response.
struct Always(&'static str);

impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Answer, TransportError> {
        Ok(Answer { status: 200, request_id: None, body: self.0.as_bytes().to_vec() })
    }
}

/// An object that is not listed is created again: a refund, a checkout session.
#[tokio::test]
async fn an_empty_page_of_a_list_that_goes_on_is_not_its_end() {
    let stripe = Always(r#"{"object": "list", "data": [], "has_more": true}"#);
    let payment = PaymentId::parse(NAME, "pi_1").expect("an id");
    assert!(money::find_refund(&stripe, &payment, "refund_1").await.is_err());
    assert!(money::refunds_of(&stripe, &payment).await.is_err());
    assert!(money::disputes_of(&stripe, &payment).await.is_err());
    assert!(checkout_of(&stripe, &TopupId::from_bits(1), (0, 1)).await.is_err());
    assert!(checkouts(&stripe, 0, None).await.is_err());
    assert!(refunds(&stripe, 0, None).await.is_err());
    assert!(disputes(&stripe, 0, None).await.is_err());
    assert!(owner_by_session(&stripe, &payment).await.is_err());
}

#[tokio::test]
async fn an_empty_list_is_read_to_its_end() {
    let stripe = Always(r#"{"object": "list", "data": [], "has_more": false}"#);
    let payment = PaymentId::parse(NAME, "pi_1").expect("an id");
    assert_eq!(money::find_refund(&stripe, &payment, "refund_1").await.expect("an answer"), None);
    assert!(checkout_of(&stripe, &TopupId::from_bits(1), (0, 1)).await.expect("an answer").is_none());
    assert_eq!(refunds(&stripe, 0, None).await.expect("an answer").next, None);
}
