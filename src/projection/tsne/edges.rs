//! Who is drawn to whom, in the order in which the points stand in memory and as small as it goes: the attractive pass is bound by
//! how fast this is read.
//!
//! Up to 131,072 points a neighbour and its weight share four bytes: 17 bits say who, 15 how strongly (5 of exponent, 10 of
//! fraction, against the greatest weight). Invariant: a point's neighbours keep the order of the affinities, so that its sum does
//! not depend on the order in memory.

use rayon::prelude::*;

use super::Affinities;
use super::lanes::{PLACE_BITS, attract, attract_packed};
use crate::progress::Progress;

/// Points below which the weights stay as they are: all of it fits the cache.
const SMALL: usize = 2048;
/// Rows that one task puts in order.
const TASK: usize = 256;
/// Exponent of the least packed weight is this much below that of the greatest.
const EXPONENTS: u32 = 31;

/// Neighbours by place.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    starts: Vec<usize>,
    /// Who and how strongly; of large or small sets only who.
    columns: Vec<u32>,
    /// How strongly; empty where packed.
    weights: Vec<f32>,
    /// What packed weights are to be multiplied by; 0 where not packed.
    scale: f32,
}

impl Edges {
    /// In the order of memory: `order[place]` is the point there.
    pub fn arrange(&mut self, affinities: &Affinities, order: &[u32], progress: &Progress) {
        let count = order.len();
        let mut places = vec![0u32; count];
        (0u32..).zip(order).for_each(|(place, &point)| places[point as usize] = place);
        self.starts.clear();
        self.starts.push(0);
        let mut total = 0;
        for &point in order {
            total += affinities.row(point as usize).0.len();
            self.starts.push(total);
        }
        let packed = (SMALL..=1 << PLACE_BITS).contains(&count);
        let greatest = affinities.weights.par_iter().copied().reduce(|| 0.0, f32::max);
        // A power of two, so that scaling loses nothing.
        let exponent = greatest.to_bits() >> 23;
        self.scale = if packed { f32::from_bits(exponent.clamp(1, 254) << 23) } else { 0.0 };
        self.columns.resize(total, 0);
        self.weights.resize(if packed { 0 } else { total }, 0.0);
        let unscale = 1.0 / self.scale;
        let starts = &self.starts;
        let rows = |task: usize| (task * TASK, count.min((task + 1) * TASK));
        let mut column_blocks = Vec::new();
        let mut weight_blocks = Vec::new();
        let (mut columns, mut weights) = (&mut self.columns[..], &mut self.weights[..]);
        for task in 0..count.div_ceil(TASK) {
            let length = starts[rows(task).1] - starts[rows(task).0];
            let (block, rest) = columns.split_at_mut(length);
            columns = rest;
            column_blocks.push(block);
            let (block, rest) = weights.split_at_mut(if packed { 0 } else { length });
            weights = rest;
            weight_blocks.push(block);
        }
        column_blocks.into_par_iter().zip(weight_blocks).enumerate().for_each(|(task, (columns, weights))| {
            if progress.is_cancelled() {
                return;
            }
            let (first, last) = rows(task);
            for (place, &point) in (first..last).zip(&order[first..last]) {
                let at = starts[place] - starts[first];
                let (others, strengths) = affinities.row(point as usize);
                let out = &mut columns[at..at + others.len()];
                for (out, (&other, &strength)) in out.iter_mut().zip(others.iter().zip(strengths)) {
                    let other = places[other as usize];
                    *out = if packed { pack(other, strength * unscale) } else { other };
                }
                if !packed {
                    weights[at..at + others.len()].copy_from_slice(strengths);
                }
            }
        });
    }

    /// How the point at a place is drawn: Σ weight · q · (own − other). `points` are those that were arranged, in order of place.
    #[inline]
    pub fn attract(&self, place: usize, points: &[[f32; 2]]) -> [f32; 2] {
        let range = self.starts[place]..self.starts[place + 1];
        if self.scale == 0.0 {
            return attract(points[place], points, &self.columns[range.clone()], &self.weights[range]);
        }
        attract_packed(points[place], points, &self.columns[range]).map(|sum| sum * self.scale)
    }
}

/// Weights are at most 2; those under 2⁻³¹ count as that.
fn pack(place: u32, weight: f32) -> u32 {
    let rounded = weight.to_bits() + (1 << 12);
    let least = (127 - EXPONENTS) << 23;
    let bits = rounded.clamp(least, (128 << 23) - 1) - least;
    (bits >> 13) << PLACE_BITS | place
}

#[cfg(test)]
mod tests {
    use super::super::lanes::unpack;
    use super::*;

    #[test]
    fn packing_keeps_place_and_weight() {
        for (place, weight) in [(0, 1.0f32), (131_071, 1.9999), (77, 0.3), (5, 1.7e-5), (9, 3e-9), (1, 1.0 / 3.0)] {
            let (found, read) = unpack(pack(place, weight));
            assert!(found == place && (read / weight - 1.0).abs() < 5.1e-4, "{place} {weight}: {found} {read}");
        }
        assert!(unpack(pack(3, 0.0)).1 < 1e-9 && unpack(pack(3, 2.5)).1 < 2.0);
    }
}
