//! Points to pixels on the CPU: anti-aliased discs, for exported pictures and for machines without a graphics processor.
//!
//! Draws no text and no frame. Invariant: the same input gives the same bytes at any number of threads, because the image is
//! cut into bands of rows and each band is painted by one thread in paint order.

use image::RgbaImage;
use rayon::prelude::*;

use super::{Camera, Colour, DensityLook, FrontLook, Layout, Styles, paint_order};

/// Rows of pixels painted by one thread at a time.
const BAND: u32 = 32;
/// Points sorted into bands by one thread at a time.
const CHUNK: usize = 32_768;
/// Places within a pixel that a disc's centre is rounded to, on each axis.
const SUB: usize = 8;
/// Largest radius in pixels.
const MAX_RADIUS: f32 = 64.0;

/// What to paint. All lengths are pixels.
#[derive(Clone, Copy, Debug)]
pub struct Raster<'a> {
    /// Where the points are.
    pub layout: &'a Layout,
    /// How they look.
    pub styles: &'a Styles,
    /// The part of the plane to show; its screen unit is the pixel.
    pub camera: Camera,
    /// Width and height; a side of 0 is taken as 1.
    pub size: [u32; 2],
    /// Radius of a point, usually 1 to 6, at most 64.
    pub radius: f32,
    /// Opacity of all but the selected points, 0 to 1.
    pub opacity: f32,
    /// What is behind the points, taken as opaque.
    pub background: Colour,
    /// How dense the points are, laid under them.
    pub density: Option<DensityLook<'a>>,
    /// The ring around selected points.
    pub ring: Colour,
    /// Pixels per point of the screen, for the width of rings: 1, or 2 on a dense screen.
    pub pixels_per_point: f32,
}

/// One disc to paint.
#[derive(Clone, Copy)]
struct Splat {
    /// Pixel that holds the centre.
    base: [i32; 2],
    /// Which stamp of its set.
    stamp: u8,
    /// Which set of stamps: points, ring, front.
    set: u8,
    colour: Colour,
}

/// A disc's coverage at each place within a pixel that its centre may have.
struct Stamps {
    half: i32,
    /// `SUB * SUB` squares of `2 * half + 1`.
    coverage: Vec<u8>,
}

impl Stamps {
    fn new(radius: f32) -> Self {
        let radius = if radius.is_finite() { radius.clamp(0.3, MAX_RADIUS) } else { 1.0 };
        let half = (radius + 0.5).ceil() as i32;
        // a disc smaller than a pixel keeps its area by being fainter
        let (drawn, strength) = if radius < 0.6 { (0.6, (radius / 0.6).powi(2)) } else { (radius, 1.0) };
        let mut coverage = Vec::with_capacity(SUB * SUB * (2 * half as usize + 1).pow(2));
        for stamp in 0..SUB * SUB {
            let [x, y] = [stamp % SUB, stamp / SUB].map(|sub| (sub as f32 + 0.5) / SUB as f32);
            for row in -half..=half {
                for column in -half..=half {
                    let distance = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
                    coverage.push(((drawn + 0.5 - distance).clamp(0.0, 1.0) * strength * 255.0).round() as u8);
                }
            }
        }
        Self { half, coverage }
    }

    /// The coverage of one row of a stamp.
    fn row(&self, stamp: u8, row: i32) -> &[u8] {
        let side = (2 * self.half + 1) as usize;
        let start = usize::from(stamp) * side * side + (row + self.half) as usize * side;
        &self.coverage[start..start + side]
    }
}

/// Paints what is under the points: the background, and how dense they are.
pub fn backdrop(request: &Raster<'_>) -> RgbaImage {
    let [width, height] = request.size.map(|side| side.max(1));
    let [r, g, b, _] = request.background.0;
    let mut image = RgbaImage::from_pixel(width, height, image::Rgba([r, g, b, 255]));
    if let Some(look) = request.density {
        look.density.shade(&mut image, (request.camera, look.colour, request.pixels_per_point));
    }
    image
}

/// Paints the points, the selected ones once more in front.
pub fn raster(request: &Raster<'_>) -> RgbaImage {
    let [width, height] = request.size.map(|side| side.max(1));
    let front_look = FrontLook::of(request.styles.front().len(), request.radius / request.pixels_per_point.max(0.1));
    let scale = request.pixels_per_point.max(0.1);
    let sets = [
        Stamps::new(request.radius),
        Stamps::new((front_look.radius + front_look.ring) * scale),
        Stamps::new(front_look.radius * scale),
    ];
    let bands = height.div_ceil(BAND) as usize;
    let chunks = sort_into_bands(request, &sets, bands, front_look.ring > 0.0);
    let mut image = backdrop(request);
    let band_bytes = (width * BAND * 4) as usize;
    image.as_flat_samples_mut().samples.par_chunks_mut(band_bytes).enumerate().for_each(|(band, pixels)| {
        for splat in chunks.iter().flat_map(|chunk| &chunk[band]) {
            paint(pixels, width as i32, band as i32 * BAND as i32, (splat, &sets[usize::from(splat.set)]));
        }
    });
    image
}

