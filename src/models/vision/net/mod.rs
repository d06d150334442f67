//! EfficientNet-Lite0's layers as they are run: packed weights, and one pass over a few pictures at a time.
//!
//! Activations lie in blocks of [`BLOCK`] channels, pixel after pixel within a block. An inverted residual is worked through by bands
//! of rows: a few expanded channels at a time are made, convolved and forgotten while they are in the cache. Large pictures go through
//! alone, the last small layers take several at once, so that their weights are fetched once for all. Invariant: what a picture gives
//! is bit by bit the same alone and among others, on any number of threads, at one level.

mod depthwise;
mod lanes;
mod product;
#[cfg(test)]
mod tests;

use self::product::{Finish, Source, Step, Target, product};
pub(super) use self::{depthwise::Taps, product::Panels};
use crate::vectors::Level;

/// Channels that lie side by side.
pub(super) const BLOCK: usize = 16;
/// Pictures that go through the last layers together.
pub(super) const TOGETHER: usize = 4;
/// Values of expanded rows that are kept at a time when a picture does not go through whole: half a usual second-level cache.
const BAND_VALUES: usize = 96 * 1024;
/// Layers with at most this many pixels take several pictures at once.
const SMALL: usize = 100;

/// What one inverted residual is made of, as the weight file has it.
pub(super) struct Shape {
    /// Side of the square input in pixels.
    pub(super) size: usize,
    /// Side of the depthwise kernel: 3 or 5.
    pub(super) kernel: usize,
    /// 1 or 2.
    pub(super) stride: usize,
    /// Zeros before the first row and column.
    pub(super) before: usize,
    /// Zeros after the last.
    pub(super) after: usize,
    /// Whether the input is added to the output.
    pub(super) residual: bool,
}

/// An inverted residual: expand (or, in the first, the stem), convolve each channel, project.
pub(super) struct Layer {
    shape: Shape,
    step: Step,
    expand: Panels,
    taps: Taps,
    project: Panels,
    /// Rows of output made at a time.
    band: usize,
    /// Rows of expanded input that are kept.
    slots: usize,
    /// Where each pixel of a picture lies among the kept ones, in pixels; for as many pictures as go through at once.
    places: Vec<u32>,
}

/// Activations of some pictures: blocks of channels, each with all pixels of all pictures.
#[derive(Default)]
pub(super) struct Sheet {
    values: Vec<f32>,
    pixels: usize,
}

/// Memory that a pass needs, kept from one to the next.
#[derive(Default)]
pub(super) struct Scratch {
    /// Expanded rows with their borders: blocks of channels, each with `slots` rows for each picture.
    wide: Vec<f32>,
    /// Convolved rows of a band.
    mid: Vec<f32>,
    zeros: Vec<f32>,
    sheets: [Sheet; 2],
}

/// The whole network, without the classes' names.
pub(super) struct Network {
    /// Side of the stem's input, its border included.
    side: usize,
    layers: Vec<Layer>,
    head: Panels,
    classifier: Panels,
    level: Level,
}

impl Shape {
    /// Side of the output in pixels.
    pub(super) fn out_size(&self) -> usize {
        (self.size + self.before + self.after - self.kernel) / self.stride + 1
    }

    /// Side of the input with its border.
    fn padded(&self) -> usize {
        self.before + self.size + self.after
    }
}

impl Layer {
    /// Puts a layer together; `stem` says that `expand` is the stem's 3 x 3 convolution, on a picture of three colours.
    pub(super) fn new(shape: Shape, stem: bool, expand: Panels, taps: Taps, project: Panels) -> Self {
        let row = shape.padded() * expand.blocks() * BLOCK;
        let out = shape.out_size();
        let whole = shape.size <= 32;
        let fitting = (BAND_VALUES / row).saturating_sub(shape.kernel) / shape.stride + 1;
        let band = if whole { out } else { fitting.clamp(1, out) };
        let slots = if whole { shape.size } else { ((band - 1) * shape.stride + shape.kernel).min(shape.size) };
        let together = if shape.size * shape.size <= SMALL { TOGETHER } else { 1 };
        let place = |picture: usize, y: usize, x: usize| {
            ((picture * slots + y % slots) * shape.padded() + shape.before + x) as u32
        };
        let places = (0..together)
            .flat_map(|p| (0..shape.size * shape.size).map(move |i| (p, i)))
            .map(|(p, i)| place(p, i / shape.size, i % shape.size))
            .collect();
        let step = if stem { Step::Stem } else { Step::Block };
        Self { shape, step, expand, taps, project, band, slots, places }
    }

    /// Whether several pictures go through at once.
    fn is_small(&self) -> bool {
        self.places.len() > self.shape.size * self.shape.size
    }

