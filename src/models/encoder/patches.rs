//! Patches of pictures as an encoder's first states.
//!
//! Cutting a picture into patches and multiplying each with the same weights is what the towers' convolution amounts to, so it is one
//! product. Invariant: a picture's states depend on that picture alone.

use super::Kernel;
use super::linear::{Linear, Rows};
use super::math::Activation;
use super::sheet::Sheet;
use crate::models::{ModelError, Precision, weights::Weights};

/// How many of each there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::models) struct Grid {
    /// Patches in a column and in a row of them.
    pub(in crate::models) side: usize,
    /// Pixels of a patch, up and across.
    pub(in crate::models) patch: usize,
    /// Values a state.
    pub(in crate::models) hidden: usize,
}

/// What turns patches into states.
pub(in crate::models) struct Patches {
    product: Linear,
    kernel: Kernel,
    grid: Grid,
    /// States before those of the patches (class token, registers), whole.
    before: Vec<f32>,
    /// A vector a patch.
    positions: Vec<f32>,
}

/// Where the tensors are.
pub(in crate::models) struct Tensors<'a> {
    pub(in crate::models) weights: &'a Weights<'a>,
    /// Name of the patches' product without its ending.
    pub(in crate::models) product: String,
    /// Whether something is added to it.
    pub(in crate::models) bias: bool,
}

impl Patches {
    /// Reads the product; `before` are the states before the patches', `positions` a vector a patch.
    ///
    /// # Errors
    /// A tensor that is missing, has another shape, or is not finite.
    pub(in crate::models) fn new(
        kernel: Kernel,
        grid: Grid,
        tensors: &Tensors<'_>,
        (before, positions): (Vec<f32>, Vec<f32>),
    ) -> Result<Self, ModelError> {
        // One product of many: not worth rounding pixels for.
        let kernel = Kernel { precision: Precision::F32, ..kernel };
        let Grid { side, patch, hidden } = grid;
        assert!(before.len().is_multiple_of(hidden) && positions.len() == side * side * hidden);
        let (weights, name) = (tensors.weights, &tensors.product);
        let weight = weights.f32(&format!("{name}.weight"), &[hidden, 3, patch, patch])?;
        let bias = if tensors.bias { weights.f32(&format!("{name}.bias"), &[hidden])? } else { vec![0.0; hidden] };
        let product = Linear::pack(kernel, &weight, bias, 3 * patch * patch);
        Ok(Self { product, kernel, grid, before, positions })
    }

    pub(in crate::models) fn grid(&self) -> Grid {
        self.grid
    }

    /// States a picture.
    pub(in crate::models) fn tokens(&self) -> usize {
        self.extra() + self.grid.side * self.grid.side
    }

    /// States before those of the patches.
    pub(in crate::models) fn extra(&self) -> usize {
        self.before.len() / self.grid.hidden
    }

    /// The states of one picture, from its patches: for each, row after row of them, all red values row by row, then green, then blue.
    pub(in crate::models) fn states(&self, patches: &[f32]) -> Vec<f32> {
        let Grid { side, patch, hidden } = self.grid;
        assert_eq!(patches.len(), side * side * 3 * patch * patch);
        let mut rows = Rows::new(self.kernel);
        rows.fill(patches, 3 * patch * patch);
        let mut states = self.before.clone();
        states.resize(self.tokens() * hidden, 0.0);
        let of_patches = &mut states[self.before.len()..];
        let panels = 0..self.product.panels();
        self.product.apply(&rows, panels, Activation::None, Sheet::new(of_patches, hidden));
        of_patches.iter_mut().zip(&self.positions).for_each(|(value, position)| *value += position);
        states
    }
}