/// For each chunk of points, the discs of each band in paint order; the selected points are in the last chunks.
fn sort_into_bands(request: &Raster<'_>, sets: &[Stamps; 3], bands: usize, rings: bool) -> Vec<Vec<Vec<Splat>>> {
    let (colours, front) = (request.styles.colours(), request.styles.front());
    let len = request.layout.len().min(colours.len());
    let order = paint_order(len);
    let starts = |len: usize| (0..len).step_by(CHUNK).collect::<Vec<_>>();
    let mut chunks: Vec<Vec<Vec<Splat>>> = starts(len)
        .into_par_iter()
        .map(|from| {
            let positions = (from..(from + CHUNK).min(len)).map(order);
            let discs = positions.map(|position| (position, 0, colours[position].faded(request.opacity)));
            chunk_of(request, sets, bands, discs)
        })
        .collect();
    chunks.par_extend(starts(front.len()).into_par_iter().map(|from| {
        let discs = front[from..(from + CHUNK).min(front.len())].iter().flat_map(|&position| {
            let position = position as usize;
            let colour = colours.get(position).copied().unwrap_or(Colour::TRANSPARENT);
            let ring = if rings { request.ring.faded(colour.opacity()) } else { Colour::TRANSPARENT };
            [(position, 1, ring), (position, 2, colour)]
        });
        chunk_of(request, sets, bands, discs)
    }));
    chunks
}

/// Sorts discs, given as position, set of stamps and colour, into bands.
fn chunk_of(
    request: &Raster<'_>,
    sets: &[Stamps; 3],
    bands: usize,
    discs: impl Iterator<Item = (usize, u8, Colour)>,
) -> Vec<Vec<Splat>> {
    let mut chunk = vec![Vec::new(); bands];
    for (position, set, colour) in discs {
        if let Some(splat) = place(request, position, set, colour) {
            into_bands(&mut chunk, splat, sets[usize::from(set)].half, request.size[0] as i32);
        }
    }
    chunk
}

/// Where a point falls among the pixels; nothing where it is not drawn.
fn place(request: &Raster<'_>, position: usize, set: u8, colour: Colour) -> Option<Splat> {
    if colour.0[3] == 0 {
        return None;
    }
    let size = request.size.map(|side| side as f32);
    let [x, y] = request.camera.to_screen(request.layout.point(position)?, size);
    let reach = 2.0 * MAX_RADIUS;
    if !(x > -reach && y > -reach && x < size[0] + reach && y < size[1] + reach) {
        return None;
    }
    let sub = [x, y].map(|v| (((v - v.floor()) * SUB as f32) as usize).min(SUB - 1));
    let base = [x.floor() as i32, y.floor() as i32];
    Some(Splat { base, stamp: (sub[1] * SUB + sub[0]) as u8, set, colour })
}

fn into_bands(chunk: &mut [Vec<Splat>], splat: Splat, half: i32, width: i32) {
    let [x, y] = splat.base;
    if x + half < 0 || x - half >= width || y + half < 0 {
        return;
    }
    let first = (y - half).max(0) / BAND as i32;
    let last = (y + half) / BAND as i32;
    for band in first..=last {
        if let Some(list) = chunk.get_mut(band as usize) {
            list.push(splat);
        }
    }
}

/// Paints the part of a disc that is in one band, whose first row is `top`.
fn paint(pixels: &mut [u8], width: i32, top: i32, (splat, stamps): (&Splat, &Stamps)) {
    let rows = pixels.len() as i32 / (width * 4);
    let half = stamps.half;
    let [x, y] = splat.base;
    let columns = (-half).max(-x)..half.min(width - 1 - x) + 1;
    if columns.is_empty() {
        return;
    }
    let [r, g, b, alpha] = splat.colour.0.map(u32::from);
    // two channels at a time: red with blue, green with the opaque alpha
    let (red_blue, green_alpha) = (r | (b << 16), g | (255 << 16));
    for row in (-half).max(top - y)..half.min(top + rows - 1 - y) + 1 {
        let coverage = &stamps.row(splat.stamp, row)[(columns.start + half) as usize..(columns.end + half) as usize];
        let start = ((y + row - top) * width + x + columns.start) as usize * 4;
        let line = &mut pixels[start..start + coverage.len() * 4];
        for (pixel, &cover) in line.as_chunks_mut::<4>().0.iter_mut().zip(coverage) {
            if cover == 0 {
                continue;
            }
            let a = over_255(u32::from(cover) * alpha);
            let under = u32::from_le_bytes(*pixel);
            let low = blend_pair(red_blue, under & PAIR, a);
            let high = blend_pair(green_alpha, (under >> 8) & PAIR, a);
            *pixel = (low | (high << 8)).to_le_bytes();
        }
    }
}

