//! The chooser: at the left what a model is wanted for and what counts, at the right the models that fit, with reasons.
//!
//! Ranks when what is asked has changed, and keeps the answer. Invariant: what is shown answers what stands at the left.

use eframe::egui::{Align, CollapsingHeader, Label, Layout, RichText, ScrollArea, Ui};

use super::state::{Asked, Entry, ModelsState, Tab};
use super::{action, card, list};
use crate::ui::context::Context;
use crate::ui::panes::left::sliders::{Range, slider};
use crate::ui::theme;
use crate::ui::widgets::{self, bytes, chip, dim, duration, empty_state, faint, link, plural, section, thousands};
use crate::workspace::catalogue::choose::{
    Choice, Criterion, Data, Deployment, Suggestion, Use, Wants, Weighing, choose,
};
use crate::workspace::catalogue::{Domain, known};
use crate::workspace::data_of;

/// Suggestions that are shown before the rest is asked for.
const SHOWN: usize = 8;

/// Paints what is wanted.
pub fn wants(ui: &mut Ui, ctx: &Context<'_>, state: &mut ModelsState) {
    ScrollArea::vertical().id_salt("model wants").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_width(ui.available_width() - 6.0);
        section(ui, "What for");
        ui.horizontal_wrapped(|ui| {
            for purpose in Use::ALL {
                if chip(ui, purpose.words(), state.wants.purpose == purpose).clicked() {
                    state.wants.purpose = purpose;
                    state.all_suggestions = false;
                }
            }
        });
        section(ui, "Where it may run");
        ui.horizontal_wrapped(|ui| {
            for (place, name, words) in [
                (Deployment::Offline, "Here now", "Only what is on this computer"),
                (
                    Deployment::Local,
                    "Here, once fetched",
                    "On this computer; weights may be fetched from the hub first",
                ),
                (Deployment::Anywhere, "Anywhere", "Also behind an API, and what cannot be run here yet"),
            ] {
                if chip(ui, name, state.wants.deployment == place).on_hover_text(words).clicked() {
                    state.wants.deployment = place;
                }
            }
        });
        section(ui, "Your texts");
        let field =
            [None].into_iter().chain(Domain::ALL.into_iter().filter(|&domain| domain != Domain::Pictures).map(Some));
        let width = ui.available_width();
        list::combo(ui, ("Field of the texts", width), &mut state.wants.domain, field, |domain| {
            domain.map_or("Of any field".to_owned(), |domain| format!("Field: {}", domain.words()))
        });
        ui.checkbox(&mut state.wants.other_languages, "Other languages than English");
        ui.checkbox(&mut state.wants.whole, "Each text whole, not in chunks");
        ui.checkbox(&mut state.wants.commercial, "For commercial use");
        faint(ui, of_data(data(ctx, state)));
        section(ui, "What counts");
        for criterion in Criterion::ALL {
            let mut weight = state.wants.weighing.of(criterion) as f32;
            if slider(ui, name(criterion), &mut weight, &Range { step: 0.5, ..Range::new(0.0, 5.0, 1) }) {
                state.wants.weighing.set(criterion, f64::from(weight));
            }
        }
        if state.wants.weighing != Weighing::default() && link(ui, "Weights as usual").clicked() {
            state.wants.weighing = Weighing::default();
        }
        ui.add_space(8.0);
    });
}

fn name(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::Quality => "Quality, as published",
        Criterion::Speed => "Speed",
        Criterion::Storage => "Few dimensions, little storage",
        Criterion::Context => "Long texts",
        Criterion::Domain => "Made for the field",
        Criterion::Cost => "Low cost",
    }
}

/// The corpus as the chooser counts it; counted when it has changed.
fn data(ctx: &Context<'_>, state: &mut ModelsState) -> Option<Data> {
    let corpus = ctx.corpus?;
    if state.data.as_ref().is_none_or(|(revision, _)| *revision != corpus.revision) {
        state.data = Some((corpus.revision, data_of(corpus)));
    }
    state.data.map(|(_, data)| data)
}

fn of_data(data: Option<Data>) -> String {
    let Some(data) = data else {
        return "Load a folder, and lengths, storage and time are of your own files.".to_owned();
    };
    let mut parts = Vec::new();
    if data.texts > 0 {
        parts.push(format!(
            "{}, {} tokens in the middle, 95 of 100 up to {}",
            plural(data.texts, "text"),
            thousands(data.median_tokens as u64),
            thousands(data.tokens_95 as u64)
        ));
    }
    if data.pictures > 0 {
        parts.push(plural(data.pictures, "picture"));
    }
    format!("Of what is loaded: {}.", parts.join("; "))
}

/// Operations a second that a model of the corpus was seen to do here.
fn rate(ctx: &Context<'_>, data: Option<Data>) -> Option<f64> {
    let data = data.filter(|data| data.pieces > data.pictures)?;
    let tokens = data.tokens as f64 / (data.pieces - data.pictures) as f64;
    let mut rates: Vec<f64> = ctx
        .models
        .iter()
        .filter(|model| model.card.input.reads_texts() && model.card.precision.is_some())
        .filter_map(|model| Some(model.speed?.per_second * tokens * known(&model.card.id.0)?.operations? as f64))
        .collect();
    rates.sort_by(f64::total_cmp);
    // Three digits are enough; more would rank anew with every measurement.
    rates.first().map(|&rate| (rate / 1e8).round() * 1e8).filter(|&rate| rate > 0.0)
}

