//! EfficientNet-Lite0's layers as they are run: packed weights, and one pass over a few pictures at a time.
//!
//! Activations lie in blocks of [`BLOCK`] channels, pixel after pixel within a block. An inverted residual is worked through by bands
//! of rows: a few expanded channels at a time are made, convolved and forgotten while they are in the cache. Large pictures go through
//! alone, the last small layers take several at once, so that their weights are fetched once for all. Invariant: what a picture gives
//! is bit by bit the same alone and among others, on any number of threads, at one level.

mod depthwise;
mod lanes;
mod layer;
mod product;
#[cfg(target_arch = "x86_64")]
mod split;
#[cfg(test)]
mod tests;

use self::product::{Panels, Source, Step};
pub(super) use self::{
    depthwise::Taps,
    layer::{Layer, Shape},
};
use crate::vectors::Level;
#[cfg(target_arch = "x86_64")]
use crate::vectors::amx::Tiles;

/// Channels that lie side by side.
pub(super) const BLOCK: usize = 16;
/// Pictures that go through the last layers together.
pub(super) const TOGETHER: usize = 4;

/// With fewer channels than this on either side, tiles gain nothing over single precision.
#[cfg(target_arch = "x86_64")]
const FEW: usize = 64;

/// A pointwise convolution (or the stem), packed for the level that runs it.
pub(super) struct Dense {
    weights: Weights,
    inner: usize,
    /// Blocks of output channels.
    blocks: usize,
}

enum Weights {
    Single(Panels),
    #[cfg(target_arch = "x86_64")]
    Split(split::Split),
}

/// Activations of some pictures: blocks of channels, each with all pixels of all pictures.
#[derive(Clone, Copy)]
struct View<'a> {
    values: &'a [f32],
    pixels: usize,
}

/// The same with its memory.
#[derive(Default)]
struct Sheet {
    values: Vec<f32>,
    pixels: usize,
}

/// Where results go: pixel `p` of block `b` to `b * between_blocks + place * BLOCK`.
struct Target<'a> {
    /// From the first block's first pixel on.
    values: &'a mut [f32],
    /// Values from one block of channels to the next.
    between_blocks: usize,
    /// The place of each pixel; `None` where they follow one another.
    places: Option<&'a [u32]>,
    finish: Finish<'a>,
}

/// What is done with a sum.
#[derive(Clone, Copy)]
enum Finish<'a> {
    /// Held between 0 and 6.
    Relu6,
    /// Nothing.
    Plain,
    /// A value for the same block (so many values apart) and pixel is added.
    Add(&'a [f32], usize),
}

/// Memory that a pass needs, kept from one to the next.
#[derive(Default)]
pub(super) struct Scratch {
    layer: layer::Scratch,
    sheets: [Sheet; 3],
}

/// The whole network, without the classes' names.
pub(super) struct Network {
    /// Side of the stem's input, its border included.
    side: usize,
    layers: Vec<Layer>,
    head: Dense,
    classifier: Dense,
    level: Level,
}

impl Dense {
    /// Packs a matrix [outer, inner] for products in single precision.
    pub(super) fn single(matrix: &[f32], bias: &[f32]) -> Self {
        let (inner, blocks) = (matrix.len() / bias.len(), bias.len().div_ceil(BLOCK));
        Self { weights: Weights::Single(Panels::new(matrix, bias)), inner, blocks }
    }

    /// Packs a matrix [outer, inner] for the level's quickest products.
    pub(super) fn new(matrix: &[f32], bias: &[f32], level: Level) -> Self {
        let mut packed = Self::single(matrix, bias);
        #[cfg(target_arch = "x86_64")]
        if level == Level::Amx && packed.inner.min(bias.len()) >= FEW {
            packed.weights = Weights::Split(split::Split::new(matrix, bias));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = level;
        packed
    }

    /// Whether its source is split into halves.
    fn is_split(&self) -> bool {
        !matches!(self.weights, Weights::Single(_))
    }
}

impl Sheet {
    fn reset(&mut self, channels: usize, pixels: usize) {
        self.pixels = pixels;
        let length = channels.div_ceil(BLOCK) * BLOCK * pixels;
        if self.values.len() < length {
            self.values.resize(length, 0.0);
        }
    }

    fn view(&self) -> View<'_> {
        View { values: &self.values, pixels: self.pixels }
    }
}

