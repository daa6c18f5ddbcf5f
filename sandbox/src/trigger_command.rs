//! `stripe-sandbox trigger`: causes an event on a running sandbox.

use clap::Args;
use stripe_sandbox::recipes::{Change, recipes, trigger};

/// Cause an event on a running sandbox, by the API calls that lead to it.
#[derive(Debug, Args)]
pub(crate) struct Trigger {
    /// The type of the event, such as charge.refunded.
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Name all events that can be triggered.
    #[arg(long)]
    list: bool,
    /// Where the sandbox is.
    #[arg(long, default_value = "http://127.0.0.1:12111")]
    base: String,
    /// The API key that the sandbox accepts.
    #[arg(long, default_value = "sk_test_sandbox")]
    secret_key: String,
    /// Set a parameter of a step
    #[arg(long = "override", value_name = "STEP:PARAM=VALUE", value_parser = read_override)]
    overrides: Vec<Change>,
    /// Leave a parameter of a step out
    #[arg(long = "remove", value_name = "STEP:PARAM", value_parser = read_remove)]
    removes: Vec<Change>,
}

fn read_override(text: &str) -> Result<Change, String> {
    Change::set(text).ok_or_else(|| "write it as step:param=value".to_owned())
}

fn read_remove(text: &str) -> Result<Change, String> {
    Change::remove(text).ok_or_else(|| "write it as step:param".to_owned())
}

impl Trigger {
    pub(crate) async fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let Some(name) = self.name.filter(|_| !self.list) else {
            for recipe in recipes() {
                println!("{}", recipe.name);
            }
            return Ok(());
        };
        let changes = [self.overrides, self.removes].concat();
        for step in trigger(&self.base, &self.secret_key, &name, &changes).await? {
            let id = step.answer.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
            println!("{:<16}{} {} {id}", step.name, step.status, step.request);
        }
        println!("{name} was triggered");
        Ok(())
    }
}