    /// Runs over the pictures in `from` (the stem: one picture with its border) and writes theirs to `to` from pixel `at` on.
    fn run(&self, level: Level, from: &Sheet, to: &mut Sheet, at: usize, scratch: &mut Scratch) {
        let (shape, out_size) = (&self.shape, self.shape.out_size());
        let pixels = shape.size * shape.size;
        let pictures = if self.step == Step::Stem { 1 } else { from.pixels / pixels };
        let whole = self.slots == shape.size;
        assert!(self.step == Step::Stem || from.pixels == pictures * pixels);
        assert!(pictures == 1 || (whole && pictures * pixels <= self.places.len()));
        let row = shape.padded() * BLOCK;
        let block = pictures * self.slots * row;
        let kept = if whole { 2 } else { self.expand.blocks() };
        // Borders stay zero, since only pixels inside them are written.
        scratch.wide.clear();
        scratch.wide.resize(kept * block, 0.0);
        scratch.zeros.resize(scratch.zeros.len().max(row), 0.0);
        let mid_pixels = pictures * self.band * out_size;
        let mid_block = mid_pixels * BLOCK;
        scratch.mid.resize(scratch.mid.len().max(self.expand.blocks() * mid_block), 0.0);
        let mut made = 0;
        for first in (0..out_size).step_by(self.band) {
            let band = self.band.min(out_size - first);
            let need = ((first + band - 1) * shape.stride + shape.kernel).saturating_sub(shape.before).min(shape.size);
            for pair in (0..self.expand.blocks()).step_by(2) {
                let count = 2.min(self.expand.blocks() - pair);
                let wide = &mut scratch.wide[if whole { 0 } else { pair * block }..][..count * block];
                self.widen(level, from, (pair, count), made..need, block, wide);
                for b in 0..count {
                    let mid = &mut scratch.mid[(pair + b) * mid_block..][..mid_block];
                    for (place, out) in mid.chunks_exact_mut(out_size * BLOCK).take(pictures * band).enumerate() {
                        let (picture, y) = (place / band, (first + place % band) * shape.stride);
                        let mut rows: [&[f32]; 5] = [&[]; 5];
                        for (ky, line) in rows[..shape.kernel].iter_mut().enumerate() {
                            let inside = (y + ky).checked_sub(shape.before).filter(|&y| y < shape.size);
                            let slot = |y: usize| b * self.slots * pictures + picture * self.slots + y % self.slots;
                            *line = inside.map_or(&scratch.zeros[..row], |y| &wide[slot(y) * row..][..row]);
                        }
                        self.taps.row(level, pair + b, &rows[..shape.kernel], out);
                    }
                }
            }
            made = need;
            let source = Source {
                values: &scratch.mid,
                step: Step::Block,
                between_runs: mid_block,
                pixels: pictures * band * out_size,
            };
            let start = at + first * out_size;
            let target = &mut Target {
                values: &mut to.values[start * BLOCK..],
                between_blocks: to.pixels * BLOCK,
                places: None,
            };
            let finish = if shape.residual {
                Finish::Add(&from.values[first * out_size * BLOCK..], from.pixels * BLOCK)
            } else {
                Finish::Plain
            };
            product(level, &self.project, (0, self.project.blocks()), source, target, finish);
        }
    }

    /// Makes the expanded rows `rows` of some blocks.
    fn widen(
        &self,
        level: Level,
        from: &Sheet,
        blocks: (usize, usize),
        rows: std::ops::Range<usize>,
        between_blocks: usize,
        values: &mut [f32],
    ) {
        let size = self.shape.size;
        if self.step == Step::Stem {
            let side = from.pixels;
            for y in rows {
                let source = Source {
                    values: &from.values[2 * y * side * 3..],
                    step: Step::Stem,
                    between_runs: side * 3,
                    pixels: size,
                };
                let places = Some(&self.places[y * size..]);
                let target = &mut Target { values: &mut *values, between_blocks, places };
                product(level, &self.expand, blocks, source, target, Finish::Relu6);
            }
        } else {
            let pixels = if self.is_small() { from.pixels } else { rows.len() * size };
            let first = rows.start * size;
            let source = Source {
                values: &from.values[first * BLOCK..],
                step: Step::Block,
                between_runs: from.pixels * BLOCK,
                pixels,
            };
            let target = &mut Target { values, between_blocks, places: Some(&self.places[first..]) };
            product(level, &self.expand, blocks, source, target, Finish::Relu6);
        }
    }
}

impl Sheet {
    fn reset(&mut self, channels: usize, pixels: usize) {
        self.pixels = pixels;
        self.values.resize(channels.div_ceil(BLOCK) * BLOCK * pixels, 0.0);
    }
}