impl Target<'_> {
    /// Whether there is room for `count` blocks of `pixels` pixels, and as many values to add.
    fn check(&self, count: usize, pixels: usize) {
        if count == 0 || pixels == 0 {
            return;
        }
        let furthest = match self.places {
            Some(places) => {
                assert!(places.len() >= pixels);
                places[..pixels].iter().copied().max().unwrap_or(0) as usize
            }
            None => pixels - 1,
        };
        assert!(self.values.len() >= (count - 1) * self.between_blocks + (furthest + 1) * BLOCK);
        if let Finish::Add(values, between) = self.finish {
            assert!(values.len() >= (count - 1) * between + pixels * BLOCK);
        }
    }
}

impl Network {
    /// Puts the network together; `side` is that of the stem's input with its border. The layers must follow from one another, and be
    /// packed for `level`.
    pub(super) fn new(side: usize, layers: Vec<Layer>, head: Dense, classifier: Dense, level: Level) -> Self {
        Self { side, layers, head, classifier, level }
    }

    /// Features and logits of at most [`TOGETHER`] pictures, each with the stem's border. Runs on the calling thread.
    pub(super) fn run(&self, pictures: &[Vec<f32>], scratch: &mut Scratch) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let large = self.layers.iter().position(Layer::is_small).unwrap_or(self.layers.len());
        let (first, rest) = self.layers.split_at(large);
        let Scratch { layer: memory, sheets: [from, to, joined] } = scratch;
        let last = |layers: &[Layer]| layers.last().map_or((0, 0), |l| (l.channels(), l.shape.out_pixels()));
        let (channels, pixels) = last(first);
        joined.reset(channels, pixels * pictures.len());
        for (i, picture) in pictures.iter().enumerate() {
            for (index, layer) in first.iter().enumerate() {
                let source = if index == 0 { View { values: picture, pixels: self.side } } else { from.view() };
                if index + 1 == large {
                    layer.run(source, joined, i * pixels, memory);
                } else {
                    to.reset(layer.channels(), layer.shape.out_pixels());
                    layer.run(source, to, 0, memory);
                    std::mem::swap(from, to);
                }
            }
        }
        std::mem::swap(from, joined);
        for layer in rest {
            to.reset(layer.channels(), layer.shape.out_pixels() * pictures.len());
            layer.run(from.view(), to, 0, memory);
            std::mem::swap(from, to);
        }
        let features = self.pooled(from.view(), pictures.len(), memory);
        let logits = self.logits(&features, pictures.len());
        (features.chunks_exact(self.classifier.inner).map(<[f32]>::to_vec).collect(), logits)
    }

    /// The head's values, their mean over each picture; picture after picture.
    fn pooled(&self, from: View<'_>, pictures: usize, memory: &mut layer::Scratch) -> Vec<f32> {
        let (width, pixels) = (self.head.blocks * BLOCK, from.pixels / pictures.max(1));
        let mut features = vec![0f32; pictures * width];
        let mut places = vec![0f32; 2 * from.pixels * BLOCK];
        if self.head.is_split() {
            memory.split(from, 0, from.pixels, self.head.inner);
        }
        for pair in (0..self.head.blocks).step_by(2) {
            let count = 2.min(self.head.blocks - pair);
            let between_blocks = from.pixels * BLOCK;
            let target = &mut Target { values: &mut places, between_blocks, places: None, finish: Finish::Relu6 };
            memory.narrow(self.level, &self.head, ((pair, count), (from, 0, from.pixels)), target);
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
        let (width, blocks) = (self.classifier.inner, self.classifier.blocks);
        let mut values = vec![0f32; features.len()];
        for (i, block) in values.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            block.copy_from_slice(&features[i % pictures * width + i / pictures * BLOCK..][..BLOCK]);
        }
        let between_blocks = pictures * BLOCK;
        let mut out = vec![0f32; blocks * between_blocks];
        let target = &mut Target { values: &mut out, between_blocks, places: None, finish: Finish::Plain };
        let from = View { values: &values, pixels: pictures };
        layer::Scratch::default().narrow(self.level, &self.classifier, ((0, blocks), (from, 0, pictures)), target);
        let one = |p: usize| out.chunks_exact(between_blocks).flat_map(|b| b[p * BLOCK..][..BLOCK].to_vec()).collect();
        (0..pictures).map(one).collect()
    }
}
