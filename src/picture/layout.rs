//! Where each row is on the plane, and what is near a place: immutable positions with picking and lasso.
//!
//! Does not draw and knows no colours. Invariant: `rows` and `points` have the same length; points that are not finite are placed
//! nowhere, never found and never drawn.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::grid::{Grid, drawable};
use super::next_id;
use super::space::{self, Viewpoint};
use crate::vectors::RowId;

/// A rectangle of the plane with a positive extent on both axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Least x and y.
    pub min: [f32; 2],
    /// Greatest x and y.
    pub max: [f32; 2],
}

impl Bounds {
    /// The smallest rectangle around the finite points; never empty.
    pub fn around(points: &[[f32; 2]]) -> Self {
        const NONE: ([f32; 2], [f32; 2]) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        let join = |a: ([f32; 2], [f32; 2]), b: ([f32; 2], [f32; 2])| {
            ([0, 1].map(|i| a.0[i].min(b.0[i])), [0, 1].map(|i| a.1[i].max(b.1[i])))
        };
        let of_chunk = |chunk: &[[f32; 2]]| {
            chunk.iter().filter(|&&point| drawable(point)).fold(NONE, |all, &point| join(all, (point, point)))
        };
        let (mut min, mut max) = points.par_chunks(16_384).map(of_chunk).reduce(|| NONE, join);
        for axis in 0..2 {
            if min[axis] > max[axis] {
                (min[axis], max[axis]) = (0.0, 1.0);
            }
            let least = (min[axis].abs().max(max[axis].abs()) * 1e-5).max(f32::MIN_POSITIVE * 1e6);
            if max[axis] - min[axis] < least {
                let middle = (min[axis] + max[axis]) * 0.5;
                let half = if middle == 0.0 { 0.5 } else { middle.abs() * 0.5 };
                (min[axis], max[axis]) = (middle - half, middle + half);
            }
        }
        Self { min, max }
    }

    /// Width and height.
    pub fn extent(&self) -> [f32; 2] {
        [self.max[0] - self.min[0], self.max[1] - self.min[1]]
    }

    /// Whether a point is inside or on the edge.
    pub fn contains(&self, point: [f32; 2]) -> bool {
        (0..2).all(|axis| (self.min[axis]..=self.max[axis]).contains(&point[axis]))
    }

    /// As many times larger, around its middle.
    fn scaled(&self, factor: f32) -> Self {
        let (middle, half) = (self.centre(), self.extent().map(|side| side * 0.5 * factor));
        Self { min: [0, 1].map(|axis| middle[axis] - half[axis]), max: [0, 1].map(|axis| middle[axis] + half[axis]) }
    }

    /// The middle.
    pub fn centre(&self) -> [f32; 2] {
        [(self.min[0] + self.max[0]) * 0.5, (self.min[1] + self.max[1]) * 0.5]
    }
}

/// The share of points at either end of an axis that are not of the core, and how far the core reaches beyond the others, in shares of
/// their extent.
const TAIL: f32 = 0.005;
const AROUND: f32 = 0.08;
/// Fewer points have no core but all of them.
const CORE_FROM: usize = 200;
/// Points that tails are found among.
const SAMPLED: usize = 20_000;

/// Where nearly all points are, and how many are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Core {
    /// The middle 99 % along each axis, with some room.
    pub bounds: Bounds,
    /// Points outside.
    pub outside: usize,
}

impl Core {
    fn of(points: &[[f32; 2]], bounds: Bounds) -> Self {
        let stride = points.len().div_ceil(SAMPLED).max(1);
        let sound: Vec<[f32; 2]> = points.iter().step_by(stride).copied().filter(|&point| drawable(point)).collect();
        if sound.len() < CORE_FROM {
            return Self { bounds, outside: 0 };
        }
        let mut core = bounds;
        for axis in 0..2 {
            let mut values: Vec<f32> = sound.iter().map(|point| point[axis]).collect();
            let tail = (values.len() as f32 * TAIL) as usize;
            let last = values.len() - 1 - tail;
            let low = *values.select_nth_unstable_by(tail, f32::total_cmp).1;
            let high = *values.select_nth_unstable_by(last, f32::total_cmp).1;
            let around = (high - low) * AROUND;
            if around > 0.0 {
                core.min[axis] = (low - around).max(bounds.min[axis]);
                core.max[axis] = (high + around).min(bounds.max[axis]);
            }
        }
        let outside = points.par_iter().filter(|&&point| drawable(point) && !core.contains(point)).count();
        Self { bounds: core, outside }
    }
}

