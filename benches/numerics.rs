//! How long the numerics take: `cargo bench --bench numerics`.
//!
//! Vectors are seeded mixtures of Gaussians of length 1, as embeddings are.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use embedlens::progress::Progress;
use embedlens::projection::{Pca, Tsne, TsneParams, neighbours_needed, quality};
use embedlens::search::{Index, approximate_graph, exact_graph, top_k};
use embedlens::vectors::{Metric, Vectors, normalize_rows};
use rand::{Rng, SeedableRng};

/// `rows` unit vectors around 50 centres.
fn mixture(rows: usize, dim: usize) -> Vectors {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    let centres: Vec<f32> = (0..50 * dim).map(|_| random.random_range(-1.0f32..1.0)).collect();
    let mut values = Vec::with_capacity(rows * dim);
    for row in 0..rows {
        let centre = &centres[row % 50 * dim..][..dim];
        values.extend(centre.iter().map(|centre| centre + random.random_range(-1.0f32..1.0)));
    }
    normalize_rows(&mut values, dim);
    Vectors::new(values, dim).unwrap_or_else(|error| panic!("{error}"))
}

fn numerics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("numerics");
    group.sample_size(10);
    let ten = mixture(10_000, 384);
    group.bench_function("exact graph, 10,000 x 384, k = 15", |bench| {
        bench.iter(|| black_box(exact_graph(&ten, Metric::Cosine, 15, &Progress::new())));
    });
    group.bench_function("approximate graph, 10,000 x 384, k = 15", |bench| {
        bench.iter(|| black_box(approximate_graph(&ten, Metric::Cosine, 15, 1, &Progress::new())));
    });
    group.bench_function("PCA, 10,000 x 384, k = 2", |bench| bench.iter(|| black_box(Pca::fit(&ten, 2))));
    let hundred = mixture(100_000, 384);
    group.bench_function("query, 100,000 x 384, k = 10", |bench| {
        bench.iter(|| black_box(top_k(&hundred, hundred.row(7), Metric::Cosine, 10, None)));
    });
    let index = Index::new(&hundred, Metric::Cosine);
    group.bench_function("indexed query, 100,000 x 384, k = 10", |bench| {
        bench.iter(|| black_box(index.top_k(hundred.row(7), 10, None)));
    });
    let params = TsneParams::default();
    let near = exact_graph(&ten, Metric::Cosine, neighbours_needed(params.perplexity, ten.len()), &Progress::new());
    let start = Pca::fit(&ten, 2).and_then(|pca| pca.plane(&ten));
    if let (Ok(near), Ok(start)) = (near, start)
        && let Ok(mut tsne) = Tsne::new(&near, &start, &params)
    {
        tsne.run_to(300);
        group.bench_function("t-SNE iteration, 10,000 points", |bench| {
            bench.iter(|| tsne.run_to(tsne.iteration() + 1));
        });
        group.bench_function("map quality, 10,000 x 384, 2,000 sampled", |bench| {
            bench.iter(|| black_box(quality(&ten, tsne.points(), 2000, 1, &Progress::new())));
        });
    }
    group.finish();
}

criterion_group!(benches, numerics);
criterion_main!(benches);
