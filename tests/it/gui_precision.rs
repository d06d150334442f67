//! One model in several precisions, side by side.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use egui_kittest::kittest::Queryable;
use embedlens::models::{ModelId, Precision};

use crate::gui::Rig;

/// A folder of nine short texts.
fn notes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let texts =
        ["lentil soup", "tomato soup", "miso soup", "a heron", "two ducks", "a gull", "a train", "a ship", "a car"];
    for (place, text) in texts.iter().enumerate() {
        fs_err::write(folder.path().join(format!("{place}.txt")), text).unwrap();
    }
    folder
}

#[test]
fn a_precision_is_added_and_compared_with_another() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    let exact = ModelId("all-MiniLM-L6-v2".to_owned());
    let quick = exact.at(Precision::Int8);
    assert!(rig.harness.state().document().model(&quick).is_none(), "no precision embeds unasked");

    // The menu offers it with a sentence, and it embeds beside the other.
    rig.click("+ Another precision");
    rig.harness.run_steps(4);
    rig.harness.get_by_label_contains("Bytes: quickest");
    rig.click("Embed with MiniLM-L6-v2 int8");
    rig.settle();
    let document = rig.harness.state().document();
    let set = |id: &ModelId| document.model(id).unwrap().set.clone().unwrap();
    assert_eq!((set(&exact).rows.len(), set(&quick).rows.len()), (9, 9));
    assert_eq!(
        (set(&quick).card.space.as_str(), set(&exact).card.space.as_str()),
        ("all-MiniLM-L6-v2", "all-MiniLM-L6-v2")
    );
    assert_ne!(document.model(&exact).unwrap().colour, document.model(&quick).unwrap().colour);

    // Compare takes it in a column, and measures how far they agree.
    rig.click("Compare");
    rig.settle();
    rig.click("Model of map 1");
    rig.harness.run_steps(4);
    rig.choose("MiniLM-L6-v2 int8");
    rig.settle();
    let wanted = quick.clone();
    rig.until("the pair was measured", move |app| {
        app.document().compare.agreements.iter().any(|pair| pair.agreement.a == wanted || pair.agreement.b == wanted)
    });
    let document = rig.harness.state().document();
    assert_eq!(document.compare.slots[0], quick);

    // A query is answered by each.
    rig.type_query("soup");
    let answer = rig.harness.state().document().answer.clone().unwrap();
    let top = |id: &ModelId| answer.groups.iter().find(|group| group.model == *id).map(|group| group.hits[0].0);
    assert!(top(&quick).is_some());
}

#[test]
fn compare_offers_precisions_that_are_not_embedded_yet() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    rig.click("Compare");
    rig.settle();
    rig.click("Model of map 2");
    rig.harness.run_steps(4);
    rig.harness.get_by_label("Another precision");
    rig.choose("MiniLM-L6-v2 int8");
    rig.settle();
    let document = rig.harness.state().document();
    let quick = ModelId("all-MiniLM-L6-v2@int8".to_owned());
    assert_eq!(document.compare.slots[1], quick);
    assert!(document.model(&quick).unwrap().set.is_some());

    rig.click("Explore");
    rig.harness.run_steps(4);
    rig.click("+ Another precision");
    rig.harness.run_steps(4);
    assert!(rig.harness.query_by_label("Embed with MiniLM-L6-v2 int8").is_none(), "what is there is not offered again");
}
