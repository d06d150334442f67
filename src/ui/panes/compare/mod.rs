//! Compare: maps side by side, and the same query answered by each model.

mod costs;
mod fair;
mod side;

use eframe::egui::{self, ComboBox, RichText, ScrollArea, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::query;
use crate::corpus::Modality;
use crate::projection::TsneEngine;
use crate::ui::command::Command;
use crate::ui::context::{Context, MapChoice, ModelState};
use crate::ui::panes::left::METHODS;
use crate::ui::precisions;
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::tiles::{header, padded};
use crate::ui::widgets::{self, chip, clipped_text, thousands};
use crate::workspace::{Answer, AnswerGroup};
pub use side::show as side;

/// The map in one place, with its model and method to choose.
pub fn map(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, place: usize) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let Some(model) = ctx.compare.slots.get(place).and_then(|id| ctx.model(id)) else {
        nothing(ui, ctx);
        return;
    };
    header(ui, &ctx.theme, 34.0, |ui| {
        let (dot, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, ctx.theme.model_colour(model.colour));
        choose(ui, ctx, place, model);
        maps_of(ui, ctx, place, model);
        if let Some(live) = model.map.live.filter(|live| live.engine == TsneEngine::Embedlens) {
            let word = if live.paused { "Resume" } else { "Pause" };
            if chip(ui, word, true).clicked() {
                ctx.send(Command::PauseJob(live.job, !live.paused));
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if place >= 2 {
                let out = chip(ui, "×", false).on_hover_text("Take this map out");
                let name = format!("Take map {} out", place + 1);
                out.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if out.clicked() {
                    ctx.send(Command::CompareLess(place));
                }
            }
            let can_add = ctx.compare.slots.len() < 4;
            if place + 1 == ctx.compare.slots.len() && can_add && chip(ui, "+ Map", false).clicked() {
                ctx.send(Command::CompareMore);
            }
            facts(ui, ctx, model, ctx.compare.choice(place));
        });
    });
    super::map_pane::show(ui, ctx, state, model, (&format!("compare {place}"), ctx.compare.choice(place)));
}

/// A place without a model: what could stand there.
fn nothing(ui: &mut Ui, ctx: &Context<'_>) {
    let Some(first) = ctx.compare.slots.first().and_then(|id| ctx.model(id)).filter(|model| model.set.is_some()) else {
        widgets::empty_state(ui, "No model", "Embed the corpus with two models to compare them.", |_| {});
        return;
    };
    let name = &first.card.name;
    let others = match first.card.is_of_file() {
        true => "To compare models, open files of vectors of the same rows together.",
        false => "To compare models, embed the corpus with another one in Explore.",
    };
    let words = format!("Two maps of {name} can stand side by side, each by a method of its own. {others}");
    widgets::empty_state(ui, "Room for another map", &words, |ui| {
        if widgets::primary_button(ui, "Another map of it").clicked() {
            ctx.send(Command::CompareMore);
        }
    });
}

/// Chips for each method, and for each map that was kept: of the same model, two places can show two of them.
fn maps_of(ui: &mut Ui, ctx: &Context<'_>, place: usize, model: &ModelState) {
    let choice = ctx.compare.choice(place);
    for (method, words) in METHODS {
        let shown = choice == MapChoice::Shown && model.map.method == Some(method);
        let chosen = shown || choice == MapChoice::Of(method);
        let chip = chip(ui, method.name(), chosen).on_hover_text(words);
        let name = format!("{} of map {}", method.name(), place + 1);
        chip.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &name));
        if chip.clicked() {
            ctx.send(Command::CompareMap(place, MapChoice::Of(method)));
        }
    }
    for kept in &model.map.kept {
        let chosen = choice == MapChoice::Kept(kept.number);
        let chip = chip(ui, &format!("Kept {}", kept.number), chosen).on_hover_text(&kept.name);
        let name = format!("Kept map {} as map {}", kept.number, place + 1);
        chip.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &name));
        if chip.clicked() {
            ctx.send(Command::CompareMap(place, MapChoice::Kept(kept.number)));
        }
    }
}

