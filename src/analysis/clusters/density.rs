//! Clusters of a map by density alone, fast enough to follow a slider.
//!
//! Counts points in cells with equal sides, smooths the counts with a Gaussian, and floods hills from their peaks down; a hill that rises
//! little above its pass to a higher one is part of that. Says nothing of the original space. Work hardly grows with points.
//! Invariant: cells are flooded by density, ties by position, so the result is the same at any number of threads.

use rayon::prelude::*;

/// No region.
const NONE: u32 = u32::MAX;
/// Most cells a side in the plane, and in space, where they are many more in all.
const MOST_CELLS: [usize; 2] = [1024, 128];
/// Of the cells a side asked for, the share that a map in space gets.
const IN_SPACE: usize = 4;

/// How hills are found.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityParams {
    /// Width of the Gaussian (its standard deviation) as a share of the map's longer side; default 0.015, usual 0.005 to 0.05; larger
    /// finds fewer clusters.
    pub bandwidth: f32,
    /// Density below which a place is in no cluster, as a share of the greatest; default 0.02.
    pub threshold: f32,
    /// How far a hill must rise above its pass to a higher one, as a share of its own height; default 0.15; larger finds fewer.
    pub prominence: f32,
    /// Fewest points of a hill; default 3; larger finds fewer, and leaves more points in none.
    pub min_size: u32,
    /// Cells along the longer side; default 256, usual 128 to 512, a quarter of that in three dimensions; larger parts more finely and
    /// takes longer.
    pub cells: usize,
}

impl Default for DensityParams {
    fn default() -> Self {
        Self { bandwidth: 0.015, threshold: 0.02, prominence: 0.15, min_size: 3, cells: 256 }
    }
}

/// A hill of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Region<const D: usize> {
    /// The middle of its densest cell, in the map's units: where a label goes.
    pub peak: [f32; D],
    /// Points on it.
    pub size: u32,
}

/// The hills of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DensityClusters<const D: usize> {
    /// Each point's region, −1 for none and for broken points.
    pub labels: Vec<i32>,
    /// The regions, the one of most points first.
    pub regions: Vec<Region<D>>,
}

/// Finds the hills of a map of two or three dimensions; some 10 ms for 100,000 points, so there is nothing to cancel.
pub fn density_clusters<const D: usize>(points: &[[f32; D]], params: &DensityParams) -> DensityClusters<D> {
    let Some(grid) = Grid::around(points, params) else {
        return DensityClusters { labels: vec![-1; points.len()], regions: Vec::new() };
    };
    let cells: Vec<u32> = points.par_iter().with_min_len(4096).map(|point| grid.cell(point)).collect();
    let mut counts = vec![0.0f32; grid.sides.iter().product()];
    for &cell in cells.iter().filter(|cell| **cell != NONE) {
        counts[cell as usize] += 1.0;
    }
    let longer = grid.sides.iter().copied().max().unwrap_or(1);
    let width = params.bandwidth.clamp(0.0, 0.25) * longer as f32;
    let density = smoothed(counts, &grid, if width.is_finite() { width } else { 0.0 });
    let hills = flood(&density, &grid, params);
    gather(&cells, &hills, &grid, params.min_size.max(1))
}

/// Cells with equal sides over the map, with a border for the smoothing. The first axis runs quickest.
struct Grid<const D: usize> {
    origin: [f64; D],
    side: f64,
    sides: [usize; D],
}

impl<const D: usize> Grid<D> {
    fn around(points: &[[f32; D]], params: &DensityParams) -> Option<Self> {
        let (mut low, mut high) = ([f64::INFINITY; D], [f64::NEG_INFINITY; D]);
        for point in points.iter().filter(|point| is_sound(point)) {
            for axis in 0..D {
                low[axis] = low[axis].min(f64::from(point[axis]));
                high[axis] = high[axis].max(f64::from(point[axis]));
            }
        }
        let extent: [f64; D] = std::array::from_fn(|axis| high[axis] - low[axis]);
        let longer = extent.iter().copied().fold(0.0, f64::max);
        if !longer.is_finite() || extent.iter().any(|extent| !extent.is_finite()) {
            return None;
        }
        let cells = match D {
            ..=2 => params.cells.clamp(8, MOST_CELLS[0]),
            _ => (params.cells / IN_SPACE).clamp(8, MOST_CELLS[1]),
        };
        let side = if longer > 0.0 { longer / cells as f64 } else { 1.0 };
        let border = 2.0;
        let along = |axis: usize| (extent[axis] / side + 2.0 * border) as usize + 1;
        let origin = low.map(|low| low - border * side);
        Some(Self { origin, side, sides: std::array::from_fn(along) })
    }

