//! Messages that pop up at the lower right for a few seconds. Each also stands in the activity log.
//!
//! Without animation: a window at rest paints nothing, also while a message is shown.

use std::time::Instant;

use eframe::egui::{Align, Align2, Area, Id, Label, Layout, Order, RichText, Sense, Ui, WidgetInfo, vec2};

use crate::ui::command::Command;
use crate::ui::context::{Context, LogLevel};
use crate::ui::widgets::card;

/// Paints the messages, the newest lowest.
pub fn show(ui: &Ui, ctx: &Context<'_>) {
    let Some(next) = ctx.toasts.iter().map(|toast| toast.until).min() else { return };
    ui.ctx().request_repaint_after(next.saturating_duration_since(Instant::now()));
    // Above the status bar.
    let area =
        Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, -40.0));
    area.show(ui.ctx(), |ui| {
        ui.with_layout(Layout::top_down(Align::Max), |ui| each(ui, ctx));
    });
}

fn each(ui: &mut Ui, ctx: &Context<'_>) {
    for toast in ctx.toasts {
        let (sign, colour) = match toast.level {
            LogLevel::Info => ("", ctx.theme.accent),
            LogLevel::Warning => ("Warning: ", ctx.theme.warn),
            LogLevel::Error => ("Error: ", ctx.theme.bad),
        };
        let shadow = ui.visuals().popup_shadow;
        let shown = card(&ctx.theme).shadow(shadow).show(ui, |ui| {
            ui.set_max_width(420.0);
            ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
                let (dot, _) = ui.allocate_exact_size(vec2(10.0, 16.0), Sense::hover());
                ui.painter().circle_filled(dot.center(), 4.0, colour);
                ui.add(Label::new(RichText::new(format!("{sign}{}", toast.text)).color(ctx.theme.text)).wrap());
            });
        });
        let response = shown.response.interact(Sense::click()).on_hover_text("Click to dismiss; it stays in the log");
        response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Button, true, "Dismiss message"));
        if response.clicked() {
            ctx.send(Command::Dismiss(toast.id));
        }
    }
}