/// Paints the answer.
pub fn answer(ui: &mut Ui, ctx: &Context<'_>, state: &mut ModelsState, entries: &[Entry<'_>]) {
    let data = data(ctx, state);
    let mut here: Vec<String> = ctx.models.iter().map(|model| model.card.id.parts().0.to_owned()).collect();
    here.dedup();
    let asked = Asked { wants: Wants { data, rate: rate(ctx, data), here, ..state.wants.clone() } };
    if state.answer.as_ref().is_none_or(|(of, _)| *of != asked) {
        let choice = choose(&asked.wants);
        state.answer = Some((asked, choice));
    }
    let Some((asked, choice)) = state.answer.take() else { return };
    ScrollArea::vertical().id_salt("model suggestions").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_width(ui.available_width() - 8.0);
        ui.add_space(6.0);
        ui.label(RichText::new(asked.wants.purpose.words()).font(theme::title_font()).color(ctx.theme.text));
        recommended(ui, ctx, &choice);
        if asked.wants.purpose == Use::DomainTexts && asked.wants.domain.is_none() {
            dim(ui, "Say the field at the left, and models made for it count double.");
        }
        if choice.suggestions.is_empty() {
            empty_state(
                ui,
                "No model fits",
                "Let it run elsewhere, or take a condition back; the reasons are below.",
                |_| {},
            );
        }
        let most = if state.all_suggestions { usize::MAX } else { SHOWN };
        for (place, found) in choice.suggestions.iter().take(most).enumerate() {
            suggestion(ui, ctx, state, entries, (place, found));
        }
        let more = choice.suggestions.len().saturating_sub(most);
        ui.add_space(8.0);
        if more > 0 && link(ui, &format!("Show {more} more")).clicked() {
            state.all_suggestions = true;
        }
        excluded(ui, &choice);
        ui.add_space(10.0);
    });
    state.answer = Some((asked, choice));
}

fn recommended(ui: &mut Ui, ctx: &Context<'_>, choice: &Choice) {
    let range = &choice.recommended;
    ui.horizontal_wrapped(|ui| {
        let words = format!("{} to {} dimensions", thousands(range.from as u64), thousands(range.to as u64));
        ui.label(RichText::new(words).font(theme::section_font()).color(ctx.theme.accent));
        dim(ui, range.why).on_hover_text(range.basis);
    });
    faint(ui, range.basis);
}

fn suggestion(
    ui: &mut Ui,
    ctx: &Context<'_>,
    state: &mut ModelsState,
    entries: &[Entry<'_>],
    found: (usize, &Suggestion),
) {
    let (place, found) = found;
    let of = |entry: &&Entry<'_>| entry.known.is_some_and(|known| known.id == found.model.id);
    let entry = entries.iter().find(of).copied().unwrap_or(Entry { known: Some(found.model), model: None });
    ui.add_space(12.0);
    ui.horizontal(|ui| {
        let (rank, _) = ui.allocate_exact_size(eframe::egui::vec2(18.0, 22.0), eframe::egui::Sense::hover());
        widgets::number_at(ui, rank.right_center(), &(place + 1).to_string(), (theme::secondary(), ctx.theme.dim));
        ui.label(RichText::new(entry.name()).font(theme::title_font()).color(ctx.theme.text));
        let (bar, response) = ui.allocate_exact_size(eframe::egui::vec2(90.0, 22.0), eframe::egui::Sense::hover());
        widgets::score_bar(ui, bar.left_center(), 90.0, found.score as f32);
        response.on_hover_text(made_of(found));
        dim(ui, format!("{:.0} of 100", found.score * 100.0)).on_hover_text(made_of(found));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let read = link(ui, "Card");
            let name = format!("Card of {}", entry.name());
            read.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Link, true, &name));
            if read.clicked() {
                state.selected = Some(entry.id().to_owned());
                state.tab = Tab::Cards;
            }
            action(ui, ctx, &entry, false);
        });
    });
    let indent = 26.0;
    ui.horizontal(|ui| {
        ui.add_space(indent);
        ui.vertical(|ui| {
            ui.add(Label::new(RichText::new(facts(found)).font(theme::secondary()).color(ctx.theme.dim)).wrap());
            found.pros.iter().for_each(|reason| card::signed(ui, ("+", ctx.theme.good), reason));
            found.cons.iter().for_each(|reason| card::signed(ui, ("–", ctx.theme.warn), reason));
        });
    });
}

/// The parts of a score in words.
fn made_of(found: &Suggestion) -> String {
    let part = |part: &crate::workspace::catalogue::choose::Part| {
        format!("{}: {:.0} of 100, counts {}", part.criterion.words(), part.share * 100.0, part.weight)
    };
    found.parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

fn facts(found: &Suggestion) -> String {
    let mut facts = vec![format!("{} dimensions", thousands(found.dimensions as u64))];
    if let Some(storage) = &found.storage {
        let size = |megabytes: f64| bytes((megabytes * 1e6) as u64);
        facts.push(format!(
            "vectors {} (f16 {}, int8 {})",
            size(storage.f32_mb),
            size(storage.f16_mb),
            size(storage.int8_mb)
        ));
    }
    if let Some(seconds) = found.seconds {
        facts.push(format!("about {} to embed here", duration(seconds)));
    }
    if let Some(dollars) = found.dollars {
        facts.push(format!("{dollars:.2} dollars"));
    }
    facts.join(" · ")
}

fn excluded(ui: &mut Ui, choice: &Choice) {
    if choice.excluded.is_empty() {
        return;
    }
    ui.add_space(10.0);
    let title = RichText::new(format!("Left out: {}", plural(choice.excluded.len(), "model"))).font(theme::secondary());
    CollapsingHeader::new(title).id_salt("models left out").show(ui, |ui| {
        for (model, reason) in &choice.excluded {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(&model.name).font(theme::secondary()));
                dim(ui, reason.as_str());
            });
        }
    });
}
