//! The list of models at the left: a search, filters, and a line for each with a tick for the comparison.

use eframe::egui::{
    self, ComboBox, CornerRadius, FontId, Role, ScrollArea, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::state::{Entry, Filters, MOST_TICKED, ModelsState, Tab, Whereabouts};
use crate::ui::context::Context;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{bytes, clipped_text, dim, faint, link, name_field, number_at, thousands};
use crate::workspace::ModelSource;
use crate::workspace::catalogue::{Domain, Modality};

/// Height of a line.
const LINE: f32 = 42.0;
/// Sizes that the filter offers, in megabytes.
const SIZES: [u64; 4] = [50, 150, 500, 1_500];

/// Paints the filters and the list.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut ModelsState, entries: &[Entry<'_>]) {
    filters(ui, &mut state.filters);
    let listed = state.listed(entries);
    ui.horizontal(|ui| {
        faint(ui, format!("{} of {} models", listed.len(), entries.len()));
        if state.filters != Filters::default() && link(ui, "Show all").clicked() {
            state.filters = Filters::default();
        }
    });
    if listed.is_empty() {
        ui.add_space(12.0);
        dim(ui, "No model is like that. Take a filter back, or type the name of a folder or hub model above.");
        return;
    }
    if state.selected.as_deref().is_none_or(|id| !entries.iter().any(|entry| entry.id() == id)) {
        state.selected = listed.first().map(|&place| entries[place].id().to_owned());
    }
    ScrollArea::vertical().id_salt("models list").auto_shrink([false, false]).show_rows(
        ui,
        LINE - ui.spacing().item_spacing.y,
        listed.len(),
        |ui, range| {
            for &place in &listed[range] {
                line(ui, ctx, state, &entries[place]);
            }
        },
    );
}

fn filters(ui: &mut Ui, filters: &mut Filters) {
    ui.add_space(4.0);
    let field = TextEdit::singleline(&mut filters.search)
        .hint_text("Search names, fields, uses")
        .desired_width(f32::INFINITY)
        .margin(egui::Margin::symmetric(10, 5));
    let response = ui.add(field);
    name_field(&response, "Search models", &filters.search);
    ui.add_space(2.0);
    let half = (ui.available_width() - 8.0) / 2.0;
    ui.horizontal(|ui| {
        let modality = [None].into_iter().chain(Modality::ALL.map(Some));
        let words = |modality: Option<Modality>| modality.map_or("Reads anything", Modality::words).to_owned();
        combo(ui, ("Reads", half), &mut filters.modality, modality, words);
        let domain = [None].into_iter().chain(Domain::ALL.map(Some));
        combo(ui, ("Field", half), &mut filters.domain, domain, |domain| {
            domain.map_or("Any field", Domain::words).to_owned()
        });
    });
    ui.horizontal(|ui| {
        let words = |place: Whereabouts| if place == Whereabouts::Any { "Anywhere" } else { place.words() }.to_owned();
        combo(ui, ("Where", half), &mut filters.whereabouts, Whereabouts::ALL, words);
        let size = [None].into_iter().chain(SIZES.map(Some));
        combo(ui, ("Size", half), &mut filters.most_mb, size, |most| {
            most.map_or("Any size".to_owned(), |most| format!("Up to {}", bytes(most * 1_000_000)))
        });
    });
    ui.checkbox(&mut filters.commercial, "Commercial use allowed");
}

/// A choice of one value, called `name` for screen readers.
pub fn combo<T: Copy + PartialEq>(
    ui: &mut Ui,
    (name, width): (&str, f32),
    value: &mut T,
    all: impl IntoIterator<Item = T>,
    words: impl Fn(T) -> String,
) {
    let combo = ComboBox::from_id_salt(("models", name))
        .width(width)
        .height(360.0)
        .selected_text(words(*value))
        .show_ui(ui, |ui| {
            for other in all {
                if ui.selectable_label(other == *value, words(other)).clicked() {
                    *value = other;
                }
            }
        });
    let label = format!("{name}: {}", words(*value));
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &label));
}

