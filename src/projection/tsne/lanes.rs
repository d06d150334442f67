//! The inner loops of t-SNE, for sixteen and for eight lanes at a time.
//!
//! Unsafe because of vector instructions and unaligned loads. Each has a portable twin of the same meaning. Invariant: nothing with
//! AVX2 in its name runs before [`has_fma`] said yes, and every index was checked when the affinities were made.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
use crate::vectors::has_fma;

/// Points that are pushed together.
pub(super) const GROUP: usize = 16;

/// Something that repels: one point, or many seen as one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Source {
    /// Where it is.
    pub x: f32,
    /// Where it is.
    pub y: f32,
    /// How many points it stands for.
    pub mass: f32,
}

/// What a group feels: pushes along both axes and its share of the normaliser, itself included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Push {
    /// Σ mass · q² · Δx.
    pub x: [f32; GROUP],
    /// Σ mass · q² · Δy.
    pub y: [f32; GROUP],
    /// Σ mass · q.
    pub z: [f32; GROUP],
}

/// The push of all `sources` on the points at (`x`, `y`), where q = 1 / (1 + distance²).
pub(super) fn repel(x: &[f32; GROUP], y: &[f32; GROUP], sources: &[Source]) -> Push {
    #[cfg(target_arch = "x86_64")]
    if has_fma() {
        // SAFETY: the instructions were found on this machine.
        return unsafe { repel_avx2(x, y, sources) };
    }
    repel_portable(x, y, sources)
}

fn repel_portable(x: &[f32; GROUP], y: &[f32; GROUP], sources: &[Source]) -> Push {
    let mut push = Push::default();
    for source in sources {
        for lane in 0..GROUP {
            let (dx, dy) = (x[lane] - source.x, y[lane] - source.y);
            let q = 1.0 / (1.0 + dx * dx + dy * dy);
            let weighed = source.mass * q;
            push.z[lane] += weighed;
            push.x[lane] += weighed * q * dx;
            push.y[lane] += weighed * q * dy;
        }
    }
    push
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn repel_avx2(x: &[f32; GROUP], y: &[f32; GROUP], sources: &[Source]) -> Push {
    // SAFETY: both halves of the arrays hold eight values.
    let (x, y) = unsafe {
        (
            [_mm256_loadu_ps(x.as_ptr()), _mm256_loadu_ps(x.as_ptr().add(8))],
            [_mm256_loadu_ps(y.as_ptr()), _mm256_loadu_ps(y.as_ptr().add(8))],
        )
    };
    let one = _mm256_set1_ps(1.0);
    let mut sums = [[_mm256_setzero_ps(); 2]; 3];
    for source in sources {
        let (sx, sy, mass) = (_mm256_set1_ps(source.x), _mm256_set1_ps(source.y), _mm256_set1_ps(source.mass));
        for half in 0..2 {
            let (dx, dy) = (_mm256_sub_ps(x[half], sx), _mm256_sub_ps(y[half], sy));
            let q = _mm256_div_ps(one, _mm256_fmadd_ps(dx, dx, _mm256_fmadd_ps(dy, dy, one)));
            let weighed = _mm256_mul_ps(mass, q);
            let force = _mm256_mul_ps(weighed, q);
            sums[0][half] = _mm256_fmadd_ps(force, dx, sums[0][half]);
            sums[1][half] = _mm256_fmadd_ps(force, dy, sums[1][half]);
            sums[2][half] = _mm256_add_ps(sums[2][half], weighed);
        }
    }
    let mut push = Push::default();
    for half in 0..2 {
        for (out, sum) in [&mut push.x, &mut push.y, &mut push.z].into_iter().zip(sums) {
            // SAFETY: eight values from the start of either half.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(8 * half), sum[half]) };
        }
    }
    push
}

/// How a point at `own` is drawn: Σ weight · q · (own − other). `columns` must be positions in `points`.
pub(super) fn attract(own: [f32; 2], points: &[[f32; 2]], columns: &[u32], weights: &[f32]) -> [f32; 2] {
    #[cfg(target_arch = "x86_64")]
    if has_fma() {
        // SAFETY: the instructions were found on this machine.
        return unsafe { attract_avx2(own, points, columns, weights) };
    }
    attract_portable(own, points, columns, weights)
}

fn attract_portable(own: [f32; 2], points: &[[f32; 2]], columns: &[u32], weights: &[f32]) -> [f32; 2] {
    let mut sum = [0.0f32; 2];
    for (&column, &weight) in columns.iter().zip(weights) {
        let other = points[column as usize];
        let (dx, dy) = (own[0] - other[0], own[1] - other[1]);
        let drawn = weight / (1.0 + dx * dx + dy * dy);
        sum[0] += drawn * dx;
        sum[1] += drawn * dy;
    }
    sum
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn attract_avx2(own: [f32; 2], points: &[[f32; 2]], columns: &[u32], weights: &[f32]) -> [f32; 2] {
    let one = _mm256_set1_ps(1.0);
    let (own_x, own_y) = (_mm256_set1_ps(own[0]), _mm256_set1_ps(own[1]));
    let (mut sum_x, mut sum_y) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    let (column_blocks, column_rest) = columns.as_chunks::<8>();
    let (weight_blocks, weight_rest) = weights.as_chunks::<8>();
    for (column, weight) in column_blocks.iter().zip(weight_blocks) {
        let low = four(points, [column[0], column[1], column[2], column[3]]);
        let high = four(points, [column[4], column[5], column[6], column[7]]);
        // Lanes come out as 0 1 4 5 2 3 6 7, and the weights are put in the same order.
        let x = _mm256_shuffle_ps::<0b10_00_10_00>(low, high);
        let y = _mm256_shuffle_ps::<0b11_01_11_01>(low, high);
        // SAFETY: a block of eight weights.
        let weight = unsafe { _mm256_loadu_ps(weight.as_ptr()) };
        let weight = _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(weight)));
        let (dx, dy) = (_mm256_sub_ps(own_x, x), _mm256_sub_ps(own_y, y));
        let drawn = _mm256_div_ps(weight, _mm256_fmadd_ps(dx, dx, _mm256_fmadd_ps(dy, dy, one)));
        sum_x = _mm256_fmadd_ps(drawn, dx, sum_x);
        sum_y = _mm256_fmadd_ps(drawn, dy, sum_y);
    }
    let mut lanes = [[0.0f32; 8]; 2];
    // SAFETY: eight values each.
    unsafe {
        _mm256_storeu_ps(lanes[0].as_mut_ptr(), sum_x);
        _mm256_storeu_ps(lanes[1].as_mut_ptr(), sum_y);
    }
    let rest = attract_portable(own, points, column_rest, weight_rest);
    [lanes[0].iter().sum::<f32>() + rest[0], lanes[1].iter().sum::<f32>() + rest[1]]
}

