//! Deliveries whose signature none of our secrets made. A wrong secret and a stranger look the same here, so only how
//! many there were and when the last one came is kept.

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::provider::ProviderName;

statements! {
    NOTE = "INSERT INTO webhook_refusals (provider, refusals, last_at) VALUES (:provider, :refusals, :now_ms) \
        ON CONFLICT (provider) DO UPDATE SET refusals = webhook_refusals.refusals + excluded.refusals, \
        last_at = excluded.last_at";
    FIND = "SELECT refusals, last_at FROM webhook_refusals WHERE provider = :provider";
}

/// The refused deliveries of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Refusals {
    /// How many were refused.
    pub refusals: i64,
    /// When the last one came, in milliseconds since 1970.
    pub last_at: i64,
}

/// Adds refused deliveries. The caller limits how often.
///
/// # Errors
/// When the database fails.
pub async fn note_refusals(app: &App, refusals: i64) -> Result<(), StoreError> {
    app.db.write(NoteRefusals { provider: app.provider.name, refusals, now_ms: app.clock.now_ms() }).await
}

struct NoteRefusals {
    provider: ProviderName,
    refusals: i64,
    now_ms: i64,
}

impl Write for NoteRefusals {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let values = args![provider = self.provider.as_str(), refusals = self.refusals, now_ms = self.now_ms];
        tx.execute(&NOTE, &values).await.map(drop)
    }
}

impl Db {
    /// The refused deliveries of a provider; `None` if there were none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refusals(&self, provider: ProviderName) -> Result<Option<Refusals>, StoreError> {
        self.read_optional(&FIND, &args![provider = provider.as_str()]).await
    }
}
