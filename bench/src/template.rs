//! Texts in which only the ids, the account and the time vary from top-up to top-up.

use crate::purchase::Purchase;

/// A text with placeholders such as `~session~`.
#[derive(Debug, Clone)]
pub struct Template {
    /// Literal text and placeholder names, alternating.
    parts: Vec<String>,
    bytes: usize,
}

impl Template {
    pub fn new(text: &str) -> Self {
        let text = text.trim_end();
        Self { parts: text.split('~').map(str::to_owned).collect(), bytes: text.len() }
    }

    /// The text for one top-up. `event` is the id of the event, if it is one.
    pub fn fill(&self, purchase: Purchase, event: &str, now_seconds: i64) -> String {
        let mut text = String::with_capacity(self.bytes.saturating_add(512));
        for (index, part) in self.parts.iter().enumerate() {
            match part.as_str() {
                literal if index % 2 == 0 => text.push_str(literal),
                "event" => text.push_str(event),
                "session" => text.push_str(&purchase.session()),
                "payment" => text.push_str(&purchase.payment()),
                "charge" => text.push_str(&purchase.charge()),
                "movement" => text.push_str(&purchase.movement()),
                "refund" => text.push_str(&purchase.refund()),
                "topup" => text.push_str(&purchase.topup()),
                "account" => text.push_str(&purchase.account()),
                "expires" => text.push_str(&now_seconds.saturating_add(3_600).to_string()),
                _ => text.push_str(&now_seconds.to_string()),
            }
        }
        text
    }
}