/// Bits of a packed neighbour that say which it is; the others hold its weight.
pub(super) const PLACE_BITS: u32 = 17;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;
/// What the exponent of a packed weight lacks, as bits of an `f32`.
const EXPONENT: u32 = (127 - 31) << 23;

/// Place and weight (against a common scale) of a packed neighbour.
#[inline(always)]
pub(super) fn unpack(packed: u32) -> (u32, f32) {
    (packed & PLACE_MASK, f32::from_bits(((packed >> PLACE_BITS) << 13) + EXPONENT))
}

/// As [`attract`], of packed neighbours.
#[inline]
pub(super) fn attract_packed(own: [f32; 2], points: &[[f32; 2]], packed: &[u32]) -> [f32; 2] {
    #[cfg(target_arch = "x86_64")]
    if has_fma() {
        // SAFETY: the instructions were found on this machine.
        return unsafe { attract_packed_avx2(own, points, packed) };
    }
    attract_packed_portable(own, points, packed)
}

fn attract_packed_portable(own: [f32; 2], points: &[[f32; 2]], packed: &[u32]) -> [f32; 2] {
    let mut sum = [0.0f32; 2];
    for &packed in packed {
        let (place, weight) = unpack(packed);
        let other = points[place as usize];
        let (dx, dy) = (own[0] - other[0], own[1] - other[1]);
        let drawn = weight / (1.0 + dx * dx + dy * dy);
        sum[0] += drawn * dx;
        sum[1] += drawn * dy;
    }
    sum
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn attract_packed_avx2(own: [f32; 2], points: &[[f32; 2]], packed: &[u32]) -> [f32; 2] {
    let one = _mm256_set1_ps(1.0);
    let (own_x, own_y) = (_mm256_set1_ps(own[0]), _mm256_set1_ps(own[1]));
    let (mut sum_x, mut sum_y) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    let (blocks, rest) = packed.as_chunks::<8>();
    for block in blocks {
        let at = block.map(|packed| packed & PLACE_MASK);
        // Lanes are to come out as 0 1 4 5 2 3 6 7 from the shuffles, so the halves are read as 0 1 4 5 | 2 3 6 7.
        let low = four(points, [at[0], at[1], at[4], at[5]]);
        let high = four(points, [at[2], at[3], at[6], at[7]]);
        let x = _mm256_shuffle_ps::<0b10_00_10_00>(low, high);
        let y = _mm256_shuffle_ps::<0b11_01_11_01>(low, high);
        // SAFETY: a block of eight values.
        let bits = unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
        let bits = _mm256_slli_epi32::<13>(_mm256_srli_epi32::<{ PLACE_BITS as i32 }>(bits));
        let weight = _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(EXPONENT as i32)));
        let (dx, dy) = (_mm256_sub_ps(own_x, x), _mm256_sub_ps(own_y, y));
        let drawn = _mm256_div_ps(weight, _mm256_fmadd_ps(dx, dx, _mm256_fmadd_ps(dy, dy, one)));
        sum_x = _mm256_fmadd_ps(drawn, dx, sum_x);
        sum_y = _mm256_fmadd_ps(drawn, dy, sum_y);
    }
    let mut lanes = [[0.0f32; 8]; 2];
    // SAFETY: eight values each.
    unsafe {
        _mm256_storeu_ps(lanes[0].as_mut_ptr(), sum_x);
        _mm256_storeu_ps(lanes[1].as_mut_ptr(), sum_y);
    }
    let rest = attract_packed_portable(own, points, rest);
    [lanes[0].iter().sum::<f32>() + rest[0], lanes[1].iter().sum::<f32>() + rest[1]]
}

