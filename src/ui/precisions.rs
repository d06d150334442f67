//! The precisions a text model may run in, offered where models are chosen.
//!
//! Invariant: each is offered with one sentence on what it brings, and none is embedded unasked.

use eframe::egui::{self, Popup, RichText, Ui, WidgetInfo};

use super::command::Command;
use super::context::Context;
use super::theme;
use super::widgets::{chip, faint, link};
use crate::workspace::{ModelCard, ModelSource, Precision};

/// Width of the menu.
const WIDTH: f32 = 320.0;

/// What embedded and bundled text models might run in besides, the models in their order, the most exact precision first.
pub fn others(ctx: &Context<'_>) -> Vec<ModelCard> {
    let at_hand = ctx.models.iter().filter(|model| model.set.is_some() || model.card.source == ModelSource::Bundled);
    let mut found: Vec<ModelCard> = Vec::new();
    for card in at_hand.map(|model| &model.card).filter(|card| card.precision.is_some() && !card.is_of_file()) {
        for precision in Precision::ALL {
            let other = card.clone().at(precision);
            let known = ctx.model(&other.id).is_some() || found.iter().any(|card| card.id == other.id);
            if !known {
                found.push(other);
            }
        }
    }
    found
}

/// What a card's precision brings, or what this computer runs instead.
pub fn sentence(card: &ModelCard) -> &str {
    card.runs_as.as_deref().unwrap_or_else(|| card.precision.unwrap_or_default().about())
}

/// A link that opens a menu of them.
pub fn menu(ui: &mut Ui, ctx: &Context<'_>) {
    let others = others(ctx);
    if others.is_empty() || ctx.corpus.is_none() {
        return;
    }
    let response =
        link(ui, "+ Another precision").on_hover_text("The same model, quicker or more exact, beside this one");
    Popup::menu(&response).width(WIDTH).show(|ui| {
        for card in others {
            let button = ui.button(&card.name);
            let name = format!("Embed with {}", card.name);
            button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &name));
            faint(ui, sentence(&card));
            ui.add_space(6.0);
            if button.clicked() {
                ctx.send(Command::Embed(card.id));
                ui.close();
            }
        }
    });
}

/// All precisions of a model with their sentences, its own marked; the others can be embedded with.
pub fn choices(ui: &mut Ui, ctx: &Context<'_>, card: &ModelCard) {
    for precision in Precision::ALL {
        let other = card.clone().at(precision);
        let own = other.id == card.id;
        ui.horizontal(|ui| {
            let chip = chip(ui, precision.word(), own);
            let name = format!("{} in {precision}", card.name);
            chip.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, own, &name));
            let words = if own { "This one" } else { "Embed the corpus with it too" };
            if chip.on_hover_text(words).clicked() && !own {
                ctx.send(Command::Embed(other.id.clone()));
            }
            let colour = ctx.theme.dim;
            ui.label(RichText::new(sentence(&other)).font(theme::secondary()).color(colour));
        });
    }
}
