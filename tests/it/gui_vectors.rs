//! Files of vectors in the window: opened, dropped, looked at.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use eframe::egui;
use egui_kittest::kittest::Queryable;
use embedlens::models::ModelId;
use embedlens::projection::Method;
use embedlens::ui::context::MapChoice;
#[cfg(feature = "parquet")]
use {embedlens::progress::Progress, embedlens::tasks, embedlens::vectors::RowId, embedlens::workspace::Column};

use super::gui::Rig;
use super::vectors_files::file;

#[test]
fn a_file_of_vectors_opens_with_its_map_and_no_model_embeds_unasked() {
    let mut rig = Rig::open(&file("vecs.tsv"));
    rig.settle();
    let document = rig.harness.state().document();
    let id = ModelId("vectors:vecs.tsv".into());
    assert_eq!(document.shown.as_ref(), Some(&id));
    assert!(document.models.iter().all(|model| model.set.is_some() == (model.card.id == id)));
    let model = document.model(&id).unwrap();
    assert_eq!(model.map.method, Some(Method::Pca));
    assert_eq!(model.map.layout.as_ref().unwrap().len(), 7);
    rig.harness.get_by_label("birds, 2 points");

    // A row's neighbours need no model; a typed query is not answered, with the reason.
    rig.click("Items");
    rig.click("Item vecs.tsv/birds/row 2");
    rig.until("the row was looked at", |app| app.document().inspection.is_some());
    let found = rig.harness.state().document().inspection.clone().unwrap();
    assert_eq!((found.nearest[0].1.len(), found.explained.len()), (6, 0));
    rig.type_query("heron");
    let answer = rig.harness.state().document().answer.clone().unwrap();
    assert!(answer.groups.is_empty() && answer.unanswered[0].1.contains("choose a row to see its neighbours"));
}

#[cfg(feature = "parquet")]
#[test]
fn positions_are_shown_as_they_are_and_come_back_after_another_method() {
    let mut rig = Rig::open(&file("vecs.tsv"));
    rig.settle();
    rig.drop_on_window(&file("plane.parquet"));
    rig.settle();
    let id = ModelId("vectors:plane.parquet".into());
    let shown = |rig: &Rig| {
        let document = rig.harness.state().document();
        // The file before is gone with its rows.
        assert!(document.model(&ModelId("vectors:vecs.tsv".into())).is_none());
        let map = &document.model(&id).unwrap().map;
        (map.method, map.layout.as_ref().unwrap().points()[6])
    };
    assert_eq!(shown(&rig), (None, [6.0, 12.0]));
    rig.click("PCA");
    rig.settle();
    assert_eq!(shown(&rig).0, Some(Method::Pca));
    rig.click("As it is");
    rig.settle();
    assert_eq!(shown(&rig), (None, [6.0, 12.0]));
}

#[cfg(feature = "parquet")]
#[test]
fn positions_in_space_are_shown_as_they_are_and_turn() {
    let mut rig = Rig::open(&file("space.parquet"));
    rig.settle();
    let id = ModelId("vectors:space.parquet".into());
    let map = |rig: &Rig| rig.harness.state().document().model(&id).unwrap().map.clone();
    let seen = map(&rig);
    assert_eq!((seen.method, seen.layout.as_ref().unwrap().points()[6]), (None, [6.0, 12.0]));
    assert!(seen.turns() && seen.layout.unwrap().frame().is_some());
    rig.harness.get_by_label("Positions as they stand in the file");
    rig.click("UMAP");
    rig.settle();
    assert!(!map(&rig).is_given());
    rig.click("As it is");
    rig.settle();
    assert!(map(&rig).is_given() && map(&rig).turns());
}

#[test]
fn density_is_found_when_it_is_shown_and_follows_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let line = |at: usize| {
        let (x, y) = ((at as f32).sin(), (at as f32 * 1.7).cos());
        let (label, far) = if at.is_multiple_of(3) { ("few", 9.0) } else { ("many", 0.0) };
        format!("{},{y},{label}\n", x + far)
    };
    let text: String = std::iter::once("x,y,label\n".to_owned()).chain((0..90).map(line)).collect();
    fs_err::write(folder.path().join("heaps.csv"), text).unwrap();
    let mut rig = Rig::open(&folder.path().join("heaps.csv"));
    rig.settle();
    let dense = |rig: &Rig| {
        let document = rig.harness.state().document();
        let map = &document.model(&ModelId("vectors:heaps.csv".into())).unwrap().map;
        let (layout, styles) = map.seen(MapChoice::Shown).unwrap();
        let found = map.densities.get(&MapChoice::Shown)?;
        assert!(found.is_of(layout, styles));
        Some(found.id())
    };
    assert_eq!(dense(&rig), None, "nothing is found before it is asked for");
    rig.key(egui::Modifiers::NONE, egui::Key::D);
    rig.settle();
    let all = dense(&rig).unwrap();
    rig.choose("many, 60 points");
    rig.settle();
    assert_ne!(dense(&rig).unwrap(), all, "what is hidden is not dense");
    rig.choose("UMAP");
    rig.settle();
    assert!(dense(&rig).is_some(), "another map has its own");
}

