//! Small parts of an ordered field, and which of them a row had better be compared with.
//!
//! A row is likely to have neighbours in a part when its score with the part's middle, and so many times how far the part's rows lie
//! from that, reach the row's floor. How many times is found out on some rows that are compared with all. Only a choice; invariant: it
//! depends on the rows alone.

use rayon::prelude::*;

use super::field::Field;
use super::lists::{Candidate, greatest};
use super::refine::value;
use super::rounded::quantise_for;
use crate::progress::{Cancelled, Progress};
use crate::vectors::tiles::{BLOCK, Bounds, Bytes, Found, Picked, Side};
use crate::vectors::{dot, level};

/// Rows compared with all others to find out how much is found.
const SAMPLE: usize = 6 * Picked::MOST;
/// Middles are filled up to a multiple of this.
const WIDE: usize = 32;
/// Parts at most, so that comparing with middles stays cheap and so does remembering who visits which. Smaller parts find more: of a million
/// rows 0.978 of the neighbours by 5,209 parts of 192, 0.898 by 1,303 of 768, in the same time.
const MOST: usize = 6000;

/// Rows of a part of a set of so many rows: a divisor or a multiple of a block, and a multiple of 32.
pub(super) fn size(rows: usize) -> usize {
    let mut size = BLOCK / 4;
    while rows.div_ceil(size) > MOST {
        size *= 2;
    }
    size
}

/// Which blocks were compared whole.
pub(super) struct Met {
    blocks: usize,
    pairs: Vec<bool>,
}

impl Met {
    pub fn new(blocks: usize, pairs: &[(u32, u32)]) -> Self {
        let mut met = vec![false; blocks * blocks];
        for &(a, b) in pairs {
            met[a as usize * blocks + b as usize] = true;
            met[b as usize * blocks + a as usize] = true;
        }
        Self { blocks, pairs: met }
    }

    pub fn has(&self, a: usize, b: usize) -> bool {
        self.pairs[a * self.blocks + b]
    }
}

/// Runs of so many rows of a field, one after the other.
pub(super) struct Parts<'a> {
    field: &'a Field,
    bytes: &'a Bytes,
    /// Rows of each.
    pub size: usize,
    /// How many.
    pub count: usize,
    middles: Bytes,
    /// Of the middles; as spread how far the parts' rows lie from them, on average.
    bounds: Bounds,
}

/// Which rows are compared with which parts, a bit each.
pub(super) struct Visits {
    words: usize,
    bits: Vec<u64>,
}

impl Visits {
    pub fn has(&self, row: usize, part: usize) -> bool {
        self.bits[row * self.words + part / 64] >> (part % 64) & 1 == 1
    }

    /// The parts a row is compared with.
    pub fn of(&self, row: usize) -> impl Iterator<Item = usize> {
        let words = self.bits[row * self.words..(row + 1) * self.words].iter().enumerate();
        words.flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(64 * at + bit)
            })
        })
    }
}

