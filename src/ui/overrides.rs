//! What a model is used with otherwise than its own files say: prompts, pooling, length of vectors, shown and edited where its card is.
//!
//! Edits a draft; a command uses it. Invariant: nothing is embedded again before the user says so.

use eframe::egui::{ComboBox, Role, TextEdit, Ui, WidgetInfo};

use super::command::Command;
use super::context::Context;
use super::state::WindowState;
use super::widgets::{faint, link, name_field, section};
use crate::workspace::{ModelCard, ModelSource, Overrides, Pooling, Prompts};

/// The poolings that a text model can be given.
const POOLINGS: [Pooling; 5] = [Pooling::Mean, Pooling::Cls, Pooling::Max, Pooling::WeightedMean, Pooling::Last];

/// Paints the editor for a text model from a folder or the hub's cache; nothing for others.
pub fn editor(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, card: &ModelCard) {
    let from_files = matches!(card.source, ModelSource::Folder(_) | ModelSource::HubCache(_));
    if !from_files || !card.input.reads_texts() || card.input.reads_pictures() {
        return;
    }
    let name = card.id.parts().0;
    let used = ctx.settings.overrides.get(name).cloned().unwrap_or_default();
    let draft = state.overrides.entry(card.id.clone()).or_insert_with(|| used.clone());
    section(ui, "Used with").on_hover_text(
        "What stands before texts, and how a text's token vectors become one. Models rank worse when used otherwise than they were trained",
    );
    prompts(ui, draft, &card.prompts);
    pooling(ui, draft, card.pooling);
    let mut normalized = draft.normalize.unwrap_or(card.normalized);
    if ui.checkbox(&mut normalized, "Vectors of length 1").changed() {
        draft.normalize = Some(normalized);
    }
    let (draft, id) = (draft.clone(), card.id.clone());
    ui.horizontal(|ui| {
        if draft != used && link(ui, "Use it so").on_hover_text("Embeds again where its vectors are there").clicked() {
            ctx.send(Command::UseModel(id.clone(), draft.clone()));
        }
        if !(used.is_empty() && draft.is_empty()) && link(ui, "As its own files say").clicked() {
            state.overrides.remove(&id);
            ctx.send(Command::UseModel(id.clone(), Overrides::default()));
        }
    });
}

fn prompts(ui: &mut Ui, draft: &mut Overrides, own: &Prompts) {
    let mut edited = draft.prompts.clone().unwrap_or_else(|| own.clone());
    let mut changed = false;
    for (words, text) in [("Before questions", &mut edited.query), ("Before texts", &mut edited.passage)] {
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(text).hint_text("nothing").desired_width(260.0));
            name_field(&field, words, text);
            faint(ui, words);
            changed |= field.changed();
        });
    }
    if changed {
        draft.prompts = Some(edited);
    }
}

fn pooling(ui: &mut Ui, draft: &mut Overrides, own: Pooling) {
    let now = draft.pooling.unwrap_or(own);
    let combo = ComboBox::from_id_salt("pooling").selected_text(now.words()).show_ui(ui, |ui| {
        for pooling in POOLINGS {
            if ui.selectable_label(pooling == now, pooling.words()).clicked() {
                draft.pooling = Some(pooling);
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Pooling"));
}
