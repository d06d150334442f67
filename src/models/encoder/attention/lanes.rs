//! Vectors of `f32` by which the attention of every level is written once.
//!
//! Unsafe because of raw loads and because the instructions must exist: methods are inlined into functions that name them. Invariant:
//! a lane's result depends on that lane alone.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod x86;

/// Some `f32` side by side. Whoever calls promises that the processor has the instructions, and that pointers lead to as many values
/// as there are lanes. Methods are inlined always, since only then the compiler may keep vectors in registers.
pub(super) trait Lanes: Copy {
    /// How many.
    const COUNT: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self · factor + other`.
    unsafe fn mul_add(self, factor: Self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    unsafe fn greatest(self) -> f32;
    unsafe fn sum(self) -> f32;
    /// 2 to the power of each, which is at most 0; below −126 it is 2^−126. Relative error below 3e-7.
    unsafe fn exp2(self) -> Self;
    /// Turns `COUNT` rows, `stride` values from one to the next, to columns `step` values from one to the next.
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, step: usize);
}

/// 2^f for f between −½ and ½, the highest power first: relative error 7.5e-8.
const POWERS: [f32; 6] = [0.001_327_647_2, 0.009_675_541, 0.055_507_13, 0.240_221_2, 0.693_146_94, 1.000_000_1];
/// Adding it rounds to the nearest whole number, which is then the sum's lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// Below it, powers of 2 stay as they are: smaller ones are slow on many processors, and weigh nothing beside the greatest, 1.
const LEAST: f32 = -126.0;

/// Four lanes by plain loops.
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; 4]);

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, with: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| with(self.0[lane], other.0[lane])))
    }
}

impl Lanes for Plain {
    const COUNT: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * factor.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn greatest(self) -> f32 {
        let [a, b, c, d] = self.0;
        a.max(b).max(c.max(d))
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d] = self.0;
        (a + b) + (c + d)
    }

    #[inline(always)]
    unsafe fn exp2(self) -> Self {
        Self(self.0.map(|power| {
            let power = if power < LEAST { LEAST } else { power };
            let rounded = power + ROUNDER;
            let rest = power - (rounded - ROUNDER);
            let of_rest = POWERS.iter().fold(0.0, |sum, &factor| sum * rest + factor);
            of_rest * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
        }))
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, step: usize) {
        for row in 0..4 {
            for column in 0..4 {
                // SAFETY: the caller's promise.
                unsafe { *to.add(column * step + row) = *from.add(row * stride + column) };
            }
        }
    }
}
