//! Small parts used by many panes: titles, links, chips, rows, score bars, numbers.
//!
//! Every part that can be clicked has an accessible name.

use eframe::egui::{
    self, Align, Align2, CornerRadius, FontId, Label, Layout, Response, RichText, Role, Sense, Stroke, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::theme::{self, Theme};

/// `1234567` as "1,234,567".
pub fn thousands(value: u64) -> String {
    crate::picture::grouped(value as usize)
}

/// Bytes in the largest unit that leaves a number of at least 1.
pub fn bytes(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} B"),
        1_000..1_000_000 => format!("{:.0} kB", value as f64 / 1e3),
        1_000_000..10_000_000_000 => format!("{:.0} MB", value as f64 / 1e6),
        _ => format!("{:.1} GB", value as f64 / 1e9),
    }
}

/// Seconds in words: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min".
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// "1 item", "3 items".
pub fn plural(count: usize, one: &str) -> String {
    let word = if count == 1 { one.to_owned() } else { format!("{one}s") };
    format!("{} {word}", thousands(count as u64))
}

/// A section's title, with the space above it.
pub fn section(ui: &mut Ui, title: &str) -> Response {
    let theme = Theme::of(ui.ctx());
    ui.add_space(16.0);
    let label = ui.label(RichText::new(title).font(theme::section_font()).color(theme.faint));
    ui.add_space(2.0);
    label
}

/// A heading between the entries of a menu or list.
pub fn menu_title(ui: &mut Ui, title: &str) {
    let theme = Theme::of(ui.ctx());
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        // In line with the words of the entries.
        ui.add_space(ui.spacing().button_padding.x);
        ui.label(RichText::new(title).font(theme::section_font()).color(theme.faint));
    });
}

/// A line of the second level.
pub fn dim(ui: &mut Ui, text: impl Into<String>) -> Response {
    let colour = Theme::of(ui.ctx()).dim;
    ui.add(Label::new(RichText::new(text).font(theme::secondary()).color(colour)).wrap())
}

/// A line of the third level: explanations under sliders.
pub fn faint(ui: &mut Ui, text: impl Into<String>) -> Response {
    let colour = Theme::of(ui.ctx()).faint;
    ui.add(Label::new(RichText::new(text).font(theme::secondary()).color(colour)).wrap())
}

/// Something to click that reads like text.
pub fn link(ui: &mut Ui, text: &str) -> Response {
    let colour = Theme::of(ui.ctx()).accent;
    coloured_link(ui, text, colour)
}

/// A link in another colour: warnings.
pub fn coloured_link(ui: &mut Ui, text: &str, colour: egui::Color32) -> Response {
    let label = Label::new(RichText::new(text).color(colour)).sense(Sense::click());
    let response = ui.add(label).on_hover_cursor(egui::CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Link, true, text));
    if response.hovered() || response.has_focus() {
        let line = response.rect.bottom();
        ui.painter().hline(response.rect.x_range(), line, Stroke::new(1.0, colour));
    }
    response
}

/// Gives a text field its accessible name, beside what is typed in it.
pub fn name_field(response: &Response, name: &str, typed: &str) {
    response.widget_info(|| WidgetInfo {
        label: Some(name.to_owned()),
        ..WidgetInfo::text_edit(response.enabled(), typed, typed, "")
    });
}

/// A small choice among others; the chosen one is filled.
pub fn chip(ui: &mut Ui, text: &str, chosen: bool) -> Response {
    let theme = Theme::of(ui.ctx());
    let font = theme::secondary();
    let colour = if chosen { theme.accent } else { theme.dim };
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(16.0, 8.0), Sense::click());
    let fill = if chosen {
        theme.accent_fill
    } else if response.hovered() {
        theme.line
    } else {
        theme.raised
    };
    ui.painter().rect_filled(rect, CornerRadius::same(6), fill);
    if response.has_focus() {
        ui.painter().rect_stroke(rect, CornerRadius::same(6), Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
    }
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, colour);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, text));
    response
}

/// A button of the accent colour: the one next step of an empty state.
pub fn primary_button(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui.ctx());
    let text = RichText::new(text).color(theme.on_accent);
    ui.add(egui::Button::new(text).fill(theme.accent).min_size(vec2(0.0, 30.0)))
}

/// A one-line row that can be clicked over its whole width: text at the left, a number at the right.
pub struct Row<'a> {
    /// The text.
    pub text: &'a str,
    /// What stands at the right end.
    pub right: String,
    /// Points of indentation.
    pub indent: f32,
    /// Whether it is drawn as chosen.
    pub chosen: bool,
    /// Whether it is of the second level.
    pub dim: bool,
    /// Whether what stands at the right is news: in the accent colour.
    pub news: bool,
    /// A dot before the text: its colour, and whether it is only a ring.
    pub dot: Option<(egui::Color32, bool)>,
}

impl<'a> Row<'a> {
    /// A plain row.
    pub fn new(text: &'a str, right: impl Into<String>) -> Self {
        Self { text, right: right.into(), indent: 0.0, chosen: false, dim: false, news: false, dot: None }
    }

