//! A model's map with its legend, hover card, trust line and past, linked with everything else.

mod legend;
mod time;

use eframe::egui::{self, Align2, Area, Id, Order, RichText, Sense, Ui, pos2, vec2};

use super::query;
use crate::corpus::Content;
use crate::picture::BESIDE_DENSITY;
use crate::projection::Method;
use crate::ui::command::{Command, Dialog, MapTool, SelectMode};
use crate::ui::context::{Context, MapChoice, ModelState};
use crate::ui::map::{AreaMode, Covered, Line, MapColours, MapInput, Mark, Tool};
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{self, card, empty_state, link};
use crate::vectors::RowId;
pub use legend::scale;

/// Paints one of the maps of `model`. `place` tells maps of the same model apart.
pub fn show(
    ui: &mut Ui,
    ctx: &Context<'_>,
    state: &mut WindowState,
    model: &ModelState,
    (place, choice): (&str, MapChoice),
) {
    let Some((layout, styles)) = model.map.seen(choice) else {
        waiting(ui, ctx, model);
        return;
    };
    let key = format!("{place}/{}", model.card.id);
    let own = choice == MapChoice::Shown;
    let lines = if own { torn_lines(ctx, model) } else { Vec::new() };
    let space = own && model.map.turns();
    let marked = marks(ctx, state, model);
    let view = state.map_views.entry(key.clone()).or_default();
    let seen = state.seen_fit.insert(key.clone(), ctx.fit_request);
    if seen.is_some_and(|seen| seen != ctx.fit_request) {
        view.fit_by_hand();
    }
    let cards = place == "explore";
    let covered = if cards { covered(ui, &key) } else { Covered::default() };
    let focus = ctx.selection.focus;
    if state.seen_focus.insert(key.clone(), focus).flatten() != focus
        && let Some(row) = focus
    {
        view.show_row(row);
    }
    let pin = model.map.pinned().filter(|_| own);
    let density = model.map.densities.get(&choice).filter(|_| ctx.settings.density);
    let label = format!("Map of {}", model.card.name);
    let response = crate::ui::map::show(
        ui,
        &MapInput {
            id: &key,
            layout,
            styles,
            density,
            hovered: ctx.hovered,
            focused: ctx.selection.focus,
            marked: &marked,
            lines: &lines,
            names: model.map.labels.as_deref().filter(|_| own && ctx.settings.cluster_names),
            turns: space,
            pin: pin.map(|(at, _)| at),
            covered,
            point_size: ctx.settings.point_size,
            opacity: ctx.settings.opacity * if density.is_some() { BESIDE_DENSITY } else { 1.0 },
            tool: tool(ctx.tool),
            colours: colours(&ctx.theme),
            backend: ctx.backend,
            label: &label,
        },
        view,
    );
    let outside = view.outside();
    let rect = response.response.rect;
    state.map_focused |= response.response.has_focus();
    if let Some(request) = response.to_paint {
        ctx.send(Command::PaintPoints(request));
    }
    if let Some(by) = response.turned {
        ctx.send(Command::Turn(model.card.id.clone(), by));
    }
    if response.response.contains_pointer() {
        state.hover_next = response.hovered;
        state.hover_seen = true;
    }
    if let Some((row, modifiers)) = response.clicked {
        if modifiers.shift {
            let mode = if ctx.selection.contains(row) { SelectMode::Subtract } else { SelectMode::Add };
            ctx.send(Command::Select(vec![row], mode));
        } else {
            // What was clicked is in view: the map does not move under the pointer.
            state.seen_focus.insert(key.clone(), Some(row));
            ctx.send(Command::Focus(row));
        }
    } else if response.background_clicked && ui.input(|input| input.modifiers.is_none()) {
        ctx.send(Command::Unfocus);
    }
    if let Some(area) = response.area {
        let mode = match area.mode {
            AreaMode::Replace => SelectMode::Replace,
            AreaMode::Add => SelectMode::Add,
            AreaMode::Subtract => SelectMode::Subtract,
        };
        ctx.send(Command::Select(area.rows, mode));
    }
    // In Compare the header tells the trust, and cards would hide half of a small map.
    if cards {
        legend::card_of(ui, ctx, state, (styles.legend(), &key), rect);
        trust_card(ui, ctx, (model, &key, outside), rect);
        time::card_of(ui, ctx, (model, &key), rect);
    }
    if let (Some((_, words)), Some(at)) = (pin, response.pin_hovered) {
        pin_card(ui, ctx, words, at);
    } else if let (Some(row), Some(at)) = (response.hovered, response.hovered_at) {
        hover_card(ui, ctx, state, row, at);
    }
}

