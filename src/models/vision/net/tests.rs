//! Kernels and layers against sums in `f64`, at every level of this machine.

use rand::{Rng, SeedableRng};

use super::{depthwise::Taps, product::*, *};

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
        for (pixels, outer, inner) in [(1, 1, 1), (29, 24, 27), (14, 40, 16), (49, 130, 300), (12, 48, 24)] {
            let (x, matrix) = (random(inner.div_ceil(BLOCK) * BLOCK * pixels, 1), random(outer * inner, 2));
            let bias = random(outer, 3);
            let panels = Panels::new(&matrix, &bias);
            let length = panels.blocks() * BLOCK * pixels;
            let add = random(length, 4);
            let source = Source { values: &x, step: Step::Block, between_runs: pixels * BLOCK, pixels };
            for finish in [Finish::Relu6, Finish::Plain, Finish::Add(&add, pixels * BLOCK)] {
                let mut out = vec![9f32; length];
                let target = &mut Target { values: &mut out, between_blocks: pixels * BLOCK, places: None };
                product(level, &panels, (0, panels.blocks()), source, target, finish);
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
                    let alone = Source { values: &x[p * BLOCK..], pixels: 1, ..source };
                    let mut one = vec![9f32; length];
                    let target = &mut Target { values: &mut one, between_blocks: pixels * BLOCK, places: None };
                    let finish = match finish {
                        Finish::Add(add, between) => Finish::Add(&add[p * BLOCK..], between),
                        other => other,
                    };
                    product(level, &panels, (0, panels.blocks()), alone, target, finish);
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
        let (c, side) = (self.expand.1.len(), shape.out_size());
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
        let taps = Taps::new(&self.taps.0, &self.taps.1, shape.kernel, shape.stride);
        let panels = |(matrix, bias): &(Vec<f32>, Vec<f32>)| Panels::new(matrix, bias);
        Layer::new(shape, false, panels(&self.expand), taps, panels(&self.project))
    }
}

#[test]
fn a_layer_is_its_three_convolutions() {
    for (size, channels, kernel, stride, before, after, residual) in [
        (7, [24, 48, 24], 3, 1, 1, 1, true),
        (7, [16, 32, 40], 5, 1, 2, 2, false),
        (14, [16, 48, 24], 5, 2, 1, 2, false),
        (40, [16, 96, 16], 3, 2, 0, 1, false),
        (45, [24, 144, 24], 5, 1, 2, 2, true),
        (36, [16, 672, 16], 3, 1, 1, 1, true),
    ] {
        let reference = Reference::random(size, channels, kernel);
        let shape = || Shape { size, kernel, stride, before, after, residual };
        let layer = reference.layer(shape());
        let pixels = size * size;
        let [inner, _, outer] = channels;
        let pictures = if layer.is_small() { 3 } else { 1 };
        let x: Vec<Vec<f32>> = (0..pictures).map(|p| random(inner * pixels, 7 + p as u64)).collect();
        let sheet = |of: &[Vec<f32>]| {
            let mut sheet = Sheet::default();
            sheet.reset(inner, pixels * of.len());
            for (i, x) in of.concat().iter().enumerate() {
                sheet.values[at(i % inner, i / inner, pixels * of.len())] = *x;
            }
            sheet
        };
        let out_pixels = layer.shape.out_size() * layer.shape.out_size();
        for level in Level::available() {
            let scratch = &mut Scratch::default();
            let mut out = Sheet::default();
            out.reset(outer, out_pixels * x.len());
            layer.run(level, &sheet(&x), &mut out, 0, scratch);
            for (p, x) in x.iter().enumerate() {
                let want = reference.run(&x.iter().copied().map(f64::from).collect::<Vec<_>>(), &layer.shape);
                let mut alone = Sheet::default();
                alone.reset(outer, out_pixels + 5);
                layer.run(level, &sheet(std::slice::from_ref(x)), &mut alone, 5, scratch);
                for (i, want) in want.iter().enumerate() {
                    let (c, pixel) = (i % outer, i / outer);
                    let got = out.values[at(c, p * out_pixels + pixel, out.pixels)];
                    assert!((f64::from(got) - want).abs() < 1e-3, "{level:?} {size} {channels:?}: {got} {want}");
                    assert_eq!(got.to_bits(), alone.values[at(c, pixel + 5, alone.pixels)].to_bits(), "{level:?}");
                }
            }
        }
    }
}
