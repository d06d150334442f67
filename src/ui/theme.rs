//! The look: every colour, font and distance of the window, in one place.
//!
//! Nothing else in the program makes a colour of its own. The values are those of the design's table of tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui::{
    self, Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2,
};

use crate::picture::fonts::{INTER_REGULAR, INTER_SEMIBOLD, JETBRAINS_MONO};

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// Whether it is the dark one.
    pub dark: bool,
    /// Window and fields.
    pub background: Color32,
    /// Side panels, bars, cards.
    pub panel: Color32,
    /// Chips, tracks, the segmented switch.
    pub raised: Color32,
    /// One-pixel separators and borders.
    pub line: Color32,
    /// Behind the map.
    pub plot: Color32,
    /// Text of the first level.
    pub text: Color32,
    /// Text of the second level.
    pub dim: Color32,
    /// Text of the third level.
    pub faint: Color32,
    /// Selection, links, progress.
    pub accent: Color32,
    /// Behind the one chosen chip.
    pub accent_fill: Color32,
    /// A good verdict.
    pub good: Color32,
    /// A warning.
    pub warn: Color32,
    /// A bad verdict.
    pub bad: Color32,
    /// Drawn on the accent colour.
    pub on_accent: Color32,
    /// Under floating cards.
    pub shadow: Color32,
}

const fn hex(value: u32) -> Color32 {
    Color32::from_rgb((value >> 16) as u8, (value >> 8) as u8, value as u8)
}

/// The dark theme.
pub const DARK: Theme = Theme {
    dark: true,
    background: hex(0x14161a),
    panel: hex(0x1b1e24),
    raised: hex(0x23272f),
    line: hex(0x2c313a),
    plot: hex(0x101215),
    text: hex(0xe6e8ec),
    dim: hex(0x9aa1ad),
    faint: hex(0x7a828f),
    accent: hex(0x5aa9ff),
    accent_fill: hex(0x20344d),
    good: hex(0x4cc38a),
    warn: hex(0xe5b454),
    bad: hex(0xe8705c),
    on_accent: hex(0x0c1016),
    shadow: Color32::from_black_alpha(110),
};

/// The light theme.
pub const LIGHT: Theme = Theme {
    dark: false,
    background: hex(0xf4f5f7),
    panel: hex(0xffffff),
    raised: hex(0xeef0f3),
    line: hex(0xdfe2e7),
    plot: hex(0xfbfbfc),
    text: hex(0x1c2026),
    dim: hex(0x5b6470),
    faint: hex(0x7a8391),
    accent: hex(0x1f6feb),
    accent_fill: hex(0xdbe9ff),
    good: hex(0x1a7f4b),
    warn: hex(0x9a6700),
    bad: hex(0xc0392b),
    on_accent: hex(0xffffff),
    shadow: Color32::from_black_alpha(40),
};

impl Theme {
    /// The theme the context shows now.
    pub fn of(ctx: &egui::Context) -> Self {
        match ctx.theme() {
            egui::Theme::Dark => DARK,
            egui::Theme::Light => LIGHT,
        }
    }

    /// A colour of the picture room as the toolkit's.
    pub fn colour(colour: crate::picture::Colour) -> Color32 {
        let [red, green, blue, alpha] = colour.0;
        Color32::from_rgba_unmultiplied(red, green, blue, alpha)
    }

    /// The colour models are told apart by: the first categories.
    pub fn model_colour(&self, index: usize) -> Color32 {
        const MODELS: [u32; 6] = [0x5aa9ff, 0x4cc38a, 0xf2a33c, 0xb48ef2, 0xe06c9f, 0x58c9c9];
        hex(MODELS[index % MODELS.len()])
    }

    /// A colour let through by `share`, 0 to 1.
    pub fn faded(colour: Color32, share: f32) -> Color32 {
        colour.gamma_multiply(share)
    }
}

/// The family of section titles and selected items.
pub fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

/// Text of 12, the second size.
pub fn secondary() -> FontId {
    FontId::proportional(12.0)
}

/// Code and tokens.
pub fn mono() -> FontId {
    FontId::monospace(12.0)
}

/// A section's title.
pub fn section_font() -> FontId {
    FontId::new(11.5, semibold())
}

/// The selected item's name.
pub fn title_font() -> FontId {
    FontId::new(15.0, semibold())
}