impl<'a> Parts<'a> {
    pub fn new(field: &'a Field, bytes: &'a Bytes, size: usize, progress: &Progress) -> Self {
        let (stride, rows) = (bytes.stride, field.order.len());
        let count = rows.div_ceil(size);
        let whole = count.next_multiple_of(WIDE);
        let mut middles = vec![0i8; whole * stride];
        let of: Vec<(f32, f32, f32, i32)> = middles
            .par_chunks_mut(stride)
            .take(count)
            .enumerate()
            .map_init(
                || vec![0.0f32; stride],
                |middle, (part, out)| {
                    if progress.is_cancelled() {
                        return (0.0, 0.0, 0.0, 0);
                    }
                    let members = part * size..((part + 1) * size).min(rows);
                    let share = 1.0 / members.len() as f32;
                    middle.fill(0.0);
                    let (mut square, mut offset) = (0.0, 0.0);
                    for row in members {
                        let scale = field.bounds.scale[row];
                        let mut sum = 0;
                        for (middle, &byte) in middle.iter_mut().zip(bytes.row(row)) {
                            *middle += f32::from(byte) * (scale * share);
                            sum += i32::from(byte) * i32::from(byte);
                        }
                        square += sum as f32 * (scale * scale * share);
                        offset += field.bounds.offset[row] * share;
                    }
                    let spread = (square - dot(middle, middle)).max(0.0).sqrt();
                    let (scale, _, sum) = quantise_for(bytes.is_short(), middle, out);
                    (scale, offset, spread, sum)
                },
            )
            .collect();
        let mut sums: Vec<i32> = of.iter().map(|of| of.3).collect();
        sums.resize(whole, 0);
        let pick = |filler: f32, of: &dyn Fn(usize) -> f32| -> Vec<f32> {
            (0..whole).map(|part| if part < count { of(part) } else { filler }).collect()
        };
        let bounds = Bounds {
            scale: pick(0.0, &|part| of[part].0),
            offset: pick(f32::NEG_INFINITY, &|part| of[part].1),
            spread: pick(0.0, &|part| of[part].2),
            reach: vec![0.0; whole],
        };
        let middles = bytes.alike(middles, sums, &|| progress.is_cancelled());
        Self { field, bytes, size, count, middles, bounds }
    }

    /// Whether a block met all rows of a part.
    fn met_whole(&self, met: &Met, block: usize, part: usize) -> bool {
        let (first, end) =
            (part * self.size / BLOCK, ((part + 1) * self.size).min(self.field.order.len()).div_ceil(BLOCK));
        (first..end).all(|other| met.has(block, other))
    }

    /// How many times a part's spread its middle lies below the floor of a row.
    fn depth(&self, row: usize, part: usize, floor: f32) -> f32 {
        let score = value(level(), (self.bytes, &self.field.bounds, row), (&self.middles, &self.bounds, part));
        (floor - score) / self.bounds.spread[part].max(f32::MIN_POSITIVE)
    }

    /// The parts each row is compared with: those whose middles lie no deeper than `depth`, but for those it met already.
    pub fn visits(&self, (floors, met): (&[f32], &Met), depth: f32, progress: &Progress) -> Result<Visits, Cancelled> {
        let (rows, words) = (self.field.order.len(), self.count.div_ceil(64));
        let mut bounds = self.bounds.clone();
        bounds.offset.iter_mut().zip(&bounds.spread).for_each(|(offset, spread)| *offset += depth * spread);
        bounds.spread.fill(0.0);
        let mut bits = vec![0u64; rows * words];
        bits.par_chunks_mut(Picked::MOST * words).enumerate().try_for_each_init(
            || (Picked::new(level()), Found::default()),
            |(picked, found), (batch, bits)| {
                progress.check()?;
                let first = batch * Picked::MOST;
                let rows = first..(first + Picked::MOST).min(rows);
                picked.pick(self.bytes, &self.field.bounds, rows.map(|row| (row, floors[row])));
                for part in (0..bounds.scale.len()).step_by(BLOCK) {
                    let none = [f32::INFINITY; BLOCK];
                    let floors = &none[..BLOCK.min(bounds.scale.len() - part)];
                    found.for_rows.clear();
                    picked.compare(&self.middles, Side { bounds: &bounds, first: part, floors }, found);
                    for near in &found.for_rows {
                        let part = part + usize::from(near.column);
                        bits[usize::from(near.row) * words + part / 64] |= 1 << (part % 64);
                    }
                }
                for part in (0..self.count).filter(|part| self.met_whole(met, first / BLOCK, *part)) {
                    bits.chunks_exact_mut(words).for_each(|bits| bits[part / 64] &= !(1 << (part % 64)));
                }
                Ok(())
            },
        )?;
        Ok(Visits { words, bits })
    }

