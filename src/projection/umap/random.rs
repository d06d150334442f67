//! Random numbers by counting: the same place and time give the same number, whoever asks and in whatever order.
//!
//! No state. Invariant: a number depends on its arguments only.

/// A number from a seed and two counters (the finaliser of splitmix64; Steele, Lea and Flood 2014).
#[inline(always)]
pub(in crate::projection) fn mix(seed: u64, stream: u64, number: u64) -> u64 {
    let mut z = seed
        .wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(number.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number from 0 to 1, 1 left out.
pub(in crate::projection) fn unit(seed: u64, stream: u64, number: u64) -> f32 {
    (mix(seed, stream, number) >> 40) as f32 / (1u32 << 24) as f32
}
