//! The item list: every chunk as a row, only the visible ones painted, linked to the map both ways.

use eframe::egui::{self, RichText, ScrollArea, Sense, Ui, pos2, vec2};

use crate::corpus::Modality;
use crate::ui::command::{Command, SelectMode};
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme;
use crate::ui::tiles::padded;
use crate::ui::widgets::{self, clipped_right, clipped_text, thousands};
use crate::vectors::RowId;
use crate::workspace::{Column, ColumnValues};

const ROW: f32 = 26.0;

/// Where the columns begin, as shares of the width; the numbers end at theirs.
const EDGES: [f32; 6] = [0.0, 0.29, 0.43, 0.53, 0.80, 1.0];

/// Paints the pane.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    padded(ui, |ui| {
        let Some(corpus) = ctx.corpus else {
            widgets::empty_state(ui, "No items", "Load a folder to list what is in it.", |_| {});
            return;
        };
        head(ui, ctx);
        let rows = &ctx.item_order.rows;
        let mut area = ScrollArea::vertical().auto_shrink([false, false]);
        if state.items_seen != ctx.selection.focus {
            state.items_seen = ctx.selection.focus;
            if let Some(place) = ctx.selection.focus.and_then(|focus| place_of(ctx, focus)) {
                area = area.vertical_scroll_offset((place as f32 * ROW - ui.available_height() / 2.0).max(0.0));
            }
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        area.show_rows(ui, ROW, rows.len(), |ui, visible| {
            for place in visible {
                let row = rows[place];
                if row.index() >= corpus.chunks.len() {
                    continue;
                }
                let response = line(ui, ctx, row);
                if response.hovered() || response.has_focus() {
                    state.hover_next = Some(row);
                    state.hover_seen = true;
                }
                if response.clicked() {
                    state.items_seen = Some(row);
                    click(ui, ctx, row);
                }
            }
        });
    });
}

/// The place of a row in the list. In the order of paths a row is its own place.
fn place_of(ctx: &Context<'_>, row: RowId) -> Option<usize> {
    let rows = &ctx.item_order.rows;
    if rows.get(row.index()) == Some(&row) {
        return Some(row.index());
    }
    rows.iter().position(|&other| other == row)
}

fn click(ui: &Ui, ctx: &Context<'_>, row: RowId) {
    let modifiers = ui.input(|input| input.modifiers);
    if modifiers.shift || modifiers.command {
        let mode = if ctx.selection.contains(row) { SelectMode::Subtract } else { SelectMode::Add };
        ctx.send(Command::Select(vec![row], mode));
    } else {
        ctx.send(Command::Focus(row));
    }
}

fn head(ui: &mut Ui, ctx: &Context<'_>) {
    // As wide as the lines, beside which the bar of the list stands.
    let width = ui.available_width() - ui.spacing().scroll.allocated_width();
    let (rect, _) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
    let folder = if ctx.corpus.is_some_and(|corpus| corpus.table.is_some()) { "Label" } else { "Folder" };
    let columns = [("Path", None, 0), (folder, Some(Column::Folder), 1), ("Type", Some(Column::Type), 2)];
    for (name, column, place) in columns {
        let left = rect.left() + rect.width() * EDGES[place];
        let right = rect.left() + rect.width() * EDGES[place + 1];
        let cell = egui::Rect::from_min_max(pos2(left, rect.top()), pos2(right - 4.0, rect.bottom()));
        let sorted = ctx.item_order.by == column;
        let colour = if sorted { ctx.theme.dim } else { ctx.theme.faint };
        let words = format!("{name}{}", arrow(ctx, sorted));
        clipped_text(ui, pos2(left, rect.center().y), cell.width(), &words, (theme::section_font(), colour));
        let response = ui.interact(cell, ui.scope_id().with(("sort", place)), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Sort by {name}")));
        if response.on_hover_text("Sort; click again to turn round").clicked() {
            ctx.send(Command::SortItems(column));
        }
    }
    let left = rect.left() + rect.width() * EDGES[3];
    let look = (theme::section_font(), ctx.theme.faint);
    clipped_text(ui, pos2(left, rect.center().y), 60.0, "Text", look);
    let end = egui::Rect::from_min_max(pos2(rect.right() - 150.0, rect.top()), rect.max);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.scope_builder(egui::UiBuilder::new().max_rect(end).layout(layout), |ui| last_head(ui, ctx));
    widgets::separator(ui);
}

fn arrow(ctx: &Context<'_>, sorted: bool) -> &'static str {
    match (sorted, ctx.item_order.descending) {
        (true, false) => " ↑",
        (true, true) => " ↓",
        (false, _) => "",
    }
}

/// The head of the last column, which shows what the list is sorted by: any column can be chosen.
fn last_head(ui: &mut Ui, ctx: &Context<'_>) {
    let shown = value_column(ctx);
    let named = |column: Column| ctx.corpus.map_or("folder", |corpus| column.name(corpus));
    let name = named(shown);
    let sorted = ctx.item_order.by == Some(shown);
    let short: String = match name.chars().count() {
        ..=18 => name.to_owned(),
        _ => name.chars().take(17).chain(['…']).collect(),
    };
    let words = RichText::new(format!("{short}{} ▾", arrow(ctx, sorted))).font(theme::section_font());
    let menu = ui.menu_button(words.color(ctx.theme.dim), |ui| {
        let entry = |ui: &mut Ui, column: Column| {
            let known = column != Column::Agreement || !ctx.compare.agreements.is_empty();
            let button = egui::Button::selectable(ctx.item_order.by == Some(column), named(column));
            let response = ui.add_enabled(known, button);
            let response = response.on_disabled_hover_text("Compare two models first (Ctrl+2)");
            if response.clicked() {
                ctx.send(Command::SortItems(Some(column)));
                ui.close();
            }
        };
        ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            if let Some(corpus) = ctx.corpus.filter(|corpus| !corpus.heads().is_empty()) {
                widgets::menu_title(ui, "Of the file");
                Column::others(corpus).for_each(|column| entry(ui, column));
                widgets::menu_title(ui, "Of every row");
            }
            Column::ALL.into_iter().for_each(|column| entry(ui, column));
        });
    });
    menu.response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Sort by another column, now {name}"))
    });
}

