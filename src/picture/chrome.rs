//! What surrounds the points of an exported figure: frame, title, subtitle, legend, colour bar, footer, as SVG elements.
//!
//! Draws no points. Invariant: everything given is escaped, and all lengths are points, to be scaled by the caller.

use std::fmt::Write as _;

use super::figure::{Figure, FigureTheme};
use super::{Colour, Legend, LegendEntry, LegendScale};

/// Space around everything.
const MARGIN: f32 = 28.0;
/// Height of a legend line.
const LINE: f32 = 22.0;
/// Space between plot and legend.
const GAP: f32 = 24.0;
/// Height of the colour bar at most.
const BAR: f32 = 220.0;

/// The colours of a figure; the same tokens as the window's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens {
    pub(super) background: Colour,
    pub(super) plot: Colour,
    pub(super) line: Colour,
    pub(super) text: Colour,
    pub(super) dim: Colour,
    pub(super) faint: Colour,
    pub(super) ring: Colour,
    pub(super) accent: Colour,
}

impl Tokens {
    pub(super) fn of(theme: FigureTheme) -> Self {
        let pick = |dark: u32, light: u32| Colour::hex(if theme == FigureTheme::Dark { dark } else { light });
        Self {
            background: pick(0x14161a, 0xffffff),
            plot: pick(0x101215, 0xfbfbfc),
            line: pick(0x2c313a, 0xdfe2e7),
            text: pick(0xe6e8ec, 0x1c2026),
            dim: pick(0x9aa1ad, 0x5b6470),
            faint: pick(0x6b7280, 0x8a93a0),
            ring: pick(0xffffff, 0x1c2026),
            accent: pick(0x5aa9ff, 0x1f6feb),
        }
    }
}

/// Where things are, in points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Width and height of the whole figure.
    pub(super) size: [f32; 2],
    /// Left, top, width and height of the plot.
    pub(super) plot: [f32; 4],
    /// Width of the legend, 0 for none.
    legend: f32,
}

impl Frame {
    pub(super) fn of(figure: &Figure<'_>, size: [f32; 2]) -> Self {
        let legend = figure.styles.legend();
        let legend = if legend.entries.is_empty() && legend.scale.is_none() { 0.0 } else { width_of(legend, size[0]) };
        let mut top = MARGIN;
        top += if figure.title.is_empty() { 0.0 } else { 28.0 };
        top += if figure.subtitle.is_empty() { 0.0 } else { 20.0 };
        top += if figure.title.is_empty() && figure.subtitle.is_empty() { 0.0 } else { 10.0 };
        let bottom = if figure.footer.is_empty() { MARGIN } else { MARGIN + 18.0 };
        let right = if legend > 0.0 { legend + GAP } else { 0.0 };
        let width = (size[0] - 2.0 * MARGIN - right).max(40.0);
        // whole points, so that the frame lies on pixels
        let plot = [MARGIN, top, width.floor(), (size[1] - top - bottom).max(40.0).floor()];
        Self { size, plot, legend }
    }
}

/// The SVG elements around the plot; the grounds under it are not included.
pub(super) fn elements(figure: &Figure<'_>, frame: &Frame) -> String {
    let tokens = Tokens::of(figure.theme);
    let mut svg = String::new();
    let mut y = MARGIN;
    if !figure.title.is_empty() {
        let title = shortened(figure.title, (frame.size[0] - 2.0 * MARGIN) / 10.5);
        text(&mut svg, [MARGIN, y + 16.0], &title, &Type { size: 20.0, bold: true, colour: tokens.text, end: false });
        y += 28.0;
    }
    if !figure.subtitle.is_empty() {
        let subtitle = shortened(figure.subtitle, (frame.size[0] - 2.0 * MARGIN) / 6.6);
        text(
            &mut svg,
            [MARGIN, y + 12.0],
            &subtitle,
            &Type { size: 13.0, bold: false, colour: tokens.dim, end: false },
        );
    }
    if !figure.footer.is_empty() {
        let footer = shortened(figure.footer, (frame.size[0] - 2.0 * MARGIN) / 6.0);
        let at = [MARGIN, frame.size[1] - MARGIN + 4.0];
        text(&mut svg, at, &footer, &Type { size: 11.5, bold: false, colour: tokens.faint, end: false });
    }
    let [left, top, width, height] = frame.plot;
    let line = tokens.line.css();
    let _ = writeln!(
        svg,
        r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="none" stroke="{line}"/>"#,
        left + 0.5,
        top + 0.5,
        width - 1.0,
        height - 1.0
    );
    if frame.legend > 0.0 {
        legend(&mut svg, figure.styles.legend(), frame, tokens);
    }
    svg
}

fn legend(svg: &mut String, legend: &Legend, frame: &Frame, tokens: Tokens) {
    let [left, top, width, height] = frame.plot;
    let x = left + width + GAP;
    let title = shortened(&legend.title, frame.legend / 7.0);
    text(svg, [x, top + 11.0], &title, &Type { size: 11.5, bold: true, colour: tokens.faint, end: false });
    let below = top + 11.0 + LINE;
    match &legend.scale {
        Some(scale) => colour_bar(svg, (scale, legend.missing), [x, below - 8.0], (height - 60.0).min(BAR), tokens),
        None => categories(svg, &legend.entries, ([x, below], frame.legend), height - 11.0, tokens),
    }
}

