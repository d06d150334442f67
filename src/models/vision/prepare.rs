//! From a picture of any size to the network's input: short side to 256 (bicubic), centre crop 224, `(x - 127) / 128`.
//!
//! The filter is Pillow's bicubic (a = -0.5, widened when shrinking). Only the cropped part is computed, so that neither a
//! huge nor an extremely narrow picture costs memory. As in Pillow, width comes first, then height, and values are rounded
//! to 8 bits after each.

use image::RgbImage;

/// Side of the network's input in pixels.
pub(super) const SIDE: usize = 224;
/// Length of the picture's short side before the crop.
const SHORT: u64 = 256;

/// Values of an output row summed at once; any number would do.
const TOGETHER: usize = 16;

/// Weights of one output pixel: first source pixel, and a weight for it and each that follows.
type Taps = (usize, Vec<f32>);

/// The network's input: 224 x 224 pixels, channels last, values about -1 to 1, in a square of `side` pixels with `before` of zeros
/// above and to the left. A picture without pixels is all black.
pub(super) fn prepare(picture: &RgbImage, before: usize, side: usize) -> Vec<f32> {
    let mut out = vec![0f32; side * side * 3];
    for (line, out) in cropped(picture).chunks_exact(SIDE * 3).zip(out.chunks_exact_mut(side * 3).skip(before)) {
        out[before * 3..][..SIDE * 3].iter_mut().zip(line).for_each(|(o, v)| *o = (v - 127.0) / 128.0);
    }
    out
}

/// The cropped picture, whole values 0 to 255, channels last.
fn cropped(picture: &RgbImage) -> Vec<f32> {
    let (w, h) = (u64::from(picture.width()), u64::from(picture.height()));
    if w == 0 || h == 0 {
        return vec![0.0; SIDE * SIDE * 3];
    }
    let (out_w, out_h) = if w <= h { (SHORT, h * SHORT / w) } else { (w * SHORT / h, SHORT) };
    let middle = |from, to| taps(from, to, (to - SIDE as u64) / 2, SIDE as u64);
    resample(picture, &middle(w, out_w), &middle(h, out_h))
}

/// The output pixels that `columns` and `rows` describe, whole values 0 to 255, channels last.
fn resample(picture: &RgbImage, columns: &[Taps], rows: &[Taps]) -> Vec<f32> {
    let first = rows.iter().map(|t| t.0).min().unwrap_or(0);
    let last = rows.iter().map(|t| t.0 + t.1.len()).max().unwrap_or(0);
    let (stride, width) = (picture.width() as usize * 3, columns.len() * 3);

    // One value more than the line has, so that every pixel can be read as four, of which the last is not used.
    let mut line = vec![0f32; stride + 1];
    let mut narrow = vec![0f32; (last - first) * width];
    let lines = picture.as_raw()[first * stride..last * stride].chunks_exact(stride);
    for (bytes, narrow) in lines.zip(narrow.chunks_exact_mut(width)) {
        line.iter_mut().zip(bytes).for_each(|(to, &x)| *to = f32::from(x));
        for ((left, weights), out) in columns.iter().zip(narrow.as_chunks_mut::<3>().0) {
            let pixels = &line[left * 3..][..weights.len() * 3 + 1];
            let mut sum = [0f32; 4];
            for (pixel, &weight) in pixels.windows(4).step_by(3).zip(weights) {
                for i in 0..4 {
                    sum[i] += weight * pixel[i];
                }
            }
            let [r, g, b, _] = sum.map(level);
            *out = [r, g, b];
        }
    }
    let mut out = vec![0f32; rows.len() * width];
    for ((top, weights), out) in rows.iter().zip(out.chunks_exact_mut(width)) {
        let narrow = &narrow[(top - first) * width..];
        for (start, out) in (0..width).step_by(TOGETHER).zip(out.chunks_mut(TOGETHER)) {
            let mut sum = [0f32; TOGETHER];
            for (line, &weight) in narrow.chunks_exact(width).zip(weights) {
                sum.iter_mut().zip(&line[start..]).for_each(|(s, &x)| *s += weight * x);
            }
            out.copy_from_slice(&sum.map(level)[..out.len()]);
        }
    }
    out
}

/// The nearest 8-bit value, as a number.
fn level(x: f32) -> f32 {
    (x + 0.5).clamp(0.0, 255.0) as i32 as f32
}

/// Taps of the output pixels `start..start + count` when `from` source pixels become `to`.
fn taps(from: u64, to: u64, start: u64, count: u64) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let widen = scale.max(1.0);
    let one = |i: u64| {
        let centre = (i as f64 + 0.5) * scale;
        let low = (centre - 2.0 * widen + 0.5).max(0.0) as u64;
        let high = ((centre + 2.0 * widen + 0.5) as u64).min(from);
        let raw: Vec<f64> = (low..high).map(|x| cubic((x as f64 + 0.5 - centre) / widen)).collect();
        let sum: f64 = raw.iter().sum();
        (low as usize, raw.iter().map(|w| (w / sum) as f32).collect())
    };
    (start..start + count).map(one).collect()
}

/// Keys' cubic with a = -0.5, as in Pillow and Catmull–Rom splines.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_the_right_size_is_only_cropped() {
        let picture = RgbImage::from_fn(256, 256, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let out = cropped(&picture);
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
            let got = resample(&source, &all(97, want.width()), &all(61, want.height()));
            let off: Vec<f32> = got.iter().zip(want.as_raw()).map(|(g, &w)| (g - f32::from(w)).abs()).collect();
            assert_eq!(got.len(), want.as_raw().len());
            assert!(off.iter().all(|&d| d <= 1.0));
            assert!(off.iter().sum::<f32>() / (off.len() as f32) < 0.02);
        }
    }

    #[test]
    fn one_colour_stays_one_colour_at_any_size() {
        for (w, h) in [(1, 1), (1, 30_000), (30_000, 1), (3, 2), (777, 1234), (256, 300), (0, 5)] {
            let out = cropped(&RgbImage::from_pixel(w, h, image::Rgb([10, 200, 255])));
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
        let out = cropped(&picture);
        for x in 0..SIDE {
            assert!((out[(100 * SIDE + x) * 3] - (x + 16) as f32).abs() <= 1.0);
        }
    }
}