    /// The depth at which a share `wanted` of the `k` nearest is met with, but so that each row visits a share of all rows between
    /// `visited.0` and `visited.1`; and the share that will be met with.
    pub fn depth_for(
        &self,
        (floors, met): (&[f32], &Met),
        k: usize,
        (wanted, visited): (f32, (f32, f32)),
        progress: &Progress,
    ) -> Result<(f32, f32), Cancelled> {
        let nearest = self.sample(floors, k, progress)?;
        let block = |row: usize| row / BLOCK;
        let of = |(row, near): &(usize, Vec<Candidate>)| -> (Vec<f32>, Vec<f32>) {
            let row = *row;
            let deep = near.iter().map(|near| {
                let other = near.row as usize;
                if met.has(block(row), block(other)) {
                    return f32::NEG_INFINITY;
                }
                self.depth(row, other / self.size, floors[row]).min(self.depth(other, row / self.size, floors[other]))
            });
            let parts = (0..self.count).filter(|part| !self.met_whole(met, block(row), *part));
            (deep.collect(), parts.map(|part| self.depth(row, part, floors[row])).collect())
        };
        let of: Vec<(Vec<f32>, Vec<f32>)> = nearest.par_iter().map(of).collect();
        let mut deep: Vec<f32> = of.iter().flat_map(|of| &of.0).copied().collect();
        let mut parts: Vec<f32> = of.iter().flat_map(|of| &of.1).copied().collect();
        deep.sort_unstable_by(f32::total_cmp);
        parts.sort_unstable_by(f32::total_cmp);
        let at = |sorted: &[f32], at: f32| sorted.get(at as usize).copied().unwrap_or(f32::INFINITY);
        let depth_of = |share: f32| at(&parts, share * (nearest.len() * self.count) as f32);
        let depth = at(&deep, wanted * deep.len() as f32).max(depth_of(visited.0)).min(depth_of(visited.1));
        let covered = deep.partition_point(|&deep| deep <= depth) as f32 / deep.len().max(1) as f32;
        Ok((depth, covered))
    }

    /// Some rows and their `k` nearest of all by bounds.
    fn sample(&self, floors: &[f32], k: usize, progress: &Progress) -> Result<Vec<(usize, Vec<Candidate>)>, Cancelled> {
        let rows = self.field.order.len();
        let sample: Vec<usize> = (0..SAMPLE).map(|at| at * rows / SAMPLE).collect();
        let blocks = rows.div_ceil(BLOCK);
        let span = blocks.div_ceil(64);
        let found: Vec<Vec<(usize, Candidate)>> = (0..blocks.div_ceil(span))
            .into_par_iter()
            .map(|at| {
                let (mut picked, mut found, mut all) = (Picked::new(level()), Found::default(), Vec::new());
                for (batch, own) in sample.chunks(Picked::MOST).enumerate() {
                    progress.check()?;
                    picked.pick(self.bytes, &self.field.bounds, own.iter().map(|&row| (row, floors[row])));
                    for block in at * span..((at + 1) * span).min(blocks) {
                        let first = block * BLOCK;
                        let columns = Side { bounds: &self.field.bounds, first, floors: &[f32::INFINITY; BLOCK] };
                        found.for_rows.clear();
                        picked.compare(self.bytes, columns, &mut found);
                        all.extend(found.for_rows.iter().map(|near| {
                            let row = (first + usize::from(near.column)) as u32;
                            (batch * Picked::MOST + usize::from(near.row), Candidate { row, bound: near.bound })
                        }));
                    }
                }
                Ok(all)
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut nearest: Vec<(usize, Vec<Candidate>)> = sample.iter().map(|&row| (row, Vec::new())).collect();
        for (at, near) in found.into_iter().flatten() {
            let (row, list) = &mut nearest[at];
            if near.row as usize != *row {
                list.push(near);
            }
        }
        nearest.par_iter_mut().for_each(|(_, list)| {
            list.sort_unstable_by(greatest);
            list.truncate(k);
        });
        Ok(nearest)
    }
}
