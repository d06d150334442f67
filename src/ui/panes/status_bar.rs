//! The line at the bottom: what is loaded, what is selected, how the program fares.

use eframe::egui::{self, Align, Layout, Panel, RichText, Ui};

use crate::ui::command::{Command, Dialog};
use crate::ui::context::Context;
use crate::ui::theme;
use crate::ui::widgets::{coloured_link, plural, thousands};

/// Paints the bar.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    let frame = egui::Frame::new().fill(ctx.theme.panel).inner_margin(egui::Margin::symmetric(14, 0));
    Panel::bottom("status bar").exact_size(28.0).resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 18.0;
            if let Some(corpus) = ctx.corpus {
                words(ui, ctx, plural(corpus.items.len(), "item"));
                if corpus.chunks.len() != corpus.items.len() {
                    words(ui, ctx, plural(corpus.chunks.len(), "chunk"));
                }
                let embedded = ctx.models.iter().filter(|model| model.set.is_some()).count();
                words(ui, ctx, format!("{embedded} of {}", plural(ctx.models.len(), "model")));
                // A point that was clicked is a selection of one.
                let selected = ctx.selection.rows.len().max(usize::from(ctx.selection.focus.is_some()));
                words(ui, ctx, format!("Selection {}", thousands(selected as u64)));
                if !corpus.skipped.is_empty() {
                    let text = format!("{} skipped (why?)", thousands(corpus.skipped.len() as u64));
                    if coloured_link(ui, &text, ctx.theme.warn).clicked() {
                        ctx.send(Command::Toggle(Dialog::Skipped));
                    }
                }
            } else {
                words(ui, ctx, "Nothing loaded".to_owned());
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                words(ui, ctx, "All on this computer".to_owned());
                words(ui, ctx, format!("Memory {} MB", thousands(ctx.vitals.memory_mb.into())));
                // At rest nothing is painted, and a small number would read as slow.
                if ctx.vitals.frames_per_second >= 10 {
                    words(ui, ctx, format!("{} frames/s", ctx.vitals.frames_per_second));
                }
            });
        });
    });
}

fn words(ui: &mut Ui, ctx: &Context<'_>, text: String) {
    ui.label(RichText::new(text).font(theme::secondary()).color(ctx.theme.dim));
}
