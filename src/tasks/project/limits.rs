//! Parameters that these rows cannot have: what was taken instead, in words.
//!
//! Decides nothing: the optimisers bring parameters into range themselves. Invariant: what is told is what they use.

use super::ProjectRequest;
use crate::projection::{Attraction, Method, neighbours_needed};

/// One sentence on each parameter of the method that was not taken as it was asked for.
pub(super) fn beyond(request: &ProjectRequest) -> Vec<String> {
    let (params, rows) = (&request.params, request.vectors.len());
    let others = rows.saturating_sub(1);
    let mut told = Vec::new();
    match params.method {
        Method::Pca => {
            let axes = if params.dimensions == 3 { 3 } else { 2 };
            let most = request.vectors.dim().min(others);
            if most < axes {
                let why = if request.vectors.dim() < axes {
                    "the vectors have no more dimensions"
                } else {
                    "so few rows have no more"
                };
                told.push(format!(
                    "Of {axes} principal components there are {most}: {why}; the other axes of the map are 0"
                ));
            }
        }
        Method::Tsne => match params.tsne.attraction {
            Attraction::Perplexity => told.extend(perplexity(params.tsne.perplexity, rows)),
            Attraction::Uniform { neighbours } => told.extend(fewer("t-SNE", neighbours, (rows, others))),
        },
        // A point counts as its own neighbour.
        Method::Umap => told.extend(fewer("UMAP", params.umap.n_neighbors, (rows, rows.max(2)))),
        Method::Pacmap => {
            let asked = params.pacmap.n_neighbors.unwrap_or_else(|| params.pacmap.neighbours_for(rows));
            told.extend(fewer("PaCMAP", asked, (rows, params.pacmap.counts(rows).near)));
        }
    }
    told
}

/// What t-SNE makes of a perplexity that is too small, or of which the rows have no three times as many others.
fn perplexity(asked: f32, rows: usize) -> Option<String> {
    let others = rows.saturating_sub(1);
    // As many neighbours as are looked for; the perplexity is a third of them where it is not less.
    let used = asked.min(neighbours_needed(asked, rows) as f32 / 3.0).max(1.0);
    let shown = |value: f32| format!("{value:.1}").trim_end_matches(".0").to_owned();
    match asked {
        asked if !asked.is_finite() => {
            Some(format!("A perplexity of {asked} is none: 30 was taken, or what the rows allow"))
        }
        asked if asked < 1.0 => Some(format!("Perplexity {asked} is too small: 1 was taken, the least there is")),
        asked if asked * 3.0 > others as f32 && others > 3 => Some(format!(
            "Perplexity {} is too large for {rows} rows, whose others are fewer than three times that: {} was taken",
            shown(asked),
            shown(used)
        )),
        _ => None,
    }
}

/// What is made of more neighbours than there are.
fn fewer(method: &str, asked: usize, (rows, most): (usize, usize)) -> Option<String> {
    let told =
        || format!("{method} was asked for {asked} neighbours a point; {rows} rows allow {most}, which were taken");
    (asked > most && rows > 1).then(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use crate::projection::Tsne;
    use crate::search::exact_graph;
    use crate::vectors::{Metric, Vectors};
    use crate::workspace::ProjectionParams;

    fn told(method: Method, rows: usize, change: impl Fn(&mut ProjectionParams)) -> Vec<String> {
        let mut params = ProjectionParams::new(method);
        change(&mut params);
        let vectors = Vectors::new((0..rows * 4).map(|at| (at as f32 * 0.7).sin()).collect::<Vec<_>>(), 4).unwrap();
        beyond(&ProjectRequest::new(vectors, super::super::super::numbered(rows), params))
    }

    #[test]
    fn what_is_told_is_what_is_used() {
        for (asked, rows, expected) in [(5000.0, 60, "19.7"), (40.0, 100, "33"), (0.5, 60, "1"), (20.0, 61, "")] {
            let words = told(Method::Tsne, rows, |params| params.tsne.perplexity = asked);
            assert_eq!(words.len(), usize::from(!expected.is_empty()), "{words:?}");
            let vectors = Vectors::new((0..rows * 4).map(|at| (at as f32 * 0.7).sin()).collect::<Vec<_>>(), 4).unwrap();
            let params = crate::projection::TsneParams { perplexity: asked, ..Default::default() };
            let needed = params.neighbours_needed(rows);
            let graph = exact_graph(&vectors, Metric::Euclidean, needed, &Progress::new()).unwrap();
            let used = Tsne::new(&graph, &vec![[0.0; 2]; rows], &params).unwrap().effective_perplexity();
            let shown = format!("{used:.1}").trim_end_matches(".0").to_owned();
            assert!(words.iter().all(|words| words.contains(&format!(": {shown} was taken"))), "{words:?}, {used}");
        }
        let umap = |asked| told(Method::Umap, 10, |params| params.umap.n_neighbors = asked);
        assert_eq!(umap(15), ["UMAP was asked for 15 neighbours a point; 10 rows allow 10, which were taken"]);
        assert!(umap(10).is_empty());
        let pacmap = |rows| told(Method::Pacmap, rows, |params| params.pacmap.n_neighbors = Some(9));
        assert_eq!(pacmap(9), ["PaCMAP was asked for 9 neighbours a point; 9 rows allow 2, which were taken"]);
        assert!(pacmap(60).is_empty());
        let pca = |rows| told(Method::Pca, rows, |params| params.dimensions = 3);
        assert!(pca(4).is_empty() && pca(3)[0].contains("Of 3 principal components there are 2: so few rows"));
    }
}
