//! What fewer dimensions of the shown model's vectors cost: a table that a person can decide by.

use eframe::egui::{Align, Grid, Layout, RichText, ScrollArea, Ui, WidgetText};

use crate::projection::{Reduction, ReductionCost};
use crate::ui::command::Command;
use crate::ui::context::Context;
use crate::ui::theme;
use crate::ui::widgets::{self, dim, faint};

/// Paints it.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    let Some((model, set)) = ctx.shown_model().and_then(|model| Some((model, model.set.as_ref()?))) else {
        dim(ui, "Embed something first.");
        return;
    };
    let whole = model.card.dimensions;
    dim(ui, format!("{}: {whole} dimensions, {} bytes a vector.", model.card.name, 4 * whole));
    faint(
        ui,
        "Of the 10 nearest neighbours with all dimensions, the share that is still among the 10 nearest with fewer.",
    );
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
    ScrollArea::vertical().show(ui, |ui| table(ui, ctx, costs));
    ui.add_space(8.0);
    faint(
        ui,
        "PCA turns the vectors so that the first directions hold most; it must be fitted and kept. First dimensions lose little only for \
        models trained for it (Matryoshka). Random directions need no fitting at all.",
    );
}

fn table(ui: &mut Ui, ctx: &Context<'_>, costs: &[ReductionCost]) {
    let mut ks: Vec<usize> = costs.iter().map(|cost| cost.reduction.k()).collect();
    ks.sort_unstable();
    ks.dedup();
    let of = |k: usize, like: fn(&Reduction) -> bool| {
        costs.iter().find(|cost| cost.reduction.k() == k && like(&cost.reduction))
    };
    Grid::new("reductions").num_columns(6).spacing([22.0, 7.0]).striped(true).show(ui, |ui| {
        for head in ["Dimensions", "Bytes", "PCA", "First ones", "Random", "Variance by PCA"] {
            number(ui, RichText::new(head).font(theme::secondary()).color(ctx.theme.dim));
        }
        ui.end_row();
        for k in ks {
            let pca = of(k, |way| matches!(way, Reduction::Pca { .. }));
            let first = of(k, |way| matches!(way, Reduction::Truncate { .. }));
            let random = of(k, |way| matches!(way, Reduction::Random { .. }));
            number(ui, widgets::thousands(k as u64));
            number(ui, widgets::thousands(4 * k as u64));
            for cost in [pca, first, random] {
                number(ui, cost.map_or_else(String::new, |cost| format!("{:.0} %", cost.kept * 100.0)));
            }
            let held = pca.and_then(|cost| cost.explained);
            number(ui, held.map_or_else(String::new, |held| format!("{:.0} %", held * 100.0)));
            ui.end_row();
        }
    });
}

/// A cell of a column of numbers, which end below one another.
fn number(ui: &mut Ui, text: impl Into<WidgetText>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
}
