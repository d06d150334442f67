//! How the middle of the window is divided: tiles that can be dragged and resized, and how their tabs look.

use std::cell::Cell;

use eframe::egui::{self, Color32, Response, Stroke, Ui, Visuals, WidgetText};
use egui_tiles::{Container, Linear, LinearDir, SimplificationOptions, TabState, TileId, Tiles, Tree, UiResponse};

use super::context::{Context, MapChoice};
use super::panes::{compare, items, map_pane, query};
use super::state::WindowState;
use super::theme::Theme;
use super::widgets;

/// A pane of the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The shown model's map.
    Map,
    /// The item list.
    Items,
    /// The query and its hits.
    Query,
    /// The map in one place of Compare.
    CompareMap(usize),
    /// The same query answered by each model.
    CompareQuery,
}

/// Explore: the map with the item list behind it, the query below.
pub fn explore_tree() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let map = tiles.insert_pane(Pane::Map);
    let items = tiles.insert_pane(Pane::Items);
    let tabs = tiles.insert_tab_tile(vec![map, items]);
    let query = tiles.insert_pane(Pane::Query);
    let root = Linear::new_binary(LinearDir::Vertical, [tabs, query], 0.74);
    let root = tiles.insert_container(Container::Linear(root));
    Tree::new(egui::Id::unique("explore"), root, tiles)
}

/// Compare: `maps` maps side by side, the query's lists below.
pub fn compare_tree(maps: usize) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let panes: Vec<TileId> = (0..maps).map(|place| tiles.insert_pane(Pane::CompareMap(place))).collect();
    let row = tiles.insert_horizontal_tile(panes);
    let query = tiles.insert_pane(Pane::CompareQuery);
    let root = Linear::new_binary(LinearDir::Vertical, [row, query], 0.56);
    let root = tiles.insert_container(Container::Linear(root));
    Tree::new(egui::Id::unique("compare"), root, tiles)
}

/// Paints a tree of panes.
pub fn show(ui: &mut Ui, tree: &mut Tree<Pane>, ctx: &Context<'_>, state: &mut WindowState) {
    tree.ui(&mut Behaviour { ctx, state, active: Cell::new(false) }, ui);
}

struct Behaviour<'a, 'b> {
    ctx: &'a Context<'b>,
    state: &'a mut WindowState,
    /// Whether the tab being painted is the active one.
    active: Cell<bool>,
}

impl Behaviour<'_, '_> {
    fn title(&self, pane: Pane) -> String {
        match pane {
            Pane::Map => match self.ctx.shown_model() {
                Some(model) => {
                    let method = model.map.method.map_or(String::new(), |method| format!(" · {}", method.name()));
                    let part = model.map.part.as_ref().map(|part| part.rows.len());
                    let part =
                        part.map_or(String::new(), |rows| format!(" · {} selected", widgets::thousands(rows as u64)));
                    format!("Map · {}{method}{part}", model.card.name)
                }
                None => "Map".to_owned(),
            },
            Pane::Items => "Items".to_owned(),
            Pane::Query | Pane::CompareQuery => "Query".to_owned(),
            Pane::CompareMap(place) => format!("Map {}", place + 1),
        }
    }
}

impl egui_tiles::Behavior<Pane> for Behaviour<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, _id: TileId, pane: &mut Pane) -> UiResponse {
        let (ctx, state) = (self.ctx, &mut *self.state);
        match *pane {
            Pane::Map => match ctx.shown_model() {
                Some(model) => map_pane::show(ui, ctx, state, model, ("explore", MapChoice::Shown)),
                None => map_pane::nothing(ui, ctx),
            },
            Pane::Items => items::show(ui, ctx, state),
            Pane::Query => query::show(ui, ctx, state),
            Pane::CompareMap(place) => compare::map(ui, ctx, state, place),
            Pane::CompareQuery => compare::lists(ui, ctx, state),
        }
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        self.title(*pane).into()
    }

    fn top_bar_right_ui(
        &mut self,
        tiles: &Tiles<Pane>,
        ui: &mut Ui,
        _id: TileId,
        tabs: &egui_tiles::Tabs,
        _scroll: &mut f32,
    ) {
        if tabs.active.and_then(|id| tiles.get_pane(&id)) == Some(&Pane::Map) {
            ui.add_space(10.0);
            map_pane::tools(ui, self.ctx);
        }
    }

    fn on_tab_button(&mut self, _tiles: &mut Tiles<Pane>, _id: TileId, response: Response) -> Response {
        if self.active.take() {
            let line = Stroke::new(2.0, self.ctx.theme.accent);
            let painter = response.ctx.layer_painter(response.layer_id);
            painter.hline(response.rect.x_range().shrink(2.0), response.rect.bottom() - 1.0, line);
        }
        response.on_hover_text("Drag to put it elsewhere")
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        34.0
    }

    fn tab_title_spacing(&self, _visuals: &Visuals) -> f32 {
        12.0
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> Color32 {
        visuals.panel_fill
    }

    fn tab_bg_color(&self, _: &Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Color32 {
        Color32::TRANSPARENT
    }

    fn tab_outline_stroke(&self, _: &Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(&self, _visuals: &Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> Color32 {
        self.active.set(state.active);
        if state.active { self.ctx.theme.text } else { self.ctx.theme.dim }
    }

    fn paint_on_top_of_tile(&self, _: &egui::Painter, _: &egui::Style, _: TileId, _: egui::Rect) {}

    fn resize_stroke(&self, _style: &egui::Style, state: egui_tiles::ResizeState) -> Stroke {
        match state {
            egui_tiles::ResizeState::Idle => Stroke::new(1.0, self.ctx.theme.line),
            _ => Stroke::new(2.0, self.ctx.theme.accent),
        }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: false, ..SimplificationOptions::default() }
    }

    fn min_size(&self) -> f32 {
        90.0
    }
}

/// The theme's separator between the header of a pane and its content.
pub fn header(ui: &mut Ui, theme: &Theme, height: f32, content: impl FnOnce(&mut Ui)) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), height), egui::Sense::hover());
    ui.painter().rect_filled(rect, 0.0, theme.panel);
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, theme.line));
    let inner = rect.shrink2(egui::vec2(12.0, 0.0));
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    ui.scope_builder(egui::UiBuilder::new().max_rect(inner).layout(layout), content);
}

/// Padding of panes that hold lists.
pub fn padded(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let fill = Theme::of(ui.ctx()).panel;
    let margin = egui::Margin { left: 14, right: 14, top: 10, bottom: 0 };
    egui::Frame::new().fill(fill).inner_margin(margin).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        content(ui);
    });
}

/// The line that says a pane is a part of something bigger, for lists cut short.
pub fn more(ui: &mut Ui, hidden: usize) {
    if hidden > 0 {
        widgets::faint(ui, format!("{} more", widgets::thousands(hidden as u64)));
    }
}