    fn cell(&self, point: &[f32; D]) -> u32 {
        if !is_sound(point) {
            return NONE;
        }
        let along = |axis: usize| ((f64::from(point[axis]) - self.origin[axis]) / self.side) as usize;
        let join = |cell, axis: usize| cell * self.sides[axis] + along(axis).min(self.sides[axis] - 1);
        (0..D).rev().fold(0, join) as u32
    }

    /// Where a cell stands along each axis.
    fn place(&self, cell: usize) -> [usize; D] {
        let mut rest = cell;
        self.sides.map(|side| {
            let at = rest % side;
            rest /= side;
            at
        })
    }

    /// The cells that touch a cell, those with the least numbers first.
    fn around_cell(&self, cell: usize, mut each: impl FnMut(usize)) {
        let at = self.place(cell);
        for number in 0..3usize.pow(D as u32) {
            let mut rest = number;
            let steps: [i32; D] = std::array::from_fn(|_| {
                let step = (rest % 3) as i32 - 1;
                rest /= 3;
                step
            });
            let to: [i32; D] = std::array::from_fn(|axis| at[axis] as i32 + steps[axis]);
            let inside = (0..D).all(|axis| to[axis] >= 0 && to[axis] < self.sides[axis] as i32);
            if inside && steps.iter().any(|&step| step != 0) {
                each((0..D).rev().fold(0, |cell, axis| cell * self.sides[axis] + to[axis] as usize));
            }
        }
    }
}

fn is_sound<const D: usize>(point: &[f32; D]) -> bool {
    point.iter().all(|value| value.is_finite())
}

/// The counts under a Gaussian of `width` cells, along each axis in turn.
fn smoothed<const D: usize>(counts: Vec<f32>, grid: &Grid<D>, width: f32) -> Vec<f32> {
    if width < 0.1 {
        return counts;
    }
    let reach = (3.0 * width).ceil() as usize;
    let weights: Vec<f32> = (0..=reach).map(|at| (-0.5 * (at as f32 / width).powi(2)).exp()).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let weights: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    let mut values = counts;
    // Cells that are neighbours along an axis are `stride` apart.
    let mut stride = 1;
    for &side in &grid.sides {
        let mut out = vec![0.0f32; values.len()];
        let slabs = out.par_chunks_mut(stride * side).zip(values.par_chunks(stride * side));
        slabs.for_each(|(out, from)| along(out, from, stride, &weights));
        values = out;
        stride *= side;
    }
    values
}

/// One slab under the weights along its last axis, whose cells are `stride` apart.
fn along(out: &mut [f32], from: &[f32], stride: usize, weights: &[f32]) {
    let reach = weights.len() - 1;
    let side = from.len() / stride;
    for (at, line) in from.chunks_exact(stride).enumerate() {
        // Most of a map is empty.
        if line.iter().all(|&count| count <= 0.0) {
            continue;
        }
        for to in at.saturating_sub(reach)..(at + reach + 1).min(side) {
            let weight = weights[to.abs_diff(at)];
            for (out, value) in out[to * stride..(to + 1) * stride].iter_mut().zip(line) {
                *out += value * weight;
            }
        }
    }
}

/// The hill of every cell (its peak's cell), or none.
fn flood<const D: usize>(density: &[f32], grid: &Grid<D>, params: &DensityParams) -> Vec<u32> {
    let least = density.iter().copied().fold(0.0, f32::max) * params.threshold.clamp(0.0, 1.0);
    let mut order: Vec<u32> = (0..density.len() as u32)
        .filter(|&cell| density[cell as usize] > 0.0 && density[cell as usize] >= least)
        .collect();
    order.par_sort_unstable_by(|&a, &b| density[b as usize].total_cmp(&density[a as usize]).then(a.cmp(&b)));
    let mut above = vec![NONE; density.len()];
    let mut peaks = Vec::new();
    for &cell in &order {
        let here = density[cell as usize];
        peaks.clear();
        let mut highest = cell;
        grid.around_cell(cell as usize, |other| {
            if above[other] != NONE {
                let peak = top(&mut above, other as u32);
                peaks.push(peak);
                let better = highest == cell || before(density, peak, highest);
                highest = if better { peak } else { highest };
            }
        });
        above[cell as usize] = highest;
        for &peak in peaks.iter().filter(|&&peak| peak != highest) {
            let height = density[peak as usize];
            if height - here < params.prominence * height {
                above[peak as usize] = highest;
            }
        }
    }
    (0..density.len() as u32)
        .map(|cell| if above[cell as usize] == NONE { NONE } else { top(&mut above, cell) })
        .collect()
}

