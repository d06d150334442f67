//! The map: a pane-filling widget that shows a layout, lets the hand move through it, and tells what is hovered, clicked and lassoed.
//!
//! Owns the view (which part of the plane is shown), never the data, the selection or the tools; those come in and answers go out.
//! Invariant: an idle or panning frame touches no point on the processor when the graphics processor draws.

mod fallback;
mod gesture;
pub mod gpu;
mod names;
mod paint;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use eframe::egui::{self, Color32, Modifiers, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo};
use eframe::egui_wgpu::RenderState;
use eframe::wgpu::DeviceType;
use egui::emath::GuiRounding as _;

use super::maps::MapLabels;
use crate::picture::{Density, Layout, Styles};
use crate::vectors::RowId;
pub use fallback::PaintRequest;
pub use view::{Covered, MapView};

/// How near to a point, beyond its radius, the pointer finds it; in points of the screen.
const REACH: f32 = 4.0;

/// What dragging does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Moves the picture. With Shift it draws a lasso that adds, with Alt one that subtracts.
    #[default]
    Pan,
    /// Draws a lasso.
    Lasso,
    /// Draws a rectangle.
    Box,
}

/// Who draws the points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MapBackend {
    /// The graphics processor, by [`gpu`].
    Gpu,
    /// Our own raster, shown as a texture; needs nothing.
    #[default]
    Raster,
}

impl MapBackend {
    /// The faster one for a window's adapter; `None` is a window without one. On a software adapter our own raster takes a
    /// third of the time.
    pub fn choose(render_state: Option<&RenderState>) -> Self {
        match render_state.map(|state| state.adapter.get_info().device_type) {
            None | Some(DeviceType::Cpu) => Self::Raster,
            Some(_) => Self::Gpu,
        }
    }
}

/// The theme's colours that a map uses.
#[derive(Clone, Copy, Debug)]
pub struct MapColours {
    /// Behind the points (`plot`).
    pub background: Color32,
    /// Text beside marks.
    pub text: Color32,
    /// Lasso, box and focus.
    pub accent: Color32,
    /// The ring around selected, hovered and marked points: white on dark, near-black on light.
    pub ring: Color32,
}

/// A point drawn in front with a ring: a hit of a query, a neighbour.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Which row.
    pub row: RowId,
    /// The fill; `None` for the point's own colour.
    pub colour: Option<Color32>,
    /// A short text beside it, usually the rank; empty for none.
    pub label: String,
}

/// A line between two points of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// One end.
    pub from: RowId,
    /// The other end.
    pub to: RowId,
    /// Its colour.
    pub colour: Color32,
    /// Whether it is dashed.
    pub dashed: bool,
}

/// Everything a map shows in one frame.
#[derive(Clone, Copy)]
pub struct MapInput<'a> {
    /// Tells the maps of a window apart.
    pub id: &'a str,
    /// What a screen reader says, for example "Map of MiniLM by t-SNE, 9,000 points".
    pub label: &'a str,
    /// Where the points are.
    pub layout: &'a Arc<Layout>,
    /// How they look, the selection included.
    pub styles: &'a Arc<Styles>,
    /// How dense the points are, to be shown under them; `None` for not.
    pub density: Option<&'a Arc<Density>>,
    /// The row that any pane hovers.
    pub hovered: Option<RowId>,
    /// The row that the inspector shows.
    pub focused: Option<RowId>,
    /// Points to mark, the first in front.
    pub marked: &'a [Mark],
    /// Lines between points, under the marks.
    pub lines: &'a [Line],
    /// A place of no row, marked with a cross: where the query would lie.
    pub pin: Option<[f32; 2]>,
    /// Names of clusters at their places; `None` for none.
    pub names: Option<&'a MapLabels>,
    /// Whether dragging with the secondary button turns the map, which is one of three dimensions.
    pub turns: bool,
    /// What cards cover of it.
    pub covered: Covered,
    /// Radius of a point in points of the screen, 0.5 to 12, usually 2.5.
    pub point_size: f32,
    /// Opacity of all but the selected points, 0 to 1, usually 0.85.
    pub opacity: f32,
    /// What dragging does.
    pub tool: Tool,
    /// The theme's colours.
    pub colours: MapColours,
    /// Who draws the points.
    pub backend: MapBackend,
}

