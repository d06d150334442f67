//! t-SNE against openTSNE, and what must hold of a large run: the same bytes at any number of threads, cut anywhere, after a stop.

use std::path::PathBuf;

use embedlens::progress::Progress;
use embedlens::projection::{
    Affinities, Attraction, PlaceParams, Repulsion, Tsne, TsneParams, TsneSnapshot, neighbours_needed, noise, place,
};
use embedlens::search::{NeighbourGraph, exact_graph, top_k};
use embedlens::vectors::{Metric, Vectors};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numerics").join(name)
}

fn floats(name: &str) -> Vec<f32> {
    let bytes = fs_err::read(file(name)).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

fn plane(name: &str) -> Vec<[f32; 2]> {
    floats(name).as_chunks::<2>().0.to_vec()
}

fn known(name: &str) -> f64 {
    let all: serde_json::Value =
        serde_json::from_str(&fs_err::read_to_string(file("tsne-opentsne.json")).unwrap()).unwrap();
    all[name].as_f64().unwrap()
}

/// The first 300 digits, and the others.
fn digits() -> (Vectors, Vectors) {
    let x = floats("digits-x.npy");
    let dim = x.len() / 400;
    let (old, new) = x.split_at(300 * dim);
    (Vectors::new(old.to_vec(), dim).unwrap(), Vectors::new(new.to_vec(), dim).unwrap())
}

fn neighbours(vectors: &Vectors, k: usize) -> NeighbourGraph {
    exact_graph(vectors, Metric::Euclidean, k, &Progress::new()).unwrap()
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Points on a spiral and their neighbours along it: many points, quickly made.
fn spiral(count: usize, k: usize) -> (NeighbourGraph, Vec<[f32; 2]>) {
    let (mut indices, mut scores) = (Vec::new(), Vec::new());
    for row in 0..count {
        for neighbour in 0..k {
            let away = neighbour / 2 + 1;
            let column = if neighbour % 2 == 0 { row + away } else { row + count - away };
            indices.push((column % count) as u32);
            scores.push(-(away as f32) / (1.0 + (row % 7) as f32));
        }
    }
    let at = |row: usize| {
        let turn = row as f32 / 300.0;
        [turn * turn.cos(), turn * turn.sin()]
    };
    let graph = NeighbourGraph::new(k, Metric::Euclidean, indices, scores);
    (graph, (0..count).map(at).collect())
}

#[test]
fn the_divergence_of_opentsnes_map_is_opentsnes() {
    let (old, _) = digits();
    let needed = neighbours_needed(30.0, 300);
    let affinities = Affinities::from_graph(&neighbours(&old, needed), needed, 30.0).unwrap();
    for (repulsion, bound) in [(Repulsion::Exact, 0.01), (Repulsion::Fft, 0.01)] {
        let params = TsneParams { repulsion, ..TsneParams::default() };
        let tsne = Tsne::at(affinities.clone(), plane("tsne-map.npy"), &params).unwrap();
        for found in [tsne.kl(), tsne.exact_kl()] {
            assert!((f64::from(found) / known("kl") - 1.0).abs() < bound, "{found}, openTSNE {}", known("kl"));
        }
    }
}

#[test]
fn every_way_of_repulsion_ends_at_an_equal_divergence() {
    let (old, _) = digits();
    let graph = neighbours(&old, neighbours_needed(30.0, 300));
    let start: Vec<[f32; 2]> = old.rows().map(|row| [row[20], row[30]]).collect();
    let kl = |repulsion| {
        let mut tsne = Tsne::new(&graph, &start, &TsneParams { repulsion, ..TsneParams::default() }).unwrap();
        tsne.run_to(750);
        f64::from(tsne.exact_kl())
    };
    let exact = kl(Repulsion::Exact);
    assert!((kl(Repulsion::Fft) / exact - 1.0).abs() < 0.04, "{} and {exact}", kl(Repulsion::Fft));
}

#[test]
fn uniform_weights_bind_as_many_pairs_as_opentsnes() {
    let (old, _) = digits();
    let params = TsneParams { attraction: Attraction::Uniform { neighbours: 15 }, ..TsneParams::default() };
    let affinities = Affinities::of(&neighbours(&old, 90), &params).unwrap();
    let pairs: usize = (0..300).map(|row| affinities.row(row).0.len()).sum();
    assert!((pairs as f64 - known("uniform_pairs")).abs() <= 4.0, "{pairs}, openTSNE {}", known("uniform_pairs"));
    let (_, weights) = affinities.row(0);
    assert!((f64::from(weights[0]) * pairs as f64 - 1.0).abs() < 1e-4);
    let mut tsne = Tsne::new(&neighbours(&old, 90), &noise(300, 3), &params).unwrap();
    let before = tsne.kl();
    tsne.run_to(300);
    assert!(tsne.kl() < 0.7 * before);
}

#[test]
fn new_points_are_placed_where_opentsne_places_them() {
    let ((old, new), map) = (digits(), plane("tsne-map.npy"));
    let (mut indices, mut scores) = (Vec::new(), Vec::new());
    for row in new.rows() {
        for hit in top_k(&old, row, Metric::Euclidean, 25, None) {
            indices.push(hit.position);
            scores.push(hit.score);
        }
    }
    let near = NeighbourGraph::new(25, Metric::Euclidean, indices, scores);
    let run = || place(&map, &near, &PlaceParams::default(), &Progress::new()).unwrap();
    let (one, four) = (in_pool(1, run), in_pool(4, run));
    assert_eq!(one, four);
    let mut away: Vec<f32> =
        one.iter().zip(plane("tsne-placed.npy")).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).collect();
    away.sort_by(f32::total_cmp);
    let span = map.iter().fold(0.0f32, |span, point| span.max(point[0].abs()));
    assert!(away[50] < 0.02 * span && away[90] < 0.1 * span, "half within {}, most within {}", away[50], away[90]);
    let wrong = NeighbourGraph { indices: vec![300; 25].into(), scores: vec![0.0; 25].into(), ..near };
    assert!(place(&map, &wrong, &PlaceParams::default(), &Progress::new()).is_err());
    let stopped = Progress::new();
    stopped.cancel();
    assert!(
        place(&map, &NeighbourGraph { indices: vec![3; 25].into(), ..wrong }, &PlaceParams::default(), &stopped)
            .is_err()
    );
}

#[test]
fn a_large_run_is_the_same_at_any_number_of_threads_cut_anywhere_and_after_a_stop() {
    let (graph, start) = spiral(5000, 30);
    let params = TsneParams { perplexity: 10.0, iterations: 130, exaggeration_iterations: 40, ..TsneParams::default() };
    let whole = |threads| {
        in_pool(threads, || {
            let mut tsne = Tsne::new(&graph, &start, &params).unwrap();
            tsne.run_to(130);
            (tsne.points().to_vec(), tsne.kl().to_bits())
        })
    };
    let expected = whole(1);
    assert_eq!(expected, whole(2));
    assert_eq!(expected, whole(4));
    let mut tsne = Tsne::new(&graph, &start, &params).unwrap();
    tsne.run_to(73);
    let bytes = tsne.snapshot().to_bytes().unwrap();
    let snapshot = TsneSnapshot::from_bytes(&bytes).unwrap();
    assert_eq!((snapshot.iteration(), snapshot.points()), (73, tsne.points().to_vec()));
    let mut again = Tsne::resume(&graph, &snapshot).unwrap();
    again.run_to(130);
    assert_eq!(expected.0, again.points());
    for cut in [0, 10, bytes.len() - 1] {
        assert!(TsneSnapshot::from_bytes(&bytes[..cut]).is_err());
    }
}

#[test]
fn changes_during_a_run_take_hold() {
    let (graph, start) = spiral(5000, 30);
    let params = TsneParams { exaggeration_iterations: 30, perplexity: 10.0, ..TsneParams::default() };
    let mut tsne = Tsne::new(&graph, &start, &params).unwrap();
    tsne.run_to(40);
    tsne.set_attraction(&graph, &TsneParams { perplexity: 4.0, ..params }).unwrap();
    assert!((tsne.effective_perplexity() - 4.0).abs() < 1e-6);
    tsne.set_repulsion(Repulsion::BarnesHut);
    tsne.run_to(45);
    assert!(tsne.points().iter().flatten().all(|value| value.is_finite()));
    assert_eq!(tsne.snapshot().params().perplexity, 4.0);
}

#[test]
fn thousands_of_equal_points_and_broken_starts_do_no_harm() {
    let count = 5000;
    let (ring, _) = spiral(count, 12);
    let equal = NeighbourGraph { scores: vec![0.0; count * 12].into(), ..ring };
    for start in [vec![[1.0f32, 1.0]; count], vec![[f32::NAN, f32::INFINITY]; count]] {
        for repulsion in [Repulsion::Automatic, Repulsion::Fft, Repulsion::BarnesHut] {
            let mut tsne = Tsne::new(&equal, &start, &TsneParams { repulsion, ..TsneParams::default() }).unwrap();
            tsne.run_to(30);
            assert!(tsne.points().iter().flatten().all(|value| value.is_finite()));
        }
    }
    // So wide that the grid would not end.
    let far: Vec<[f32; 2]> = (0..count).map(|row| [row as f32 * 1e3, -(row as f32) * 1e4]).collect();
    let affinities = Affinities::from_graph(&equal, 12, 4.0).unwrap();
    for repulsion in [Repulsion::Automatic, Repulsion::Fft] {
        let params = TsneParams { repulsion, ..TsneParams::default() };
        let mut tsne = Tsne::at(affinities.clone(), far.clone(), &params).unwrap();
        tsne.run_to(3);
        assert!(tsne.points().iter().flatten().all(|value| value.is_finite()) && tsne.kl().is_finite());
    }
    for few in [2, 3] {
        let (graph, start) = spiral(few, few - 1);
        let mut tsne =
            Tsne::new(&graph, &start, &TsneParams { repulsion: Repulsion::Fft, ..TsneParams::default() }).unwrap();
        tsne.run_to(300);
        assert!(tsne.points().iter().flatten().all(|value| value.is_finite()));
    }
}
