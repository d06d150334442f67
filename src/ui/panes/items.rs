//! The item list: every chunk as a row, only the visible ones painted, linked to the map both ways.

use eframe::egui::{self, ScrollArea, Sense, Ui, pos2, vec2};

use crate::corpus::Modality;
use crate::ui::command::{Command, SelectMode};
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme;
use crate::ui::tiles::padded;
use crate::ui::widgets::{self, clipped_text, number_at, thousands};
use crate::vectors::RowId;
use crate::workspace::Column;

const ROW: f32 = 26.0;

/// Where the columns begin, as shares of the width; the numbers end at theirs.
const EDGES: [f32; 6] = [0.0, 0.34, 0.50, 0.60, 0.76, 1.0];

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
                if response.hovered() {
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
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    let columns = [
        ("Path", None, 0),
        ("Folder", Some(Column::Folder), 1),
        ("Type", Some(Column::Type), 2),
        ("Text", None, 3),
        ("Tokens", Some(Column::Tokens), 4),
    ];
    for (name, column, place) in columns {
        let left = rect.left() + rect.width() * EDGES[place];
        let right = rect.left() + rect.width() * EDGES[place + 1];
        let cell = egui::Rect::from_min_max(pos2(left, rect.top()), pos2(right - 4.0, rect.bottom()));
        let sorted = ctx.item_order.by == column;
        let arrow = match (sorted && (column.is_some() || place == 0), ctx.item_order.descending) {
            (true, false) => " ↑",
            (true, true) => " ↓",
            (false, _) => "",
        };
        let colour = if arrow.is_empty() { ctx.theme.faint } else { ctx.theme.dim };
        clipped_text(
            ui,
            pos2(left, rect.center().y),
            cell.width(),
            &format!("{name}{arrow}"),
            (theme::section_font(), colour),
        );
        if column.is_none() && place != 0 {
            continue;
        }
        let response = ui.interact(cell, ui.scope_id().with(("sort", place)), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Sort by {name}")));
        if response.on_hover_text("Sort; click again to turn round").clicked() {
            ctx.send(Command::SortItems(column));
        }
    }
    widgets::separator(ui);
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
    let room = room + rect.width() * (EDGES[5] - EDGES[4]) - 70.0;
    clipped_text(ui, at, room, &words, (body.clone(), ctx.theme.dim));
    if chunk.tokens > 0 {
        number_at(ui, pos2(rect.right() - 6.0, middle), &thousands(chunk.tokens.into()), (body, ctx.theme.text));
    }
    response
}
