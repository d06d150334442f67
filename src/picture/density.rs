//! How dense the drawn points of a map are: a smooth field over the plane, and the levels that enclose given shares of the points.
//!
//! Made once for a layout and for what is hidden on it; shading a picture of it costs pixels, never points. Invariant: the same points
//! give the same field, and it is zero at its edges, so that every contour is closed.

use image::RgbaImage;
use rayon::prelude::*;

use super::{Bounds, Camera, Colour, Layout, Styles, next_id};

/// Cells along the longer side.
const CELLS: usize = 320;
/// The smoothing, as a share of Scott's rule for one bell (Scott 1992): maps have many heaps.
const SHARP: f32 = 0.4;
/// The least and the greatest smoothing, in cells.
const SMOOTH: [f32; 2] = [2.5, 18.0];
/// Points whose density is looked at for the levels, at most.
const LOOKED_AT: usize = 200_000;
/// With fewer points there is nothing to be dense.
const FEWEST: usize = 10;
/// Rows of pixels shaded by one thread at a time.
const BAND: usize = 16;

/// How opaque points are over their density, as a share of how opaque they are without: it is to be seen through them.
pub const BESIDE_DENSITY: f32 = 0.55;

/// The shares of the points that the contours enclose, the outermost first.
pub const SHARES: [f32; 5] = [0.9, 0.75, 0.5, 0.25, 0.1];

/// A field of density.
#[derive(Clone, Debug)]
pub struct Density {
    id: u64,
    of: [u64; 2],
    /// Where the first cell begins, and the side of a cell, in the units of the plane.
    origin: [f32; 2],
    cell: f32,
    size: [usize; 2],
    /// Row by row, from the least y.
    field: Vec<f32>,
    levels: [f32; SHARES.len()],
}

/// How a field is painted.
#[derive(Clone, Copy, Debug)]
pub struct DensityLook<'a> {
    /// The field.
    pub density: &'a Density,
    /// Its colour, opaque.
    pub colour: Colour,
}

impl Density {
    /// The density of the shown points; `None` where there are too few.
    pub fn of(layout: &Layout, styles: &Styles) -> Option<Self> {
        let points: Vec<[f32; 2]> =
            (0..layout.len()).filter(|&at| styles.is_shown(at)).filter_map(|at| layout.point(at)).collect();
        if points.len() < FEWEST {
            return None;
        }
        let bounds = layout.core().bounds;
        let extent = bounds.extent();
        // Room around the points for the field to fall to zero.
        let cell = extent[0].max(extent[1]) / CELLS as f32;
        let smooth = (SHARP * spread(&points, bounds) * (points.len() as f32).powf(-1.0 / 6.0) / cell)
            .clamp(SMOOTH[0], SMOOTH[1]);
        let around = (smooth * 3.5).ceil() + 2.0;
        let origin = [0, 1].map(|axis| bounds.min[axis] - around * cell);
        let size = [0, 1].map(|axis| (extent[axis] / cell).ceil() as usize + 2 * around as usize + 1);
        let mut made = Self {
            id: next_id(),
            of: key(layout, styles),
            origin,
            cell,
            size,
            field: vec![0.0; size[0] * size[1]],
            levels: [0.0; SHARES.len()],
        };
        points.iter().filter(|&&point| bounds.contains(point)).for_each(|&point| made.add(point));
        made.smoothen(smooth);
        made.find_levels(&points);
        Some(made)
    }

    /// A number no other density, layout or style of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether it is that of a layout with what is hidden of it.
    pub fn is_of(&self, layout: &Layout, styles: &Styles) -> bool {
        self.of == key(layout, styles)
    }

