//! The camera: which part of the layout's plane a rectangle of the screen shows.
//!
//! Knows nothing of points or pixels per point; screen lengths are whatever unit `size` is given in. Invariant: the scale
//! is finite and positive, and `to_world` undoes `to_screen`.

use super::Bounds;

/// How far beyond the fitted view one can zoom out.
const FURTHEST: f32 = 0.1;
/// How far beyond the fitted view one can zoom in.
const NEAREST: f32 = 20_000.0;

/// A view of the plane. The world's y axis points up, the screen's down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The world point in the middle of the screen.
    pub centre: [f32; 2],
    /// Screen units per world unit.
    pub scale: f32,
}

impl Default for Camera {
    fn default() -> Self {
        Self { centre: [0.0; 2], scale: 1.0 }
    }
}

impl Camera {
    /// The view in which all of `bounds` fits into `size` with `margin` screen units free on every side.
    pub fn fit(bounds: Bounds, size: [f32; 2], margin: f32) -> Self {
        let room = [0, 1].map(|axis| (size[axis] - 2.0 * margin).max(size[axis] * 0.25).max(1.0));
        let extent = bounds.extent();
        let scale = (room[0] / extent[0]).min(room[1] / extent[1]);
        Self { centre: bounds.centre(), scale: if scale.is_finite() && scale > 0.0 { scale } else { 1.0 } }
    }

    /// The view in which all of `bounds` fits into a part of the screen of `size`, from the corner `from` to the corner `to`.
    pub fn fit_into(bounds: Bounds, size: [f32; 2], (from, to): ([f32; 2], [f32; 2])) -> Self {
        let part = Self::fit(bounds, [0, 1].map(|axis| to[axis] - from[axis]), 0.0);
        let aside = [0, 1].map(|axis| (from[axis] + to[axis] - size[axis]) * 0.5 / part.scale);
        Self { centre: [part.centre[0] - aside[0], part.centre[1] + aside[1]], ..part }
    }

    /// Where a world point is on a screen of `size`, from its top left corner.
    pub fn to_screen(&self, world: [f32; 2], size: [f32; 2]) -> [f32; 2] {
        [
            (world[0] - self.centre[0]) * self.scale + size[0] * 0.5,
            (self.centre[1] - world[1]) * self.scale + size[1] * 0.5,
        ]
    }

    /// Which world point is under a place of the screen.
    pub fn to_world(&self, screen: [f32; 2], size: [f32; 2]) -> [f32; 2] {
        [
            (screen[0] - size[0] * 0.5) / self.scale + self.centre[0],
            self.centre[1] - (screen[1] - size[1] * 0.5) / self.scale,
        ]
    }

    /// The part of the plane that a screen of `size` shows.
    pub fn visible(&self, size: [f32; 2]) -> Bounds {
        let half = size.map(|side| side.max(1.0) * 0.5 / self.scale);
        Bounds {
            min: [self.centre[0] - half[0], self.centre[1] - half[1]],
            max: [self.centre[0] + half[0], self.centre[1] + half[1]],
        }
    }

    /// Magnifies by `factor` (over 1: nearer) so that what is under `cursor` stays there.
    #[must_use]
    pub fn zoom_at(self, cursor: [f32; 2], size: [f32; 2], factor: f32) -> Self {
        if !factor.is_finite() || factor <= 0.0 {
            return self;
        }
        let under = self.to_world(cursor, size);
        let zoomed = Self { centre: self.centre, scale: self.scale * factor };
        let moved = zoomed.to_world(cursor, size);
        Self {
            centre: [zoomed.centre[0] + under[0] - moved[0], zoomed.centre[1] + under[1] - moved[1]],
            scale: zoomed.scale,
        }
    }

    /// Moves the picture by `delta` screen units (dragging right is positive x).
    #[must_use]
    pub fn pan(self, delta: [f32; 2]) -> Self {
        Self {
            centre: [self.centre[0] - delta[0] / self.scale, self.centre[1] + delta[1] / self.scale],
            scale: self.scale,
        }
    }

    /// The nearest view that still shows something: the scale within 0.1 and 20,000 times the fitted one, the centre inside `bounds`.
    #[must_use]
    pub fn clamped(self, bounds: Bounds, size: [f32; 2]) -> Self {
        let fitted = Self::fit(bounds, size, 0.0).scale;
        let scale = if self.scale.is_finite() { self.scale.clamp(fitted * FURTHEST, fitted * NEAREST) } else { fitted };
        let centre = [0, 1].map(|axis| {
            let value = self.centre[axis];
            if value.is_finite() { value.clamp(bounds.min[axis], bounds.max[axis]) } else { bounds.centre()[axis] }
        });
        Self { centre, scale }
    }

