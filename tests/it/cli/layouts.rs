//! Layouts that go on after a kill, neighbours kept on disk, other rows placed on a map.

#![allow(clippy::unwrap_used)] // helpers of tests

use embedlens::vectors::arrays::NamedArrays;
use embedlens::vectors::{Vectors, npy};
use rand::{Rng, SeedableRng};

use super::rig::{Rig, lines};

/// So many rows of twelve values around six centres.
fn vectors(rows: usize, seed: u64) -> Vectors {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let mut values = Vec::new();
    for row in 0..rows {
        values
            .extend((0..12).map(|axis| f32::from(u8::from(axis == row % 6)) * 3.0 + random.random_range(-1.0f32..1.0)));
    }
    Vectors::new(values, 12).unwrap()
}

fn kept(rig: &Rig, folder: &str, ending: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs_err::read_dir(rig.path("cache").join(folder)) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|end| end == ending)).collect()
}

#[cfg(unix)]
#[test]
fn a_layout_goes_on_after_a_kill_to_the_same_bytes() {
    let rig = Rig::new();
    npy::write(&rig.path("v.npy"), &vectors(1500, 1)).unwrap();
    for (method, amount, word) in [
        ("tsne", ["--iterations", "8000"], "t-SNE continued from"),
        ("umap", ["--epochs", "40000"], "UMAP continued from"),
        ("pacmap", ["--iterations", "60000"], "PaCMAP continued from"),
    ] {
        let args =
            |out: &'static str| [vec!["project", "v.npy", "--method", method, "--out", out], amount.to_vec()].concat();
        let mut child = rig.command(&args("first.npy")).spawn().unwrap();
        while kept(&rig, "layouts", "layout").is_empty() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let was_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        let second = rig.run(&args("second.npy")).succeeded();
        assert!(!was_running || second.stderr().contains(word), "{}", second.stderr());
        assert!(kept(&rig, "layouts", "layout").is_empty(), "a finished layout needs no state");
        let whole = [args("whole.npy"), vec!["--no-cache"]].concat();
        let whole = rig.run(&whole).succeeded();
        assert!(!whole.stderr().contains("continued") && !whole.stderr().contains("cache"), "{}", whole.stderr());
        let bytes = |name: &str| fs_err::read(rig.path(name)).unwrap();
        assert!(bytes("second.npy") == bytes("whole.npy"), "{method}");
    }
}

#[test]
fn neighbours_are_found_once_and_extended_by_new_rows() {
    let rig = Rig::new();
    let all = vectors(900, 2);
    npy::write(&rig.path("v.npy"), &all.select(0..800)).unwrap();
    npy::write(&rig.path("more.npy"), &all).unwrap();
    let run = |file: &str, method: &str, more: &[&str]| {
        let args = [&["project", file, "--method", method, "--out", "m.npy", "--epochs", "20"], more].concat();
        rig.run(&args).succeeded().stderr()
    };
    assert!(!run("v.npy", "umap", &[]).contains("Neighbours"), "the first time they are found");
    assert_eq!(kept(&rig, "graphs", "graph").len(), 1);
    let first = fs_err::read(rig.path("m.npy")).unwrap();
    assert!(run("v.npy", "umap", &[]).contains("Neighbours from the cache"));
    assert!(first == fs_err::read(rig.path("m.npy")).unwrap());
    assert!(run("v.npy", "tsne", &["--iterations", "20"]).contains("Neighbours from the cache"), "another method");
    assert!(run("more.npy", "umap", &[]).contains("Neighbours of 800 rows from the cache, extended by 100 new rows"));
    let extended = fs_err::read(rig.path("m.npy")).unwrap();
    assert!(!run("more.npy", "umap", &["--no-cache"]).contains("Neighbours"));
    assert!(extended == fs_err::read(rig.path("m.npy")).unwrap(), "as if they were found anew");
    // Damage is told, and they are found again.
    for path in kept(&rig, "graphs", "graph") {
        let mut bytes = fs_err::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(&path, bytes).unwrap();
    }
    assert!(run("v.npy", "umap", &[]).contains("damaged"));
    assert!(first == fs_err::read(rig.path("m.npy")).unwrap());
}

