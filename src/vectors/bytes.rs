//! Dot products of rows of bytes, four or more at a time.
//!
//! Knows nothing of what the bytes stand for. The calls into instruction kernels are unsafe because the instructions must exist.
//! Invariant: products are exact integers, the same on every level.
#![allow(unsafe_code)]

use super::cpu::Level;

/// Rows of bytes are filled up with zeros to a multiple of this.
pub(crate) const ALIGN: usize = 64;

/// Dot product of two rows of bytes, both of one length, a multiple of [`ALIGN`]. `sum` is the sum of `b`'s values.
#[inline]
pub(crate) fn dot(level: Level, a: &[i8], b: &[i8], sum: i32) -> i32 {
    let common = a.len().min(b.len());
    let (a, b) = (&a[..common], &b[..common]);
    #[cfg(target_arch = "x86_64")]
    match level {
        // SAFETY: levels in use were found on this machine.
        Level::Amx | Level::Avx512Vnni => return unsafe { x86::dot_512_vnni(a, b) } - 128 * sum,
        // SAFETY: as above.
        Level::Avx512 => return unsafe { x86::dot_512(a, b) },
        // SAFETY: as above.
        Level::Avx2Vnni => return unsafe { x86::dot_256_vnni(a, b) } - 128 * sum,
        // SAFETY: as above.
        Level::Avx2 => return unsafe { x86::dot_256(a, b) },
        Level::Portable => {}
    }
    let _ = (level, sum);
    a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum()
}

/// Asks for a row that will be read soon.
#[inline]
pub(crate) fn prefetch(row: &[i8]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(64) {
        // SAFETY: a prefetch never faults, and the address is that of a value.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line.as_ptr()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Of `a` + 128, by bytes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn dot_512_vnni(a: &[i8], b: &[i8]) -> i32 {
        let flip = _mm512_set1_epi8(-128);
        let mut sums = [_mm512_setzero_si512(); 2];
        for (at, (a, b)) in a.as_chunks::<64>().0.iter().zip(b.as_chunks::<64>().0).enumerate() {
            // SAFETY: both chunks hold 64 bytes.
            let (x, y) = unsafe { (_mm512_loadu_si512(a.as_ptr().cast()), _mm512_loadu_si512(b.as_ptr().cast())) };
            sums[at & 1] = _mm512_dpbusd_epi32(sums[at & 1], _mm512_xor_si512(x, flip), y);
        }
        _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn dot_512(a: &[i8], b: &[i8]) -> i32 {
        let mut sums = _mm512_setzero_si512();
        for (a, b) in a.as_chunks::<32>().0.iter().zip(b.as_chunks::<32>().0) {
            // SAFETY: both chunks hold 32 bytes.
            let (x, y) = unsafe { (_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(b.as_ptr().cast())) };
            let terms = _mm512_madd_epi16(_mm512_cvtepi8_epi16(x), _mm512_cvtepi8_epi16(y));
            sums = _mm512_add_epi32(sums, terms);
        }
        _mm512_reduce_add_epi32(sums)
    }

    /// Of `a` + 128, by bytes.
    #[target_feature(enable = "avx2,avxvnni")]
    pub(super) fn dot_256_vnni(a: &[i8], b: &[i8]) -> i32 {
        let flip = _mm256_set1_epi8(-128);
        let mut sums = [_mm256_setzero_si256(); 2];
        for (at, (a, b)) in a.as_chunks::<32>().0.iter().zip(b.as_chunks::<32>().0).enumerate() {
            // SAFETY: both chunks hold 32 bytes.
            let (x, y) = unsafe { (_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(b.as_ptr().cast())) };
            sums[at & 1] = _mm256_dpbusd_avx_epi32(sums[at & 1], _mm256_xor_si256(x, flip), y);
        }
        reduce(_mm256_add_epi32(sums[0], sums[1]))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn dot_256(a: &[i8], b: &[i8]) -> i32 {
        let mut sums = _mm256_setzero_si256();
        for (a, b) in a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0) {
            // SAFETY: both chunks hold 16 bytes.
            let (x, y) = unsafe { (_mm_loadu_si128(a.as_ptr().cast()), _mm_loadu_si128(b.as_ptr().cast())) };
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(x), _mm256_cvtepi8_epi16(y)));
        }
        reduce(sums)
    }

    #[target_feature(enable = "avx2")]
    fn reduce(sums: __m256i) -> i32 {
        let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b0100_1110>(four));
        _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b1011_0001>(two)))
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn products_are_exact_on_every_level() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
        for chunks in 0..7 {
            let mut row = || -> Vec<i8> { (0..chunks * ALIGN).map(|_| random.random_range(-127..=127)).collect() };
            let (a, b) = (row(), row());
            let exact: i32 = a.iter().zip(&b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum();
            let sum = b.iter().map(|&value| i32::from(value)).sum();
            for level in Level::available() {
                assert_eq!(dot(level, &a, &b, sum), exact, "{level:?}, {chunks}");
            }
        }
    }
}
