//! Clusters of a map by density alone, fast enough to follow a slider.
//!
//! Counts points in square cells, smooths the counts with a Gaussian, and floods hills from their peaks down; a hill that rises little
//! above its pass to a higher one is part of that. Says nothing of the original space. Work hardly grows with points.
//! Invariant: cells are flooded by density, ties by position, so the result is the same at any number of threads.

use rayon::prelude::*;

/// No region.
const NONE: u32 = u32::MAX;
/// Most cells a side.
const MOST_CELLS: usize = 1024;

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
    /// Cells along the longer side; default 256, usual 128 to 512; larger draws finer outlines and takes longer.
    pub cells: usize,
}

impl Default for DensityParams {
    fn default() -> Self {
        Self { bandwidth: 0.015, threshold: 0.02, prominence: 0.15, cells: 256 }
    }
}

/// A hill of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The middle of its densest cell, in the map's units: where a label goes.
    pub peak: [f32; 2],
    /// Points on it.
    pub size: u32,
    /// Sides of cells that part it from the rest, in the map's units, in no order.
    pub outline: Vec<[[f32; 2]; 2]>,
}

/// The hills of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DensityClusters {
    /// Each point's region, −1 for none and for broken points.
    pub labels: Vec<i32>,
    /// The regions, the one of most points first.
    pub regions: Vec<Region>,
}

/// Finds the hills; some 10 ms for 100,000 points, so there is nothing to cancel.
pub fn density_clusters(points: &[[f32; 2]], params: &DensityParams) -> DensityClusters {
    let Some(grid) = Grid::around(points, params) else {
        return DensityClusters { labels: vec![-1; points.len()], regions: Vec::new() };
    };
    let cells: Vec<u32> = points.par_iter().with_min_len(4096).map(|point| grid.cell(point)).collect();
    let mut counts = vec![0.0f32; grid.wide * grid.tall];
    for &cell in cells.iter().filter(|cell| **cell != NONE) {
        counts[cell as usize] += 1.0;
    }
    let width = params.bandwidth.clamp(0.0, 0.25) * grid.longer() as f32;
    let density = smoothed(&counts, &grid, if width.is_finite() { width } else { 0.0 });
    let hills = flood(&density, &grid, params);
    gather(points.len(), &cells, &hills, &grid)
}

/// Square cells over the map, with a border for the smoothing.
struct Grid {
    origin: [f64; 2],
    side: f64,
    wide: usize,
    tall: usize,
}

impl Grid {
    fn around(points: &[[f32; 2]], params: &DensityParams) -> Option<Self> {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in points.iter().filter(|point| is_sound(point)) {
            for axis in 0..2 {
                low[axis] = low[axis].min(f64::from(point[axis]));
                high[axis] = high[axis].max(f64::from(point[axis]));
            }
        }
        let extent = [high[0] - low[0], high[1] - low[1]];
        let longer = extent[0].max(extent[1]);
        if !longer.is_finite() {
            return None;
        }
        let cells = params.cells.clamp(8, MOST_CELLS);
        let side = if longer > 0.0 { longer / cells as f64 } else { 1.0 };
        let border = 2.0;
        let along = |axis: usize| (extent[axis] / side + 2.0 * border) as usize + 1;
        let origin = [low[0] - border * side, low[1] - border * side];
        Some(Self { origin, side, wide: along(0), tall: along(1) })
    }

    fn longer(&self) -> usize {
        self.wide.max(self.tall)
    }

    fn cell(&self, point: &[f32; 2]) -> u32 {
        if !is_sound(point) {
            return NONE;
        }
        let along = |axis: usize| ((f64::from(point[axis]) - self.origin[axis]) / self.side) as usize;
        (along(1).min(self.tall - 1) * self.wide + along(0).min(self.wide - 1)) as u32
    }

    /// A corner of the grid in the map's units.
    fn corner(&self, x: f64, y: f64) -> [f32; 2] {
        [(self.origin[0] + x * self.side) as f32, (self.origin[1] + y * self.side) as f32]
    }

    fn around_cell(&self, cell: usize, reach: [(i32, i32); 8]) -> impl Iterator<Item = usize> {
        let (x, y) = ((cell % self.wide) as i32, (cell / self.wide) as i32);
        let (wide, tall) = (self.wide as i32, self.tall as i32);
        reach
            .into_iter()
            .map(move |(dx, dy)| (x + dx, y + dy))
            .filter(move |&(x, y)| x >= 0 && y >= 0 && x < wide && y < tall)
            .map(move |(x, y)| (y * wide + x) as usize)
    }
}

fn is_sound(point: &[f32; 2]) -> bool {
    point[0].is_finite() && point[1].is_finite()
}

