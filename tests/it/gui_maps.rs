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
    its_past_can_be_seen(Method::Umap);
}

#[test]
fn pacmap_lays_out_and_its_past_can_be_seen() {
    its_past_can_be_seen(Method::Pacmap);
}

fn its_past_can_be_seen(method: Method) {
    let (_folder, mut rig) = opened();
    rig.choose(method.name());
    rig.until("the layout was done", move |app| map(app).layouts.contains_key(&method));
    rig.settle();
    let end = map(rig.harness.state()).layout.clone().unwrap();
    let shown = map(rig.harness.state()).shown().unwrap().clone();
    assert!(shown.quality.unwrap().trustworthiness > 0.8, "{:?}", shown.quality);
    assert!(shown.history.len() > 2);
    // The dialog tells what it was made of.
    assert!(shown.graph.unwrap().exact);
    rig.choose("What does trust of a map mean?");
    rig.settle();
    rig.harness.get_by_label("The neighbours it was made of: exact.");
    rig.key(eframe::egui::Modifiers::NONE, eframe::egui::Key::Escape);
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
    // The inspector tells how much an item belongs to which.
    rig.click("Items");
    let path = rig.harness.state().document().corpus.as_ref().unwrap().item_of(RowId(3)).shown_path.clone();
    rig.click(&format!("Item {path}"));
    rig.settle();
    let own = &found.fine.names[found.likeliest(3)[0].0 as usize];
    let words = found.told(RowId(3)).unwrap();
    assert!(words.contains(own.as_str()) && words.contains(" %"), "{words}");
    rig.harness.get_by_label(&words);
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
    rig.choose("Find clusters among 20 selected");
    rig.until("clusters were found", |app| map(app).clusters.as_ref().is_some_and(|found| found.rows.len() == 20));
    let found = map(rig.harness.state()).clusters.clone().unwrap();
    assert_eq!(found.rows[..], rig.harness.state().document().selection.rows[..]);
    rig.choose("Lay out 20 selected");
    rig.until("the part was laid out", |app| map(app).part.is_some());
    rig.settle();
    assert_eq!(map(rig.harness.state()).layout.as_ref().unwrap().len(), 20);
    // Its trust and its lines are of neighbours among the twenty.
    rig.click("Colour by folder");
    rig.choose("trust");
    rig.until("the part's trust was measured", |app| map(app).trust.is_some());
    rig.settle();
    let shown = map(rig.harness.state()).clone();
    let (trust, part) = (shown.trust.unwrap(), shown.part.unwrap());
    assert_eq!(
        (trust.rows.clone(), shown.styles[&MapChoice::Shown].legend().title.as_str()),
        (part.rows.clone(), "trust")
    );
    let set = rig.harness.state().document().shown.clone().unwrap();
    let set = rig.harness.state().document().model(&set).unwrap().set.clone().unwrap();
    let row = part.rows[4];
    let ten = |mut far: Vec<(f32, usize)>| {
        far.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        far.into_iter().filter(|&(_, other)| other != 4).take(10).map(|(_, other)| other).collect::<Vec<_>>()
    };
    let vector = |row: RowId| set.vectors.row(set.position_of(row).unwrap());
    let product = |other: RowId| -vector(row).iter().zip(vector(other)).map(|(a, b)| a * b).sum::<f32>();
    let near = ten((0..20).map(|other| (product(part.rows[other]), other)).collect());
    let gap =
        |other: usize| (part.points[4][0] - part.points[other][0]).hypot(part.points[4][1] - part.points[other][1]);
    let on_map = ten((0..20).map(|other| (gap(other), other)).collect());
    let kept = near.iter().filter(|other| on_map.contains(other)).count();
    assert!((trust.of(row) - kept as f32 / 10.0).abs() < 1e-6, "{kept} of ten kept, told {}", trust.of(row));
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

#[test]
fn added_items_are_placed_on_the_map_of_before() {
    let (folder, mut rig) = opened();
    rig.choose("UMAP");
    rig.until("UMAP was done", |app| map(app).projections.contains_key(&Method::Umap));
    rig.settle();
    let before = map(rig.harness.state()).projections[&Method::Umap].clone();
    for number in 0..5 {
        let text = format!("lentil and onion number {number}: soup simmered in the kitchen pot with herbs");
        fs_err::write(folder.path().join("birds").join(format!("added-{number}.txt")), text).unwrap();
    }
    rig.key(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::R);
    rig.until("the larger corpus was embedded", |app| {
        let document = app.document();
        document.corpus.as_ref().is_some_and(|corpus| corpus.chunks.len() == 65) && document.shown.is_some()
    });
    rig.settle();
    rig.choose("Place 5 new on the map of before");
    rig.until("they were placed", |app| {
        map(app).projections.get(&Method::Umap).is_some_and(|map| map.points.len() == 65)
    });
    rig.settle();
    let document = rig.harness.state().document();
    let (corpus, grown) =
        (document.corpus.as_ref().unwrap(), map(rig.harness.state()).projections[&Method::Umap].clone());
    let added = |row: RowId| corpus.item_of(row).file_name().starts_with("added");
    let stayed: Vec<[f32; 2]> =
        grown.rows.iter().zip(grown.points.iter()).filter(|(row, _)| !added(**row)).map(|(_, point)| *point).collect();
    assert_eq!(stayed[..], before.points[..], "no old point moved");
    // The new ones are soups among the files of birds: they lie by the soups.
    let of = |label: &str| {
        let own = grown.rows.iter().zip(grown.points.iter());
        let all: Vec<&[f32; 2]> = own
            .filter(|(row, _)| !added(**row) && corpus.item_of(**row).label.ends_with(label))
            .map(|(_, point)| point)
            .collect();
        [0, 1].map(|axis| all.iter().map(|point| point[axis]).sum::<f32>() / all.len() as f32)
    };
    let (soups, birds) = (of("soups"), of("birds"));
    for (_, point) in grown.rows.iter().zip(grown.points.iter()).filter(|(row, _)| added(**row)) {
        let far = |to: [f32; 2]| (point[0] - to[0]).hypot(point[1] - to[1]);
        assert!(far(soups) < far(birds), "{point:?}: soups at {soups:?}, birds at {birds:?}");
    }
}

#[test]
fn a_query_is_marked_where_it_would_lie() {
    let (_folder, mut rig) = opened();
    rig.type_query("tomato soup with herbs");
    rig.until("the query was placed", |app| map(app).pin.is_some());
    let seen = map(rig.harness.state()).clone();
    let (layout, (at, words)) = (seen.layout.clone().unwrap(), seen.pinned().unwrap());
    assert_eq!(words, "tomato soup with herbs");
    let corpus = rig.harness.state().document().corpus.clone().unwrap();
    let near = layout.nearest(at, f32::MAX.sqrt() / 2.0, &|_| true).and_then(|position| layout.row(position));
    assert!(corpus.item_of(near.unwrap()).label.ends_with("soups"));
    // On another map it lies elsewhere, and without a query nowhere.
    rig.choose("PCA");
    rig.settle();
    assert_ne!(map(rig.harness.state()).pinned().unwrap().0, at);
}

#[test]
fn the_query_turns_with_a_map_in_space() {
    use eframe::egui::{Event, Modifiers, PointerButton, pos2};
    let (_folder, mut rig) = opened();
    rig.type_query("tomato soup with herbs");
    rig.choose("PCA");
    rig.settle();
    rig.choose("3-D");
    rig.until("the map had three axes", |app| map(app).turns());
    rig.until("the query was placed", |app| map(app).pinned().is_some());
    rig.settle();
    let nearest = |rig: &Rig| {
        let (seen, corpus) = (map(rig.harness.state()), rig.harness.state().document().corpus.clone().unwrap());
        let ((at, _), layout) = (seen.pinned().unwrap(), seen.layout.as_ref().unwrap());
        let row = layout.nearest(at, f32::MAX.sqrt() / 2.0, &|_| true).and_then(|place| layout.row(place));
        (at, corpus.item_of(row.unwrap()).label.ends_with("soups"))
    };
    let front = nearest(&rig);
    assert!(front.1);
    let middle = pos2(600.0, 400.0);
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Secondary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let before = map(rig.harness.state()).layout.as_ref().unwrap().id();
    let drag = [Event::PointerMoved(middle), button(middle, true)];
    drag.into_iter().for_each(|event| rig.harness.event(event));
    rig.harness.step();
    for step in 1..6 {
        rig.harness.event(Event::PointerMoved(middle + eframe::egui::vec2(8.0 * step as f32, 0.0)));
        rig.harness.step();
    }
    rig.harness.event(button(middle, false));
    rig.until("the map was turned", |app| map(app).layout.as_ref().unwrap().id() != before);
    rig.settle();
    let turned = nearest(&rig);
    assert!(map(rig.harness.state()).turned[0] != 0.0 && turned.0 != front.0, "{front:?} {turned:?}");
    // Its place in space is that of the soups, from whichever side they are seen.
    let seen = map(rig.harness.state());
    let (space, rows) = (seen.shown().unwrap().space.clone().unwrap(), seen.shown().unwrap().rows.clone());
    let corpus = rig.harness.state().document().corpus.clone().unwrap();
    let far =
        |point: &[f32; 3]| (0..3).map(|axis| (point[axis] - seen.pin.as_ref().unwrap().at[axis]).powi(2)).sum::<f32>();
    let near = (0..rows.len()).min_by(|&a, &b| far(&space[a]).total_cmp(&far(&space[b]))).unwrap();
    assert!(corpus.item_of(rows[near]).label.ends_with("soups"));
}

/// A window on one folder of so many files of the same text.
fn of_one_text(files: usize) -> (tempfile::TempDir, Rig) {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..files {
        fs_err::write(folder.path().join(format!("{number}.txt")), "a heron wading in a pond").unwrap();
    }
    let mut rig = Rig::open(folder.path());
    rig.settle();
    (folder, rig)
}

#[test]
fn where_nothing_differs_no_variance_is_told() {
    for (files, words) in [
        (1, "One item has no spread: there is no variance to explain."),
        (5, "All items have the same vector: there is no variance to explain."),
    ] {
        let (_folder, rig) = of_one_text(files);
        assert_eq!(map(rig.harness.state()).method, Some(Method::Pca));
        rig.harness.get_by_label(words);
        assert!(rig.harness.query_by_label_contains("of the variance").is_none(), "{files} files");
        assert!(rig.harness.query_by_label("Variance held by components, %").is_none());
    }
}
