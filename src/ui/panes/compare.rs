//! Compare: maps side by side, the same query answered by each model, agreement in the original space.

use eframe::egui::{self, ComboBox, RichText, ScrollArea, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::query;
use crate::ui::command::{Command, Dialog, SelectMode};
use crate::ui::context::{Context, ModelState};
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::tiles::{header, padded};
use crate::ui::widgets::{self, chip, clipped_text, fact, link, number_at, plural, section, thousands};
use crate::workspace::{Agreement, AnswerGroup, Column, ModelId};

/// The map in one place, with its model and method to choose.
pub fn map(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, place: usize) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let Some(model) = ctx.compare.slots.get(place).and_then(|id| ctx.model(id)) else {
        widgets::empty_state(ui, "No model", "Embed the corpus with two models to compare them.", |_| {});
        return;
    };
    header(ui, &ctx.theme, 34.0, |ui| {
        let (dot, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, ctx.theme.model_colour(model.colour));
        choose(ui, ctx, place, model);
        for method in [crate::projection::Method::Pca, crate::projection::Method::Tsne] {
            if chip(ui, method.name(), model.map.method == Some(method)).clicked() {
                ctx.send(Command::Project(model.card.id.clone(), method));
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if place >= 2 && chip(ui, "×", false).on_hover_text("Take this map out").clicked() {
                ctx.send(Command::CompareLess(place));
            }
            let can_add = ctx.compare.slots.len() < 4 && addable(ctx) > 0;
            if place + 1 == ctx.compare.slots.len() && can_add && chip(ui, "+ Map", false).clicked() {
                ctx.send(Command::CompareMore);
            }
            let trust = model.map.quality().map(|quality| format!(" · trust {:.2}", quality.trustworthiness));
            let words = format!("{} dimensions{}", thousands(model.card.dimensions as u64), trust.unwrap_or_default());
            if ui.available_width() > 150.0 {
                ui.label(RichText::new(words).font(theme::secondary()).color(ctx.theme.dim));
            }
        });
    });
    super::map_pane::show(ui, ctx, state, model, &format!("compare {place}"));
}

/// Models that are embedded and not yet side by side.
fn addable(ctx: &Context<'_>) -> usize {
    ctx.models.iter().filter(|model| model.set.is_some() && !ctx.compare.slots.contains(&model.card.id)).count()
}

fn choose(ui: &mut Ui, ctx: &Context<'_>, place: usize, model: &ModelState) {
    let combo = ComboBox::from_id_salt(("compare model", place)).selected_text(&model.card.name).show_ui(ui, |ui| {
        for other in ctx.models.iter().filter(|other| other.set.is_some()) {
            let chosen = other.card.id == model.card.id;
            if ui.selectable_label(chosen, &other.card.name).clicked() {
                ctx.send(Command::CompareModel(place, other.card.id.clone()));
            }
        }
    });
    combo.response.widget_info(|| {
        let name = format!("Model of map {}", place + 1);
        egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name)
    });
}

/// The query field and one ranked list a model, with lines between the same items.
pub fn lists(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    padded(ui, |ui| {
        query::field(ui, ctx, state);
        ui.add_space(4.0);
        let Some(answer) = ctx.answer else {
            widgets::dim(ui, "Type a query: each model answers it in a column of its own.");
            return;
        };
        let groups: Vec<(&ModelState, Option<&AnswerGroup>)> = ctx
            .compare
            .slots
            .iter()
            .filter_map(|id| Some((ctx.model(id)?, answer.groups.iter().find(|group| &group.model == id))))
            .collect();
        if let [(_, Some(a)), (_, Some(b)), ..] = groups.as_slice() {
            widgets::dim(ui, in_common(a, b));
        }
        ScrollArea::vertical().id_salt("compared hits").auto_shrink([false, false]).show(ui, |ui| {
            columns(ui, ctx, state, &groups);
        });
    });
}

/// "6 of 10 in common · rank-biased overlap 0.58".
fn in_common(a: &AnswerGroup, b: &AnswerGroup) -> String {
    let most = a.hits.len().min(b.hits.len()).min(10);
    let rows = |group: &AnswerGroup| group.hits.iter().take(most).map(|hit| hit.0.0).collect::<Vec<u32>>();
    let (first, second) = (rows(a), rows(b));
    let shared = first.iter().filter(|row| second.contains(row)).count();
    let overlap = crate::analysis::rank_biased_overlap(&first, &second, 0.9);
    format!("{} and {}: {shared} of {most} in common · rank-biased overlap {overlap:.2}", a.model_name, b.model_name)
}

