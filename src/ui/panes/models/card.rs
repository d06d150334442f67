//! One model's card: what it is, its facts, what speaks for and against it, published figures, and what can be done with it.

use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui, vec2};

use super::state::{Entry, ModelsState};
use super::{action, list};
use crate::ui::command::Command;
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{self, bytes, dim, empty_state, faint, link, section, thousands};
use crate::ui::{distill, overrides, precisions};
use crate::vectors::kernel_name;
use crate::workspace::ModelSource;
use crate::workspace::catalogue::KnownModel;

/// Width of the names of facts.
const NAMES: f32 = 92.0;

/// Paints the card of the chosen model.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, window: &mut WindowState, state: &mut ModelsState, entries: &[Entry<'_>]) {
    let chosen = state.selected.as_deref().and_then(|id| entries.iter().find(|entry| entry.id() == id));
    let Some(entry) = chosen else {
        empty_state(ui, "No model chosen", "Choose one in the list to read its card.", |_| {});
        return;
    };
    ScrollArea::vertical().id_salt(("card", entry.id())).auto_shrink([false, false]).show(ui, |ui| {
        title(ui, ctx, entry);
        let about = entry.known.map(|known| known.about.as_str());
        let about = about.or(entry.model.map(|model| model.card.about.as_str())).unwrap_or_default();
        ui.add(Label::new(RichText::new(about).color(ctx.theme.text)).wrap());
        remarks(ui, ctx, entry);
        let width = (ui.available_width() - 52.0) / 2.0;
        ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
            for half in 0..2 {
                ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::LEFT), |ui| {
                    ui.set_width(width);
                    if half == 0 { facts(ui, entry) } else { verdicts(ui, entry) }
                });
                ui.add_space(if half == 0 { 16.0 } else { 0.0 });
            }
        });
        if let Some(known) = entry.known {
            figures(ui, known);
        }
        here(ui, ctx, window, entry);
        if let Some(known) = entry.known {
            sources(ui, ctx, known);
        }
        ui.add_space(10.0);
    });
}

fn title(ui: &mut Ui, ctx: &Context<'_>, entry: &Entry<'_>) {
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        ui.label(RichText::new(entry.name()).font(theme::title_font()).color(ctx.theme.text));
        faint(ui, list::whereabouts(entry));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if entry.known.is_none_or(|known| entry.model.is_some() || known.why_not().is_none()) {
                action(ui, ctx, entry, true);
            }
        });
    });
    if entry.model.is_none() && entry.known.and_then(KnownModel::why_not).is_some() {
        action(ui, ctx, entry, true);
    }
    ui.add_space(2.0);
}

/// How it was opened, where that is worth a word; and where the lesson says something else.
fn remarks(ui: &mut Ui, ctx: &Context<'_>, entry: &Entry<'_>) {
    let remarks = entry.model.map_or(&[][..], |model| model.card.remarks.as_slice());
    for remark in remarks {
        ui.add(Label::new(RichText::new(remark).font(theme::secondary()).color(ctx.theme.warn)).wrap());
    }
    let Some(known) = entry.known else { return };
    if let Some(lesson) = &known.lesson {
        note(ui, "The lesson", lesson);
    }
    if let Some(newer) = &known.newer {
        note(ui, "Newer", &format!("{newer} takes its place."));
    }
}

/// A sentence that must not be missed, on a ground of its own.
fn note(ui: &mut Ui, title: &str, words: &str) {
    let theme = Theme::of(ui.ctx());
    ui.add_space(6.0);
    let frame = eframe::egui::Frame::new()
        .fill(theme.accent_fill)
        .corner_radius(7)
        .inner_margin(eframe::egui::Margin::symmetric(10, 6));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(title).font(theme::section_font()).color(theme.accent));
            ui.label(RichText::new(words).font(theme::secondary()).color(theme.text));
        });
    });
}

/// A name and its value, the value wrapped beside it.
fn fact(ui: &mut Ui, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let theme = Theme::of(ui.ctx());
    ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
        ui.allocate_ui_with_layout(vec2(NAMES, 15.0), Layout::top_down(Align::LEFT), |ui| {
            ui.set_width(NAMES);
            ui.label(RichText::new(name).font(theme::secondary()).color(theme.dim));
        });
        ui.add(Label::new(RichText::new(value).font(theme::secondary()).color(theme.text)).wrap().selectable(true));
    });
}