/// How a row is found among the rows of a layout.
#[derive(Debug)]
enum Lookup {
    /// Row `i` is at position `i`.
    Identity,
    /// The rows ascend.
    Ascending,
    /// Any order: positions sorted by row, made at the first question.
    Index(OnceLock<Vec<u32>>),
}

/// Positions of rows on the plane.
#[derive(Debug)]
pub struct Layout {
    id: u64,
    rows: Arc<[RowId]>,
    points: Arc<[[f32; 2]]>,
    bounds: Bounds,
    core: Core,
    in_space: Option<(Bounds, Viewpoint)>,
    grid: Grid,
    lookup: Lookup,
}

impl Layout {
    /// Places `rows[i]` at `points[i]`. Where one list is longer, its end is left out.
    pub fn new(rows: Arc<[RowId]>, points: Arc<[[f32; 2]]>) -> Self {
        let len = rows.len().min(points.len());
        let rows: Arc<[RowId]> = if rows.len() == len { rows } else { rows[..len].into() };
        let points: Arc<[[f32; 2]]> = if points.len() == len { points } else { points[..len].into() };
        let lookup = if rows.iter().enumerate().all(|(position, row)| row.index() == position) {
            Lookup::Identity
        } else if rows.windows(2).all(|pair| pair[0] < pair[1]) {
            Lookup::Ascending
        } else {
            Lookup::Index(OnceLock::new())
        };
        let bounds = Bounds::around(&points);
        let grid = Grid::new(&points, bounds);
        let core = Core::of(&points, bounds);
        Self { id: next_id(), rows, points, bounds, core, in_space: None, grid, lookup }
    }

    /// Places `rows[i]` where `space[i]` is seen: turned about the vertical axis, then tilted about the horizontal one, in radians.
    pub fn of_space(rows: Arc<[RowId]>, space: &[[f32; 3]], turned: [f32; 2]) -> Self {
        let viewpoint = Viewpoint::of(space, turned);
        let points = space.par_iter().map(|&point| viewpoint.seen(point)).collect::<Vec<_>>();
        Self { in_space: Some((space::frame(space), viewpoint)), ..Self::new(rows, points.into()) }
    }

    /// A moment of the past of points of space, of which only the first two axes are known: in the frame that the end would have, were it
    /// as large.
    pub fn past_of_space(rows: Arc<[RowId]>, points: Arc<[[f32; 2]]>, end: &[[f32; 3]]) -> Self {
        let flat = |points: &mut dyn Iterator<Item = [f32; 2]>| points.map(|[x, y]| [x, y, 0.0]).collect::<Vec<_>>();
        let own = flat(&mut points.iter().copied());
        let end_seen = space::frame(&flat(&mut end.iter().map(|&[x, y, _]| [x, y])));
        let wider = space::frame(end).extent()[0] / end_seen.extent()[0];
        let frame = space::frame(&own).scaled(wider);
        Self { in_space: Some((frame, Viewpoint::of(&own, [0.0, 0.0]))), ..Self::new(rows, points) }
    }

    /// The frame it is to be seen in, where it has one: that of points in space, from whichever side they are seen.
    pub fn frame(&self) -> Option<Bounds> {
        self.in_space.map(|(frame, _)| frame)
    }

    /// Where another point of the same map lies as the map is turned now; in the plane its first two axes.
    pub fn seen(&self, point: [f32; 3]) -> [f32; 2] {
        self.in_space.map_or([point[0], point[1]], |(_, viewpoint)| viewpoint.seen(point))
    }

    /// A number no other layout of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How many rows there are, drawn or not.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows by position.
    pub fn rows(&self) -> &Arc<[RowId]> {
        &self.rows
    }

