//! EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946; the Lite variant has no squeeze-and-excitation and `ReLU6` for
//! swish), with batch normalisation already folded into the weights.
//!
//! Its layers run on kernels of their own. It decodes and caches nothing. Invariant: one picture's features depend on that picture alone.

use std::sync::Mutex;

use image::RgbImage;
use rayon::prelude::*;

use super::{
    net::{BLOCK, Dense, Layer, Network, Scratch, Shape, TOGETHER, Taps},
    prepare::{SIDE, prepare},
};
use crate::{
    models::{
        ModelError, Seen,
        weights::{Weights, bad},
    },
    vectors,
};

/// Values a feature vector.
pub(in crate::models) const FEATURES: usize = 1280;
/// ImageNet classes.
pub(in crate::models) const CLASSES: usize = 1000;
/// Classes kept of a picture: those that take part in a ConSE vector, and that an explanation lists.
const TOP: usize = 10;

/// The loaded network.
pub(in crate::models) struct Lite0 {
    network: Network,
    /// Zeros before the first row and column of a picture, and side with those and the ones after the last.
    border: (usize, usize),
    scratch: Mutex<Vec<Scratch>>,
    /// Class names, in the order of the logits.
    pub(in crate::models) classes: Vec<String>,
    /// Hash of the weight file.
    pub(in crate::models) hash: blake3::Hash,
    /// The same in words.
    hash_words: String,
}

#[derive(serde::Deserialize)]
struct Config {
    stem: StemConfig,
    blocks: Vec<BlockConfig>,
    head: HeadConfig,
}

#[derive(serde::Deserialize)]
struct StemConfig {
    out: usize,
    pad: [usize; 4],
}

#[derive(serde::Deserialize)]
struct BlockConfig {
    kernel: usize,
    stride: usize,
    r#in: usize,
    expand: usize,
    out: usize,
    residual: bool,
    input_size: usize,
    pad: [usize; 4],
}

#[derive(serde::Deserialize)]
struct HeadConfig {
    r#in: usize,
    input_size: usize,
}

