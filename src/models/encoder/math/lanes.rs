//! Several numbers side by side, of as many as a level's registers hold.
//!
//! Unsafe because the instructions behind a type must exist. Invariant: a value of a type exists only where its instructions do, so
//! only making one is unsafe. What is written once over [`Lanes`] gives the same bits at one level, wherever it is used.
#![allow(unsafe_code)]

/// Rounds to the nearest bfloat16, ties to even.
pub(in super::super) fn bfloat(value: f32) -> u16 {
    let bits = value.to_bits();
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// Numbers side by side.
///
/// # Safety
/// All that reads or writes memory needs room for [`Lanes::COUNT`] values there; whoever makes a value must have its instructions.
pub(in super::super) trait Lanes: Copy {
    /// How many.
    const COUNT: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// Loads integers as numbers.
    unsafe fn load_integers(from: *const i32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_bfloats(self, to: *mut u16);
    /// Stores three bfloat16 a value, `third` apart, which add up to it (but for the bits of values near the smallest): what is left by
    /// one is rounded to the next.
    #[inline(always)]
    unsafe fn store_thirds(self, to: *mut u16, third: usize) {
        let mut values = [0.0f32; 16];
        // SAFETY: no level has more than sixteen lanes; there is room for as many in each third.
        unsafe {
            self.store(values.as_mut_ptr());
            for (at, mut left) in values.into_iter().enumerate().take(Self::COUNT) {
                for part in 0..3 {
                    let bits = bfloat(left);
                    to.add(part * third + at).write(bits);
                    left -= f32::from_bits(u32::from(bits) << 16);
                }
            }
        }
    }
    /// Stores them rounded to the nearest integer, ties to even.
    unsafe fn store_words(self, to: *mut i16);
    /// Stores them rounded to the nearest integer, ties to even, through an exclusive or.
    unsafe fn store_bytes(four: [Self; 4], to: *mut u8, flip: u8);
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    /// `self · factor + term`.
    fn fused(self, factor: Self, term: Self) -> Self;
    /// The greater of each two; `other` where one is no number.
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    /// The sum of all, in an order of the type's own.
    fn total(self) -> f32;
    /// The greatest of all.
    fn peak(self) -> f32;

    /// x Φ(x).
    #[inline(always)]
    fn gelu(self) -> Self {
        // SAFETY: a value exists.
        let (half, root) = unsafe { (Self::splat(0.5), Self::splat(std::f32::consts::FRAC_1_SQRT_2)) };
        let half = at_least(self.times(half), -2.6);
        half.fused(erf(self.times(root)), half)
    }

    /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    #[inline(always)]
    fn gelu_tanh(self) -> Self {
        // SAFETY: a value exists.
        let (half, root, cube) =
            unsafe { (Self::splat(0.5), Self::splat(0.797_884_6), Self::splat(0.797_884_6 * 0.044_715)) };
        let inner = self.times(self.times(self).fused(cube, root));
        let half = at_least(self.times(half), -2.6);
        half.fused(tanh(inner), half)
    }
}

/// Σ coefficients · powers, the highest power first.
#[inline(always)]
fn polynomial<L: Lanes, const N: usize>(at: L, coefficients: [f32; N]) -> L {
    // SAFETY: a value exists.
    let mut sum = unsafe { L::splat(coefficients[0]) };
    // A loop, since what is called in a closure is not always inlined.
    for &next in &coefficients[1..] {
        // SAFETY: as above.
        sum = sum.fused(at, unsafe { L::splat(next) });
    }
    sum
}

/// The greater of each and the limit, so that what erf and tanh lack to −1 is not multiplied by more.
#[inline(always)]
fn at_least<L: Lanes>(value: L, limit: f32) -> L {
    // SAFETY: a value exists.
    unsafe { L::splat(limit) }.max(value)
}

#[inline(always)]
fn clamp<L: Lanes>(value: L, limit: f32) -> L {
    // SAFETY: a value exists.
    let (low, high) = unsafe { (L::splat(-limit), L::splat(limit)) };
    // In this order what is no number stays so.
    low.max(high.min(value))
}

/// The error function, a quotient of polynomials.
#[inline(always)]
fn erf<L: Lanes>(value: L) -> L {
    let value = clamp(value, 3.7);
    let square = value.times(value);
    let above = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    let below = [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    value.times(polynomial(square, above)).over(polynomial(square, below))
}

/// tanh, a quotient of polynomials.
#[inline(always)]
pub(in super::super) fn tanh<L: Lanes>(value: L) -> L {
    let value = clamp(value, 7.905_311);
    let square = value.times(value);
    let above =
        [-2.760_768_5e-16, 2.000_188e-13, -8.604_672e-11, 5.122_297e-8, 1.485_722_4e-5, 6.372_619e-4, 4.893_524_6e-3];
    let below = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    value.times(polynomial(square, above)).over(polynomial(square, below))
}

/// x σ(steepness · x), by tanh.
#[inline(always)]
pub(in super::super) fn sigmoid_linear<L: Lanes>(value: L, steepness: f32) -> L {
    // SAFETY: a value exists.
    let (half, slope) = unsafe { (L::splat(0.5), L::splat(0.5 * steepness)) };
    // Where tanh is cut off, it is −1 to the last digit, but its product with a greater number should not show the difference.
    let below = at_least(value.times(half), -8.0);
    below.fused(tanh(value.times(slope)), below)
}

/// Eight numbers in plain arrays, for any processor.
#[derive(Clone, Copy)]
pub(in super::super) struct Plain([f32; 8]);

impl Plain {
    #[inline(always)]
    fn with(self, other: Self, of: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|at| of(self.0[at], other.0[at])))
    }
}

/// The nearest integer, ties to even, of values whose size is below 2^22.
#[inline(always)]
fn nearest(value: f32) -> i32 {
    const MAGIC: f32 = 12_582_912.0;
    (value + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()).cast_signed()
}

impl Lanes for Plain {
    const COUNT: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: eight values lie there.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: eight values lie there.
        Self(unsafe { from.cast::<[i32; 8]>().read_unaligned() }.map(|value| value as f32))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: there is room for eight values.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn store_bfloats(self, to: *mut u16) {
        // SAFETY: there is room for eight values.
        unsafe { to.cast::<[u16; 8]>().write_unaligned(self.0.map(bfloat)) };
    }

    #[inline(always)]
    unsafe fn store_words(self, to: *mut i16) {
        // SAFETY: there is room for eight values.
        unsafe { to.cast::<[i16; 8]>().write_unaligned(self.0.map(|value| nearest(value) as i16)) };
    }

    #[inline(always)]
    unsafe fn store_bytes(four: [Self; 4], to: *mut u8, flip: u8) {
        for (at, values) in four.into_iter().enumerate() {
            let bytes = values.0.map(|value| nearest(value) as u8 ^ flip);
            // SAFETY: there is room for 32 values.
            unsafe { to.add(8 * at).cast::<[u8; 8]>().write_unaligned(bytes) };
        }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn over(self, other: Self) -> Self {
        self.with(other, |a, b| a / b)
    }

    #[inline(always)]
    fn fused(self, factor: Self, term: Self) -> Self {
        self.times(factor).plus(term)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.with(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn total(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    #[inline(always)]
    fn peak(self) -> f32 {
        self.0.into_iter().fold(f32::NEG_INFINITY, |most, value| if value > most { value } else { most })
    }
}
