//! Stripe's event and answers for the renewal of a subscription. Recorded once from the sandbox's model, with a
//! placeholder for the number of the benchmark's subscription.

use serde_json::Value;
use stripe_sandbox::{DEFAULT_API_VERSION, Model, ModelRequest};

use crate::event::{SECRET, delivery};
use crate::failure::Failure;
use crate::load::Request;

/// The price of the plan at Stripe, and what it costs and brings each period.
pub const PRICE: &str = "price_of_the_benchmark";
pub const AMOUNT: u64 = 1_000;
pub const CREDITS: u64 = 1_000;
const NUMBER: &str = "~number~";

/// The bodies.
#[derive(Debug, Clone)]
pub struct Renewal {
    event: String,
    invoice: String,
    subscription: String,
}

impl Renewal {
    /// # Errors
    /// If the model does not behave as expected.
    pub fn record(now_ms: i64) -> Result<Self, Failure> {
        let mut model = Model::seeded(1, "https://checkout.stripe.com");
        let mut ask = |method: &str, path: &str, form: &str| -> Result<Value, Failure> {
            let (idempotency_key, api_version) = (None, DEFAULT_API_VERSION);
            let answer = model.request(&ModelRequest { method, path, form, idempotency_key, api_version }, now_ms);
            if answer.status == 200 { Ok(answer.body) } else { Err(format!("{path}: {}", answer.body).into()) }
        };
        ask("POST", "/v1/products", "id=prod_of_the_benchmark&name=Benchmark")?;
        let form = format!("product=prod_of_the_benchmark&currency=usd&unit_amount={AMOUNT}&recurring[interval]=month");
        let price = id(&ask("POST", "/v1/prices", &form)?)?;
        let customer = id(&ask("POST", "/v1/customers", "email=a@example.com")?)?;
        let card = id(&ask("POST", "/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}"))?)?;
        let form = format!("customer={customer}&items[0][price]={price}&default_payment_method={card}");
        let subscription = id(&ask("POST", "/v1/subscriptions", &form)?)?;
        let read = ask("GET", &format!("/v1/subscriptions/{subscription}"), "")?;
        let invoice = text(&read, "/latest_invoice")?;
        let paid = ask("GET", &format!("/v1/invoices/{invoice}?expand[]=payments"), "")?;
        let payment = text(&paid, "/payments/data/0/payment/payment_intent")?;
        let events = ask("GET", "/v1/events?type=invoice.paid", "")?;
        let event = events.pointer("/data/0").ok_or("the sandbox has no invoice.paid")?;
        let names = [
            (id(event)?, "evt_bench"),
            (customer, "cus_bench"),
            (subscription, "sub_bench"),
            (invoice, "in_bench"),
            (payment, "pi_bench"),
        ];
        let template = |body: &Value| {
            let body =
                names.iter().fold(body.to_string(), |body, (id, name)| body.replace(id, &format!("{name}{NUMBER}")));
            body.replace(&price, PRICE)
        };
        Ok(Self { event: template(event), invoice: template(&paid), subscription: template(&read) })
    }

    /// The answer to a request about a subscription of the benchmark or its invoice; `None` for any other request.
    pub fn answer(&self, path: &str) -> Option<String> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let invoice = path.strip_prefix("/v1/invoices/in_bench").map(|number| (&self.invoice, number));
        let subscription = path.strip_prefix("/v1/subscriptions/sub_bench").map(|number| (&self.subscription, number));
        let (body, number) = invoice.or(subscription)?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| body.replace(NUMBER, number))
    }

    /// The deliveries of `invoice.paid` for the subscriptions from `first` on, signed at `now_seconds`.
    pub fn deliveries(&self, first: u64, count: u64, now_seconds: i64) -> Vec<Request> {
        let numbers = first..first.saturating_add(count);
        let body = |number: u64| self.event.replace(NUMBER, &number.to_string());
        numbers.map(|number| delivery(&body(number), SECRET, now_seconds)).collect()
    }
}

fn text(body: &Value, pointer: &str) -> Result<String, Failure> {
    let value = body.pointer(pointer).and_then(Value::as_str);
    Ok(value.ok_or_else(|| format!("no {pointer} in {body}"))?.to_owned())
}

fn id(body: &Value) -> Result<String, Failure> {
    text(body, "/id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_and_the_answers_name_the_same_subscription() {
        let renewal = Renewal::record(1_800_000_000_000).unwrap();
        let invoice: Value =
            serde_json::from_str(&renewal.answer("/v1/invoices/in_bench7?expand[0]=payments").unwrap()).unwrap();
        let subscription: Value =
            serde_json::from_str(&renewal.answer("/v1/subscriptions/sub_bench7").unwrap()).unwrap();
        assert_eq!((&invoice["id"], &invoice["status"]), (&"in_bench7".into(), &"paid".into()));
        assert_eq!(invoice["parent"]["subscription_details"]["subscription"], "sub_bench7");
        assert_eq!((&subscription["id"], &subscription["customer"]), (&"sub_bench7".into(), &"cus_bench7".into()));
        assert_eq!(subscription["items"]["data"][0]["price"]["id"], PRICE);
        assert_eq!(renewal.answer("/v1/invoices/in_other"), None);
        let requests = renewal.deliveries(7, 1, 1_800_000_000);
        let sent = std::str::from_utf8(&requests[0].bytes).unwrap();
        assert!(sent.contains("evt_bench7") && sent.contains("in_bench7") && !sent.contains(NUMBER));
    }
}
