//! AVX-512 kernel of the scatter matrix: 8 columns times 48 columns in 24 registers, over packed panels of 16 columns.
//!
//! Unsafe because of unaligned vector loads and because the instructions must exist. Invariant: nothing in here runs before
//! [`available`] said yes, and no load passes the end of the panels.
#![allow(unsafe_code)]

/// Whether this machine runs the kernel; `EMBEDLENS_CPU=portable` says no.
pub(super) fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        super::has_fma() && std::arch::is_x86_feature_detected!("avx512f")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

use std::ops::Range;

/// Adds the columns of panels `own` times all columns up to them to `out` (16 rows a panel, `width` long), and some of what lies above
/// the diagonal inside panels. `packed` holds panels of `depth` rows of 16 columns, of which the first `rows` count.
pub(super) fn add_lower(
    packed: &[f32],
    (rows, depth): (usize, usize),
    own: Range<usize>,
    out: &mut [f32],
    width: usize,
) {
    #[cfg(target_arch = "x86_64")]
    if available() {
        assert!(rows <= depth && width.is_multiple_of(16) && packed.len() >= depth * width && own.end * 16 <= width);
        assert!(out.len() >= own.len() * 16 * width);
        // SAFETY: the instructions were found on this machine, and the lengths are as the kernel wants them.
        unsafe { x86::add_lower(packed, (rows, depth), own, out, width) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (packed, rows, depth, own, out, width);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    use std::ops::Range;

    use super::super::scatter::PANEL;

    /// Columns of the left side of one step.
    const TALL: usize = 8;

    /// Wants `rows <= depth`, `width` of whole panels, `depth * width` values packed, panels that lie in it, 16 rows out for each.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn add_lower(
        packed: &[f32],
        (rows, depth): (usize, usize),
        own: Range<usize>,
        out: &mut [f32],
        width: usize,
    ) {
        for group in (0..own.end).step_by(3) {
            for tall in own.start.max(group)..own.end {
                for half in 0..2 {
                    let left = packed[tall * depth * PANEL + half * TALL..].as_ptr();
                    let right = packed[group * depth * PANEL..].as_ptr();
                    let row = (tall - own.start) * PANEL + half * TALL;
                    let to = out[row * width + group * PANEL..].as_mut_ptr();
                    // SAFETY: the panels from `group` on that are no later than `tall` lie inside both arrays.
                    unsafe {
                        match tall - group {
                            0 => tile::<1>(left, right, [rows, depth, width], to),
                            1 => tile::<2>(left, right, [rows, depth, width], to),
                            _ => tile::<3>(left, right, [rows, depth, width], to),
                        }
                    }
                }
            }
        }
    }

    /// Eight columns times `WIDE` panels; the sizes are rows, depth of a panel, width of a row of `to`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn tile<const WIDE: usize>(left: *const f32, right: *const f32, sizes: [usize; 3], to: *mut f32) {
        let [rows, depth, width] = sizes;
        let mut sums = [[_mm512_setzero_ps(); WIDE]; TALL];
        for row in 0..rows {
            // SAFETY: `row` lies inside the panels, each of which is `depth` rows long.
            unsafe {
                let across: [_; WIDE] =
                    std::array::from_fn(|panel| _mm512_loadu_ps(right.add((panel * depth + row) * PANEL)));
                for (column, sums) in sums.iter_mut().enumerate() {
                    let value = _mm512_set1_ps(*left.add(row * PANEL + column));
                    for (sum, across) in sums.iter_mut().zip(across) {
                        *sum = _mm512_fmadd_ps(value, across, *sum);
                    }
                }
            }
        }
        for (column, sums) in sums.into_iter().enumerate() {
            for (panel, sum) in sums.into_iter().enumerate() {
                // SAFETY: the tile lies inside the output.
                unsafe {
                    let at = to.add(column * width + panel * PANEL);
                    _mm512_storeu_ps(at, _mm512_add_ps(_mm512_loadu_ps(at), sum));
                }
            }
        }
    }
}
