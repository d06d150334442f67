//! Model cards, and adding a model by folder or name.

use eframe::egui::{Key, RichText, ScrollArea, TextEdit, Ui};

use crate::ui::command::{Command, Dialog};
use crate::ui::context::{Context, ModelState};
use crate::ui::state::WindowState;
use crate::ui::theme;
use crate::ui::widgets::{bytes, dim, fact, faint, link, name_field, section, thousands};
use crate::ui::{overrides, precisions};
use crate::vectors::kernel_name;
use crate::workspace::{ModelId, ModelSource};

/// Paints the window's content.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    section(ui, "Add a model");
    dim(
        ui,
        "A folder with a sentence-transformers or BERT model, or ORG/NAME of one on the hub: from the cache on this computer, \
         else downloaded if you say so.",
    );
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut state.model_text).hint_text("Folder or ORG/NAME").desired_width(360.0);
        let response = ui.add(field);
        name_field(&response, "Folder or name of a model", &state.model_text);
        super::focus_first(state, Dialog::Models, &response);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let name = state.model_text.trim().to_owned();
        if (ui.button("Add and embed").clicked() || entered) && !name.is_empty() {
            ctx.send(Command::Embed(ModelId(name)));
            state.model_text.clear();
        }
    });
    if let Some(offer) = ctx.offer {
        ui.horizontal_wrapped(|ui| {
            ui.label(offer.words.as_str());
            if ui.button("Download and embed").clicked() {
                ctx.send(Command::DownloadModel(offer.id.clone()));
            }
            if ui.button("Not now").clicked() {
                ctx.send(Command::DeclineDownload);
            }
        });
    }
    ui.add_space(4.0);
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for model in ctx.models {
            card(ui, ctx, model);
            overrides::editor(ui, ctx, state, &model.card);
        }
    });
}

fn card(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState) {
    let card = &model.card;
    ui.add_space(14.0);
    ui.horizontal(|ui| {
        let (dot, _) = ui.allocate_exact_size(eframe::egui::vec2(10.0, 10.0), eframe::egui::Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, ctx.theme.model_colour(model.colour));
        ui.label(RichText::new(&card.name).font(theme::title_font()));
        if model.set.is_none() && ctx.corpus.is_some() && link(ui, "Embed").clicked() {
            ctx.send(Command::Embed(card.id.clone()));
        }
    });
    dim(ui, card.about.as_str());
    let reads = card.input.words();
    let context =
        card.context_tokens.map_or("no limit".to_owned(), |tokens| format!("{} tokens", thousands(tokens as u64)));
    fact(ui, "Reads", format!("{reads}, {context}"));
    fact(
        ui,
        "Vectors",
        format!("{} dimensions{}", thousands(card.dimensions as u64), if card.normalized { ", length 1" } else { "" }),
    );
    if let Some(precision) = card.precision {
        fact(ui, "Numbers", format!("{} products, {} kernels", precision.runs_as(), kernel_name()));
        precisions::choices(ui, ctx, card);
    }
    let source = match &card.source {
        ModelSource::Bundled => "inside this program".to_owned(),
        ModelSource::Folder(path) => format!("folder {}", path.display()),
        ModelSource::HubCache(path) => format!("hub cache {}", path.display()),
        ModelSource::File { path, .. } => format!("vectors of {}", path.display()),
    };
    fact(ui, "Weights", format!("{}, {source}", bytes(card.size_bytes)));
    fact(ui, "Licence", card.licence.as_str());
    if !card.strengths.is_empty() {
        fact(ui, "Strengths", card.strengths.join("; "));
    }
    if !card.weaknesses.is_empty() {
        fact(ui, "Weaknesses", card.weaknesses.join("; "));
    }
    fact(ui, "Best for", card.best_for.as_str());
    faint(ui, format!("Id {}", card.id));
}
