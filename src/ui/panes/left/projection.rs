//! The part of the panel that chooses and steers the projection.
//!
//! Sends parameters as they are changed: a running layout takes what it can, the rest counts at the next start.

use eframe::egui::{self, ComboBox, Ui};

use super::plots::{kl_plot, variance_plot};
use super::sliders::{Range, slider};
use crate::projection::{Attraction, Method, PacmapParams, Repulsion, TsneEngine, TsneParams, UmapParams, UmapStart};
use crate::ui::command::{Command, Dialog};
use crate::ui::context::{Context, ModelState};
use crate::ui::widgets::{self, chip, faint, link, section, thousands};
use crate::vectors::Metric;
use crate::workspace::Projection;

/// Methods with a sentence on each.
pub const METHODS: [(Method, &str); 4] = [
    (Method::Pca, "The directions along which the vectors differ most. Instant; the same every time."),
    (Method::Tsne, "Keeps near neighbours near. Distances between far groups, and their sizes, mean little."),
    (
        Method::Umap,
        "Keeps near neighbours near, quicker than t-SNE and with tighter groups; keeps fewer of the nearest.",
    ),
    (
        Method::Pacmap,
        "Keeps groups and how they lie to each other, the quickest of the three; keeps the fewest of the very nearest.",
    ),
];

/// Neighbours that draw by equal weights, to begin with.
const UNIFORM: usize = 20;

/// Paints it.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    let Some(model) = ctx.shown_model() else { return };
    section(ui, "Projection");
    ui.horizontal_wrapped(|ui| {
        // All four in one line of the narrowest panel.
        ui.spacing_mut().item_spacing.x = 4.0;
        if model.map.given.is_some() {
            let chosen = model.map.method.is_none();
            let words = "The positions as they stand in the file.";
            if chip(ui, "As it is", chosen).on_hover_text(words).clicked() {
                ctx.send(Command::ShowGiven(model.card.id.clone()));
            }
        }
        for (method, words) in METHODS {
            let chosen = model.map.method == Some(method);
            if chip(ui, method.name(), chosen).on_hover_text(words).clicked() {
                ctx.send(Command::Project(model.card.id.clone(), method));
            }
        }
    });
    if let Some(earlier) = model.map.earlier {
        let words = format!("Place {} new on the map of before", thousands(earlier.new as u64));
        let about = format!(
            "Every point of the {} map from before the items were added stays where it was; the new ones are put among \
             their nearest neighbours. Start again lays all of them out anew.",
            earlier.method.name()
        );
        if link(ui, &words).on_hover_text(about).clicked() {
            ctx.send(Command::PlaceNew(model.card.id.clone()));
        }
    }
    match model.map.method {
        None if model.map.given.is_some() => {
            let turns =
                if model.map.turns() { ", in three dimensions: drag with the right button to turn them" } else { "" };
            faint(ui, format!("The positions as they stand in the file{turns}."));
        }
        Some(Method::Tsne) => tsne(ui, ctx, model),
        Some(Method::Umap) => umap(ui, ctx, model),
        Some(Method::Pacmap) => pacmap(ui, ctx, model),
        _ => pca(ui, ctx, model),
    }
    more(ui, ctx, model);
}

fn pca(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let Some(shown) = model.map.shown() else { return };
    let axes = ctx.settings.dimensions;
    let held: f32 = shown.explained_variance.iter().take(axes).sum();
    ui.add_space(4.0);
    if let Some(words) = without_spread(shown) {
        faint(ui, words);
        return;
    }
    faint(
        ui,
        format!("The {} axes hold {:.0} % of the variance.", if axes == 3 { "three" } else { "two" }, held * 100.0),
    );
    variance_plot(ui, &shown.explained_variance);
    if link(ui, "What fewer dimensions cost…").clicked() {
        ctx.send(Command::Toggle(Dialog::Reductions));
    }
}

/// Why there is no variance whose shares could be told, where there is none.
fn without_spread(shown: &Projection) -> Option<&'static str> {
    match shown.rows.len() {
        1 => Some("One item has no spread: there is no variance to explain."),
        _ if shown.all_equal => Some("All items have the same vector: there is no variance to explain."),
        _ if shown.explained_variance.iter().sum::<f32>() > 0.0 => None,
        _ => Some("These vectors have no spread: there is no variance to explain."),
    }
}

