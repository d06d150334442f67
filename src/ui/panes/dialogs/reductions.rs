//! What fewer dimensions of the shown model's vectors cost: a table that a person can decide by, and a set made of what was decided.

use eframe::egui::{self, Align, Grid, Layout, RichText, ScrollArea, Ui, WidgetText};

use crate::projection::{Reduction, ReductionCost};
use crate::ui::command::Command;
use crate::ui::context::{Context, ModelState};
use crate::ui::state::WindowState;
use crate::ui::theme;
use crate::ui::widgets::{self, dim, faint, thousands};

/// Of the ways that keep at least this share of the neighbours, PCA to the fewest dimensions is chosen until another is.
const ENOUGH: f32 = 0.9;

/// Paints it.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    let Some((model, set)) = ctx.shown_model().and_then(|model| Some((model, model.set.as_ref()?))) else {
        dim(ui, "Embed something first.");
        return;
    };
    let whole = model.card.dimensions;
    dim(ui, format!("{}: {whole} dimensions, {} bytes a vector.", model.card.name, thousands(4 * whole as u64)));
    let measured = model.map.reductions.as_ref().is_some_and(|costs| !costs.is_empty());
    let choose = if measured { " Click a share to choose that way." } else { "" };
    let about =
        "Of the 10 nearest neighbours with all dimensions, the share that is still among the 10 nearest with fewer.";
    faint(ui, format!("{about}{choose}"));
    ui.add_space(8.0);
    let Some(costs) = &model.map.reductions else {
        let running = ctx.jobs.iter().any(|job| job.lane == format!("reductions {}", model.card.id));
        if running {
            dim(ui, "Measuring…");
        } else if widgets::primary_button(ui, &format!("Measure {}", widgets::plural(set.rows.len(), "vector")))
            .clicked()
        {
            ctx.send(Command::MeasureReductions(model.card.id.clone()));
        }
        return;
    };
    if costs.is_empty() {
        dim(ui, "It has no more than 8 dimensions: fewer are not worth asking for.");
        return;
    }
    let known = state.reduction.as_ref().filter(|(of, _)| *of == model.card.id).map(|&(_, way)| way);
    let mut chosen = known.unwrap_or_else(|| proposed(costs));
    ScrollArea::vertical().max_height(260.0).show(ui, |ui| table(ui, ctx, costs, &mut chosen));
    state.reduction = Some((model.card.id.clone(), chosen));
    ui.add_space(8.0);
    faint(
        ui,
        "PCA turns the vectors so that the first directions hold most; it must be fitted and kept. First dimensions lose little only for \
        models trained for it (Matryoshka). Random directions need no fitting at all.",
    );
    ui.add_space(10.0);
    if let Some(cost) = costs.iter().find(|cost| cost.reduction == chosen) {
        make(ui, ctx, model, cost);
    }
}

/// What is chosen to begin with.
fn proposed(costs: &[ReductionCost]) -> Reduction {
    let pca = || costs.iter().filter(|cost| matches!(cost.reduction, Reduction::Pca { .. }));
    let enough = pca().filter(|cost| cost.kept >= ENOUGH).min_by_key(|cost| cost.bytes);
    enough.or(pca().max_by_key(|cost| cost.bytes)).map_or(Reduction::Pca { k: 1 }, |cost| cost.reduction)
}

/// What the chosen way gives, and the button that does it.
fn make(ui: &mut Ui, ctx: &Context<'_>, model: &ModelState, cost: &ReductionCost) {
    let way = cost.reduction;
    let id = model.card.id.shortened(&way.spelled());
    let there = ctx.model(&id).is_some_and(|made| made.set.is_some());
    ui.horizontal(|ui| {
        let word = if there { "Show its map" } else { "Make this a set of its own" };
        let about = "It stands among the models, with a map, neighbours and search of its own; questions are embedded by the same model \
            and made as short.";
        let running = ctx.jobs.iter().any(|job| job.lane == format!("shorten {}", model.card.id));
        let button = ui.add_enabled_ui(!running, |ui| widgets::primary_button(ui, word)).inner.on_hover_text(about);
        if button.clicked() {
            ctx.send(if there { Command::ShowMap(id) } else { Command::Shorten(model.card.id.clone(), way) });
        }
        ui.add_space(4.0);
        let by = match way {
            Reduction::Pca { k } => format!("{k} dimensions by PCA"),
            Reduction::Truncate { k } => format!("The first {k} dimensions"),
            Reduction::Random { k, .. } => format!("{k} random directions"),
        };
        let bytes = thousands(cost.bytes as u64);
        dim(ui, format!("{by}: {:.0} % of the neighbours kept, {bytes} bytes a vector", cost.kept * 100.0));
    });
}

fn table(ui: &mut Ui, ctx: &Context<'_>, costs: &[ReductionCost], chosen: &mut Reduction) {
    let mut ks: Vec<usize> = costs.iter().map(|cost| cost.reduction.k()).collect();
    ks.sort_unstable();
    ks.dedup();
    let of = |k: usize, like: fn(&Reduction) -> bool| {
        costs.iter().find(|cost| cost.reduction.k() == k && like(&cost.reduction))
    };
    Grid::new("reductions").num_columns(6).spacing([22.0, 5.0]).show(ui, |ui| {
        for head in ["Dimensions", "Bytes", "PCA", "First ones", "Random", "Variance by PCA"] {
            number(ui, RichText::new(head).font(theme::secondary()).color(ctx.theme.dim));
        }
        ui.end_row();
        for k in ks {
            let pca = of(k, |way| matches!(way, Reduction::Pca { .. }));
            let first = of(k, |way| matches!(way, Reduction::Truncate { .. }));
            let random = of(k, |way| matches!(way, Reduction::Random { .. }));
            number(ui, thousands(k as u64));
            number(ui, thousands(4 * k as u64));
            for cost in [pca, first, random] {
                cell(ui, cost, chosen);
            }
            let held = pca.and_then(|cost| cost.explained);
            number(ui, held.map_or_else(String::new, |held| format!("{:.0} %", held * 100.0)));
            ui.end_row();
        }
    });
}

/// The share that a way keeps; a click chooses it.
fn cell(ui: &mut Ui, cost: Option<&ReductionCost>, chosen: &mut Reduction) {
    let Some(cost) = cost else { return number(ui, "") };
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let taken = *chosen == cost.reduction;
        let share = format!("{:.0} %", cost.kept * 100.0);
        let response = ui.selectable_label(taken, &share);
        let name = format!("{} keeps {share}", cost.reduction.spelled());
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::RadioButton, true, taken, &name));
        if response.clicked() {
            *chosen = cost.reduction;
        }
    });
}

/// A cell of a column of numbers, which end below one another.
fn number(ui: &mut Ui, text: impl Into<WidgetText>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
}