/// What the cards cover, as they were painted last. The room is as it is now: the map fills it.
fn covered(ui: &Ui, key: &str) -> Covered {
    let rect = ui.available_rect_before_wrap();
    let seen = |name: &str| ui.memory(|memory| memory.area_rect(Id::unique((name, key))));
    let seen = |name: &str| seen(name).filter(|card| rect.intersects(*card) && rect.width() >= 420.0);
    let corner = seen("legend").map(|card| vec2(rect.right() - card.left(), card.bottom() - rect.top()));
    let foot = seen("trust").map(|card| rect.bottom() - card.top());
    Covered { corner: corner.unwrap_or_default(), foot: foot.unwrap_or_default() }
}

/// Lines from the row looked at to what the map gets wrong about it: solid to true neighbours that it tore away, dashed to strangers.
fn torn_lines(ctx: &Context<'_>, model: &ModelState) -> Vec<Line> {
    let Some(torn) = model.map.torn.as_ref().filter(|torn| ctx.selection.focus == Some(torn.row)) else {
        return Vec::new();
    };
    let line = |to: &RowId, colour, dashed| Line { from: torn.row, to: *to, colour, dashed };
    let away = torn.torn.iter().map(|to| line(to, ctx.theme.good, false));
    away.chain(torn.pulled.iter().map(|to| line(to, ctx.theme.bad, true))).collect()
}

fn tool(tool: MapTool) -> Tool {
    match tool {
        MapTool::Pan => Tool::Pan,
        MapTool::Lasso => Tool::Lasso,
        MapTool::Box => Tool::Box,
    }
}

fn colours(theme: &Theme) -> MapColours {
    MapColours { background: theme.plot, text: theme.text, accent: theme.accent, ring: theme.text }
}

/// Hits with their rank beside them.
const NUMBERED: usize = 5;
/// Hits that are marked at all: further down a list, marks would only hide the points.
const MARKED: usize = 20;

/// The listed hits of the query as far as this model's map holds them, best first; else this model's own best hits.
fn marks(ctx: &Context<'_>, state: &WindowState, model: &ModelState) -> Vec<Mark> {
    let Some(answer) = ctx.answer else { return Vec::new() };
    let holds = |row: RowId| model.set.as_ref().is_some_and(|set| set.position_of(row).is_some());
    let mut own = answer.groups.iter().filter(|group| group.model == model.card.id);
    let listed = query::lit(ctx, state);
    let same = own.clone().find(|group| listed.is_some_and(|listed| listed.modality == group.modality));
    let elsewhere = listed.filter(|group| group.hits.iter().any(|hit| holds(hit.0)));
    let Some(group) = same.or(elsewhere).or(own.next()) else { return Vec::new() };
    let label = |place: usize| if place < NUMBERED { (place + 1).to_string() } else { String::new() };
    let hits = group.hits.iter().take(MARKED).enumerate().filter(|(_, hit)| holds(hit.0));
    hits.map(|(place, hit)| Mark { row: hit.0, colour: None, label: label(place) }).collect()
}

