//! Activations, layer norms and sums over rows of `f32`.
//!
//! Invariant: each row is computed alone and in one order, whatever rows lie beside it.

/// What stands between two products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::models) enum Activation {
    /// Nothing.
    None,
    /// x Φ(x), by the error function.
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// tanh.
    Tanh,
}

/// A layer norm: mean 0 and variance 1 of each row, then scale and shift.
#[derive(Clone, Debug)]
pub(in crate::models) struct Norm {
    pub(in crate::models) scale: Vec<f32>,
    pub(in crate::models) shift: Vec<f32>,
    pub(in crate::models) epsilon: f32,
}