    /// The row at a position.
    pub fn row(&self, position: usize) -> Option<RowId> {
        self.rows.get(position).copied()
    }

    /// The points by position, those that are not finite included.
    pub fn points(&self) -> &Arc<[[f32; 2]]> {
        &self.points
    }

    /// The point at a position, if it is drawn at all.
    pub fn point(&self, position: usize) -> Option<[f32; 2]> {
        self.points.get(position).copied().filter(|&point| drawable(point))
    }

    /// The smallest rectangle around all drawn points.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Where nearly all drawn points are.
    pub fn core(&self) -> Core {
        self.core
    }

    /// The drawn positions in Morton order: neighbours in this list are neighbours on the plane.
    pub fn morton_order(&self) -> &[u32] {
        self.grid.order()
    }

    /// Where a row is among the rows of this layout.
    pub fn position_of(&self, row: RowId) -> Option<usize> {
        match &self.lookup {
            Lookup::Identity => Some(row.index()).filter(|&position| position < self.rows.len()),
            Lookup::Ascending => self.rows.binary_search(&row).ok(),
            Lookup::Index(index) => {
                let index = index.get_or_init(|| {
                    let mut index: Vec<u32> = (0..self.rows.len() as u32).collect();
                    index.par_sort_by_key(|&position| self.rows[position as usize]);
                    index
                });
                let found = index.binary_search_by_key(&row, |&position| self.rows[position as usize]).ok()?;
                Some(index[found] as usize)
            }
        }
    }

    /// The nearest position within `radius` world units of `at` that `visible` admits; of equally near ones the first.
    pub fn nearest(&self, at: [f32; 2], radius: f32, visible: &dyn Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<(f32, usize)> = None;
        for row in self.grid.rows(at[1] - radius, at[1] + radius) {
            for position in self.grid.in_row(row, at[0] - radius, at[0] + radius) {
                let point = self.points[position];
                let distance = (point[0] - at[0]).powi(2) + (point[1] - at[1]).powi(2);
                let nearer = best.is_none_or(|(least, first)| (distance, position) < (least, first));
                if distance <= radius * radius && nearer && visible(position) {
                    best = Some((distance, position));
                }
            }
        }
        best.map(|(_, position)| position)
    }

    /// The positions inside a closed polygon (nonzero winding, so a lasso crossing itself encloses both loops), ascending.
    pub fn inside(&self, polygon: &[[f32; 2]]) -> Vec<usize> {
        if polygon.len() < 3 || self.is_empty() || !polygon.iter().all(|&corner| drawable(corner)) {
            return Vec::new();
        }
        let box_of = Bounds::around(polygon);
        let rows: Vec<u32> = self.grid.rows(box_of.min[1], box_of.max[1]).collect();
        let edges: Vec<Edge> =
            (0..polygon.len()).map(|i| Edge { from: polygon[i], to: polygon[(i + 1) % polygon.len()] }).collect();
        let found: Vec<Vec<usize>> = rows
            .par_iter()
            .map(|&row| {
                let span = self.grid.row_span(row);
                let near: Vec<&Edge> = edges.iter().filter(|edge| edge.meets(span)).collect();
                let within = |&position: &usize| winding(&near, self.points[position]) != 0;
                self.grid.in_row(row, box_of.min[0], box_of.max[0]).filter(within).collect()
            })
            .collect();
        self.ascending(&found)
    }

    /// The positions inside the rectangle between two opposite corners, ascending.
    pub fn in_rect(&self, corner: [f32; 2], opposite: [f32; 2]) -> Vec<usize> {
        let min = [0, 1].map(|axis| corner[axis].min(opposite[axis]));
        let max = [0, 1].map(|axis| corner[axis].max(opposite[axis]));
        let within = |&position: &usize| {
            let point = self.points[position];
            (0..2).all(|axis| point[axis] >= min[axis] && point[axis] <= max[axis])
        };
        let rows = self.grid.rows(min[1], max[1]);
        let found: Vec<Vec<usize>> =
            rows.map(|row| self.grid.in_row(row, min[0], max[0]).filter(within).collect()).collect();
        self.ascending(&found)
    }