impl Lite0 {
    /// Reads the network from its configuration (file name, bytes), weights and class names (one a line).
    pub(in crate::models) fn new(
        config: (&str, &[u8]),
        weights: &Weights<'_>,
        classes: &str,
        hash: blake3::Hash,
    ) -> Result<Self, ModelError> {
        let parsed: Config = serde_json::from_slice(config.1).map_err(|e| bad(config.0, e.to_string()))?;
        check(&parsed).map_err(|e| bad(config.0, e))?;
        let classes: Vec<String> = classes.lines().map(str::to_owned).collect();
        if classes.len() != CLASSES {
            return Err(bad(config.0, format!("{} class names where {CLASSES} were expected", classes.len())));
        }
        let layers = parsed.blocks.iter().enumerate().map(|(i, b)| layer(weights, i, b, parsed.stem.out));
        let [before, after, ..] = parsed.stem.pad;
        let side = before + SIDE + after;
        let classifier = weights.f32("classifier.weight", &[CLASSES, FEATURES])?;
        let network = Network::new(
            side,
            layers.collect::<Result<_, _>>()?,
            dense(weights, "head", parsed.head.r#in, FEATURES)?,
            Dense::single(&classifier, &weights.f32("classifier.bias", &[CLASSES])?),
            vectors::level(),
        );
        let hash_words = hash.to_hex().to_string();
        Ok(Self { network, border: (before, side), scratch: Mutex::default(), classes, hash, hash_words })
    }

    /// Hash of the weight file in words.
    pub(in crate::models) fn hash_words(&self) -> &str {
        &self.hash_words
    }

    /// Looks at pictures, spread over the threads.
    pub(in crate::models) fn look(&self, pictures: &[&RgbImage]) -> Vec<Seen> {
        let share = pictures.len().div_ceil(rayon::current_num_threads()).clamp(1, TOGETHER);
        pictures.par_chunks(share).with_max_len(1).flat_map_iter(|some| self.look_at_few(some)).collect()
    }

    /// Looks at up to [`TOGETHER`] pictures. Runs on the calling thread.
    fn look_at_few(&self, pictures: &[&RgbImage]) -> Vec<Seen> {
        let (before, side) = self.border;
        let inputs: Vec<Vec<f32>> = pictures.iter().map(|picture| prepare(picture, before, side)).collect();
        let kept = self.scratch.lock().ok().and_then(|mut kept| kept.pop());
        let mut scratch = kept.unwrap_or_default();
        let (features, logits) = self.network.run(&inputs, &mut scratch);
        if let Ok(mut kept) = self.scratch.lock() {
            kept.push(scratch);
        }
        let seen = |(features, mut logits): (Vec<f32>, Vec<f32>)| {
            logits.truncate(CLASSES);
            softmax(&mut logits);
            Seen { features, likeliest: likeliest(&logits, TOP) }
        };
        features.into_iter().zip(logits).map(seen).collect()
    }
}

/// A pointwise convolution.
fn dense(weights: &Weights<'_>, name: &str, inner: usize, outer: usize) -> Result<Dense, ModelError> {
    let matrix = weights.f32(&format!("{name}.weight"), &[outer, inner])?;
    Ok(Dense::new(&matrix, &weights.f32(&format!("{name}.bias"), &[outer])?, vectors::level()))
}

/// One inverted residual. The first has no expansion of its own: the stem takes that place.
fn layer(weights: &Weights<'_>, index: usize, c: &BlockConfig, stem_out: usize) -> Result<Layer, ModelError> {
    let name = |part: &str| format!("blocks.{index}.{part}");
    let first = index == 0;
    let expand = if first { stem(weights, stem_out)? } else { dense(weights, &name("expand"), c.r#in, c.expand)? };
    let raw = weights.f32(&name("depthwise.weight"), &[c.expand, c.kernel, c.kernel])?;
    let taps = Taps::new(&raw, &weights.f32(&name("depthwise.bias"), &[c.expand])?, c.kernel, c.stride);
    let project = dense(weights, &name("project"), c.expand, c.out)?;
    let [before, after, ..] = c.pad;
    let (size, kernel, stride, residual) = (c.input_size, c.kernel, c.stride, c.residual);
    let shape = Shape { size, kernel, stride, before, after, residual, stem: first, level: vectors::level() };
    Ok(Layer::new(shape, expand, taps, project))
}

/// The stem's weights [out, 3 colours, 3, 3] in the order of a picture's values: row, column, colour.
fn stem(weights: &Weights<'_>, out: usize) -> Result<Dense, ModelError> {
    let raw = weights.f32("stem.weight", &[out, 3, 3, 3])?;
    let from = |i: usize| {
        let (o, ky, kx, colour) = (i / 27, i % 27 / 9, i % 9 / 3, i % 3);
        raw[((o * 3 + colour) * 3 + ky) * 3 + kx]
    };
    let matrix: Vec<f32> = (0..raw.len()).map(from).collect();
    Ok(Dense::single(&matrix, &weights.f32("stem.bias", &[out])?))
}

/// Checks that each layer's size follows from the one before, so that no loop can leave its slice.
fn check(c: &Config) -> Result<(), String> {
    if c.stem.pad[0] + c.stem.pad[1] > 2 || c.stem.pad[2..] != c.stem.pad[..2] {
        return Err(format!("the stem's padding {:?} makes no sense", c.stem.pad));
    }
    let mut size = (SIDE + c.stem.pad[0] + c.stem.pad[1] - 3) / 2 + 1;
    let mut channels = c.stem.out;
    for (i, b) in c.blocks.iter().enumerate() {
        let fits = b.r#in == channels
            && b.input_size == size
            && b.expand > 0
            && b.expand % BLOCK == 0
            && (i == 0) == (b.expand == b.r#in)
            && (i > 0 || !b.residual)
            && matches!(b.stride, 1 | 2)
            && matches!(b.kernel, 3 | 5)
            && b.kernel <= size + b.pad[0] + b.pad[1]
            && b.pad.iter().all(|&p| p < b.kernel)
            && b.pad[2..] == b.pad[..2]
            && (!b.residual || (b.stride == 1 && b.out == b.r#in));
        if !fits {
            return Err(format!("block {i} does not fit the one before it"));
        }
        size = (size + b.pad[0] + b.pad[1] - b.kernel) / b.stride + 1;
        channels = b.out;
    }
    if c.blocks.is_empty() || c.head.r#in != channels || c.head.input_size != size {
        return Err("the head does not fit the last block".to_owned());
    }
    Ok(())
}

/// The `count` likeliest classes (index, probability), likeliest first; equal ones by index.
fn likeliest(probabilities: &[f32], count: usize) -> Vec<(usize, f32)> {
    let mut all: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(count);
    all
}

fn softmax(logits: &mut [f32]) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|x| *x = (*x - largest).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|x| *x /= sum);
}
