//! The panel's small curves.

use eframe::egui::{FontId, Rangef, TextStyle, Ui};

use crate::ui::theme::Theme;
use crate::ui::widgets;

/// The variance that the first components hold together.
pub(super) fn variance_plot(ui: &mut Ui, ratios: &[f32]) {
    if ratios.len() < 3 {
        return;
    }
    let mut sum = 0.0;
    let points: Vec<[f64; 2]> = ratios
        .iter()
        .enumerate()
        .map(|(place, &share)| {
            sum += f64::from(share) * 100.0;
            [place as f64 + 1.0, sum]
        })
        .collect();
    widgets::dim(ui, "Variance held by components, %");
    curve(ui, "variance", points, Some(100.0));
}

/// The divergence as t-SNE ran.
pub(super) fn kl_plot(ui: &mut Ui, kl: &[(u32, f32)]) {
    if kl.len() < 3 {
        return;
    }
    let points = kl.iter().map(|&(iteration, value)| [f64::from(iteration), f64::from(value)]).collect();
    widgets::dim(ui, "KL divergence by iteration")
        .on_hover_text("How badly the map keeps the neighbourhoods; lower is better");
    curve(ui, "kl", points, None);
}

/// A curve without tools; with `whole` its axis goes from 0 to there.
fn curve(ui: &mut Ui, id: &str, points: Vec<[f64; 2]>, whole: Option<f64>) {
    let theme = Theme::of(ui.ctx());
    let step = step(points.last().map_or(1.0, |last| last[0]));
    let along = egui_plot::uniform_grid_spacer(move |_| [step, step, step]);
    // In a panel this narrow the toolkit's own distance would leave no number out of three.
    let numbers = egui_plot::AxisHints::new_x().label_spacing(Rangef::new(20.0, 30.0));
    let mut plot = egui_plot::Plot::new(id).include_x(0.0).x_grid_spacer(along).custom_x_axes(vec![numbers]);
    if let Some(whole) = whole {
        let steps = egui_plot::uniform_grid_spacer(move |_| [whole, whole / 2.0, whole / 4.0]);
        plot = plot.include_y(0.0).include_y(whole).y_grid_spacer(steps);
    }
    let plot = plot
        .height(92.0)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_background(false)
        .show_grid([false, true])
        .y_axis_min_width(24.0);
    ui.scope(|ui| {
        // The numbers are less than the curve.
        ui.visuals_mut().override_text_color = Some(theme.dim);
        ui.style_mut().text_styles.insert(TextStyle::Body, FontId::proportional(11.0));
        plot.show(ui, |plot| plot.line(egui_plot::Line::new(id, points).color(theme.accent).width(1.5)));
    });
}

/// Between the numbers along an axis that ends at `last`: 1, 2 or 5 times a power of ten, for three to six of them.
fn step(last: f64) -> f64 {
    let about = (last / 3.0).max(1.0);
    let power = 10f64.powf(about.log10().floor());
    [5.0, 2.0].into_iter().map(|digit| digit * power).find(|step| *step <= about).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_a_few_round_numbers() {
        for (last, expected) in [(64.0, 20.0), (750.0, 200.0), (8.0, 2.0), (3.0, 1.0), (2000.0, 500.0), (1.0, 1.0)] {
            assert_eq!(step(last), expected, "{last}");
        }
    }
}
