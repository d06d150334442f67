//! Adding a model in the window that is not on this computer.

use std::time::Duration;

use egui_kittest::kittest::Queryable;
use embedlens::models::HubOptions;
use embedlens::tasks::{Environment, ModelPool};

use super::commands::tiny_hub;
use super::server::Hub;
use crate::gui::Rig;

const ID: &str = "org/tiny-bert";

/// A window over three notes that knows this hub and a hub cache of its own.
fn opened(hub: &Hub, offline: bool) -> (Rig, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [("a.txt", "lentil soup"), ("b.txt", "a heron at the pond"), ("c.txt", "onion soup")] {
        fs_err::create_dir_all(folder.path().join("notes")).unwrap();
        fs_err::write(folder.path().join("notes").join(name), words).unwrap();
    }
    let options = HubOptions {
        cache: Some(folder.path().join("hub")),
        endpoint: hub.endpoint.clone(),
        first_wait: Duration::from_millis(1),
        ..HubOptions::read(|_| None)
    };
    let environment = Environment { models: ModelPool::with_hub(options), offline, ..Environment::default() };
    let mut rig = Rig::open_in(&folder.path().join("notes"), environment);
    rig.settle();
    (rig, folder)
}

fn add(rig: &mut Rig, name: &str) {
    rig.click("+ Add a model");
    rig.harness.run_steps(3);
    rig.harness.get_by_label("Folder or name of a model").focus();
    rig.harness.step();
    rig.harness.get_by_label("Folder or name of a model").type_text(name);
    rig.harness.step();
    rig.choose("Add and embed");
    rig.harness.run_steps(3);
}

fn told(rig: &Rig, words: &str) {
    assert!(rig.harness.query_all_by_label_contains(words).next().is_some(), "{words}");
}

#[test]
fn a_model_that_is_not_here_is_offered_fetched_and_embeds() {
    let hub = tiny_hub();
    let (mut rig, _folder) = opened(&hub, false);
    add(&mut rig, ID);
    rig.harness.get_by_label_contains("org/tiny-bert is not on this computer");
    assert!(hub.asked().is_empty(), "nothing is fetched without a click");
    rig.choose("Not now");
    assert!(rig.harness.query_by_label_contains("is not on this computer").is_none());

    rig.click("+ Add a model");
    add(&mut rig, ID);
    rig.choose("Download and embed");
    rig.until("the fetched model has embedded", |app| {
        let model = app.document().models.iter().find(|model| model.card.id.0 == ID);
        model.is_some_and(|model| model.set.as_ref().is_some_and(|set| set.rows.len() == 3))
    });
    rig.settle();
    assert!(hub.asked().iter().any(|asked| asked.elsewhere));
}

#[test]
fn without_a_network_the_window_says_so() {
    let hub = Hub::new();
    let (mut rig, _folder) = opened(&hub, false);
    add(&mut rig, "org/no-such-model");
    rig.choose("Download and embed");
    rig.settle();
    told(&rig, "org/no-such-model was not downloaded");
    told(&rig, "no model org/no-such-model");

    let (mut rig, _folder) = opened(&hub, true);
    hub.forget();
    add(&mut rig, ID);
    told(&rig, "--offline was given");
    assert!(rig.harness.query_by_label("Download and embed").is_none());
    assert!(hub.asked().is_empty());
}
