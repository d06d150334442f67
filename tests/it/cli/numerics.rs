//! Neighbours, clusters, layouts and benchmarks from the command line.

#![allow(clippy::unwrap_used)] // helpers of tests

use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::rig::{Rig, STATIC, lines};
use embedlens::vectors::{Vectors, npy};

/// Three heaps of 60 rows in eight dimensions, with labels; and the same heaps in the plane.
fn heaps(rig: &Rig) {
    let (mut values, mut plane, mut beside) = (Vec::new(), Vec::new(), String::new());
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
    for row in 0..180u32 {
        // A sum of three is dense in the middle.
        let mut noise = || (0..3).map(|_| random.random_range(-0.3f32..0.3)).sum::<f32>();
        let heap = row % 3;
        values.extend((0..8).map(|axis| f32::from(u8::from(axis == heap)) * 4.0 + noise()));
        plane.extend([heap as f32 * 10.0 + noise(), (heap * heap) as f32 * 5.0 + noise()]);
        let word = ["soup", "star", "code"][heap as usize];
        beside += &format!("{{\"path\":\"{word}/{row}.txt\",\"label\":\"{word}\",\"text\":\"a {word} of {row}\"}}\n");
    }
    npy::write(&rig.path("v.npy"), &Vectors::new(values, 8).unwrap()).unwrap();
    npy::write(&rig.path("plane.npy"), &Vectors::new(plane, 2).unwrap()).unwrap();
    for name in ["v", "plane"] {
        rig.file(&format!("{name}.metadata.jsonl"), &beside);
    }
}

fn told(rig: &Rig, args: &[&str]) -> Value {
    rig.run(&[args, &["--json"]].concat()).succeeded().json()
}

#[test]
fn neighbours_are_written_in_every_format() {
    let rig = Rig::new();
    heaps(&rig);
    let found = told(&rig, &["neighbours", "v.npy", "--k", "5", "--metric", "euclidean", "--out", "near.csv"]);
    assert_eq!((&found["rows"], &found["k"], &found["recall"]), (&180.into(), &5.into(), &1.0.into()));
    assert!(found["kernel"].is_string() && found["seconds"]["neighbours"].is_number(), "{found}");
    let table = lines(&rig.path("near.csv"));
    assert_eq!(table.len(), 181);
    assert!(table[0].starts_with("row,path,neighbour_1,") && table[0].ends_with(",score_5"), "{}", table[0]);
    for line in &table[1..] {
        let fields: Vec<&str> = line.split(',').collect();
        let heap = |field: &str| field.parse::<usize>().unwrap() % 3;
        assert!(fields[2..7].iter().all(|near| heap(near) == heap(fields[0])), "{line}");
    }
    told(&rig, &["neighbors", "v.npy", "--approximate", "--out", "near.npy"]);
    let indices = fs_err::read(rig.path("near.indices.npy")).unwrap();
    assert_eq!(indices.len() - 4 * 180 * 15, 128, "whole numbers of four bytes after a header");
    told(&rig, &["neighbours", "v.npy", "--out", "near.npz"]);
    assert!(fs_err::read(rig.path("near.npz")).unwrap().len() > 4 * 180 * 15, "scores are not packed, indices are");
    assert_eq!(npy::read(&rig.path("near.scores.npy")).unwrap().dim(), 15);
    told(&rig, &["neighbours", "v.npy", "--out", "near.jsonl"]);
    let first: Value = serde_json::from_str(&lines(&rig.path("near.jsonl"))[0]).unwrap();
    assert_eq!(first["neighbour"].as_array().unwrap().len(), 15);
    if cfg!(feature = "parquet") {
        told(&rig, &["neighbours", "v.npy", "--metric", "dot", "--exact", "--out", "near.parquet"]);
    }
}

