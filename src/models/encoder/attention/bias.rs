//! A bias of scores by the distance of two tokens: learned (`MPNet`), or growing with the distance (Press et al. 2021,
//! arXiv:2108.12409, as the encoders of Jina take it).
//!
//! Invariant: learned ones belong to the buckets of T5 (bidirectional): half of them for keys after the query, half of each half for
//! one distance each, the others ever wider up to the greatest distance.

use std::sync::Arc;

/// A bias a bucket and head, or a slope a head.
pub(in crate::models::encoder) struct PositionBias {
    /// `buckets` x `heads`; without buckets, what each head takes away for each token of distance.
    pub(in crate::models::encoder) values: Vec<f32>,
    pub(in crate::models::encoder) buckets: usize,
    pub(in crate::models::encoder) max_distance: usize,
}

impl PositionBias {
    /// The bucket of a key `ahead` tokens after the query (negative: before it).
    fn bucket(&self, ahead: isize) -> usize {
        let half = self.buckets / 2;
        let (first, distance) = (if ahead > 0 { half } else { 0 }, ahead.unsigned_abs());
        let exact = half / 2;
        if distance < exact {
            return first + distance;
        }
        let octaves = |distance: usize| (distance as f64 / exact as f64).ln();
        // What is added makes up for the logarithm's rounding where it is a whole number.
        let wide = octaves(distance) / octaves(self.max_distance) * (half - exact) as f64 + 1e-7;
        first + (exact + wide as usize).min(half - 1)
    }
}

/// Biases spread out by distance for each head, times log₂ e.
#[derive(Default)]
pub(super) struct Biases {
    of: Option<Arc<PositionBias>>,
    /// Distances before and after that are spread out.
    reach: usize,
    values: Vec<f32>,
}

/// How far beyond a text kernels may ask, for the rows and columns that fill up their blocks.
const BEYOND: usize = 64;

impl Biases {
    /// Spreads a bias out for texts of up to `longest` tokens, unless that has been done.
    pub(super) fn prepare(&mut self, bias: &Arc<PositionBias>, heads: usize, longest: usize) {
        let reach = longest + BEYOND;
        if self.reach >= reach && self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, bias)) {
            return;
        }
        assert!(bias.values.len() == bias.buckets.max(1) * heads && (bias.buckets == 0 || bias.buckets >= 4));
        let reach = reach.next_multiple_of(256);
        let side = reach.cast_signed();
        let learned = if bias.buckets == 0 { 0..0 } else { -side..side };
        let buckets: Vec<usize> = learned.map(|ahead| bias.bucket(ahead)).collect();
        self.values.clear();
        for head in 0..heads {
            let value = |&bucket: &usize| bias.values[bucket * heads + head] * std::f32::consts::LOG2_E;
            self.values.extend(buckets.iter().map(value));
            if bias.buckets == 0 {
                let slope = -bias.values[head] * std::f32::consts::LOG2_E;
                self.values.extend((-side..side).map(|ahead| ahead.unsigned_abs() as f32 * slope));
            }
        }
        (self.reach, self.of) = (reach, Some(Arc::clone(bias)));
    }

    /// A head's biases for a query, from the key `key` on; at least as many as there are tokens, and [`BEYOND`] more.
    pub(super) fn row(&self, head: usize, query: usize, key: usize) -> &[f32] {
        &self.values[2 * self.reach * head..2 * self.reach * (head + 1)][self.reach + key - query..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_t5() {
        let bias = PositionBias { values: Vec::new(), buckets: 32, max_distance: 128 };
        // Distances at which a new bucket begins, as transformers computes them.
        let before = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];
        for ahead in -300..=300_isize {
            let begun = before.iter().filter(|&&begin| begin <= ahead.unsigned_abs()).count() - 1;
            assert_eq!(bias.bucket(ahead), begun + if ahead > 0 { 16 } else { 0 }, "{ahead}");
        }
    }

    #[test]
    fn rows_begin_at_the_key() {
        let bias =
            Arc::new(PositionBias { values: (0..64_u8).map(f32::from).collect(), buckets: 32, max_distance: 128 });
        let mut biases = Biases::default();
        biases.prepare(&bias, 2, 3);
        biases.prepare(&bias, 2, 700);
        for (head, query, key) in [(0, 0, 0), (1, 5, 2), (1, 699, 0), (0, 0, 699)] {
            let row = biases.row(head, query, key);
            for (at, &value) in row[..5].iter().enumerate() {
                let bucket = bias.bucket((key + at).cast_signed() - query.cast_signed());
                assert_eq!(value, bias.values[2 * bucket + head] * std::f32::consts::LOG2_E);
            }
        }
    }
}
