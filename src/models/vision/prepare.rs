//! From a picture of any size to the network's input: short side to 256 (bicubic), centre crop 224, `(x - 127) / 128`.
//!
//! The filter is Pillow's bicubic (a = -0.5, widened when shrinking). Only the cropped part is computed, so that neither a
//! huge nor an extremely narrow picture costs memory. As in Pillow, width comes first, then height, and values are rounded
//! to 8 bits after each.

use image::RgbImage;

use super::resize::Filter;

/// Side of the network's input in pixels.
pub(super) const SIDE: usize = 224;
/// Length of the picture's short side before the crop.
const SHORT: u64 = 256;

/// Values of an output row summed at once; any number would do.
const TOGETHER: usize = 16;

/// Lines narrowed at once; any number would do.
const LINES: usize = 4;

/// Weights of one output pixel: first source pixel, and a weight for it and each that follows.
type Taps = (usize, Vec<f32>);

/// The network's input: 224 x 224 pixels, channels last, values about -1 to 1, in a square of `side` pixels with `before` of zeros
/// above and to the left. A picture without pixels is all black.
pub(super) fn prepare(picture: &RgbImage, before: usize, side: usize) -> Vec<f32> {
    let mut out = vec![0f32; side * side * 3];
    cropped(picture, |row, pixels| {
        let to = &mut out[((before + row) * side + before) * 3..][..SIDE * 3];
        for (to, pixel) in to.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
            *to = [pixel[0], pixel[1], pixel[2]].map(|v| (v - 127.0) / 128.0);
        }
    });
    out
}

/// The rows of the cropped picture, one after another: whole values 0 to 255, and one unused in each pixel.
fn cropped(picture: &RgbImage, mut put: impl FnMut(usize, &[[f32; 4]])) {
    let (w, h) = (u64::from(picture.width()), u64::from(picture.height()));
    if w == 0 || h == 0 {
        (0..SIDE).for_each(|row| put(row, &[[0.0; 4]; SIDE]));
        return;
    }
    let (out_w, out_h) = if w <= h { (SHORT, h * SHORT / w) } else { (w * SHORT / h, SHORT) };
    let middle = |from, to| taps(from, to, (to - SIDE as u64) / 2, SIDE as u64);
    resample(picture, &middle(w, out_w), &middle(h, out_h), put);
}

/// The output rows that `columns` and `rows` describe, as [`cropped`] gives them.
fn resample(picture: &RgbImage, columns: &[Taps], rows: &[Taps], mut put: impl FnMut(usize, &[[f32; 4]])) {
    let stride = picture.width() as usize * 3;
    let width = (columns.len() * 4).next_multiple_of(TOGETHER);
    // A pixel is read as four values at once, of which the last belongs to the next and is carried along unused.
    let mut lines: [Vec<f32>; LINES] = std::array::from_fn(|_| vec![0f32; stride + 1]);
    // Narrowed lines, as many as one output row needs and some made with the last of them: line y at y % kept.
    let kept = rows.iter().map(|t| t.1.len()).max().unwrap_or(0) + LINES;
    let mut narrow = vec![[0f32; TOGETHER]; kept * width / TOGETHER];
    let mut row = vec![[0f32; TOGETHER]; width / TOGETHER];
    let mut made = 0;
    for (index, (top, weights)) in rows.iter().enumerate() {
        made = made.max(*top);
        while made < top + weights.len() {
            for (line, bytes) in lines.iter_mut().zip(picture.as_raw()[made * stride..].chunks_exact(stride)) {
                line.iter_mut().zip(bytes).for_each(|(to, &x)| *to = f32::from(x));
            }
            for (at, column) in columns.iter().enumerate() {
                for (i, sum) in narrowed(&lines, column).into_iter().enumerate() {
                    let narrow = &mut narrow[(made + i) % kept * row.len()..][..row.len()];
                    narrow.as_flattened_mut()[4 * at..][..4].copy_from_slice(&sum);
                }
            }
            made += LINES;
        }
        let needed: Vec<&[_]> =
            (*top..).take(weights.len()).map(|y| &narrow[y % kept * row.len()..][..row.len()]).collect();
        for (at, row) in row.iter_mut().enumerate() {
            let mut sum = [0f32; TOGETHER];
            for (line, &weight) in needed.iter().zip(weights) {
                for i in 0..TOGETHER {
                    sum[i] += weight * line[at][i];
                }
            }
            *row = sum;
        }
        row.as_flattened_mut().iter_mut().for_each(|x| *x = level(*x));
        put(index, &row.as_flattened().as_chunks::<4>().0[..columns.len()]);
    }
}

