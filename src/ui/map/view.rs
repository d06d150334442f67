//! The view of one map: which part of the plane is shown, moving there smoothly, and following a layout that still moves.
//!
//! Reads no input. Invariant: while it follows, the camera heads for the fit of the newest layout; the user's hand ends that.

use std::sync::Arc;

use eframe::egui::{Pos2, Rect, Ui, Vec2, vec2};

use super::fallback::Fallback;
use super::gesture::Gesture;
use super::gpu::Buffers;
use crate::picture::{Bounds, Camera, Layout};
use crate::vectors::RowId;

/// Space between the outermost points and the edge, in points of the screen.
const MARGIN: f32 = 26.0;
/// How near to an edge a point is still well in view: nearer than any point of a map that is fitted.
const EDGE: f32 = 16.0;
/// Of the room, the least part that cards may leave for the points.
const LEFT: f32 = 0.35;
/// Where the middle of the points can be shown that many times larger than all of them, it is what is fitted.
const WASTED: f32 = 1.8;
/// How fast the camera flies: the part of the way left after a second is e to the minus this.
const SPEED: f32 = 9.0;
/// A layout whose extent is that many times another is taken as a new map, and fitted.
const OTHER_SCALE: f32 = 3.0;

/// What cards cover of a map, in points of the screen: points that are fitted stay clear of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Covered {
    /// The upper right corner: how far from the right edge, and from the upper.
    pub corner: Vec2,
    /// The whole foot: how far from the lower edge.
    pub foot: f32,
}

/// The state of one map between frames. The default fits the first layout it is shown.
#[derive(Default)]
pub struct MapView {
    pub(super) camera: Camera,
    pub(super) gesture: Option<Gesture>,
    /// Whether the map got the focus by keyboard, so that it must be seen.
    pub(super) keyboard: bool,
    pub(super) buffers: Buffers,
    pub(super) fallback: Fallback,
    size: Vec2,
    covered: Covered,
    /// Whether the furthest points are fitted too, where they waste most of the room.
    whole: bool,
    /// Where the camera is going, unless it follows.
    target: Option<Camera>,
    /// Whether the user has moved the camera since the last fit.
    steered: bool,
    /// The layout last shown.
    shown: Option<Arc<Layout>>,
    /// A row to bring into view at the next frame.
    wanted: Option<RowId>,
}

impl MapView {
    /// Flies back to the points, and follows the layout again.
    pub fn fit(&mut self) {
        self.steered = false;
        self.target = None;
    }

    /// The same as a person asks for it: where only the middle of the points is fitted already, all of them; and back.
    pub fn fit_by_hand(&mut self) {
        let (again, cut) = (self.follows(), self.shown.as_ref().is_some_and(|layout| self.is_wasted(layout)));
        self.whole = again && cut && !self.whole;
        self.fit();
    }

    /// How many points lie outside of what is fitted, because they would waste most of the room.
    pub fn outside(&self) -> usize {
        let layout = self.shown.as_ref().filter(|layout| !self.whole && self.follows() && self.is_wasted(layout));
        layout.map_or(0, |layout| layout.core().outside)
    }

    /// Flies to a row, if it is not well in view already; the magnification stays.
    pub fn show_row(&mut self, row: RowId) {
        self.wanted = Some(row);
    }

    /// Whether a lasso or box is being drawn.
    pub fn is_drawing(&self) -> bool {
        matches!(self.gesture, Some(Gesture::Draw { .. }))
    }

    /// Magnifies by a factor around the middle, as the plus and minus keys do.
    pub fn zoom(&mut self, factor: f32) {
        let size = self.size.into();
        let from = self.target.unwrap_or(self.camera);
        self.fly_to(from.zoom_at([self.size.x * 0.5, self.size.y * 0.5], size, factor));
    }

    /// Whether the camera keeps all points in view, because the user has not moved it since the last fit.
    pub fn follows(&self) -> bool {
        !self.steered
    }

    /// How many times larger the map is shown than where all of it is in view.
    pub fn magnification(&self) -> f32 {
        let whole = self.shown.as_ref().map(|layout| self.fitted(layout).scale);
        whole.map_or(1.0, |whole| self.camera.scale / whole)
    }

    /// The part of the plane in view, for exporting it.
    pub fn visible(&self) -> Bounds {
        self.camera.visible(self.size.into())
    }

    /// Moves the camera by hand: ends flight and following.
    pub(super) fn steer(&mut self, camera: Camera) {
        self.steered = true;
        self.target = None;
        self.camera = self.kept(camera);
    }

    /// Starts a flight to a view that the user asked for.
    pub(super) fn fly_to(&mut self, camera: Camera) {
        self.steered = true;
        self.target = Some(self.kept(camera));
    }

    /// The size of the map on the screen, in points.
    pub(super) fn size(&self) -> [f32; 2] {
        self.size.into()
    }

    /// The world point under a place of the screen.
    pub(super) fn world(&self, rect: Rect, pos: Pos2) -> [f32; 2] {
        self.camera.to_world((pos - rect.min).into(), rect.size().into())
    }

