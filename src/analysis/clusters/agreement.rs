//! How far two ways to part the same rows agree.
//!
//! Knows labels alone; noise is a label as any other. Invariant: the same whichever of the two comes first.

use std::collections::HashMap;
use std::hash::Hash;

/// The adjusted Rand index (Hubert and Arabie 1985): 1 where both part the rows alike, about 0 where they agree as chance would have it,
/// below 0 where they agree less. `None` for lists of different lengths or of no rows.
pub fn adjusted_rand<A: Copy + Eq + Hash, B: Copy + Eq + Hash>(a: &[A], b: &[B]) -> Option<f64> {
    if a.len() != b.len() || a.is_empty() {
        return None;
    }
    let mut both: HashMap<(A, B), u64> = HashMap::new();
    let (mut of_a, mut of_b): (HashMap<A, u64>, HashMap<B, u64>) = Default::default();
    for (&first, &second) in a.iter().zip(b) {
        *both.entry((first, second)).or_default() += 1;
        *of_a.entry(first).or_default() += 1;
        *of_b.entry(second).or_default() += 1;
    }
    // Sums of whole numbers, so that the order of a map changes nothing.
    let pairs = |count: u64| u128::from(count) * u128::from(count.saturating_sub(1)) / 2;
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.map(pairs).sum::<u128>() as f64;
    let (together, in_a, in_b) =
        (sum(&mut both.into_values()), sum(&mut of_a.into_values()), sum(&mut of_b.into_values()));
    let all = pairs(a.len() as u64) as f64;
    // Times the number of all pairs, so that nothing is rounded before the division.
    let chance = in_a * in_b;
    let most = (in_a + in_b) / 2.0 * all;
    // Both put all rows together, or none: they agree.
    Some(if most - chance == 0.0 { 1.0 } else { (together * all - chance) / (most - chance) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are scikit-learn's `adjusted_rand_score` of the same lists.
    #[test]
    fn agreement_is_scikit_learns() {
        let first: Vec<u32> = (0..40).map(|row| row * 7919 % 5).collect();
        let second: Vec<u32> =
            (0..40).map(|row| if row % 3 == 0 { row * 7919 % 5 } else { (row * row + 3) % 4 }).collect();
        for (a, b) in [(&first, &second), (&second, &first)] {
            assert!((adjusted_rand(a, b).unwrap() - 0.055_172_413_793_103_45).abs() < 1e-12);
        }
        for (a, b, expected) in [
            (vec![0, 0, 0, 0, 0], vec![0, 0, 0, 0, 0], 1.0),
            (vec![0, 0, 0, 0, 0], vec![0, 1, 2, 3, 4], 0.0),
            (vec![-1, 0, 0, 1], vec![1, 0, 0, -1], 1.0),
            (vec![0, 0, 1, 1], vec![0, 1, 0, 1], -0.5),
            (vec![0, 1, 2], vec![0, 1, 2], 1.0),
        ] {
            assert_eq!(adjusted_rand(&a, &b), Some(expected), "{a:?} {b:?}");
        }
        assert_eq!(adjusted_rand(&[1, 2], &["x"]), None);
        assert_eq!(adjusted_rand::<u8, u8>(&[], &[]), None);
    }
}
