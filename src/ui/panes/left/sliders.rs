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
}

/// A slider over the whole width with its name at the left and its value at the right above it; true when moved.
pub fn slider(ui: &mut Ui, name: &str, value: &mut f32, range: &Range) -> bool {
    let theme = Theme::of(ui.ctx());
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
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = ui.available_width();
        ui.spacing_mut().interact_size.y = 16.0;
        ui.visuals_mut().selection.bg_fill = theme.accent;
        let slider = Slider::new(value, range.min..=range.max).show_value(false).logarithmic(range.log);
        let slider = slider.step_by(range.step.into()).fixed_decimals(decimals);
        let response = ui.add(slider).labelled_by(label.id);
        // The toolkit's handle has the colour of the rail; ours is a disc in the colour of text.
        let radius = response.rect.height() / 2.5;
        let ends = response.rect.x_range().shrink(radius);
        let centre = egui::pos2(egui::lerp(ends.min..=ends.max, range.share(*value)), response.rect.center().y);
        ui.painter().circle_filled(centre, 6.5, theme.text);
        if response.has_focus() {
            ui.painter().circle_stroke(centre, 8.5, egui::Stroke::new(1.5, theme.accent));
        }
        response.changed()
    })
    .inner
}
