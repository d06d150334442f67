//! The panel at the left: folders, models, projection, points.

use eframe::egui::{self, ComboBox, RichText, ScrollArea, Slider, Ui};

use crate::projection::{Method, TsneEngine};
use crate::ui::command::{Command, Dialog};
use crate::ui::context::{Context, FolderLine, ModelState};
use crate::ui::state::WindowState;
use crate::ui::theme::Theme;
use crate::ui::widgets::{self, Row, chip, coloured_link, faint, link, plural, section, thousands};
use crate::workspace::Column;

/// Paints the panel.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(-6.0);
        folders(ui, ctx, state);
        models(ui, ctx);
        if ctx.shown_model().is_some_and(|model| model.set.is_some()) {
            points(ui, ctx);
            projection(ui, ctx);
        }
        ui.add_space(12.0);
    });
}

fn folders(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    section(ui, "Folders");
    let most = (ui.ctx().content_rect().height() * 0.3).max(160.0);
    // A short tree is open to its second level, a long one shows its roots only.
    let open_by_default = ctx.folders.len() <= 9;
    ScrollArea::vertical().id_salt("folders").max_height(most).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut closed_at = usize::MAX;
        for (place, line) in ctx.folders.iter().enumerate() {
            if line.depth > closed_at {
                continue;
            }
            closed_at = usize::MAX;
            let parent = ctx.folders.get(place + 1).is_some_and(|next| next.depth > line.depth);
            let key = format!("{}/{}", line.depth, line.path);
            let open = parent && (open_by_default != state.turned_folders.contains(&key));
            if parent && !open {
                closed_at = line.depth;
            }
            folder(ui, ctx, state, (line, parent.then_some(open), key));
        }
    });
    let (words, command) = match ctx.corpus {
        Some(_) => ("+ Add a folder", Command::ChooseFolderToAdd),
        None => ("+ Open a folder", Command::ChooseFolder),
    };
    if link(ui, words).clicked() {
        ctx.send(command);
    }
    let skipped = ctx.corpus.map_or(0, |corpus| corpus.skipped.len());
    if skipped > 0 {
        let words = format!("{} skipped. Why?", plural(skipped, "file"));
        if coloured_link(ui, &words, ctx.theme.warn).clicked() {
            ctx.send(Command::Toggle(Dialog::Skipped));
        }
    }
}

fn folder(
    ui: &mut Ui,
    ctx: &Context<'_>,
    state: &mut WindowState,
    (line, open, key): (&FolderLine, Option<bool>, String),
) {
    let mut row = Row::new(&line.name, thousands(line.items as u64));
    row.indent = 16.0 + 14.0 * line.depth as f32;
    row.dim = line.depth > 0;
    let response = row.show(ui).on_hover_text("Select the items of this folder");
    if let Some(open) = open {
        let centre = response.rect.left_center() + egui::vec2(6.0 + 14.0 * line.depth as f32, 0.0);
        let hit = egui::Rect::from_center_size(centre, egui::vec2(20.0, 24.0));
        let turn = ui.interact(hit, ui.scope_id().with(("turn", &key)), egui::Sense::click());
        let words = if open { format!("Close {}", line.name) } else { format!("Open {}", line.name) };
        turn.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &words));
        triangle(ui, centre, open);
        if turn.clicked() {
            if !state.turned_folders.remove(&key) {
                state.turned_folders.insert(key);
            }
            return;
        }
    }
    if response.clicked() {
        ctx.send(Command::SelectFolder(line.path.clone()));
    }
}

/// The sign of a folder that can be opened: right when closed, down when open.
fn triangle(ui: &Ui, centre: egui::Pos2, open: bool) {
    let colour = Theme::of(ui.ctx()).dim;
    let points = if open {
        [egui::vec2(-4.0, -2.5), egui::vec2(4.0, -2.5), egui::vec2(0.0, 3.5)]
    } else {
        [egui::vec2(-2.5, -4.0), egui::vec2(3.5, 0.0), egui::vec2(-2.5, 4.0)]
    };
    let points = points.map(|point| centre + point).to_vec();
    ui.painter().add(egui::Shape::convex_polygon(points, colour, egui::Stroke::NONE));
}