#[test]
fn neighbours_are_named_by_their_number_in_the_file_whatever_was_left_out() {
    let rig = Rig::new();
    // Rows on a line, so that the neighbours of each are the rows before and after it; row 3 is unusable.
    let mut values: Vec<f32> = (0..9).flat_map(|at| [at as f32, 0.5, 1.0, -1.0]).collect();
    values[3 * 4 + 1] = f32::NAN;
    npy::write(&rig.path("v.npy"), &Vectors::new(values, 4).unwrap()).unwrap();
    let args = |out| ["neighbours", "v.npy", "--k", "1", "--metric", "euclidean", "--out", out];
    let found = told(&rig, &args("near.csv"));
    assert_eq!((found["skipped"].as_array().unwrap().len(), &found["skipped"][0]["row"]), (1, &3.into()), "{found}");
    let expected = [(0, 1), (1, 0), (2, 1), (4, 5), (5, 4), (6, 5), (7, 6), (8, 7)];
    for (line, (row, near)) in lines(&rig.path("near.csv"))[1..].iter().zip(expected) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!((fields[0], fields[2]), (row.to_string().as_str(), near.to_string().as_str()), "{line}");
    }
    told(&rig, &args("near.npy"));
    let last = |name: &str, bytes: usize| {
        let file = fs_err::read(rig.path(name)).unwrap();
        file[file.len() - bytes..].to_vec()
    };
    let indices: Vec<u32> = last("near.indices.npy", 32).as_chunks().0.iter().map(|&n| u32::from_le_bytes(n)).collect();
    assert_eq!(indices, expected.map(|(_, near)| near));
    let rows: Vec<i64> = last("near.rows.npy", 64).as_chunks().0.iter().map(|&n| i64::from_le_bytes(n)).collect();
    assert_eq!(rows, expected.map(|(row, _)| i64::from(row)));
}

#[test]
fn clusters_of_a_map_are_its_heaps_and_have_names() {
    let rig = Rig::new();
    heaps(&rig);
    let found = told(&rig, &["cluster", "plane.npy", "--min-size", "25", "--min-samples", "10", "--out", "c.csv"]);
    let clusters = found["clusters"].as_array().unwrap();
    assert_eq!((clusters.len(), &found["rows"]), (3, &180.into()), "{found}");
    assert!(found["noise"].as_f64().unwrap() < 0.1, "{found}");
    assert!(found["seconds"]["layout"].is_null(), "a map needs no layout");
    for (id, cluster) in clusters.iter().enumerate() {
        assert_eq!(cluster["id"], id);
        assert!(cluster["size"].as_u64().unwrap() > 50 && !cluster["name"].as_str().unwrap().is_empty());
    }
    let table = lines(&rig.path("c.csv"));
    assert_eq!(table[0], "row,path,start,end,cluster,name,membership,coarse_cluster,coarse_name");
    assert_eq!(table.len(), 181);
    let of = |heap: usize| -> std::collections::HashSet<&str> {
        let labels = table[1..].iter().skip(heap).step_by(3).map(|line| line.split(',').nth(4).unwrap());
        labels.filter(|&label| label != "-1").collect()
    };
    assert!((0..3).all(|heap| of(heap).len() == 1 && of(heap).is_disjoint(&of((heap + 1) % 3))));

    let laid_out = told(&rig, &["cluster", "v.npy", "--min-size", "25", "--neighbors", "10", "--out", "c.jsonl"]);
    assert!(laid_out["seconds"]["layout"].is_number() && laid_out["trustworthiness"].is_number(), "{laid_out}");
    assert!(!laid_out["clusters"].as_array().unwrap().is_empty());
    for method in ["hdbscan-vectors", "k-means", "density"] {
        let file = if method == "density" { "plane.npy" } else { "v.npy" };
        let found = told(&rig, &["cluster", file, "--method", method, "--k", "3"]);
        assert!(found["clusters"].is_array() && found["noise"].is_number(), "{method}: {found}");
    }
}

