//! How far two ranked lists agree.

use std::collections::HashSet;
use std::hash::Hash;

/// Rank-biased overlap of two ranked lists without repetitions, extrapolated (Webber, Moffat and Zobel 2010, equation 32, which takes
/// lists of unequal length): 0 to 1.
///
/// `p`, between 0 and 1, is how likely a reader goes on to the next rank; usual 0.9, where the first ten ranks weigh 86 %; larger
/// looks deeper. Two empty lists agree wholly, an empty one with another not at all.
pub fn rank_biased_overlap<T: Eq + Hash>(a: &[T], b: &[T], p: f64) -> f64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return if long.is_empty() { 1.0 } else { 0.0 };
    }
    let p = if p.is_finite() { p.clamp(1e-6, 1.0 - 1e-6) } else { 0.9 };
    let (mut seen_short, mut seen_long) = (HashSet::new(), HashSet::new());
    let (mut shared, mut shared_short) = (0.0, 0.0);
    let (mut sum, mut weight) = (0.0, 1.0);
    let depth = short.len() as f64;
    for (at, item) in long.iter().enumerate() {
        let rank = (at + 1) as f64;
        weight *= p;
        if let Some(other) = short.get(at) {
            shared += f64::from(u8::from(item == other));
            if item != other {
                shared += f64::from(u8::from(seen_short.contains(item)) + u8::from(seen_long.contains(other)));
            }
            seen_short.insert(other);
            shared_short = shared;
        } else {
            shared += f64::from(u8::from(seen_short.contains(item)));
            sum += shared_short * (rank - depth) / (depth * rank) * weight;
        }
        seen_long.insert(item);
        sum += shared / rank * weight;
    }
    let beyond = (shared - shared_short) / long.len() as f64 + shared_short / depth;
    ((1.0 - p) / p * sum + beyond * weight).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_list_agrees_wholly_and_a_strange_one_not_at_all() {
        assert!((rank_biased_overlap(&[1, 2, 3], &[1, 2, 3], 0.9) - 1.0).abs() < 1e-12);
        assert_eq!(rank_biased_overlap(&[1, 2, 3], &[4, 5, 6, 7], 0.9), 0.0);
        assert_eq!(rank_biased_overlap::<u32>(&[], &[], 0.9), 1.0);
        assert_eq!(rank_biased_overlap(&[], &[1], 0.9), 0.0);
    }

    #[test]
    fn agreement_at_the_top_counts_more() {
        let base = [1, 2, 3, 4];
        let (top, bottom) =
            (rank_biased_overlap(&base, &[1, 2, 4, 9], 0.9), rank_biased_overlap(&base, &[9, 2, 3, 4], 0.9));
        assert!(top > bottom);
        assert_eq!(top, rank_biased_overlap(&[1, 2, 4, 9], &base, 0.9));
    }
}
