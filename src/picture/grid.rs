//! A uniform grid over a layout, its cells in Morton order: what finds the points near a place without looking at all of them.
//!
//! Knows positions only, never rows or colours. Invariant: every drawable position is in exactly one cell, and each cell lists its
//! positions ascending.

use rayon::prelude::*;

use super::Bounds;

/// Points a cell holds on average; fewer make lookups touch more cells.
const PER_CELL: usize = 4;
/// Finest grid: 1024 by 1024 cells.
const MAX_LEVEL: u32 = 10;
/// The code of a position that is drawn nowhere.
const NOWHERE: u32 = u32::MAX;

/// Cells of a square grid of `2^level` by `2^level`, by Morton code.
#[derive(Debug)]
pub(super) struct Grid {
    level: u32,
    bounds: Bounds,
    /// Cells per world unit on each axis.
    density: [f32; 2],
    /// Positions, cell by cell.
    order: Vec<u32>,
    /// Where each cell's positions start in `order`; one more than there are cells.
    starts: Vec<u32>,
}

impl Grid {
    /// Sorts the finite points into cells.
    pub(super) fn new(points: &[[f32; 2]], bounds: Bounds) -> Self {
        let mut level = 0;
        while level < MAX_LEVEL && (PER_CELL << (2 * level)) < points.len() {
            level += 1;
        }
        let side = (1u32 << level) as f32;
        let density = bounds.extent().map(|extent| side / extent);
        let mut grid = Self { level, bounds, density, order: Vec::new(), starts: vec![0; (1 << (2 * level)) + 1] };
        let codes: Vec<u32> = points.par_iter().with_min_len(4096).map(|&point| grid.code_of(point)).collect();
        for &code in &codes {
            if code != NOWHERE {
                grid.starts[code as usize + 1] += 1;
            }
        }
        for cell in 1..grid.starts.len() {
            grid.starts[cell] += grid.starts[cell - 1];
        }
        let mut next = grid.starts.clone();
        grid.order = vec![0; grid.starts.last().copied().unwrap_or(0) as usize];
        for (position, &code) in codes.iter().enumerate() {
            if code != NOWHERE {
                grid.order[next[code as usize] as usize] = position as u32;
                next[code as usize] += 1;
            }
        }
        grid
    }

    /// All drawable positions in Morton order of their cells.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The last column and row.
    fn last(&self) -> u32 {
        (1 << self.level) - 1
    }

    /// Column or row of a coordinate, kept inside the grid.
    fn index(&self, value: f32, axis: usize) -> u32 {
        // a cast of a negative or huge float saturates
        (((value - self.bounds.min[axis]) * self.density[axis]) as u32).min(self.last())
    }

    fn code_of(&self, point: [f32; 2]) -> u32 {
        if drawable(point) { morton(self.index(point[0], 0), self.index(point[1], 1)) } else { NOWHERE }
    }

    /// Rows of cells that meet the span of y.
    pub(super) fn rows(&self, min: f32, max: f32) -> std::ops::RangeInclusive<u32> {
        self.index(min, 1)..=self.index(max, 1)
    }

    /// The y span of one row of cells, a little widened for rounding.
    pub(super) fn row_span(&self, row: u32) -> [f32; 2] {
        let height = 1.0 / self.density[1];
        let low = self.bounds.min[1] + row as f32 * height;
        let slack = height * 0.01 + self.bounds.min[1].abs().max(self.bounds.max[1].abs()) * 1e-6;
        [low - slack, low + height + slack]
    }

    /// The positions of one row of cells between two x.
    pub(super) fn in_row(&self, row: u32, min: f32, max: f32) -> impl Iterator<Item = usize> + '_ {
        (self.index(min, 0)..=self.index(max, 0)).flat_map(move |column| {
            let code = morton(column, row) as usize;
            let span = self.starts[code] as usize..self.starts[code + 1] as usize;
            self.order[span].iter().map(|&position| position as usize)
        })
    }
}

/// Whether a point can be drawn: finite and far from overflow.
pub(super) fn drawable(point: [f32; 2]) -> bool {
    point[0].abs() < 1e30 && point[1].abs() < 1e30
}

/// Interleaves the low 16 bits of a column and a row.
fn morton(column: u32, row: u32) -> u32 {
    fn spread(value: u32) -> u32 {
        let mut v = value & 0xffff;
        v = (v | (v << 8)) & 0x00ff_00ff;
        v = (v | (v << 4)) & 0x0f0f_0f0f;
        v = (v | (v << 2)) & 0x3333_3333;
        (v | (v << 1)) & 0x5555_5555
    }
    spread(column) | (spread(row) << 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn morton_interleaves() {
        assert_eq!(morton(0b11, 0b00), 0b0101);
        assert_eq!(morton(0b00, 0b11), 0b1010);
        assert_eq!(morton(0b101, 0b011), 0b01_10_11);
    }

    #[test]
    fn every_finite_point_is_in_one_cell() {
        let points = [[0.0, 0.0], [f32::NAN, 1.0], [1.0, 1.0], [0.5, f32::INFINITY], [0.2, 0.9]];
        let grid = Grid::new(&points, Bounds { min: [0.0; 2], max: [1.0; 2] });
        let mut order = grid.order().to_vec();
        order.sort_unstable();
        assert_eq!(order, [0, 2, 4]);
    }
}