    /// Shares a point among the four cells around it.
    fn add(&mut self, point: [f32; 2]) {
        let [x, y] = [0, 1].map(|axis| (point[axis] - self.origin[axis]) / self.cell - 0.5);
        let (column, row) = (x.floor(), y.floor());
        let (right, up) = (x - column, y - row);
        for (share, dx, dy) in [
            ((1.0 - right) * (1.0 - up), 0, 0),
            (right * (1.0 - up), 1, 0),
            ((1.0 - right) * up, 0, 1),
            (right * up, 1, 1),
        ] {
            let at = (row as usize + dy) * self.size[0] + column as usize + dx;
            if let Some(cell) = self.field.get_mut(at) {
                *cell += share;
            }
        }
    }

    /// Three passes of a moving mean each way come near to a bell of the same width (Kovesi 2010).
    fn smoothen(&mut self, smooth: f32) {
        let half = ((((4.0 * smooth * smooth + 1.0).sqrt() - 1.0) * 0.5).round() as usize).max(1);
        let [width, height] = self.size;
        for _ in 0..3 {
            self.field.par_chunks_mut(width).for_each_init(Vec::new, |room, row| mean(row, half, room));
        }
        let mut turned = transposed(&self.field, width);
        for _ in 0..3 {
            turned.par_chunks_mut(height).for_each_init(Vec::new, |room, row| mean(row, half, room));
        }
        self.field = transposed(&turned, height);
    }

    fn find_levels(&mut self, points: &[[f32; 2]]) {
        let step = points.len().div_ceil(LOOKED_AT);
        let mut seen: Vec<f32> = points.iter().step_by(step).map(|&point| self.at(point)).collect();
        seen.sort_unstable_by(f32::total_cmp);
        self.levels = SHARES.map(|share| seen[(((1.0 - share) * seen.len() as f32) as usize).min(seen.len() - 1)]);
    }

    /// The density at a place of the plane, by a spline of the cells around it; 0 outside.
    fn at(&self, point: [f32; 2]) -> f32 {
        let [x, y] = [0, 1].map(|axis| (point[axis] - self.origin[axis]) / self.cell - 0.5);
        let (column, row) = ((x + 0.5).floor(), (y + 0.5).floor());
        let [width, height] = self.size;
        if !(column >= 1.0 && row >= 1.0 && column + 1.0 < width as f32 && row + 1.0 < height as f32) {
            return 0.0;
        }
        let (across, along) = (spline(x - column), spline(y - row));
        let first = (row as usize - 1) * width + column as usize - 1;
        let line = |at: usize| {
            let cells = &self.field[first + at * width..][..3];
            across[0] * cells[0] + across[1] * cells[1] + across[2] * cells[2]
        };
        along[0] * line(0) + along[1] * line(1) + along[2] * line(2)
    }

