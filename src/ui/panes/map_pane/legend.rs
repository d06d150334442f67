//! What the colours of a map mean: categories to hide and isolate, or a scale.

use eframe::egui::{self, Area, Id, Order, RichText, ScrollArea, Sense, TextEdit, Ui, pos2, vec2};

use crate::picture::{Legend, LegendScale};
use crate::ui::command::Command;
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{self, card, clipped_text, link, number_at, thousands};

/// Height of a line.
const LINE: f32 = 22.0;

/// The legend in the corner of a map.
pub(super) fn card_of(
    ui: &mut Ui,
    ctx: &Context<'_>,
    state: &mut WindowState,
    (legend, key): (&Legend, &str),
    rect: egui::Rect,
) {
    if rect.width() < 420.0 || rect.height() < 200.0 {
        return;
    }
    let width = 178.0;
    let at = pos2(rect.right() - width - 36.0, rect.top() + 12.0);
    // Whole lines only.
    let most = ((rect.height() - 150.0).clamp(63.0, 232.0) / LINE).floor() * LINE;
    Area::new(Id::unique(("legend", key))).fixed_pos(at).order(Order::Middle).constrain(false).show(ui.ctx(), |ui| {
        card(&ctx.theme).show(ui, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 2.0;
            let count = legend.entries.len();
            let title = if count > 0 { format!("{} · {count}", legend.title) } else { legend.title.clone() };
            ui.horizontal(|ui| {
                ui.label(RichText::new(title).font(theme::secondary()).color(ctx.theme.dim));
                if !ctx.hidden.is_empty() && link(ui, "Show all").clicked() {
                    ctx.send(Command::ShowAllCategories);
                }
            });
            if count > 12 {
                let field =
                    TextEdit::singleline(&mut state.legend_search).hint_text("Search").desired_width(f32::INFINITY);
                let response = ui.add(field);
                widgets::name_field(&response, "Search the legend", &state.legend_search);
            } else {
                state.legend_search.clear();
            }
            if let Some(bar) = &legend.scale {
                scale(ui, ctx, bar);
            }
            let wanted = state.legend_search.to_lowercase();
            let found: Option<Vec<usize>> = (!wanted.is_empty()).then(|| {
                let named = |place: &usize| legend.entries[*place].label.to_lowercase().contains(&wanted);
                (0..count).filter(named).collect()
            });
            let rows = found.as_ref().map_or(count, Vec::len);
            ui.spacing_mut().item_spacing.y = 0.0;
            // A floating card keeps the height it had; the list asks for what it needs of it.
            let needed = (rows as f32 * LINE).min(most);
            let list = ScrollArea::vertical().max_height(most).min_scrolled_height(needed).auto_shrink([false, true]);
            list.show_rows(ui, LINE, rows, |ui, seen| {
                for row in seen {
                    legend_row(ui, ctx, &legend.entries[found.as_ref().map_or(row, |found| found[row])]);
                }
            });
        });
    });
}

fn legend_row(ui: &mut Ui, ctx: &Context<'_>, entry: &crate::picture::LegendEntry) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::click());
    let hidden = ctx.hidden.contains(&entry.label);
    let name = format!("{}, {} points", entry.label, entry.count);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, !hidden, &name));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect.expand2(vec2(4.0, 0.0)), 5.0, ctx.theme.raised);
    }
    let dot = pos2(rect.left() + 5.0, rect.center().y);
    let colour = Theme::colour(entry.colour);
    if hidden {
        ui.painter().circle_stroke(dot, 4.0, egui::Stroke::new(1.2, ctx.theme.faint));
    } else {
        ui.painter().circle_filled(dot, 4.0, colour);
    }
    let text = if hidden { ctx.theme.faint } else { ctx.theme.text };
    let room = rect.width() - 62.0;
    clipped_text(ui, pos2(rect.left() + 16.0, rect.center().y), room, &entry.label, (theme::secondary(), text));
    number_at(ui, rect.right_center(), &thousands(entry.count as u64), (theme::secondary(), ctx.theme.dim));
    // Many Linux desktops keep Alt-click for moving windows.
    let alone = ui.input(|input| input.modifiers.alt || input.modifiers.command);
    let response = response.on_hover_text("Click hides or shows; Alt-click or Ctrl-click shows only this");
    if response.clicked() {
        let label = entry.label.clone();
        ctx.send(if alone { Command::IsolateCategory(label) } else { Command::ToggleCategory(label) });
    }
}

/// A scale of colours with its ends named.
pub fn scale(ui: &mut Ui, ctx: &Context<'_>, bar: &LegendScale) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), Sense::hover());
    let (low, high) = (bar.label_at(0.0), bar.label_at(1.0));
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, format!("Colour scale {low} to {high}")));
    let steps = 48;
    for step in 0..steps {
        let part = step as f32 / steps as f32;
        let colour = Theme::colour(bar.colour_at(part));
        let left = rect.left() + rect.width() * part;
        let piece = egui::Rect::from_min_size(pos2(left, rect.top()), vec2(rect.width() / steps as f32 + 0.5, 10.0));
        ui.painter().rect_filled(piece, 0.0, colour);
    }
    ui.horizontal(|ui| {
        widgets::dim(ui, low);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(RichText::new(high).font(theme::secondary()).color(ctx.theme.dim));
        });
    });
}