fn models(ui: &mut Ui, ctx: &Context<'_>) {
    section(ui, "Models");
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for model in ctx.models {
            model_row(ui, ctx, model);
        }
    });
    if link(ui, "+ Add a model").on_hover_text("A folder, or one already in the hub's cache").clicked() {
        ctx.send(Command::Toggle(Dialog::Models));
    }
}

fn model_row(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let embedded = model.set.is_some();
    let job = ctx.jobs.iter().find(|job| job.lane == "embed" && job.title.ends_with(&model.card.name));
    let right = match job.map(|job| (job.queued, job.view.fraction())) {
        Some((true, _)) => "waiting".to_owned(),
        Some((false, Some(share))) => format!("{:.0} %", share * 100.0),
        Some((false, None)) => "opening".to_owned(),
        None if model.map.fresh && embedded => "map ready".to_owned(),
        None => thousands(model.card.dimensions as u64),
    };
    let mut row = Row::new(&model.card.name, right);
    row.news = model.map.fresh && embedded;
    row.dot = Some((ctx.theme.model_colour(model.colour), !embedded));
    row.chosen = ctx.shown == Some(&model.card.id) && embedded;
    row.dim = !embedded;
    let words = if embedded { "Show this model's map" } else { "Embed the corpus with this model" };
    let response = row.show(ui).on_hover_text(format!("{}\n{words}", model.card.about));
    if response.clicked() {
        let id = model.card.id.clone();
        ctx.send(if embedded { Command::ShowMap(id) } else { Command::Embed(id) });
    }
    if let Some(error) = &model.error {
        ui.label(RichText::new(error).font(crate::ui::theme::secondary()).color(ctx.theme.bad));
    }
}

fn projection(ui: &mut Ui, ctx: &Context<'_>) {
    let Some(model) = ctx.shown_model() else { return };
    section(ui, "Projection");
    ui.horizontal(|ui| {
        if model.map.given.is_some() {
            let chosen = model.map.method.is_none();
            let words = "The positions as they stand in the file.";
            if chip(ui, "As it is", chosen).on_hover_text(words).clicked() {
                ctx.send(Command::ShowGiven(model.card.id.clone()));
            }
        }
        for (method, words) in [
            (Method::Pca, "The two directions along which the vectors differ most. Instant; the same every time."),
            (Method::Tsne, "Keeps near neighbours near. Distances between far groups mean little."),
        ] {
            let chosen = model.map.method == Some(method);
            if chip(ui, method.name(), chosen).on_hover_text(words).clicked() {
                ctx.send(Command::Project(model.card.id.clone(), method));
            }
        }
    });
    match model.map.method {
        None if model.map.given.is_some() => {
            faint(ui, "The positions as they stand in the file.");
        }
        Some(Method::Tsne) => tsne(ui, ctx, model),
        _ => pca(ui, model),
    }
}

fn pca(ui: &mut Ui, model: &ModelState) {
    let Some(shown) = model.map.shown() else { return };
    let two: f32 = shown.explained_variance.iter().take(2).sum();
    ui.add_space(4.0);
    faint(ui, format!("The two axes hold {:.0} % of the variance.", two * 100.0));
    variance_plot(ui, &shown.explained_variance);
}

fn tsne(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let mut params = ctx.settings.tsne;
    let before = params;
    ui.add_space(4.0);
    slider(ui, "Perplexity", &mut params.perplexity, &Range::new(5.0, 100.0, 0));
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
        rate(ui, &mut params.learning_rate);
        engine(ui, &mut params.engine, model.set.as_ref().map_or(0, |set| set.rows.len()));
    });
    if params != before {
        ctx.send(Command::SetTsne(params));
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
        widgets::dim(ui, format!("Iteration {} of {}{kl}", live.iteration, live.iterations));
    }
}

fn points(ui: &mut Ui, ctx: &Context<'_>) {
    section(ui, "Points");
    // Without a comparison there is no agreement, and the maps are coloured by folder.
    let chosen = match ctx.settings.colour_by {
        Column::Agreement if ctx.compare.agreements.is_empty() => Column::Folder,
        column => column,
    };
    let combo = ComboBox::from_id_salt("colour by")
        .width(ui.available_width())
        .selected_text(format!("Colour by {}", chosen.name()))
        .show_ui(ui, |ui| {
            for column in Column::ALL {
                if column == Column::Agreement && ctx.compare.agreements.is_empty() {
                    continue;
                }
                if ui.selectable_label(chosen == column, column.name()).clicked() {
                    ctx.send(Command::ColourBy(column));
                }
            }
        });
    combo
        .response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, format!("Colour by {}", chosen.name())));
    let mut size = ctx.settings.point_size;
    if slider(ui, "Size", &mut size, &Range::new(0.5, 8.0, 1)) {
        ctx.send(Command::SetPointSize(size));
    }
    let mut opacity = ctx.settings.opacity;
    if slider(ui, "Opacity", &mut opacity, &Range::new(0.05, 1.0, 2)) {
        ctx.send(Command::SetOpacity(opacity));
    }
}

