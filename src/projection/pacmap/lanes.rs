//! The inner loop of `PaCMAP`: sixteen points at once, each drawn and pushed along its own pairs, and then moved by Adam.
//!
//! Plain arithmetic on arrays of sixteen, compiled three times (AVX-512, AVX2, any processor) without fused multiplications, so that
//! all of them give the same bytes; only the places of other points are fetched by an instruction of their own where there is one.
//! Unsafe only to call what was compiled for instructions that were found. Invariant: a group reads the field and changes only its own
//! sixteen points.
#![allow(unsafe_code)]

/// Points that move together.
pub(super) const GROUP: usize = 16;
/// How long Adam remembers the gradient and its square.
pub(super) const MEMORY: [f64; 2] = [0.9, 0.999];
/// Keeps Adam from dividing by nothing.
const LEAST: f32 = 1e-7;
/// Strength and softness of a pair: the gradient is `strength` (y − y') / (`softness` + d)², where d = 1 + |y − y'|².
pub(super) const NEAR: [f32; 2] = [20.0, 10.0];
pub(super) const MID: [f32; 2] = [20_000.0, 10_000.0];
pub(super) const FURTHER: [f32; 2] = [-2.0, 1.0];

/// Sixteen values.
pub(super) type Lanes = [f32; GROUP];

/// Where all points are, by place.
#[derive(Clone, Debug)]
pub(super) struct Field<const D: usize> {
    /// By axis; the first [`GROUP`] are repeated behind the last, so that a run of sixteen may begin anywhere.
    pub axes: [Vec<f32>; D],
    /// By point, filled up to a whole group.
    pub cells: Vec<[f32; D]>,
    /// Points.
    pub count: usize,
}

impl<const D: usize> Field<D> {
    /// Points in the order given.
    pub fn new(points: &[[f32; D]], order: &[u32]) -> Self {
        let whole = order.len().next_multiple_of(GROUP);
        let mut cells: Vec<[f32; D]> = order.iter().map(|&point| points[point as usize]).collect();
        cells.resize(whole, [0.0; D]);
        let axes = std::array::from_fn(|axis| {
            let mut values: Vec<f32> = cells.iter().map(|cell| cell[axis]).collect();
            values.resize(whole + GROUP, 0.0);
            values
        });
        let mut field = Self { axes, cells, count: order.len() };
        field.repeat();
        field
    }

    /// Repeats the first points behind the last.
    pub fn repeat(&mut self) {
        let count = self.count;
        for values in self.axes.iter_mut().filter(|_| count > 0) {
            for at in 0..GROUP {
                values[count + at] = values[at % count];
            }
        }
    }
}

/// Sixteen points and how they move.
#[derive(Clone, Debug)]
pub(super) struct Group<const D: usize> {
    /// Where they are.
    pub at: [Lanes; D],
    /// Mean gradient so far.
    pub mean: [Lanes; D],
    /// Mean square of the gradient so far.
    pub square: [Lanes; D],
    /// 1 for those that move, 0 for those that stay where they are.
    pub moves: Lanes,
}

/// The pairs of sixteen points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs<'a> {
    /// Neighbours.
    pub near: &'a [[u32; GROUP]],
    /// Mid-near pairs.
    pub mid: &'a [[u32; GROUP]],
    /// Further pairs by how far on they stand.
    pub shifts: &'a [u32],
    /// Of these, the ones that do not count.
    pub dropped: &'a [[u32; GROUP]],
    /// Further pairs besides.
    pub added: &'a [[u32; GROUP]],
    /// Place of the first point.
    pub base: usize,
}

/// What holds for a whole iteration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Weight of neighbours.
    pub near: f32,
    /// Weight of mid-near pairs.
    pub mid: f32,
    /// Weight of further pairs.
    pub further: f32,
    /// Step size, corrected for Adam's memory having been empty.
    pub rate: f32,
}

/// Moves sixteen points by one iteration.
pub(super) fn advance<const D: usize>(field: &Field<D>, pairs: Pairs<'_>, step: &Step, group: &mut Group<D>) {
    #[cfg(target_arch = "x86_64")]
    match widest() {
        // SAFETY: the instructions were found on this machine.
        Widest::Avx512 => return unsafe { advance_avx512(field, pairs, step, group) },
        // SAFETY: the instructions were found on this machine.
        Widest::Avx2 => return unsafe { advance_avx2(field, pairs, step, group) },
        Widest::Portable => {}
    }
    moved::<D, false>(field, pairs, step, group);
}

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
enum Widest {
    Avx512,
    Avx2,
    Portable,
}

