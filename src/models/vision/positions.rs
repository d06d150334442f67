//! Tables of positions brought to another number of patches, as DINOv2 does it.
//!
//! Without registers by PyTorch's bicubic (a = -0.75, borders repeated), with them by Pillow's (a = -0.5, widened when shrinking).
//! Invariant: a table that has the right number of patches already is not touched.

use super::resize::{Filter, Taps};

/// A table of `from` x `from` rows of `width` values for `to` x `to` patches.
pub(super) fn interpolated(table: Vec<f32>, width: usize, [from, to]: [usize; 2], smooth: bool) -> Vec<f32> {
    if from == to {
        return table;
    }
    let taps = if smooth { Filter::Bicubic.taps(from as u64, to as u64, 0..to as u64) } else { sharp(from, to) };
    let cell = |values: &[f64], row: usize, column: usize, columns: usize| -> Vec<f64> {
        values[(row * columns + column) * width..][..width].to_vec()
    };
    let table: Vec<f64> = table.into_iter().map(f64::from).collect();
    let mut wide = Vec::with_capacity(from * to * width);
    for row in 0..from {
        for (first, weights) in &taps {
            wide.extend(sum(weights, width, |at| cell(&table, row, first + at, from)));
        }
    }
    let mut out = Vec::with_capacity(to * to * width);
    for (first, weights) in &taps {
        for column in 0..to {
            out.extend(sum(weights, width, |at| cell(&wide, first + at, column, to)));
        }
    }
    out.into_iter().map(|value| value as f32).collect()
}

fn sum(weights: &[f64], width: usize, row: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
    let mut sum = vec![0.0; width];
    for (at, weight) in weights.iter().enumerate() {
        sum.iter_mut().zip(row(at)).for_each(|(sum, value)| *sum += weight * value);
    }
    sum
}

/// PyTorch's four taps a place, those beyond the border added to the border's.
fn sharp(from: usize, to: usize) -> Vec<Taps> {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let one = |at: usize| {
        let place = (at as f64 + 0.5) * (from as f64 / to as f64) - 0.5;
        let (floor, rest) = (place.floor(), place - place.floor());
        let first = floor.max(1.0) as usize - 1;
        let mut weights = vec![0.0; 4.min(from - first.min(from - 1))];
        let four = [far(rest + 1.0), near(rest), near(1.0 - rest), far(2.0 - rest)];
        for (step, weight) in four.into_iter().enumerate() {
            let source = (floor - 1.0 + step as f64).clamp(0.0, (from - 1) as f64) as usize;
            let last = weights.len() - 1;
            weights[(source - first).min(last)] += weight;
        }
        (first, weights)
    };
    (0..to).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_stays_one_value_and_a_slope_a_slope() {
        for (from, to) in [(4, 6), (9, 6), (2, 7), (1, 3), (37, 16)] {
            for smooth in [false, true] {
                let same = interpolated(vec![3.5; from * from * 2], 2, [from, to], smooth);
                assert!(same.len() == to * to * 2 && same.iter().all(|value| (value - 3.5).abs() < 1e-5));
            }
        }
        let slope: Vec<f32> = (0..400).map(|at| (at % 20) as f32).collect();
        for smooth in [false, true] {
            let out = interpolated(slope.clone(), 1, [20, 10], smooth);
            assert!((3..7).all(|at| (out[50 + at] - (2.0 * at as f32 + 0.5)).abs() < 1e-4), "{out:?}");
        }
    }
}