fn tsne(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let mut params = ctx.settings.tsne;
    let before = params;
    ui.add_space(4.0);
    match &mut params.attraction {
        Attraction::Perplexity => _ = slider(ui, "Perplexity", &mut params.perplexity, &Range::new(5.0, 100.0, 0)),
        Attraction::Uniform { neighbours } => {
            let mut count = *neighbours as f32;
            slider(ui, "Neighbours", &mut count, &Range { step: 1.0, ..Range::new(3.0, 100.0, 0) });
            *neighbours = count as usize;
        }
    }
    faint(ui, "Larger values weigh the wider neighbourhood.");
    ui.add_space(6.0);
    running(ui, ctx, model);
    match model.map.shown() {
        _ if model.map.live.is_some() => kl_plot(ui, &model.map.live_kl),
        Some(shown) => kl_plot(ui, &shown.kl),
        None => {}
    }
    ui.add_space(4.0);
    egui::CollapsingHeader::new("More settings").id_salt("tsne settings").show(ui, |ui| {
        let mut iterations = params.iterations as f32;
        slider(ui, "Iterations", &mut iterations, &Range { step: 50.0, ..Range::new(250.0, 2000.0, 0) });
        params.iterations = iterations as usize;
        faint(ui, "Larger values let the map settle; the last ones change little.");
        slider(ui, "Early exaggeration", &mut params.early_exaggeration, &Range::new(1.0, 30.0, 0));
        faint(ui, "Larger values pull groups together sooner.");
        let mut exaggerated = params.exaggeration_iterations as f32;
        slider(ui, "Exaggerated iterations", &mut exaggerated, &Range { step: 10.0, ..Range::new(0.0, 1000.0, 0) });
        params.exaggeration_iterations = exaggerated as usize;
        faint(ui, "Larger values give groups longer to form.");
        attraction(ui, &mut params);
        repulsion(ui, &mut params);
        rate(ui, &mut params.learning_rate);
        metric(ui, ctx);
        engine(ui, &mut params.engine, model.set.as_ref().map_or(0, |set| set.rows.len()));
    });
    if params != before {
        ctx.send(Command::SetTsne(params));
    }
}

/// By what weights points are drawn to their neighbours.
fn attraction(ui: &mut Ui, params: &mut TsneParams) {
    ui.horizontal(|ui| {
        widgets::dim(ui, "Drawn by");
        let uniform = matches!(params.attraction, Attraction::Uniform { .. });
        let words = "The nearer, the stronger: Gaussian weights of the perplexity, over three times as many neighbours. \
            Counts from the next start";
        if chip(ui, "perplexity", !uniform).on_hover_text(words).clicked() {
            params.attraction = Attraction::Perplexity;
        }
        let words = "Each of a number of neighbours by the same weight: quicker, and close to a perplexity of that \
            number. Counts from the next start";
        if chip(ui, "equal weights", uniform).on_hover_text(words).clicked() && !uniform {
            params.attraction = Attraction::Uniform { neighbours: UNIFORM };
        }
    });
}

/// How the pushes between all points are computed, and how exactly.
fn repulsion(ui: &mut Ui, params: &mut TsneParams) {
    ui.horizontal(|ui| {
        widgets::dim(ui, "Pushed by");
        for (way, name, words) in [
            (
                Repulsion::Automatic,
                "auto",
                "All pairs up to 1,000 points, the tree up to a few thousand, the grid above",
            ),
            (Repulsion::BarnesHut, "tree", "Far points are seen as one (Barnes and Hut)"),
            (Repulsion::Fft, "grid", "A grid and Fourier transforms: time hardly grows with the points"),
            (Repulsion::Exact, "all", "All pairs: slow above 10,000 points"),
        ] {
            if chip(ui, name, params.repulsion == way).on_hover_text(words).clicked() {
                params.repulsion = way;
            }
        }
    });
    if params.repulsion == Repulsion::BarnesHut {
        slider(ui, "Coarseness of the tree", &mut params.theta, &Range::new(0.0, 1.0, 2));
        faint(ui, "Larger values are quicker and less exact; 0 is exact.");
    }
}

