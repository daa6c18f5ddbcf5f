//! The ids of the entries that one transaction writes.

use crate::domain::ids::LedgerEntryId;

/// Ids derived from one that was drawn before the transaction, which may run more than once: `entry_…`, `entry_…:2`,
/// `entry_…:3` and so on.
#[derive(Debug, Clone)]
pub(crate) struct EntryIds {
    first: LedgerEntryId,
    taken: u32,
}

impl EntryIds {
    pub(crate) const fn new(first: LedgerEntryId) -> Self {
        Self { first, taken: 0 }
    }

    /// The next id.
    pub(crate) fn next(&mut self) -> String {
        self.taken = self.taken.saturating_add(1);
        if self.taken == 1 { self.first.as_str().to_owned() } else { format!("{}:{}", self.first, self.taken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_another() {
        let mut ids = EntryIds::new(LedgerEntryId::from_bits(1));
        let three = [ids.next(), ids.next(), ids.next()];
        assert_eq!(three[0], "entry_00000000000000000000000000000001");
        assert_eq!(three[1], "entry_00000000000000000000000000000001:2");
        assert_ne!(three[1], three[2]);
    }
}