const GAP: f32 = 84.0;
const ROW: f32 = 30.0;

fn columns(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, groups: &[(&ModelState, Option<&AnswerGroup>)]) {
    let count = groups.len().max(1) as f32;
    let gap = if groups.len() > 2 { 44.0 } else { GAP };
    let width = ((ui.available_width() - gap * (count - 1.0)) / count).max(120.0);
    let most = groups.iter().filter_map(|(_, group)| Some(group.as_ref()?.hits.len())).max().unwrap_or_default();
    let most = most.min(ctx.settings.top);
    let (whole, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW * most as f32 + 26.0), Sense::hover());
    for (place, (model, group)) in groups.iter().enumerate() {
        let left = whole.left() + place as f32 * (width + gap);
        let rect = egui::Rect::from_min_size(pos2(left, whole.top()), vec2(width, whole.height()));
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let (head, _) = ui.allocate_exact_size(vec2(width, 22.0), Sense::hover());
            let dot = pos2(head.left() + 5.0, head.center().y);
            ui.painter().circle_filled(dot, 4.0, ctx.theme.model_colour(model.colour));
            let at = pos2(head.left() + 16.0, head.center().y);
            clipped_text(ui, at, width - 16.0, &model.card.name, (theme::secondary(), ctx.theme.dim));
            let Some(group) = group else {
                let why = ctx.answer.and_then(|answer| answer.unanswered.iter().find(|(id, _)| *id == model.card.id));
                widgets::faint(ui, why.map_or("No answer from this model.", |(_, why)| why.as_str()));
                return;
            };
            for (rank, &(row, score)) in group.hits.iter().take(most).enumerate() {
                let response = query::hit(ui, ctx, (rank, row, score), false);
                if response.hovered() {
                    state.hover_next = Some(row);
                    state.hover_seen = true;
                }
                if response.clicked() {
                    ctx.send(Command::Focus(row));
                }
            }
        });
    }
    for (place, pair) in groups.windows(2).enumerate() {
        if let [(_, Some(a)), (_, Some(b))] = pair {
            let left = whole.left() + place as f32 * (width + gap) + width + 4.0;
            lines(ui, ctx, (a, b, most), (left, left + gap - 8.0, whole.top() + 22.0));
        }
    }
}

/// Lines from each hit of the left list to the same item in the right one: green up, red down, dashed where it fell out.
fn lines(
    ui: &Ui,
    ctx: &Context<'_>,
    (a, b, most): (&AnswerGroup, &AnswerGroup, usize),
    (left, right, top): (f32, f32, f32),
) {
    let height = |rank: usize| top + ROW * (rank as f32 + 0.5);
    for (rank, hit) in a.hits.iter().take(most).enumerate() {
        let lit = ctx.hovered == Some(hit.0) || ctx.selection.focus == Some(hit.0);
        let thick = if lit { 2.5 } else { 1.4 };
        let start = pos2(left, height(rank));
        match b.hits.iter().take(most).position(|other| other.0 == hit.0) {
            Some(other) => {
                let colour = match other.cmp(&rank) {
                    std::cmp::Ordering::Less => ctx.theme.good,
                    std::cmp::Ordering::Equal => ctx.theme.faint,
                    std::cmp::Ordering::Greater => ctx.theme.bad,
                };
                let end = pos2(right, height(other));
                let middle = (left + right) / 2.0;
                let points = [start, pos2(middle, start.y), pos2(middle, end.y), end];
                let stroke = Stroke::new(thick, Theme::faded(colour, if lit { 1.0 } else { 0.8 }));
                let curve = egui::epaint::CubicBezierShape::from_points_stroke(
                    points,
                    false,
                    egui::Color32::TRANSPARENT,
                    stroke,
                );
                ui.painter().add(curve);
            }
            None => {
                let end = pos2(left + (right - left) * 0.3, start.y);
                let stroke = Stroke::new(thick, ctx.theme.faint);
                ui.painter().extend(Shape::dashed_line(&[start, end], stroke, 3.0, 3.0));
            }
        }
    }
}

/// The panel at the right: agreement, where they disagree, measured costs, fairness.
pub fn side(ui: &mut Ui, ctx: &Context<'_>) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(-6.0);
        let pair = ctx.compare.slots.get(..2).and_then(|pair| agreement(ctx, &pair[0], &pair[1]));
        match pair {
            Some(pair) => agreed(ui, ctx, pair),
            None => {
                section(ui, "Agreement in the original space");
                widgets::dim(ui, why_no_agreement(ctx));
            }
        }
        costs(ui, ctx);
        fairness(ui, ctx);
        ui.add_space(16.0);
    });
}

