//! AVX-512 kernel of the scatter matrix: 8 columns times 48 columns in 24 registers, over packed panels of 16 columns.
//!
//! Unsafe because of unaligned vector loads and because the instructions must exist. Invariant: nothing in here runs before
//! [`available`] said yes, and no load passes the end of the panels.
#![allow(unsafe_code)]

/// Whether this machine runs the kernel, and nothing else was asked for.
pub(super) fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        super::level().is_wide()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Writes the rows seen from the origin to panels of `depth` rows of 16 columns, filled up with zeros to whole panels, and sums every
/// column. Values that are not finite count as the origin; tells whether all were finite. Wants [`available`] to have said yes.
pub(super) fn pack(block: &[f32], origin: &[f32], depth: usize, packed: &mut [f32], sums: &mut [f32]) -> bool {
    let dim = origin.len();
    assert!(block.len() <= depth * dim && packed.len() >= depth * dim.next_multiple_of(16) && sums.len() == dim);
    assert!(available());
    sums.fill(0.0);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instructions were found on this machine, and the lengths are as asked for just now.
    unsafe {
        x86::pack(block, origin, depth, packed, sums)
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Adds all columns times all columns up to them to `out` (`width` rows of as many), and some of what lies above the diagonal inside
/// panels. `packed` holds panels of `depth` rows of 16 columns, of which the first `rows` count.
pub(super) fn add_lower(packed: &[f32], (rows, depth): (usize, usize), out: &mut [f32], width: usize) {
    #[cfg(target_arch = "x86_64")]
    if available() {
        assert!(
            rows <= depth && width.is_multiple_of(16) && packed.len() >= depth * width && out.len() >= width * width
        );
        // SAFETY: the instructions were found on this machine, and the lengths are as the kernel wants them.
        unsafe { x86::add_lower(packed, (rows, depth), out, width) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (packed, rows, depth, out, width);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::scatter::PANEL;
    use std::arch::x86_64::*;

    /// Columns of the left side of one step.
    const TALL: usize = 8;

    /// # Safety
    /// The instructions must exist, and the lengths be as [`super::pack`] wants them.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn pack(
        block: &[f32],
        origin: &[f32],
        depth: usize,
        packed: &mut [f32],
        sums: &mut [f32],
    ) -> bool {
        let dim = origin.len();
        let mut broken = 0u16;
        for (row, values) in block.chunks_exact(dim).enumerate() {
            for (panel, column) in (0..dim).step_by(PANEL).enumerate() {
                let mask = ((1u32 << (dim - column).min(PANEL)) - 1) as u16;
                // SAFETY: the masks admit only columns that are there; a whole line of the panel is.
                unsafe {
                    let from = _mm512_maskz_loadu_ps(mask, origin.as_ptr().add(column));
                    let away = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, values.as_ptr().add(column)), from);
                    let sound = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_abs_ps(away), _mm512_set1_ps(f32::MAX));
                    broken |= !sound;
                    let seen = _mm512_maskz_mov_ps(sound, away);
                    _mm512_storeu_ps(packed.as_mut_ptr().add((panel * depth + row) * PANEL), seen);
                    let sum = sums.as_mut_ptr().add(column);
                    _mm512_mask_storeu_ps(sum, mask, _mm512_add_ps(_mm512_maskz_loadu_ps(mask, sum), seen));
                }
            }
        }
        broken == 0
    }

    /// Wants `rows <= depth`, `width` of whole panels, `depth * width` values packed, `width` rows out.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn add_lower(packed: &[f32], (rows, depth): (usize, usize), out: &mut [f32], width: usize) {
        let panels = width / PANEL;
        for group in (0..panels).step_by(3) {
            for tall in group..panels {
                for half in 0..2 {
                    let left = packed[tall * depth * PANEL + half * TALL..].as_ptr();
                    let right = packed[group * depth * PANEL..].as_ptr();
                    let row = tall * PANEL + half * TALL;
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
