//! The panel at the right of Compare: agreement, where models disagree, fairness; the measured costs are in `costs`.

use eframe::egui::{self, RichText, ScrollArea, Sense, Ui, pos2, vec2};

use crate::ui::command::{Command, SelectMode};
use crate::ui::context::{Context, MeasuredPair};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{self, fact, link, plural, section};
use crate::workspace::Column;

/// The panel at the right: agreement, where they disagree, measured costs, fairness.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(-6.0);
        let pair = ctx.compare.slots.get(..2).and_then(|pair| ctx.compare.measured(&pair[0], &pair[1]));
        match pair {
            Some(pair) => agreed(ui, ctx, pair),
            None => no_agreement(ui, ctx),
        }
        super::costs::show(ui, ctx);
        super::fair::show(ui, ctx);
        ui.add_space(16.0);
    });
}

/// Two maps of one model: how far each may be trusted.
fn two_maps(ui: &mut Ui, ctx: &Context<'_>) {
    section(ui, "Maps of one model");
    widgets::dim(ui, "The vectors are the same; what differs is what each map keeps of them.");
    for (place, id) in ctx.compare.slots.iter().enumerate() {
        let Some(model) = ctx.model(id) else { continue };
        let Some(shown) = model.map.projection(ctx.compare.choice(place)) else { continue };
        ui.add_space(8.0);
        widgets::dim(ui, format!("Map {}: {} by {}", place + 1, model.card.name, shown.params.method.name()));
        let Some(quality) = shown.quality else {
            if !shown.is_judged() {
                widgets::dim(ui, "Too few points to judge it.");
            }
            continue;
        };
        fact(ui, "Trust", format!("{:.3}", quality.trustworthiness));
        fact(ui, "Continuity", format!("{:.3}", quality.continuity));
        fact(ui, "Kept near", format!("{:.0} %", quality.neighbours_kept * 100.0)).on_hover_text(
            "Of the 10 nearest in the original space, the share that is among the 10 nearest on the map",
        );
        if let Some(distances) = shown.distances {
            fact(ui, "Distances", format!("{:.2}", distances.spearman)).on_hover_text(
                "Whether what is farther apart on the map is farther apart in the original space: rank correlation, 1 is always",
            );
        }
        if let Some((_, kl)) = shown.kl.last() {
            fact(ui, "KL", format!("{kl:.3}")).on_hover_text(
                "What t-SNE makes as small as it can; maps of the same perplexity may be held against each other by it",
            );
        }
        fact(ui, "Time", widgets::duration(shown.seconds[0] + shown.seconds[1]));
    }
}

/// What stands in the place of a comparison that is not there.
fn no_agreement(ui: &mut Ui, ctx: &Context<'_>) {
    let slots = &ctx.compare.slots;
    if matches!(slots.as_slice(), [a, b, ..] if a == b) {
        return two_maps(ui, ctx);
    }
    section(ui, "Agreement in the original space");
    let ready = slots.iter().take(2).filter(|id| ctx.model(id).is_some_and(|model| model.set.is_some())).count();
    let [a, b, ..] = slots.as_slice() else {
        widgets::dim(
            ui,
            "Shown for two models that have embedded the same items, or two files of vectors of the same rows opened together.",
        );
        return;
    };
    match ctx.compare.failure(a, b) {
        Some(why) => {
            widgets::dim(ui, why);
            let input = |id| ctx.model(id).map(|model| model.card.input);
            if input(a) == input(b) && link(ui, "Measure again").clicked() {
                ctx.send(Command::MeasureAgain(a.clone(), b.clone()));
            }
        }
        None if ready < 2 => {
            widgets::dim(ui, "Shown when both models have embedded the corpus.");
        }
        None => {
            widgets::dim(ui, "Measuring…");
        }
    }
}

