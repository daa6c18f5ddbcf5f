//! The background jobs of messages.

use std::sync::Arc;
use std::time::Duration;

use crate::app::schedule::Job;
use crate::db::{Db, StoreError};
use crate::domain::outbox_settings::OutboxSettings;
use crate::outbox::alerts::{look_at_noted, look_at_others};
use crate::outbox::deliver::{Deliverer, SLOTS};
use crate::outbox::expiring::tell_expiring;
use crate::outbox::fan_out::fan_out;
use crate::outbox::purge::purge;
use crate::outbox::sender::{Lookup, NoSender, Sender};

/// A message leaves at most about so long after its cause.
const EVERY: Duration = Duration::from_millis(500);
const HOURLY: Duration = Duration::from_hours(1);

/// The jobs: one that finds messages and sends them, one that looks for credits that end, one that deletes old
/// messages.
///
/// # Errors
/// When the HTTP client cannot be made.
pub fn outbox_jobs(settings: &OutboxSettings, lookup: &Arc<dyn Lookup>) -> Result<[Job; 3], NoSender> {
    let deliverer = Deliverer::new(Box::new(Sender::new(&settings.allowed_networks, lookup)?), SLOTS);
    let send = Job::new("send messages to endpoints", EVERY, EVERY, move |app, stop| {
        let deliverer = deliverer.clone();
        async move {
            // One that fails must not keep the others from running.
            let noted = look_at_noted(&app, &stop).await.map(drop);
            let others = look_at_others(&app, &stop).await.map(drop);
            let queued = fan_out(&app).await.map(drop);
            let started = if stop.is_cancelled() { Ok(()) } else { deliverer.start_due(&app, &stop).await.map(drop) };
            noted.and(others).and(queued).and(started)
        }
    });
    let expiring = Job::new("tell of credits that end", EVERY, HOURLY, |app, stop| async move {
        tell_expiring(&app, &stop).await.map(drop)
    });
    let purging =
        Job::new("delete old messages", HOURLY, HOURLY, |app, stop| async move { purge(&app, &stop).await.map(drop) });
    Ok([send, expiring, purging])
}

/// Whether the key that signs is the one that the secrets of the endpoints follow from; also if there are none.
///
/// # Errors
/// When the database fails.
pub async fn is_right_key(db: &Db, settings: &OutboxSettings) -> Result<bool, StoreError> {
    let switch = db.outbox_switch().await?;
    let key = switch.key(settings).map(|key| key.hash());
    Ok(switch.key_hash.is_none_or(|hash| Some(hash) == key))
}
