//! What a table contains, as a number of rows and a sum that does not depend on their order.

use sha2::{Digest, Sha256};

use crate::db::statement::Value;

/// The content of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The sum of their digests.
    digest: u128,
}

impl TableSum {
    pub(crate) fn new(table: &str) -> Self {
        Self { table: table.to_owned(), rows: 0, digest: 0 }
    }

    pub(crate) fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            let text = match value {
                Value::Int(Some(number)) => format!("i{number}"),
                Value::Text(Some(text)) => format!("t{}:{text}", text.len()),
                _ => "n".to_owned(),
            };
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize().iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        self.rows = self.rows.saturating_add(1);
        self.digest = self.digest.wrapping_add(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[Value]]) -> TableSum {
        let mut sum = TableSum::new("t");
        for row in rows {
            sum.add(row);
        }
        sum
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_everything_else_does() {
        let (one, two) = ([Value::from(1), Value::from("a")], [Value::from(2), Value::from("b")]);
        assert_eq!(sum(&[&one, &two]), sum(&[&two, &one]));
        for other in [
            vec![Value::from(1), Value::from("b")],
            vec![Value::from("1"), Value::from("a")],
            vec![Value::from(1), Value::from(None::<&str>)],
            vec![Value::from(1), Value::from("")],
            vec![Value::from("a"), Value::from(1)],
        ] {
            assert_ne!(sum(&[&one]), sum(&[&other]), "{other:?}");
        }
        assert_ne!(sum(&[&one]), sum(&[&one, &one]));
    }
}