/// What a slider goes through.
struct Range {
    min: f32,
    max: f32,
    /// Whether equal ways are equal factors.
    log: bool,
    /// Smallest step; 0 for none.
    step: f32,
    decimals: usize,
}

impl Range {
    fn new(min: f32, max: f32, decimals: usize) -> Self {
        Self { min, max, log: false, step: 0.0, decimals }
    }

    /// Where a value lies between the ends, 0 to 1.
    fn share(&self, value: f32) -> f32 {
        let by = |x: f32| if self.log { x.max(1e-6).ln() } else { x };
        ((by(value) - by(self.min)) / (by(self.max) - by(self.min))).clamp(0.0, 1.0)
    }
}

/// A slider over the whole width with its name at the left and its value at the right above it; true when moved.
fn slider(ui: &mut Ui, name: &str, value: &mut f32, range: &Range) -> bool {
    let theme = Theme::of(ui.ctx());
    let decimals = range.decimals;
    ui.add_space(4.0);
    let label = ui
        .horizontal(|ui| {
            let label = ui.label(name);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                widgets::dim(ui, format!("{value:.decimals$}"));
            });
            label
        })
        .inner;
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = ui.available_width();
        ui.spacing_mut().interact_size.y = 16.0;
        ui.visuals_mut().selection.bg_fill = theme.accent;
        let slider = Slider::new(value, range.min..=range.max).show_value(false).logarithmic(range.log);
        let slider = slider.step_by(range.step.into()).fixed_decimals(decimals);
        let response = ui.add(slider).labelled_by(label.id);
        // The toolkit's handle has the colour of the rail; ours is a disc in the colour of text.
        let radius = response.rect.height() / 2.5;
        let ends = response.rect.x_range().shrink(radius);
        let centre = egui::pos2(egui::lerp(ends.min..=ends.max, range.share(*value)), response.rect.center().y);
        ui.painter().circle_filled(centre, 6.5, theme.text);
        if response.has_focus() {
            ui.painter().circle_stroke(centre, 8.5, egui::Stroke::new(1.5, theme.accent));
        }
        response.changed()
    })
    .inner
}

fn variance_plot(ui: &mut Ui, ratios: &[f32]) {
    if ratios.len() < 3 {
        return;
    }
    let mut sum = 0.0;
    let points: Vec<[f64; 2]> = ratios
        .iter()
        .enumerate()
        .map(|(place, &share)| {
            sum += f64::from(share) * 100.0;
            [place as f64 + 1.0, sum]
        })
        .collect();
    widgets::dim(ui, "Variance held by components, %");
    curve(ui, "variance", points, Some(100.0));
}

fn kl_plot(ui: &mut Ui, kl: &[(u32, f32)]) {
    if kl.len() < 3 {
        return;
    }
    let points = kl.iter().map(|&(iteration, value)| [f64::from(iteration), f64::from(value)]).collect();
    widgets::dim(ui, "KL divergence by iteration")
        .on_hover_text("How badly the map keeps the neighbourhoods; lower is better");
    curve(ui, "kl", points, None);
}

/// A curve without tools; with `whole` its axis goes from 0 to there.
fn curve(ui: &mut Ui, id: &str, points: Vec<[f64; 2]>, whole: Option<f64>) {
    let colour = Theme::of(ui.ctx()).accent;
    let mut plot = egui_plot::Plot::new(id);
    if let Some(whole) = whole {
        let steps = egui_plot::uniform_grid_spacer(move |_| [whole, whole / 2.0, whole / 4.0]);
        plot = plot.include_y(0.0).include_y(whole).y_grid_spacer(steps);
    }
    plot.height(92.0)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_background(false)
        .show_grid([false, true])
        .y_axis_min_width(24.0)
        .show(ui, |plot| plot.line(egui_plot::Line::new(id, points).color(colour).width(1.5)));
}
