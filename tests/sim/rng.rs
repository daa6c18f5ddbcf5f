//! A seeded random number generator: splitmix64 (Steele, Lea and Flood, 2014). The same seed gives the same numbers on
//! every machine.

use std::sync::Mutex;

use topup::ports::IdGenerator;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must be positive.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An index below `places`, which must be positive.
    pub fn place(&mut self, places: usize) -> usize {
        let places = u64::try_from(places).expect("fits");
        usize::try_from(self.below(places)).expect("fits")
    }

    /// A number between `least` and `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most - least + 1).expect("least is not more than most");
        least + i64::try_from(self.below(span)).expect("fits")
    }

    /// True with this probability in percent.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// A random element of a non-empty slice.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.place(of.len())]
    }
}

/// Seeded ids.
#[derive(Debug)]
pub struct SeededIds(Mutex<Rng>);

impl SeededIds {
    /// The ids of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng::new(seed)))
    }
}

impl IdGenerator for SeededIds {
    fn id_bits(&self) -> u128 {
        let mut rng = self.0.lock().expect("nobody panicked");
        (u128::from(rng.next()) << 64) | u128::from(rng.next())
    }

    fn secret_bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut rng = self.0.lock().expect("nobody panicked");
        Ok(std::array::from_fn(|_| rng.next().to_le_bytes()[0]))
    }
}
