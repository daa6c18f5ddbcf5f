//! Ends a grant early. What open holds reserve of it stays good for them.

use crate::access::operator::Operator;
use crate::app::App;
use crate::books::grant::grant_list::Grant;
use crate::books::grants;
use crate::books::locked_account::LockedAccount;
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, end, settle};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::burn::Category;
use crate::domain::ids::LedgerEntryId;

/// Why a grant was not ended.
#[derive(Debug, thiserror::Error)]
pub enum VoidError {
    /// There is no such grant, or the operator may not act for its account.
    #[error("there is no such grant")]
    Unknown,
    /// Its credits were paid for.
    #[error("these credits were paid for; refund the top-up, or adjust the account")]
    Bought,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends a grant. One that has ended is left as it is.
///
/// # Errors
/// See [`VoidError`].
pub async fn void_grant(app: &App, id: &str, reason: &str, operator: &Operator) -> Result<Grant, VoidError> {
    let grant = app.db.grant(id).await?.ok_or(VoidError::Unknown)?;
    let account =
        AccountId::parse(&grant.account_id).map_err(|error| StoreError::corrupt("account of a grant:", error))?;
    if !operator.may_act_for(&account) {
        return Err(VoidError::Unknown);
    }
    if grant.category == Category::Paid.number() {
        return Err(VoidError::Bought);
    }
    until_settled(|| async {
        let write = VoidGrant {
            grant: grant.id.clone(),
            account: account.clone(),
            reason: reason.to_owned(),
            voided_by: operator.name.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            now_ms: app.clock.now_ms(),
        };
        Ok((app.db.write(write).await? == Settled::Wholly).then_some(()))
    })
    .await?;
    tracing::info!(grant = grant.id, "grant ended by hand");
    app.db.grant(id).await?.ok_or(VoidError::Unknown)
}

struct VoidGrant {
    grant: String,
    account: AccountId,
    reason: String,
    voided_by: String,
    entry: LedgerEntryId,
    now_ms: i64,
}

impl Write for VoidGrant {
    type Output = Settled;

    async fn run(&self, tx: &mut Tx) -> Result<Settled, StoreError> {
        let locked = LockedAccount::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let mut account = locked.ok_or_else(|| StoreError::corrupt("no account of grant", &self.grant))?;
        let settled = settle(tx, &mut account).await?;
        if settled == Settled::Wholly
            && grants::void(tx, &self.grant, &self.reason, &self.voided_by, self.now_ms).await?
        {
            account.ends_at(self.now_ms);
            end(tx, &mut account).await?;
        }
        if account.is_changed() {
            account.store(tx).await?;
        }
        Ok(settled)
    }
}