fn umap(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let mut params = ctx.settings.umap;
    let before = params;
    ui.add_space(4.0);
    let mut neighbours = params.n_neighbors as f32;
    slider(ui, "Neighbours", &mut neighbours, &Range { step: 1.0, log: true, ..Range::new(3.0, 100.0, 0) });
    params.n_neighbors = neighbours as usize;
    faint(ui, "Larger values show the wider structure and lose detail.");
    slider(ui, "Least distance", &mut params.min_dist, &Range::new(0.0, 0.99, 2));
    faint(ui, "Larger values loosen groups: 0 packs near points together.");
    ui.add_space(6.0);
    running(ui, ctx, model);
    ui.add_space(4.0);
    egui::CollapsingHeader::new("More settings").id_salt("umap settings").show(ui, |ui| {
        umap_more(ui, &mut params, model.set.as_ref().map_or(0, |set| set.rows.len()));
        metric(ui, ctx);
        let mut by_folder = ctx.settings.by_folder;
        let words =
            "The map is told the folders and keeps each together. It then shows less of what the model sees by itself.";
        if ui.checkbox(&mut by_folder, "Keep folders together").on_hover_text(words).changed() {
            ctx.send(Command::SetByFolder(by_folder));
        }
        if by_folder {
            slider(ui, "Weight of the folders", &mut params.target_weight, &Range::new(0.0, 1.0, 2));
            faint(ui, "Larger values let the folders decide more and the vectors less.");
        }
    });
    if params != before {
        ctx.send(Command::SetUmap(params));
    }
}

fn umap_more(ui: &mut Ui, params: &mut UmapParams, rows: usize) {
    let mut epochs = params.epochs_for(rows) as f32;
    if slider(ui, "Epochs", &mut epochs, &Range { step: 50.0, ..Range::new(50.0, 1000.0, 0) }) {
        params.epochs = Some(epochs as usize);
    }
    faint(ui, "Larger values let the map settle and take longer.");
    slider(ui, "Spread", &mut params.spread, &Range::new(0.5, 3.0, 1));
    faint(ui, "Larger values give wider groups, with more room between them.");
    let mut pushes = params.negative_sample_rate as f32;
    slider(ui, "Points that push away", &mut pushes, &Range { step: 1.0, ..Range::new(1.0, 20.0, 0) });
    params.negative_sample_rate = pushes as usize;
    faint(ui, "Larger values part groups and take longer.");
    slider(ui, "Weight of pushing away", &mut params.repulsion_strength, &Range::new(0.1, 3.0, 1));
    faint(ui, "Larger values leave more room between points.");
    slider(ui, "Learning rate", &mut params.learning_rate, &Range::new(0.1, 2.0, 1));
    faint(ui, "Larger values move points further at a time: sooner unfolded, later at rest.");
    ui.horizontal(|ui| {
        widgets::dim(ui, "Start");
        for (start, name, words) in [
            (UmapStart::Given, "PCA", "From the principal components: the same every time"),
            (
                UmapStart::Spectral,
                "spectral",
                "From the smoothest functions on the neighbour graph, as umap-learn does",
            ),
            (UmapStart::Random, "random", "From random places: shows what does not depend on the start"),
        ] {
            if chip(ui, name, params.start == start).on_hover_text(words).clicked() {
                params.start = start;
            }
        }
    });
}

fn pacmap(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let mut params = ctx.settings.pacmap;
    let before = params;
    ui.add_space(4.0);
    let rows = model.set.as_ref().map_or(0, |set| set.rows.len());
    let mut neighbours = params.neighbours_for(rows) as f32;
    if slider(ui, "Neighbours", &mut neighbours, &Range { step: 1.0, log: true, ..Range::new(3.0, 100.0, 0) }) {
        params.n_neighbors = Some(neighbours as usize);
    }
    faint(ui, "Larger values show the wider structure and lose detail.");
    slider(ui, "Further pairs", &mut params.fp_ratio, &Range::new(0.5, 10.0, 1));
    faint(ui, "For each neighbour. Larger values part groups more and take longer.");
    ui.add_space(6.0);
    running(ui, ctx, model);
    ui.add_space(4.0);
    egui::CollapsingHeader::new("More settings").id_salt("pacmap settings").show(ui, |ui| {
        pacmap_more(ui, &mut params);
        metric(ui, ctx);
    });
    if params != before {
        ctx.send(Command::SetPacmap(params));
    }
}

