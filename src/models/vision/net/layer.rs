//! One inverted residual: expand (in the first layer the stem's 3 x 3 convolution), convolve each channel, project.
//!
//! Expanded rows are made two blocks of channels at a time and convolved at once; where a picture is too large for the cache, a band of
//! rows at a time, and rows that the next band needs too are kept. Unsafe because tiles must exist. Invariant: every pixel of a row is
//! made once.
#![allow(unsafe_code)]

use std::ops::Range;

use super::{BLOCK, Dense, Finish, Sheet, Source, Step, TOGETHER, Taps, Target, View, Weights, product::product};
#[cfg(target_arch = "x86_64")]
use super::{Tiles, split::Halves};
use crate::vectors::Level;

/// Expanded values that are kept at a time when a picture does not go through whole: a part of a usual second-level cache.
const BAND_VALUES: usize = 96 * 1024;
/// A picture of at most this side goes through whole.
const WHOLE: usize = 32;
/// Layers with at most this many pixels take several pictures at once.
const SMALL: usize = 100;

/// What one inverted residual is made of, as the weight file has it.
pub(in crate::models::vision) struct Shape {
    /// Side of the square input in pixels.
    pub(in crate::models::vision) size: usize,
    /// Side of the depthwise kernel: 3 or 5.
    pub(in crate::models::vision) kernel: usize,
    /// 1 or 2.
    pub(in crate::models::vision) stride: usize,
    /// Zeros before the first row and column.
    pub(in crate::models::vision) before: usize,
    /// Zeros after the last.
    pub(in crate::models::vision) after: usize,
    /// Whether the input is added to the output.
    pub(in crate::models::vision) residual: bool,
    /// Whether the stem takes the place of the expansion.
    pub(in crate::models::vision) stem: bool,
    /// The level that its weights are packed for.
    pub(in crate::models::vision) level: Level,
}

/// An inverted residual.
pub(in crate::models::vision) struct Layer {
    pub(super) shape: Shape,
    expand: Dense,
    taps: Taps,
    project: Dense,
    /// Rows of output made at a time.
    band: usize,
    /// Rows of expanded input that are kept.
    slots: usize,
    /// Where each pixel of a picture lies among the kept ones, in pixels; for as many pictures as go through at once.
    places: Vec<u32>,
}

/// Memory that a layer needs, kept from one to the next.
#[derive(Default)]
pub(super) struct Scratch {
    /// Expanded rows with their borders: blocks of channels, each with `slots` rows for each picture.
    wide: Vec<f32>,
    /// Convolved rows of a band.
    mid: Vec<f32>,
    zeros: Vec<f32>,
    #[cfg(target_arch = "x86_64")]
    narrow_halves: Halves,
    #[cfg(target_arch = "x86_64")]
    mid_halves: Halves,
}

/// Rows worked on: of the output, and of the expanded input those that are new.
struct Band {
    pictures: usize,
    first: usize,
    rows: usize,
    new: Range<usize>,
}

impl Shape {
    fn out_size(&self) -> usize {
        (self.size + self.before + self.after - self.kernel) / self.stride + 1
    }

    /// Pixels of the output.
    pub(super) fn out_pixels(&self) -> usize {
        self.out_size() * self.out_size()
    }

    /// Side of the input with its border.
    fn padded(&self) -> usize {
        self.before + self.size + self.after
    }
}

impl Layer {
    /// Puts a layer together.
    pub(in crate::models::vision) fn new(shape: Shape, expand: Dense, taps: Taps, project: Dense) -> Self {
        let row = shape.padded() * expand.blocks * BLOCK;
        let out = shape.out_size();
        let whole = shape.size <= WHOLE;
        let fitting = (BAND_VALUES / row).saturating_sub(shape.kernel) / shape.stride + 1;
        let band = if whole { out } else { fitting.clamp(1, out) };
        let slots = if whole { shape.size } else { ((band - 1) * shape.stride + shape.kernel).min(shape.size) };
        let together = if shape.size * shape.size <= SMALL { TOGETHER } else { 1 };
        let (size, padded, before) = (shape.size, shape.padded(), shape.before);
        let place = |i: usize| {
            let (picture, y, x) = (i / size / size, i / size % size, i % size);
            ((picture * slots + y % slots) * padded + before + x) as u32
        };
        let places = (0..together * size * size).map(place).collect();
        Self { shape, expand, taps, project, band, slots, places }
    }