    /// Where a world point is on the screen.
    pub(super) fn screen(&self, rect: Rect, world: [f32; 2]) -> Pos2 {
        rect.min + Vec2::from(self.camera.to_screen(world, rect.size().into()))
    }

    /// Where a position is on the screen, if it is drawn at all.
    pub(super) fn on_screen(&self, layout: &Layout, rect: Rect, position: usize) -> Option<Pos2> {
        layout.point(position).map(|point| self.screen(rect, point))
    }

    /// Takes note of this frame's layout and size and moves the camera on.
    pub(super) fn frame(&mut self, ui: &Ui, layout: &Arc<Layout>, (size, covered): (Vec2, Covered)) {
        let resized = self.size != size;
        (self.size, self.covered) = (size, covered);
        let jump = self.take(layout);
        if let Some(position) = self.wanted.take().and_then(|row| layout.position_of(row)) {
            self.turn_to(layout, position);
        }
        let still = ui.style().animation_time <= 0.0;
        let target = match self.target {
            Some(target) => target,
            None if self.steered => return,
            None => self.fitted(layout),
        };
        let seconds = ui.input(|input| input.stable_dt).min(0.1);
        let part = if jump || still || (resized && !self.steered) { 1.0 } else { 1.0 - (-seconds * SPEED).exp() };
        self.camera = self.camera.towards(target, part);
        if self.camera.close_to(&target, size.into()) {
            self.camera = target;
            self.target = None;
        } else {
            ui.ctx().request_repaint();
        }
    }

    /// The view that shows the points beside or under what cards cover, whichever shows them larger.
    fn fitted(&self, layout: &Layout) -> Camera {
        let part = || if !self.whole && self.is_wasted(layout) { layout.core().bounds } else { layout.bounds() };
        self.fit_of(layout.frame().unwrap_or_else(part))
    }

    fn fit_of(&self, bounds: Bounds) -> Camera {
        let (size, Covered { corner, foot }) = (self.size, self.covered);
        let all = [[0.0, 0.0], [size.x, size.y]];
        let beside = [[0.0, 0.0], [size.x - corner.x, size.y - foot]];
        let under = [[0.0, corner.y], [size.x, size.y - foot]];
        let clear = |[from, to]: [[f32; 2]; 2]| {
            let (from, to) = (from.map(|side| side + MARGIN), to.map(|side| side - MARGIN));
            let enough = (0..2).all(|axis| to[axis] - from[axis] >= LEFT * (size[axis] - 2.0 * MARGIN).max(1.0));
            enough.then(|| Camera::fit_into(bounds, size.into(), (from, to)))
        };
        let (beside, under) = (clear(beside), clear(under));
        let larger = match (beside, under) {
            (Some(beside), Some(under)) if under.scale > beside.scale => Some(under),
            (beside, under) => beside.or(under),
        };
        larger.or_else(|| clear(all)).unwrap_or_else(|| Camera::fit(bounds, size.into(), MARGIN))
    }

    /// Whether the furthest points would leave little room for all others.
    fn is_wasted(&self, layout: &Layout) -> bool {
        let core = layout.core();
        layout.frame().is_none()
            && core.outside > 0
            && self.fit_of(core.bounds).scale > WASTED * self.fit_of(layout.bounds()).scale
    }

    /// Takes a layout; true where the camera must jump because nothing of the old view holds.
    fn take(&mut self, layout: &Arc<Layout>) -> bool {
        let Some(old) = self.shown.replace(layout.clone()) else { return true };
        if old.id() == layout.id() {
            return false;
        }
        let same_rows = Arc::ptr_eq(old.rows(), layout.rows()) || old.rows() == layout.rows();
        let ratio = |axis: usize| layout.bounds().extent()[axis] / old.bounds().extent()[axis];
        let (x, y) = (ratio(0), ratio(1));
        let other_scale = x.max(y) > OTHER_SCALE || x.max(y) < 1.0 / OTHER_SCALE;
        if !same_rows || other_scale {
            self.whole = false;
            self.fit();
            self.gesture = None;
        }
        !same_rows || other_scale
    }

    fn turn_to(&mut self, layout: &Layout, position: usize) {
        let Some(point) = layout.point(position) else { return };
        let size = self.size();
        let at = self.target.unwrap_or(self.camera).to_screen(point, size);
        let inside = |axis: usize| at[axis] > EDGE && at[axis] < size[axis] - EDGE;
        if !(inside(0) && inside(1)) {
            self.fly_to(Camera { centre: point, scale: self.camera.scale });
        }
    }

    fn kept(&self, camera: Camera) -> Camera {
        match &self.shown {
            Some(layout) => camera.clamped(layout.bounds(), self.size()),
            None => camera,
        }
    }
}

impl std::fmt::Debug for MapView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapView").field("camera", &self.camera).field("steered", &self.steered).finish_non_exhaustive()
    }
}

/// A step on the screen for one press of an arrow key.
pub(super) fn key_step(x: f32, y: f32) -> Vec2 {
    vec2(x, y) * 60.0
}
