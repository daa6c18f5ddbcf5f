//! What the database is used for (mode, provider and what a credit is), and which migrations it has.

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};
use crate::domain::price_list::PriceList;
use crate::domain::provider::ProviderName;

/// The use of a database, fixed when it is first used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Whether real money moves.
    pub livemode: bool,
    /// The provider that every id in the database belongs to.
    pub provider: String,
    /// How many credits are priced together.
    pub credit_unit_credits: i64,
    /// How many digits of a number of credits people read as decimals.
    pub credit_display_decimals: i64,
}

/// The database is used with another mode, provider, unit or number of decimals than the settings say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtherUse {
    /// The database was first used in the other mode (test or live).
    #[error(
        "this database belongs to a service in {} mode, but STRIPE_SECRET_KEY is a {} key; use another DATABASE_URL",
        mode(*.remembered), mode(!*.remembered)
    )]
    Mode {
        /// Whether the database is for real money.
        remembered: bool,
    },
    /// The database was first used with another provider. Its ids mean nothing to this one.
    #[error("this database holds credits sold through {remembered}, not through {wanted}; use another DATABASE_URL")]
    Provider {
        /// The database's provider.
        remembered: String,
        /// The provider in use.
        wanted: String,
    },
    /// The database was first used with another unit.
    #[error(
        "this database holds credits of CREDIT_UNIT_CREDITS={remembered}, but CREDIT_UNIT_CREDITS is {wanted}: every \
         balance would silently be worth something else; set it to {remembered}, or use another DATABASE_URL"
    )]
    Unit {
        /// The database's credits in a unit.
        remembered: i64,
        /// The credits in a unit in the settings.
        wanted: i64,
    },
    /// The database was first used with another number of decimals.
    #[error(
        "this database holds credits that are shown with CREDIT_DISPLAY_DECIMALS={remembered}, but \
         CREDIT_DISPLAY_DECIMALS is {wanted}: customers would silently read every balance as another number; set it to \
         {remembered}, or use another DATABASE_URL"
    )]
    Decimals {
        /// The database's number of decimals.
        remembered: i64,
        /// The number of decimals in the settings.
        wanted: i64,
    },
}

const fn mode(live: bool) -> &'static str {
    if live { "live" } else { "test" }
}

impl Instance {
    /// The use that settings ask for.
    #[must_use]
    pub fn wanted(livemode: bool, provider: ProviderName, pricing: &PriceList) -> Self {
        Self {
            livemode,
            provider: provider.to_string(),
            credit_unit_credits: pricing.unit_credits(),
            credit_display_decimals: pricing.decimals().get().into(),
        }
    }

    /// Checks that a database with this use may be used as the settings ask.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, wanted: &Self) -> Result<(), OtherUse> {
        if self.livemode != wanted.livemode {
            return Err(OtherUse::Mode { remembered: self.livemode });
        }
        if self.provider != wanted.provider {
            let (remembered, wanted) = (self.provider.clone(), wanted.provider.clone());
            return Err(OtherUse::Provider { remembered, wanted });
        }
        let (remembered, units) = (self.credit_unit_credits, wanted.credit_unit_credits);
        if remembered != units {
            return Err(OtherUse::Unit { remembered, wanted: units });
        }
        let (remembered, decimals) = (self.credit_display_decimals, wanted.credit_display_decimals);
        if remembered != decimals {
            return Err(OtherUse::Decimals { remembered, wanted: decimals });
        }
        Ok(())
    }
}

/// The migrations of a database compared with those of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationState {
    /// Migrations are missing.
    Behind,
    /// Exactly this program's migrations are applied.
    Current,
    /// A newer program applied more. A running process continues, so that processes can be replaced one by one; no
    /// process starts.
    Ahead,
}

statements! {
    REMEMBER = "INSERT INTO instance (id, livemode, provider, credit_unit_credits, credit_display_decimals, \
        created_at) VALUES (1, :livemode, :provider, :unit_credits, :decimals, :now_ms) \
        ON CONFLICT (id) DO NOTHING";
    FIND = "SELECT livemode, provider, credit_unit_credits, credit_display_decimals FROM instance \
        WHERE id = 1";
    REMEMBER_SEAL_KEY = "UPDATE instance SET seal_key = :key WHERE id = 1 AND seal_key IS NULL";
    SEAL_KEY = "SELECT seal_key FROM instance WHERE id = 1";
    MIGRATIONS = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
}

#[derive(sqlx::FromRow)]
struct InstanceRow {
    livemode: i64,
    provider: String,
    credit_unit_credits: i64,
    credit_display_decimals: i64,
}

#[derive(sqlx::FromRow)]
struct SealKeyRow {
    seal_key: Option<String>,
}

#[derive(sqlx::FromRow)]
struct MigrationRow {
    version: i64,
}

/// Stores the database's use unless it is stored already. Returns the stored one.
///
/// # Errors
/// When the database fails.
pub async fn remember(tx: &mut Tx, wanted: &Instance, now_ms: i64) -> Result<Instance, StoreError> {
    let provider = wanted.provider.as_str();
    let (unit_credits, decimals) = (wanted.credit_unit_credits, wanted.credit_display_decimals);
    let values = args![livemode = wanted.livemode, provider, unit_credits, decimals, now_ms];
    tx.execute(&REMEMBER, &values).await?;
    let row: InstanceRow =
        tx.fetch_optional(&FIND, &[]).await?.ok_or_else(|| StoreError::Corrupt("no instance row".to_owned()))?;
    Ok(row.into())
}

/// Stores the key that seals checkouts, unless there is one already.
///
/// # Errors
/// When the database fails.
pub async fn remember_seal_key(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    tx.execute(&REMEMBER_SEAL_KEY, &args![key]).await.map(drop)
}

impl From<InstanceRow> for Instance {
    fn from(row: InstanceRow) -> Self {
        Self {
            livemode: row.livemode != 0,
            provider: row.provider,
            credit_unit_credits: row.credit_unit_credits,
            credit_display_decimals: row.credit_display_decimals,
        }
    }
}

impl Db {
    /// The database's use; `None` if no service has used it yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn instance(&self) -> Result<Option<Instance>, StoreError> {
        Ok(self.read_optional::<InstanceRow>(&FIND, &[]).await?.map(Instance::from))
    }

    /// The key that seals checkouts, once a service has created one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seal_key(&self) -> Result<Option<String>, StoreError> {
        Ok(self.read_optional::<SealKeyRow>(&SEAL_KEY, &[]).await?.and_then(|row| row.seal_key))
    }

    /// Compares the database's migrations with those of this program.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn migration_state(&self) -> Result<MigrationState, StoreError> {
        let applied = match self.read_all::<MigrationRow>(&MIGRATIONS, &[]).await {
            Ok(rows) => rows.into_iter().map(|row| row.version).collect::<Vec<_>>(),
            Err(error) if error.is_missing_table() => return Ok(MigrationState::Behind),
            Err(error) => return Err(error),
        };
        let known = self.known_migrations();
        Ok(if applied == known {
            MigrationState::Current
        } else if known.iter().all(|version| applied.contains(version)) {
            MigrationState::Ahead
        } else {
            MigrationState::Behind
        })
    }
}
