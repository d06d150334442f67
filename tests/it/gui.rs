//! The window's flows, found by the accessible names a screen reader would say. No display and no graphics adapter is needed.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use embedlens::app::{App, StartOptions};
use embedlens::tasks::Environment;
use embedlens::ui::map::MapBackend;
use embedlens::workspace::Answer;

pub(crate) struct Rig {
    pub(crate) harness: Harness<'static, App>,
    _cache: tempfile::TempDir,
}

impl Rig {
    pub(crate) fn open(folder: &Path) -> Self {
        Self::open_in(folder, Environment { offline: true, ..Environment::default() })
    }

    /// In an environment, with a vector cache of its own.
    pub(crate) fn open_in(folder: &Path, environment: Environment) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let environment = Environment { cache_dir: Some(cache.path().to_owned()), ..environment };
        let options = StartOptions { open: vec![folder.to_owned()], environment, ..StartOptions::default() };
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_max_steps(60)
            .build_eframe(move |cc| App::with_backend(&cc.egui_ctx, options, MapBackend::Raster));
        Self { harness, _cache: cache }
    }

    /// Steps frames until `done`, or fails after a time no machine needs.
    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&App) -> bool) {
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

    pub(crate) fn settle(&mut self) {
        self.until("all jobs were done", App::is_idle);
        self.until("outcomes were applied", App::is_idle);
    }

    pub(crate) fn key(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.step();
        self.harness.step();
    }

    pub(crate) fn type_query(&mut self, words: &str) {
        self.harness.get_by_label("Query").focus();
        self.harness.step();
        self.harness.get_by_label("Query").type_text(words);
        self.harness.step();
        self.harness.key_press(egui::Key::Enter);
        let asked = words.to_owned();
        self.until("the query was answered", move |app| {
            app.document().answer.as_ref().is_some_and(|answer| answer.query == asked)
        });
    }

    pub(super) fn drop_on_window(&mut self, path: &Path) {
        self.harness.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(path.to_owned())));
        self.harness.step();
        self.harness.step();
    }

    /// Clicks what a screen reader would, wherever a list has scrolled it.
    pub(crate) fn choose(&mut self, label: &str) {
        self.harness.get_by_label(label).click_accesskit();
        self.harness.step();
        self.harness.step();
    }

    /// Clicks a folder of the tree.
    fn folder(&mut self, label: &str) {
        self.harness.get_by_role_and_label(egui::accesskit::Role::Button, label).click_accesskit();
        self.harness.step();
        self.harness.step();
    }

    pub(crate) fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.step();
        self.harness.step();
    }
}

/// A file dropped on the window, as the window system hands it over.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        fs_err::read(&self.0).map_err(|error| error.to_string())
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
    rig.type_query("birds that live near water");
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

    // The selection alone can be asked, and is asked again when it changes; without one everything is.
    rig.folder("soups 4");
    rig.choose("Where to look");
    rig.harness.run_steps(4);
    rig.choose("In 4 selected");
    for label in ["soups", "birds"] {
        rig.folder(&format!("{label} 4"));
        let corpus = corpus.clone();
        rig.until("the selection was asked", move |app| {
            let of_label = |answer: &&std::sync::Arc<Answer>| {
                let mut hits = answer.groups.iter().flat_map(|group| group.hits.iter());
                answer.within == Some(4) && hits.all(|hit| corpus.item_of(hit.0).label == label)
            };
            app.document().answer.as_ref().filter(of_label).is_some()
        });
    }
    rig.harness.get_by_label_contains(" in 4 selected");
    rig.key(egui::Modifiers::COMMAND, egui::Key::D);
    rig.until("everything was asked", |app| {
        app.document().answer.as_ref().is_some_and(|answer| answer.within.is_none())
    });
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
    assert!(rig.harness.query_all_by_label_contains("no/such/folder").count() > 0);
}

#[test]
fn a_folder_that_is_not_there_costs_nothing_that_is_loaded() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    rig.key(egui::Modifiers::COMMAND, egui::Key::L);
    rig.harness.get_by_label("Path").type_text("no/such/folder");
    rig.harness.step();
    rig.click("Open");
    rig.settle();
    let app = rig.harness.state();
    assert_eq!(app.document().corpus.as_ref().unwrap().items.len(), 8);
    assert!(app.document().models.iter().any(|model| model.map.layout.is_some()));
    // The toast is also a line of the log.
    rig.key(egui::Modifiers::COMMAND, egui::Key::J);
    rig.harness.run_steps(4);
    assert!(rig.harness.query_all_by_label_contains("Nothing was loaded").count() > 0);
}

#[test]
fn what_is_dropped_is_loaded_or_asked() {
    let (first, second) = (notes(), tempfile::tempdir().unwrap());
    fs_err::write(second.path().join("only.txt"), "one text about a lighthouse").unwrap();
    let mut rig = Rig::open(first.path());
    rig.settle();
    rig.drop_on_window(second.path());
    rig.settle();
    assert_eq!(rig.harness.state().document().corpus.as_ref().unwrap().items.len(), 1);

    // A single picture is a query; without pictures loaded every model says why it cannot answer.
    let picture = second.path().join("asked.png");
    image::RgbImage::from_pixel(40, 30, image::Rgb([200, 30, 30])).save(&picture).unwrap();
    rig.drop_on_window(&picture);
    rig.until("the picture was answered", |app| app.document().answer.is_some());
    let answer = rig.harness.state().document().answer.clone().unwrap();
    assert_eq!(answer.query, "asked.png");
    assert!(answer.groups.is_empty() && !answer.unanswered.is_empty());
    rig.harness.get_by_label("No embedded model can answer this query.");
}

