//! Making a static model from a text model, offered where its card is.
//!
//! Asks for it; a job makes it. Invariant: nothing is made before the button is pressed.

use eframe::egui::{Role, Ui, WidgetInfo};

use super::command::{Command, DistillWish};
use super::context::Context;
use super::state::WindowState;
use super::widgets::{chip, faint, section};
use crate::corpus::Modality;
use crate::workspace::ModelCard;

/// Dimensions offered.
const DIMENSIONS: [usize; 3] = [64, 128, 256];

/// Paints the offer for a text encoder; nothing for others.
pub fn offer(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, card: &ModelCard) {
    let is_encoder = card.precision.is_some() && card.input.reads_texts() && !card.input.reads_pictures();
    if !is_encoder || card.is_of_file() || card.dimensions < DIMENSIONS[0] {
        return;
    }
    section(ui, "A fast static model from it").on_hover_text(
        "Every token goes through the model once; a text is then the average of its tokens (Model2Vec's recipe): hundreds of times faster, \
         and it no longer sees the order of words",
    );
    let texts = ctx.corpus.is_some_and(|corpus| corpus.items.iter().any(|item| item.modality != Modality::Image));
    ui.horizontal(|ui| {
        for dimensions in DIMENSIONS.into_iter().filter(|dimensions| *dimensions <= card.dimensions) {
            let chosen = state.distill_dimensions == dimensions;
            let chip = chip(ui, &dimensions.to_string(), chosen);
            let name = format!("{dimensions} dimensions");
            chip.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &name));
            if chip.clicked() {
                state.distill_dimensions = dimensions;
            }
        }
        faint(ui, "dimensions; more are larger and finer");
    });
    ui.add_enabled_ui(texts, |ui| {
        ui.checkbox(&mut state.distill_words, "Vectors for the frequent words of the loaded texts, too").on_hover_text(
            "Names and terms of your own texts, which the model's vocabulary cuts into pieces, get vectors of their own",
        )
    });
    let title = format!("Making a static model from {}", card.name);
    let running = ctx.jobs.iter().any(|job| job.title == title);
    if running {
        faint(ui, "Being made…");
    } else if ui.button("Make it and embed").clicked() {
        let (model, dimensions) = (card.id.clone(), state.distill_dimensions.min(card.dimensions));
        ctx.send(Command::Distill(DistillWish { model, dimensions, own_words: texts && state.distill_words }));
    }
}
