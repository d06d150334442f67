//! The drawn scene without a toolkit: positions, colours, visibility, picking and lasso, the CPU raster, PNG and SVG.
//!
//! The window's map and `render` both draw what this room says. It knows rows, never texts, models or widgets. Invariant: a
//! [`Layout`] and a [`Styles`] never change once made; a change makes a new one with a new `id`, so whoever draws compares ids.

mod camera;
mod chrome;
mod colour;
mod contours;
mod density;
mod figure;
pub mod fonts;
mod grid;
mod layout;
mod moments;
mod palette;
mod raster;
mod space;
mod style;

pub use camera::Camera;
pub use chrome::grouped;
pub use colour::Colour;
pub use density::{BESIDE_DENSITY, Density, DensityLook, SHARES};
pub use figure::{Figure, FigureError, FigureTheme};
pub use layout::{Bounds, Core, Layout};
pub use palette::{CATEGORIES, Colormap, OKABE_ITO, OTHER, Palette};
pub use raster::{Raster, backdrop, raster};
pub use style::{FrontLook, Legend, LegendEntry, LegendScale, Reading, StyleRequest, Styles, Values};

use std::sync::atomic::{AtomicU64, Ordering};

/// A number no other layout or style of this process has.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The order in which `len` points are painted, later ones over earlier ones: a fixed stride through all positions.
///
/// Rows come folder by folder; painting them so would let the last folder hide the others wherever they overlap. A stride of
/// the golden section mixes them evenly, needs no table and stays the same while a layout moves.
pub fn paint_order(len: usize) -> impl Fn(usize) -> usize + Copy {
    let mut stride = ((len as f64 * 0.618_033_988_75) as usize).max(1);
    while gcd(stride, len) > 1 {
        stride += 1;
    }
    let (stride, len) = (stride as u64, len.max(1) as u64);
    move |index| (index as u64 * stride % len) as usize
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_order_visits_every_position_once() {
        for len in [1, 2, 3, 10, 97, 1000, 65_536] {
            let order = paint_order(len);
            let mut seen = vec![false; len];
            (0..len).for_each(|i| seen[order(i)] = true);
            assert!(seen.iter().all(|&s| s), "{len}");
        }
    }
}
