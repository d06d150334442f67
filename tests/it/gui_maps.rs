//! The window's maps, as their user meets them: methods, clusters, trust, the past of a map, parts and maps side by side.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use egui_kittest::kittest::Queryable as _;
use embedlens::app::App;
use embedlens::projection::Method;
use embedlens::ui::context::{MapChoice, MapModel};
use embedlens::vectors::RowId;

use super::gui::Rig;

/// Three folders of texts that any model tells apart.
fn three_topics() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let topics = [
        (
            "soups",
            ["lentil", "tomato", "onion", "pumpkin", "barley"],
            "soup simmered slowly in the kitchen pot with herbs",
        ),
        ("birds", ["heron", "gull", "stork", "duck", "kingfisher"], "bird that nests beside the water and hunts fish"),
        ("music", ["violin", "cello", "flute", "oboe", "harp"], "played in the orchestra during the concert symphony"),
    ];
    for (label, words, rest) in topics {
        fs_err::create_dir_all(folder.path().join(label)).unwrap();
        for number in 0..20 {
            let text = format!("{} and {}: {rest}", words[number % 5], words[(number / 5 + number + 1) % 5]);
            fs_err::write(folder.path().join(label).join(format!("{number}.txt")), text).unwrap();
        }
    }
    folder
}

fn map(app: &App) -> &MapModel {
    let document = app.document();
    &document.model(document.shown.as_ref().unwrap()).unwrap().map
}

fn opened() -> (tempfile::TempDir, Rig) {
    let folder = three_topics();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    (folder, rig)
}

#[test]
fn umap_lays_out_and_its_past_can_be_seen() {
    let (_folder, mut rig) = opened();
    rig.choose("UMAP");
    rig.until("UMAP was done", |app| map(app).layouts.contains_key(&Method::Umap));
    rig.settle();
    let end = map(rig.harness.state()).layout.clone().unwrap();
    let shown = map(rig.harness.state()).shown().unwrap().clone();
    assert!(shown.quality.unwrap().trustworthiness > 0.8, "{:?}", shown.quality);
    assert!(shown.history.len() > 2);
    // Another moment is another map of the same rows; switching the method keeps the selection.
    rig.harness.get_by_label("Moment of the layout").focus();
    rig.harness.step();
    rig.harness.key_press(eframe::egui::Key::ArrowLeft);
    let last = end.id();
    rig.until("an earlier moment was shown", move |app| map(app).layout.as_ref().unwrap().id() != last);
    assert!(map(rig.harness.state()).moment.is_some());
    rig.key(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::A);
    rig.choose("PCA");
    rig.settle();
    assert_eq!(map(rig.harness.state()).method, Some(Method::Pca));
    assert_eq!(rig.harness.state().document().selection.rows.len(), 60);
}

#[test]
fn clusters_are_found_named_and_coloured() {
    let (_folder, mut rig) = opened();
    rig.choose("Find clusters");
    rig.until("clusters were found", |app| map(app).clusters.is_some());
    rig.settle();
    let found = map(rig.harness.state()).clusters.clone().unwrap();
    assert_eq!(found.len(), 3, "{:?}", found.fine.names);
    for words in ["kitchen", "bird", "orchestra"] {
        let like = |name: &String| name.contains(words);
        assert!(found.fine.names.iter().any(like), "{words} in {:?}", found.fine.names);
    }
    // Each folder is a cluster.
    for rows in found.fine.labels.chunks(20) {
        let inside: Vec<i32> = rows.iter().copied().filter(|&label| label >= 0).collect();
        assert!(inside.len() > 14 && inside.iter().all(|label| *label == inside[0]), "{:?}", found.fine.labels);
    }
    rig.choose("Colour by cluster");
    rig.settle();
    let styles = &map(rig.harness.state()).styles[&MapChoice::Shown];
    assert_eq!(styles.legend().title, "cluster");
    assert!(map(rig.harness.state()).labels.as_ref().is_some_and(|labels| labels.fine.len() == 3));
}

#[test]
fn trust_is_told_point_by_point() {
    let (_folder, mut rig) = opened();
    rig.choose("PCA");
    rig.click("Items");
    let path = rig.harness.state().document().corpus.as_ref().unwrap().item_of(RowId(0)).shown_path.clone();
    rig.click(&format!("Item {path}"));
    rig.until("lines were found", |app| map(app).torn.is_some());
    let torn = map(rig.harness.state()).torn.clone().unwrap();
    assert_eq!(torn.row, RowId(0));
    assert_eq!(torn.torn.len(), torn.pulled.len(), "ten on each side");
    rig.click("Colour by folder");
    rig.choose("trust");
    rig.until("trust was measured", |app| map(app).trust.is_some());
    rig.settle();
    let shares = map(rig.harness.state()).trust.clone().unwrap();
    assert_eq!(shares.shares.len(), 60);
    // Of ten neighbours those not torn away are kept.
    assert!((shares.of(RowId(0)) - (10 - torn.torn.len()) as f32 / 10.0).abs() < 1e-6);
}

#[test]
fn the_selection_is_laid_out_alone_and_back() {
    let (_folder, mut rig) = opened();
    rig.choose("PCA");
    rig.settle();
    rig.choose("birds 20");
    rig.settle();
    rig.choose("Lay out 20 selected");
    rig.until("the part was laid out", |app| map(app).part.is_some());
    rig.settle();
    assert_eq!(map(rig.harness.state()).layout.as_ref().unwrap().len(), 20);
    rig.choose("Show all again");
    rig.settle();
    assert_eq!(map(rig.harness.state()).layout.as_ref().unwrap().len(), 60);
}

#[test]
fn two_maps_of_one_model_stand_side_by_side() {
    let (_folder, mut rig) = opened();
    rig.choose("Keep this map");
    assert_eq!(map(rig.harness.state()).kept.len(), 1);
    rig.click("Compare");
    let first = rig.harness.state().document().compare.slots[0].clone();
    let name = rig.harness.state().document().model(&first).unwrap().card.name.clone();
    rig.click("Model of map 2");
    rig.harness.get_all_by_label(&name).last().unwrap().click();
    rig.harness.step();
    rig.click("PCA of map 1");
    rig.click("UMAP of map 2");
    rig.settle();
    let document = rig.harness.state().document();
    assert_eq!(document.compare.slots[..2], [first.clone(), first.clone()]);
    let map = &document.model(&first).unwrap().map;
    let seen = |place| map.seen(document.compare.choice(place)).unwrap();
    assert_ne!(seen(0).0.id(), seen(1).0.id());
    rig.harness.get_by_label("Maps of one model");
}