/// The one figure of a pane.
pub fn figure_font() -> FontId {
    FontId::new(24.0, semibold())
}

/// Gives the context our fonts and both styles.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_style_of(egui::Theme::Dark, style(&DARK));
    ctx.set_style_of(egui::Theme::Light, style(&LIGHT));
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in [("inter", INTER_REGULAR), ("inter-semibold", INTER_SEMIBOLD), ("jetbrains", JETBRAINS_MONO)] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let fallbacks = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let mut family = |family: FontFamily, first: &str| {
        // What Inter lacks (box drawing, some arrows) JetBrains Mono often has.
        let mut names = vec![first.to_owned(), "jetbrains".to_owned()];
        names.extend(fallbacks.iter().cloned());
        fonts.families.insert(family, names);
    };
    family(FontFamily::Proportional, "inter");
    family(semibold(), "inter-semibold");
    family(FontFamily::Monospace, "jetbrains");
    fonts
}

fn style(theme: &Theme) -> egui::Style {
    let mut style = egui::Style {
        text_styles: BTreeMap::from([
            (TextStyle::Small, secondary()),
            (TextStyle::Body, FontId::proportional(13.0)),
            (TextStyle::Button, FontId::proportional(13.0)),
            (TextStyle::Monospace, mono()),
            (TextStyle::Heading, title_font()),
        ]),
        visuals: visuals(theme),
        ..egui::Style::default()
    };
    style.animation_time = 0.1;
    style.spacing.item_spacing = Vec2::new(8.0, 4.0);
    style.spacing.button_padding = Vec2::new(8.0, 4.0);
    style.spacing.window_margin = Margin::same(16);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.interact_size = Vec2::new(24.0, 24.0);
    style.spacing.slider_rail_height = 4.0;
    style.spacing.combo_width = 60.0;
    style.spacing.scroll = egui::style::ScrollStyle::thin();
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.3;
    style
}

fn visuals(theme: &Theme) -> egui::Visuals {
    let mut visuals = if theme.dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(theme.dim);
    visuals.hyperlink_color = theme.accent;
    visuals.faint_bg_color = Theme::faded(theme.raised, 0.5);
    visuals.extreme_bg_color = theme.background;
    visuals.text_edit_bg_color = Some(theme.background);
    visuals.code_bg_color = theme.raised;
    visuals.warn_fg_color = theme.warn;
    visuals.error_fg_color = theme.bad;
    visuals.window_corner_radius = CornerRadius::same(9);
    visuals.menu_corner_radius = CornerRadius::same(9);
    visuals.window_fill = theme.panel;
    visuals.window_stroke = Stroke::new(1.0, theme.line);
    visuals.panel_fill = theme.panel;
    let shadow = egui::Shadow { offset: [0, 4], blur: 18, spread: 0, color: theme.shadow };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.selection.bg_fill = theme.accent_fill;
    visuals.selection.stroke = Stroke::new(1.0, theme.accent);
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Circle;
    visuals.indent_has_left_vline = false;
    let seven = CornerRadius::same(7);
    for (widget, fill, border, text) in [
        (&mut visuals.widgets.noninteractive, theme.panel, theme.line, theme.text),
        (&mut visuals.widgets.inactive, theme.raised, Color32::TRANSPARENT, theme.text),
        (&mut visuals.widgets.hovered, theme.line, Color32::TRANSPARENT, theme.text),
        (&mut visuals.widgets.active, theme.accent_fill, theme.accent, theme.text),
        (&mut visuals.widgets.open, theme.raised, theme.line, theme.text),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(if border == Color32::TRANSPARENT { 0.0 } else { 1.0 }, border);
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = seven;
        widget.expansion = 0.0;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance by WCAG 2.
    fn luminance(colour: Color32) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(colour.r()) + 0.7152 * part(colour.g()) + 0.0722 * part(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_on_every_surface() {
        for theme in [DARK, LIGHT] {
            for surface in [theme.background, theme.panel, theme.plot] {
                assert!(contrast(theme.text, surface) > 7.0);
                assert!(contrast(theme.dim, surface) > 4.5);
                assert!(contrast(theme.faint, surface) > 3.4);
                assert!(contrast(theme.accent, surface) > 3.0);
                assert!(contrast(theme.warn, surface) > 4.0 && contrast(theme.bad, surface) > 4.0);
            }
        }
    }
}
