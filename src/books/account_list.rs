//! A list of accounts for operators, by id.

use crate::db::{Db, StoreError, args, statements};

statements! {
    ONE = "SELECT id, balance, held_credits, blocked_at, updated_at FROM accounts WHERE id = :id";
    BEGINNING = "SELECT id, balance, held_credits, blocked_at, updated_at FROM accounts \
        WHERE id >= :beginning AND id < :end ORDER BY id LIMIT :limit";
    /// Without a search it reads a page. With one it may read all accounts, through the index, for a person who waits.
    LIST = "SELECT id, balance, held_credits, blocked_at, updated_at FROM accounts \
        WHERE id > :after AND (:search = '' OR REPLACE(id, :search, '') <> id) ORDER BY id LIMIT :limit";
}

/// An account in the list, as its last change left it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedAccount {
    /// The account's id.
    pub id: String,
    /// Its credits.
    pub balance: i64,
    /// Those of them that open holds reserve.
    pub held_credits: i64,
    /// When an operator blocked spending, in milliseconds since 1970; `None` while it may spend.
    pub blocked_at: Option<i64>,
    /// When it changed last, in milliseconds since 1970.
    pub updated_at: i64,
}

impl Db {
    /// An account as it is stored: what has ended since its last change is still in its balance.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listed_account(&self, id: &str) -> Result<Option<ListedAccount>, StoreError> {
        self.read_optional(&ONE, &args![id]).await
    }

    /// The accounts whose ids begin with a text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_like(&self, beginning: &str, limit: i64) -> Result<Vec<ListedAccount>, StoreError> {
        // The largest character comes after everything that can follow.
        let end = format!("{beginning}\u{10FFFF}");
        let rows: Vec<ListedAccount> = self.read_all(&BEGINNING, &args![beginning, end = end.as_str(), limit]).await?;
        // A database that sorts by a language's rules also returns others.
        Ok(rows.into_iter().filter(|row| row.id.starts_with(beginning)).collect())
    }

    /// A page of the accounts whose id has `search` in it, after the id `after`. An empty text finds all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self, search: &str, after: &str, limit: i64) -> Result<Vec<ListedAccount>, StoreError> {
        self.read_all(&LIST, &args![search, after, limit]).await
    }
}
