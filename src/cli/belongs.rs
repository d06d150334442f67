//! Options of a layout that belong to another method than the one asked for: told, not passed over in silence.
//!
//! Looks at values only: an option given with its default changes nothing. Invariant: an option that a method reads is never told.

use super::options::{RepulsionArg, StartArg, Tuning};
use crate::projection::{Method, PacmapParams, TsneParams, UmapParams};

/// The options that change nothing for `method`, each in words with the methods it belongs to.
pub(super) fn strangers(tuning: &Tuning, method: Method) -> Vec<String> {
    use Method::{Pacmap, Tsne, Umap};
    let (tsne, umap, pacmap) = (TsneParams::default(), UmapParams::default(), PacmapParams::default());
    let options: [(&str, bool, &[Method]); 18] = [
        ("perplexity", tuning.perplexity != tsne.perplexity, &[Tsne]),
        ("learning-rate", tuning.learning_rate.is_some(), &[Tsne, Umap, Pacmap]),
        ("iterations", tuning.iterations.is_some(), &[Tsne, Pacmap]),
        ("theta", tuning.theta != tsne.theta, &[Tsne]),
        ("uniform", tuning.uniform.is_some(), &[Tsne]),
        ("repulsion", tuning.repulsion != RepulsionArg::Auto, &[Tsne]),
        ("early-exaggeration", tuning.early_exaggeration != tsne.early_exaggeration, &[Tsne]),
        ("exaggeration-iterations", tuning.exaggeration_iterations.is_some(), &[Tsne]),
        ("neighbors", tuning.neighbors.is_some(), &[Umap, Pacmap]),
        ("min-dist", tuning.min_dist != umap.min_dist, &[Umap]),
        ("spread", tuning.spread != umap.spread, &[Umap]),
        ("epochs", tuning.epochs.is_some(), &[Umap]),
        ("negative-rate", tuning.negative_rate != umap.negative_sample_rate, &[Umap]),
        ("repulsion-strength", tuning.repulsion_strength != umap.repulsion_strength, &[Umap]),
        ("start", tuning.start != StartArg::Pca, &[Umap]),
        ("mid-near", tuning.mid_near != pacmap.mn_ratio, &[Pacmap]),
        ("further", tuning.further != pacmap.fp_ratio, &[Pacmap]),
        ("by-label", tuning.by_label, &[Umap]),
    ];
    let strange = options.into_iter().filter(|(_, given, of)| *given && !of.contains(&method));
    let told = strange.map(|(name, _, of)| {
        let names: Vec<&str> = of.iter().map(|method| method.name()).collect();
        format!(
            "--{name} changes nothing: it is an option of {}, and the method is {}",
            names.join(", "),
            method.name()
        )
    });
    told.collect()
}