#[cfg(target_arch = "x86_64")]
fn widest() -> Widest {
    static WIDEST: std::sync::OnceLock<Widest> = std::sync::OnceLock::new();
    *WIDEST.get_or_init(|| {
        let level = crate::vectors::level();
        let wide = std::arch::is_x86_feature_detected!("avx512dq") && std::arch::is_x86_feature_detected!("avx512vl");
        match level {
            _ if level.is_wide() && wide => Widest::Avx512,
            crate::vectors::Level::Portable => Widest::Portable,
            _ => Widest::Avx2,
        }
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
fn advance_avx512<const D: usize>(field: &Field<D>, pairs: Pairs<'_>, step: &Step, group: &mut Group<D>) {
    moved::<D, true>(field, pairs, step, group);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn advance_avx2<const D: usize>(field: &Field<D>, pairs: Pairs<'_>, step: &Step, group: &mut Group<D>) {
    moved::<D, false>(field, pairs, step, group);
}

/// Adam (Kingma and Ba 2015) along the gradient. `WIDE` only where AVX-512 is.
#[inline(always)]
fn moved<const D: usize, const WIDE: bool>(field: &Field<D>, pairs: Pairs<'_>, step: &Step, group: &mut Group<D>) {
    const FRESH: [f32; 2] = [(1.0 - MEMORY[0]) as f32, (1.0 - MEMORY[1]) as f32];
    let gradient = gradient::<D, WIDE>(field, pairs, step, &group.at);
    for (axis, gradient) in gradient.iter().enumerate() {
        let (at, mean, square) = (&mut group.at[axis], &mut group.mean[axis], &mut group.square[axis]);
        for lane in 0..GROUP {
            let slope = gradient[lane];
            mean[lane] += FRESH[0] * (slope - mean[lane]);
            square[lane] += FRESH[1] * (slope * slope - square[lane]);
            at[lane] -= group.moves[lane] * (step.rate * mean[lane] / (square[lane].sqrt() + LEAST));
        }
    }
}

/// The gradient at sixteen points.
#[inline(always)]
pub(super) fn gradient<const D: usize, const WIDE: bool>(
    field: &Field<D>,
    pairs: Pairs<'_>,
    step: &Step,
    own: &[Lanes; D],
) -> [Lanes; D] {
    let mut sum = [[0.0f32; GROUP]; D];
    along::<D, WIDE>(field, pairs.near, [step.near * NEAR[0], NEAR[1]], own, &mut sum);
    if step.mid > 0.0 {
        along::<D, WIDE>(field, pairs.mid, [step.mid * MID[0], MID[1]], own, &mut sum);
    }
    let push = [step.further * FURTHER[0], FURTHER[1]];
    along::<D, WIDE>(field, pairs.added, push, own, &mut sum);
    along::<D, WIDE>(field, pairs.dropped, [-push[0], push[1]], own, &mut sum);
    for &shift in pairs.shifts {
        for way in [shift as usize, field.count - shift as usize] {
            let on = pairs.base + way;
            let from = if on < field.count { on } else { on - field.count };
            let mut other = [[0.0f32; GROUP]; D];
            for (other, values) in other.iter_mut().zip(&field.axes) {
                other.copy_from_slice(&values[from..from + GROUP]);
            }
            add(own, &other, push, &mut sum);
        }
    }
    sum
}

/// Adds the gradient of one kind of pairs.
#[inline(always)]
fn along<const D: usize, const WIDE: bool>(
    field: &Field<D>,
    rows: &[[u32; GROUP]],
    law: [f32; 2],
    own: &[Lanes; D],
    sum: &mut [Lanes; D],
) {
    for row in rows {
        add(own, &fetch::<D, WIDE>(&field.cells, row), law, sum);
    }
}

#[inline(always)]
fn add<const D: usize>(own: &[Lanes; D], other: &[Lanes; D], [strength, softness]: [f32; 2], sum: &mut [Lanes; D]) {
    let mut square = [softness + 1.0; GROUP];
    let mut way = [[0.0f32; GROUP]; D];
    for axis in 0..D {
        for lane in 0..GROUP {
            way[axis][lane] = own[axis][lane] - other[axis][lane];
            square[lane] += way[axis][lane] * way[axis][lane];
        }
    }
    let mut factor = [0.0f32; GROUP];
    for lane in 0..GROUP {
        factor[lane] = strength / (square[lane] * square[lane]);
    }
    for axis in 0..D {
        for lane in 0..GROUP {
            sum[axis][lane] += factor[lane] * way[axis][lane];
        }
    }
}

/// The points at sixteen places, by axis.
#[inline(always)]
fn fetch<const D: usize, const WIDE: bool>(cells: &[[f32; D]], row: &[u32; GROUP]) -> [Lanes; D] {
    #[cfg(target_arch = "x86_64")]
    if WIDE && D == 2 {
        let mut found = [[0.0f32; GROUP]; D];
        // SAFETY: asked for only where AVX-512 is; D is 2.
        unsafe { fetch_pairs(cells, row, &mut found) };
        return found;
    }
    let mut found = [[0.0f32; GROUP]; D];
    for lane in 0..GROUP {
        let cell = cells[row[lane] as usize];
        for axis in 0..D {
            found[axis][lane] = cell[axis];
        }
    }
    found
}

/// Sixteen points of two axes, each fetched whole. Places beyond the last point count as the last.
///
/// # Safety
/// AVX-512 must be there, `D` must be 2, and there must be a point.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2")]
#[inline]
unsafe fn fetch_pairs<const D: usize>(cells: &[[f32; D]], row: &[u32; GROUP], found: &mut [Lanes; D]) {
    use std::arch::x86_64::{
        _mm256_loadu_si256, _mm256_min_epu32, _mm256_set1_epi32, _mm512_castpd_ps, _mm512_i32gather_pd,
        _mm512_permutex2var_ps, _mm512_set_epi32, _mm512_storeu_ps,
    };
    debug_assert!(D == 2 && !cells.is_empty());
    let last = _mm256_set1_epi32((cells.len() - 1).min(i32::MAX as usize) as i32);
    // SAFETY: both halves of `row` are eight numbers long; all places are within `cells` after the minimum, and a cell of two floats
    // is as large as what is fetched; `found` holds two rows of sixteen.
    unsafe {
        let low = _mm256_min_epu32(_mm256_loadu_si256(row.as_ptr().cast()), last);
        let high = _mm256_min_epu32(_mm256_loadu_si256(row.as_ptr().add(8).cast()), last);
        let low = _mm512_castpd_ps(_mm512_i32gather_pd::<8>(low, cells.as_ptr().cast()));
        let high = _mm512_castpd_ps(_mm512_i32gather_pd::<8>(high, cells.as_ptr().cast()));
        let even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        let odd = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
        _mm512_storeu_ps(found[0].as_mut_ptr(), _mm512_permutex2var_ps(low, even, high));
        _mm512_storeu_ps(found[1].as_mut_ptr(), _mm512_permutex2var_ps(low, odd, high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::umap::random::{mix, unit};

    fn check<const D: usize>() {
        let count = 100;
        let points: Vec<[f32; D]> =
            (0..count).map(|at| std::array::from_fn(|axis| 20.0 * unit(3, at, axis as u64) - 10.0)).collect();
        let order: Vec<u32> = (0..count as u32).collect();
        let field = Field::new(&points, &order);
        let rows = |stream: u64, rows: u64| -> Vec<[u32; GROUP]> {
            let at = |row, lane| (mix(9, stream, row * 16 + lane as u64) % count) as u32;
            (0..rows).map(|row| std::array::from_fn(|lane| at(row, lane))).collect()
        };
        let (near, mid, dropped, added) = (rows(1, 9), rows(2, 5), rows(3, 2), rows(4, 3));
        let pairs =
            Pairs { near: &near, mid: &mid, dropped: &dropped, added: &added, shifts: &[1, 50, 84, 90, 99], base: 32 };
        let run = |level: usize| {
            let lanes = |values: fn(u64) -> f32| std::array::from_fn(|lane| values(lane as u64));
            let mut group = Group {
                at: std::array::from_fn(|axis| std::array::from_fn(|lane| field.axes[axis][32 + lane])),
                mean: [lanes(|lane| unit(5, lane, 1) - 0.5); D],
                square: [lanes(|lane| unit(6, lane, 1)); D],
                moves: lanes(|lane| f32::from(u8::from(lane != 7))),
            };
            for turn in 0..20u16 {
                let step = Step { near: 3.0, mid: f32::from(turn % 3) * 100.0, further: 1.0, rate: 0.7 };
                match level {
                    // SAFETY: only called where the instructions were found.
                    #[cfg(target_arch = "x86_64")]
                    1 => unsafe { advance_avx2(&field, pairs, &step, &mut group) },
                    2 => advance(&field, pairs, &step, &mut group),
                    _ => moved::<D, false>(&field, pairs, &step, &mut group),
                }
            }
            assert_eq!(group.at[0][7].to_bits(), field.axes[0][39].to_bits(), "one that stays");
            group.at.map(|lanes| lanes.map(f32::to_bits))
        };
        assert_eq!(run(0), run(2));
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            assert_eq!(run(0), run(1));
        }
    }

    #[test]
    fn every_processor_gives_the_same_bytes() {
        check::<2>();
        check::<3>();
    }
}
