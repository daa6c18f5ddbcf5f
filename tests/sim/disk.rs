//! The disk under the process: for a while it is full, or takes no writes at all.

use super::process::Process;
use super::world::World;

/// What the disk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It takes what is written.
    Fine,
    /// No file can grow: what finds room in a page that is there is written, and all else fails with `SQLITE_FULL`.
    Full,
    /// Every write fails with `SQLITE_READONLY`.
    ReadOnly,
}

impl Disk {
    /// How a connection to SQLite is told so.
    pub const fn pragmas(self) -> &'static str {
        match self {
            Self::Fine => "PRAGMA query_only = OFF; PRAGMA max_page_count = 4294967294",
            Self::Full => "PRAGMA query_only = OFF; PRAGMA max_page_count = 1",
            Self::ReadOnly => "PRAGMA query_only = ON",
        }
    }
}

impl Process {
    /// From now on the disk is like this, for every connection, also for those that are opened later.
    pub fn set_disk(&mut self, disk: Disk) {
        self.places.disk.set(disk);
        let (app, sql) = (self.app(), disk.pragmas());
        self.block_on(async {
            app.db.execute_raw(sql).await.expect("SQLite takes a pragma");
            app.db.execute_raw_by_creditor(sql).await.expect("SQLite takes a pragma");
        });
    }

    /// Whether the disk fails at the moment.
    pub fn has_bad_disk(&self) -> bool {
        self.places.disk.get() != Disk::Fine
    }
}

impl World {
    /// The disk begins to fail, or is fine again.
    pub(super) fn disk_changes(&mut self) {
        let disk = if self.process.has_bad_disk() { Disk::Fine } else { *self.rng.pick(&[Disk::Full, Disk::ReadOnly]) };
        self.process.set_disk(disk);
        self.note("disk", &format!("{disk:?}"));
    }
}