fn choose(ui: &mut Ui, ctx: &Context<'_>, place: usize, model: &ModelState) {
    let combo = ComboBox::from_id_salt(("compare model", place)).selected_text(&model.card.name).show_ui(ui, |ui| {
        for other in ctx.models.iter().filter(|other| other.set.is_some()) {
            let chosen = other.card.id == model.card.id;
            if ui.selectable_label(chosen, &other.card.name).clicked() {
                ctx.send(Command::CompareModel(place, other.card.id.clone()));
            }
        }
        let others = precisions::others(ctx);
        if !others.is_empty() {
            ui.separator();
            widgets::faint(ui, "Another precision");
        }
        for card in others {
            let hover = format!("{}\nEmbeds the corpus with it, and shows it here", precisions::sentence(&card));
            if ui.selectable_label(false, &card.name).on_hover_text(hover).clicked() {
                ctx.send(Command::Embed(card.id.clone()));
                ctx.send(Command::CompareModel(place, card.id));
            }
        }
    });
    combo.response.widget_info(|| {
        let name = format!("Model of map {}", place + 1);
        egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name)
    });
}

/// Dimensions and how far the map may be trusted, as much of it as there is room for.
fn facts(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState, choice: MapChoice) {
    let dimensions = format!("{} dimensions", thousands(model.card.dimensions as u64));
    let measured = match choice {
        MapChoice::Shown => model.map.quality(),
        other => model.map.projection(other).and_then(|projection| projection.quality),
    };
    let quality = measured.map(|quality| {
        let kept = quality.neighbours_kept * 100.0;
        (format!("trust {:.2}", quality.trustworthiness), format!("neighbours kept {kept:.0} %"))
    });
    let choices = match &quality {
        Some((trust, kept)) => {
            vec![format!("{dimensions} · {trust} · {kept}"), format!("{dimensions} · {trust}"), trust.clone()]
        }
        None => vec![dimensions],
    };
    let fits = |words: &&String| {
        let galley = ui.painter().layout_no_wrap((*words).clone(), theme::secondary(), ctx.theme.dim);
        galley.size().x + 8.0 < ui.available_width()
    };
    if let Some(words) = choices.iter().find(fits).cloned() {
        let label = ui.label(RichText::new(words).font(theme::secondary()).color(ctx.theme.dim));
        label.on_hover_text(choices.first().cloned().unwrap_or_default());
    }
}

/// The query field and one ranked list a model, with lines between the same items.
pub fn lists(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    padded(ui, |ui| {
        let modality = ctx.answer.and_then(|answer| asked_kind(ctx, state, answer));
        let of_model = |model: &ModelState| {
            let of = |group: &&AnswerGroup| group.model == model.card.id && Some(group.modality) == modality;
            ctx.answer.and_then(|answer| answer.groups.iter().find(of))
        };
        let models = ctx.compare.slots.iter().filter_map(|id| ctx.model(id));
        let groups: Vec<(&ModelState, Option<&AnswerGroup>)> = models.map(|model| (model, of_model(model))).collect();
        if let Some(first) = groups.iter().find_map(|(_, group)| *group) {
            query::keys(ui, ctx, state, first);
        }
        query::field(ui, ctx, state);
        ui.add_space(4.0);
        let Some(answer) = ctx.answer else {
            query::suggestions(ui, ctx, state);
            if query::unasked(ctx).is_none() {
                widgets::dim(ui, "Each model answers in a column of its own, with lines between the same items.");
            }
            return;
        };
        ui.horizontal(|ui| {
            for kind in kinds(ctx, answer) {
                if chip(ui, query::kind_name(kind), Some(kind) == modality).clicked() {
                    state.query_tab = Some(kind);
                }
            }
            if let [(_, Some(a)), (_, Some(b)), ..] = groups.as_slice() {
                widgets::dim(ui, in_common(a, b));
            }
        });
        ScrollArea::vertical().id_salt("compared hits").auto_shrink([false, false]).show(ui, |ui| {
            columns(ui, ctx, state, &groups);
        });
    });
}

/// The kinds of hits that any of the compared models found.
fn kinds(ctx: &Context<'_>, answer: &Answer) -> Vec<Modality> {
    let compared = |group: &&AnswerGroup| ctx.compare.slots.contains(&group.model);
    let found = |kind: &Modality| answer.groups.iter().filter(compared).any(|group| group.modality == *kind);
    Modality::ALL.into_iter().filter(found).collect()
}

/// The kind whose hits stand side by side: what the user chose, else the first there is.
fn asked_kind(ctx: &Context<'_>, state: &WindowState, answer: &Answer) -> Option<Modality> {
    let kinds = kinds(ctx, answer);
    state.query_tab.filter(|kind| kinds.contains(kind)).or(kinds.first().copied())
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
                if query::hit(ui, ctx, state, (rank, row, model.closeness(score))).clicked() {
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
