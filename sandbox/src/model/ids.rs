//! Generates ids. One seed gives one sequence, so that a run can be repeated.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A source of ids, without global state.
#[derive(Debug)]
pub(crate) struct IdSource {
    seed: [u8; 32],
    counter: u64,
}

impl IdSource {
    /// The same seed gives the same ids.
    pub(crate) fn seeded(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    pub(crate) fn from_number(seed: u64) -> Self {
        let mut whole = [0_u8; 32];
        for (place, byte) in whole.iter_mut().zip(seed.to_be_bytes()) {
            *place = byte;
        }
        Self::seeded(whole)
    }

    /// A sort key for a number; the seed decides the order.
    pub(crate) fn rank(&self, number: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(b"rank");
        hash.update(number.to_be_bytes());
        hash.finalize().into()
    }

    /// Returns `prefix` followed by `length` letters and digits.
    pub(crate) fn next(&mut self, prefix: &str, length: usize) -> String {
        let mut id = String::with_capacity(prefix.len().saturating_add(length));
        id.push_str(prefix);
        let mut wanted = length;
        while wanted > 0 {
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.counter.to_be_bytes());
            self.counter = self.counter.wrapping_add(1);
            for byte in hash.finalize() {
                // 248 is the largest multiple of 62 in a byte: higher values would make some letters more likely.
                if wanted == 0 || byte >= 248 {
                    continue;
                }
                if let Some(letter) = ALPHABET.get(usize::from(byte % 62)) {
                    id.push(char::from(*letter));
                    wanted = wanted.saturating_sub(1);
                }
            }
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::IdSource;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_no_id_twice() {
        let (mut first, mut second) = (IdSource::seeded([7; 32]), IdSource::seeded([7; 32]));
        let ids: Vec<_> = (0..100).map(|_| first.next("evt_1", 23)).collect();
        let again: Vec<_> = (0..100).map(|_| second.next("evt_1", 23)).collect();
        assert_eq!(ids, again);
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 100);
        assert!(ids.iter().all(|id| id.len() == 28));
    }
}