/// How an area changes the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AreaMode {
    /// The rows become the selection.
    Replace,
    /// The rows join the selection (Shift).
    Add,
    /// The rows leave the selection (Alt).
    Subtract,
}

/// Rows that were encircled.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// The rows inside, hidden categories left out, by ascending position; may be empty.
    pub rows: Vec<RowId>,
    /// What to do with them.
    pub mode: AreaMode,
}

/// What happened on a map in one frame.
pub struct MapResponse {
    /// The widget's response, for context menus and tooltips.
    pub response: Response,
    /// The row under the pointer.
    pub hovered: Option<RowId>,
    /// Where that row is on the screen; the place for a hover card.
    pub hovered_at: Option<Pos2>,
    /// A row was clicked, with the modifier keys held.
    pub clicked: Option<(RowId, Modifiers)>,
    /// A row was clicked with the secondary button; its context menu opens at the response.
    pub secondary_clicked: Option<RowId>,
    /// The empty background was clicked.
    pub background_clicked: bool,
    /// A lasso or box was finished.
    pub area: Option<Area>,
    /// The map was turned by so many radians about the vertical and the horizontal axis.
    pub turned: Option<[f32; 2]>,
    /// Where the pin is on the screen, while the pointer is on it.
    pub pin_hovered: Option<Pos2>,
    /// A picture of the points that a job is to paint: only where no graphics processor draws.
    pub to_paint: Option<PaintRequest>,
}

/// Shows a map in all the room there is.
pub fn show(ui: &mut Ui, input: &MapInput<'_>, view: &mut MapView) -> MapResponse {
    let rect = ui.available_rect_before_wrap().round_to_pixels(ui.pixels_per_point());
    let id = ui.make_persistent_id(("map", input.id));
    ui.advance_cursor_after_rect(rect);
    let response = ui.interact(rect, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, ui.is_enabled(), input.label));

    view.frame(ui, input.layout, (rect.size(), input.covered));
    let area = gesture::act(ui, &response, input, view);
    let at = |pos: Option<Pos2>| pos.filter(|pos| rect.contains(*pos)).and_then(|pos| pick(input, view, rect, pos));
    let hovered = if view.gesture.is_some() { None } else { at(response.hover_pos()) };
    let pressed_at = response.interact_pointer_pos();
    let clicked_on = if response.clicked() { at(pressed_at) } else { None };
    let secondary_clicked = if response.secondary_clicked() { at(pressed_at) } else { None };
    let background_clicked = response.clicked() && pressed_at.is_some() && clicked_on.is_none();
    let mut to_paint = None;
    if ui.is_rect_visible(rect) {
        to_paint = paint::points(ui, rect, input, view);
        paint::overlay(ui, &response, input, view);
    }
    gesture::cursor(ui, &response, input.tool, (hovered.is_some(), view));

    let row = |position: usize| input.layout.row(position);
    MapResponse {
        pin_hovered: pin_under(input, view, (rect, response.hover_pos())),
        hovered: hovered.and_then(row),
        hovered_at: hovered.and_then(|position| view.on_screen(input.layout, rect, position)),
        clicked: clicked_on.and_then(row).map(|row| (row, ui.input(|input| input.modifiers))),
        secondary_clicked: secondary_clicked.and_then(row),
        background_clicked,
        area,
        turned: gesture::turned(&response, view),
        to_paint,
        response,
    }
}

/// The pin's place, where the pointer is on it.
fn pin_under(input: &MapInput<'_>, view: &MapView, (rect, pos): (Rect, Option<Pos2>)) -> Option<Pos2> {
    let at = view.screen(rect, input.pin?);
    pos.filter(|pos| rect.contains(at) && pos.distance(at) < paint::PIN + REACH).map(|_| at)
}

/// The position under a place of the screen.
fn pick(input: &MapInput<'_>, view: &MapView, rect: Rect, pos: Pos2) -> Option<usize> {
    let radius = (input.point_size + REACH) / view.camera.scale;
    let world = view.world(rect, pos);
    input.layout.nearest(world, radius, &|position| input.styles.is_shown(position))
}
