//! How much of a table is dropped, and when it is worth looking.

/// A trim scans everything, so it runs only once the count has grown by a tenth of the limit.
pub(crate) fn is_due(left: &mut usize, count: usize, limit: usize) -> bool {
    *left = (*left).min(count);
    count > limit.max(*left).saturating_add(limit.div_euclid(10))
}

/// Decides for each row, oldest first, whether to drop it: only if it may go and more than the limit would be left.
pub(crate) fn surplus_of(count: usize, limit: usize) -> impl FnMut(bool) -> bool {
    let mut surplus = count.saturating_sub(limit);
    move |may_go| {
        let goes = may_go && surplus > 0;
        surplus = surplus.saturating_sub(usize::from(goes));
        goes
    }
}

#[cfg(test)]
mod tests {
    use super::is_due;

    #[test]
    fn what_cannot_be_dropped_is_not_looked_at_with_each_call() {
        let mut left = 0;
        assert!(!is_due(&mut left, 110, 100));
        assert!(is_due(&mut left, 111, 100));
        // Everything is unfinished.
        left = 111;
        assert!(!is_due(&mut left, 121, 100));
        assert!(is_due(&mut left, 122, 100));
        // It ended and was dropped elsewhere.
        assert!(!is_due(&mut left, 5, 100));
        assert!(is_due(&mut left, 111, 100));
    }
}