    /// Whether several pictures go through at once.
    pub(super) fn is_small(&self) -> bool {
        self.places.len() > self.shape.size * self.shape.size
    }

    /// Channels of the output, padded to whole blocks.
    pub(super) fn channels(&self) -> usize {
        self.project.blocks * BLOCK
    }

    /// Whether all rows are kept, of two blocks of channels at a time; else some rows of all channels are.
    fn is_whole(&self) -> bool {
        self.slots == self.shape.size
    }

    /// Values of one block of kept rows.
    fn kept(&self, pictures: usize) -> usize {
        pictures * self.slots * self.shape.padded() * BLOCK
    }

    /// Runs over the pictures in `from` (the stem: one picture with its border, whose side is `pixels`) and writes theirs to `to` from
    /// pixel `at` on.
    pub(super) fn run(&self, from: View<'_>, to: &mut Sheet, at: usize, scratch: &mut Scratch) {
        let (shape, out_size) = (&self.shape, self.shape.out_size());
        let pixels = shape.size * shape.size;
        let pictures = if shape.stem { 1 } else { from.pixels / pixels };
        assert!(shape.stem || from.pixels == pictures * pixels);
        assert!(pictures == 1 || (self.is_whole() && pictures * pixels <= self.places.len()));
        scratch.reset(self, pictures);
        let mut made = 0;
        for first in (0..out_size).step_by(self.band) {
            let rows = self.band.min(out_size - first);
            let need = ((first + rows - 1) * shape.stride + shape.kernel).saturating_sub(shape.before).min(shape.size);
            let band = Band { pictures, first, rows, new: made..need.max(made) };
            if self.expand.is_split() {
                let (first, count) = self.new_pixels(&band);
                scratch.split(from, first, count, self.expand.inner);
            }
            #[cfg(target_arch = "x86_64")]
            if self.project.is_split() {
                scratch.mid_halves.reset(self.project.inner, pictures * rows * out_size);
            }
            for pair in (0..self.expand.blocks).step_by(2) {
                let blocks = (pair, 2.min(self.expand.blocks - pair));
                self.widen(from, &band, blocks, scratch);
                self.convolve(&band, blocks, scratch);
            }
            made = band.new.end;
            let start = first * out_size;
            let target = &mut Target {
                values: &mut to.values[(at + start) * BLOCK..],
                between_blocks: to.pixels * BLOCK,
                places: None,
                finish: if shape.residual {
                    Finish::Add(&from.values[start * BLOCK..], from.pixels * BLOCK)
                } else {
                    Finish::Plain
                },
            };
            scratch.project(shape.level, &self.project, pictures * rows * out_size, target);
        }
    }

    /// First pixel, and number, of a band's new input.
    fn new_pixels(&self, band: &Band) -> (usize, usize) {
        let size = self.shape.size;
        (band.new.start * size, band.pictures * band.new.len() * size)
    }

    /// Makes the new expanded rows of some blocks.
    fn widen(&self, from: View<'_>, band: &Band, blocks: (usize, usize), scratch: &mut Scratch) {
        let (level, size, between_blocks) = (self.shape.level, self.shape.size, self.kept(band.pictures));
        let mut wide = std::mem::take(&mut scratch.wide);
        let values = &mut wide[if self.is_whole() { 0 } else { blocks.0 * between_blocks }..];
        if let (true, Weights::Single(panels)) = (self.shape.stem, &self.expand.weights) {
            let side = from.pixels;
            for y in band.new.clone() {
                let values_from = &from.values[2 * y * side * 3..];
                let source = Source { values: values_from, step: Step::Stem, between_runs: side * 3, pixels: size };
                let places = Some(&self.places[y * size..]);
                let target = &mut Target { values, between_blocks, places, finish: Finish::Relu6 };
                product(level, panels, blocks, source, target);
            }
        } else {
            let (first, count) = self.new_pixels(band);
            let places = Some(&self.places[first..]);
            let target = &mut Target { values, between_blocks, places, finish: Finish::Relu6 };
            scratch.narrow(level, &self.expand, (blocks, (from, first, count)), target);
        }
        scratch.wide = wide;
    }

