//! Names of clusters on the map: few from afar, more from near, none over another.
//!
//! Invariant: the cost of a frame grows with the names in view, at most [`MOST`], never with the points.

use eframe::egui::{FontId, Rect, Ui, vec2};

use super::{MapInput, MapView};
use crate::ui::maps::{MapLabel, MapLabels};
use crate::ui::theme;

/// Names drawn at once.
const MOST: usize = 40;
/// From this magnification on the finer names are drawn.
const NEAR: f32 = 1.8;
/// Names that are few are drawn at every magnification.
const FEW: usize = 12;
/// Letters of a name, at most.
const LONGEST: usize = 32;
/// How far a name stands over its place, in points of the screen.
const RISE: f32 = 16.0;

/// A name as it stands on the map: a long one would hide other points and other names.
fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let cut: String = name.chars().take(LONGEST).collect();
    // At the end of a word, where one ends in the second half.
    let end = cut.rfind([',', ' ']).filter(|&at| at >= LONGEST / 2).unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ' ']))
}

/// Draws the names that have room, the largest clusters first.
pub(super) fn paint(ui: &Ui, rect: Rect, (names, input): (&MapLabels, &MapInput<'_>), view: &MapView) {
    let fine = view.magnification() >= NEAR || names.fine.len() <= FEW;
    let painter = ui.painter_at(rect);
    let mut taken: Vec<Rect> = Vec::new();
    for MapLabel { text, at, rows } in if fine { &names.fine } else { &names.coarse } {
        let place = view.screen(rect, *at);
        if !rect.shrink(8.0).contains(place) || taken.len() == MOST {
            continue;
        }
        let size = (10.5 + (*rows as f32).ln() * 0.45).min(15.0);
        let galley = painter.layout_no_wrap(short(text), FontId::new(size, theme::semibold()), input.colours.text);
        // Over the middle of its points, so that it hides few of them.
        let room = Rect::from_center_size(place - vec2(0.0, RISE), galley.size() + vec2(10.0, 4.0));
        // A name must not hang over the edge of the map.
        let room = room.translate(vec2(
            (rect.left() + 4.0 - room.left()).max(0.0) - (room.right() - rect.right() + 4.0).max(0.0),
            0.0,
        ));
        if taken.iter().any(|other| other.intersects(room)) {
            continue;
        }
        painter.rect_filled(room, 4.0, input.colours.background.gamma_multiply(0.72));
        painter.galley(room.min + vec2(5.0, 2.0), galley, input.colours.text);
        taken.push(room);
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_names_end_with_a_word() {
        assert_eq!(short("soup, noodles"), "soup, noodles");
        assert_eq!(short("shirt, grey, item, photographed, sample"), "shirt, grey, item, photographed…");
        assert_eq!(short(&"é".repeat(40)), "é".repeat(32) + "…");
    }
}