/// The column whose values stand at the right: that which the list is sorted by, unless it has a place of its own.
fn value_column(ctx: &Context<'_>) -> Column {
    ctx.item_order.by.unwrap_or(Column::Tokens)
}

/// A row's value of the last column, in words.
fn value_of(ctx: &Context<'_>, row: RowId) -> String {
    if let (Column::Other(place), Some(table)) =
        (value_column(ctx), ctx.corpus.and_then(|corpus| corpus.table.as_ref()))
    {
        return table.words(usize::from(place), row).chars().take(40).collect();
    }
    match ctx.item_order.values.as_deref() {
        Some(ColumnValues::Categories { names, ids }) => {
            ids.get(row.index()).and_then(|&id| names.get(id as usize)).cloned().unwrap_or_default()
        }
        Some(ColumnValues::Numbers(values)) => match (values.get(row.index()), value_column(ctx)) {
            (Some(value), _) if value.is_nan() => "–".to_owned(),
            (Some(&value), Column::Agreement) => format!("{value:.1}"),
            (Some(&value), Column::Size) => widgets::bytes(value as u64),
            (Some(&value), Column::Modified) => widgets::plural(value as usize, "day"),
            (Some(&value), _) => thousands(value as u64),
            (None, _) => String::new(),
        },
        Some(ColumnValues::Measures { .. }) | None => String::new(),
    }
}

fn line(ui: &mut Ui, ctx: &Context<'_>, row: RowId) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let Some(corpus) = ctx.corpus else { return response };
    let (item, chunk) = (corpus.item_of(row), corpus.chunk(row));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Item {}", item.shown_path)));
    let fill = if ctx.selection.focus == Some(row) || ctx.selection.contains(row) {
        Some(ctx.theme.accent_fill)
    } else if response.hovered() || response.has_focus() || ctx.hovered == Some(row) {
        Some(ctx.theme.raised)
    } else {
        None
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 5.0, fill);
    }
    let middle = rect.center().y;
    let cell = |place: usize| {
        let left = rect.left() + rect.width() * EDGES[place];
        (
            pos2(left + if place == 0 { 4.0 } else { 0.0 }, middle),
            rect.width() * (EDGES[place + 1] - EDGES[place]) - 12.0,
        )
    };
    let body = egui::FontId::proportional(12.5);
    let (at, room) = cell(0);
    clipped_text(ui, at, room, &super::query::short_path(&item.shown_path), (body.clone(), ctx.theme.text));
    let (at, room) = cell(1);
    clipped_text(ui, at, room, &item.label, (theme::secondary(), ctx.theme.dim));
    let (at, room) = cell(2);
    clipped_text(ui, at, room, &item.kind, (theme::secondary(), ctx.theme.dim));
    let (at, room) = cell(3);
    let words: String = match (item.modality, &chunk.name) {
        (Modality::Image, _) => super::map_pane::note_of(ctx, row).unwrap_or_default(),
        (_, Some(name)) => name.clone(),
        _ => corpus.text_of(row).chars().take(160).collect(),
    };
    // Words need more room than numbers.
    let right = if matches!(value_column(ctx), Column::Other(_)) { 170.0 } else { 100.0 };
    let room = room + rect.width() * (EDGES[5] - EDGES[4]) - right;
    clipped_text(ui, at, room, &words, (body.clone(), ctx.theme.dim));
    let value = value_of(ctx, row);
    clipped_right(ui, pos2(rect.right() - 6.0, middle), right + 40.0, &value, (body, ctx.theme.text));
    response
}
