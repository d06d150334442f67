//! How fast products of bfloat16 run: tiles of 6 by 64 sums in registers, their factors in the first cache.
//!
//! For the self-test alone; encoders have kernels of their own. Unsafe because the instructions must exist. Invariant: what is
//! computed is a sum of ones, so that a test can tell that all of it was done.
#![allow(unsafe_code)]

/// Pairs of factors a sum.
const PAIRS: usize = 128;
/// Rows of a tile.
const ROWS: usize = 6;
/// Columns of a tile, in vectors of 16 sums.
const COLUMNS: usize = 4;
/// Two bfloat16 ones.
const ONES: u32 = 0x3f80_3f80;

/// Factors of one tile.
pub(super) struct Tile {
    left: Vec<[u32; ROWS]>,
    right: Vec<[u32; 16 * COLUMNS]>,
}

/// Multiplications and additions of one step.
pub(super) const OPERATIONS: f64 = (2 * 2 * PAIRS * ROWS * 16 * COLUMNS) as f64;

impl Tile {
    pub(super) fn new() -> Self {
        Self { left: vec![[ONES; ROWS]; PAIRS], right: vec![[ONES; 16 * COLUMNS]; PAIRS] }
    }

    /// All sums of the tile added up; 0 where the processor has no such products.
    pub(super) fn multiply(&self) -> f32 {
        if !super::has_bf16_products() {
            return 0.0;
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX-512 with BF16 is there, as just asked.
        let sum = unsafe { products(&self.left, &self.right) };
        #[cfg(not(target_arch = "x86_64"))]
        let sum = 0.0;
        sum
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn products(left: &[[u32; ROWS]], right: &[[u32; 16 * COLUMNS]]) -> f32 {
    use std::arch::x86_64::{
        __m512bh, __m512i, _mm512_add_ps, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_reduce_add_ps,
        _mm512_set1_epi32, _mm512_setzero_ps,
    };
    let mut sums = [[_mm512_setzero_ps(); COLUMNS]; ROWS];
    for (row, columns) in left.iter().zip(right) {
        // SAFETY: each of the vectors lies within the 16 · COLUMNS values; integers and pairs of bfloat16 are the same 512 bits.
        let load = |at: usize| unsafe {
            std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(columns.as_ptr().add(16 * at).cast()))
        };
        let factors: [__m512bh; COLUMNS] = [load(0), load(1), load(2), load(3)];
        for (sums, &pair) in sums.iter_mut().zip(row) {
            // SAFETY: as above.
            let pair = unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(pair.cast_signed())) };
            for (sum, &factor) in sums.iter_mut().zip(&factors) {
                *sum = _mm512_dpbf16_ps(*sum, pair, factor);
            }
        }
    }
    let all = sums.iter().flatten().fold(_mm512_setzero_ps(), |all, &sum| _mm512_add_ps(all, sum));
    _mm512_reduce_add_ps(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_is_added() {
        let wanted = if super::super::has_bf16_products() { (2 * PAIRS * ROWS * 16 * COLUMNS) as f32 } else { 0.0 };
        assert_eq!(Tile::new().multiply(), wanted);
    }
}
