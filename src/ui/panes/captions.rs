//! The inspector's captions: what may be said of a picture, and how likely a model of words and pictures finds each.
//!
//! Asks for the scores and paints them. Invariant: scores shown are of the picture looked at.

use eframe::egui::{self, DragValue, RichText, Role, TextEdit, Ui, WidgetInfo, pos2, vec2};

use crate::ui::command::{CaptionQuestion, Command};
use crate::ui::context::{Context, ModelState};
use crate::ui::state::WindowState;
use crate::ui::theme;
use crate::ui::widgets::{self, chip, clipped_text, link, name_field, number_at, section};
use crate::vectors::RowId;
use crate::workspace::Captioned;

/// Most captions of one question.
const MOST: usize = 20;
/// Height of a caption's line.
const LINE: f32 = 24.0;

/// Paints the section for a picture, where a model can answer it.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, row: RowId) {
    let able: Vec<&ModelState> = ctx.models.iter().filter(|model| reads_captions(model, row)).collect();
    let Some(&first) = able.first() else { return };
    let asked = ctx.captioned.filter(|scored| scored.row == Some(row));
    let chosen =
        able.iter().find(|model| Some(&model.card.id) == state.caption_model.as_ref()).copied().unwrap_or(first);
    section(ui, "Captions").on_hover_text(
        "Write what the picture may show, a caption a line. The model puts words and picture into one space; the nearer a caption, the \
         likelier it is.",
    );
    if able.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for model in &able {
                if chip(ui, &model.card.name, model.card.id == chosen.card.id).clicked() {
                    state.caption_model = Some(model.card.id.clone());
                }
            }
        });
    }
    let field = TextEdit::multiline(&mut state.caption_text)
        .hint_text("a photo of a cat\na photo of a bridge")
        .desired_rows(3)
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    name_field(&response, "Captions, one a line", &state.caption_text);
    let mut ask = false;
    ui.horizontal(|ui| {
        let button = ui.add_enabled(!state.caption_text.trim().is_empty(), egui::Button::new("Score captions"));
        ask = button.clicked();
        if let Some(scored) = asked {
            ask |= temperature(ui, state, scored);
        }
    });
    if ask {
        let lines = state.caption_text.lines().map(str::trim).filter(|line| !line.is_empty());
        let captions = lines.take(MOST).map(str::to_owned).collect();
        let (model, temperature) = (chosen.card.id.clone(), state.caption_temperature);
        ctx.send(Command::Caption(CaptionQuestion { row, model, captions, temperature }));
    }
    if let Some(scored) = asked {
        scores(ui, ctx, scored);
    }
}

/// Whether words can be held against a picture in this model's space.
fn reads_captions(model: &ModelState, row: RowId) -> bool {
    let card = &model.card;
    let holds = model.set.as_ref().is_some_and(|set| set.position_of(row).is_some());
    holds && card.input.reads_pictures() && card.text_query_model.is_some() && !card.is_of_file()
}

/// The temperature, and whose it is; whether it was changed.
fn temperature(ui: &mut Ui, state: &mut WindowState, scored: &Captioned) -> bool {
    let mut value = scored.temperature;
    let drag = DragValue::new(&mut value).range(0.001..=10.0).speed(0.002).fixed_decimals(3);
    let words = "What cosines are divided by before they become shares: small makes the likeliest caption stand out, large makes all alike";
    ui.label(RichText::new("Temperature").font(theme::secondary()));
    let response = ui.add(drag).on_hover_text(words);
    response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, "Temperature"));
    let mut changed = response.changed();
    if changed {
        state.caption_temperature = Some(value);
    }
    if state.caption_temperature.is_some() && link(ui, "Model's own").clicked() {
        state.caption_temperature = None;
        changed = true;
    }
    changed
}

fn scores(ui: &mut Ui, ctx: &Context<'_>, scored: &Captioned) {
    ui.add_space(4.0);
    ui.spacing_mut().item_spacing.y = 0.0;
    for caption in scored.captions.iter() {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), egui::Sense::hover());
        let filled = egui::Rect::from_min_size(
            pos2(rect.left(), rect.bottom() - 4.0),
            vec2(rect.width() * caption.share.clamp(0.0, 1.0), 2.0),
        );
        let track = egui::Rect::from_min_size(pos2(rect.left(), rect.bottom() - 4.0), vec2(rect.width(), 2.0));
        ui.painter().rect_filled(track, 1.0, ctx.theme.raised);
        ui.painter().rect_filled(filled, 1.0, ctx.theme.accent);
        let middle = rect.center().y - 2.0;
        clipped_text(
            ui,
            pos2(rect.left(), middle),
            rect.width() - 60.0,
            &caption.text,
            (theme::secondary(), ctx.theme.text),
        );
        let share = format!("{:.1} %", caption.share * 100.0);
        number_at(ui, pos2(rect.right(), middle), &share, (theme::secondary(), ctx.theme.text));
        let words = format!("{}: {share}, cosine {:.3}", caption.text, caption.cosine);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
        response.on_hover_text(format!("Cosine {:.3}", caption.cosine));
    }
    ui.add_space(4.0);
    let how = if scored.each_alone {
        "Each caption is judged for itself (sigmoid), as the model was trained"
    } else {
        "The shares of all captions add up to 100 % (softmax)"
    };
    let whose = match (scored.learnt, scored.each_alone) {
        (true, _) => "the temperature is the model's own",
        (false, _) => "the model did not learn this temperature: read the order, not the figures",
    };
    widgets::faint(ui, format!("{how}; {whose}."));
}
