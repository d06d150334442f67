//! Kernels and layers against sums in `f64`, at every level of this machine.

use rand::{Rng, SeedableRng};

use super::*;

fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Value `channel` of `pixel` in blocks with `pixels` pixels each.
fn at(channel: usize, pixel: usize, pixels: usize) -> usize {
    (channel / BLOCK * pixels + pixel) * BLOCK + channel % BLOCK
}

#[test]
fn product_is_the_sum_of_products() {
    for level in Level::available() {
        for (pixels, outer, inner) in
            [(1, 1, 1_usize), (29, 24, 27), (14, 40, 16), (49, 130, 300), (12, 72, 80), (77, 240, 112)]
        {
            let (x, matrix) = (random(inner.div_ceil(BLOCK) * BLOCK * pixels, 1), random(outer * inner, 2));
            let bias = random(outer, 3);
            let dense = Dense::new(&matrix, &bias, level);
            let length = dense.blocks * BLOCK * pixels;
            let add = random(length, 4);
            let from = View { values: &x, pixels };
            let run = |first: usize, count: usize, finish: Finish<'_>| {
                let mut out = vec![9f32; length];
                let target = &mut Target { values: &mut out, between_blocks: pixels * BLOCK, places: None, finish };
                let mut scratch = layer::Scratch::default();
                scratch.split(from, first, count, inner);
                scratch.narrow(level, &dense, ((0, dense.blocks), (from, first, count)), target);
                out
            };
            for finish in [Finish::Relu6, Finish::Plain, Finish::Add(&add, pixels * BLOCK)] {
                let out = run(0, pixels, finish);
                for (o, p) in (0..outer).flat_map(|o| (0..pixels).map(move |p| (o, p))) {
                    let dot = |k: usize| f64::from(x[at(k, p, pixels)]) * f64::from(matrix[o * inner + k]);
                    let sum = f64::from(bias[o]) + (0..inner).map(dot).sum::<f64>();
                    let want = match finish {
                        Finish::Relu6 => sum.clamp(0.0, 6.0),
                        Finish::Plain => sum,
                        Finish::Add(..) => sum + f64::from(add[at(o, p, pixels)]),
                    };
                    let got = f64::from(out[at(o, p, pixels)]);
                    assert!((got - want).abs() < 1e-4, "{level:?} {pixels} {outer} {inner}: {got} {want}");
                }
                // Alone, a pixel gives the same bits.
                for p in [0, pixels / 2, pixels - 1] {
                    let finish = match finish {
                        Finish::Add(add, between) => Finish::Add(&add[p * BLOCK..], between),
                        other => other,
                    };
                    let one = run(p, 1, finish);
                    let same = |o| one[at(o, 0, pixels)].to_bits() == out[at(o, p, pixels)].to_bits();
                    assert!((0..outer).all(same), "{level:?}");
                }
            }
        }
    }
}

/// One layer in `f64`: value of channel `c` at `pixel` of a picture whose channels are given.
struct Reference {
    size: usize,
    expand: (Vec<f32>, Vec<f32>),
    taps: (Vec<f32>, Vec<f32>),
    project: (Vec<f32>, Vec<f32>),
}

impl Reference {
    fn random(size: usize, channels: [usize; 3], kernel: usize) -> Self {
        let [inner, wide, outer] = channels;
        let small =
            |n: usize, seed: u64, scale: f32| random(n, seed).into_iter().map(|x| x * scale).collect::<Vec<_>>();
        Self {
            size,
            expand: (small(wide * inner, 1, 1.0), random(wide, 2)),
            taps: (small(wide * kernel * kernel, 3, 1.0), random(wide, 4)),
            project: (small(outer * wide, 5, 0.5), random(outer, 6)),
        }
    }

    fn dense(x: &[f64], (matrix, bias): &(Vec<f32>, Vec<f32>), relu: bool) -> Vec<f64> {
        let (outer, inner) = (bias.len(), matrix.len() / bias.len());
        let mut out = Vec::new();
        for x in x.chunks_exact(inner) {
            out.extend((0..outer).map(|o| {
                let dot = x.iter().zip(&matrix[o * inner..]).map(|(x, &w)| x * f64::from(w)).sum::<f64>();
                let sum = dot + f64::from(bias[o]);
                if relu { sum.clamp(0.0, 6.0) } else { sum }
            }));
        }
        out
    }

