//! Maps as tables and as pictures.

use super::rig::{Rig, STATIC, lines};

#[test]
fn a_map_has_a_row_for_each_chunk_whether_from_files_or_vectors() {
    let rig = Rig::with_notes();
    let told = rig.json(&["project", "notes", "--method", "pca", "--out", "map.csv"]);
    assert_eq!(told["rows"], 5);
    // Too few to judge.
    assert!(told["trustworthiness"].is_null() && told["neighbour_preservation"].is_null());
    assert!(told["explained_variance"].as_array().unwrap().len() >= 2);
    assert!(told.get("peak_memory_mb").is_some());
    for stage in ["load", "embed", "neighbours", "layout", "total"] {
        assert!(told["seconds"][stage].is_number(), "{told}");
    }
    let table = lines(&rig.path("map.csv"));
    assert_eq!((table[0].as_str(), table.len()), ("row,path,start,end,modality,label,x,y", 6));

    rig.json(&["embed", "notes", "--out", "vectors.npy"]);
    rig.run(&["project", "vectors.npy", "--method", "pca", "--out", "again.csv"]).succeeded();
    assert_eq!(lines(&rig.path("again.csv")), table);
    let live =
        |out| rig.run(&["project", "vectors.npy", "--method", "tsne", "--iterations", "60", "--out", out, "--json"]);
    let told = live("t1.npy").succeeded().json();
    assert!(told["explained_variance"].is_null() && told["kl"].as_array().unwrap().len() == 2, "{told}");
    live("t2.npy").succeeded();
    assert_eq!(fs_err::read(rig.path("t1.npy")).unwrap(), fs_err::read(rig.path("t2.npy")).unwrap());
}

#[test]
fn a_map_is_drawn_without_a_display() {
    let rig = Rig::with_notes();
    let told =
        rig.json(&["render", "notes", "--out", "map.png", "--width", "400", "--height", "300", "--title", "Notes"]);
    assert_eq!((&told["width"], &told["height"], &told["points"]), (&400.into(), &300.into(), &5.into()));
    let png = fs_err::read(rig.path("map.png")).unwrap();
    assert_eq!(&png[..4], b"\x89PNG");
    for column in ["language", "size", "modified", "truncated"] {
        rig.json(&["render", "notes", "--out", "map.png", "--width", "200", "--height", "200", "--colour-by", column]);
    }
    rig.json(&["render", "notes", "--out", "map.svg", "--theme", "dark", "--colour-by", "modality", "--density"]);
    let svg = fs_err::read_to_string(rig.path("map.svg")).unwrap();
    assert!(svg.contains("<svg") && svg.contains("code"));
    assert!(!svg.contains("evenodd") && !svg.contains("densest"), "five points are nowhere dense");
    let heap: String = (0..40).map(|at| format!("{},{}\n", (at * 7) % 11, (at * 5) % 13)).collect();
    rig.file("heap.csv", format!("x,y\n{heap}"));
    rig.json(&["render", "heap.csv", "--out", "heap.svg", "--density"]);
    let svg = fs_err::read_to_string(rig.path("heap.svg")).unwrap();
    assert!(svg.matches("evenodd").count() == 5 && svg.contains("densest 10, 25, 50, 75 and 90 %"));
}

#[cfg(feature = "parquet")]
#[test]
fn a_map_of_a_file_is_coloured_by_any_of_its_columns() {
    let rig = Rig::new();
    let rich = crate::vectors_files::file("rich.parquet").display().to_string();
    for (column, shown) in [
        ("year", [">1990<", ">1996<", ">year<"]),
        ("DATE", [">2024-02-28<", ">2024-03-05<", ">date<"]),
        ("author", [">Ann<", ">Bo<", ">No author<"]),
        ("seen", [">true<", ">false<", ">No seen<"]),
    ] {
        rig.run(&["render", &rich, "--out", "map.svg", "--colour-by", column]).succeeded();
        let svg = fs_err::read_to_string(rig.path("map.svg")).unwrap();
        shown.iter().for_each(|words| assert!(svg.contains(words), "{column}: {words}"));
    }
    let told = rig.run(&["render", &rich, "--out", "map.svg", "--colour-by", "yeer"]).exits(2).stderr();
    assert!(told.contains("yeer") && told.contains("folder") && told.contains("year, author"), "{told}");
}

#[test]
fn an_engine_for_few_points_fails_before_anything_is_embedded() {
    let rig = Rig::new();
    rig.file("many.txt", "one two three four five\n\n".repeat(5200));
    let args = ["project", "many.txt", "--out", "x.csv", "--method", "tsne", "--engine", "linfa"];
    let chunks = ["--chunk-tokens", "5", "--overlap-tokens", "0"];
    let ran = rig.run(&[&args[..], &chunks, STATIC].concat()).exits(1);
    assert!(ran.stderr().contains("5000"), "{}", ran.stderr());
    assert!(!rig.path("cache/vectors").exists(), "nothing was embedded");
}

#[test]
fn vectors_of_three_dimensions_are_the_axes_they_are() {
    let rig = Rig::with_notes();
    rig.json(&["project", "notes", "--method", "pca", "--dimensions", "3", "--out", "space.npy"]);
    let told = rig.run(&["project", "space.npy", "--out", "again.npy", "--json"]).succeeded().json();
    assert_eq!((&told["method"], &told["dimensions"]), (&"given".into(), &3.into()));
    assert_eq!(fs_err::read(rig.path("again.npy")).unwrap(), fs_err::read(rig.path("space.npy")).unwrap());
    rig.run(&["render", "space.npy", "--out", "map.png", "--width", "200", "--height", "200"]).succeeded();
}

#[test]
fn a_map_in_a_table_is_read_as_a_map_again() {
    let rig = Rig::with_notes();
    rig.json(&["project", "notes", "--method", "pca", "--out", "map.csv"]);
    let told = rig.run(&["project", "map.csv", "--out", "again.csv", "--json"]).succeeded().json();
    assert_eq!(
        (&told["method"], &told["rows"], &told["model"]),
        (&"given".into(), &5.into(), &serde_json::Value::Null)
    );
    assert_eq!(lines(&rig.path("again.csv")), lines(&rig.path("map.csv")));
    let told = rig.run(&["cluster", "map.csv", "--out", "found.csv", "--json"]).succeeded().json();
    assert_eq!((&told["rows"], &told["seconds"]["embed"]), (&5.into(), &0.0.into()));
    let told = rig.run(&["render", "map.csv", "--out", "map.png", "--json"]).succeeded().json();
    assert_eq!((&told["method"], &told["points"]), (&"given".into(), &5.into()));
    // Vectors with the columns of their file, into every other form and back to a table.
    rig.file("n.csv", "id,a,b,c\n7,1,0,0.5\n9,0,1,0\n");
    rig.run(&["embed", "n.csv", "--out", "n.tsv"]).succeeded();
    assert_eq!(lines(&rig.path("n.tsv")), ["1\t0\t0.5", "0\t1\t0"]);
    let beside = lines(&rig.path("n.metadata.tsv"));
    assert!(beside[0].ends_with("\tmodel\tid") && beside[2].ends_with("\t9"), "{beside:?}");
    // Among other files such a table is a text, as it is in a folder.
    rig.file("notes/table.csv", "x,y\n1,2\n3,4\n");
    let told = rig.run(&["project", "notes", "map.csv", "--out", "both.csv", "--json"]).succeeded().json();
    assert_eq!(told["rows"], 7);
}
