//! Checks that a database may be used with the settings. What it is used for is fixed at the first start.

use crate::books::instance::{self, Instance, MigrationState};
use crate::config::Config;
use crate::db::{Db, StoreError, Tx, Write};
use crate::domain::price_list::PriceList;
use crate::ports::Clock;
use crate::startup::StartError;

/// Checks that the database has exactly this program's migrations.
///
/// # Errors
/// See [`StartError`].
pub(super) async fn check_migrated(db: &Db) -> Result<(), StartError> {
    match db.migration_state().await.map_err(StartError::Database)? {
        MigrationState::Current => Ok(()),
        MigrationState::Behind | MigrationState::Ahead => Err(StartError::NotMigrated),
    }
}

/// Checks that the database may be used with these settings, and remembers at the first start what it is used for.
///
/// # Errors
/// See [`StartError`].
pub(super) async fn check_database(db: &Db, config: &Config, clock: &dyn Clock) -> Result<(), StartError> {
    db.look_for_damage().await.map_err(StartError::Database)?;
    check_migrated(db).await?;
    let wanted = wanted_instance(config.stripe.livemode, &config.pricing);
    let remember = RememberInstance { wanted: wanted.clone(), now_ms: clock.now_ms() };
    let remembered = db.write(remember).await.map_err(StartError::Database)?;
    Ok(remembered.check(&wanted)?)
}

/// The use that the settings ask for.
pub(super) fn wanted_instance(livemode: bool, pricing: &PriceList) -> Instance {
    Instance::wanted(livemode, crate::providers::stripe::name::NAME, pricing)
}

/// Stores the database's use at the first start. Returns the stored one.
struct RememberInstance {
    wanted: Instance,
    now_ms: i64,
}

impl Write for RememberInstance {
    type Output = Instance;

    async fn run(&self, tx: &mut Tx) -> Result<Instance, StoreError> {
        instance::remember(tx, &self.wanted, self.now_ms).await
    }
}
