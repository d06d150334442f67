//! Picture models: EfficientNet-Lite0 and ConSE on top of it, inside this program; ViT, DINOv2, CLIP and SigLIP from folders.
//!
//! Takes decoded 8-bit pictures; finding and decoding files belongs to the corpus. Invariant: each picture goes through
//! the network alone, so its vector does not depend on its neighbours in the batch.

#[cfg(feature = "bundled-models")]
pub(super) mod embedder;
pub(super) mod folder;
#[cfg(feature = "bundled-models")]
pub(super) mod lite0;
#[cfg(feature = "bundled-models")]
mod net;
mod pairs;
mod positions;
#[cfg(feature = "bundled-models")]
mod prepare;
mod resize;
mod settings;
pub(super) mod shapes;
mod space;
mod towers;