fn pacmap_more(ui: &mut Ui, params: &mut PacmapParams) {
    slider(ui, "Mid-near pairs", &mut params.mn_ratio, &Range::new(0.0, 5.0, 1));
    faint(ui, "For each neighbour. Larger values keep the large shape more firmly while the map forms.");
    let mut iterations = params.iterations as f32;
    slider(ui, "Iterations", &mut iterations, &Range { step: 50.0, ..Range::new(100.0, 2000.0, 0) });
    params.iterations = iterations as usize;
    faint(ui, "Larger values let the map settle; the last ones change little.");
    slider(ui, "Learning rate", &mut params.learning_rate, &Range::new(0.1, 2.0, 1));
    faint(ui, "Larger values unfold the map sooner and leave it restless.");
    let mut automatic = params.n_neighbors.is_none();
    let words = "By the number of chunks: 10 up to 10,000, more beyond, 23 for 70,000";
    if ui.checkbox(&mut automatic, "Automatic neighbours").on_hover_text(words).changed() {
        params.n_neighbors = if automatic { None } else { PacmapParams::default().n_neighbors };
    }
}

fn metric(ui: &mut Ui, ctx: &Context<'_>) {
    let name = |metric: Option<Metric>| match metric {
        None => "automatic",
        Some(Metric::Cosine) => "cosine",
        Some(Metric::Euclidean) => "Euclidean distance",
        Some(Metric::Dot) => "dot product",
    };
    ui.horizontal(|ui| {
        widgets::dim(ui, "Near by")
            .on_hover_text("Automatic is the cosine for vectors of length 1 and the distance for others");
        let combo = ComboBox::from_id_salt("metric").selected_text(name(ctx.settings.metric)).show_ui(ui, |ui| {
            for metric in [None, Some(Metric::Cosine), Some(Metric::Euclidean)] {
                if ui.selectable_label(ctx.settings.metric == metric, name(metric)).clicked() {
                    ctx.send(Command::SetMetric(metric));
                }
            }
        });
        let label = format!("Near by {}", name(ctx.settings.metric));
        combo.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &label));
    });
}

/// What can be done with the shown map: other dimensions, the selection alone, keeping it.
fn more(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let id = &model.card.id;
    let method = model.map.method.unwrap_or(Method::Pca);
    ui.add_space(4.0);
    if method != Method::Tsne && !model.map.is_given() {
        ui.horizontal(|ui| {
            widgets::dim(ui, "Axes");
            for (dimensions, name) in [(2, "2-D"), (3, "3-D")] {
                let words =
                    "Counts from the next start. A map of three dimensions turns when dragged with the right button";
                if chip(ui, name, ctx.settings.dimensions == dimensions).on_hover_text(words).clicked() {
                    ctx.send(Command::SetDimensions(dimensions));
                    ctx.send(Command::ProjectAgain(id.clone()));
                }
            }
        });
    }
    if model.map.live.is_some() {
        return;
    }
    if model.map.turns() && !model.map.is_given() {
        faint(ui, "Drag with the right button to turn it.");
    }
    let selected = model.selected(ctx.selection);
    let links = |ui: &mut Ui| {
        if model.map.part.is_some() {
            if link(ui, "Show all again").clicked() {
                ctx.send(Command::ShowWhole(id.clone()));
            }
        } else if selected > 3 {
            let words = format!("Lay out {} selected", thousands(selected as u64));
            if link(ui, &words).on_hover_text("Only the selected chunks, with neighbours among themselves").clicked() {
                ctx.send(Command::ProjectSelection(id.clone(), method));
            }
        }
        if model.map.part.is_none() && model.map.shown().is_some() {
            let words = "Set this map aside, to hold others of this model against it in Compare";
            if link(ui, "Keep this map").on_hover_text(words).clicked() {
                ctx.send(Command::KeepMap(id.clone()));
            }
        }
    };
    // Both do not fit into one line of the narrowest panel.
    if selected > 3 {
        ui.vertical(links);
    } else {
        ui.horizontal(links);
    }
    for kept in &model.map.kept {
        ui.horizontal(|ui| {
            widgets::dim(ui, format!("Kept {}", kept.name));
            let drop = chip(ui, "×", false).on_hover_text("Forget this map");
            let name = format!("Forget kept map {}", kept.number);
            drop.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            if drop.clicked() {
                ctx.send(Command::DropKept(id.clone(), kept.number));
            }
        });
    }
}

