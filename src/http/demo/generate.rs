//! "Generates" a text and charges for each word: the recipe for a stream of `docs/spending.md`.
//!
//! The page reads one JSON object per line: the account's credits when they change, each word, and how it ended. The
//! words are invented and bundled; everything about credits is real.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::unfold;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};
use validator::Validate;

use super::Demo;
use super::product::{Hold, Topup};
use crate::access::api_keys::Scope;
use crate::domain::ids::RequestId;
use crate::http::auth::Caller;
use crate::http::kit::body::read_json;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// The pause between words, which a language model would need.
const PAUSE: Duration = Duration::from_millis(45);
/// How many words are reserved at a time, and the fewest that are worth beginning with.
const STEP_WORDS: i64 = 40;
const FEWEST_WORDS: i64 = 5;
/// Invented texts, with an empty line between them.
const TEXTS: &str = include_str!("texts.txt");

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Generate {
    /// What the customer asks for.
    #[validate(length(min = 1, max = 500, message = "must have 1 to 500 characters"))]
    prompt: String,
    /// How many words the customer has already, of an answer that broke off.
    #[serde(default)]
    from_word: usize,
}

/// Writes an answer to the customer whose token came with the request.
pub(super) async fn generate(
    request: HttpRequest,
    payload: Payload,
    state: State,
    demo: Data<Demo>,
) -> Result<HttpResponse, ApiError> {
    let account = Caller::of(&request, &state).await?.account(None, Scope::Read)?;
    let body: Generate = read_json(&request, payload, &state).await?;
    let words = words(&body.prompt).skip(body.from_word).collect::<Vec<_>>();
    let length = i64::try_from(words.len()).unwrap_or(i64::MAX).max(1);
    let price = demo.pricing.unit_credits();
    let (first, fewest) = (STEP_WORDS.min(length) * price, FEWEST_WORDS.min(length) * price);
    // The name of this work, made before anything is sent. However often the request below is sent, it holds once.
    let work = format!("answer-{}", RequestId::from_bits(state.app.ids.id_bits()));
    let topup = demo.topup.clone();
    let reserve = async move { topup.hold(&account, &work, first, fewest).await };
    let hold = match state.run(reserve).await? {
        Ok(hold) => hold,
        Err(refusal) => return Ok(refusal.to_page()),
    };
    let (lines, receiver) = channel(1);
    let answer = Answer { topup: demo.topup.clone(), price, all: length * price, hold, lines };
    let tasks = state.app.tasks.clone();
    // A task of its own, so that it captures what was written also when the customer has left.
    actix_web::rt::spawn(async move { tasks.run(answer.write(words)).await });
    let lines = unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|line: Bytes| (Ok::<_, Infallible>(line), receiver))
    });
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines))
}

/// The words of the text for a prompt.
fn words(prompt: &str) -> impl Iterator<Item = &'static str> {
    let texts = TEXTS.split("\n\n").count();
    let chosen = prompt.bytes().map(usize::from).sum::<usize>().checked_rem(texts).unwrap_or(0);
    TEXTS.split("\n\n").nth(chosen).unwrap_or_default().split_whitespace()
}

/// An answer that is being written.
struct Answer {
    topup: Topup,
    /// The credits for one word: at most a million, so that the price of some thousand words fits easily.
    price: i64,
    /// The credits for all of its words.
    all: i64,
    hold: Hold,
    lines: Sender<Bytes>,
}

impl Answer {
    /// Writes word by word as long as credits are reserved, more of them when 80 % are used, and then takes what was
    /// written.
    async fn write(mut self, words: Vec<&'static str>) {
        self.tell(&json!({ "balance": self.hold.balance, "heldCredits": self.hold.credits })).await;
        let (mut written, mut end) = (0, Cow::Borrowed("finished"));
        let mut refused = None;
        for word in words {
            let is_near = written * self.price * 5 >= self.hold.credits * 4;
            if is_near && refused.is_none() {
                refused = self.reserve_more().await;
            }
            if (written + 1) * self.price > self.hold.credits {
                end = refused.map_or(Cow::Borrowed("insufficient_credits"), Cow::Owned);
                break;
            }
            if !self.tell(&json!({ "word": word })).await {
                end = Cow::Borrowed("left");
                break;
            }
            written += 1;
            tokio::time::sleep(PAUSE).await;
        }
        self.capture(written, &end).await;
    }

    /// Reserves more, or what there is. Returns the reason if nothing more will come.
    async fn reserve_more(&mut self) -> Option<String> {
        if self.hold.credits >= self.all {
            return None;
        }
        let wanted = self.all.min(self.hold.credits + STEP_WORDS * self.price);
        let refusal = match self.topup.extend(&self.hold.id, wanted).await {
            Ok(hold) => {
                self.extended(hold).await;
                return None;
            }
            Err(refusal) => refusal,
        };
        let rest = wanted.min(self.hold.credits + refusal.available_credits.unwrap_or(0));
        if rest > self.hold.credits
            && let Ok(hold) = self.topup.extend(&self.hold.id, rest).await
        {
            self.extended(hold).await;
        }
        Some(refusal.code)
    }

    async fn extended(&mut self, hold: Hold) {
        self.hold = hold;
        self.tell(&json!({ "balance": self.hold.balance, "heldCredits": self.hold.credits })).await;
    }

    async fn capture(self, written: i64, end: &str) {
        match self.topup.capture(&self.hold.id, written * self.price).await {
            Ok(spend) => {
                self.tell(&json!({ "end": end, "credits": spend.credits, "balance": spend.balance })).await;
            }
            Err(refusal) => {
                // The hold ends by itself. A real server would store what is left to capture, and try again.
                tracing::warn!(code = refusal.code, hold = self.hold.id, "the demo could not capture an answer");
                self.tell(&json!({ "end": "failed" })).await;
            }
        }
    }

    /// Sends a line to the page; `false` if it has gone.
    async fn tell(&self, line: &Value) -> bool {
        self.lines.send(Bytes::from(format!("{line}\n"))).await.is_ok()
    }
}