fn facts(ui: &mut Ui, entry: &Entry<'_>) {
    section(ui, "Facts");
    fact(ui, "Reads", &reads(entry));
    fact(ui, "Vectors", &vectors(entry));
    let Some(known) = entry.known else {
        let Some(model) = entry.model else { return };
        fact(ui, "Pooling", model.card.pooling.words());
        fact(ui, "Licence", entry.licence());
        fact(ui, "Id", entry.id());
        return;
    };
    if known.matryoshka.len() > 1 {
        let sizes: Vec<String> = known.matryoshka[1..].iter().map(|&size| thousands(size as u64)).collect();
        fact(ui, "Can be cut to", &format!("{} dimensions (Matryoshka)", sizes.join(", ")));
    }
    fact(ui, "Built as", &known.family);
    fact(ui, "Pooling", known.pooling.map_or("", |pooling| pooling.words()));
    fact(ui, "Prompts", &prompts(known));
    fact(ui, "Languages", known.languages_words());
    fact(ui, "Field", &known.domains.iter().map(|domain| domain.words()).collect::<Vec<_>>().join(", "));
    fact(ui, "Licence", &licence(known));
    fact(ui, "Weights", &weights(known));
    fact(ui, "Runs", &known.runs());
    if let Some(cost) = &known.cost {
        fact(ui, "Cost", &format!("{} dollars a million tokens (on {})", cost.dollars, cost.on));
    }
    fact(ui, "Id", &known.id);
    fact(ui, "Also called", &known.aliases.join(", "));
}

/// What it reads, and how much of it.
pub fn reads(entry: &Entry<'_>) -> String {
    match entry.context_tokens() {
        Some(tokens) => format!("{}, up to {} tokens", entry.reads(), thousands(tokens as u64)),
        None if entry.reads() == "text" => "text of any length".to_owned(),
        None => entry.reads().to_owned(),
    }
}

fn vectors(entry: &Entry<'_>) -> String {
    let normalized = entry.known.map(|known| known.normalized);
    let normalized = entry.model.map(|model| model.card.normalized).or(normalized).unwrap_or(false);
    let length = if normalized { "length 1" } else { "not of length 1: compare by cosine" };
    format!("{} dimensions, {length}", thousands(entry.dimensions() as u64))
}

/// What it wants before texts, in words.
pub fn prompts(known: &KnownModel) -> String {
    let Some(prompts) = known.prompts() else { return "none".to_owned() };
    match (prompts.query.as_str(), prompts.passage.as_str()) {
        (query, "") => format!("“{query}” before questions"),
        ("", passage) => format!("“{passage}” before texts"),
        (query, passage) => format!("“{query}” before questions, “{passage}” before texts"),
    }
}

/// The licence, and what it allows.
pub fn licence(known: &KnownModel) -> String {
    match known.commercial {
        Some(true) if known.licence.contains("-SA-") => format!("{} (commercial use, share alike)", known.licence),
        Some(true) => format!("{} (commercial use allowed)", known.licence),
        Some(false) => format!("{} (no commercial use)", known.licence),
        None => format!("{}: ask before commercial use", known.licence),
    }
}

/// Parameters and bytes.
pub fn weights(known: &KnownModel) -> String {
    match (known.parameters, known.size_bytes) {
        (Some(parameters), Some(size)) => format!("{} million parameters, {}", millions(parameters), bytes(size)),
        _ => "not published".to_owned(),
    }
}

fn millions(parameters: u64) -> String {
    let millions = parameters as f64 / 1e6;
    if millions < 10.0 { format!("{millions:.1}") } else { thousands(millions.round() as u64) }
}