    /// A view part of the way to `target`: 0 is here, 1 is there. The scale moves geometrically, so that zooming looks even.
    #[must_use]
    pub fn towards(self, target: Self, part: f32) -> Self {
        let part = part.clamp(0.0, 1.0);
        if part >= 1.0 {
            return target;
        }
        let lerp = |a: f32, b: f32| a + (b - a) * part;
        Self {
            centre: [lerp(self.centre[0], target.centre[0]), lerp(self.centre[1], target.centre[1])],
            scale: self.scale * (target.scale / self.scale).powf(part),
        }
    }

    /// Whether no place of a screen of `size` differs by more than half a unit between the two views.
    pub fn close_to(&self, other: &Self, size: [f32; 2]) -> bool {
        let shift = [0, 1].map(|axis| (self.centre[axis] - other.centre[axis]).abs() * other.scale);
        let growth = (self.scale / other.scale - 1.0).abs() * size[0].max(size[1]) * 0.5;
        shift[0].max(shift[1]) < 0.5 && growth < 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [f32; 2] = [800.0, 600.0];

    fn near(a: [f32; 2], b: [f32; 2], tolerance: f32) {
        assert!((a[0] - b[0]).abs() < tolerance && (a[1] - b[1]).abs() < tolerance, "{a:?} {b:?}");
    }

    #[test]
    fn screen_and_world_undo_each_other() {
        let camera = Camera { centre: [3.0, -7.0], scale: 12.5 };
        for point in [[0.0, 0.0], [10.0, 5.0], [-30.0, 22.0]] {
            near(camera.to_world(camera.to_screen(point, SIZE), SIZE), point, 1e-3);
        }
    }

    #[test]
    fn a_part_of_the_screen_is_filled_and_not_left() {
        let bounds = Bounds { min: [-3.0, 5.0], max: [1.0, 7.0] };
        let (from, to) = ([30.0, 10.0], [130.0, 90.0]);
        let camera = Camera::fit_into(bounds, SIZE, (from, to));
        let (low, high) = (camera.to_screen(bounds.min, SIZE), camera.to_screen(bounds.max, SIZE));
        assert!((low[0] - 30.0).abs() < 1e-3 && (high[0] - 130.0).abs() < 1e-3, "{low:?} {high:?}");
        assert!((low[1] + high[1] - 100.0).abs() < 1e-3, "centred between 10 and 90");
    }

    #[test]
    fn fit_shows_all_with_its_margin() {
        let bounds = Bounds { min: [-1.0, -2.0], max: [3.0, 2.0] };
        let camera = Camera::fit(bounds, SIZE, 20.0);
        near(camera.to_screen([1.0, 2.0], SIZE), [400.0, 20.0], 1e-2);
        near(camera.to_screen([1.0, -2.0], SIZE), [400.0, 580.0], 1e-2);
    }

    #[test]
    fn zoom_keeps_the_point_under_the_cursor() {
        let camera = Camera { centre: [1.0, 1.0], scale: 40.0 };
        let cursor = [123.0, 456.0];
        let before = camera.to_world(cursor, SIZE);
        near(camera.zoom_at(cursor, SIZE, 2.5).to_world(cursor, SIZE), before, 1e-3);
        assert_eq!(camera.zoom_at(cursor, SIZE, f32::NAN), camera);
    }

    #[test]
    fn pan_follows_the_hand_and_clamp_brings_back() {
        let bounds = Bounds { min: [0.0; 2], max: [10.0; 2] };
        let camera = Camera::fit(bounds, SIZE, 0.0);
        let moved = camera.pan([30.0, -10.0]);
        near(moved.to_screen([5.0, 5.0], SIZE), [430.0, 290.0], 1e-2);
        let lost = Camera { centre: [1e9, f32::NAN], scale: 0.0 }.clamped(bounds, SIZE);
        near(lost.centre, [10.0, 5.0], 1e-3);
        assert!(lost.scale > 0.0);
    }

    #[test]
    fn towards_arrives() {
        let (a, b) = (Camera::default(), Camera { centre: [4.0, 4.0], scale: 9.0 });
        assert_eq!(a.towards(b, 1.0), b);
        assert!((a.towards(b, 0.5).scale - 3.0).abs() < 1e-4);
        assert!(b.close_to(&b, SIZE) && !a.close_to(&b, SIZE));
    }
}
