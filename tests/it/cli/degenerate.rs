//! Inputs at the edge (one row, two, all the same, broken ones, thousands of three kinds) through every method; and threads, which change
//! no byte.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::rig::Rig;
use embedlens::vectors::{Vectors, npy};

const LAYOUTS: [&[&str]; 4] = [
    &["--method", "pca"],
    &["--method", "tsne", "--iterations", "60"],
    &["--method", "umap", "--epochs", "30"],
    &["--method", "pacmap", "--iterations", "60"],
];
const GROUPINGS: [&str; 4] = ["hdbscan-map", "hdbscan-vectors", "k-means", "density"];

fn write(rig: &Rig, name: &str, values: Vec<f32>, dim: usize) {
    npy::write(&rig.path(name), &Vectors::new(values, dim).unwrap()).unwrap();
}

/// Values that differ from row to row.
fn noise(rows: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    (0..rows * dim).map(|_| random.random_range(-1.0f32..1.0)).collect()
}

fn told(rig: &Rig, args: &[&str]) -> Value {
    rig.run(&[args, &["--json"]].concat()).succeeded().json()
}

#[test]
fn every_method_takes_inputs_at_the_edge() {
    let rig = Rig::new();
    let dim = 6;
    write(&rig, "one.npy", noise(1, dim, 1), dim);
    write(&rig, "two.npy", noise(2, dim, 2), dim);
    write(&rig, "equal.npy", [0.5, -0.25, 0.0, 1.0, 0.0, 2.0].repeat(90), dim);
    let mut broken = noise(50, dim, 3);
    (broken[7], broken[31 * dim], broken[32 * dim]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    write(&rig, "broken.npy", broken, dim);
    write(&rig, "three.npy", noise(3, dim, 4).repeat(2000), dim);
    for (name, rows) in [("one", 1), ("two", 2), ("equal", 90), ("broken", 47), ("three", 6000)] {
        let file = format!("{name}.npy");
        for layout in LAYOUTS {
            let found = told(&rig, &[&["project", &file, "--out", "map.npy"], layout].concat());
            let map = npy::read(&rig.path("map.npy")).unwrap();
            assert_eq!((map.len(), &found["rows"]), (rows, &rows.into()), "{name} {layout:?}");
            assert!(map.values().iter().all(|value| value.is_finite()), "{name} {layout:?}");
            let trust = found["trustworthiness"].as_f64();
            assert!(trust.is_none_or(|trust| (0.0..=1.0).contains(&trust)), "{name} {layout:?}: {found}");
            let nothing = found["notes"].to_string().contains("All vectors are equal: this map shows nothing");
            // Of one point, and of two, every map keeps all: that is no figure to be told.
            assert_eq!(trust.is_none(), rows < 12 || name == "equal", "{name} {layout:?}: {found}");
            assert_eq!(nothing, name == "equal", "{name} {layout:?}: {found}");
        }
        let words = rig.run(&["project", &file, "--method", "pca", "--out", "map.npy"]).succeeded().stdout();
        assert_eq!(words.contains("too few points to judge it"), rows < 12, "{name}: {words}");
        for method in GROUPINGS {
            let found = told(&rig, &["cluster", &file, "--method", method, "--layout", "pca", "--k", "4"]);
            let clusters = found["clusters"].as_array().unwrap();
            let size: u64 = clusters.iter().map(|cluster| cluster["size"].as_u64().unwrap()).sum();
            assert!(
                size <= rows as u64 && clusters.iter().all(|cluster| cluster["size"] != 0),
                "{name} {method}: {found}"
            );
            assert!(name != "equal" || clusters.is_empty(), "{method}: {found}");
            if name == "three" {
                assert_eq!(clusters.len(), 3, "{method}: {found}");
            }
        }
        for way in ["--exact", "--approximate"] {
            let found = told(&rig, &["neighbours", &file, way, "--k", "5", "--out", "near.npz"]);
            assert_eq!(found["rows"], rows);
        }
    }
}

#[test]
fn threads_change_no_byte() {
    let rig = Rig::new();
    let mut values = noise(9000, 24, 5);
    for (row, line) in values.chunks_mut(24).enumerate() {
        line[row % 5] += 3.0;
    }
    write(&rig, "v.npy", values[..2500 * 24].to_vec(), 24);
    write(&rig, "many.npy", values, 24);
    let runs: [(&[&str], &str); 7] = [
        (&["project", "v.npy", "--method", "pca"], "out.npy"),
        (&["project", "v.npy", "--method", "tsne", "--iterations", "60"], "out.npy"),
        (&["project", "v.npy", "--method", "umap", "--epochs", "30"], "out.npy"),
        (&["cluster", "v.npy", "--method", "hdbscan-vectors"], "out.csv"),
        (&["cluster", "v.npy", "--method", "hdbscan-map", "--layout", "pca"], "out.csv"),
        (&["neighbours", "many.npy", "--exact"], "out.npz"),
        (&["neighbours", "many.npy", "--approximate"], "out.npz"),
    ];
    for (args, out) in runs {
        let bytes = |threads: &str| {
            rig.run(&[args, &["--out", out, "--threads", threads, "--no-cache", "--quiet"]].concat()).succeeded();
            fs_err::read(rig.path(out)).unwrap()
        };
        let one = bytes("1");
        assert!(bytes("2") == one && bytes("4") == one, "{args:?}");
    }
}