/// The map's place before anything is loaded, or while it is, or when nothing could be shown.
pub fn nothing(ui: &mut Ui, ctx: &Context<'_>) {
    ui.painter().rect_filled(ui.max_rect(), 0.0, ctx.theme.plot);
    if let Some(job) = ctx.jobs.iter().find(|job| !job.quiet) {
        busy(ui, ctx, job);
        return;
    }
    match ctx.corpus {
        Some(corpus) if corpus.chunks.is_empty() && corpus.skipped.is_empty() => {
            let words = "No text, no code and no picture is in what was opened.";
            empty_state(ui, "There is nothing in it", words, |ui| {
                if widgets::primary_button(ui, "Choose another folder…").clicked() {
                    ctx.send(Command::ChooseFolder);
                }
                ui.add_space(8.0);
                sample(ui, ctx);
            });
        }
        Some(corpus) if corpus.chunks.is_empty() => {
            let words = "Every file was left out. Each is listed with the reason, and with the option that lets it in.";
            empty_state(ui, "Nothing here can be embedded", words, |ui| {
                if widgets::primary_button(ui, "See why").clicked() {
                    ctx.send(Command::Toggle(Dialog::Skipped));
                }
                ui.add_space(8.0);
                another_folder(ui, ctx, "or choose another folder…");
            });
        }
        Some(corpus) => {
            let reads = |model: &&ModelState| ctx.reads(model, corpus);
            let words = "The files are read. A model turns them into vectors, and those become a map.";
            empty_state(ui, "Not embedded yet", words, |ui| {
                for model in ctx.models.iter().filter(reads) {
                    let chosen = link(ui, &format!("Embed with {}", model.card.name)).on_hover_text(&model.card.about);
                    if chosen.clicked() {
                        ctx.send(Command::Embed(model.card.id.clone()));
                    }
                    ui.add_space(4.0);
                }
            });
        }
        None => {
            let words = "Texts, code and pictures in it are embedded on this computer and laid out as a map. \
                Nothing is sent anywhere.";
            let (title, words) = match ctx.load_error {
                Some(error) => ("Nothing was loaded", widgets::sentence(error)),
                None => ("Drop a folder here", words.to_owned()),
            };
            empty_state(ui, title, &words, |ui| {
                if widgets::primary_button(ui, "Choose a folder…").clicked() {
                    ctx.send(Command::ChooseFolder);
                }
                ui.add_space(8.0);
                sample(ui, ctx);
            });
        }
    }
}

fn sample(ui: &mut Ui, ctx: &Context<'_>) {
    if link(ui, "or look at the sample").clicked() {
        ctx.send(Command::OpenSample);
    }
}

fn another_folder(ui: &mut Ui, ctx: &Context<'_>, words: &str) {
    if link(ui, words).clicked() {
        ctx.send(Command::ChooseFolder);
    }
}

fn busy(ui: &mut Ui, ctx: &Context<'_>, job: &crate::jobs::JobSnapshot) {
    let words = if job.view.stage.is_empty() { job.title.clone() } else { job.view.stage.clone() };
    empty_state(ui, &words, &super::top_bar::counts(job, 1), |ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(240.0, 4.0), Sense::hover());
        super::top_bar::bar(ui, ctx, rect, job.view.fraction());
    });
}

fn waiting(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    ui.painter().rect_filled(ui.available_rect_before_wrap(), 0.0, ctx.theme.plot);
    match ctx.jobs.iter().find(|job| !job.quiet) {
        Some(job) => busy(ui, ctx, job),
        None => {
            let title = format!("No map of {} yet", model.card.name);
            let words = match model.set {
                Some(_) => "Its vectors are here, but they are not laid out.",
                None => "This model has not embedded the corpus, or nothing here is of the kind it reads.",
            };
            empty_state(ui, &title, words, |ui| {
                let (word, command) = match model.set {
                    Some(_) => ("Lay out by PCA", Command::Project(model.card.id.clone(), Method::Pca)),
                    None => ("Embed now", Command::Embed(model.card.id.clone())),
                };
                if widgets::primary_button(ui, word).clicked() {
                    ctx.send(command);
                }
            });
        }
    }
}