    /// Sorts found positions by marking them, which beats comparing when many are found.
    fn ascending(&self, found: &[Vec<usize>]) -> Vec<usize> {
        let mut marks = vec![false; self.len()];
        let mut count = 0;
        for &position in found.iter().flatten() {
            marks[position] = true;
            count += 1;
        }
        let mut positions = Vec::with_capacity(count);
        positions.extend(marks.iter().enumerate().filter(|(_, mark)| **mark).map(|(position, _)| position));
        positions
    }
}

/// One side of a polygon.
struct Edge {
    from: [f32; 2],
    to: [f32; 2],
}

impl Edge {
    /// Whether the edge reaches into a span of y.
    fn meets(&self, span: [f32; 2]) -> bool {
        self.from[1].min(self.to[1]) <= span[1] && self.from[1].max(self.to[1]) >= span[0]
    }
}

/// How often the edges turn around a point (Sunday 2001); zero is outside.
fn winding(edges: &[&Edge], point: [f32; 2]) -> i32 {
    edges
        .iter()
        .map(|Edge { from, to }| {
            let side = (to[0] - from[0]) * (point[1] - from[1]) - (point[0] - from[0]) * (to[1] - from[1]);
            match (from[1] <= point[1], to[1] <= point[1]) {
                (true, false) if side > 0.0 => 1,
                (false, true) if side < 0.0 => -1,
                _ => 0,
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn random(len: usize, seed: u64) -> Layout {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        let points: Vec<[f32; 2]> = (0..len)
            .map(|i| match i % 97 {
                0 => [f32::NAN, rng.random()],
                1 => [rng.random(), f32::NEG_INFINITY],
                _ => [rng.random::<f32>() * 20.0 - 3.0, rng.random::<f32>().powi(3) * 8.0],
            })
            .collect();
        Layout::new((0..len as u32).map(RowId).collect(), points.into())
    }

    #[test]
    fn a_few_far_points_are_not_of_the_core() {
        let mut points: Vec<[f32; 2]> = (0..1000).map(|at| [(at % 32) as f32, (at / 32) as f32]).collect();
        let even = Layout::new((0..1000).map(RowId).collect(), points.clone().into());
        assert!(even.core().outside == 0 && even.core().bounds == even.bounds());
        points[7] = [900.0, 3.0];
        points[8] = [-500.0, 700.0];
        let core = Layout::new((0..1000).map(RowId).collect(), points.into()).core();
        assert_eq!(core.outside, 2);
        assert!(core.bounds.extent()[0] < 40.0 && core.bounds.extent()[1] < 40.0, "{core:?}");
    }

    #[test]
    fn the_past_of_a_map_in_space_is_seen_in_the_frame_of_its_end() {
        let end: Vec<[f32; 3]> =
            (0..300).map(|n| [0.3, 0.7, 1.9].map(|pace| (n as f32 * pace).sin() * 9.0 * pace)).collect();
        let rows: Arc<[RowId]> = (0..300).map(RowId).collect();
        let frame = Layout::of_space(rows.clone(), &end, [0.0, 0.0]).frame().unwrap();
        for size in [1.0, 0.5] {
            let points: Arc<[[f32; 2]]> = end.iter().map(|&[x, y, _]| [x * size, y * size]).collect();
            let past = Layout::past_of_space(rows.clone(), points, &end);
            let ratio = past.frame().unwrap().extent()[0] / frame.extent()[0];
            assert!((ratio - size).abs() < 0.02, "{ratio} at {size} of the size of the end");
        }
    }

    #[test]
    fn nearest_agrees_with_looking_at_all() {
        let layout = random(3000, 1);
        let mut rng = rand_pcg::Pcg64::seed_from_u64(2);
        for _ in 0..500 {
            let at = [rng.random::<f32>() * 26.0 - 6.0, rng.random::<f32>() * 12.0 - 2.0];
            let radius = rng.random::<f32>() * 1.5;
            let visible = |position: usize| !position.is_multiple_of(3);
            let distance = |p: [f32; 2]| (p[0] - at[0]).powi(2) + (p[1] - at[1]).powi(2);
            let expected = (0..layout.len())
                .filter(|&i| visible(i) && layout.point(i).is_some_and(|p| distance(p) <= radius * radius))
                .min_by(|&a, &b| distance(layout.points[a]).total_cmp(&distance(layout.points[b])));
            assert_eq!(layout.nearest(at, radius, &visible), expected);
        }
    }

    #[test]
    fn lasso_and_rect_agree_with_looking_at_all() {
        let layout = random(4000, 3);
        let mut rng = rand_pcg::Pcg64::seed_from_u64(4);
        for corners in [3, 5, 40, 200] {
            let polygon: Vec<[f32; 2]> =
                (0..corners).map(|_| [rng.random::<f32>() * 24.0 - 5.0, rng.random::<f32>() * 9.0 - 0.5]).collect();
            let edges: Vec<Edge> =
                (0..corners).map(|i| Edge { from: polygon[i], to: polygon[(i + 1) % corners] }).collect();
            let all: Vec<&Edge> = edges.iter().collect();
            let expected: Vec<usize> =
                (0..layout.len()).filter(|&i| layout.point(i).is_some_and(|point| winding(&all, point) != 0)).collect();
            assert_eq!(layout.inside(&polygon), expected);
            let expected: Vec<usize> = (0..layout.len())
                .filter(|&i| {
                    let [a, b] = [polygon[0], polygon[1]];
                    let between = |v: f32, p: f32, q: f32| v >= p.min(q) && v <= p.max(q);
                    layout.point(i).is_some_and(|p| between(p[0], a[0], b[0]) && between(p[1], a[1], b[1]))
                })
                .collect();
            assert_eq!(layout.in_rect(polygon[0], polygon[1]), expected);
        }
        assert!(layout.inside(&[[0.0, 0.0], [1.0, f32::NAN], [1.0, 1.0]]).is_empty());
    }

    #[test]
    fn rows_are_found_in_any_order() {
        let points: Arc<[[f32; 2]]> = vec![[0.0; 2]; 4].into();
        for rows in [[0, 1, 2, 3], [2, 5, 7, 9], [9, 0, 4, 2]] {
            let layout = Layout::new(rows.map(RowId).into(), points.clone());
            for (position, row) in rows.iter().enumerate() {
                assert_eq!(layout.position_of(RowId(*row)), Some(position));
            }
            assert_eq!(layout.position_of(RowId(77)), None);
        }
    }

    #[test]
    fn odd_input_has_bounds() {
        for points in [vec![], vec![[f32::NAN; 2]; 3], vec![[5.0, -5.0]; 9], vec![[f32::MAX; 2], [1.0, 1.0]]] {
            let layout = Layout::new((0..9).map(RowId).collect(), points.into());
            let [width, height] = layout.bounds().extent();
            assert!(width > 0.0 && width.is_finite() && height > 0.0 && height.is_finite());
            assert_eq!(layout.nearest([f32::NAN, 0.0], 1.0, &|_| true), None);
        }
    }

    #[test]
    #[ignore = "a measurement"]
    #[allow(clippy::print_stderr)]
    fn how_long_it_takes() {
        for len in [100_000, 1_000_000] {
            let layout = random(len, 1);
            let (rows, points) = (layout.rows().clone(), layout.points().clone());
            let time = |name: &str, repeat: u32, work: &mut dyn FnMut()| {
                work();
                let start = std::time::Instant::now();
                (0..repeat).for_each(|_| work());
                eprintln!("{name} {len}: {:?}", start.elapsed() / repeat);
            };
            time("new", 10, &mut || drop(Layout::new(rows.clone(), points.clone())));
            time("nearest", 1000, &mut || {
                std::hint::black_box(layout.nearest([6.0, 3.0], 0.1, &|_| true));
            });
            let circle: Vec<[f32; 2]> = (0..300)
                .map(|i| (i as f32 / 300.0 * std::f32::consts::TAU).sin_cos())
                .map(|(s, c)| [7.0 + 8.0 * s, 3.0 + 3.0 * c])
                .collect();
            let mut count = 0;
            time("lasso", 10, &mut || count = layout.inside(&circle).len());
            assert!(count > len / 5);
        }
    }
}
