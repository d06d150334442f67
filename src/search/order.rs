//! An order of rows in which neighbours stand near each other: a tree of halvings, each along the line between two centres.
//!
//! Only an order, so it can cost time but never a neighbour. Invariant: every split falls on a border of parts, and the order
//! depends on the rows alone.

use rayon::prelude::*;

use super::rounded::{Rounded, quantise};
use crate::progress::Progress;
use crate::vectors::{bytes, dot, level, squared_distance};

/// Rows the two centres are found from.
const SAMPLE: usize = 256;
/// Times the two centres are moved to the middle of their rows.
const ROUNDS: usize = 4;

/// Puts `rows` (positions) in order, down to parts of `size` rows. Another `seed` looks at other rows for the centres. Leaves off once `progress` is cancelled.
pub(super) fn arrange(rounded: &Rounded, rows: &mut [u32], (size, seed): (usize, u64), progress: &Progress) {
    let blocks = rows.len().div_ceil(size);
    if blocks < 2 {
        rows.sort_unstable();
        return;
    }
    if progress.is_cancelled() {
        return;
    }
    let direction = direction(rounded, rows, seed);
    let mut line = vec![0i8; rounded.stride];
    let (_, _, sum) = quantise(&direction, &mut line);
    let level = level();
    let mut along: Vec<(f32, u32)> = rows
        .par_iter()
        .with_min_len(2048)
        .map(|&row| {
            if progress.is_cancelled() {
                return (0.0, row);
            }
            let at = row as usize * rounded.stride;
            let product = bytes::dot(level, &rounded.bytes[at..at + rounded.stride], &line, sum);
            (product as f32 * rounded.bounds.scale[row as usize], row)
        })
        .collect();
    if progress.is_cancelled() {
        return;
    }
    let middle = blocks / 2 * size;
    along.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    rows.iter_mut().zip(&along).for_each(|(row, &(_, from))| *row = from);
    drop(along);
    let (low, high) = rows.split_at_mut(middle);
    rayon::join(|| arrange(rounded, low, (size, seed), progress), || arrange(rounded, high, (size, seed), progress));
}

/// From one centre of the rows to the other.
fn direction(rounded: &Rounded, rows: &[u32], seed: u64) -> Vec<f32> {
    let (dim, count) = (rounded.dim, rows.len().min(SAMPLE));
    let mut sample = vec![0.0f32; count * dim];
    let shift = (seed % rows.len() as u64) as usize;
    for (at, out) in sample.chunks_exact_mut(dim).enumerate() {
        let row = rows[(at * rows.len() / count + shift) % rows.len()] as usize;
        let scale = rounded.bounds.scale[row];
        let bytes = &rounded.bytes[row * rounded.stride..][..dim];
        out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = f32::from(byte) * scale);
    }
    let rows = || sample.chunks_exact(dim);
    let mean = middle(rows(), dim);
    let mut centres = [farthest(rows(), &mean), Vec::new()];
    centres[1] = farthest(rows(), &centres[0]);
    for _ in 0..ROUNDS {
        let between: Vec<f32> = centres[0].iter().zip(&centres[1]).map(|(a, b)| a - b).collect();
        let half = 0.5 * (dot(&centres[0], &centres[0]) - dot(&centres[1], &centres[1]));
        let near: Vec<bool> = rows().map(|row| dot(row, &between) >= half).collect();
        for (side, centre) in centres.iter_mut().enumerate() {
            let own = rows().zip(&near).filter(|&(_, &first)| first == (side == 0)).map(|(row, _)| row);
            *centre = middle(own, dim);
        }
    }
    centres[0].iter().zip(&centres[1]).map(|(a, b)| a - b).collect()
}

fn middle<'a>(rows: impl Iterator<Item = &'a [f32]>, dim: usize) -> Vec<f32> {
    let (mut sum, mut count) = (vec![0.0f32; dim], 0);
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        count += 1;
    }
    sum.iter_mut().for_each(|sum| *sum /= count.max(1) as f32);
    sum
}

fn farthest<'a>(rows: impl Iterator<Item = &'a [f32]>, from: &[f32]) -> Vec<f32> {
    let mut best: (f32, &[f32]) = (-1.0, &[]);
    for row in rows {
        let distance = squared_distance(row, from);
        if distance > best.0 {
            best = (distance, row);
        }
    }
    if best.1.is_empty() { from.to_vec() } else { best.1.to_vec() }
}
