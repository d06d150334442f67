//! How fast this machine can multiply and read at all, measured in a moment: what other times are to be compared with.
//!
//! Measures, decides nothing. Invariant: every result is a positive rate, or zero where the clock saw no time pass.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::amx;
use super::cpu::{Level, has_bf16_products, level};
use super::peak_bfloat::{OPERATIONS, Tile};
use super::tiles::{BLOCK, Bounds, Bytes, Found, Pair, Panels, Singles, compare};

/// How long each measurement runs.
const SPAN: Duration = Duration::from_millis(150);
/// Bytes read a thread: more than its caches hold.
const READ: usize = 64 << 20;

/// Rates of this machine over all threads of the current pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// The kernels in use.
    pub level: Level,
    /// Billions of additions and multiplications a second in single precision, by the tile kernels.
    pub single_gflops: f64,
    /// Billions of additions and multiplications of bytes a second, by the tile kernels; 0 where the level has no byte products.
    pub byte_gops: f64,
    /// Billions of additions and multiplications of bfloat16 a second; 0 where the level has no such products.
    pub bfloat_gflops: f64,
    /// Billions of bytes read from memory a second.
    pub read_gbytes: f64,
}

/// Measures for about half a second.
pub fn peak() -> Peak {
    let level = level();
    let threads = rayon::current_num_threads();
    let dim = 256;
    let work = (2 * dim * BLOCK * BLOCK) as f64;
    let singles = Panels::Singles(Singles::new(vec![0.5; BLOCK * dim], dim, &|| false));
    let bytes = Panels::Bytes(Bytes::new(level, vec![1; BLOCK * dim], vec![dim as i32; BLOCK], (dim, dim), &|| false));
    let products = |panels: &Panels| over_threads(threads, || multiply(level, panels)) * work / 1e9;
    Peak {
        level,
        single_gflops: products(&singles),
        byte_gops: match level {
            Level::Amx => tiles(threads, true),
            _ if level.has_byte_products() => products(&bytes),
            _ => 0.0,
        },
        bfloat_gflops: bfloat(threads),
        read_gbytes: read(threads) / 1e9,
    }
}

fn bfloat(threads: usize) -> f64 {
    if !has_bf16_products() {
        return 0.0;
    }
    if level() == Level::Amx {
        return tiles(threads, false);
    }
    let tile = Tile::new();
    let many = || (0..32).for_each(|_| _ = black_box(black_box(&tile).multiply()));
    over_threads(threads, many) * 32.0 * OPERATIONS / 1e9
}

/// Billions of additions and multiplications a second by the processor's matrix tiles.
fn tiles(threads: usize, bytes: bool) -> f64 {
    let each = 16.0 * 16.0 * 2.0 * if bytes { 64.0 } else { 32.0 };
    over_threads(threads, || amx::multiply(bytes)) * amx::PRODUCTS as f64 * each / 1e9
}

/// Runs `step` on every thread for a while: steps a second over all.
fn over_threads(threads: usize, step: impl Fn() + Sync) -> f64 {
    let rates = (0..threads).into_par_iter().with_max_len(1).map(|_| {
        let (start, mut steps) = (Instant::now(), 0.0);
        while start.elapsed() < SPAN {
            step();
            steps += 1.0;
        }
        steps / start.elapsed().as_secs_f64()
    });
    rates.collect::<Vec<f64>>().iter().sum()
}

fn multiply(level: Level, panels: &Panels) {
    let zeros = || vec![0.0f32; BLOCK];
    let bounds = Bounds { scale: zeros(), offset: zeros(), spread: zeros(), reach: zeros() };
    let floors = [f32::INFINITY; BLOCK];
    let pair = Pair { rows: 0, columns: 0, part: (0, BLOCK), row_floors: &floors, column_floors: &floors };
    let mut found = Found::default();
    compare(level, panels, &bounds, &pair, &mut found);
    black_box(&found);
}

/// Bytes a second read by all threads.
fn read(threads: usize) -> f64 {
    let blocks: Vec<Vec<u64>> = (0..threads).into_par_iter().map(|seed| vec![seed as u64 + 1; READ / 8]).collect();
    let start = Instant::now();
    let mut rounds = 0.0;
    while start.elapsed() < SPAN {
        let sum = blocks.par_iter().with_max_len(1).map(|block| sum(block)).reduce(|| 0, u64::wrapping_add);
        black_box(sum);
        rounds += 1.0;
    }
    rounds * (threads * READ) as f64 / start.elapsed().as_secs_f64()
}

/// Sum in eight lanes, so that memory and not the addition is what it waits for.
fn sum(block: &[u64]) -> u64 {
    let mut lanes = [0u64; 32];
    for values in block.as_chunks::<32>().0 {
        lanes.iter_mut().zip(values).for_each(|(lane, &value)| *lane = lane.wrapping_add(value));
    }
    lanes.iter().fold(0, |all, &lane| all.wrapping_add(lane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_measured_within_a_second() {
        let peak = peak();
        assert!(peak.single_gflops > 0.0 && peak.read_gbytes > 0.0);
        assert_eq!(peak.byte_gops > 0.0, peak.level.has_byte_products());
        assert_eq!(peak.bfloat_gflops > 0.0, has_bf16_products());
    }
}
