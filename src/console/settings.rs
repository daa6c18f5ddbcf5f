//! The console's settings.

/// The settings of the console.
#[derive(Debug, Clone)]
pub struct ConsoleSettings {
    /// How many credits a key of scope `support` may refund and adjust in a day of UTC.
    pub support_max_credits: i64,
    /// The settings in force, without secrets: name and value.
    pub in_force: Vec<(&'static str, String)>,
    /// Where an object of the provider is shown in its dashboard: the address before the object's path; `None` for a
    /// sandbox, which has none.
    pub dashboard: Option<&'static str>,
}