fn before(density: &[f32], a: u32, b: u32) -> bool {
    (density[b as usize], a) < (density[a as usize], b)
}

fn top(above: &mut [u32], mut cell: u32) -> u32 {
    while above[cell as usize] != cell {
        let next = above[above[cell as usize] as usize];
        above[cell as usize] = next;
        cell = next;
    }
    cell
}

/// Gives points their hill's number, by size.
fn gather<const D: usize>(cells: &[u32], hills: &[u32], grid: &Grid<D>, fewest: u32) -> DensityClusters<D> {
    let mut sizes = vec![0u32; hills.len()];
    for &cell in cells.iter().filter(|cell| **cell != NONE) {
        if hills[cell as usize] != NONE {
            sizes[hills[cell as usize] as usize] += 1;
        }
    }
    let mut peaks: Vec<u32> = (0..hills.len() as u32).filter(|&cell| sizes[cell as usize] >= fewest).collect();
    peaks.sort_unstable_by(|&a, &b| sizes[b as usize].cmp(&sizes[a as usize]).then(a.cmp(&b)));
    let mut number = vec![-1i32; hills.len()];
    let mut regions = Vec::with_capacity(peaks.len());
    for (at, &peak) in peaks.iter().enumerate() {
        number[peak as usize] = at as i32;
        let place = grid.place(peak as usize);
        let middle = |axis: usize| (grid.origin[axis] + (place[axis] as f64 + 0.5) * grid.side) as f32;
        regions.push(Region { peak: std::array::from_fn(middle), size: sizes[peak as usize] });
    }
    let hill = |cell: &u32| hills.get(*cell as usize).copied().filter(|&hill| hill != NONE);
    let labels = cells.iter().map(|cell| hill(cell).map_or(-1, |hill| number[hill as usize])).collect();
    DensityClusters { labels, regions }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn two_heaps_are_two_hills_with_their_peaks_inside() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let mut near = || (0..6).map(|_| random.random_range(-1.0f32..1.0)).sum::<f32>();
        let mut points: Vec<[f32; 2]> = (0..3000).map(|_| [near(), near()]).collect();
        points.extend((0..2000).map(|_| [20.0 + near(), near()]));
        points.push([f32::NAN, 0.0]);
        let params = DensityParams { bandwidth: 0.04, ..DensityParams::default() };
        let found = density_clusters(&points, &params);
        assert_eq!(found.regions.len(), 2, "{:?}", found.regions.iter().map(|r| r.size).collect::<Vec<_>>());
        assert!(found.regions[0].size > 2800 && found.regions[1].size > 1850);
        assert!(found.regions[0].peak[0].abs() < 2.0 && (found.regions[1].peak[0] - 20.0).abs() < 2.0);
        assert_eq!(found.labels[5000], -1);
    }

    #[test]
    fn heaps_one_behind_the_other_are_parted_in_space() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(2);
        let mut near = || (0..6).map(|_| random.random_range(-1.0f32..1.0)).sum::<f32>();
        let mut points: Vec<[f32; 3]> = (0..3000).map(|_| [near(), near(), near()]).collect();
        points.extend((0..2000).map(|_| [near(), near(), 20.0 + near()]));
        points.push([0.0, 0.0, f32::INFINITY]);
        let params = DensityParams { bandwidth: 0.04, ..DensityParams::default() };
        let found = density_clusters(&points, &params);
        assert_eq!(found.regions.len(), 2, "{:?}", found.regions);
        assert!(found.regions[0].size > 2800 && found.regions[1].size > 1800, "{:?}", found.regions);
        assert!(found.regions[0].peak[2].abs() < 2.0 && (found.regions[1].peak[2] - 20.0).abs() < 2.0);
        assert_eq!(found.labels[5000], -1);
        // Seen from the front they are one.
        let front: Vec<[f32; 2]> = points.iter().map(|&[x, y, _]| [x, y]).collect();
        assert_eq!(density_clusters(&front, &params).regions.len(), 1);
    }

    #[test]
    fn degenerate_maps_do_no_harm() {
        for points in [
            vec![],
            vec![[1.0, 1.0]],
            vec![[2.0, 3.0]; 500],
            vec![[f32::NAN; 2]; 3],
            vec![[f32::MAX; 2], [f32::MIN; 2]],
        ] {
            for cells in [0, 256, usize::MAX] {
                let params = DensityParams { cells, bandwidth: f32::NAN, ..DensityParams::default() };
                assert_eq!(density_clusters(&points, &params).labels.len(), points.len());
            }
        }
        assert_eq!(density_clusters(&[[2.0, 3.0]; 500], &DensityParams::default()).regions.len(), 1);
    }
}
