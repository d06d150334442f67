//! Pillow's resampling of 8-bit pictures, bit for bit.
//!
//! Weights are whole numbers of 22 binary places, width comes before height, and values are rounded to 8 bits after each; where a side
//! keeps its length, the weights are 1 and 0, and nothing changes. Only the part
//! that is asked for is computed, so that neither a huge nor an extremely narrow picture costs memory.

use std::ops::Range;

use image::RgbImage;

/// A filter, by Pillow's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Filter {
    Nearest,
    Lanczos,
    Bilinear,
    Bicubic,
    Box,
    Hamming,
}

/// Weights of one output pixel: first source pixel, and a weight for it and each that follows.
pub(super) type Taps = (usize, Vec<f64>);

/// Binary places of weights.
const PLACES: u32 = 22;

impl Filter {
    /// The filter of a number.
    pub(super) fn numbered(number: u64) -> Option<Self> {
        let all = [Self::Nearest, Self::Lanczos, Self::Bilinear, Self::Bicubic, Self::Box, Self::Hamming];
        all.get(usize::try_from(number).ok()?).copied()
    }

    /// How far from the middle it reaches, in source pixels, when nothing is made smaller.
    fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
        match self {
            Self::Nearest => 0.0,
            Self::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Self::Bilinear => (1.0 - x.abs()).max(0.0),
            Self::Hamming => match x.abs() {
                x if x >= 1.0 => 0.0,
                x => sinc(x) * (0.54 + 0.46 * (x * std::f64::consts::PI).cos()),
            },
            // Keys' cubic with a = -0.5.
            Self::Bicubic => match x.abs() {
                x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
                x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5,
                _ => 0.0,
            },
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
        }
    }

    /// Taps of the output pixels `wanted` when `from` source pixels become `to`.
    pub(super) fn taps(self, from: u64, to: u64, wanted: Range<u64>) -> Vec<Taps> {
        let scale = from as f64 / to as f64;
        if self == Self::Nearest {
            // As Pillow adds them up.
            let places = (0..wanted.end).scan(scale * 0.5, |at, _| Some(std::mem::replace(at, *at + scale)));
            let place = |at: f64| (at as u64).min(from - 1) as usize;
            return places.skip(wanted.start as usize).map(|at| (place(at), vec![1.0])).collect();
        }
        let widen = scale.max(1.0);
        let (support, narrow) = (self.support() * widen, 1.0 / widen);
        let one = |i: u64| {
            let centre = (i as f64 + 0.5) * scale;
            let low = (centre - support + 0.5).max(0.0) as u64;
            let high = ((centre + support + 0.5) as u64).min(from);
            let raw: Vec<f64> = (low..high).map(|x| self.weight((x as f64 - centre + 0.5) * narrow)).collect();
            let sum: f64 = raw.iter().sum();
            (low as usize, raw.iter().map(|w| if sum == 0.0 { *w } else { w / sum }).collect())
        };
        wanted.map(one).collect()
    }
}

/// A size, or where something begins: across, then down.
pub(super) type Pair = [u64; 2];

/// The part of `size` pixels from `start` on of the picture resized to `to`.
pub(super) fn resized(picture: &RgbImage, filter: Filter, to: Pair, (start, size): (Pair, Pair)) -> RgbImage {
    let [w, h] = [u64::from(picture.width()), u64::from(picture.height())];
    let (columns, rows) = (start[0]..start[0] + size[0], start[1]..start[1] + size[1]);
    let (columns, rows) = (whole(&filter.taps(w, to[0], columns)), whole(&filter.taps(h, to[1], rows)));
    let stride = 3 * w as usize;
    let first = rows.first().map_or(0, |taps| taps.0);
    let end = rows.iter().map(|(top, weights)| top + weights.len()).max().unwrap_or(0);
    let narrow: Vec<u8> = picture.as_raw()[first * stride..end * stride]
        .chunks_exact(stride)
        .flat_map(|line| narrowed(line, &columns))
        .collect();
    let stride = 3 * columns.len();
    let mut out = Vec::with_capacity(rows.len() * stride);
    let mut sums = vec![0i32; stride];
    for (top, weights) in &rows {
        let lines = narrow[(top - first) * stride..].chunks_exact(stride);
        sums.fill(ONE / 2);
        for (line, &weight) in lines.zip(weights) {
            sums.iter_mut().zip(line).for_each(|(sum, &value)| *sum += i32::from(value) * weight);
        }
        out.extend(sums.iter().map(|&sum| level(sum)));
    }
    RgbImage::from_raw(size[0] as u32, size[1] as u32, out).unwrap_or_default()
}

/// A weight of 1.
const ONE: i32 = 1 << PLACES;

/// Weights as whole numbers.
fn whole(taps: &[Taps]) -> Vec<(usize, Vec<i32>)> {
    let number = |&weight: &f64| (weight * f64::from(ONE) + if weight < 0.0 { -0.5 } else { 0.5 }) as i32;
    taps.iter().map(|(at, weights)| (*at, weights.iter().map(number).collect())).collect()
}

/// The nearest 8-bit value.
fn level(sum: i32) -> u8 {
    (sum >> PLACES).clamp(0, 255) as u8
}

/// One line brought to its new width.
fn narrowed(line: &[u8], columns: &[(usize, Vec<i32>)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * columns.len());
    for (left, weights) in columns {
        let mut sums = [ONE / 2; 3];
        for (pixel, &weight) in line[3 * left..].as_chunks::<3>().0.iter().zip(weights) {
            for colour in 0..3 {
                sums[colour] += i32::from(pixel[colour]) * weight;
            }
        }
        out.extend(sums.map(level));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> RgbImage {
        let path = format!("{}/tests/fixtures/pictures/{name}.png", env!("CARGO_MANIFEST_DIR"));
        image::open(path).unwrap().to_rgb8()
    }

    #[test]
    fn every_filter_gives_the_bytes_of_pillow() {
        let source = read("steps");
        for number in 0..6 {
            let filter = Filter::numbered(number).unwrap();
            for size in [[50, 31], [160, 140], [u64::from(source.width()), 60]] {
                let want = read(&format!("filters/{number}-{}x{}", size[0], size[1]));
                let got = resized(&source, filter, size, ([0, 0], size));
                assert!(got == want, "{filter:?} to {size:?}");
                let part = resized(&source, filter, size, ([7, 5], [20, 11]));
                assert!(part == image::imageops::crop_imm(&want, 7, 5, 20, 11).to_image(), "{filter:?}, a part");
            }
        }
        assert_eq!(Filter::numbered(6), None);
    }
}