impl Network {
    /// Puts the network together; `side` is that of the stem's input with its border. The layers must follow from one another.
    pub(super) fn new(side: usize, layers: Vec<Layer>, head: Panels, classifier: Panels, level: Level) -> Self {
        Self { side, layers, head, classifier, level }
    }

    /// Side of a picture with its border.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// Features and logits of at most [`TOGETHER`] pictures, each with the stem's border. Runs on the calling thread.
    pub(super) fn run(&self, pictures: &[Vec<f32>], scratch: &mut Scratch) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let small = self.layers.iter().position(Layer::is_small).unwrap_or(self.layers.len());
        let pixels = self.layers.last().map_or(0, |l| l.shape.out_size() * l.shape.out_size());
        let mut joined = Sheet::default();
        let [mut from, mut to] = std::mem::take(&mut scratch.sheets);
        let enter = self.layers[..small].last().map_or(0, |l| l.shape.out_size() * l.shape.out_size());
        let channels = |layer: &Layer| layer.project.blocks() * BLOCK;
        joined.reset(self.layers[..small].last().map_or(0, channels), enter * pictures.len());
        for (i, picture) in pictures.iter().enumerate() {
            let mut input = Sheet { values: picture.clone(), pixels: self.side };
            for (index, layer) in self.layers[..small].iter().enumerate() {
                let source = if index == 0 { &input } else { &from };
                if index + 1 == small {
                    layer.run(self.level, source, &mut joined, i * enter, scratch);
                } else {
                    to.reset(channels(layer), layer.shape.out_size() * layer.shape.out_size());
                    layer.run(self.level, source, &mut to, 0, scratch);
                    std::mem::swap(&mut from, &mut to);
                }
            }
            input.values.clear();
        }
        std::mem::swap(&mut from, &mut joined);
        for layer in &self.layers[small..] {
            to.reset(channels(layer), layer.shape.out_size() * layer.shape.out_size() * pictures.len());
            layer.run(self.level, &from, &mut to, 0, scratch);
            std::mem::swap(&mut from, &mut to);
        }
        let features = self.pooled(&from, pixels, pictures.len());
        scratch.sheets = [from, to];
        let logits = self.logits(&features, pictures.len());
        (features.chunks_exact(self.classifier.inner).map(<[f32]>::to_vec).collect(), logits)
    }

    /// The head's values, their mean over each picture; picture after picture.
    fn pooled(&self, from: &Sheet, pixels: usize, pictures: usize) -> Vec<f32> {
        let width = self.head.blocks() * BLOCK;
        let mut features = vec![0f32; pictures * width];
        let mut places = vec![0f32; 2 * from.pixels * BLOCK];
        for pair in (0..self.head.blocks()).step_by(2) {
            let count = 2.min(self.head.blocks() - pair);
            let source = Source {
                values: &from.values,
                step: Step::Block,
                between_runs: from.pixels * BLOCK,
                pixels: from.pixels,
            };
            let target = &mut Target { values: &mut places, between_blocks: from.pixels * BLOCK, places: None };
            product(self.level, &self.head, (pair, count), source, target, Finish::Relu6);
            for (i, picture) in places.chunks_exact(pixels * BLOCK).take(count * pictures).enumerate() {
                let out = &mut features[i % pictures * width + (pair + i / pictures) * BLOCK..][..BLOCK];
                for place in picture.as_chunks::<BLOCK>().0 {
                    out.iter_mut().zip(place).for_each(|(o, x)| *o += x);
                }
                out.iter_mut().for_each(|o| *o /= pixels as f32);
            }
        }
        features
    }

    fn logits(&self, features: &[f32], pictures: usize) -> Vec<Vec<f32>> {
        // Blocks of channels, as every product reads them.
        let width = self.classifier.inner;
        let mut blocks = vec![0f32; features.len()];
        for (i, block) in blocks.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            block.copy_from_slice(&features[i % pictures * width + i / pictures * BLOCK..][..BLOCK]);
        }
        let between = pictures * BLOCK;
        let mut out = vec![0f32; self.classifier.blocks() * between];
        let source = Source { values: &blocks, step: Step::Block, between_runs: between, pixels: pictures };
        let target = &mut Target { values: &mut out, between_blocks: between, places: None };
        product(self.level, &self.classifier, (0, self.classifier.blocks()), source, target, Finish::Plain);
        let one = |p: usize| out.chunks_exact(between).flat_map(|b| b[p * BLOCK..][..BLOCK].to_vec()).collect();
        (0..pictures).map(one).collect()
    }
}
