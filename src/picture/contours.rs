//! Lines of equal value through a field of cells, as closed loops, by marching squares (Lorensen and Cline 1987, in the plane).
//!
//! Knows no units: a place is a column and a row. Invariant: where the field is below the level all around its edge, every line is closed
//! and has the higher side at its left.

use std::collections::HashMap;

/// A side of a square of four cells: its first cell and whether it goes up (else to the right).
type Side = (usize, usize, bool);

/// The loops along a level of a field whose rows are `width` long.
pub(super) fn contours(field: &[f32], width: usize, level: f32) -> Vec<Vec<[f32; 2]>> {
    let mut next: HashMap<Side, Side> = HashMap::new();
    let mut begins = Vec::new();
    let height = field.len().checked_div(width).unwrap_or_default();
    for y in 0..height.saturating_sub(1) {
        for x in 0..width.saturating_sub(1) {
            for (from, to) in steps(field, width, (x, y), level) {
                begins.push(from);
                next.insert(from, to);
            }
        }
    }
    let place = |(x, y, up): Side| {
        let (a, b) = (field[y * width + x], field[if up { (y + 1) * width + x } else { y * width + x + 1 }]);
        let part = if a == b { 0.5 } else { ((level - a) / (b - a)).clamp(0.0, 1.0) };
        if up { [x as f32, y as f32 + part] } else { [x as f32 + part, y as f32] }
    };
    let mut loops = Vec::new();
    for begin in begins {
        let mut at = begin;
        let mut corners = Vec::new();
        while let Some(to) = next.remove(&at) {
            corners.push(place(at));
            at = to;
        }
        if corners.len() > 2 {
            loops.push(corners);
        }
    }
    loops
}

/// The one or two steps of lines through a square of four cells.
fn steps(field: &[f32], width: usize, (x, y): (usize, usize), level: f32) -> impl Iterator<Item = (Side, Side)> {
    let [a, b] = [field[y * width + x], field[y * width + x + 1]];
    let [d, c] = [field[(y + 1) * width + x], field[(y + 1) * width + x + 1]];
    let high = [a, b, c, d].map(|value| value >= level);
    let case = high.iter().rev().fold(0, |case, &high| case * 2 + usize::from(high));
    let (bottom, right, top, left) = ((x, y, false), (x + 1, y, true), (x, y + 1, false), (x, y, true));
    // Where two opposite corners are high, the middle says whether they belong together.
    let joined = (a + b + c + d) * 0.25 >= level;
    let (first, second) = match case {
        1 => (Some((bottom, left)), None),
        2 => (Some((right, bottom)), None),
        3 => (Some((right, left)), None),
        4 => (Some((top, right)), None),
        5 if joined => (Some((top, left)), Some((bottom, right))),
        5 => (Some((bottom, left)), Some((top, right))),
        6 => (Some((top, bottom)), None),
        7 => (Some((top, left)), None),
        8 => (Some((left, top)), None),
        9 => (Some((bottom, top)), None),
        10 if joined => (Some((right, top)), Some((left, bottom))),
        10 => (Some((right, bottom)), Some((left, top))),
        11 => (Some((right, top)), None),
        12 => (Some((left, right)), None),
        13 => (Some((bottom, right)), None),
        14 => (Some((left, bottom)), None),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::contours;

    /// Twice the area that a loop turns around, positive where it has it at its left.
    fn area(corners: &[[f32; 2]]) -> f32 {
        let next = corners.iter().cycle().skip(1);
        corners.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum()
    }

    #[test]
    fn a_hill_with_a_pit_has_two_loops_of_its_size() {
        let side = 61;
        let field: Vec<f32> = (0..side * side)
            .map(|at| {
                let far = ((at % side) as f32 - 30.0).hypot((at / side) as f32 - 30.0);
                if far < 12.0 { far / 12.0 } else { (24.0 - far) / 12.0 }
            })
            .collect();
        let loops = contours(&field, side, 0.5);
        assert_eq!(loops.len(), 2);
        let mut areas: Vec<f32> = loops.iter().map(|corners| area(corners) * 0.5).collect();
        areas.sort_by(f32::total_cmp);
        let circle = |radius: f32| std::f32::consts::PI * radius * radius;
        assert!(
            (areas[0] / -circle(6.0) - 1.0).abs() < 0.03 && (areas[1] / circle(18.0) - 1.0).abs() < 0.03,
            "{areas:?}"
        );
        assert!(contours(&field, side, 2.0).is_empty() && contours(&[], 0, 0.0).is_empty());
    }

    #[test]
    fn opposite_corners_close_too() {
        let field = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(contours(&field, 4, 0.9).len(), 2);
        assert_eq!(contours(&field, 4, 0.4).len(), 1);
    }
}
