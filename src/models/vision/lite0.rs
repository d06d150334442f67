//! EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946; the Lite variant has no squeeze-and-excitation and `ReLU6` for
//! swish), with batch normalisation already folded into the weights.
//!
//! Its own implementation, since candle's EfficientNet is not the Lite variant and its grouped convolution runs channel by
//! channel. It decodes and caches nothing. Invariant: one picture's features depend on that picture alone.

use image::RgbImage;

use super::{
    kernels::{Depthwise, LANES, bias_relu6, product},
    prepare::{SIDE, prepare},
};
use crate::models::{
    ModelError, Seen,
    weights::{Weights, bad},
};

/// Values a feature vector.
pub(in crate::models) const FEATURES: usize = 1280;
/// ImageNet classes.
pub(in crate::models) const CLASSES: usize = 1000;
/// Classes kept of a picture: those that take part in a ConSE vector, and that an explanation lists.
const TOP: usize = 10;
/// Rows of a matrix product done before the bias is added, so that they are still in the cache.
const TILE_VALUES: usize = 32 * 1024;

/// The loaded network.
pub(in crate::models) struct Lite0 {
    stem: Dense,
    stem_pad: [usize; 4],
    blocks: Vec<Block>,
    head: Dense,
    classifier: Dense,
    /// Class names, in the order of the logits.
    pub(in crate::models) classes: Vec<String>,
    /// Hash of the weight file.
    pub(in crate::models) hash: blake3::Hash,
    /// The same in words.
    hash_words: String,
}

/// A pointwise convolution: a matrix [out, in] and a bias.
struct Dense {
    weight: Vec<f32>,
    bias: Vec<f32>,
    inner: usize,
}

struct Block {
    expand: Option<Dense>,
    shape: Depthwise,
    depthwise: Vec<f32>,
    depthwise_bias: Vec<f32>,
    project: Dense,
    residual: bool,
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
        let blocks = parsed.blocks.iter().enumerate().map(|(i, b)| Block::read(weights, i, b));
        let classes: Vec<String> = classes.lines().map(str::to_owned).collect();
        if classes.len() != CLASSES {
            return Err(bad(config.0, format!("{} class names where {CLASSES} were expected", classes.len())));
        }
        Ok(Self {
            stem: stem(weights, parsed.stem.out)?,
            stem_pad: parsed.stem.pad,
            blocks: blocks.collect::<Result<_, _>>()?,
            head: Dense::read(weights, "head", parsed.head.r#in, FEATURES)?,
            classifier: Dense::read(weights, "classifier", FEATURES, CLASSES)?,
            classes,
            hash,
            hash_words: hash.to_hex().to_string(),
        })
    }

    /// Hash of the weight file in words.
    pub(in crate::models) fn hash_words(&self) -> &str {
        &self.hash_words
    }

    /// Looks at one picture. Runs on the calling thread.
    pub(in crate::models) fn look(&self, picture: &RgbImage) -> Seen {
        let mut x = self.run_stem(&prepare(picture));
        for block in &self.blocks {
            x = block.run(x);
        }
        let places = self.head.relu6(&x);
        let mut features = vec![0f32; FEATURES];
        for row in places.chunks_exact(FEATURES) {
            features.iter_mut().zip(row).for_each(|(f, v)| *f += v);
        }
        let scale = FEATURES as f32 / places.len() as f32;
        features.iter_mut().for_each(|f| *f *= scale);
        let mut logits = self.classifier.bias.clone();
        product(&features, &self.classifier.weight, FEATURES, true, &mut logits);
        softmax(&mut logits);
        Seen { features, likeliest: likeliest(&logits, TOP) }
    }

