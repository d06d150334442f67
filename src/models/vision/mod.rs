//! Picture models: EfficientNet-Lite0, and ConSE on top of it.
//!
//! Takes decoded 8-bit pictures; finding and decoding files belongs to the corpus. Invariant: each picture goes through
//! the network alone, so its vector does not depend on its neighbours in the batch.

pub(super) mod embedder;
pub(super) mod lite0;
mod net;
mod prepare;