    /// Convolves some blocks of a band.
    fn convolve(&self, band: &Band, (first, count): (usize, usize), scratch: &mut Scratch) {
        let (shape, out) = (&self.shape, self.shape.out_size() * BLOCK);
        let row = shape.padded() * BLOCK;
        let kept = self.kept(band.pictures);
        let mid_block = band.pictures * band.rows * out;
        for block in first..first + count {
            let wide = &scratch.wide[if self.is_whole() { block - first } else { block } * kept..][..kept];
            for line in 0..band.pictures * band.rows {
                let (picture, y) = (line / band.rows, (band.first + line % band.rows) * shape.stride);
                let mut rows: [&[f32]; 5] = [&[]; 5];
                for (ky, line) in rows[..shape.kernel].iter_mut().enumerate() {
                    let inside = (y + ky).checked_sub(shape.before).filter(|&y| y < shape.size);
                    let slot = |y: usize| (picture * self.slots + y % self.slots) * row;
                    *line = inside.map_or(&scratch.zeros[..row], |y| &wide[slot(y)..][..row]);
                }
                let rows = &rows[..shape.kernel];
                #[cfg(target_arch = "x86_64")]
                if self.project.is_split() {
                    let made = &mut scratch.mid[..out];
                    self.taps.row(shape.level, block, rows, made);
                    scratch.mid_halves.put(block, line * out / BLOCK, made);
                    continue;
                }
                let made = &mut scratch.mid[block * mid_block + line * out..][..out];
                self.taps.row(shape.level, block, rows, made);
            }
        }
    }
}

impl Scratch {
    /// Room for a layer, with zeros around the kept rows.
    fn reset(&mut self, layer: &Layer, pictures: usize) {
        let (shape, out) = (&layer.shape, layer.shape.out_size());
        let blocks = if layer.is_whole() { 2 } else { layer.expand.blocks };
        let grow = |values: &mut Vec<f32>, length: usize| values.resize(values.len().max(length), 0.0);
        let length = blocks * layer.kept(pictures);
        grow(&mut self.wide, length);
        let row = shape.padded() * BLOCK;
        for row in self.wide[..length].chunks_exact_mut(row) {
            row[..shape.before * BLOCK].fill(0.0);
            row[(shape.before + shape.size) * BLOCK..].fill(0.0);
        }
        grow(&mut self.zeros, row);
        if layer.project.is_split() {
            grow(&mut self.mid, out * BLOCK);
        } else {
            grow(&mut self.mid, layer.expand.blocks * pictures * layer.band * out * BLOCK);
        }
    }

    /// Splits `count` pixels of `from` from `first` on, for [`Scratch::narrow`].
    pub(super) fn split(&mut self, from: View<'_>, first: usize, count: usize, channels: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            self.narrow_halves.reset(channels, count);
            self.narrow_halves.take(from, first, channels.div_ceil(BLOCK));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (from, first, count, channels);
    }

    /// The product of `count` pixels of `from` from `first` on, which were split where the weights are.
    pub(super) fn narrow(
        &self,
        level: Level,
        dense: &Dense,
        (blocks, (from, first, pixels)): ((usize, usize), (View<'_>, usize, usize)),
        target: &mut Target<'_>,
    ) {
        match &dense.weights {
            Weights::Single(panels) => {
                let values = &from.values[(first * BLOCK).min(from.values.len())..];
                let source = Source { values, step: Step::Block, between_runs: from.pixels * BLOCK, pixels };
                product(level, panels, blocks, source, target);
            }
            #[cfg(target_arch = "x86_64")]
            Weights::Split(split) => {
                // SAFETY: weights are split only where the level has tiles.
                let tiles = unsafe { Tiles::new() };
                split.product(blocks, &self.narrow_halves, &tiles, target);
            }
        }
    }

    /// The product of the convolved pixels.
    fn project(&mut self, level: Level, dense: &Dense, pixels: usize, target: &mut Target<'_>) {
        match &dense.weights {
            Weights::Single(panels) => {
                let source = Source { values: &self.mid, step: Step::Block, between_runs: pixels * BLOCK, pixels };
                product(level, panels, (0, dense.blocks), source, target);
            }
            #[cfg(target_arch = "x86_64")]
            Weights::Split(split) => {
                self.mid_halves.pad(dense.inner.div_ceil(BLOCK));
                // SAFETY: weights are split only where the level has tiles.
                let tiles = unsafe { Tiles::new() };
                split.product((0, dense.blocks), &self.mid_halves, &tiles, target);
            }
        }
    }
}