    /// The 3 x 3 convolution with stride 2, as a matrix product over gathered patches.
    fn run_stem(&self, input: &[f32]) -> Vec<f32> {
        let [top, bottom, left, _] = self.stem_pad;
        let side = (SIDE + top + bottom - 3) / 2 + 1;
        let mut patches = vec![0f32; side * side * 27];
        for (place, patch) in patches.chunks_exact_mut(27).enumerate() {
            let (oy, ox) = (place / side * 2, place % side * 2);
            for ky in 0..3 {
                let y = (oy + ky).wrapping_sub(top);
                let first = left.saturating_sub(ox);
                let last = 3.min((SIDE + left).saturating_sub(ox));
                if y < SIDE && first < last {
                    let at = (y * SIDE + ox + first - left) * 3;
                    let count = (last - first) * 3;
                    patch[ky * 9 + first * 3..][..count].copy_from_slice(&input[at..][..count]);
                }
            }
        }
        self.stem.relu6(&patches)
    }
}

impl Block {
    fn read(weights: &Weights<'_>, index: usize, c: &BlockConfig) -> Result<Self, ModelError> {
        let name = |part: &str| format!("blocks.{index}.{part}");
        let expand =
            if c.expand == c.r#in { None } else { Some(Dense::read(weights, &name("expand"), c.r#in, c.expand)?) };
        let raw = weights.f32(&name("depthwise.weight"), &[c.expand, c.kernel, c.kernel])?;
        let taps = c.kernel * c.kernel;
        let depthwise = (0..taps * c.expand).map(|i| raw[i % c.expand * taps + i / c.expand]).collect();
        let (size, channels, kernel, stride) = (c.input_size, c.expand, c.kernel, c.stride);
        Ok(Self {
            expand,
            shape: Depthwise { size, channels, kernel, stride, before: c.pad[0], after: c.pad[1] },
            depthwise,
            depthwise_bias: weights.f32(&name("depthwise.bias"), &[c.expand])?,
            project: Dense::read(weights, &name("project"), c.expand, c.out)?,
            residual: c.residual,
        })
    }

    fn run(&self, x: Vec<f32>) -> Vec<f32> {
        let wide = self.expand.as_ref().map(|e| e.relu6(&x));
        let side = self.shape.out_size();
        let mut mid = vec![0f32; side * side * self.shape.channels];
        self.shape.run(wide.as_deref().unwrap_or(&x), &self.depthwise, &self.depthwise_bias, &mut mid);
        let columns = self.project.bias.len();
        let mut out = if self.residual { x } else { vec![0f32; side * side * columns] };
        for row in out.chunks_exact_mut(columns) {
            row.iter_mut().zip(&self.project.bias).for_each(|(o, b)| *o += b);
        }
        product(&mid, &self.project.weight, self.project.inner, true, &mut out);
        out
    }
}

impl Dense {
    fn read(weights: &Weights<'_>, name: &str, inner: usize, outer: usize) -> Result<Self, ModelError> {
        let weight = weights.f32(&format!("{name}.weight"), &[outer, inner])?;
        Ok(Self { weight, bias: weights.f32(&format!("{name}.bias"), &[outer])?, inner })
    }

    /// `relu6(x · weightᵀ + bias)`.
    fn relu6(&self, x: &[f32]) -> Vec<f32> {
        let columns = self.bias.len();
        let mut out = vec![0f32; x.len() / self.inner * columns];
        let rows = (TILE_VALUES / columns).max(16);
        for (x, out) in x.chunks(rows * self.inner).zip(out.chunks_mut(rows * columns)) {
            product(x, &self.weight, self.inner, false, out);
            bias_relu6(out, &self.bias);
        }
        out
    }
}

/// The stem's weights [out, 3 colours, 3, 3] in the order of a gathered patch: row, column, colour.
fn stem(weights: &Weights<'_>, out: usize) -> Result<Dense, ModelError> {
    let raw = weights.f32("stem.weight", &[out, 3, 3, 3])?;
    let from = |i: usize| {
        let (o, ky, kx, colour) = (i / 27, i % 27 / 9, i % 9 / 3, i % 3);
        raw[((o * 3 + colour) * 3 + ky) * 3 + kx]
    };
    Ok(Dense { weight: (0..raw.len()).map(from).collect(), bias: weights.f32("stem.bias", &[out])?, inner: 27 })
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
            && b.expand % LANES == 0
            && (1..=2).contains(&b.stride)
            && (1..=7).contains(&b.kernel)
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
    if c.head.r#in != channels || c.head.input_size != size {
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