#[test]
fn arrow_keys_move_through_the_hits_that_are_listed() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    rig.type_query("hot soup");
    rig.key(egui::Modifiers::NONE, egui::Key::ArrowDown);
    rig.key(egui::Modifiers::NONE, egui::Key::ArrowDown);
    let document = rig.harness.state().document();
    let shown = document.shown.clone().unwrap();
    let answer = document.answer.clone().unwrap();
    let group = answer.groups.iter().find(|group| group.model == shown).unwrap();
    assert_eq!(document.selection.focus, Some(group.hits[1].0));
    rig.key(egui::Modifiers::NONE, egui::Key::ArrowUp);
    assert_eq!(rig.harness.state().document().selection.focus, Some(group.hits[0].0));
}

#[test]
fn keys_reach_what_they_name() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    // Select all, and Escape lets go, also after a click on the map.
    rig.key(egui::Modifiers::COMMAND, egui::Key::A);
    assert_eq!(rig.harness.state().document().selection.rows.len(), 8);
    rig.key(egui::Modifiers::NONE, egui::Key::Escape);
    assert_eq!(rig.harness.state().document().selection.rows.len(), 0);
    let both = egui::Modifiers::COMMAND | egui::Modifiers::SHIFT;
    rig.key(egui::Modifiers::COMMAND, egui::Key::A);
    rig.key(both, egui::Key::I);
    assert_eq!(rig.harness.state().document().selection.rows.len(), 0, "Ctrl+Shift+I turned the selection round");
    // Escape in a text field leaves the field and nothing else.
    rig.key(egui::Modifiers::COMMAND, egui::Key::A);
    rig.key(egui::Modifiers::COMMAND, egui::Key::F);
    rig.key(egui::Modifiers::NONE, egui::Key::Escape);
    assert_eq!(rig.harness.state().document().selection.rows.len(), 8);
    // The newest window closes first.
    rig.key(egui::Modifiers::COMMAND, egui::Key::M);
    rig.key(egui::Modifiers::COMMAND, egui::Key::J);
    rig.harness.get_by_label("What happened");
    rig.key(egui::Modifiers::NONE, egui::Key::Escape);
    rig.key(egui::Modifiers::NONE, egui::Key::Escape);
    rig.harness.run_steps(8);
    assert!(rig.harness.query_by_label("What happened").is_none());
}

#[test]
fn the_legend_hides_and_isolates() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    let hidden = |rig: &Rig| rig.harness.state().document().hidden.iter().cloned().collect::<Vec<_>>();
    rig.click("birds, 4 points");
    assert_eq!(hidden(&rig), ["birds"]);
    rig.click("birds, 4 points");
    assert!(hidden(&rig).is_empty());
    rig.harness.get_by_label("birds, 4 points").click_modifiers(egui::Modifiers::ALT);
    rig.harness.run_steps(3);
    assert_eq!(hidden(&rig), ["soups"]);
    rig.click("Show all");
    assert!(hidden(&rig).is_empty());
}

#[test]
fn the_item_list_sorts_by_any_column_and_hovers_on_the_map() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.settle();
    rig.click("Items");
    rig.click("Sort by another column, now tokens");
    rig.click("size");
    rig.settle();
    let order = rig.harness.state().document().item_order.clone();
    let corpus = rig.harness.state().document().corpus.clone().unwrap();
    let sizes: Vec<u64> = order.rows.iter().map(|&row| corpus.item_of(row).size).collect();
    assert!(sizes.is_sorted() && sizes[0] < sizes[7], "{sizes:?}");
    let path = corpus.item_of(order.rows[2]).shown_path.clone();
    rig.harness.get_by_label(&format!("Item {path}")).hover();
    rig.harness.run_steps(3);
    assert_eq!(rig.harness.state().document().hovered, Some(order.rows[2]));
}

#[test]
fn a_reload_while_models_work_embeds_the_new_corpus() {
    let folder = notes();
    let mut rig = Rig::open(folder.path());
    rig.until("the corpus was read", |app| app.document().corpus.is_some());
    assert!(!rig.harness.state().is_idle());
    let first = rig.harness.state().document().generation;
    rig.key(egui::Modifiers::COMMAND, egui::Key::R);
    rig.until("it was read again", |app| app.document().generation > first);
    rig.settle();
    let models = &rig.harness.state().document().models;
    assert_eq!(models.iter().filter(|model| model.map.layout.is_some()).count(), 2);
}

#[test]
fn adding_two_folders_at_once_loads_both() {
    let (first, second, third) = (notes(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs_err::write(second.path().join("lighthouse.txt"), "a lighthouse on a cliff").unwrap();
    fs_err::write(third.path().join("harbour.txt"), "boats in a harbour").unwrap();
    let mut rig = Rig::open(first.path());
    rig.settle();
    for folder in [second.path(), third.path()] {
        rig.key(egui::Modifiers::COMMAND, egui::Key::L);
        rig.harness.get_by_label("Path").type_text(folder.to_str().unwrap());
        rig.harness.step();
        rig.harness.get_by_label("Add to what is loaded").click();
        rig.harness.step();
    }
    rig.settle();
    assert_eq!(rig.harness.state().document().corpus.as_ref().unwrap().items.len(), 10);
}
