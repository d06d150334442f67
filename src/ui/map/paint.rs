//! What a map paints: the points by one of its backends, and over them hover, marks, lasso and focus.
//!
//! Changes nothing but the view's own caches. Invariant: the overlay's cost grows with marks, never with points.

use eframe::egui::{Align2, Color32, FontId, Pos2, Rect, Response, Shape, Stroke, StrokeKind, Ui, vec2};

use super::fallback::Scene;
use super::gesture::Gesture;
use super::gpu::Drawing;
use super::{MapBackend, MapInput, MapView, PaintRequest, names};
use crate::picture::Colour;

/// How far the pin's arms reach, in points of the screen.
pub(super) const PIN: f32 = 9.0;
/// Size of the text beside a mark.
const LABEL: f32 = 11.0;

/// Background and points; gives the picture that a job is to paint, where no graphics processor does.
pub(super) fn points(ui: &Ui, rect: Rect, input: &MapInput<'_>, view: &mut MapView) -> Option<PaintRequest> {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 0.0, input.colours.background);
    if input.layout.is_empty() {
        return None;
    }
    match input.backend {
        MapBackend::Gpu => {
            // How dense the points are is painted by a job for either backend, and lies under them.
            let scene = Scene { input, rect, camera: view.camera, points: false };
            let to_paint = input.density.and_then(|_| view.fallback.paint(ui, &painter, &scene));
            let drawing = Drawing {
                buffers: view.buffers.clone(),
                layout: input.layout.clone(),
                styles: input.styles.clone(),
                camera: view.camera,
                rect,
                radius: input.point_size,
                opacity: input.opacity,
                ring: colour(input.colours.ring),
            };
            painter.add(drawing.into_shape());
            to_paint
        }
        MapBackend::Raster => {
            let scene = Scene { input, rect, camera: view.camera, points: true };
            view.fallback.paint(ui, &painter, &scene)
        }
    }
}

/// Everything that is not a point.
pub(super) fn overlay(ui: &Ui, response: &Response, input: &MapInput<'_>, view: &MapView) {
    let rect = response.rect;
    let painter = ui.painter_at(rect);
    let place = |row| {
        let position = input.layout.position_of(row)?;
        let at = view.on_screen(input.layout, rect, position)?;
        let seen = rect.expand(20.0).contains(at) && input.styles.is_shown(position);
        seen.then(|| (at, color32(input.styles.full_colour(position))))
    };
    let radius = (input.point_size * 1.6).max(5.0);
    for line in input.lines {
        let end = |row| view.on_screen(input.layout, rect, input.layout.position_of(row)?);
        if let Some((from, to)) = end(line.from).zip(end(line.to)) {
            let stroke = Stroke::new(1.25, line.colour);
            match line.dashed {
                true => painter.extend(Shape::dashed_line(&[from, to], stroke, 4.0, 4.0)),
                false => _ = painter.line_segment([from, to], stroke),
            }
        }
    }
    if let Some(names) = input.names {
        names::paint(ui, rect, (names, input), view);
    }
    let ring = |width: f32| Stroke::new(width, input.colours.ring);
    for mark in input.marked.iter().rev() {
        if let Some((at, own)) = place(mark.row) {
            painter.circle(at, radius, mark.colour.unwrap_or(own), ring(1.5));
            if !mark.label.is_empty() {
                label(ui, at + vec2(radius + 3.0, -radius), &mark.label, (rect, input));
            }
        }
    }
    if let Some(at) = input.pin {
        pin(&painter, view.screen(rect, at), input);
    }
    if let Some((at, own)) = input.focused.and_then(place) {
        painter.circle(at, radius + 1.0, own, ring(2.0));
    }
    if let Some((at, own)) = input.hovered.and_then(place) {
        painter.circle(at, radius, own, ring(1.5));
    }
    if let Some(Gesture::Draw { corners, boxed, .. }) = &view.gesture {
        let corners: Vec<Pos2> = corners.iter().map(|&corner| view.screen(rect, corner)).collect();
        area(ui, rect, (&corners, *boxed), input.colours.accent);
    }
    if response.has_focus() && view.keyboard {
        painter.rect_stroke(rect, 0.0, Stroke::new(1.5, input.colours.accent), StrokeKind::Inside);
    }
}

/// A cross in the accent's colour with an open middle, on a patch of the background: no point looks like it.
fn pin(painter: &eframe::egui::Painter, at: Pos2, input: &MapInput<'_>) {
    for (width, colour) in [(5.0, input.colours.background), (2.0, input.colours.accent)] {
        let stroke = Stroke::new(width, colour);
        painter.circle_stroke(at, PIN * 0.5, stroke);
        for arm in [vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0)] {
            painter.line_segment([at + arm * PIN * 0.5, at + arm * PIN * 1.25], stroke);
        }
    }
}

/// A lasso or box being drawn.
fn area(ui: &Ui, rect: Rect, (corners, boxed): (&[Pos2], bool), accent: Color32) {
    let painter = ui.painter_at(rect);
    let (Some(&first), Some(&last)) = (corners.first(), corners.last()) else { return };
    if boxed {
        let drawn = Rect::from_two_pos(first, last);
        painter.rect(drawn, 2.0, accent.gamma_multiply(0.12), Stroke::new(1.5, accent), StrokeKind::Middle);
        return;
    }
    painter.add(Shape::line(corners.to_vec(), Stroke::new(1.75, accent)));
    painter.extend(Shape::dashed_line(&[last, first], Stroke::new(1.0, accent.gamma_multiply(0.7)), 4.0, 4.0));
}

/// A short text on a patch of the background, so that it reads over points.
fn label(ui: &Ui, at: Pos2, text: &str, (rect, input): (Rect, &MapInput<'_>)) {
    let painter = ui.painter_at(rect);
    let galley = painter.layout_no_wrap(text.to_owned(), FontId::proportional(LABEL), input.colours.text);
    let place = Align2::LEFT_CENTER.anchor_size(at, galley.size());
    painter.rect_filled(place.expand2(vec2(3.0, 0.0)), 3.0, input.colours.background.gamma_multiply(0.8));
    painter.galley(place.min, galley, input.colours.text);
}

/// A colour of the data, as the toolkit has it.
pub(super) fn color32(colour: Colour) -> Color32 {
    let [r, g, b, a] = colour.0;
    Color32::from_rgba_unmultiplied(r, g, b, a)
}

/// A colour of the theme, as pictures have it.
pub(super) fn colour(color: Color32) -> Colour {
    Colour(color.to_srgba_unmultiplied())
}
