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
pub(super) use lanes::{Lanes, Plain, bfloat, sigmoid_linear, tanh};
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
    /// x σ(1.702 x), which CLIP takes for GELU.
    QuickGelu,
    /// x σ(x).
    Silu,
}

/// A layer norm: mean 0 and variance 1 of each row, then scale and shift. Without a shift, the mean is not taken away.
#[derive(Clone, Debug)]
pub(in crate::models) struct Norm {
    pub(in crate::models) scale: Vec<f32>,
    pub(in crate::models) shift: Vec<f32>,
    pub(in crate::models) epsilon: f32,
}

/// What becomes of the states once a product has been added to them.
#[derive(Clone, Debug)]
pub(in crate::models) enum Settle {
    /// They are normed, and so are the rows of the next product (a norm after each half of a layer).
    Normed(Norm),
    /// They stay, and the rows of the next product are their norm (a norm before each half).
    Beside(Norm),
    /// They stay, and are the rows of the next product.
    Stay,
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
by_level!(gate_rows, gate_rows_of, activation: Activation, width: usize, rows: &mut [f32]);
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

    /// Puts the first half of each row of 2 · `width` values through it, times the second. The machine must have the level.
    pub(super) fn gate(self, level: Level, width: usize, rows: &mut [f32]) {
        gate_rows(level, self, width, rows);
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
            Self::QuickGelu => sigmoid_linear(values, 1.702),
            Self::Silu => sigmoid_linear(values, 1.0),
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
#[inline(always)]
unsafe fn gate_rows_of<L: Lanes>(activation: Activation, width: usize, rows: &mut [f32]) {
    for row in rows.chunks_exact_mut(2 * width) {
        let (values, gates) = row.split_at_mut(width);
        // SAFETY: the instructions exist.
        unsafe { gate::<L>(activation, values, gates) };
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
        // SAFETY: as above.
        Activation::QuickGelu => unsafe { each::<L>(values, Activation::QuickGelu) },
        // SAFETY: as above.
        Activation::Silu => unsafe { each::<L>(values, Activation::Silu) },
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

/// Puts values through an activation and multiplies them by as many others.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn gate<L: Lanes>(activation: Activation, values: &mut [f32], gates: &[f32]) {
    assert_eq!(values.len(), gates.len());
    match activation {
        // SAFETY: the instructions exist.
        Activation::Gelu => unsafe { gate_by::<L>(|values| Activation::Gelu.of(values), values, gates) },
        // SAFETY: as above.
        Activation::Silu => unsafe { gate_by::<L>(|values| Activation::Silu.of(values), values, gates) },
        // SAFETY: as above.
        other => unsafe { gate_by::<L>(|values| other.of(values), values, gates) },
    }
}

/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn gate_by<L: Lanes>(of: impl Fn(L) -> L, values: &mut [f32], gates: &[f32]) {
    let whole = values.len() - values.len() % L::COUNT;
    let (at, gate) = (values.as_mut_ptr(), gates.as_ptr());
    // SAFETY: the instructions exist; vectors are read and written below `whole`, and the rest goes through memory of its own.
    unsafe {
        for column in (0..whole).step_by(L::COUNT) {
            of(L::load(at.add(column))).times(L::load(gate.add(column))).store(at.add(column));
        }
        if whole < values.len() {
            let (mut rest, mut of_gates) = ([0.0f32; 16], [0.0f32; 16]);
            let count = values.len() - whole;
            rest[..count].copy_from_slice(&values[whole..]);
            of_gates[..count].copy_from_slice(&gates[whole..]);
            of(L::load(rest.as_ptr())).times(L::load(of_gates.as_ptr())).store(rest.as_mut_ptr());
            values[whole..].copy_from_slice(&rest[..count]);
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
    if norm.shift.is_empty() {
        scale_row(norm, row);
        return;
    }
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

/// Brings the mean square of a row to 1, then scales it.
pub(super) fn scale_row(norm: &Norm, row: &mut [f32]) {
    /// Sums side by side; any number would do.
    const SUMS: usize = 16;
    assert_eq!(row.len(), norm.scale.len());
    let mut sums = [0.0f32; SUMS];
    let chunks = row.chunks_exact(SUMS);
    let rest: f32 = chunks.remainder().iter().map(|value| value * value).sum();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value * value);
    }
    let mean = (sums.iter().sum::<f32>() + rest) / row.len() as f32;
    let inverse = 1.0 / (mean + norm.epsilon).sqrt();
    row.iter_mut().zip(&norm.scale).for_each(|(value, scale)| *value = *value * inverse * scale);
}

/// The sum of all of four sets.
#[inline(always)]
fn total<L: Lanes>([a, b, c, d]: [L; 4]) -> f32 {
    a.plus(b).plus(c.plus(d)).total()
}

#[cfg(test)]
mod tests;
