//! Bytes that processors without byte products multiply quickly: so small that sums of 32 products fit into 16 bits.
//!
//! `vpmaddubsw` multiplies bytes in pairs and adds each pair up in 16 bits. Of values up to [`LARGEST`] a pair cannot overflow, and
//! where the squares of every half [`RUN`] add up to less than 2^15, neither can a run of 16 steps (Cauchy and Schwarz), so it is
//! brought to 32 bits only once a run: nearly twice the products a second of single precision, and exact. Invariant: rows that break
//! these rules are refused by [`fits`].

use rayon::prelude::*;

/// Largest value of a byte.
pub(crate) const LARGEST: i8 = 90;
/// Bytes of a row whose products are added up in 16 bits: the first two of each four in one sum, the other two in another.
pub(crate) const RUN: usize = 64;
/// Added to one side, whose bytes must not be negative.
pub(super) const RAISE: u8 = LARGEST as u8;
/// Rows of one task.
const ROWS: usize = 256;

/// Sums of both halves of a run, over the first two and the last two of each four bytes.
fn halves(run: &[i8], of: impl Fn(i32) -> i32) -> [i32; 2] {
    let mut sums = [0; 4];
    for four in run.as_chunks::<4>().0 {
        sums.iter_mut().zip(four).for_each(|(sum, &value)| *sum += of(i32::from(value)));
    }
    [sums[0] + sums[1], sums[2] + sums[3]]
}

/// Whether all runs of all rows may be added up in 16 bits.
pub(super) fn fits(rows: &[i8]) -> bool {
    rows.par_chunks(RUN).with_min_len(ROWS).all(|run| {
        let small = run.iter().fold(0, |most, value| value.unsigned_abs().max(most)) <= RAISE;
        small && halves(run, |value| value * value).iter().all(|&sum| sum <= i32::from(i16::MAX))
    })
}

/// For every run what its sums must begin with so that they end as if nothing had been added to the other side: two numbers of 16
/// bits, which may wrap.
pub(super) fn starts(rows: &[i8]) -> Vec<i32> {
    let start = |run: &[i8]| {
        let [low, high] = halves(run, |value| value).map(|sum| (-i32::from(RAISE) * sum) as u16);
        (u32::from(high) << 16 | u32::from(low)).cast_signed()
    };
    rows.par_chunks(RUN).with_min_len(ROWS).map(start).collect()
}

/// The least scale at which values, divided by it and rounded, keep the rules.
pub(crate) fn scale(values: &[f32]) -> f32 {
    /// Root of 2^15 less what rounding 32 values can add.
    const LONGEST: f32 = 178.0;
    let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let mut longest = 0.0f32;
    for run in values.chunks(RUN) {
        let mut squares = [0.0f32; 4];
        for four in run.chunks(4) {
            squares.iter_mut().zip(four).for_each(|(sum, &value)| *sum += value * value);
        }
        longest = longest.max(squares[0] + squares[1]).max(squares[2] + squares[3]);
    }
    (largest / f32::from(LARGEST)).max(longest.sqrt() / LONGEST)
}
