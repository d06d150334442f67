//! What the file says of the item looked at, besides what the panel at the right shows of every item: its other columns by name.
//!
//! Invariant: a column without a value for the item has no line.

use eframe::egui::{self, Label, RichText, Sense, Ui, vec2};

use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{clipped_text, link, section};
use crate::vectors::RowId;

/// Lines shown before the user asks for all.
const FEW: usize = 8;
/// Characters of a value.
const MOST: usize = 400;

/// Paints them.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, row: RowId) {
    let Some(corpus) = ctx.corpus.filter(|corpus| !corpus.heads().is_empty()) else { return };
    let Some(table) = &corpus.table else { return };
    let heads = table.heads().iter().enumerate();
    let filled = heads.map(|(place, head)| (head, table.words(place, row))).filter(|(_, words)| !words.is_empty());
    let most = if state.all_fields { usize::MAX } else { FEW };
    let mut lines = filled.take(most.saturating_add(1)).peekable();
    if lines.peek().is_none() {
        return;
    }
    section(ui, "In the file");
    let mut shown = 0;
    for (head, words) in lines.by_ref().take(most) {
        line(ui, &head.name, &words);
        shown += 1;
    }
    if lines.next().is_some() {
        if link(ui, "All fields").clicked() {
            state.all_fields = true;
        }
    } else if state.all_fields && shown > FEW && link(ui, "Fewer fields").clicked() {
        state.all_fields = false;
    }
}

fn line(ui: &mut Ui, name: &str, value: &str) {
    let theme = Theme::of(ui.ctx());
    let short: String = value.chars().take(MOST).collect();
    let rest = if short.len() < value.len() { "…" } else { "" };
    ui.horizontal_top(|ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(86.0, 15.0), Sense::hover());
        clipped_text(ui, rect.left_center(), 84.0, name, (theme::secondary(), theme.dim));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Field {name}")));
        response.on_hover_text(name);
        ui.add(Label::new(RichText::new(format!("{short}{rest}")).font(theme::secondary())).wrap().selectable(true));
    });
}
