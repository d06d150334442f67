//! Connected pieces of the neighbour graph, and how far apart they may lie on the map.
//!
//! Points of different pieces only push each other, for ever, and nothing draws them back. So each piece is moved as a whole towards
//! the middle of all, the more the further it lies beyond the ball in which the pieces would have room: a small step after each
//! epoch, no jump at the end. Invariant: what lies within a piece keeps its shape; one piece alone is never moved; sums run over
//! blocks of fixed size, so the bytes are the same at any number of threads.

use rayon::prelude::*;

use super::lanes::Field;
use crate::progress::{Cancelled, Progress};

/// Room that each piece has around it, in units of the spread.
const MARGIN: f64 = 0.5;
/// How much wider than the pieces together the ball is.
const ROOM: f64 = 1.5;
/// Share of the way back into the ball that a piece takes in one epoch, in units of the learning rate, and at most.
const SHARE: f64 = 0.05;
const MOST: f64 = 0.5;
/// Members of one task.
const TASK: usize = 4096;

/// Sets of `count` things that are joined by the neighbours `of` each, each in rising order; by their first members.
pub(super) fn connected<'a>(
    count: usize,
    of: impl Fn(usize) -> &'a [u32],
    progress: &Progress,
) -> Result<Vec<Vec<u32>>, Cancelled> {
    let mut seen = vec![false; count];
    let mut all = Vec::new();
    for first in 0..count {
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut piece = vec![first as u32];
        let mut at = 0;
        while let Some(&member) = piece.get(at) {
            at += 1;
            if at.is_multiple_of(TASK) {
                progress.check()?;
            }
            for &next in of(member as usize) {
                if !std::mem::replace(&mut seen[next as usize], true) {
                    piece.push(next);
                }
            }
        }
        piece.sort_unstable();
        all.push(piece);
    }
    Ok(all)
}

/// The places of each piece of more than one point; none where there is only one such piece.
#[derive(Clone, Debug)]
pub(super) struct Pieces(Vec<Vec<u32>>);

impl Pieces {
    /// Of the edges by which points move, as places in the field.
    pub fn new<'a>(count: usize, of: impl Fn(usize) -> &'a [u32], progress: &Progress) -> Result<Self, Cancelled> {
        let mut pieces = connected(count, of, progress)?;
        pieces.retain(|piece| piece.len() > 1);
        if pieces.len() < 2 {
            pieces.clear();
        }
        Ok(Self(pieces))
    }

    /// Moves pieces that lie too far out one step inwards.
    pub fn gather<const D: usize>(&self, field: &mut Field<D>, rate: f32, spread: f32) {
        if self.0.is_empty() {
            return;
        }
        let extents: Vec<Extent<D>> = self.0.par_iter().map(|piece| Extent::of(field, piece)).collect();
        let points: f64 = self.0.iter().map(|piece| piece.len() as f64).sum();
        let mut middle = [0.0; D];
        let mut volume = 0.0;
        for (piece, extent) in self.0.iter().zip(&extents) {
            (0..D).for_each(|axis| middle[axis] += extent.centre[axis] * (piece.len() as f64 / points));
            volume += (extent.radius + MARGIN * f64::from(spread)).powi(D as i32);
        }
        let ball = ROOM * volume.powf(1.0 / D as f64);
        let share = (SHARE * f64::from(rate)).min(MOST);
        let mut moved = false;
        for (piece, extent) in self.0.iter().zip(&extents) {
            let way: [f64; D] = std::array::from_fn(|axis| middle[axis] - extent.centre[axis]);
            let far = way.iter().map(|value| value * value).sum::<f64>().sqrt();
            let beyond = far - (ball - extent.radius).max(0.0);
            if !(beyond > 0.0 && far.is_finite() && share > 0.0) {
                continue;
            }
            moved = true;
            for (values, way) in field.axes.iter_mut().zip(way) {
                let step = (share * beyond / far * way) as f32;
                piece.iter().for_each(|&place| values[place as usize] += step);
            }
        }
        if moved {
            field.repeat();
        }
    }
}

/// Where a piece lies and how wide it is.
#[derive(Clone, Copy, Debug)]
struct Extent<const D: usize> {
    centre: [f64; D],
    /// Radius of an even ball of the same mean square.
    radius: f64,
}

impl<const D: usize> Extent<D> {
    fn of(field: &Field<D>, piece: &[u32]) -> Self {
        let parts: Vec<([f64; D], f64)> = piece
            .par_chunks(TASK)
            .map(|members| {
                let (mut sum, mut squares) = ([0.0; D], 0.0);
                for &place in members {
                    for (sum, values) in sum.iter_mut().zip(&field.axes) {
                        let value = f64::from(values[place as usize]);
                        *sum += value;
                        squares += value * value;
                    }
                }
                (sum, squares)
            })
            .collect();
        let (mut centre, mut squares) = ([0.0; D], 0.0);
        for (sum, part) in parts {
            (0..D).for_each(|axis| centre[axis] += sum[axis] / piece.len() as f64);
            squares += part / piece.len() as f64;
        }
        let spread = (squares - centre.iter().map(|value| value * value).sum::<f64>()).max(0.0);
        Self { centre, radius: (spread * (D + 2) as f64 / D as f64).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::GROUP;
    use super::*;

    /// Three pieces of a few points each, one of them far off.
    #[test]
    fn a_piece_far_off_comes_nearer_and_keeps_its_shape() {
        let edges: Vec<Vec<u32>> = (0..48u32).map(|at| vec![at / 16 * 16 + (at + 1) % 16]).collect();
        let pieces = Pieces::new(48, |at| &edges[at], &Progress::new()).unwrap();
        let axis = |far: f32| -> Vec<f32> {
            let mut values: Vec<f32> =
                (0..48u32).map(|at| (at * 7 % 16) as f32 / 8.0 + if at < 16 { far } else { 0.0 }).collect();
            values.extend_from_within(..GROUP);
            values
        };
        let mut field = Field { axes: [axis(-80.0), axis(60.0)], count: 48 };
        let before = field.clone();
        for _ in 0..200 {
            pieces.gather(&mut field, 1.0, 1.0);
        }
        for values in &field.axes {
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &at| (low.min(at), high.max(at)));
            assert!(high - low < 10.0, "{field:?}");
        }
        for (after, before) in field.axes.iter().zip(&before.axes) {
            assert_eq!(after[48..], after[..GROUP]);
            for piece in 0..3 {
                for at in 16 * piece..16 * piece + 16 {
                    let (own, first) = (after[at] - after[16 * piece], before[at] - before[16 * piece]);
                    assert!((own - first).abs() < 1e-3, "{own}, {first} before");
                }
            }
        }
        let one = Pieces::new(48, |at| if at == 0 { &[1, 16, 32] } else { &edges[at] }, &Progress::new()).unwrap();
        let mut alone = before.clone();
        one.gather(&mut alone, 1.0, 1.0);
        assert_eq!(alone.axes, before.axes);
    }
}