#[test]
fn other_rows_are_placed_on_a_map_that_stays() {
    let rig = Rig::new();
    let all = vectors(330, 3);
    npy::write(&rig.path("old.npy"), &all.select(0..300)).unwrap();
    npy::write(&rig.path("new.npy"), &all.select(300..330)).unwrap();
    npy::write(&rig.path("short.npy"), &Vectors::new(vec![0.5; 12], 4).unwrap()).unwrap();
    for method in ["pca", "tsne", "umap", "pacmap"] {
        let args = ["project", "old.npy", "--method", method, "--iterations", "300", "--out", "m.csv", "--json"];
        rig.run(&args).succeeded();
        let alone = lines(&rig.path("m.csv"));
        let told = rig.run(&[&args[..], &["--place", "new.npy"]].concat()).succeeded().json();
        assert_eq!(lines(&rig.path("m.csv")), alone, "{method}: the old points stay");
        assert_eq!(told["placed"]["rows"], 30);
        assert_eq!(lines(&rig.path("m-placed.csv")).len(), 31);
    }
    let wrong = rig.run(&["project", "old.npy", "--method", "umap", "--place", "short.npy", "--out", "m.csv"]).exits(2);
    assert!(wrong.stderr().contains("4 dimensions"), "{}", wrong.stderr());
    rig.file("texts/a.txt", "Soup.");
    rig.run(&["project", "old.npy", "--method", "umap", "--place", "texts", "--out", "m.csv"]).exits(2);
}

#[test]
fn options_of_another_method_are_told() {
    let rig = Rig::new();
    npy::write(&rig.path("v.npy"), &vectors(60, 3)).unwrap();
    let run = |more: &[&str]| rig.run(&[&["project", "v.npy", "--out", "m.npy"], more].concat()).succeeded().stderr();
    let told = run(&["--perplexity", "5", "--epochs", "9"]);
    assert!(told.contains("--perplexity changes nothing: it is an option of t-SNE, and the method is PCA"), "{told}");
    assert!(told.contains("--epochs changes nothing: it is an option of UMAP"), "{told}");
    let told = run(&["--method", "tsne", "--neighbors", "5", "--perplexity", "5"]);
    assert!(told.contains("--neighbors changes") && !told.contains("--perplexity"), "{told}");
    let wrong = rig.run(&["project", "v.npy", "--method", "umap", "--by-label", "--out", "m.npy"]).exits(2);
    assert!(wrong.stderr().contains("no row has one"), "{}", wrong.stderr());
}

#[test]
fn the_ways_of_t_sne_can_be_chosen() {
    let rig = Rig::new();
    npy::write(&rig.path("v.npy"), &vectors(300, 4)).unwrap();
    let run = |more: &[&str]| {
        let args = [&["project", "v.npy", "--method", "tsne", "--iterations", "60", "--out", "m.npy"], more].concat();
        rig.run(&args).succeeded();
        fs_err::read(rig.path("m.npy")).unwrap()
    };
    let usual = run(&[]);
    assert!(usual == run(&["--repulsion", "exact"]), "so few points are laid out by all pairs");
    for more in
        [["--uniform", "10"], ["--early-exaggeration", "4"], ["--exaggeration-iterations", "5"], ["--repulsion", "fft"]]
    {
        assert!(usual != run(&more), "{more:?}");
    }
    rig.run(&["project", "v.npy", "--uniform", "10", "--perplexity", "9", "--out", "m.npy"]).exits(2);
}

