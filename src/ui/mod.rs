//! What is painted: theme, widgets, panes. Reads a [`context::Context`], sends [`command::Command`]s, computes nothing.
//!
//! Knows the document, the picture and the types of results; never tasks, models or the window's owner.

pub mod command;
pub mod context;
mod distill;
pub mod map;
pub mod maps;
mod overrides;
pub mod panes;
mod precisions;
pub mod settings;
pub mod state;
pub mod theme;
pub mod tiles;
pub mod widgets;

use eframe::egui::{self, CentralPanel, Frame, Margin, Panel, Stroke, Ui};

use self::context::Context;
use self::settings::Perspective;
use self::state::WindowState;

/// Paints the whole window.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    state.hover_next = None;
    state.hover_seen = false;
    state.map_focused = false;
    panes::top_bar::show(ui, ctx);
    panes::status_bar::show(ui, ctx);
    let compare = ctx.settings.perspective == Perspective::Compare;
    let side = Frame::new().fill(ctx.theme.panel).inner_margin(Margin { left: 14, right: 8, top: 8, bottom: 0 });
    if !compare {
        let left = Panel::left("left panel").default_size(252.0).size_range(200.0..=420.0).frame(side);
        left.show(ui, |ui| panes::left::show(ui, ctx, state));
    }
    let right = Panel::right("right panel").default_size(330.0).size_range(240.0..=560.0).frame(side);
    right.show(ui, |ui| {
        if compare && ctx.selection.focus.is_none() {
            panes::compare::side(ui, ctx);
        } else if compare {
            if widgets::link(ui, "‹ Back to agreement").clicked() {
                ctx.send(command::Command::Unfocus);
            }
            panes::inspector::show(ui, ctx, state);
        } else {
            panes::inspector::show(ui, ctx, state);
        }
    });
    let middle = Frame::new().fill(ctx.theme.panel);
    CentralPanel::default()
        .frame(middle)
        .show(ui, |ui| if compare { show_compare(ui, ctx, state) } else { show_explore(ui, ctx, state) });
    panes::dialogs::show(ui, ctx, state);
    panes::toasts::show(ui, ctx);
    drop_overlay(ui, ctx);
    if state.hover_seen || ctx.hovered.is_some() {
        let hovered = state.hover_next;
        if hovered != ctx.hovered {
            ctx.send(command::Command::Hover(hovered));
        }
    }
}

fn show_explore(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    let mut tree = std::mem::replace(&mut state.explore, egui_tiles::Tree::empty(egui::Id::unique("moved")));
    tiles::show(ui, &mut tree, ctx, state);
    state.explore = tree;
}

fn show_compare(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    let maps = ctx.compare.slots.len().max(2);
    if state.compare.0 != maps {
        state.compare = (maps, tiles::compare_tree(maps));
    }
    let mut tree = std::mem::replace(&mut state.compare.1, egui_tiles::Tree::empty(egui::Id::unique("moved")));
    tiles::show(ui, &mut tree, ctx, state);
    state.compare.1 = tree;
}

/// While files are dragged over the window: where they will land.
fn drop_overlay(ui: &Ui, ctx: &Context<'_>) {
    if ctx.dragging.is_empty() {
        return;
    }
    let rect = ui.ctx().content_rect();
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop overlay")));
    painter.rect_filled(rect, 0.0, theme::Theme::faded(ctx.theme.background, 0.85));
    let inner = rect.shrink(24.0);
    painter.rect_stroke(inner, 9.0, Stroke::new(2.0, ctx.theme.accent), egui::StrokeKind::Inside);
    let words = "Drop folders or files to load them. A single picture becomes a query.";
    painter.text(inner.center(), egui::Align2::CENTER_CENTER, words, theme::title_font(), ctx.theme.text);
}

/// Whether a corpus is the bundled sample: its three folders lie in a folder of that name.
pub fn is_sample(corpus: &crate::corpus::Corpus) -> bool {
    corpus.roots.iter().any(|root| {
        root.parent().is_some_and(|parent| {
            parent.file_name().is_some_and(|name| name == "sample")
                && parent
                    .parent()
                    .and_then(|dir| dir.file_name())
                    .is_some_and(|name| name.to_string_lossy().starts_with("sample-"))
        })
    })
}