/// Four points as x y x y | x y x y: the first two in the low half, the last two in the high one.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn four(points: &[[f32; 2]], at: [u32; 4]) -> __m256 {
    let pair = |a: u32, b: u32| {
        let (a, b) = (&points[a as usize], &points[b as usize]);
        // SAFETY: each is two values of four bytes, read as one of eight without any wish for alignment.
        unsafe { _mm_loadh_pd(_mm_load_sd(a.as_ptr().cast()), b.as_ptr().cast()) }
    };
    _mm256_castpd_ps(_mm256_set_m128d(pair(at[2], at[3]), pair(at[0], at[1])))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn both_kernels_agree_with_double_precision() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
        let mut at = || random.random_range(-20.0f32..20.0);
        let points: Vec<[f32; 2]> = (0..203).map(|_| [at(), at()]).collect();
        let sources: Vec<Source> =
            points.iter().zip(1..).map(|(p, i)| Source { x: p[0], y: p[1], mass: (i % 7) as f32 }).collect();
        let (x, y) = (std::array::from_fn(|i| points[i][0]), std::array::from_fn(|i| points[i][1]));
        for push in [repel(&x, &y, &sources), repel_portable(&x, &y, &sources)] {
            for lane in 0..GROUP {
                let mut exact = [0.0f64; 3];
                for source in &sources {
                    let (dx, dy) = (f64::from(x[lane] - source.x), f64::from(y[lane] - source.y));
                    let q = 1.0 / (1.0 + dx * dx + dy * dy);
                    let mass = f64::from(source.mass);
                    exact = [exact[0] + mass * q * q * dx, exact[1] + mass * q * q * dy, exact[2] + mass * q];
                }
                for (found, exact) in [push.x[lane], push.y[lane], push.z[lane]].iter().zip(exact) {
                    assert!((f64::from(*found) - exact).abs() < 1e-4);
                }
            }
        }
        let columns: Vec<u32> = (1..203).rev().collect();
        let weights: Vec<f32> = (1..203).map(|i| i as f32 / 1000.0).collect();
        let exact = columns.iter().zip(&weights).fold([0.0f64; 2], |sum, (&column, &weight)| {
            let other = points[column as usize];
            let (dx, dy) = (f64::from(points[0][0] - other[0]), f64::from(points[0][1] - other[1]));
            let drawn = f64::from(weight) / (1.0 + dx * dx + dy * dy);
            [sum[0] + drawn * dx, sum[1] + drawn * dy]
        });
        for found in
            [attract(points[0], &points, &columns, &weights), attract_portable(points[0], &points, &columns, &weights)]
        {
            assert!((f64::from(found[0]) - exact[0]).abs() < 1e-5 && (f64::from(found[1]) - exact[1]).abs() < 1e-5);
        }
    }

    #[test]
    fn packed_neighbours_draw_as_in_double_precision() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(6);
        let mut at = || random.random_range(-3.0f32..3.0);
        let points: Vec<[f32; 2]> = (0..300).map(|_| [at(), at()]).collect();
        for count in [0, 1, 7, 8, 9, 291] {
            let packed: Vec<u32> = (0..count).map(|i| (i * 97 % 30_000) << PLACE_BITS | (299 - i)).collect();
            let exact = packed.iter().fold([0.0f64; 2], |sum, &packed| {
                let (place, weight) = unpack(packed);
                let [dx, dy] = [0, 1].map(|axis| f64::from(points[7][axis]) - f64::from(points[place as usize][axis]));
                let drawn = f64::from(weight) / (1.0 + dx * dx + dy * dy);
                [sum[0] + drawn * dx, sum[1] + drawn * dy]
            });
            for found in
                [attract_packed(points[7], &points, &packed), attract_packed_portable(points[7], &points, &packed)]
            {
                assert!((0..2).all(|axis| (f64::from(found[axis]) - exact[axis]).abs() < 1e-4), "{found:?} {exact:?}");
            }
        }
    }
}