/// One output pixel of some lines.
fn narrowed(lines: &[Vec<f32>; LINES], (left, weights): &Taps) -> [[f32; 4]; LINES] {
    let length = weights.len() * 3 + 1;
    let lines = lines.each_ref().map(|line| &line[left * 3..][..length]);
    let mut sums = [[0f32; 4]; LINES];
    for (k, &weight) in weights.iter().enumerate() {
        for (sum, line) in sums.iter_mut().zip(lines) {
            let pixel = &line[3 * k..][..4];
            for i in 0..4 {
                sum[i] += weight * pixel[i];
            }
        }
    }
    sums.map(|sum| [level(sum[0]), level(sum[1]), level(sum[2]), level(sum[3])])
}

/// The nearest 8-bit value, as a number, in operations that a compiler does to several values at once.
fn level(x: f32) -> f32 {
    /// Numbers above it have no fraction.
    const WHOLE: f32 = 8_388_608.0;
    let above = x + 0.5;
    let above = if above > 0.0 { above } else { 0.0 };
    let held = if above < 255.0 { above } else { 255.0 };
    let near = held + WHOLE - WHOLE;
    if near > held { near - 1.0 } else { near }
}

/// Taps of the output pixels `start..start + count` when `from` source pixels become `to`.
fn taps(from: u64, to: u64, start: u64, count: u64) -> Vec<Taps> {
    let taps = Filter::Bicubic.taps(from, to, start..start + count).into_iter();
    taps.map(|(at, weights)| (at, weights.into_iter().map(|weight| weight as f32).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(picture: &RgbImage) -> Vec<f32> {
        let mut out = Vec::new();
        cropped(picture, |_, pixels| out.extend(pixels.iter().flat_map(|p| [p[0], p[1], p[2]])));
        out
    }

    #[test]
    fn a_picture_of_the_right_size_is_only_cropped() {
        let picture = RgbImage::from_fn(256, 256, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let out = whole(&picture);
        assert_eq!(out[..3], [16.0, 16.0, 7.0]);
        assert_eq!(out[(223 * SIDE + 100) * 3..][..3], [116.0, 239.0, 7.0]);
    }

    #[test]
    fn resizes_as_pillow_does() {
        let read = |name: &str| {
            let path = format!("{}/tests/fixtures/numerics/{name}.png", env!("CARGO_MANIFEST_DIR"));
            image::open(path).unwrap().to_rgb8()
        };
        let source = read("resize-src");
        for want in [read("resize-dst"), read("resize-up")] {
            let all = |from: u32, to: u32| taps(from.into(), to.into(), 0, to.into());
            let mut got = Vec::new();
            resample(&source, &all(97, want.width()), &all(61, want.height()), |row, pixels| {
                assert_eq!(got.len(), row * want.width() as usize * 3);
                got.extend(pixels.iter().flat_map(|p| [p[0], p[1], p[2]]));
            });
            let off: Vec<f32> = got.iter().zip(want.as_raw()).map(|(g, &w)| (g - f32::from(w)).abs()).collect();
            assert_eq!(got.len(), want.as_raw().len());
            assert!(off.iter().all(|&d| d <= 1.0));
            assert!(off.iter().sum::<f32>() / (off.len() as f32) < 0.02);
        }
    }

    #[test]
    fn one_colour_stays_one_colour_at_any_size() {
        for (w, h) in [(1, 1), (1, 30_000), (30_000, 1), (3, 2), (777, 1234), (256, 300), (0, 5)] {
            let out = whole(&RgbImage::from_pixel(w, h, image::Rgb([10, 200, 255])));
            assert_eq!(out.len(), SIDE * SIDE * 3);
            if w > 0 {
                assert!(out.chunks_exact(3).all(|p| p == [10.0, 200.0, 255.0]), "{w} x {h}");
            }
        }
    }

    #[test]
    fn shrinking_keeps_a_slope() {
        // A linear ramp stays a linear ramp under a normalised, symmetric filter, away from the borders.
        let picture = RgbImage::from_fn(1024, 1024, |x, _| image::Rgb([(x / 4) as u8; 3]));
        let out = whole(&picture);
        for x in 0..SIDE {
            assert!((out[(100 * SIDE + x) * 3] - (x + 16) as f32).abs() <= 1.0);
        }
    }
}
