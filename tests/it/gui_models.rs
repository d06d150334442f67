//! The window of models: the list and its filters, a card, cards side by side, the chooser.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use eframe::egui;
use egui_kittest::kittest::Queryable;
use embedlens::models::ModelId;

use crate::gui::Rig;

fn notes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["lentil soup", "tomato soup", "miso soup", "a heron", "two ducks", "a gull", "a train", "a ship"];
    for (place, text) in texts.iter().enumerate() {
        fs_err::write(folder.path().join(format!("{place}.txt")), text).unwrap();
    }
    folder
}

/// A window with the models open.
fn opened(folder: &std::path::Path) -> Rig {
    let mut rig = Rig::open(folder);
    rig.settle();
    rig.key(egui::Modifiers::COMMAND, egui::Key::M);
    rig.harness.run_steps(4);
    rig
}

impl Rig {
    fn search_models(&mut self, words: &str) {
        if self.harness.query_by_label("Show all").is_some() {
            self.click("Show all");
        }
        self.harness.get_by_label("Search models").focus();
        self.harness.step();
        self.harness.get_by_label("Search models").type_text(words);
        self.harness.run_steps(4);
    }

    fn says(&self, words: &str) -> bool {
        self.harness.query_all_by_label_contains(words).count() > 0
    }
}

#[test]
fn cards_are_found_and_say_what_can_be_done() {
    let folder = notes();
    let mut rig = opened(folder.path());
    // A model that can be run is offered for fetching, with its prompts.
    rig.search_models("e5-large");
    rig.click("Model e5-large-v2");
    rig.harness.run_steps(4);
    rig.harness.get_by_label("Download and embed with e5-large-v2");
    assert!(rig.says("“query: ” before questions"), "the card tells of prompts");
    // One behind an API says so, and has no button.
    rig.search_models("text-embedding-3-large");
    rig.click("Model text-embedding-3-large");
    rig.harness.run_steps(4);
    assert!(rig.says("OpenAI runs it behind its API") && rig.says("0.13 dollars"));
    assert!(rig.harness.query_by_label("Download and embed with text-embedding-3-large").is_none());
    // Where the lesson says something else, the card says so.
    rig.search_models("gte-large");
    rig.click("Model gte-large");
    rig.harness.run_steps(4);
    assert!(rig.says("cross-lingual"));
    // Filters that nothing passes say what to do.
    rig.search_models("no such model anywhere");
    assert!(rig.says("No model is like that"));
    rig.click("Show all");
    rig.harness.run_steps(2);
    assert!(!rig.says("No model is like that"));
}

#[test]
fn what_is_here_is_embedded_from_its_card() {
    let folder = notes();
    let mut rig = opened(folder.path());
    rig.search_models("minilm-l6");
    rig.click("Model MiniLM-L6-v2");
    rig.harness.run_steps(4);
    assert!(rig.says("Embedded") && rig.says("inside this program"));
    rig.choose("MiniLM-L6-v2 in int8");
    rig.settle();
    let quick = ModelId("all-MiniLM-L6-v2@int8".to_owned());
    let document = rig.harness.state().document();
    assert_eq!(document.model(&quick).unwrap().set.as_ref().unwrap().rows.len(), 8);
}

#[test]
fn ticked_models_stand_side_by_side() {
    let folder = notes();
    let mut rig = opened(folder.path());
    rig.click("Side by side");
    rig.harness.run_steps(2);
    assert!(rig.says("Nothing to compare yet"));
    for (words, name) in [("bge-small-en-v1.5", "bge-small-en-v1.5"), ("e5-small-v2", "e5-small-v2")] {
        rig.search_models(words);
        rig.click(&format!("Compare {name}"));
        rig.harness.run_steps(2);
    }
    rig.click("Side by side (2)");
    rig.harness.run_steps(4);
    assert!(rig.says("MTEB retrieval") && rig.says("51.7") && rig.says("49.0"));
    rig.click("Take out e5-small-v2");
    rig.harness.run_steps(2);
    rig.harness.get_by_label("Side by side (1)");
}

#[test]
fn the_chooser_answers_with_reasons() {
    let folder = notes();
    let mut rig = opened(folder.path());
    rig.click("Choose");
    rig.harness.run_steps(4);
    assert!(rig.says("256 to 384 dimensions") && rig.says("8 texts"), "of what is loaded");
    assert!(rig.says("MTEB retrieval"));
    rig.click("Pictures by words");
    rig.harness.run_steps(2);
    rig.click("Anywhere");
    rig.harness.run_steps(4);
    assert!(rig.says("any words can be asked"));
    rig.choose("Card of CLIP ViT-B/32");
    rig.harness.run_steps(4);
    assert!(rig.says("400 million pictures"));
    rig.click("Choose");
    rig.click("Here now");
    rig.harness.run_steps(4);
    rig.harness.get_by_label("Card of ConSE (Lite0 to MiniLM)");
    assert!(rig.harness.query_by_label("Card of CLIP ViT-B/32").is_none());
}
