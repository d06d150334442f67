//! The layers: token ids of whole texts in, a vector a token out.
//!
//! A group of texts goes through all layers on one core, its values staying in that core's cache. Invariant: what comes out for a text
//! does not depend on the texts beside it.

use super::attention::{Attention, Scratch, Work};
use super::kernel::Kernel;
use super::linear::{Linear, Rows};
use super::math::{Activation, Floats, Norm};
use super::shape::Shape;
use super::sheet::Sheet;
use super::table::Table;
use super::{load, together};
use crate::models::{ModelError, Precision, weights::Weights};

/// Weights of an encoder, packed for the kernels in use.
pub(in crate::models) struct Encoder {
    pub(super) kernel: Kernel,
    pub(super) shape: Shape,
    /// A vector for each entry of the vocabulary.
    pub(super) words: Table,
    /// A vector for each position, the token type's added.
    pub(super) positions: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) attention: Attention,
    pub(super) layers: Vec<Layer>,
}

/// Weights of a layer.
pub(super) struct Layer {
    /// To queries, keys and values.
    pub(super) projections: Linear,
    pub(super) out: Linear,
    pub(super) out_norm: Norm,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) down_norm: Norm,
}

/// Memory for one group at a time, kept from one to the next.
pub(in crate::models) struct Workspace {
    pub(super) states: Floats,
    pub(super) projected: Floats,
    pub(super) context: Floats,
    rows: Rows,
    between: Rows,
    scratch: Scratch,
    lengths: Vec<usize>,
}

impl Workspace {
    /// The token vectors of the group that was encoded last, in the order of its texts.
    pub(in crate::models) fn states(&self) -> &[f32] {
        &self.states
    }
}

impl Encoder {
    /// Reads and packs the weights of an encoder of the given shape.
    ///
    /// # Errors
    /// A tensor that is missing, has another shape, or is not finite.
    pub(in crate::models) fn new(kernel: Kernel, shape: Shape, weights: &Weights<'_>) -> Result<Self, ModelError> {
        load::encoder(kernel, shape, weights)
    }

    pub(in crate::models) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The precision of its products, as it is run.
    pub(in crate::models) fn precision(&self) -> Precision {
        self.kernel.precision
    }

    /// Memory to encode with.
    pub(in crate::models) fn workspace(&self) -> Workspace {
        Workspace {
            states: Floats::default(),
            projected: Floats::default(),
            context: Floats::default(),
            rows: Rows::new(self.kernel),
            between: Rows::new(self.kernel),
            scratch: Scratch::default(),
            lengths: Vec::new(),
        }
    }

    /// Encodes texts of token ids, each id within the vocabulary, each text no longer than [`Shape::longest`]. Gives up between two
    /// layers when `stop` says so, and says whether it went through: then [`Workspace::states`] holds the tokens' vectors.
    pub(in crate::models) fn encode(&self, texts: &[&[u32]], work: &mut Workspace, stop: &dyn Fn() -> bool) -> bool {
        let hidden = self.shape.hidden;
        work.lengths.clear();
        work.lengths.extend(texts.iter().map(|ids| ids.len()));
        let tokens: usize = work.lengths.iter().sum();
        work.states.resize(tokens * hidden);
        work.projected.resize(tokens * 3 * hidden);
        work.context.resize(tokens * hidden);
        if tokens == 0 {
            return true;
        }
        self.embed(texts, &mut work.states);
        work.rows.fill(&work.states, hidden);
        for layer in &self.layers {
            if stop() {
                return false;
            }
            let projections = &layer.projections;
            let sheet = Sheet::new(&mut work.projected, 3 * hidden);
            projections.apply(&work.rows, 0..projections.panels(), Activation::None, sheet);
            let own = Work { projected: &work.projected, lengths: &work.lengths, heads: 0..self.shape.heads };
            self.attention.attend(&own, Sheet::new(&mut work.context, hidden), &mut work.scratch);
            work.rows.fill(&work.context, hidden);
            layer.out.apply_norm(&work.rows, &mut work.states, &layer.out_norm, &mut work.between);
            std::mem::swap(&mut work.rows, &mut work.between);
            layer.up.apply_rows(&work.rows, self.shape.activation, &mut work.between);
            layer.down.apply_norm(&work.between, &mut work.states, &layer.down_norm, &mut work.rows);
        }
        true
    }

    /// As [`Encoder::encode`], with the help of the pool's other threads: sooner, for a single group.
    pub(in crate::models) fn encode_together(&self, texts: &[&[u32]], work: &mut Workspace) {
        together::encode(self, texts, work);
    }

    /// Vectors of words and positions, summed and normed.
    pub(super) fn embed(&self, texts: &[&[u32]], states: &mut [f32]) {
        let hidden = self.shape.hidden;
        let mut rows = states.chunks_exact_mut(hidden);
        for text in texts {
            let positions = self.positions[self.shape.first_position * hidden..].chunks_exact(hidden);
            for ((&id, position), row) in text.iter().zip(positions).zip(&mut rows) {
                self.words.copy(id as usize, row);
                row.iter_mut().zip(position).for_each(|(value, &position)| *value += position);
            }
        }
        self.norm.apply(self.kernel.level, states);
    }
}