#[test]
fn what_is_placed_is_made_as_short_as_what_is_on_the_map() {
    let rig = Rig::new();
    let noise = |rows: usize, from: usize| -> Vec<f32> {
        (from..from + rows * 12).map(|at| ((at * 7919 % 104_729) as f32 * 0.613).sin() + 0.2).collect()
    };
    for (name, rows, from) in [("old.npy", 60, 0), ("new.npy", 7, 5000)] {
        npy::write(&rig.path(name), &Vectors::new(noise(rows, from), 12).unwrap()).unwrap();
    }
    let read = |name: &str| npy::read(&rig.path(name)).unwrap();
    for way in ["pca:4", "truncate:4", "random:4"] {
        let args = ["project", "old.npy", "--reduce", way, "--method", "pca", "--place", "new.npy", "--out", "a.npy"];
        rig.run(&args).succeeded();
        let told = rig.run(&["embed", "old.npy", "--reduce", way, "--out", "short.npy", "--json"]).succeeded().json();
        let fitted = told["models"][0]["reduced"]["fitted"].as_str().unwrap();
        assert!(fitted.ends_with("short.npy.reduction.npz"), "{told}");
        // A row by hand, as the help tells: (x - mean) @ components.T
        let mut file = NamedArrays::open(&rig.path("short.npy.reduction.npz")).unwrap();
        let listed = file.arrays.clone();
        let mut array = |name: &str| file.vectors(listed.iter().find(|array| array.name == name).unwrap()).unwrap();
        let (components, mean) = (array("components"), array("mean"));
        let (row, short) = (read("old.npy").row(9).to_vec(), read("short.npy"));
        let along = |direction: &[f32]| {
            row.iter().zip(mean.row(0)).zip(direction).map(|((x, mean), along)| (x - mean) * along).sum::<f32>()
        };
        let scale = if way.starts_with("truncate") { short.row(9)[0] / row[0] } else { 1.0 };
        for (direction, found) in components.rows().zip(short.row(9)) {
            assert!((along(direction) * scale - found).abs() < 1e-5, "{way}: {found}");
        }
        rig.run(&["project", "short.npy", "--method", "pca", "--place", "new.npy", "--out", "b.npy"]).succeeded();
        for (ours, theirs) in [("a.npy", "b.npy"), ("a-placed.npy", "b-placed.npy")] {
            assert_eq!(read(ours).values(), read(theirs).values(), "{way}");
        }
        assert_eq!(read("b-placed.npy").len(), 7);
    }
    let args = ["project", "short.npy", "--method", "pca", "--place", "new.npy", "--out", "b.npy"];
    rig.run(&["embed", "old.npy", "--reduce", "truncate:4", "--out", "short.npz"]).succeeded();
    rig.run(&args).succeeded();
    assert_eq!(read("a-placed.npy").values(), read("b-placed.npy").values(), "another file's way is not taken");
    rig.run(&[&args[..], &["--reduce", "pca:3"]].concat()).succeeded();
    rig.run(&["embed", "old.npy", "--out", "short.npy"]).succeeded();
    assert!(!rig.path("short.npy.reduction.npz").exists(), "what is written whole has no such file");
    // As many dimensions as before: placed by the same way, but for rows that were made by it themselves.
    rig.run(&["embed", "old.npy", "--reduce", "pca:12", "--out", "short.npy"]).succeeded();
    for same in ["old.npy", "short.npy"] {
        rig.run(&["project", "short.npy", "--method", "pca", "--place", same, "--out", "b.npy"]).succeeded();
        let (map, placed) = (read("b.npy"), read("b-placed.npy"));
        let off = map.values().iter().zip(placed.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-4, "{same}: {off}");
    }
    rig.run(&["embed", "old.npy", "--reduce", "pca:4", "--out", "short.npy"]).succeeded();
    fs_err::remove_file(rig.path("short.npy.reduction.npz")).unwrap();
    assert!(rig.run(&args).exits(2).stderr().contains(".reduction.npz"));
}
