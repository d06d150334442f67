//! The window's flows, found by the accessible names a screen reader would say. No display and no graphics adapter is needed.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::path::Path;
use std::time::{Duration, Instant};

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use embedlens::app::{App, StartOptions};
use embedlens::tasks::Environment;
use embedlens::ui::map::MapBackend;

struct Rig {
    harness: Harness<'static, App>,
    _cache: tempfile::TempDir,
}

impl Rig {
    fn open(folder: &Path) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let environment =
            Environment { cache_dir: Some(cache.path().to_owned()), offline: true, ..Environment::default() };
        let options = StartOptions { open: vec![folder.to_owned()], environment, ..StartOptions::default() };
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_max_steps(60)
            .build_eframe(move |cc| App::with_backend(&cc.egui_ctx, options, MapBackend::Raster));
        Self { harness, _cache: cache }
    }

    /// Steps frames until `done`, or fails after a time no machine needs.
    fn until(&mut self, what: &str, done: impl Fn(&App) -> bool) {
        let start = Instant::now();
        loop {
            self.harness.step();
            if done(self.harness.state()) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(300), "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.step();
    }

    fn settle(&mut self) {
        self.until("all jobs were done", App::is_idle);
        self.until("outcomes were applied", App::is_idle);
    }

    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.step();
        self.harness.step();
    }
}

fn notes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let soups =
        ["lentil soup with cumin", "chicken broth and noodles", "tomato soup with basil", "miso soup with tofu"];
    let birds =
        ["a heron wading in a pond", "ducks swimming on a lake", "a gull over the harbour", "a stork on a roof"];
    for (label, texts) in [("soups", soups), ("birds", birds)] {
        fs_err::create_dir_all(folder.path().join(label)).unwrap();
        for (place, text) in texts.iter().enumerate() {
            fs_err::write(folder.path().join(label).join(format!("{label}{place}.txt")), text).unwrap();
        }
    }
    fs_err::write(folder.path().join("empty.txt"), "").unwrap();
    folder
}

#[test]
fn a_folder_is_loaded_embedded_mapped_and_asked() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    let document = rig.harness.state().document();
    assert_eq!(document.corpus.as_ref().unwrap().items.len(), 8);
    let embedded = document.models.iter().filter(|model| model.set.as_ref().is_some_and(|set| set.rows.len() == 8));
    assert_eq!(embedded.count(), 2, "both text models embedded every text");
    assert!(document.models.iter().filter(|model| model.map.layout.is_some()).count() == 2);

    // The skipped file is told of, and why.
    rig.click("1 file skipped. Why?");
    rig.harness.run_steps(6);
    rig.harness.get_by_label_contains("Empty");
    rig.harness.key_press(egui::Key::Escape);
    rig.harness.step();

    // A typed query is answered.
    let field = rig.harness.get_by_label("Query");
    field.focus();
    rig.harness.step();
    rig.harness.get_by_label("Query").type_text("birds that live near water");
    rig.harness.step();
    rig.harness.key_press(egui::Key::Enter);
    rig.until("the query was answered", |app| app.document().answer.is_some());
    let document = rig.harness.state().document();
    let corpus = document.corpus.clone().unwrap();
    let answer = document.answer.clone().unwrap();
    let best = answer.groups[0].hits[0].0;
    assert_eq!(corpus.item_of(best).label, "birds");

    // A hit leads to the inspector, and its neighbours are of its kind.
    let shown = corpus.item_of(best).shown_path.clone();
    rig.click(&format!("Hit 1 {shown}"));
    rig.until("the item was looked at", |app| app.document().inspection.is_some());
    let found = rig.harness.state().document().inspection.clone().unwrap();
    assert_eq!(found.row, best);
    assert_eq!(corpus.item_of(found.nearest[0].1[0].0).label, "birds");
    assert!(found.explained.iter().any(|(_, way)| way.tokens.first().is_some_and(|token| token == "[CLS]")));
}

#[test]
fn compare_measures_agreement_and_links_selection() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    rig.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Num2);
    rig.harness.step();
    rig.until("the agreement was measured", |app| !app.document().compare.agreements.is_empty());
    let pair = rig.harness.state().document().compare.agreements[0].agreement.clone();
    assert_eq!(pair.rows.len(), 8);
    assert!((0.0..=1.0).contains(&pair.mean_overlap));
    rig.harness.get_by_label_contains("mean overlap of");

    // An item chosen in the list is the one the inspector shows, in every perspective.
    rig.click("Explore");
    rig.click("Items");
    let row = embedlens::vectors::RowId(0);
    let path = rig.harness.state().document().corpus.as_ref().unwrap().item_of(row).shown_path.clone();
    rig.click(&format!("Item {path}"));
    assert_eq!(rig.harness.state().document().selection.focus, Some(row));
}

#[test]
fn a_folder_that_is_not_there_is_a_message_and_the_window_lives() {
    let mut rig = Rig::open(Path::new("no/such/folder"));
    rig.settle();
    assert!(rig.harness.state().document().corpus.is_none());
    rig.harness.get_by_label("Nothing was loaded");
    rig.harness.get_by_label_contains("no/such/folder");
}
