//! A slider through the past of a map: from the start of its optimisation to its end.

use eframe::egui::{self, Align2, Area, Id, Order, RichText, Ui, pos2, vec2};

use super::super::left::sliders::{Range, rail};
use crate::projection::Method;
use crate::ui::command::Command;
use crate::ui::context::{Context, ModelState};
use crate::ui::theme;
use crate::ui::widgets::{self, card};

/// Paints it at the foot of a map that has a past.
pub(super) fn card_of(ui: &mut Ui, ctx: &Context<'_>, (model, key): (&ModelState, &str), rect: egui::Rect) {
    let Some(shown) = model.map.shown().filter(|shown| shown.history.len() > 2) else { return };
    if model.map.live.is_some() || rect.width() < 420.0 {
        return;
    }
    let last = shown.history.len() - 1;
    let now = model.map.moment.unwrap_or(last);
    let word = if shown.params.method == Method::Umap { "epoch" } else { "iteration" };
    // It is as wide as the legend, beside which the points are fitted, on a small map; where it has no room beside the line on trust it
    // stands over it.
    let small = rect.width() < 900.0;
    let area = |name: &str| ui.memory(|memory| memory.area_rect(Id::unique((name, key))));
    let own = area("time").map_or(200.0, |card| card.width());
    let meets = area("trust").is_some_and(|card| card.right() + 12.0 > rect.right() - 12.0 - own);
    let over = if meets { 58.0 } else { 12.0 };
    let anchor = pos2(rect.right() - 12.0, rect.bottom() - over);
    let area = Area::new(Id::unique(("time", key))).fixed_pos(anchor).pivot(Align2::RIGHT_BOTTOM);
    area.order(Order::Middle).constrain(false).show(ui.ctx(), |ui| {
        card(&ctx.theme).show(ui, |ui| {
            ui.horizontal(|ui| {
                let plain = |text: String| RichText::new(text).font(theme::secondary()).color(ctx.theme.dim);
                let width = if small { 78.0 } else { 132.0 };
                let mut place = now as f32;
                let range = Range { step: 1.0, ..Range::new(0.0, last as f32, 0) };
                let named = |response: egui::Response| {
                    response.widget_info(|| egui::WidgetInfo::slider(true, now as f64, "Moment of the layout"));
                    response
                };
                let response = ui
                    .allocate_ui(vec2(width, 16.0), |ui| {
                        ui.set_width(width);
                        rail(ui, &mut place, &range, named)
                    })
                    .inner
                    .on_hover_text("From the start of the layout to its end: what came together when");
                if response.changed() {
                    let moment = place.round() as usize;
                    ctx.send(Command::Scrub(model.card.id.clone(), (moment < last).then_some(moment)));
                }
                let iteration = shown.history[now].iteration;
                ui.label(plain(format!("{word} {}", widgets::thousands(u64::from(iteration)))));
            });
        });
    });
}