fn trust_card(ui: &mut Ui, ctx: &Context<'_>, (model, key, outside): (&ModelState, &str, usize), rect: egui::Rect) {
    if rect.width() < 300.0 {
        return;
    }
    let anchor = pos2(rect.left() + 12.0, rect.bottom() - 12.0);
    let id = Id::unique(("trust", key));
    Area::new(id).fixed_pos(anchor).pivot(Align2::LEFT_BOTTOM).order(Order::Middle).constrain(false).show(
        ui.ctx(),
        |ui| {
            card(&ctx.theme).show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 5.0;
                    let plain = |text: String| RichText::new(text).font(theme::secondary()).color(ctx.theme.dim);
                    let strong = |text: String| {
                        RichText::new(text).font(egui::FontId::new(12.0, theme::semibold())).color(ctx.theme.text)
                    };
                    match (model.map.quality(), model.map.live) {
                        (Some(quality), _) => {
                            ui.label(plain("Trust of this map".into()));
                            ui.label(strong(format!("{:.2}", quality.trustworthiness)));
                            ui.label(plain("· neighbours kept".into()));
                            ui.label(strong(format!("{:.0} %", quality.neighbours_kept * 100.0)));
                            if let Some(graph) = model.map.shown().and_then(|shown| shown.graph).filter(|graph| !graph.exact)
                            {
                                let words = "Of so many rows not all pairs were compared: the map was made of the neighbours found, \
                                    measured against the true ones of 1,000 rows";
                                ui.label(plain(format!("· {}", graph.words()))).on_hover_text(words);
                            }
                        }
                        (None, Some(live)) => {
                            let (name, iteration) = (live.method.name(), live.iteration);
                            ui.label(plain(format!("{name} at step {iteration} of {}", live.iterations)));
                        }
                        (None, None) if model.map.moment.is_some() => {
                            ui.label(plain(on_its_way(model)));
                        }
                        (None, None) if model.map.shown().is_some_and(|shown| shown.all_equal) => {
                            ui.label(strong("All vectors are equal: this map shows nothing".into()));
                        }
                        (None, None) if model.map.shown().is_some_and(|shown| !shown.is_judged()) => {
                            ui.label(plain("Too few points to judge this map".into()));
                        }
                        (None, None) if model.map.is_given() => {
                            ui.label(plain("Positions as they stand in the file".into()));
                        }
                        (None, None) => {
                            ui.label(plain("Measuring how far this map can be trusted".into()));
                        }
                    }
                    lines_words(ui, ctx, model);
                    if outside > 0 {
                        far_words(ui, ctx, outside);
                    }
                    let words = RichText::new("What does this mean?").font(theme::secondary()).color(ctx.theme.accent);
                    let response = ui.add(egui::Label::new(words).sense(Sense::click()));
                    response.widget_info(|| {
                        egui::WidgetInfo::labeled(egui::Role::Link, true, "What does trust of a map mean?")
                    });
                    if response.clicked() {
                        ctx.send(Command::Toggle(Dialog::Trust));
                    }
                });
            });
        },
    );
}

/// Which moment of its past is drawn.
fn on_its_way(model: &ModelState) -> String {
    let shown = model.map.shown();
    let at = shown.zip(model.map.moment).and_then(|(shown, moment)| shown.history.get(moment));
    let at = at.map_or_else(String::new, |at| format!(" at step {}", widgets::thousands(u64::from(at.iteration))));
    let name = shown.map_or("The map", |shown| shown.params.method.name());
    format!("{name}{at}, on its way: trust is that of the end")
}

/// Points that are so far away that they are left out of the view.
fn far_words(ui: &mut Ui, ctx: &Context<'_>, outside: usize) {
    let words = format!("· {} far outside", widgets::plural(outside, "point"));
    let words = RichText::new(words).font(theme::secondary()).color(ctx.theme.accent);
    let response = ui.add(egui::Label::new(words).sense(Sense::click()));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Link, true, "Show the points far outside"));
    let why = "With them in view the others would be small. A click, or a double-click on the map, shows all";
    if response.on_hover_text(why).clicked() {
        ctx.send(Command::FitMaps);
    }
}

/// How the map treats the row looked at.
fn lines_words(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let Some(torn) = model.map.torn.as_ref().filter(|torn| ctx.selection.focus == Some(torn.row)) else { return };
    let coloured = |words: String, colour| RichText::new(words).font(theme::secondary()).color(colour);
    ui.label(coloured(format!("· {} torn away", torn.torn.len()), ctx.theme.good)).on_hover_text(
        "True neighbours of the marked point, of its 10 nearest, that this map put elsewhere: solid lines",
    );
    ui.label(coloured(format!("{} pulled in", torn.pulled.len()), ctx.theme.bad))
        .on_hover_text("Of the 10 points nearest on this map, those that are no true neighbours: dashed lines");
}

