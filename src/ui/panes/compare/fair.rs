//! What makes the comparison shown unfair, each with a button that mends it.
//!
//! Paints what was found. Invariant: it says that nothing was found only when every model in place was looked at.

use eframe::egui::{RichText, Role, Ui, WidgetInfo};

use crate::ui::command::Command;
use crate::ui::context::{Context, ModelState};
use crate::ui::theme;
use crate::ui::widgets::{self, link, section};

/// Paints the section.
pub(super) fn show(ui: &mut Ui, ctx: &Context<'_>) {
    let models: Vec<&ModelState> = ctx.compare.slots.iter().filter_map(|id| ctx.model(id)).collect();
    section(ui, "Fair comparison");
    let looked_at = models.iter().all(|model| ctx.compare.weighed.contains(&model.card.id));
    if ctx.compare.concerns.is_empty() {
        let words = match looked_at && !models.is_empty() {
            true => "Nothing was cut off, and prompts, pooling and files are as they should be.",
            false => "Known when all of these models have embedded the corpus.",
        };
        widgets::dim(ui, words);
        return;
    }
    ui.spacing_mut().item_spacing.y = 3.0;
    for (place, concern) in ctx.compare.concerns.iter().enumerate() {
        if place > 0 {
            ui.add_space(8.0);
        }
        let words = RichText::new(&concern.summary).font(theme::secondary()).color(ctx.theme.warn);
        ui.label(words).on_hover_text(&concern.why);
        if let Some(remedy) = &concern.remedy {
            let words = remedy.words();
            let pressed = link(ui, &words).on_hover_text(&concern.why);
            let name = format!("{words}: {}", concern.model);
            pressed.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if pressed.clicked() {
                ctx.send(Command::Mend(concern.model.clone(), remedy.clone()));
            }
        }
    }
    if !looked_at {
        ui.add_space(8.0);
        widgets::dim(ui, "The other models are looked at when they have embedded the corpus.");
    }
}
