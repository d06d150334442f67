//! Which blocks of an ordered field lie near each other, by asking some of their rows.
//!
//! Only a choice of pairs worth comparing. Invariant: every block is paired with itself, no pair comes twice, and the list depends on
//! the rows alone.

use rayon::prelude::*;

use super::field::Field;
use crate::progress::{Cancelled, Progress};
use crate::vectors::tiles::{BLOCK, Bytes};
use crate::vectors::{Metric, dot};

/// Rows of a block that are asked.
const ASKED: usize = 32;
/// Blocks each of them names.
const NAMED: usize = 16;

/// Middles of all blocks, in the values of the field's rows, and what is added to products with them.
fn middles(field: &Field, bytes: &Bytes, metric: Metric) -> (Vec<f32>, Vec<f32>) {
    let (stride, blocks) = (bytes.stride, bytes.sums.len() / BLOCK);
    let mut middles = vec![0.0f32; blocks * stride];
    let mut offsets = vec![0.0f32; blocks];
    middles.par_chunks_mut(stride).zip(&mut offsets).enumerate().for_each(|(block, (middle, offset))| {
        let rows = block * BLOCK..((block + 1) * BLOCK).min(field.order.len());
        let share = 1.0 / rows.len().max(1) as f32;
        for row in rows.clone() {
            let scale = field.bounds.scale[row] * share;
            middle.iter_mut().zip(bytes.row(row)).for_each(|(sum, &byte)| *sum += f32::from(byte) * scale);
        }
        *offset = match metric {
            Metric::Dot => field.bounds.offset[rows].iter().sum::<f32>() * share,
            Metric::Cosine | Metric::Euclidean => -0.5 * dot(middle, middle),
        };
    });
    (middles, offsets)
}

/// Pairs of blocks, each with about its `wanted` nearest, near ones first.
pub(super) fn near_pairs(
    field: &Field,
    bytes: &Bytes,
    metric: Metric,
    wanted: usize,
    progress: &Progress,
) -> Result<Vec<(u32, u32)>, Cancelled> {
    let blocks = bytes.sums.len() / BLOCK;
    let (middles, offsets) = middles(field, bytes, metric);
    let mut named: Vec<Vec<u32>> = (0..blocks)
        .into_par_iter()
        .map(|block| {
            progress.check()?;
            let mut votes = vec![0.0f32; blocks];
            votes[block] = f32::INFINITY;
            let rows = block * BLOCK..((block + 1) * BLOCK).min(field.order.len());
            let mut row_values = vec![0.0f32; bytes.stride];
            for asked in 0..ASKED.min(rows.len()) {
                let row = rows.start + asked * rows.len() / ASKED.min(rows.len());
                row_values.iter_mut().zip(bytes.row(row)).for_each(|(value, &byte)| *value = f32::from(byte));
                let scale = field.bounds.scale[row];
                let mut scores: Vec<(f32, u32)> = middles
                    .chunks_exact(bytes.stride)
                    .zip(&offsets)
                    .zip(0u32..)
                    .map(|((middle, offset), other)| (scale * dot(middle, &row_values) + offset, other))
                    .collect();
                let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
                let first = NAMED.min(blocks);
                scores.select_nth_unstable_by(first - 1, order);
                scores[..first].sort_unstable_by(order);
                for (rank, &(_, other)) in scores[..first].iter().enumerate() {
                    votes[other as usize] += 1.0 / (rank + 2) as f32;
                }
            }
            let mut by_votes: Vec<u32> = (0..blocks as u32).filter(|&other| votes[other as usize] > 0.0).collect();
            by_votes.sort_unstable_by(|&a, &b| votes[b as usize].total_cmp(&votes[a as usize]).then(a.cmp(&b)));
            by_votes.truncate(wanted);
            Ok(by_votes)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
    for (block, others) in named.iter_mut().enumerate() {
        let own = block as u32;
        pairs.extend((0u32..).zip(others.iter()).map(|(rank, &other)| (own.min(other), own.max(other), rank)));
    }
    pairs.sort_unstable();
    pairs.dedup_by_key(|pair| (pair.0, pair.1));
    pairs.sort_by_key(|&(row, column, rank)| (rank, row, column));
    Ok(pairs.into_iter().map(|(row, column, _)| (row, column)).collect())
}
