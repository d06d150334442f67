//! Hand and keys on a map: panning, zooming, lasso and box.
//!
//! Paints nothing. Invariant: an area is kept in world coordinates, so that zooming while drawing it changes nothing.

use eframe::egui::{self, CursorIcon, EventFilter, Key, PointerButton, Response, Ui};

use super::view::key_step;
use super::{Area, AreaMode, MapInput, MapView, Tool};

/// Corners of a lasso are at least that far apart on the screen, in points.
const STEP: f32 = 2.0;
/// Magnification of one press of plus.
const KEY_ZOOM: f32 = 1.3;

/// What the pressed button is doing.
#[derive(Clone, Debug)]
pub(super) enum Gesture {
    /// Moving the picture.
    Pan,
    /// Turning a map of three dimensions.
    Turn,
    /// Drawing an area; corners in world coordinates.
    Draw {
        /// What to do with the rows inside.
        mode: AreaMode,
        /// The corners so far; for a box the first and the last.
        corners: Vec<[f32; 2]>,
        /// Whether it is a rectangle.
        boxed: bool,
    },
}

/// Lets this frame's input act on the view; the area that was finished, if one was.
pub(super) fn act(ui: &Ui, response: &Response, input: &MapInput<'_>, view: &mut MapView) -> Option<Area> {
    zoom(ui, response, view);
    keys(ui, response, view);
    if response.double_clicked() {
        view.fit_by_hand();
    }
    if response.drag_started() {
        let turns = input.turns && response.drag_started_by(PointerButton::Secondary);
        view.gesture = Some(if turns { Gesture::Turn } else { begin(ui, response, input.tool, view) });
    }
    if response.clicked() || response.drag_started() {
        response.request_focus();
        view.keyboard = false;
    }
    if ui.input(|input| input.key_pressed(Key::Escape)) && matches!(view.gesture, Some(Gesture::Draw { .. })) {
        view.gesture = None;
    }
    if response.dragged() {
        drag(response, view);
    }
    if response.drag_stopped() {
        return view.gesture.take().and_then(|gesture| finish(&gesture, input));
    }
    None
}

/// Shows what the pointer would do.
pub(super) fn cursor(ui: &Ui, response: &Response, tool: Tool, (on_point, view): (bool, &MapView)) {
    if !response.hovered() && !response.dragged() {
        return;
    }
    let icon = match &view.gesture {
        Some(Gesture::Pan) => CursorIcon::Grabbing,
        Some(Gesture::Turn) => CursorIcon::Move,
        Some(Gesture::Draw { .. }) => CursorIcon::Crosshair,
        None if on_point => CursorIcon::PointingHand,
        None if tool != Tool::Pan => CursorIcon::Crosshair,
        None => return,
    };
    ui.ctx().set_cursor_icon(icon);
}

fn begin(ui: &Ui, response: &Response, tool: Tool, view: &MapView) -> Gesture {
    let modifiers = ui.input(|input| input.modifiers);
    let mode = match (modifiers.shift, modifiers.alt) {
        (true, _) => AreaMode::Add,
        (false, true) => AreaMode::Subtract,
        _ => AreaMode::Replace,
    };
    let pans = tool == Tool::Pan && mode == AreaMode::Replace;
    if pans || !response.drag_started_by(PointerButton::Primary) {
        return Gesture::Pan;
    }
    let origin = ui.input(|input| input.pointer.press_origin()).or(response.interact_pointer_pos());
    let corners = origin.map(|pos| view.world(response.rect, pos)).into_iter().collect();
    Gesture::Draw { mode, corners, boxed: tool == Tool::Box }
}

/// How far this frame's drag turns the map, in radians: the width of the map is half a turn.
pub(super) fn turned(response: &Response, view: &MapView) -> Option<[f32; 2]> {
    let moved = response.drag_delta();
    let turns = matches!(view.gesture, Some(Gesture::Turn)) && moved != egui::Vec2::ZERO;
    let scale = std::f32::consts::PI / response.rect.width().max(1.0);
    turns.then_some([moved.x * scale, moved.y * scale])
}

fn drag(response: &Response, view: &mut MapView) {
    match view.gesture.take() {
        Some(Gesture::Turn) => view.gesture = Some(Gesture::Turn),
        Some(Gesture::Pan) => {
            view.gesture = Some(Gesture::Pan);
            let delta = response.drag_delta();
            if delta != egui::Vec2::ZERO {
                view.steer(view.camera.pan(delta.into()));
            }
        }
        Some(Gesture::Draw { mode, mut corners, boxed }) => {
            if let Some(pos) = response.interact_pointer_pos() {
                let corner = view.world(response.rect, pos);
                let far = corners.last().is_none_or(|last| {
                    let step = STEP / view.camera.scale;
                    (last[0] - corner[0]).hypot(last[1] - corner[1]) >= step
                });
                if boxed {
                    corners.truncate(1);
                }
                if far || boxed {
                    corners.push(corner);
                }
            }
            view.gesture = Some(Gesture::Draw { mode, corners, boxed });
        }
        None => {}
    }
}

fn finish(gesture: &Gesture, input: &MapInput<'_>) -> Option<Area> {
    let Gesture::Draw { mode, corners, boxed } = gesture else { return None };
    let positions = match corners[..] {
        [first, last] if *boxed => input.layout.in_rect(first, last),
        _ if *boxed => return None,
        _ => input.layout.inside(corners),
    };
    let shown = positions.into_iter().filter(|&position| input.styles.is_shown(position));
    Some(Area { rows: shown.filter_map(|position| input.layout.row(position)).collect(), mode: *mode })
}

fn zoom(ui: &Ui, response: &Response, view: &mut MapView) {
    let Some(pos) = response.hover_pos() else { return };
    let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
    let factor = pinch * (scroll * 0.004).exp();
    if factor != 1.0 {
        let cursor = (pos - response.rect.min).into();
        view.steer(view.camera.zoom_at(cursor, view.size(), factor));
    }
}

fn keys(ui: &Ui, response: &Response, view: &mut MapView) {
    if response.gained_focus() {
        view.keyboard = !ui.input(|input| input.pointer.any_down() || input.pointer.any_released());
    }
    if !response.has_focus() {
        return;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (pressed, free) = ui.input(|input| {
        let keys = [
            (Key::ArrowLeft, [1.0, 0.0]),
            (Key::ArrowRight, [-1.0, 0.0]),
            (Key::ArrowUp, [0.0, 1.0]),
            (Key::ArrowDown, [0.0, -1.0]),
        ];
        let pan = keys
            .iter()
            .filter(|(key, _)| input.key_pressed(*key))
            .fold([0.0; 2], |sum, (_, step)| [sum[0] + step[0], sum[1] + step[1]]);
        let zoom = i32::from(input.key_pressed(Key::Plus) || input.key_pressed(Key::Equals))
            - i32::from(input.key_pressed(Key::Minus));
        ((pan, zoom, input.key_pressed(Key::Num0)), !input.modifiers.command && !input.modifiers.alt)
    });
    if !free {
        return;
    }
    let ([x, y], zoom, fit) = pressed;
    if x != 0.0 || y != 0.0 {
        view.steer(view.camera.pan(key_step(x, y).into()));
    }
    if zoom != 0 {
        view.zoom(KEY_ZOOM.powi(zoom));
    }
    if fit {
        view.fit_by_hand();
    }
}
