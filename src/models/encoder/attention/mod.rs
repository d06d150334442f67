//! Attention of each text's tokens to one another, head by head.

use std::ops::Range;
use std::sync::Arc;

use super::kernel::Kernel;
use super::sheet::Sheet;

/// A learned bias by distance (MPNet), buckets as in T5.
pub(super) struct PositionBias {
    /// `buckets` x `heads`.
    pub(super) values: Vec<f32>,
    pub(super) buckets: usize,
    pub(super) max_distance: usize,
}

/// How a layer attends.
#[derive(Clone)]
pub(super) struct Attention {
    pub(super) kernel: Kernel,
    pub(super) heads: usize,
    /// Values a head.
    pub(super) width: usize,
    pub(super) bias: Option<Arc<PositionBias>>,
}

/// Memory kept from call to call.
#[derive(Default)]
pub(super) struct Scratch {}

impl Attention {
    /// `projected` holds queries, keys and values of each token (3 · heads · width values), texts one after another, `lengths` tokens
    /// each. Writes columns of `heads` of each token's row of `out` (heads · width values).
    pub(super) fn attend(
        &self,
        projected: &[f32],
        lengths: &[usize],
        heads: Range<usize>,
        out: Sheet<'_>,
        scratch: &mut Scratch,
    ) {
        let _ = (projected, lengths, heads, out, scratch, self.kernel);
        todo!()
    }
}
