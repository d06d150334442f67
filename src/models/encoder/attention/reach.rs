//! Which keys a query attends to.
//!
//! Invariant: every query attends to itself at least.

use std::ops::Range;

/// Which keys a query attends to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::models) enum Reach {
    /// All.
    #[default]
    All,
    /// Itself and those before it.
    Before,
    /// Those at most so many tokens away, on both sides.
    Within(usize),
}

impl Reach {
    /// The keys that a query of a text of `tokens` tokens attends to.
    pub(super) fn keys(self, query: usize, tokens: usize) -> Range<usize> {
        match self {
            Self::All => 0..tokens,
            Self::Before => 0..query + 1,
            Self::Within(far) => query.saturating_sub(far)..query.saturating_add(far).saturating_add(1).min(tokens),
        }
    }

    /// The keys that any query of a range of them attends to.
    pub(super) fn keys_of(self, queries: Range<usize>, tokens: usize) -> Range<usize> {
        self.keys(queries.start, tokens).start..self.keys(queries.end - 1, tokens).end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_where_the_reach_says() {
        assert_eq!(Reach::All.keys(3, 9), 0..9);
        assert_eq!(Reach::Before.keys(3, 9), 0..4);
        assert_eq!(Reach::Within(2).keys(1, 9), 0..4);
        assert_eq!(Reach::Within(2).keys(8, 9), 6..9);
        assert_eq!(Reach::Within(2).keys_of(3..6, 9), 1..8);
    }
}
