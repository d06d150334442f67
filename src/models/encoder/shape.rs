//! The sizes and options of an encoder, as its configuration gives them.
//!
//! Invariant: a [`Shape`] is checked by whoever made it: no size is 0 and the heads divide the hidden size.

use super::attention::Reach;
use super::math::Activation;

/// Families of encoders: they differ in the names of their weights, and in how they tell positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::models) enum Family {
    /// BERT: absolute positions, token types.
    Bert,
    /// RoBERTa, XLM-R and CamemBERT: BERT whose positions begin after the padding's.
    Roberta,
    /// DistilBERT: BERT without token types.
    DistilBert,
    /// MPNet: positions as RoBERTa's, and a bias by distance in every layer.
    Mpnet,
    /// ModernBERT: turned positions, gated layers with the norm before them, most of them looking at what is near only.
    Modern,
    /// NomicBERT: BERT with turned positions and gated layers.
    Nomic,
    /// Jina v2: BERT with a bias that grows with the distance, and gated layers.
    Jina,
    /// GTE's own encoder (Alibaba-NLP/new-impl): as NomicBERT's, with biases.
    Gte,
    /// Qwen3: turned positions, gated layers with a norm without a mean before them, each token seeing those before it.
    Qwen3,
    /// CLIP's and SigLIP's texts: the norm before each half of a layer.
    ClipText,
    /// CLIP's and SigLIP's pictures.
    ClipVision,
    /// ViT.
    Vit,
    /// DINOv2: ViT with a scale for what each half of a layer adds.
    Dino,
}

/// What an encoder looks like.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) struct Shape {
    pub(in crate::models) family: Family,
    /// Entries of the vocabulary.
    pub(in crate::models) vocabulary: usize,
    /// Values a token.
    pub(in crate::models) hidden: usize,
    pub(in crate::models) layers: usize,
    /// Attention heads a layer.
    pub(in crate::models) heads: usize,
    /// Values a token between the two products of a layer's second half.
    pub(in crate::models) between: usize,
    /// Rows of the table of positions.
    pub(in crate::models) positions: usize,
    /// The row of a text's first token.
    pub(in crate::models) first_position: usize,
    /// Rows of the table of token types; 0 without one. Every token is of the first type.
    pub(in crate::models) token_types: usize,
    pub(in crate::models) activation: Activation,
    /// What layer norms add to the variance.
    pub(in crate::models) epsilon: f32,
    /// Buckets of distances with a bias each; 0 without.
    pub(in crate::models) distance_buckets: usize,
    pub(in crate::models) options: Options,
}

/// What newer encoders do otherwise than BERT.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::models) struct Options {
    /// Whether the first product of a layer's second half gives twice as many values, of which one half gates the other.
    pub(in crate::models) gated: bool,
    /// Which keys a query attends to, in the layers that do not attend to all.
    pub(in crate::models) reach: Reach,
    /// Which layers have that reach, where others attend to all keys.
    pub(in crate::models) near: Option<Vec<bool>>,
    /// What positions are turned by, in the layers that attend to all keys, and in the others.
    pub(in crate::models) thetas: Option<[f32; 2]>,
    /// Values a head, where it is not the hidden size over the heads.
    pub(in crate::models) width: Option<usize>,
    /// Heads that keys and values have, where they are fewer than the queries': each serves as many of those.
    pub(in crate::models) key_heads: Option<usize>,
}

impl Shape {
    /// Tokens of the longest text, special ones counted.
    pub(in crate::models) fn longest(&self) -> usize {
        self.positions - self.first_position
    }

    /// Values a head.
    pub(in crate::models) fn width(&self) -> usize {
        self.options.width.unwrap_or(self.hidden / self.heads)
    }

    /// Values of all heads.
    pub(in crate::models) fn inner(&self) -> usize {
        self.heads * self.width()
    }

    /// Multiplications and additions of a token's products with weights.
    pub(in crate::models) fn operations_per_token(&self) -> f64 {
        let (hidden, between) = (self.hidden as f64, self.between as f64);
        let products = if self.options.gated { 3.0 } else { 2.0 };
        2.0 * self.layers as f64 * hidden * (4.0 * self.inner() as f64 + products * between)
    }
}
