//! Which edges of a point are taken in an epoch: the same number each time, to within one.
//!
//! A point's edges lie end to end on a line, each as long as the share of epochs in which it is to be taken, at most 1. Each epoch lays a
//! comb on the line, its teeth 1 apart and shifted by the golden section each time; an edge under a tooth is due (systematic sampling).
//! So sixteen points that take as many edges on average take as many in every epoch, and none of them waits for the others. Invariant:
//! whole numbers only, so every processor chooses the same edges.
#![allow(unsafe_code)] // a kernel for instructions that were found

use super::lanes::GROUP;

/// Where the comb lies in an epoch, in 2⁻³².
pub(super) fn shift(epoch: u32) -> u32 {
    epoch.wrapping_mul(0x9e37_79b9)
}

/// Appends where the edges of one point end on its line, in 2⁻³² and without whole numbers, from the share of epochs of each.
pub(super) fn add_ends(shares: impl Iterator<Item = f32>, ends: &mut Vec<u32>) {
    let mut end = 0u32;
    ends.extend(shares.map(|share| {
        end = end.wrapping_add((f64::from(share) * f64::from(u32::MAX)) as u32);
        end
    }));
}

/// Writes the tails of the edges that are due to every sixteenth place of `due` from `lane` on; tells how many. `due` has a place for
/// each edge. Wants AVX-512 where `WIDE`.
#[inline(always)]
pub(super) fn collect<const WIDE: bool>(
    (tails, ends): (&[u32], &[u32]),
    shift: u32,
    lane: usize,
    due: &mut [u32],
) -> usize {
    #[cfg(target_arch = "x86_64")]
    if WIDE {
        // SAFETY: the caller asks for this only where the instructions were found.
        return unsafe { wide((tails, ends), shift, lane, due) };
    }
    plain((tails, ends), shift, lane, due)
}

#[inline(always)]
fn plain((tails, ends): (&[u32], &[u32]), shift: u32, lane: usize, due: &mut [u32]) -> usize {
    let (mut count, mut before) = (0, shift);
    for (&tail, &end) in tails.iter().zip(ends) {
        due[count * GROUP + lane] = tail;
        let now = end.wrapping_add(shift);
        count += usize::from(now < before);
        before = now;
    }
    count
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn wide((tails, ends): (&[u32], &[u32]), shift: u32, lane: usize, due: &mut [u32]) -> usize {
    use std::arch::x86_64::*;
    let (mut count, shifts) = (0, _mm512_set1_epi32(shift.cast_signed()));
    let mut last = shifts;
    for (tails, ends) in tails.chunks(16).zip(ends.chunks(16)) {
        let there = (u32::MAX >> (32 - ends.len().min(tails.len()))) as u16;
        // SAFETY: lanes beyond the slices are not read.
        let (tails, ends) = unsafe {
            let load = |of: &[u32]| _mm512_maskz_loadu_epi32(there, of.as_ptr().cast());
            (load(tails), load(ends))
        };
        let now = _mm512_add_epi32(ends, shifts);
        let before = _mm512_alignr_epi32::<15>(now, last);
        let taken = _mm512_mask_cmplt_epu32_mask(there, now, before);
        let mut found = [0u32; 16];
        // SAFETY: the array holds 16 values.
        unsafe { _mm512_storeu_epi32(found.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(taken, tails)) };
        for &tail in &found[..taken.count_ones() as usize] {
            due[count * GROUP + lane] = tail;
            count += 1;
        }
        last = now;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares of 45 edges, some of them 1.
    fn shares() -> Vec<f32> {
        (0..45).map(|at| if at % 11 == 3 { 1.0 } else { (at * 37 % 45) as f32 / 50.0 }).collect()
    }

    #[test]
    fn edges_come_as_often_as_they_should_and_evenly() {
        let (shares, tails): (Vec<f32>, Vec<u32>) = (shares(), (0..45).collect());
        let mut ends = Vec::new();
        add_ends(shares.iter().copied(), &mut ends);
        let load: f32 = shares.iter().sum();
        let mut times = [0u32; 45];
        for epoch in 1..=400 {
            let mut due = vec![u32::MAX; 45 * GROUP];
            let count = collect::<false>((&tails, &ends), shift(epoch), 3, &mut due);
            assert!((count as f32 - load).abs() < 1.001, "{count} of {load}");
            (0..count).for_each(|at| times[due[at * GROUP + 3] as usize] += 1);
        }
        for (share, times) in shares.iter().zip(times) {
            assert!((share * 400.0 - times as f32).abs() <= 5.0, "{share}: {times}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn both_ways_choose_the_same_edges() {
        if !std::arch::is_x86_feature_detected!("avx512f") {
            return;
        }
        let tails: Vec<u32> = (100..145).collect();
        let mut ends = Vec::new();
        add_ends(shares().into_iter(), &mut ends);
        for length in 0..=45 {
            for epoch in 0..50 {
                let (mut one, mut two) = (vec![0; 46 * GROUP], vec![0; 46 * GROUP]);
                let edges = (&tails[..length], &ends[..length]);
                let count = collect::<false>(edges, shift(epoch), 7, &mut one);
                // SAFETY: the instructions were found, as asked above.
                let by_wide = unsafe { wide(edges, shift(epoch), 7, &mut two) };
                assert_eq!(count, by_wide);
                assert!((0..count).all(|at| one[at * GROUP + 7] == two[at * GROUP + 7]));
            }
        }
    }
}