fn agreed(ui: &mut Ui, ctx: &Context<'_>, pair: &MeasuredPair) {
    let agreement = &pair.agreement;
    section(ui, "Agreement in the original space");
    ui.label(RichText::new(format!("{:.2}", agreement.mean_overlap)).font(theme::figure_font()));
    let name = |id| ctx.model(id).map_or("", |model| model.card.name.as_str());
    let rows = plural(agreement.rows.len(), "chunk");
    widgets::dim(ui, format!("mean overlap of {} neighbours, over {rows}", agreement.k));
    widgets::faint(ui, format!("{} and {}", name(&agreement.a), name(&agreement.b)));
    histogram(ui, ctx, pair);
    widgets::dim(ui, format!("Random vectors would share {:.3}.", agreement.random_overlap));
    ui.add_space(4.0);
    fact(ui, "CKA", format!("{:.2}", agreement.cka))
        .on_hover_text("Linear centred kernel alignment: 1 when one space is a rotation of the other, 0 when they have nothing in common");
    fact(ui, "Procrustes", format!("{:.2}", agreement.procrustes)).on_hover_text(
        "What is left after turning and scaling one space onto the other: 0 when one is a rotation of the other",
    );
    let (words, column) = match ctx.settings.colour_by {
        Column::Agreement => ("Colour the maps by folder", Column::Folder),
        _ => ("Colour the maps by agreement", Column::Agreement),
    };
    if link(ui, words).clicked() {
        ctx.send(Command::ColourBy(column));
    }
    let styles = ctx.compare.slots.first().and_then(|id| Some(ctx.model(id)?.map.seen(ctx.compare.choice(0))?.1));
    let scale = styles.and_then(|styles| styles.legend().scale.as_ref());
    if let (Column::Agreement, Some(scale)) = (ctx.settings.colour_by, scale) {
        crate::ui::panes::map_pane::scale(ui, ctx, scale);
    }
    disagree(ui, ctx, pair);
}

fn histogram(ui: &mut Ui, ctx: &Context<'_>, pair: &MeasuredPair) {
    let k = pair.agreement.k;
    let most = pair.histogram.iter().copied().max().unwrap_or(1).max(1) as f32;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 84.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "Histogram of neighbour overlap"));
    let width = rect.width() / pair.histogram.len().max(1) as f32;
    for (place, &count) in pair.histogram.iter().enumerate() {
        let height = (rect.height() - 2.0) * count as f32 / most;
        let left = rect.left() + width * place as f32;
        let bar = egui::Rect::from_min_max(
            pos2(left + 1.5, rect.bottom() - height.max(1.0)),
            pos2(left + width - 1.5, rect.bottom()),
        );
        let corners = egui::CornerRadius { nw: 2, ne: 2, sw: 0, se: 0 };
        ui.painter().rect_filled(bar, corners, Theme::faded(ctx.theme.accent, 0.8));
    }
    ui.horizontal(|ui| {
        widgets::faint(ui, "none shared");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            widgets::faint(ui, format!("all {k} shared"));
        });
    });
    if let Some(at) = response.hover_pos() {
        let place = (((at.x - rect.left()) / width) as usize).min(k);
        let words = format!("{} share {place} of {k} neighbours", plural(pair.histogram[place], "chunk"));
        response.show_tooltip_text(words);
    }
}

fn disagree(ui: &mut Ui, ctx: &Context<'_>, pair: &MeasuredPair) {
    let Some(corpus) = ctx.corpus.filter(|_| !pair.labels.is_empty()) else { return };
    section(ui, "Where they disagree most");
    for of in pair.labels.iter().take(5) {
        let row = widgets::Row::new(&of.label, format!("{:.2}", of.mean)).show(ui);
        let words = format!(
            "{} of this folder, mean overlap {:.2}. Click selects those that share at most one neighbour",
            plural(of.rows, "chunk"),
            of.mean
        );
        if row.on_hover_text(words).clicked() {
            let agreement = &pair.agreement;
            let k = agreement.k as f32;
            let shared = agreement.rows.iter().zip(agreement.overlap.iter());
            let low = shared.filter(|(_, share)| **share * k <= 1.01).map(|(row, _)| *row);
            let here = low.filter(|row| row.index() < corpus.chunks.len() && corpus.item_of(*row).label == of.label);
            ctx.send(Command::Select(here.collect(), SelectMode::Replace));
        }
    }
}