fn rate(ui: &mut Ui, rate: &mut Option<f32>) {
    let mut automatic = rate.is_none();
    if ui.checkbox(&mut automatic, "Automatic learning rate").changed() {
        *rate = if automatic { None } else { Some(200.0) };
    }
    if let Some(value) = rate {
        slider(ui, "Learning rate", value, &Range { log: true, ..Range::new(10.0, 5000.0, 0) });
        faint(ui, "Too large scatters the map, too small leaves it a ball.");
    }
}

fn engine(ui: &mut Ui, engine: &mut TsneEngine, points: usize) {
    ui.horizontal(|ui| {
        widgets::dim(ui, "Engine");
        let ours = chip(ui, "Embedlens", *engine == TsneEngine::Embedlens);
        if ours.on_hover_text("Live, can be paused and cancelled").clicked() {
            *engine = TsneEngine::Embedlens;
        }
        let words = if points > 5000 {
            "Reference engine; up to 5,000 points only"
        } else {
            "Reference engine; shows the map when it is done"
        };
        let linfa = ui.add_enabled_ui(points <= 5000, |ui| chip(ui, "linfa", *engine == TsneEngine::Linfa)).inner;
        if linfa.on_hover_text(words).clicked() {
            *engine = TsneEngine::Linfa;
        }
    });
}

fn running(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    ui.horizontal(|ui| {
        if let Some(live) = model.map.live.filter(|live| live.engine == TsneEngine::Linfa) {
            widgets::dim(ui, "linfa shows its map when it is done");
            if chip(ui, "Cancel", false).clicked() {
                ctx.send(Command::CancelJob(live.job));
            }
        } else if let Some(live) = model.map.live {
            let word = if live.paused { "Resume" } else { "Pause" };
            if chip(ui, word, true).clicked() {
                ctx.send(Command::PauseJob(live.job, !live.paused));
            }
            if chip(ui, "Keep", false).on_hover_text("Stop here and keep the map as it is").clicked() {
                ctx.send(Command::KeepLayout(model.card.id.clone()));
            }
            if chip(ui, "Cancel", false).on_hover_text("Stop and go back to the map before").clicked() {
                ctx.send(Command::CancelJob(live.job));
            }
        } else if chip(ui, "Start again", false).on_hover_text("With the settings above").clicked() {
            ctx.send(Command::ProjectAgain(model.card.id.clone()));
        }
    });
    if let Some(live) = model.map.live.filter(|live| live.engine == TsneEngine::Embedlens) {
        let kl = if live.kl.is_finite() { format!(" · KL {:.2}", live.kl) } else { String::new() };
        let word = if live.method == Method::Umap { "Epoch" } else { "Iteration" };
        widgets::dim(ui, format!("{word} {} of {}{kl}", live.iteration, live.iterations));
    } else if let Some(shown) = model.map.shown().filter(|_| model.map.live.is_none()) {
        // In the same place, so that nothing below moves when a layout ends.
        widgets::dim(ui, took(shown));
    }
}

/// "500 epochs in 1.2 s".
fn took(shown: &Projection) -> String {
    let seconds = widgets::duration(shown.seconds[0] + shown.seconds[1]);
    let word = if shown.params.method == Method::Umap { "epoch" } else { "iteration" };
    match shown.history.last() {
        Some(last) => format!("{} in {seconds}", widgets::plural(last.iteration as usize, word)),
        None => format!("Laid out in {seconds}"),
    }
}
