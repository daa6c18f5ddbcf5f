//! The disk under the process: full at times, or read-only.

use super::process::Process;
use super::world::World;

/// The state of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// Writes succeed.
    Fine,
    /// No file can grow: writes that fit into existing pages succeed, all others fail with `SQLITE_FULL`.
    Full,
    /// Every write fails with `SQLITE_READONLY`.
    ReadOnly,
}

impl Disk {
    /// The pragmas that simulate this state on a SQLite connection.
    pub const fn pragmas(self) -> &'static str {
        match self {
            Self::Fine => "PRAGMA query_only = OFF; PRAGMA max_page_count = 4294967294",
            Self::Full => "PRAGMA query_only = OFF; PRAGMA max_page_count = 1",
            Self::ReadOnly => "PRAGMA query_only = ON",
        }
    }
}

impl Process {
    /// Sets the disk's state for every connection, including those opened later.
    pub fn set_disk(&mut self, disk: Disk) {
        self.places.disk.set(disk);
        let (app, sql) = (self.app(), disk.pragmas());
        self.block_on(async {
            app.db.execute_raw(sql).await.expect("SQLite takes a pragma");
            app.db.execute_raw_by_creditor(sql).await.expect("SQLite takes a pragma");
        });
    }

    /// Whether the disk is failing now.
    pub fn has_bad_disk(&self) -> bool {
        self.places.disk.get() != Disk::Fine
    }
}

impl World {
    /// The disk starts to fail, or recovers.
    pub(super) fn disk_changes(&mut self) {
        let disk = if self.process.has_bad_disk() { Disk::Fine } else { *self.rng.pick(&[Disk::Full, Disk::ReadOnly]) };
        self.process.set_disk(disk);
        self.note("disk", &format!("{disk:?}"));
    }
}