    /// Channels last.
    fn run(&self, x: &[f64], shape: &Shape) -> Vec<f64> {
        let wide = Self::dense(x, &self.expand, true);
        let c = self.expand.1.len();
        let side = shape.out_pixels().isqrt();
        let mut mid = vec![0f64; side * side * c];
        for (i, mid) in mid.iter_mut().enumerate() {
            let (oy, ox, ch) = (i / c / side, i / c % side, i % c);
            let mut sum = f64::from(self.taps.1[ch]);
            for (ky, kx) in (0..shape.kernel).flat_map(|y| (0..shape.kernel).map(move |x| (y, x))) {
                let y = (oy * shape.stride + ky).wrapping_sub(shape.before);
                let x = (ox * shape.stride + kx).wrapping_sub(shape.before);
                if y < self.size && x < self.size {
                    let tap = self.taps.0[(ch * shape.kernel + ky) * shape.kernel + kx];
                    sum += wide[(y * self.size + x) * c + ch] * f64::from(tap);
                }
            }
            *mid = sum.clamp(0.0, 6.0);
        }
        let mut out = Self::dense(&mid, &self.project, false);
        if shape.residual {
            out.iter_mut().zip(x).for_each(|(o, x)| *o += x);
        }
        out
    }

    fn layer(&self, shape: Shape) -> Layer {
        let level = shape.level;
        let taps = Taps::new(&self.taps.0, &self.taps.1, shape.kernel, shape.stride);
        let dense = |(matrix, bias): &(Vec<f32>, Vec<f32>)| Dense::new(matrix, bias, level);
        Layer::new(shape, dense(&self.expand), taps, dense(&self.project))
    }
}

#[test]
fn a_layer_is_its_three_convolutions() {
    for (size, channels, kernel, stride, before, after, residual) in [
        (7, [72, 144, 72], 3, 1, 1, 1, true),
        (7, [24, 96, 80], 5, 1, 2, 2, false),
        (7, [16, 32, 40], 5, 1, 2, 2, false),
        (14, [16, 48, 24], 5, 2, 1, 2, false),
        (40, [16, 96, 16], 3, 2, 0, 1, false),
        (45, [24, 144, 24], 5, 1, 2, 2, true),
        (36, [80, 240, 80], 3, 1, 1, 1, true),
    ] {
        let reference = Reference::random(size, channels, kernel);
        let pixels = size * size;
        let [inner, _, outer] = channels;
        let x: Vec<Vec<f32>> = (0..3).map(|p| random(inner * pixels, 7 + p)).collect();
        let sheet = |of: &[Vec<f32>]| {
            let mut sheet = Sheet::default();
            sheet.reset(inner, pixels * of.len());
            for (i, x) in of.concat().iter().enumerate() {
                sheet.values[at(i % inner, i / inner, pixels * of.len())] = *x;
            }
            sheet
        };
        for level in Level::available() {
            let stem = false;
            let layer = reference.layer(Shape { size, kernel, stride, before, after, residual, stem, level });
            let x = if layer.is_small() { &x[..] } else { &x[..1] };
            let out_pixels = layer.shape.out_pixels();
            let scratch = &mut layer::Scratch::default();
            let mut out = Sheet::default();
            out.reset(outer, out_pixels * x.len());
            layer.run(sheet(x).view(), &mut out, 0, scratch);
            for (p, x) in x.iter().enumerate() {
                let want = reference.run(&x.iter().copied().map(f64::from).collect::<Vec<_>>(), &layer.shape);
                let mut alone = Sheet::default();
                alone.reset(outer, out_pixels + 5);
                layer.run(sheet(std::slice::from_ref(x)).view(), &mut alone, 5, scratch);
                for (i, want) in want.iter().enumerate() {
                    let (c, pixel) = (i % outer, i / outer);
                    let got = out.values[at(c, p * out_pixels + pixel, out.pixels)];
                    let text = format!("{level:?} {size} {channels:?}: {got} {want}");
                    assert!((f64::from(got) - want).abs() < 1e-3, "{text}");
                    assert_eq!(got.to_bits(), alone.values[at(c, pixel + 5, alone.pixels)].to_bits(), "{text}");
                }
            }
        }
    }
}