fn verdicts(ui: &mut Ui, entry: &Entry<'_>) {
    let theme = Theme::of(ui.ctx());
    let card = entry.model.map(|model| &model.card);
    let of = |known: fn(&KnownModel) -> &Vec<String>, here: Option<&Vec<String>>| -> Vec<String> {
        entry.known.map(known).or(here).cloned().unwrap_or_default()
    };
    let strengths = of(|known| &known.strengths, card.map(|card| &card.strengths));
    let weaknesses = of(|known| &known.weaknesses, card.map(|card| &card.weaknesses));
    for (title, sign, colour, lines) in
        [("Strengths", "+", theme.good, strengths), ("Weaknesses", "–", theme.warn, weaknesses)]
    {
        if !lines.is_empty() {
            section(ui, title);
            lines.iter().for_each(|line| signed(ui, (sign, colour), line));
        }
    }
    let best = entry.known.map(|known| known.best_for.as_str()).or(card.map(|card| card.best_for.as_str()));
    if let Some(best) = best.filter(|best| !best.is_empty()) {
        section(ui, "Best for");
        ui.add(Label::new(RichText::new(best).font(theme::secondary()).color(theme.text)).wrap());
    }
}

/// A sentence with a sign before it.
pub fn signed(ui: &mut Ui, sign: (&str, eframe::egui::Color32), words: &str) {
    let theme = Theme::of(ui.ctx());
    ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
        ui.allocate_ui_with_layout(vec2(10.0, 15.0), Layout::top_down(Align::LEFT), |ui| {
            ui.set_width(10.0);
            ui.label(RichText::new(sign.0).font(theme::secondary()).color(sign.1));
        });
        ui.add(Label::new(RichText::new(words).font(theme::secondary()).color(theme.text)).wrap());
    });
}

fn figures(ui: &mut Ui, known: &KnownModel) {
    if known.quality.is_empty() {
        return;
    }
    let theme = Theme::of(ui.ctx());
    section(ui, "Published figures");
    for figure in &known.quality {
        ui.horizontal(|ui| {
            let (name, _) = ui.allocate_exact_size(vec2(190.0, 20.0), eframe::egui::Sense::hover());
            let look = (theme::secondary(), theme.text);
            widgets::clipped_text(ui, name.left_center(), name.width(), &figure.measure, look);
            let (value, _) = ui.allocate_exact_size(vec2(44.0, 20.0), eframe::egui::Sense::hover());
            widgets::number_at(
                ui,
                value.right_center(),
                &format!("{:.1}", figure.value),
                (theme::secondary(), theme.text),
            );
            let (bar, _) = ui.allocate_exact_size(vec2(90.0, 20.0), eframe::egui::Sense::hover());
            widgets::score_bar(ui, bar.left_center(), 90.0, (figure.value / 100.0) as f32);
            faint(ui, figure.source.as_str());
        });
    }
}

/// What only a model that is here has: the numbers it multiplies, where its weights are, what it is used with.
fn here(ui: &mut Ui, ctx: &Context<'_>, window: &mut WindowState, entry: &Entry<'_>) {
    let Some(model) = entry.model else { return };
    let card = &model.card;
    section(ui, "On this computer");
    let place = match &card.source {
        ModelSource::Bundled => "inside this program".to_owned(),
        ModelSource::Folder(path) => format!("folder {}", path.display()),
        ModelSource::HubCache(path) => format!("hub cache {}", path.display()),
        ModelSource::File { path, .. } => format!("vectors of {}", path.display()),
        ModelSource::Made { of, .. } => {
            format!("none of its own: made of the vectors of {of}, until something else is loaded")
        }
    };
    let size = if card.size_bytes > 0 { format!("{}, ", bytes(card.size_bytes)) } else { String::new() };
    fact(ui, "Weights", &format!("{size}{place}"));
    if let Some(precision) = card.precision {
        fact(ui, "Numbers", &format!("{} products, {} kernels", precision.runs_as(), kernel_name()));
        ui.add_space(2.0);
        precisions::choices(ui, ctx, card);
    }
    if let Some(error) = &model.error {
        ui.add(Label::new(RichText::new(error).font(theme::secondary()).color(ctx.theme.bad)).wrap());
    }
    overrides::editor(ui, ctx, window, card);
    distill::offer(ui, ctx, window, card);
}

fn sources(ui: &mut Ui, ctx: &Context<'_>, known: &KnownModel) {
    section(ui, "Sources");
    for address in &known.sources {
        if link(ui, address).on_hover_text("Copy the address").clicked() {
            ctx.send(Command::Copy(address.clone()));
        }
    }
    dim(ui, "Sizes are parameters times bytes a number; figures are as their makers published them.");
}