fn agreement<'a>(ctx: &'a Context<'_>, a: &ModelId, b: &ModelId) -> Option<&'a Agreement> {
    let same = |pair: &&std::sync::Arc<Agreement>| (&pair.a, &pair.b) == (a, b) || (&pair.a, &pair.b) == (b, a);
    ctx.compare.agreements.iter().find(same).map(|pair| &**pair)
}

fn why_no_agreement(ctx: &Context<'_>) -> &'static str {
    let sets: Vec<_> = ctx.compare.slots.iter().take(2).filter_map(|id| ctx.model(id)?.set.as_ref()).collect();
    match sets.as_slice() {
        [a, b] if a.rows.iter().all(|&row| b.position_of(row).is_none()) => {
            "These two models read different kinds of items, so there is nothing both have embedded. Choose two that read the same."
        }
        [_, _] => "Measuring…",
        _ => "Embed the corpus with two models that read the same kind of items.",
    }
}

fn agreed(ui: &mut Ui, ctx: &Context<'_>, pair: &Agreement) {
    section(ui, "Agreement in the original space");
    ui.label(RichText::new(format!("{:.2}", pair.mean_overlap)).font(theme::figure_font()));
    widgets::dim(ui, format!("mean overlap of {} neighbours, over {}", pair.k, plural(pair.rows.len(), "chunk")));
    histogram(ui, ctx, pair);
    widgets::dim(ui, format!("Random vectors would share {:.3}.", pair.random_overlap));
    ui.add_space(4.0);
    fact(ui, "CKA", format!("{:.2}", pair.cka)).on_hover_text("1 when one space is a rotation of the other");
    fact(ui, "Procrustes", format!("{:.2}", pair.procrustes))
        .on_hover_text("0 when one space is a rotation of the other");
    if link(ui, "Colour the maps by agreement").clicked() {
        ctx.send(Command::ColourBy(Column::Agreement));
    }
    disagree(ui, ctx, pair);
}

fn histogram(ui: &mut Ui, ctx: &Context<'_>, pair: &Agreement) {
    let bins = pair.k + 1;
    let mut counts = vec![0usize; bins];
    // At most 20,000 rows are counted in a frame; more would not change the picture.
    let step = (pair.overlap.len() / 20_000).max(1);
    for share in pair.overlap.iter().step_by(step) {
        counts[((share * pair.k as f32).round() as usize).min(pair.k)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1) as f32;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 84.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "Histogram of neighbour overlap"));
    let width = rect.width() / bins as f32;
    for (place, &count) in counts.iter().enumerate() {
        let height = (rect.height() - 2.0) * count as f32 / most;
        let left = rect.left() + width * place as f32;
        let bar = egui::Rect::from_min_max(
            pos2(left + 1.5, rect.bottom() - height.max(1.0)),
            pos2(left + width - 1.5, rect.bottom()),
        );
        ui.painter().rect_filled(
            bar,
            egui::CornerRadius { nw: 2, ne: 2, sw: 0, se: 0 },
            Theme::faded(ctx.theme.accent, 0.8),
        );
    }
    if let Some(at) = response.hover_pos() {
        let place = (((at.x - rect.left()) / width) as usize).min(pair.k);
        let words = format!("{} share {place} of {} neighbours", plural(counts[place] * step, "chunk"), pair.k);
        response.show_tooltip_text(words);
    }
}

fn disagree(ui: &mut Ui, ctx: &Context<'_>, pair: &Agreement) {
    let Some(corpus) = ctx.corpus else { return };
    section(ui, "Where they disagree most");
    let mut by_label = std::collections::BTreeMap::<&str, (usize, f32)>::new();
    let step = (pair.rows.len() / 20_000).max(1);
    for (row, overlap) in pair.rows.iter().zip(pair.overlap.iter()).step_by(step) {
        if row.index() >= corpus.chunks.len() {
            continue;
        }
        let entry = by_label.entry(corpus.item_of(*row).label.as_str()).or_default();
        entry.0 += 1;
        entry.1 += overlap;
    }
    let mut labels: Vec<_> =
        by_label.into_iter().map(|(label, (count, sum))| (label, count, sum / count as f32)).collect();
    labels.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(b.0)));
    for (label, count, mean) in labels.into_iter().filter(|label| label.1 >= 3).take(5) {
        let row = widgets::Row::new(label, format!("{mean:.2}")).show(ui);
        let words = format!(
            "{} in this folder, mean overlap {mean:.2}. Click selects those that share at most one neighbour",
            count * step
        );
        if row.on_hover_text(words).clicked() {
            let low = pair.rows.iter().zip(pair.overlap.iter()).filter(|(_, share)| **share * pair.k as f32 <= 1.01);
            let rows = low.map(|(row, _)| *row).filter(|row| corpus.item_of(*row).label == label).collect();
            ctx.send(Command::Select(rows, SelectMode::Replace));
        }
    }
}

