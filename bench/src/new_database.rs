//! Databases of single measurements: made for them, and removed after them.

use std::path::Path;

use crate::failure::Failure;
use crate::names::POSTGRES;
use crate::postgres::Postgres;

/// Creates a database with this name. Returns its URL.
///
/// # Errors
/// If the server returns an error.
pub async fn create(database: &str, name: &str, postgres: &Postgres, folder: &Path) -> Result<String, Failure> {
    if database == POSTGRES {
        return postgres.create(name).await;
    }
    Ok(format!("sqlite:{}", folder.join(format!("{name}.db")).display()))
}

/// Removes a database, even if a service is connected.
///
/// # Errors
/// If the server returns an error, or a file cannot be removed.
pub async fn remove(database: &str, name: &str, postgres: &Postgres, folder: &Path) -> Result<(), Failure> {
    if database == POSTGRES {
        return postgres.drop_database(name).await;
    }
    for end in ["", "-wal", "-shm"] {
        let file = folder.join(format!("{name}.db{end}"));
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}