#[cfg(feature = "parquet")]
#[test]
fn other_columns_of_a_file_colour_the_map_sort_the_items_and_are_read() {
    let mut rig = Rig::open(&file("rich.parquet"));
    rig.settle();
    let column = |rig: &Rig, name: &str| {
        let corpus = rig.harness.state().document().corpus.clone().unwrap();
        Column::others(&corpus).find(|other| other.name(&corpus) == name).unwrap()
    };
    // A list that no row has a value of, and one that cannot be kept, are not offered.
    let corpus = rig.harness.state().document().corpus.clone().unwrap();
    let names: Vec<&str> = corpus.heads().iter().map(|head| head.name.as_str()).collect();
    let expected = ["id", "title", "label", "year", "author", "score", "weight", "seen", "hash", "date", "at", "z"];
    assert_eq!(names, expected);
    let legend = |rig: &Rig| {
        let document = rig.harness.state().document();
        let model = document.model(&ModelId("vectors:rich.parquet".into())).unwrap();
        model.map.styles[&MapChoice::Shown].legend().clone()
    };
    let colour = |rig: &mut Rig, before: &str, name: &str| {
        // A list that is open still is not opened again, which would close it.
        if rig.harness.query_by_label(name).is_none() {
            rig.choose(&format!("Colour by {before}"));
            rig.harness.run_steps(4);
        }
        rig.choose(name);
        rig.settle();
    };
    // Numbers and days by a scale with their own values, words by categories.
    colour(&mut rig, "label", "year");
    let scale = legend(&rig).scale.unwrap();
    assert_eq!((scale.label_at(0.0), scale.label_at(1.0)), ("1990".to_owned(), "1996".to_owned()));
    colour(&mut rig, "year", "date");
    let scale = legend(&rig).scale.unwrap();
    assert_eq!((scale.label_at(0.0), scale.label_at(1.0)), ("2024-02-28".to_owned(), "2024-03-05".to_owned()));
    colour(&mut rig, "date", "author");
    let entries: Vec<(String, usize)> =
        legend(&rig).entries.iter().map(|entry| (entry.label.clone(), entry.count)).collect();
    assert_eq!(entries, [("Ann".to_owned(), 3), ("Bo".to_owned(), 2), ("No author".to_owned(), 2)]);

    // Sorted by one, which stands at the right; a row tells all of them.
    rig.click("Items");
    rig.choose("Sort by another column, now tokens");
    rig.harness.run_steps(4);
    rig.choose("score");
    rig.settle();
    let order = rig.harness.state().document().item_order.clone();
    assert_eq!((order.by, order.rows[0], order.rows[6]), (Some(column(&rig, "score")), RowId(4), RowId(1)));
    rig.choose("Item rich.parquet/5/1.md");
    rig.settle();
    rig.harness.get_by_label("Field year");
    rig.choose("All fields");
    rig.harness.get_by_label("2024-02-29T23:59:59.500001Z");
    assert!(rig.harness.query_by_label("Field score").is_none(), "a row without a score has no line of it");

    // The same file read again keeps the column, another one has the folder.
    rig.key(egui::Modifiers::COMMAND, egui::Key::R);
    rig.settle();
    rig.harness.get_by_label("Colour by author");
    rig.drop_on_window(&file("vecs.tsv"));
    rig.settle();
    rig.harness.get_by_label("Colour by label");
}

#[cfg(feature = "parquet")]
#[test]
fn what_the_window_saves_of_a_file_is_what_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let given = tasks::import_vectors(&file("rich.parquet"), &Progress::new()).unwrap();
    let mut rig = Rig::open(&file("rich.parquet"));
    rig.settle();
    let document = rig.harness.state().document();
    let (corpus, model) =
        (document.corpus.clone().unwrap(), &document.models.iter().find(|m| m.set.is_some()).unwrap());
    let set = model.set.clone().unwrap();
    for ending in ["parquet", "npz", "npy"] {
        let (ours, theirs) = (folder.path().join(format!("a.{ending}")), folder.path().join(format!("b.{ending}")));
        tasks::export_vectors(&set, &corpus, &ours, &Progress::new()).unwrap();
        tasks::export_table(&given.vectors, &given.rows, &theirs, &Progress::new()).unwrap();
        assert!(fs_err::read(ours).unwrap() == fs_err::read(theirs).unwrap(), "{ending}");
    }
    let map = folder.path().join("map.csv");
    tasks::export_map(&model.map.points().unwrap(), &set, &corpus, &map, &Progress::new()).unwrap();
    let text = fs_err::read_to_string(map).unwrap();
    let mut lines = text.lines();
    let expected =
        "row,path,start,end,modality,x,y,id,title,label,year,author,score,weight,seen,hash,date,at,z_before,nothing";
    assert_eq!(lines.next(), Some(expected));
    assert!(lines.next().unwrap().contains(",2024-02-28,"), "{text}");
}