#[test]
fn many_clusters_have_a_coarser_level_and_few_points_no_cluster_of_one() {
    let rig = Rig::new();
    heaps(&rig);
    let found = told(&rig, &["cluster", "v.npy", "--method", "k-means", "--k", "30", "--out", "c.csv"]);
    let (fine, coarse) = (found["clusters"].as_array().unwrap(), found["coarse_clusters"].as_array().unwrap());
    assert_eq!((fine.len(), coarse.len()), (30, 9), "{found}");
    let sizes: Vec<u64> = coarse.iter().map(|cluster| cluster["size"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes.iter().sum::<u64>() == 180, "{sizes:?}");
    // A cluster is whole in its coarse one, and no coarse one holds two heaps.
    let table = lines(&rig.path("c.csv"));
    let fields = |line: &str| [4, 7].map(|at| line.split(',').nth(at).unwrap().to_owned());
    let (mut of_fine, mut of_coarse) = (std::collections::HashMap::new(), std::collections::HashMap::new());
    for (row, line) in table[1..].iter().enumerate() {
        let [fine, coarse] = fields(line);
        assert_eq!(*of_fine.entry(fine).or_insert(coarse.clone()), coarse);
        assert_eq!(*of_coarse.entry(coarse).or_insert(row % 3), row % 3);
    }
    // How surely, and which else: shares that fall, and of three clusters sum to 1.
    told(&rig, &["cluster", "v.npy", "--method", "k-means", "--k", "3", "--soft", "--out", "soft.csv"]);
    let table = lines(&rig.path("soft.csv"));
    assert!(
        table[0].ends_with(
            ",soft_1,soft_1_name,soft_1_share,soft_2,soft_2_name,soft_2_share,soft_3,soft_3_name,soft_3_share"
        )
    );
    for line in &table[1..] {
        let fields: Vec<&str> = line.split(',').collect();
        let share = |at: usize| fields[at].parse::<f32>().unwrap();
        assert_eq!((fields[4], fields[6]), (fields[9], fields[11]), "{line}");
        let shares = [11, 14, 17].map(share);
        assert!(shares.is_sorted_by(|a, b| a >= b) && (shares.iter().sum::<f32>() - 1.0).abs() < 2e-3, "{line}");
        assert!(shares[0] > 0.8 && shares[0] < 1.0, "{line}");
    }
    let few = npy::read(&rig.path("plane.npy")).unwrap().select(0..60);
    npy::write(&rig.path("few.npy"), &few).unwrap();
    let found = told(&rig, &["cluster", "few.npy", "--method", "density"]);
    let clusters = found["clusters"].as_array().unwrap();
    assert_eq!(clusters.len(), 3, "{found}");
    assert!(clusters.iter().all(|cluster| cluster["size"].as_u64().unwrap() > 10), "{found}");
}

#[test]
fn clusters_of_a_map_in_space_are_found_in_space() {
    let rig = Rig::new();
    heaps(&rig);
    // Seen from the front all three heaps are one.
    let plane = npy::read(&rig.path("plane.npy")).unwrap();
    let space: Vec<f32> = plane.rows().flat_map(|row| [row[1] / 100.0, row[1] / 100.0, row[0]]).collect();
    npy::write(&rig.path("space.npy"), &Vectors::new(space, 3).unwrap()).unwrap();
    for method in ["hdbscan-map", "density"] {
        let found =
            told(&rig, &["cluster", "space.npy", "--method", method, "--min-size", "25", "--bandwidth", "0.05"]);
        assert_eq!(found["clusters"].as_array().unwrap().len(), 3, "{method}: {found}");
        assert!(found["seconds"]["layout"].is_null(), "it is a map already");
    }
    rig.run(&["render", "space.npy", "--colour-by", "cluster", "--out", "space.svg"]).succeeded();
    assert!(fs_err::read_to_string(rig.path("space.svg")).unwrap().contains("positions as they are"));
    let umap = ["cluster", "v.npy", "--dimensions", "3", "--min-size", "25", "--neighbors", "10"];
    let found = told(&rig, &[&umap[..], &["--min-samples", "10"]].concat());
    assert_eq!(found["clusters"].as_array().unwrap().len(), 3, "{found}");
}

#[test]
fn clusters_of_a_folder_are_told_with_its_files() {
    let rig = Rig::with_notes();
    let found = rig.json(&["cluster", "notes", "--layout", "pca", "--min-size", "2", "--out", "c.csv"]);
    assert_eq!((&found["rows"], &found["items"]), (&5.into(), &5.into()));
    assert!(lines(&rig.path("c.csv"))[1].contains("notes/"));
    let near = rig.json(&["neighbours", "notes", "--k", "2", "--out", "near.csv"]);
    assert_eq!((&near["k"], &near["model"]), (&2.into(), &STATIC[1].into()));
}

#[test]
fn umap_lays_out_in_two_and_three_axes_the_same_every_time() {
    let rig = Rig::new();
    heaps(&rig);
    let umap = ["project", "v.npy", "--method", "umap", "--epochs", "60", "--neighbors", "10"];
    let found = told(&rig, &[&umap[..], &["--out", "map.npy"]].concat());
    assert_eq!(found["dimensions"], 2);
    assert_eq!((&found["neighbour_graph"]["exact"], &found["neighbour_graph"]["recall"]), (&true.into(), &Value::Null));
    for figure in ["trustworthiness", "continuity", "distance_correlation", "neighbour_preservation"] {
        assert!(found[figure].is_number(), "{figure}: {found}");
    }
    told(&rig, &[&umap[..], &["--out", "again.npy", "--threads", "1"]].concat());
    assert_eq!(fs_err::read(rig.path("map.npy")).unwrap(), fs_err::read(rig.path("again.npy")).unwrap());
    let found = told(&rig, &[&umap[..], &["--dimensions", "3", "--by-label", "--out", "space.csv"]].concat());
    assert_eq!(found["dimensions"], 3);
    assert!(lines(&rig.path("space.csv"))[0].ends_with(",label,x,y,z"));
    told(&rig, &[&umap[..], &["--dimensions", "3", "--metric", "cosine", "--out", "space.npy"]].concat());
    assert_eq!(npy::read(&rig.path("space.npy")).unwrap().dim(), 3);
    // Labels that go across the heaps count as much as they are given weight.
    let across: String = (0..180).map(|row| format!("{{\"label\":\"{}\"}}\n", row / 90)).collect();
    rig.file("across.metadata.jsonl", across);
    fs_err::copy(rig.path("v.npy"), rig.path("across.npy")).unwrap();
    let bytes = |more: &[&str]| {
        let args = ["project", "across.npy", "--method", "umap", "--epochs", "60", "--neighbors", "10"];
        told(&rig, &[&args[..], more, &["--out", "other.npy"]].concat());
        fs_err::read(rig.path("other.npy")).unwrap()
    };
    assert!(bytes(&["--by-label", "--label-weight", "0.95"]) != bytes(&["--by-label"]));
    assert!(bytes(&["--repulsion-strength", "2"]) != bytes(&[]));
    // Maps are vectors like any other.
    told(&rig, &["project", "space.npy", "--method", "pca", "--out", "flat.npy"]);
    told(
        &rig,
        &["project", "map.npy", "--method", "tsne", "--iterations", "50", "--perplexity", "5", "--out", "t.csv"],
    );
}

#[test]
fn pacmap_lays_out_in_two_and_three_axes_the_same_every_time() {
    let rig = Rig::new();
    heaps(&rig);
    let pacmap = ["project", "v.npy", "--method", "pacmap", "--iterations", "100", "--neighbors", "8"];
    let found = told(&rig, &[&pacmap[..], &["--out", "map.npy"]].concat());
    assert_eq!((&found["method"], &found["dimensions"]), (&"pacmap".into(), &2.into()));
    assert!(found["trustworthiness"].as_f64().unwrap() > 0.8, "{found}");
    told(&rig, &[&pacmap[..], &["--out", "again.npy", "--threads", "1"]].concat());
    assert_eq!(fs_err::read(rig.path("map.npy")).unwrap(), fs_err::read(rig.path("again.npy")).unwrap());
    let other = ["--dimensions", "3", "--mid-near", "1", "--further", "4", "--neighbors", "0", "--out", "space.npy"];
    told(&rig, &[&["project", "v.npy", "--method", "pacmap"][..], &other].concat());
    assert_eq!(npy::read(&rig.path("space.npy")).unwrap().dim(), 3);
    let args = ["render", "v.npy", "--out", "map.svg", "--method", "pacmap", "--further", "3"];
    rig.run(&args).succeeded();
    let svg = fs_err::read_to_string(rig.path("map.svg")).unwrap();
    assert!(svg.contains("PaCMAP, 10 neighbours, further pairs 3"));
}

#[test]
fn vectors_are_made_shorter_before_they_are_laid_out() {
    let rig = Rig::new();
    heaps(&rig);
    for (way, explained) in [("pca:3", true), ("truncate:4", false), ("random:5", false)] {
        let found = told(&rig, &["project", "v.npy", "--reduce", way, "--out", "map.csv"]);
        let (_, wanted) = way.split_once(':').unwrap();
        assert_eq!(found["reduced"]["dimensions"].to_string(), wanted, "{found}");
        assert_eq!(found["reduced"]["explained_variance"].is_array(), explained, "{found}");
        assert!(found["seconds"]["reduce"].is_number());
    }
}

#[test]
fn benchmarks_end_with_one_line_of_json() {
    let rig = Rig::new();
    heaps(&rig);
    let suites: [(&[&str], &[&str]); 6] = [
        (&["project", "--method", "umap", "--epochs", "20"], &["neighbours", "fuzzy_set", "layout", "quality"]),
        (&["project", "--method", "pacmap", "--iterations", "30"], &["neighbours", "pairs", "layout", "quality"]),
        (&["project", "--method", "tsne", "--iterations", "30"], &["neighbours", "affinities", "layout", "quality"]),
        (&["neighbours", "--k", "7"], &["neighbours", "recall"]),
        (&["pca", "--components", "4"], &["components", "coordinates"]),
        (&["cluster", "--method", "hdbscan-vectors"], &["clusters"]),
    ];
    for (suite, stages) in suites {
        let shared = ["--input", "v.npy", "--runs", "2", "--out", "result.npy", "--threads", "1", "--no-peak"];
        let ran = rig.run(&[&["bench"], suite, &shared, &["--json"]].concat()).succeeded();
        let told: Value = serde_json::from_str(ran.stdout().trim().lines().last().unwrap()).unwrap();
        assert_eq!(told["suite"], suite[0]);
        assert_eq!((&told["rows"], &told["dimensions"], &told["threads"]), (&180.into(), &8.into(), &1.into()));
        for stage in stages.iter().chain(&["load", "total"]) {
            assert!(told["seconds"][stage].is_number(), "{stage}: {told}");
        }
        assert!(told.get("peak_memory_mb").is_some() && told["kernel"].is_string());
    }
    assert_eq!(npy::read(&rig.path("result.npy")).unwrap().len(), 180);
    // Clusters are held against labels: against their own, they agree.
    let made = rig.run(&["bench", "cluster", "--input", "plane.npy", "--runs", "1", "--no-peak", "--out", "c.npy"]);
    made.succeeded();
    let own: Vec<String> = embedlens::vectors::npy::read(&rig.path("c.npy"))
        .unwrap()
        .values()
        .iter()
        .map(|label| format!("{label}\n"))
        .collect();
    rig.file("labels.txt", own.concat());
    rig.file("few.txt", "1\n");
    let against = |file: &str| {
        rig.run(&["bench", "cluster", "--input", "plane.npy", "--runs", "1", "--no-peak", "--labels", file, "--json"])
    };
    assert_eq!(against("labels.txt").succeeded().json()["adjusted_rand"], 1.0);
    assert!(against("few.txt").exits(1).stderr().contains("1 lines"));
    let table = rig.run(&["bench", "cluster", "--input", "plane.npy", "--runs", "1", "--no-peak"]).succeeded().stdout();
    assert!(table.contains("clusters") && table.contains("total"), "{table}");
}

#[test]
fn pictures_name_the_parameters_and_the_clusters() {
    let rig = Rig::new();
    heaps(&rig);
    let umap = ["--method", "umap", "--epochs", "100", "--neighbors", "8", "--min-dist", "0.3"];
    let args = ["render", "v.npy", "--out", "map.svg", "--colour-by", "cluster"];
    rig.run(&[&args[..], &umap].concat()).succeeded();
    let svg = fs_err::read_to_string(rig.path("map.svg")).unwrap();
    assert!(svg.contains("UMAP, 8 neighbours, minimum distance 0.3") && svg.contains("Cluster"));
}

#[test]
fn what_makes_no_sense_is_refused_before_any_work() {
    let rig = Rig::new();
    heaps(&rig);
    for wrong in [
        &["neighbours", "v.npy"][..],
        &["neighbours", "v.npy", "--out", "near.doc"],
        &["neighbours", "v.npy", "--k", "0", "--out", "near.csv"],
        &["neighbours", "v.npy", "--exact", "--approximate", "--out", "near.csv"],
        &["cluster", "v.npy", "--method", "dbscan"],
        &["cluster", "v.npy", "--min-size", "1"],
        &["cluster", "v.npy", "--bandwidth", "0"],
        &["cluster", "v.npy", "--layout", "tsne", "--dimensions", "3"],
        &["project", "v.npy", "--reduce", "pca", "--out", "x.csv"],
        &["project", "v.npy", "--reduce", "pca:0", "--out", "x.csv"],
        &["project", "v.npy", "--method", "tsne", "--dimensions", "3", "--out", "x.csv"],
        &["project", "v.npy", "--method", "umap", "--neighbors", "1", "--out", "x.csv"],
        &["project", "v.npy", "--method", "umap", "--min-dist", "2", "--out", "x.csv"],
        &["project", "v.npy", "--method", "umap", "--by-label", "--label-weight", "2", "--out", "x.csv"],
        &["project", "v.npy", "--method", "umap", "--repulsion-strength", "-1", "--out", "x.csv"],
        &["project", "v.npy", "--method", "pacmap", "--further", "0", "--out", "x.csv"],
        &["project", "v.npy", "--method", "pacmap", "--neighbors", "151", "--out", "x.csv"],
        &["bench", "--input", "v.npy"],
        &["bench", "pca", "--input", "v.npy", "--runs", "0"],
        &["bench", "cluster", "--input", "v.npy", "--method", "density"],
    ] {
        let ran = rig.run(wrong).exits(2);
        assert!(ran.stdout().is_empty() && ran.stderr().contains("--help"), "{wrong:?}: {}", ran.stderr());
    }
    rig.run(&["bench", "pca", "--input", "nowhere.npy"]).exits(1);
    // Several files are one set, which these cannot be.
    for several in [&["neighbours", "v.npy", "plane.npy", "--out", "near.csv"][..], &["bench", "pca", "--input", "."]] {
        let told = rig.run(several).exits(1).stderr();
        assert!(told.contains("its vectors have") && told.contains("give it by itself"), "{told}");
    }
    rig.file("note.md", "Simmer the lentils.");
    rig.run(&["bench", "pca", "--input", "."]).exits(2);
}

#[test]
fn vectors_of_half_precision_are_reduced_where_they_lie() {
    let rig = Rig::new();
    heaps(&rig);
    rig.run(&["embed", "v.npy", "--out", "h.vectors", "--store", "f16"]).succeeded();
    let (decoded, _) = embedlens::vectors::storage::open(&rig.path("h.vectors")).unwrap();
    npy::write(&rig.path("d.npy"), &decoded).unwrap();
    let made = ["h.vectors", "d.npy"].map(|file| {
        let (bench, short) = (format!("{file}.bench.npy"), format!("{file}.short.npy"));
        let args = ["bench", "pca", "--components", "3", "--runs", "1", "--no-peak", "--input", file, "--out", &bench];
        let found = told(&rig, &args);
        assert_eq!((&found["rows"], &found["dimensions"]), (&180.into(), &8.into()), "{found}");
        told(&rig, &["embed", file, "--reduce", "pca:3", "--out", &short]);
        let read = |name: &str| npy::read(&rig.path(name)).unwrap().values().to_vec();
        assert_eq!(read(&bench), read(&short));
        (read(&short), found["explained_variance"].clone())
    });
    assert!(made[0] == made[1] && made[0].0.len() == 180 * 3);
}

#[cfg(unix)]
#[test]
fn an_interrupted_benchmark_ends_with_130() {
    let rig = Rig::new();
    heaps(&rig);
    let args = ["bench", "project", "--input", "v.npy", "--method", "tsne", "--iterations", "100000000"];
    let mut child = rig.command(&args).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// Others are made as short as scikit-learn's PCA makes them (`tests/fixtures/vectors/make_reduced.py`).
#[test]
fn others_are_made_as_short_by_what_was_kept() {
    let rig = Rig::new();
    let fixture = |name: &str| crate::vectors_files::file(name).to_string_lossy().into_owned();
    let (old, new) = (fixture("reduced-old.npy"), fixture("reduced-new.npy"));
    told(&rig, &["embed", &old, "--reduce", "pca:3", "--out", "old.npy"]);
    let expected = npy::read(&crate::vectors_files::file("reduced-expected.npy")).unwrap();
    for kept in ["old.npy", "old.npy.reduction.npz"] {
        let found = told(&rig, &["embed", &new, "--reduce-as", kept, "--out", "new.npy"]);
        assert_eq!(found["models"][0]["reduced"]["dimensions"], 3, "{found}");
        let made = npy::read(&rig.path("new.npy")).unwrap();
        assert_eq!((made.len(), made.dim()), (9, 3));
        assert!(made.values().iter().zip(expected.values()).all(|(made, expected)| (made - expected).abs() < 1e-4));
    }
    // What made them is kept beside these too.
    assert_eq!(
        fs_err::read(rig.path("new.npy.reduction.npz")).unwrap(),
        fs_err::read(rig.path("old.npy.reduction.npz")).unwrap()
    );
    let other = rig.run(&["embed", "new.npy", "--reduce-as", "old.npy", "--out", "other.npy"]).exits(2).stderr();
    assert!(other.contains("it makes vectors of 6 dimensions shorter, these have 3"), "{other}");
    let none = rig.run(&["embed", &new, "--reduce-as", &old, "--out", "other.npy"]).exits(1).stderr();
    assert!(none.contains("nothing is kept beside it") && none.contains("embed --reduce"), "{none}");
    let over = rig.run(&["embed", &new, "--reduce-as", "old.npy", "--out", "old.npy"]).exits(2).stderr();
    assert!(over.contains("would write over the input"), "{over}");
}

#[test]
fn parameters_that_cannot_be_get_a_word() {
    let rig = Rig::new();
    heaps(&rig);
    let notes = |args: &[&str]| {
        let ran = rig.run(&[args, &["--json"]].concat()).succeeded();
        let (said, found) = (ran.stderr(), ran.json());
        let notes: Vec<String> = serde_json::from_value(found["notes"].clone()).unwrap();
        assert!(notes.iter().all(|note| said.contains(note.as_str())), "{notes:?} in {said}");
        notes.join("; ")
    };
    let project = |more: &[&str]| notes(&[&["project", "v.npy", "--out", "m.csv"], more].concat());
    let fast = ["--method", "tsne", "--iterations", "20"];
    let large = project(&[&fast[..], &["--perplexity", "5000"]].concat());
    assert!(large.contains("Perplexity 5000 is too large for 180 rows") && large.contains("59.7 was taken"), "{large}");
    let small = project(&[&fast[..], &["--perplexity", "0.5"]].concat());
    assert!(small.contains("Perplexity 0.5 is too small: 1 was taken"), "{small}");
    let umap = project(&["--method", "umap", "--epochs", "5", "--neighbors", "500"]);
    assert!(umap.contains("500 neighbours a point; 180 rows allow 180"), "{umap}");
    let reduced = project(&["--method", "pca", "--reduce", "pca:20"]);
    assert!(reduced.contains("pca:20 asks for more dimensions than the vectors have: 8 were taken"), "{reduced}");
    let near = notes(&["neighbours", "v.npy", "--k", "400", "--out", "near.csv"]);
    assert!(near.contains("400 neighbours were asked for; 180 rows allow 179"), "{near}");
    let bench = ["bench", "pca", "--input", "v.npy", "--components", "9", "--runs", "1", "--no-peak"];
    assert!(notes(&bench).contains("pca:9 asks for more dimensions"));
    assert_eq!(project(&["--method", "pca"]), "");
}