fn categories(svg: &mut String, entries: &[LegendEntry], (at, width): ([f32; 2], f32), height: f32, tokens: Tokens) {
    let shown: Vec<&LegendEntry> = entries.iter().filter(|entry| !entry.hidden).collect();
    let room = ((height / LINE).floor() as usize).max(1);
    let fitting = if shown.len() <= room { shown.len() } else { room.saturating_sub(1) };
    let [x, mut y] = at;
    let right = x + width;
    for entry in &shown[..fitting] {
        let _ =
            writeln!(svg, r#"<circle cx="{:.1}" cy="{:.1}" r="4.5" fill="{}"/>"#, x + 4.5, y - 4.4, entry.colour.css());
        let label = shortened(&entry.label, (width - 18.0 - 8.0 * digits(entry.count)) / 6.9);
        text(svg, [x + 18.0, y], &label, &Type { size: 12.5, bold: false, colour: tokens.text, end: false });
        text(svg, [right, y], &grouped(entry.count), &Type { size: 12.5, bold: false, colour: tokens.dim, end: true });
        y += LINE;
    }
    let rest = &shown[fitting..];
    if !rest.is_empty() {
        let faint = Type { size: 12.5, bold: false, colour: tokens.faint, end: false };
        text(svg, [x + 18.0, y], &format!("{} more", grouped(rest.len())), &faint);
        let count = rest.iter().map(|entry| entry.count).sum();
        text(svg, [right, y], &grouped(count), &Type { end: true, ..faint });
    }
}

fn colour_bar(
    svg: &mut String,
    (scale, missing): (&LegendScale, usize),
    [x, y]: [f32; 2],
    height: f32,
    tokens: Tokens,
) {
    let height = height.max(40.0);
    let _ = write!(svg, r#"<defs><linearGradient id="scale" x1="0" y1="1" x2="0" y2="0">"#);
    for stop in 0..=32 {
        let t = stop as f32 / 32.0;
        let _ = write!(svg, r#"<stop offset="{t:.4}" stop-color="{}"/>"#, scale.colour_at(t).css());
    }
    let _ = writeln!(
        svg,
        r#"</linearGradient></defs><rect x="{x:.1}" y="{y:.1}" width="12" height="{height:.1}" rx="3" fill="url(#scale)"/>"#
    );
    let dim = Type { size: 12.5, bold: false, colour: tokens.dim, end: false };
    for t in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let at = y + 4.0 + (height - 8.0) * (1.0 - t);
        let _ = writeln!(
            svg,
            r#"<line x1="{:.1}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}" stroke="{}"/>"#,
            x + 15.0,
            x + 19.0,
            tokens.faint.css()
        );
        text(svg, [x + 24.0, at + 4.4], &scale.label_at(t), &dim);
    }
    if missing > 0 {
        let at = y + height + LINE;
        let other = super::OTHER.css();
        let _ = writeln!(svg, r#"<circle cx="{:.1}" cy="{:.1}" r="4.5" fill="{other}"/>"#, x + 6.0, at - 4.4);
        text(svg, [x + 24.0, at], &format!("No value  {}", grouped(missing)), &dim);
    }
}

/// How a line of text is set.
#[derive(Clone, Copy)]
struct Type {
    size: f32,
    bold: bool,
    colour: Colour,
    /// Whether the place given is where the text ends.
    end: bool,
}

fn text(svg: &mut String, [x, y]: [f32; 2], content: &str, set: &Type) {
    let anchor = if set.end { r#" text-anchor="end""# } else { "" };
    let weight = if set.bold { r#" font-weight="600""# } else { "" };
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" font-size="{}" fill="{}"{weight}{anchor}>{}</text>"#,
        set.size,
        set.colour.css(),
        escaped(content)
    );
}

/// Text that is safe inside an element: markup escaped, control characters left out.
pub(super) fn escaped(content: &str) -> String {
    let mut safe = String::with_capacity(content.len());
    for character in content.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            // neither controls nor the two code points XML forbids
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

/// A number with thousands separators: `1234567` as "1,234,567".
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn digits(number: usize) -> f32 {
    grouped(number).len() as f32
}

/// The text, cut to about `room` characters with an ellipsis.
fn shortened(content: &str, room: f32) -> String {
    let room = (room.max(4.0)) as usize;
    if content.chars().count() <= room {
        return content.to_owned();
    }
    content.chars().take(room - 1).collect::<String>().trim_end().to_owned() + "…"
}

/// The width a legend wants: its longest line, within a fifth and a third of the figure.
fn width_of(legend: &Legend, figure: f32) -> f32 {
    let line = |entry: &LegendEntry| entry.label.chars().count() as f32 * 6.9 + digits(entry.count) * 8.0 + 34.0;
    let longest = legend.entries.iter().take(60).map(line).fold(legend.title.chars().count() as f32 * 7.0, f32::max);
    longest.clamp(120.0, 260.0).min(figure * 0.34).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_text_is_safe() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(escaped("a<b> & \"c\"\u{1}\n"), "a&lt;b&gt; &amp; &quot;c&quot; ");
        assert_eq!(shortened("abcdefgh", 5.0), "abcd…");
    }
}