    /// Paints it, 26 points high.
    pub fn show(self, ui: &mut Ui) -> Response {
        let theme = Theme::of(ui.ctx());
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::click());
        response.widget_info(|| {
            WidgetInfo::selected(Role::Button, true, self.chosen, format!("{} {}", self.text, self.right))
        });
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let fill = if self.chosen {
            Some(theme.accent_fill)
        } else if response.hovered() || response.has_focus() {
            Some(theme.raised)
        } else {
            None
        };
        if let Some(fill) = fill {
            ui.painter().rect_filled(rect.expand2(vec2(6.0, 0.0)), CornerRadius::same(6), fill);
        }
        let mut left = rect.left() + self.indent;
        if let Some((colour, ring)) = self.dot {
            let centre = pos2(left + 4.0, rect.center().y);
            if ring {
                ui.painter().circle_stroke(centre, 3.5, Stroke::new(1.2, theme.faint));
            } else {
                ui.painter().circle_filled(centre, 4.0, colour);
            }
            left += 16.0;
        }
        let colour = if self.dim { theme.dim } else { theme.text };
        let right_colour = if self.news { theme.accent } else { theme.dim };
        let right = ui.painter().layout_no_wrap(self.right, theme::secondary(), right_colour);
        let room = rect.right() - left - right.size().x - 8.0;
        clipped_text(ui, pos2(left, rect.center().y), room, self.text, (FontId::proportional(13.0), colour));
        ui.painter().galley(
            pos2(rect.right() - right.size().x, rect.center().y - right.size().y / 2.0),
            right,
            right_colour,
        );
        response
    }
}

/// One line of text, vertically centred on `at`, cut with an ellipsis to `width`; gives its width.
pub fn clipped_text(ui: &Ui, at: egui::Pos2, width: f32, text: &str, look: (FontId, egui::Color32)) -> f32 {
    let (font, colour) = look;
    // Only what can be seen is laid out: a megabyte on one line must not cost a frame.
    let start: String = text.chars().take(600).collect();
    let seen = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut job = egui::text::LayoutJob::simple_singleline(seen, font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(8.0));
    let galley = ui.painter().layout_job(job);
    let size = galley.size();
    ui.painter().galley(pos2(at.x, at.y - size.y / 2.0), galley, colour);
    size.x
}

/// The same, ending at a place: for a cell of a column of numbers.
pub fn clipped_right(ui: &Ui, right: egui::Pos2, width: f32, text: &str, look: (FontId, egui::Color32)) {
    let (font, colour) = look;
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(8.0));
    let galley = ui.painter().layout_job(job);
    let size = galley.size();
    ui.painter().galley(pos2(right.x - size.x, right.y - size.y / 2.0), galley, colour);
}

/// A bar of a score between 0 and 1.
pub fn score_bar(ui: &Ui, at: egui::Pos2, width: f32, share: f32) {
    let theme = Theme::of(ui.ctx());
    let rect = egui::Rect::from_min_size(pos2(at.x, at.y - 3.0), vec2(width, 6.0));
    ui.painter().rect_filled(rect, CornerRadius::same(3), theme.raised);
    let filled = egui::Rect::from_min_size(rect.min, vec2(width * share.clamp(0.0, 1.0), 6.0));
    ui.painter().rect_filled(filled, CornerRadius::same(3), theme.accent);
}

/// Words with a capital letter at their start and a full stop at their end.
pub fn sentence(words: &str) -> String {
    let mut letters = words.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

/// A right-aligned number in a cell that ends at `right`.
pub fn number_at(ui: &Ui, right: egui::Pos2, text: &str, look: (FontId, egui::Color32)) {
    ui.painter().text(right, Align2::RIGHT_CENTER, text, look.0, look.1);
}

/// A line with a name at the left and a value in text colour beside it, for short facts.
pub fn fact(ui: &mut Ui, name: &str, value: impl Into<String>) -> Response {
    let theme = Theme::of(ui.ctx());
    ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(86.0, 15.0), Sense::hover());
        ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, name, theme::secondary(), theme.dim);
        ui.add(Label::new(RichText::new(value).font(theme::secondary())).wrap().selectable(true))
    })
    .inner
}

/// A one-pixel line across.
pub fn separator(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, theme.line));
}

/// What a pane shows when there is nothing to show: what it is, why it is empty, the next step.
pub fn empty_state(ui: &mut Ui, title: &str, words: &str, next: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui.ctx());
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() / 2.0 - 70.0).max(16.0));
        ui.label(RichText::new(title).font(theme::title_font()).color(theme.text));
        ui.add_space(4.0);
        ui.allocate_ui(Vec2::new(ui.available_width().min(380.0), 0.0), |ui| {
            ui.vertical_centered(|ui| dim(ui, words));
        });
        ui.add_space(12.0);
        next(ui);
    });
}

/// A floating card's frame.
pub fn card(theme: &Theme) -> egui::Frame {
    egui::Frame::new()
        .fill(theme.panel)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(CornerRadius::same(9))
        .inner_margin(egui::Margin::symmetric(12, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([12, 45_000, 12_000_000].map(bytes), ["12 B", "45 kB", "12 MB"]);
        assert_eq!([0.42, 12.4, 185.0, 7800.0].map(duration), ["0.4 s", "12 s", "3 min 5 s", "2 h 10 min"]);
        assert_eq!(plural(1, "item"), "1 item");
        assert_eq!(plural(2500, "item"), "2,500 items");
    }
}