fn costs(ui: &mut Ui, ctx: &Context<'_>) {
    let models: Vec<&ModelState> = ctx.compare.slots.iter().filter_map(|id| ctx.model(id)).collect();
    if models.is_empty() {
        return;
    }
    section(ui, "Measured on this computer");
    type Cell<'a> = Box<dyn Fn(&ModelState) -> String + 'a>;
    let cached = |model: &ModelState, value: String| {
        let all_cached = model.set.as_ref().is_some_and(|set| set.cached == set.rows.len());
        if all_cached { "from cache".to_owned() } else { value }
    };
    let rows: [(&str, Cell<'_>); 7] = [
        ("Dimensions", Box::new(|model| thousands(model.card.dimensions as u64))),
        (
            "Context, tokens",
            Box::new(|model| model.card.context_tokens.map_or("no limit".into(), |n| thousands(n as u64))),
        ),
        ("Chunks", Box::new(|model| model.set.as_ref().map_or("–".into(), |set| thousands(set.rows.len() as u64)))),
        (
            "Chunks a second",
            Box::new(move |model| {
                let rate = model.set.as_ref().and_then(|set| set.rows_per_second());
                cached(model, rate.map_or("–".into(), |rate| thousands(rate.round() as u64)))
            }),
        ),
        (
            "Seconds to embed",
            Box::new(move |model| {
                cached(model, model.set.as_ref().map_or("–".into(), |set| format!("{:.1}", set.seconds)))
            }),
        ),
        ("Size of weights", Box::new(|model| widgets::bytes(model.card.size_bytes))),
        ("Size of vectors", Box::new(|model| model.set.as_ref().map_or("–".into(), |set| widgets::bytes(set.bytes())))),
    ];
    let width = ui.available_width();
    let cell = (width * 0.62 / models.len() as f32).min(84.0);
    let line = |ui: &mut Ui, name: &str, values: Vec<(String, egui::Color32)>| {
        let (rect, _) = ui.allocate_exact_size(vec2(width, 25.0), Sense::hover());
        let room = width - cell * models.len() as f32;
        clipped_text(ui, rect.left_center(), room, name, (theme::secondary(), ctx.theme.text));
        for (place, (value, colour)) in values.into_iter().enumerate() {
            let right = rect.right() - cell * (models.len() - 1 - place) as f32;
            number_at(ui, pos2(right, rect.center().y), &value, (theme::secondary(), colour));
        }
        ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, Theme::faded(ctx.theme.line, 0.6)));
    };
    ui.spacing_mut().item_spacing.y = 0.0;
    line(ui, "", models.iter().map(|model| (model.card.name.chars().take(12).collect(), ctx.theme.dim)).collect());
    for (name, value) in &rows {
        line(ui, name, models.iter().map(|model| (value(model), ctx.theme.text)).collect());
    }
}

fn fairness(ui: &mut Ui, ctx: &Context<'_>) {
    let cut: Vec<(&ModelState, usize)> = ctx
        .compare
        .slots
        .iter()
        .filter_map(|id| ctx.model(id))
        .filter_map(|model| Some((model, model.set.as_ref()?.cut.iter().filter(|&&cut| cut > 0).count())))
        .filter(|(_, cut)| *cut > 0)
        .collect();
    ui.spacing_mut().item_spacing.y = 4.0;
    section(ui, "Fair comparison");
    if cut.is_empty() {
        widgets::dim(ui, "No text was cut by any of these models.");
        return;
    }
    for (model, count) in cut {
        let limit = model.card.context_tokens.unwrap_or_default();
        let words = format!("{} cut at {limit} tokens by {}.", plural(count, "text"), model.card.name);
        ui.label(RichText::new(words).font(theme::secondary()).color(ctx.theme.warn));
    }
    if link(ui, "Cut the corpus into smaller chunks").clicked() {
        ctx.send(Command::Toggle(Dialog::LoadOptions));
    }
}
