//! The layers: token ids of whole texts in, a vector a token out; or states that were made elsewhere.
//!
//! A group of texts goes through all layers on one core, its values staying in that core's cache. Invariant: what comes out for a text
//! does not depend on the texts beside it.

use super::attention::{Attention, Reach, Rotary, Scratch, Work};
use super::kernel::Kernel;
use super::linear::{Linear, Rows};
use super::math::{Activation, Floats, Norm, Settle, scale_row};
use super::shape::Shape;
use super::sheet::Sheet;
use super::table::Table;
use super::{load, together};
use crate::models::{ModelError, Precision, weights::Weights};

/// Weights of an encoder, packed for the kernels in use.
pub(in crate::models) struct Encoder {
    pub(super) kernel: Kernel,
    pub(super) shape: Shape,
    /// A vector for each entry of the vocabulary; none where states come from elsewhere.
    pub(super) words: Table,
    /// A vector for each position, the token type's added; of one token type alone where positions are told otherwise.
    pub(super) positions: Vec<f32>,
    /// Whether each position has a vector of its own.
    pub(super) by_position: bool,
    /// What norms states before the first layer.
    pub(super) norm: Option<Norm>,
    /// What norms the rows of the first product, and not the states.
    pub(super) first: Option<Norm>,
    pub(super) attention: Attention,
    /// Turnings of layers that attend to all keys, and of the others.
    pub(super) rotaries: [Option<Rotary>; 2],
    pub(super) layers: Vec<Layer>,
}

/// Weights of a layer.
pub(super) struct Layer {
    /// To queries, keys and values.
    pub(super) projections: Linear,
    pub(super) reach: Reach,
    /// Norms of each head's queries and keys.
    pub(super) head_norms: Option<[Norm; 2]>,
    pub(super) out: Linear,
    pub(super) out_settle: Settle,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) down_settle: Settle,
}

