//! Products by plain loops, for any processor.
//!
//! Unsafe because of raw loads. Invariant: each sum takes its factors in order, whatever the height of the tile.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::job::{Engine, Factors, Job, TALLEST, Tile};
use super::{Kernel, PANEL};
use crate::models::Precision;
use crate::models::encoder::math::Plain;

/// # Safety
/// As for [`super::job::run`].
pub(super) unsafe fn run(kernel: Kernel, job: &Job<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match kernel.precision {
            Precision::F32 => super::job::run::<Floats<false>>(job),
            _ => super::job::run::<Floats<true>>(job),
        }
    }
}

/// Products of floats, or of whole numbers that lie there as floats.
struct Floats<const WHOLE: bool>;

/// Columns of a tile, two to a panel.
const WIDE: usize = PANEL / 2;

impl<const WHOLE: bool> Engine for Floats<WHOLE> {
    const ROWS: usize = 4;
    const INTEGERS: bool = WHOLE;
    const DEPTH: usize = usize::MAX;
    type Lanes = Plain;
    type Guard = ();

    unsafe fn begin() {}

    unsafe fn multiply(factors: &Factors, rows: usize, tile: *mut Tile) {
        // SAFETY: there is a tile, to be written.
        let sums_of = unsafe { &mut *tile.cast::<[MaybeUninit<f32>; TALLEST * PANEL]>() };
        for half in 0..2 {
            for at in (0..rows).step_by(2) {
                let mut sums = [[0.0f32; WIDE]; 2];
                for step in 0..factors.steps {
                    // SAFETY: an even number of rows and a panel of so many steps lie there.
                    let (right, left) = unsafe {
                        let from = factors.rows.add(at * factors.stride + 4 * step);
                        let right = factors.panel.add((half * factors.steps + step) * 4 * WIDE).cast::<[f32; WIDE]>();
                        (right.read_unaligned(), [*from.cast::<f32>(), *from.add(factors.stride).cast::<f32>()])
                    };
                    for (sums, left) in sums.iter_mut().zip(left) {
                        sums.iter_mut().zip(&right).for_each(|(sum, right)| *sum += left * right);
                    }
                }
                for (row, sums) in sums.iter().enumerate() {
                    let to = &mut sums_of[(at + row) * PANEL + half * WIDE..][..WIDE];
                    let written = |&sum: &f32| if WHOLE { f32::from_bits((sum as i32).cast_unsigned()) } else { sum };
                    to.iter_mut().zip(sums).for_each(|(to, sum)| _ = to.write(written(sum)));
                }
            }
        }
    }
}
