//! Files of vectors in the window: opened, dropped, looked at.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use egui_kittest::kittest::Queryable;
use embedlens::models::ModelId;
use embedlens::projection::Method;

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