    /// Lays the field over an opaque picture: five bands, the densest the strongest, with a line along each level.
    pub(super) fn shade(&self, image: &mut RgbaImage, (camera, colour, pixels_per_point): (Camera, Colour, f32)) {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let size = [width as f32, height as f32];
        let bytes = width * 4 * BAND;
        image.as_flat_samples_mut().samples.par_chunks_mut(bytes).enumerate().for_each(|(band, pixels)| {
            let value = |x: usize, y: usize| self.at(camera.to_world([x as f32 + 0.5, y as f32 + 0.5], size));
            let mut below: Vec<f32> = (0..=width).map(|x| value(x, band * BAND)).collect();
            for (row, line) in pixels.chunks_exact_mut(width * 4).enumerate() {
                let next: Vec<f32> = (0..=width).map(|x| value(x, band * BAND + row + 1)).collect();
                let here = std::mem::replace(&mut below, next);
                for (x, pixel) in line.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                    let slope = (here[x + 1] - here[x]).hypot(below[x] - here[x]);
                    let alpha = self.alpha(here[x], slope, pixels_per_point);
                    if alpha > 0.0 {
                        for (under, over) in pixel.iter_mut().zip(colour.0).take(3) {
                            let (under_f, over) = (f32::from(*under), f32::from(over));
                            *under = (under_f + (over - under_f) * alpha).round() as u8;
                        }
                    }
                }
            }
        });
    }

    /// How strong the colour is where the density is `value` and grows by `slope` a pixel.
    fn alpha(&self, value: f32, slope: f32, pixels_per_point: f32) -> f32 {
        if value <= 0.0 {
            return 0.0;
        }
        let inside = self.levels.iter().filter(|&&level| value >= level).count();
        let fill = FILL * inside as f32;
        let far = self.levels.iter().map(|level| (value - level).abs()).fold(f32::INFINITY, f32::min);
        // Half the width of a line, in pixels.
        let half = 0.5 * pixels_per_point.max(0.5);
        let line = if slope > 0.0 { (half + 0.5 - far / slope).clamp(0.0, 1.0) } else { 0.0 };
        fill + (LINE - fill * 0.4) * line * (1.0 - fill)
    }

    /// The contours as paths of an SVG, the outermost level first: its opacity and its closed loops as places on a screen.
    pub(super) fn paths(&self, place: impl Fn([f32; 2]) -> [f32; 2]) -> Vec<String> {
        use std::fmt::Write as _;
        let path = |level: f32| {
            let mut path = String::new();
            for corners in super::contours::contours(&self.field, self.size[0], level) {
                for (nth, corner) in corners.iter().enumerate() {
                    let world = [0, 1].map(|axis| self.origin[axis] + (corner[axis] + 0.5) * self.cell);
                    let [x, y] = place(world);
                    let _ = write!(path, "{}{x:.1} {y:.1}", if nth == 0 { 'M' } else { 'L' });
                }
                path.push('Z');
            }
            path
        };
        self.levels.iter().map(|&level| path(level)).collect()
    }
}

/// How strong one more band is, and a line.
pub(super) const FILL: f32 = 0.075;
pub(super) const LINE: f32 = 0.42;

/// What a density is of: the layout, and the styles where they hide something.
fn key(layout: &Layout, styles: &Styles) -> [u64; 2] {
    [layout.id(), if styles.hides() { styles.id() } else { 0 }]
}

/// The standard deviation of the points within bounds, the mean of both axes.
fn spread(points: &[[f32; 2]], bounds: Bounds) -> f32 {
    let inside = || points.iter().filter(|&&point| bounds.contains(point));
    let count = inside().count().max(1) as f64;
    let deviation = [0, 1].map(|axis| {
        let mean = inside().map(|point| f64::from(point[axis])).sum::<f64>() / count;
        (inside().map(|point| (f64::from(point[axis]) - mean).powi(2)).sum::<f64>() / count).sqrt()
    });
    ((deviation[0] + deviation[1]) * 0.5) as f32
}

/// A moving mean over `2 * half + 1` cells; beyond the ends there is nothing.
fn mean(row: &mut [f32], half: usize, room: &mut Vec<f32>) {
    room.clear();
    room.extend_from_slice(row);
    let share = 1.0 / (2 * half + 1) as f64;
    let mut sum: f64 = room.iter().take(half).map(|&value| f64::from(value)).sum();
    for at in 0..row.len() {
        sum += room.get(at + half).map_or(0.0, |&value| f64::from(value));
        if at > half {
            sum -= f64::from(room[at - half - 1]);
        }
        // What cancellation leaves of nothing is nothing.
        row[at] = if sum < 1e-9 { 0.0 } else { (sum * share) as f32 };
    }
}

fn transposed(field: &[f32], width: usize) -> Vec<f32> {
    let height = field.len() / width.max(1);
    (0..width).flat_map(|column| (0..height).map(move |row| field[row * width + column])).collect()
}