fn line(ui: &mut Ui, ctx: &Context<'_>, state: &mut ModelsState, entry: &Entry<'_>) {
    let theme = Theme::of(ui.ctx());
    let id = entry.id();
    let chosen = state.tab == Tab::Cards && state.selected.as_deref() == Some(id);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), LINE - ui.spacing().item_spacing.y), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, format!("Model {}", entry.name())));
    if response.clicked() {
        state.selected = Some(id.to_owned());
        state.tab = Tab::Cards;
        // The line that was chosen before may be painted already.
        ui.ctx().request_repaint();
    }
    let fill = match (chosen, response.hovered() || response.has_focus()) {
        (true, _) => Some(theme.accent_fill),
        (false, true) => Some(theme.raised),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, CornerRadius::same(6), fill);
    }
    let top = rect.top() + 12.0;
    let dot = pos2(rect.left() + 10.0, top);
    match entry.model {
        Some(model) if model.set.is_some() => {
            ui.painter().circle_filled(dot, 4.0, ctx.theme.model_colour(model.colour));
        }
        Some(_) => {
            ui.painter().circle_stroke(dot, 3.5, Stroke::new(1.2, theme.dim));
        }
        None => {}
    }
    let here = entry.model.is_some();
    let colour = if here { theme.text } else { theme.dim };
    let size = thousands(entry.dimensions() as u64);
    let right = pos2(rect.right() - 36.0, top);
    number_at(ui, right, &size, (theme::secondary(), theme.dim));
    let room = rect.width() - 22.0 - 34.0;
    clipped_text(ui, pos2(rect.left() + 22.0, top), room - 44.0, entry.name(), (FontId::proportional(13.0), colour));
    clipped_text(ui, pos2(rect.left() + 22.0, top + 16.0), room, &facts(entry), (theme::secondary(), theme.faint));
    tick(ui, state, entry, rect);
}

/// What stands under the name: what it reads, its size, where it is.
fn facts(entry: &Entry<'_>) -> String {
    let mut facts = vec![entry.reads().to_owned()];
    facts.extend(entry.size_bytes().map(bytes));
    facts.push(whereabouts(entry).to_owned());
    facts.join(" · ")
}

/// Where it is, in two words.
pub fn whereabouts(entry: &Entry<'_>) -> &'static str {
    match (entry.model, entry.known) {
        (Some(model), _) if matches!(model.card.source, ModelSource::Made { .. }) => "made of another set",
        (Some(model), _) if model.card.is_of_file() => "a file of vectors",
        (Some(_), _) => "here",
        (None, Some(known)) if known.is_api() => "API only",
        (None, Some(known)) if known.why_not().is_some() => "not run here yet",
        (None, Some(known)) if known.is_bundled() => "not in this build",
        _ => "to be fetched",
    }
}

/// The tick for the comparison at the right end of a line.
fn tick(ui: &mut Ui, state: &mut ModelsState, entry: &Entry<'_>, line: egui::Rect) {
    let theme = Theme::of(ui.ctx());
    let ticked = state.ticked.iter().any(|id| id == entry.id());
    let enabled = ticked || state.ticked.len() < MOST_TICKED;
    let square = egui::Rect::from_center_size(pos2(line.right() - 16.0, line.center().y), vec2(16.0, 16.0));
    let response = ui.interact(square.expand(6.0), ui.scope_id().with(("tick", entry.id())), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, enabled, ticked, format!("Compare {}", entry.name())));
    let stroke = if response.hovered() || response.has_focus() { theme.accent } else { theme.line };
    let fill = if ticked { theme.accent } else { theme.background };
    ui.painter().rect(square, CornerRadius::same(4), fill, Stroke::new(1.0, stroke), egui::StrokeKind::Inside);
    if ticked {
        let at = |x: f32, y: f32| square.min + vec2(x, y);
        let mark = vec![at(4.0, 8.5), at(7.0, 11.5), at(12.0, 5.0)];
        ui.painter().line(mark, Stroke::new(1.8, theme.on_accent));
    }
    let words =
        if enabled { "Put side by side with others that are ticked" } else { "Four are ticked: the most that fit" };
    if response.on_hover_text(words).clicked() {
        state.tick(entry.id());
    }
}
