//! The panel's sliders: name and value above a rail over the whole width.

use eframe::egui::{self, Slider, Ui};

use crate::ui::theme::Theme;
use crate::ui::widgets;

/// What a slider goes through.
pub struct Range {
    pub min: f32,
    pub max: f32,
    /// Whether equal ways are equal factors.
    pub log: bool,
    /// Smallest step; 0 for none.
    pub step: f32,
    pub decimals: usize,
}

impl Range {
    /// From least to greatest, shown with so many decimals.
    pub fn new(min: f32, max: f32, decimals: usize) -> Self {
        Self { min, max, log: false, step: 0.0, decimals }
    }

    /// Where a value lies between the ends, 0 to 1.
    fn share(&self, value: f32) -> f32 {
        let by = |x: f32| if self.log { x.max(1e-6).ln() } else { x };
        ((by(value) - by(self.min)) / (by(self.max) - by(self.min))).clamp(0.0, 1.0)
    }

    /// The value at a place between the ends, by steps and decimals.
    fn at(&self, share: f32) -> f32 {
        let share = f64::from(share.clamp(0.0, 1.0));
        let (min, max) = (f64::from(self.min), f64::from(self.max));
        let value = if self.log { min * (max / min).powf(share) } else { min + (max - min) * share };
        let unit = if self.step > 0.0 { f64::from(self.step) } else { 0.1f64.powi(self.decimals as i32) };
        let from = if self.step > 0.0 { min } else { 0.0 };
        (from + ((value - from) / unit).round() * unit).clamp(min, max) as f32
    }
}

/// A slider over the whole width with its name at the left and its value at the right above it; true when moved.
pub fn slider(ui: &mut Ui, name: &str, value: &mut f32, range: &Range) -> bool {
    let decimals = range.decimals;
    ui.add_space(4.0);
    let label = ui
        .horizontal(|ui| {
            let label = ui.label(name);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                widgets::dim(ui, format!("{value:.decimals$}"));
            });
            label
        })
        .inner;
    rail(ui, value, range, |response| response.labelled_by(label.id)).changed()
}

/// The rail alone, over the whole width, named by `named`.
pub fn rail(
    ui: &mut Ui,
    value: &mut f32,
    range: &Range,
    named: impl FnOnce(egui::Response) -> egui::Response,
) -> egui::Response {
    let theme = Theme::of(ui.ctx());
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = ui.available_width();
        ui.spacing_mut().interact_size.y = 16.0;
        ui.visuals_mut().selection.bg_fill = theme.accent;
        let slider = Slider::new(value, range.min..=range.max).show_value(false).logarithmic(range.log);
        let slider = slider.step_by(range.step.into()).fixed_decimals(range.decimals);
        let mut response = named(ui.add(slider));
        // The toolkit's handle has the colour of the rail; ours is a disc in the colour of text.
        let radius = response.rect.height() / 2.5;
        let ends = response.rect.x_range().shrink(radius);
        if let Some(at) = tapped(ui, &response) {
            let found = range.at((at - ends.min) / ends.span().max(1.0));
            if found != *value {
                *value = found;
                response.mark_changed();
            }
        }
        let centre = egui::pos2(egui::lerp(ends.min..=ends.max, range.share(*value)), response.rect.center().y);
        ui.painter().circle_filled(centre, 6.5, theme.text);
        if response.has_focus() {
            ui.painter().circle_stroke(centre, 8.5, egui::Stroke::new(1.5, theme.accent));
        }
        response
    })
    .inner
}

/// Where a tap fell that began and ended within one frame: the toolkit's slider, which looks for a button that is held, misses it.
fn tapped(ui: &Ui, response: &egui::Response) -> Option<f32> {
    let tap = ui.input(|input| {
        let pointer = &input.pointer;
        (pointer.primary_pressed() && pointer.primary_released()).then(|| pointer.interact_pos()).flatten()
    });
    tap.filter(|_| response.enabled() && response.contains_pointer()).map(|at| at.x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_rail_and_its_value_agree() {
        let plain = Range { step: 50.0, ..Range::new(250.0, 2000.0, 0) };
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|share| plain.at(share)), [250.0, 1150.0, 2000.0, 2000.0]);
        let log = Range { log: true, step: 1.0, ..Range::new(3.0, 300.0, 0) };
        assert_eq!(log.at(0.5), 30.0);
        let fine = Range::new(0.0, 0.99, 2);
        assert_eq!((fine.at(1.0 / 3.0), fine.at(-1.0)), (0.33, 0.0));
        for value in [0.0, 0.25, 0.99] {
            assert!((fine.at(fine.share(value)) - value).abs() < 1e-6);
        }
    }
}