/// Weights of three cells by the quadratic spline, at a distance of −0.5 to 0.5 from the middle one.
fn spline(at: f32) -> [f32; 3] {
    [0.5 * (0.5 - at) * (0.5 - at), 0.75 - at * at, 0.5 * (0.5 + at) * (0.5 + at)]
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::picture::{StyleRequest, Values};
    use crate::vectors::RowId;

    /// Two heaps, one of them four times as large, and the styles of both.
    fn heaps(hidden: &[u32]) -> (Layout, Styles) {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(9);
        let mut bell = |centre: f32| {
            let mut sum = || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
            [centre + sum(), sum()]
        };
        let points: Vec<[f32; 2]> = (0..5000).map(|at| bell(if at % 5 == 0 { 20.0 } else { 0.0 })).collect();
        let names = ["large", "small"].map(str::to_owned);
        let values =
            Values::Categories { names: names.into(), ids: (0..5000).map(|at| u32::from(at % 5 == 0)).collect() };
        let styles = StyleRequest { hidden, ..StyleRequest::new("x", &values) }.make(5000);
        (Layout::new((0..5000).map(RowId).collect(), points.into()), styles)
    }

    #[test]
    fn levels_enclose_the_shares_they_say() {
        let (layout, styles) = heaps(&[]);
        let density = Density::of(&layout, &styles).unwrap();
        for (level, share) in density.levels.iter().zip(SHARES) {
            let inside = layout.points().iter().filter(|&&point| density.at(point) >= *level).count() as f32 / 5000.0;
            assert!((inside - share).abs() < 0.01, "{inside} of {share}");
        }
        // All points are in the field, and the large heap is the denser one.
        let total: f32 = density.field.iter().sum();
        assert!((total / 5000.0 - 1.0).abs() < 0.02, "{total}");
        let (large, small) = (density.at([0.0, 0.0]), density.at([20.0, 0.0]));
        assert!(large > 2.5 * small && small > 20.0 * density.at([10.0, 0.0]), "{large} {small}");
        assert_eq!(density.at([1e6, f32::NAN]), 0.0);
    }

    #[test]
    fn what_is_hidden_is_not_dense_and_few_points_have_none() {
        let (layout, styles) = heaps(&[0]);
        let density = Density::of(&layout, &styles).unwrap();
        assert!(density.at([20.0, 0.0]) > 20.0 * density.at([0.0, 0.0]));
        let (_, all) = heaps(&[]);
        assert!(density.is_of(&layout, &styles) && !density.is_of(&layout, &all));
        let few = Layout::new((0..9).map(RowId).collect(), vec![[0.0; 2]; 9].into());
        assert!(Density::of(&few, &all).is_none());
        let same = Layout::new((0..50).map(RowId).collect(), vec![[3.0; 2]; 50].into());
        assert!(Density::of(&same, &all).is_some_and(|density| density.at([3.0, 3.0]) > 0.0));
    }

    #[test]
    fn a_picture_is_shaded_where_it_is_dense() {
        let (layout, styles) = heaps(&[]);
        let density = Density::of(&layout, &styles).unwrap();
        let camera = Camera::fit(layout.bounds(), [300.0, 200.0], 10.0);
        let mut image = RgbaImage::from_pixel(300, 200, image::Rgba([0, 0, 0, 255]));
        density.shade(&mut image, (camera, Colour::hex(0xffffff), 1.0));
        let at = |world| {
            let [x, y] = camera.to_screen(world, [300.0, 200.0]);
            image.get_pixel(x as u32, y as u32).0[0]
        };
        let fill = |bands: f32| (255.0 * FILL * bands).round() as i32;
        assert!((i32::from(at([0.0, 0.0])) - fill(5.0)).abs() <= 1, "{}", at([0.0, 0.0]));
        assert_eq!(at([10.0, 3.0]), 0);
        let lines = image.pixels().filter(|pixel| f32::from(pixel.0[0]) > 255.0 * 0.9 * LINE).count();
        assert!(lines > 100, "{lines}");
        // Each level is at least one closed path.
        let paths = density.paths(|world| camera.to_screen(world, [300.0, 200.0]));
        assert!(paths.len() == 5 && paths.iter().all(|path| path.starts_with('M') && path.ends_with('Z')));
    }
}
