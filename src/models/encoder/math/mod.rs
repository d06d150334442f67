//! Activations, layer norms and sums over rows of `f32`.
//!
//! Unsafe because it chooses instructions that must exist. Invariant: each row is computed alone and in one order, whatever rows lie
//! beside it, and each value through an activation the same way wherever it lies.
#![allow(unsafe_code)]

mod floats;
mod lanes;
mod table;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::vectors::Level;

pub(super) use floats::Floats;
pub(super) use lanes::{Lanes, Plain, bfloat, tanh};
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Narrow, Wide};

/// What stands between two products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::models) enum Activation {
    /// Nothing.
    None,
    /// x Φ(x), by the error function.
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// tanh.
    Tanh,
}

/// A layer norm: mean 0 and variance 1 of each row, then scale and shift.
#[derive(Clone, Debug)]
pub(in crate::models) struct Norm {
    pub(in crate::models) scale: Vec<f32>,
    pub(in crate::models) shift: Vec<f32>,
    pub(in crate::models) epsilon: f32,
}

/// Functions of a level from one written over [`Lanes`]. The machine must have the level.
macro_rules! by_level {
    ($(#[$doc:meta])* $name:ident, $work:ident, $($argument:ident: $type:ty),*) => {
        $(#[$doc])*
        fn $name(level: Level, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw")]
                fn wide($($argument: $type),*) {
                    // SAFETY: the instructions are enabled here.
                    unsafe { $work::<Wide>($($argument),*) }
                }
                #[target_feature(enable = "avx2,fma")]
                fn narrow($($argument: $type),*) {
                    // SAFETY: as above.
                    unsafe { $work::<Narrow>($($argument),*) }
                }
                if level.is_wide() {
                    // SAFETY: levels in use were found on this machine.
                    return unsafe { wide($($argument),*) };
                }
                if level <= Level::Avx2 {
                    // SAFETY: as above.
                    return unsafe { narrow($($argument),*) };
                }
            }
            let _ = level;
            // SAFETY: plain numbers need no instructions.
            unsafe { $work::<Plain>($($argument),*) }
        }
    };
}

by_level!(norm_rows, norm_rows_of, norm: &Norm, rows: &mut [f32]);
#[cfg(test)]
by_level!(activate, activate_of, activation: Activation, values: &mut [f32]);

impl Norm {
    /// Norms rows in place. The machine must have the level.
    pub(super) fn apply(&self, level: Level, rows: &mut [f32]) {
        norm_rows(level, self, rows);
    }
}

impl Activation {
    /// Puts values through it in place. The machine must have the level.
    #[cfg(test)]
    pub(super) fn apply(self, level: Level, values: &mut [f32]) {
        activate(level, self, values);
    }

    /// One set of values through it.
    #[inline(always)]
    pub(super) fn of<L: Lanes>(self, values: L) -> L {
        match self {
            Self::None => values,
            Self::Gelu => values.gelu(),
            Self::GeluTanh => values.gelu_tanh(),
            // SAFETY: a value exists.
            Self::Relu => unsafe { L::splat(0.0) }.max(values),
            Self::Tanh => tanh(values),
        }
    }
}

/// Adds `other` to `residual`.
pub(super) fn add(residual: &mut [f32], other: &[f32]) {
    residual.iter_mut().zip(other).for_each(|(sum, &value)| *sum += value);
}

/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn norm_rows_of<L: Lanes>(norm: &Norm, rows: &mut [f32]) {
    for row in rows.chunks_exact_mut(norm.scale.len()) {
        // SAFETY: the instructions exist.
        unsafe { norm_row::<L>(norm, row) };
    }
}

/// # Safety
/// The machine must have the instructions of `L`.
#[cfg(test)]
#[inline(always)]
unsafe fn activate_of<L: Lanes>(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::None => {}
        // SAFETY: the instructions exist.
        Activation::Gelu => unsafe { each::<L>(values, Activation::Gelu) },
        // SAFETY: as above.
        Activation::GeluTanh => unsafe { each::<L>(values, Activation::GeluTanh) },
        // SAFETY: as above.
        Activation::Relu => unsafe { each::<L>(values, Activation::Relu) },
        // SAFETY: as above.
        Activation::Tanh => unsafe { each::<L>(values, Activation::Tanh) },
    }
}

/// # Safety
/// The machine must have the instructions of `L`.
#[cfg(test)]
#[inline(always)]
unsafe fn each<L: Lanes>(values: &mut [f32], activation: Activation) {
    for some in values.chunks_mut(L::COUNT) {
        let mut rest = [0.0f32; 16];
        let at = if some.len() == L::COUNT { some.as_mut_ptr() } else { rest.as_mut_ptr() };
        if some.len() < L::COUNT {
            rest[..some.len()].copy_from_slice(some);
        }
        // SAFETY: the instructions exist; there is room for a whole vector.
        unsafe { activation.of(L::load(at)).store(at) };
        if some.len() < L::COUNT {
            some.copy_from_slice(&rest[..some.len()]);
        }
    }
}

/// Norms one row: its mean first, then the mean square of the distances from it.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn norm_row<L: Lanes>(norm: &Norm, row: &mut [f32]) {
    let width = row.len();
    let whole = width - width % L::COUNT;
    assert!(width == norm.scale.len() && width == norm.shift.len());
    let (at, scale, shift) = (row.as_mut_ptr(), norm.scale.as_ptr(), norm.shift.as_ptr());
    // SAFETY: the instructions exist; vectors are read and written only below `whole`, values only below `width`.
    unsafe {
        let mut sums = [L::splat(0.0); 4];
        let mut column = 0;
        while column + 4 * L::COUNT <= whole {
            for (part, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus(L::load(at.add(column + part * L::COUNT)));
            }
            column += 4 * L::COUNT;
        }
        for column in (column..whole).step_by(L::COUNT) {
            sums[0] = sums[0].plus(L::load(at.add(column)));
        }
        let mut rest = 0.0;
        for &value in &row[whole..] {
            rest += value;
        }
        let mean = (total(sums) + rest) / width as f32;
        let means = L::splat(mean);
        let mut squares = [L::splat(0.0); 4];
        let mut column = 0;
        while column + 4 * L::COUNT <= whole {
            for (part, sum) in squares.iter_mut().enumerate() {
                let distance = L::load(at.add(column + part * L::COUNT)).minus(means);
                *sum = distance.fused(distance, *sum);
            }
            column += 4 * L::COUNT;
        }
        for column in (column..whole).step_by(L::COUNT) {
            let distance = L::load(at.add(column)).minus(means);
            squares[0] = distance.fused(distance, squares[0]);
        }
        let mut rest = 0.0;
        for &value in &row[whole..] {
            rest += (value - mean) * (value - mean);
        }
        let inverse = 1.0 / ((total(squares) + rest) / width as f32 + norm.epsilon).sqrt();
        let inverses = L::splat(inverse);
        for column in (0..whole).step_by(L::COUNT) {
            let unit = L::load(at.add(column)).minus(means).times(inverses);
            unit.fused(L::load(scale.add(column)), L::load(shift.add(column))).store(at.add(column));
        }
        for column in whole..width {
            *at.add(column) = (*at.add(column) - mean) * inverse * *scale.add(column) + *shift.add(column);
        }
    }
}

/// The sum of all of four sets.
#[inline(always)]
fn total<L: Lanes>([a, b, c, d]: [L; 4]) -> f32 {
    a.plus(b).plus(c.plus(d)).total()
}

#[cfg(test)]
mod tests;