/// The two channels of a pair, each in 16 bits.
const PAIR: u32 = 0x00ff_00ff;

/// Blends two channels at once; per channel the same as [`over_255`].
fn blend_pair(over: u32, under: u32, a: u32) -> u32 {
    let sum = over * a + under * (255 - a) + 0x0080_0080;
    ((sum + ((sum >> 8) & PAIR)) >> 8) & PAIR
}

/// Division by 255, rounded, exact for products of two bytes.
fn over_255(value: u32) -> u32 {
    (value + 128 + ((value + 128) >> 8)) >> 8
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::picture::{Bounds, StyleRequest, Values};
    use crate::vectors::RowId;

    fn scene(len: usize) -> (Layout, Styles) {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(5);
        let points: Vec<[f32; 2]> = (0..len)
            .map(|i| if i % 50 == 7 { [f32::NAN, 0.0] } else { [rng.random::<f32>().powi(2), rng.random()] })
            .collect();
        let names = (0..8).map(|i| i.to_string()).collect();
        let values = Values::Categories { names, ids: (0..len as u32).map(|i| i % 8).collect() };
        let styles = StyleRequest { selected: &[1, 3, 10], ..StyleRequest::new("x", &values) }.make(len);
        (Layout::new((0..len as u32).map(RowId).collect(), points.into()), styles)
    }

    fn request<'a>((layout, styles): &'a (Layout, Styles), size: [u32; 2]) -> Raster<'a> {
        let camera = Camera::fit(layout.bounds(), size.map(|s| s as f32), 10.0);
        let (background, ring) = (Colour::hex(0x101215), Colour::hex(0xffffff));
        let (radius, opacity, density) = (2.5, 0.9, None);
        Raster { layout, styles, camera, size, radius, opacity, background, density, ring, pixels_per_point: 1.0 }
    }

    #[test]
    fn same_bytes_at_any_thread_count() {
        let scene = scene(70_000);
        let at = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| raster(&request(&scene, [333, 257])))
        };
        assert!(at(1) == at(2) && at(2) == at(5));
    }

    #[test]
    fn a_disc_has_its_area_and_colour() {
        let layout = Layout::new([RowId(0)].into(), [[0.3, 0.4]].into());
        let styles = StyleRequest::new("x", &Values::Uniform(Colour::hex(0xffffff))).make(1);
        let scene = (layout, styles);
        for radius in [1.0, 2.5, 7.0, 20.0] {
            let camera = Camera { centre: [0.0; 2], scale: 10.0 };
            let image = raster(&Raster {
                camera,
                radius,
                opacity: 1.0,
                background: Colour::hex(0),
                ..request(&scene, [64, 64])
            });
            let sum: f32 = image.pixels().map(|p| f32::from(p.0[0]) / 255.0).sum();
            let area = std::f32::consts::PI * radius * radius;
            assert!((sum / area - 1.0).abs() < 0.12, "radius {radius}: {sum} of {area}");
            assert!(radius < 2.0 || image.get_pixel(35, 28).0 == [255; 4]);
        }
    }

    #[test]
    fn a_pair_blends_like_its_channels() {
        for a in 0..=255 {
            for (over, under) in [(0, 255), (255, 0), (17, 201), (254, 3), (128, 128)] {
                let expected = over_255(over * a + under * (255 - a));
                assert_eq!(blend_pair(over | (under << 16), under | (over << 16), a) & 0xffff, expected);
            }
        }
    }

    #[test]
    fn nothing_drawable_is_background() {
        let layout = Layout::new([RowId(0), RowId(1)].into(), [[f32::NAN, 0.0], [f32::INFINITY, 1.0]].into());
        let styles = StyleRequest::new("x", &Values::Uniform(Colour::hex(0xffffff))).make(2);
        let scene = (layout, styles);
        let image = raster(&request(&scene, [40, 0]));
        assert!(image.pixels().all(|p| p.0 == [0x10, 0x12, 0x15, 255]));
        let camera = Camera::fit(Bounds { min: [0.0; 2], max: [1.0; 2] }, [40.0, 40.0], 100.0);
        assert!(camera.scale > 0.0);
    }

    #[test]
    #[ignore = "a measurement"]
    #[allow(clippy::print_stderr)]
    fn how_long_it_takes() {
        for len in [100_000, 1_000_000] {
            let scene = scene(len);
            let start = std::time::Instant::now();
            for _ in 0..5 {
                raster(&request(&scene, [1000, 1000]));
            }
            eprintln!("raster of {len} points: {:?}", start.elapsed() / 5);
        }
    }
}