/// The counts under a Gaussian of `width` cells, along rows and then along columns.
fn smoothed(counts: &[f32], grid: &Grid, width: f32) -> Vec<f32> {
    if width < 0.1 {
        return counts.to_vec();
    }
    let reach = (3.0 * width).ceil() as usize;
    let weights: Vec<f32> = (0..=reach).map(|at| (-0.5 * (at as f32 / width).powi(2)).exp()).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let weights: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    let (wide, tall) = (grid.wide, grid.tall);
    let mut rows = vec![0.0f32; counts.len()];
    rows.par_chunks_mut(wide).zip(counts.par_chunks(wide)).for_each(|(out, row)| {
        for (at, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            for (to, out) in out.iter_mut().enumerate().take(at + reach + 1).skip(at.saturating_sub(reach)) {
                *out += count * weights[to.abs_diff(at)];
            }
        }
    });
    let mut out = vec![0.0f32; counts.len()];
    out.par_chunks_mut(wide).enumerate().for_each(|(to, out)| {
        for from in to.saturating_sub(reach)..(to + reach + 1).min(tall) {
            let weight = weights[to.abs_diff(from)];
            for (out, value) in out.iter_mut().zip(&rows[from * wide..(from + 1) * wide]) {
                *out += value * weight;
            }
        }
    });
    out
}

/// The hill of every cell (its peak's cell), or none.
fn flood(density: &[f32], grid: &Grid, params: &DensityParams) -> Vec<u32> {
    const REACH: [(i32, i32); 8] = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];
    let least = density.iter().copied().fold(0.0, f32::max) * params.threshold.clamp(0.0, 1.0);
    let mut order: Vec<u32> = (0..density.len() as u32)
        .filter(|&cell| density[cell as usize] > 0.0 && density[cell as usize] >= least)
        .collect();
    order.par_sort_unstable_by(|&a, &b| density[b as usize].total_cmp(&density[a as usize]).then(a.cmp(&b)));
    let mut above = vec![NONE; density.len()];
    for &cell in &order {
        let here = density[cell as usize];
        let mut peaks = [NONE; 8];
        let mut highest = cell;
        for (at, other) in grid.around_cell(cell as usize, REACH).enumerate() {
            if above[other] != NONE {
                peaks[at] = top(&mut above, other as u32);
                let better = highest == cell || before(density, peaks[at], highest);
                highest = if better { peaks[at] } else { highest };
            }
        }
        above[cell as usize] = highest;
        for peak in peaks.into_iter().filter(|&peak| peak != NONE && peak != highest) {
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

/// Gives points their hill's number, by size, and draws the outlines.
fn gather(points: usize, cells: &[u32], hills: &[u32], grid: &Grid) -> DensityClusters {
    let mut sizes = vec![0u32; hills.len()];
    for &cell in cells.iter().filter(|cell| **cell != NONE) {
        if hills[cell as usize] != NONE {
            sizes[hills[cell as usize] as usize] += 1;
        }
    }
    let mut peaks: Vec<u32> = (0..hills.len() as u32).filter(|&cell| sizes[cell as usize] > 0).collect();
    peaks.sort_unstable_by(|&a, &b| sizes[b as usize].cmp(&sizes[a as usize]).then(a.cmp(&b)));
    let mut number = vec![-1i32; hills.len()];
    let mut regions = Vec::with_capacity(peaks.len());
    for (at, &peak) in peaks.iter().enumerate() {
        number[peak as usize] = at as i32;
        let (x, y) = ((peak as usize % grid.wide) as f64, (peak as usize / grid.wide) as f64);
        regions.push(Region { peak: grid.corner(x + 0.5, y + 0.5), size: sizes[peak as usize], outline: Vec::new() });
    }
    let of_cell = |cell: usize| if hills[cell] == NONE { -1 } else { number[hills[cell] as usize] };
    for cell in 0..hills.len() {
        let Some(region) = usize::try_from(of_cell(cell)).ok().and_then(|own| regions.get_mut(own)) else { continue };
        let own = of_cell(cell);
        let (x, y) = (cell % grid.wide, cell / grid.wide);
        let (left, low) = (x as f64, y as f64);
        let mut part = |open: bool, a: [f64; 2], b: [f64; 2]| {
            if open {
                region.outline.push([grid.corner(a[0], a[1]), grid.corner(b[0], b[1])]);
            }
        };
        part(x == 0 || of_cell(cell - 1) != own, [left, low], [left, low + 1.0]);
        part(x + 1 == grid.wide || of_cell(cell + 1) != own, [left + 1.0, low], [left + 1.0, low + 1.0]);
        part(y == 0 || of_cell(cell - grid.wide) != own, [left, low], [left + 1.0, low]);
        part(y + 1 == grid.tall || of_cell(cell + grid.wide) != own, [left, low + 1.0], [left + 1.0, low + 1.0]);
    }
    let label = |cell: &u32| if *cell == NONE { -1 } else { of_cell(*cell as usize) };
    let labels: Vec<i32> = cells.iter().map(label).collect();
    debug_assert_eq!(labels.len(), points);
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
        assert!(!found.regions[0].outline.is_empty());
        assert_eq!(found.labels[5000], -1);
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