/// What the cross on the map is.
fn pin_card(ui: &mut Ui, ctx: &Context<'_>, words: &str, at: egui::Pos2) {
    let area = Area::new(Id::unique("pin card")).fixed_pos(at + vec2(14.0, 14.0)).order(Order::Tooltip);
    area.interactable(false).constrain(true).show(ui.ctx(), |ui| {
        let shadow = ui.visuals().popup_shadow;
        card(&ctx.theme).shadow(shadow).show(ui, |ui| {
            ui.set_max_width(260.0);
            let short: String = words.chars().take(80).collect();
            ui.label(format!("The query “{}{}”", short, if short.len() < words.len() { "…" } else { "" }));
            widgets::dim(
                ui,
                "About where it would lie on this map: placed by its nearest items. Its true neighbours are in the list.",
            );
        });
    });
}

fn hover_card(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, row: RowId, at: egui::Pos2) {
    let Some(corpus) = ctx.corpus.filter(|corpus| row.index() < corpus.chunks.len()) else { return };
    let item = corpus.item_of(row);
    let area = Area::new(Id::unique("hover card")).fixed_pos(at + vec2(14.0, 14.0)).order(Order::Tooltip);
    area.interactable(false).constrain(true).show(ui.ctx(), |ui| {
        let shadow = ui.visuals().popup_shadow;
        card(&ctx.theme).shadow(shadow).show(ui, |ui| {
            ui.set_max_width(260.0);
            ui.label(RichText::new(item.shown_path.replace('/', " / ")).font(theme::secondary()).color(ctx.theme.dim));
            match &item.content {
                Content::Image { thumbnail, .. } => {
                    let texture = state.thumbnails.get(ui.ctx(), row, thumbnail);
                    let scale = (96.0 / thumbnail.width.max(thumbnail.height) as f32).max(1.0);
                    let size = vec2(thumbnail.width as f32, thumbnail.height as f32) * scale;
                    ui.add(egui::Image::new((texture.id(), size)).alt_text(item.file_name()));
                    if let Some(note) = note_of(ctx, row) {
                        widgets::dim(ui, note);
                    }
                }
                Content::Text(_) => {
                    let text: String = corpus.text_of(row).chars().take(220).collect();
                    let mut text = RichText::new(text.trim_end());
                    if item.modality == crate::corpus::Modality::Code {
                        text = text.font(theme::mono());
                    }
                    if let Some(name) = &corpus.chunk(row).name {
                        ui.label(RichText::new(name).font(theme::mono()).color(ctx.theme.accent));
                    }
                    ui.label(text);
                }
            }
        });
    });
}

/// The likeliest classes of a picture, where a model named them.
pub fn note_of(ctx: &Context<'_>, row: RowId) -> Option<String> {
    let sets = ctx.models.iter().filter_map(|model| model.set.as_ref());
    sets.filter_map(|set| set.notes.get(set.position_of(row)?)).find(|note| !note.is_empty()).cloned()
}

/// The tools at the right of the tab row.
pub fn tools(ui: &mut Ui, ctx: &Context<'_>) {
    let words = "How dense the points are: the lines enclose the densest 10, 25, 50, 75 and 90 % of those shown (D)";
    if widgets::chip(ui, "Density", ctx.settings.density).on_hover_text(words).clicked() {
        ctx.send(Command::ToggleDensity);
    }
    if widgets::chip(ui, "Fit", false).on_hover_text("Show all points (R, or double-click)").clicked() {
        ctx.send(Command::FitMaps);
    }
    for (tool, name, words) in [
        (MapTool::Box, "Box", "Drag a box around points (B)"),
        (MapTool::Lasso, "Lasso", "Draw a line around points (L). Shift adds, Alt takes away"),
        (MapTool::Pan, "Pan", "Drag moves the map (V)"),
    ] {
        if widgets::chip(ui, name, ctx.tool == tool).on_hover_text(words).clicked() {
            ctx.send(Command::SetTool(tool));
        }
    }
}
