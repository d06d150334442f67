//! The panel at the left: folders, models, points, projection, clusters.

mod clusters;
mod plots;
mod projection;
pub(super) mod sliders;

use eframe::egui::{self, ComboBox, RichText, ScrollArea, Ui};

pub use self::projection::METHODS;
use self::sliders::{Range, slider};
use crate::projection::FEWEST_JUDGED;
use crate::ui::command::{Command, Dialog};
use crate::ui::context::{Context, FolderLine, MapChoice, MapModel, ModelState};
use crate::ui::precisions;
use crate::ui::state::WindowState;
use crate::ui::theme::Theme;
use crate::ui::widgets::{self, Row, coloured_link, faint, link, plural, section, thousands};
use crate::workspace::Column;

/// Paints the panel.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(-6.0);
        folders(ui, ctx, state);
        models(ui, ctx);
        if ctx.shown_model().is_some_and(|model| model.set.is_some()) {
            points(ui, ctx);
            projection::show(ui, ctx);
            clusters::show(ui, ctx);
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
    if link(ui, "+ Add a model").on_hover_text("A folder, or one of the hub").clicked() {
        ctx.send(Command::Toggle(Dialog::Models));
    }
    precisions::menu(ui, ctx);
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

/// Why a column cannot be shown yet, and what is shown meanwhile.
fn missing(map: &MapModel, column: Column) -> Option<&'static str> {
    match column {
        Column::Trust if map.trust.is_some() => None,
        Column::Trust if map.live.is_some() => {
            Some("Trust is measured when the layout is done. Until then the points are coloured by folder.")
        }
        Column::Trust if map.layout.as_ref().is_some_and(|layout| layout.len() < FEWEST_JUDGED) => {
            Some("Too few points to judge how far a map may be trusted. They are coloured by folder.")
        }
        Column::Trust => Some("Trust is being measured. Until then the points are coloured by folder."),
        Column::Cluster | Column::Membership if map.clusters.is_none() => {
            Some("There are no clusters yet: find some below. Until then the points are coloured by folder.")
        }
        _ => None,
    }
}

/// Of a column with more values than colours: how many have one.
fn many(map: Option<&MapModel>, column: Column) -> Option<String> {
    let Column::Other(_) = column else { return None };
    let legend = map?.styles.get(&MapChoice::Shown)?.legend();
    // The line of those without a value is the last.
    let values = legend.entries.len() - usize::from(legend.missing > 0);
    (values > legend.coloured).then(|| {
        let values = thousands(values as u64);
        format!("{values} different values: the {} most frequent have a colour of their own.", legend.coloured)
    })
}

/// The columns to colour by, with the titles of their groups: those of the file the rows came from stand before what is known of all rows.
fn columns(ctx: &Context<'_>) -> Vec<(Option<&'static str>, Column)> {
    let others: Vec<Column> = ctx.corpus.map(|corpus| Column::others(corpus).collect()).unwrap_or_default();
    let known =
        Column::ALL.into_iter().filter(|&column| column != Column::Agreement || !ctx.compare.agreements.is_empty());
    let (first, rest): (Vec<_>, Vec<_>) = known.partition(|&column| column == Column::Folder && !others.is_empty());
    let title = |title: &'static str, place: usize| (place == 0 && !others.is_empty()).then_some(title);
    let of_file = others.iter().enumerate().map(|(place, &column)| (title("Of the file", place), column));
    let of_all = rest.into_iter().enumerate().map(|(place, column)| (title("Of every row", place), column));
    first.into_iter().map(|column| (None, column)).chain(of_file).chain(of_all).collect()
}

fn points(ui: &mut Ui, ctx: &Context<'_>) {
    section(ui, "Points");
    // Without a comparison there is no agreement, and the maps are coloured by folder.
    let chosen = match ctx.settings.colour_by {
        Column::Agreement if ctx.compare.agreements.is_empty() => Column::Folder,
        column => column,
    };
    let map = ctx.shown_model().map(|model| &model.map);
    let missing = map.and_then(|map| missing(map, chosen));
    let about = match chosen {
        _ if missing.is_some() => missing.unwrap_or_default(),
        Column::Trust => {
            "Share of each point's 10 nearest neighbours that this map keeps near: dark points stand among strangers."
        }
        Column::Membership => "How surely each point belongs to its cluster.",
        _ => "",
    };
    let about = match many(map, chosen) {
        Some(words) => words,
        None => about.to_owned(),
    };
    let name = |column: Column| ctx.corpus.map_or("folder", |corpus| column.name(corpus));
    let combo = ComboBox::from_id_salt("colour by")
        .height(360.0)
        .width(ui.available_width())
        .truncate()
        .selected_text(format!("Colour by {}", name(chosen)))
        .show_ui(ui, |ui| {
            for (title, column) in columns(ctx) {
                if let Some(title) = title {
                    widgets::menu_title(ui, title);
                }
                if ui.selectable_label(chosen == column, name(column)).clicked() {
                    ctx.send(Command::ColourBy(column));
                }
            }
        });
    combo
        .response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, format!("Colour by {}", name(chosen))));
    if !about.is_empty() {
        faint(ui, about.as_str());
    }
    let mut size = ctx.settings.point_size;
    if slider(ui, "Size", &mut size, &Range::new(0.5, 8.0, 1)) {
        ctx.send(Command::SetPointSize(size));
    }
    let mut opacity = ctx.settings.opacity;
    if slider(ui, "Opacity", &mut opacity, &Range::new(0.05, 1.0, 2)) {
        ctx.send(Command::SetOpacity(opacity));
    }
}