/// Memory for one group at a time, kept from one to the next.
pub(in crate::models) struct Workspace {
    pub(super) states: Floats,
    pub(super) projected: Floats,
    pub(super) context: Floats,
    rows: Rows,
    between: Rows,
    scratch: Scratch,
    pub(super) lengths: Vec<usize>,
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
        load::encoder(kernel, shape, weights, "")
    }

    /// As [`Encoder::new`], of the tensors whose names begin with `prefix`.
    ///
    /// # Errors
    /// As [`Encoder::new`].
    pub(in crate::models) fn of(
        kernel: Kernel,
        shape: Shape,
        weights: &Weights<'_>,
        prefix: &str,
    ) -> Result<Self, ModelError> {
        load::encoder(kernel, shape, weights, prefix)
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
        self.embed(texts, work);
        self.go_through(work, stop)
    }

    /// As [`Encoder::encode`], with the help of the pool's other threads: sooner, for a single group.
    pub(in crate::models) fn encode_together(&self, texts: &[&[u32]], work: &mut Workspace) {
        self.embed(texts, work);
        together::go_through(self, work);
    }

    /// Encodes states that were made elsewhere, such as the patches of pictures: `lengths` of them each. With the help of the pool's
    /// other threads when `alone`.
    pub(in crate::models) fn encode_states(
        &self,
        (states, lengths): (&[f32], &[usize]),
        work: &mut Workspace,
        alone: bool,
        stop: &dyn Fn() -> bool,
    ) -> bool {
        assert_eq!(states.len(), lengths.iter().sum::<usize>() * self.shape.hidden);
        work.lengths.clear();
        work.lengths.extend(lengths);
        work.states.resize(states.len());
        work.states.copy_from_slice(states);
        self.norm_states(&mut work.states);
        if alone {
            together::go_through(self, work);
            return true;
        }
        self.go_through(work, stop)
    }

    /// States through all layers.
    fn go_through(&self, work: &mut Workspace, stop: &dyn Fn() -> bool) -> bool {
        let (hidden, inner) = (self.shape.hidden, self.shape.inner());
        let tokens: usize = work.lengths.iter().sum();
        work.projected.resize(tokens * 3 * inner);
        work.context.resize(tokens * hidden.max(inner));
        if tokens == 0 {
            return true;
        }
        match &self.first {
            Some(norm) => {
                let normed = &mut work.context[..tokens * hidden];
                normed.copy_from_slice(&work.states);
                norm.apply(self.kernel.level, normed);
                work.rows.fill(normed, hidden);
            }
            None => work.rows.fill(&work.states, hidden),
        }
        work.context.resize(tokens * inner);
        for layer in &self.layers {
            if stop() {
                return false;
            }
            let projections = &layer.projections;
            let sheet = Sheet::new(&mut work.projected, 3 * inner);
            projections.apply(&work.rows, 0..projections.panels(), Activation::None, sheet);
            self.turn(layer, &work.lengths, &mut work.projected);
            let (heads, reach) = (0..self.shape.heads, layer.reach);
            let own = Work { projected: &work.projected, lengths: &work.lengths, heads, reach };
            self.attention.attend(&own, Sheet::new(&mut work.context, inner), &mut work.scratch);
            work.rows.fill(&work.context, inner);
            layer.out.apply_norm(&work.rows, &mut work.states, &layer.out_settle, &mut work.between);
            std::mem::swap(&mut work.rows, &mut work.between);
            if self.shape.options.gated {
                layer.up.apply_gate(&work.rows, self.shape.activation, &mut work.between);
            } else {
                layer.up.apply_rows(&work.rows, self.shape.activation, &mut work.between);
            }
            layer.down.apply_norm(&work.between, &mut work.states, &layer.down_settle, &mut work.rows);
        }
        true
    }

    /// What a layer's queries and keys are turned by.
    pub(super) fn rotary(&self, layer: &Layer) -> Option<&Rotary> {
        self.rotaries[usize::from(layer.reach != Reach::All)].as_ref()
    }

    /// Turns queries and keys, where positions are told so.
    fn turn(&self, layer: &Layer, lengths: &[usize], projected: &mut [f32]) {
        let Some(rotary) = self.rotary(layer) else { return };
        let inner = self.shape.inner();
        let mut rows = projected.chunks_exact_mut(3 * inner);
        for &tokens in lengths {
            for (position, row) in rows.by_ref().take(tokens).enumerate() {
                self.turn_row(layer, rotary, &mut row[..2 * inner], position);
            }
        }
    }

    /// Turns a token's queries and keys, normed before where the model does so.
    pub(super) fn turn_row(&self, layer: &Layer, rotary: &Rotary, row: &mut [f32], position: usize) {
        if let Some(norms) = &layer.head_norms {
            for (part, norm) in row.chunks_exact_mut(self.shape.inner()).zip(norms) {
                part.chunks_exact_mut(self.shape.width()).for_each(|head| scale_row(norm, head));
            }
        }
        rotary.turn(row, position);
    }

    /// Vectors of words and positions, summed and normed.
    fn embed(&self, texts: &[&[u32]], work: &mut Workspace) {
        let hidden = self.shape.hidden;
        work.lengths.clear();
        work.lengths.extend(texts.iter().map(|ids| ids.len()));
        work.states.resize(work.lengths.iter().sum::<usize>() * hidden);
        let mut rows = work.states.chunks_exact_mut(hidden);
        for text in texts {
            for (at, (&id, row)) in text.iter().zip(&mut rows).enumerate() {
                self.words.copy(id as usize, row);
                let at = if self.by_position { self.shape.first_position + at } else { 0 };
                if let Some(position) = self.positions.get(at * hidden..(at + 1) * hidden) {
                    row.iter_mut().zip(position).for_each(|(value, &position)| *value += position);
                }
            }
        }
        self.norm_states(&mut work.states);
    }

    fn norm_states(&self, states: &mut [f32]) {
        if let Some(norm) = &self.norm {
            norm.apply(self.kernel.level, states);
        }
    }
}
