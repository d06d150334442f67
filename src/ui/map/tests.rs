//! The map as its user meets it: by its name, the pointer and the keys; and once as pixels, where an adapter is there.

use std::sync::{Arc, Mutex};

use eframe::egui::{Color32, Event, Key, Modifiers, PointerButton, Pos2, Vec2, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use rand::{Rng, SeedableRng};

use super::*;
use crate::picture::{Colour, StyleRequest, Values};

const SIZE: Vec2 = vec2(600.0, 400.0);

struct State {
    layout: Arc<Layout>,
    styles: Arc<Styles>,
    view: MapView,
    tool: Tool,
    backend: MapBackend,
    hovered: Option<RowId>,
    clicked: Option<RowId>,
    background: bool,
    area: Option<Area>,
    covered: Covered,
    marks: Vec<Mark>,
}

impl State {
    fn new(points: Vec<[f32; 2]>, selected: &[u32]) -> Self {
        let len = points.len();
        let names: Arc<[String]> = (0..6).map(|i| format!("category {i}")).collect();
        let ids = points.iter().map(|p| ((p[0] + p[1]).abs() * 0.7) as u32 % 7).collect();
        let values = Values::Categories { names, ids };
        let styles = StyleRequest { selected, ..StyleRequest::new("Category", &values) }.make(len);
        let layout = Layout::new((0..len as u32).map(RowId).collect(), points.into());
        Self {
            layout: Arc::new(layout),
            styles: Arc::new(styles),
            view: MapView::default(),
            tool: Tool::Pan,
            backend: MapBackend::Raster,
            hovered: None,
            clicked: None,
            background: false,
            area: None,
            covered: Covered::default(),
            marks: Vec::new(),
        }
    }

    fn show(&mut self, ui: &mut Ui) {
        let colours = MapColours {
            background: paint::color32(Colour::hex(0x101215)),
            text: paint::color32(Colour::hex(0xe6e8ec)),
            accent: paint::color32(Colour::hex(0x5aa9ff)),
            ring: Color32::WHITE,
        };
        let input = MapInput {
            density: None,
            id: "test",
            label: "Map of four points",
            lines: &[],
            names: None,
            pin: None,
            turns: false,
            covered: self.covered,
            layout: &self.layout,
            styles: &self.styles,
            hovered: self.hovered,
            focused: None,
            marked: &self.marks,
            point_size: 2.5,
            opacity: 0.85,
            tool: self.tool,
            colours,
            backend: self.backend,
        };
        let answer = show(ui, &input, &mut self.view);
        self.hovered = answer.hovered;
        self.clicked = answer.clicked.map(|(row, _)| row).or(self.clicked);
        self.background |= answer.background_clicked;
        self.area = answer.area.or(self.area.take());
        if let Some(request) = answer.to_paint {
            request.paint();
            ui.ctx().request_repaint();
        }
    }
}

type Map = Harness<'static, State>;

fn four() -> Map {
    let points = vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [f32::NAN, 1.0]];
    let mut map = Harness::builder()
        .with_size(SIZE)
        .with_step_dt(1.0 / 60.0)
        .build_ui_state(|ui, state: &mut State| state.show(ui), State::new(points, &[]));
    map.run();
    map
}

/// Where a position is on the screen.
fn at(map: &Map, position: usize) -> Pos2 {
    let rect = map.get_by_label("Map of four points").rect();
    let state = map.state();
    state.view.on_screen(&state.layout, rect, position).unwrap()
}

fn press(map: &mut Map, at: Pos2, pressed: bool, modifiers: Modifiers) {
    map.event_modifiers(Event::PointerMoved(at), modifiers);
    map.event_modifiers(
        Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers },
        modifiers,
    );
    map.step();
}

fn drag(map: &mut Map, path: &[Pos2], modifiers: Modifiers) {
    press(map, path[0], true, modifiers);
    for &pos in &path[1..] {
        map.event_modifiers(Event::PointerMoved(pos), modifiers);
        map.step();
    }
    press(map, path[path.len() - 1], false, modifiers);
    map.run();
}

#[test]
fn a_point_is_hovered_and_clicked_and_the_ground_is_not() {
    let mut map = four();
    let place = at(&map, 2);
    map.hover_at(place + vec2(3.0, 2.0));
    map.run();
    assert_eq!(map.state().hovered, Some(RowId(2)));
    press(&mut map, place, true, Modifiers::NONE);
    press(&mut map, place, false, Modifiers::NONE);
    map.run();
    assert_eq!(map.state().clicked, Some(RowId(2)));
    assert!(!map.state().background);
    let empty = place + vec2(0.0, 120.0);
    press(&mut map, empty, true, Modifiers::NONE);
    press(&mut map, empty, false, Modifiers::NONE);
    map.run();
    assert!(map.state().background);
}

#[test]
fn dragging_pans_and_fit_comes_back() {
    let mut map = four();
    let before = at(&map, 1);
    let from = pos2(300.0, 200.0);
    drag(&mut map, &[from, from + vec2(20.0, 0.0), from + vec2(40.0, 10.0)], Modifiers::NONE);
    let moved = at(&map, 1) - before;
    assert!((moved - vec2(40.0, 10.0)).length() < 1.0, "{moved:?}");
    assert!(!map.state().view.follows());
    map.state_mut().view.fit();
    map.run();
    assert!((at(&map, 1) - before).length() < 1.0);
}

#[test]
fn a_lasso_adds_and_a_box_replaces() {
    let mut map = four();
    let (a, b) = (at(&map, 0), at(&map, 3));
    let around = [
        a + vec2(-15.0, 15.0),
        b + vec2(-15.0, -15.0),
        b + vec2(15.0, -15.0),
        a + vec2(15.0, 15.0),
        a + vec2(-14.0, 15.0),
    ];
    drag(&mut map, &around, Modifiers::SHIFT);
    assert_eq!(map.state().area, Some(Area { rows: vec![RowId(0), RowId(3)], mode: AreaMode::Add }));
    map.state_mut().tool = Tool::Box;
    let (from, to) = (at(&map, 1) + vec2(15.0, 15.0), at(&map, 2) + vec2(-15.0, -15.0));
    drag(&mut map, &[from, from.lerp(to, 0.5), to], Modifiers::NONE);
    assert_eq!(map.state().area, Some(Area { rows: vec![RowId(1), RowId(2)], mode: AreaMode::Replace }));
}

#[test]
fn fitted_points_stay_clear_of_cards() {
    let mut map = four();
    let wide = at(&map, 1).x - at(&map, 0).x;
    for corner in [vec2(200.0, 390.0), vec2(560.0, 120.0), vec2(200.0, 150.0)] {
        map.state_mut().covered = Covered { corner, foot: 40.0 };
        map.run();
        let rect = map.get_by_label("Map of four points").rect();
        let card =
            Rect::from_min_max(pos2(rect.right() - corner.x, rect.top()), pos2(rect.right(), rect.top() + corner.y));
        for position in 0..4 {
            let place = at(&map, position);
            assert!(!card.expand(20.0).contains(place) && place.y < rect.bottom() - 60.0, "{corner:?}: {place:?}");
        }
        assert!(at(&map, 1).x - at(&map, 0).x > 0.5 * wide, "{corner:?}: the map is not made tiny");
    }
}

#[test]
fn a_few_far_points_do_not_make_the_others_small() {
    let mut map = four();
    let mut points: Vec<[f32; 2]> = (0..900).map(|i| [(i % 30) as f32, (i / 30) as f32]).collect();
    points.push([4000.0, 15.0]);
    *map.state_mut() = State::new(points, &[]);
    map.run();
    let rect = map.get_by_label("Map of four points").rect();
    assert!((at(&map, 899) - at(&map, 0)).length() > 300.0);
    assert!(!rect.contains(at(&map, 900)) && map.state().view.outside() == 1);
    map.state_mut().view.fit_by_hand();
    map.run();
    assert!(rect.contains(at(&map, 900)) && map.state().view.outside() == 0);
    map.state_mut().view.fit_by_hand();
    map.run();
    assert_eq!(map.state().view.outside(), 1);
}

#[test]
fn keys_move_a_focused_map() {
    let mut map = four();
    map.get_by_label("Map of four points").focus();
    map.run();
    let before = at(&map, 0);
    map.key_press(Key::ArrowLeft);
    map.run();
    assert!((at(&map, 0).x - before.x - 60.0).abs() < 1.0);
    let width = at(&map, 1).x - at(&map, 0).x;
    map.key_press(Key::Plus);
    map.run();
    assert!((at(&map, 1).x - at(&map, 0).x) / width > 1.2);
    map.key_press(Key::Num0);
    map.run();
    assert!((at(&map, 0) - before).length() < 1.0);
}

#[test]
fn a_moving_layout_is_followed_until_the_user_steers() {
    let mut map = four();
    let grow = |map: &mut Map, factor: f32| {
        let points = map.state().layout.points().iter().map(|p| [p[0] * factor, p[1] * factor]).collect();
        map.state_mut().layout = Arc::new(Layout::new(map.state().layout.rows().clone(), points));
        map.run();
    };
    let before = at(&map, 2);
    grow(&mut map, 1.5);
    assert!((at(&map, 2) - before).length() < 1.0);
    map.state_mut().view.zoom(2.0);
    map.run();
    let steered = at(&map, 2);
    grow(&mut map, 1.2);
    assert!((at(&map, 2) - steered).length() > 5.0);
    map.state_mut().view.show_row(RowId(0));
    map.run();
    assert!((at(&map, 0) - (SIZE * 0.5).to_pos2()).length() < 20.0);
}

#[test]
fn a_fitted_map_stays_where_a_point_at_its_edge_is_shown() {
    let mut map = four();
    let before = at(&map, 0);
    for position in 0..4 {
        map.state_mut().view.show_row(RowId(position));
        map.run();
        assert!((at(&map, 0) - before).length() < 1.0, "{position} is in view already");
    }
    assert!(map.state().view.follows());
}

/// Tests that draw take turns.
static ONE: Mutex<()> = Mutex::new(());

/// A renderer that knows the maps; `None` where this machine has no adapter.
fn renderer() -> Option<egui_kittest::wgpu::WgpuTestRenderer> {
    let made = std::panic::catch_unwind(|| {
        let setup = egui_kittest::wgpu::default_wgpu_setup();
        egui_kittest::wgpu::create_render_state(setup, eframe::egui_wgpu::RendererOptions::PREDICTABLE)
    });
    let render_state = made.ok()?;
    gpu::register(&render_state);
    Some(egui_kittest::wgpu::WgpuTestRenderer::from_render_state(render_state))
}

/// A scene of nine clouds with a selection and marks; `None` where this machine has no adapter.
fn scene(backend: MapBackend, len: usize) -> Option<Map> {
    let renderer = renderer()?;
    let mut rng = rand_pcg::Pcg64::seed_from_u64(8);
    let points = (0..len)
        .map(|i| {
            let (angle, spread) = ((i % 9) as f32, rng.random::<f32>() * rng.random::<f32>() * 6.0);
            let turn = rng.random::<f32>() * std::f32::consts::TAU;
            [angle.sin() * 8.0 + spread * turn.cos(), angle.cos() * 6.0 + spread * turn.sin()]
        })
        .collect();
    let selected: Vec<u32> = (0..12).map(|i| i * 9 + 4).collect();
    let mut state = State::new(points, &selected);
    state.backend = backend;
    state.marks = (0..3)
        .map(|i| Mark {
            row: RowId(i * 9 + 1),
            colour: Some(paint::color32(Colour::hex(0xb48ef2))),
            label: format!("{}", i + 1),
        })
        .collect();
    let mut map = Harness::builder()
        .with_size(SIZE)
        .renderer(renderer)
        .build_ui_state(|ui, state: &mut State| state.show(ui), state);
    map.run();
    Some(map)
}

fn pixels(backend: MapBackend) -> Option<image::RgbaImage> {
    Some(scene(backend, 3000)?.render().unwrap())
}

#[test]
#[allow(clippy::print_stderr)]
fn both_backends_draw_the_same_picture() {
    let _one_adapter_at_a_time = ONE.lock();
    let (Some(gpu), Some(raster)) = (pixels(MapBackend::Gpu), pixels(MapBackend::Raster)) else {
        eprintln!("skipped: no graphics adapter, not even a software one");
        return;
    };
    if let Some(folder) = std::env::var_os("EMBEDLENS_PICTURES") {
        let folder = std::path::PathBuf::from(folder);
        gpu.save(folder.join("map-gpu.png")).unwrap();
        raster.save(folder.join("map-raster.png")).unwrap();
    }
    let apart = |a: &image::Rgba<u8>, b: &image::Rgba<u8>| (0..3).map(|i| a.0[i].abs_diff(b.0[i])).max().unwrap();
    let different = gpu.pixels().zip(raster.pixels()).filter(|(a, b)| apart(a, b) > 60).count();
    let drawn = gpu.pixels().filter(|p| apart(p, &image::Rgba([0x10, 0x12, 0x15, 255])) > 30).count();
    assert!(drawn > 10_000, "{drawn} pixels drawn");
    assert!(different * 100 < drawn, "{different} of {drawn} pixels differ");
}

#[test]
#[allow(clippy::print_stderr)]
fn maps_side_by_side_keep_their_own_points() {
    let _one_adapter_at_a_time = ONE.lock();
    let Some(renderer) = renderer() else {
        eprintln!("skipped: no graphics adapter, not even a software one");
        return;
    };
    let one = |colour: u32| {
        let mut state = State::new(vec![[3.0, 4.0]], &[]);
        state.styles = Arc::new(StyleRequest::new("x", &Values::Uniform(Colour::hex(colour))).make(1));
        state.backend = MapBackend::Gpu;
        state
    };
    let show = |ui: &mut Ui, pair: &mut [State; 2]| {
        ui.columns(2, |columns| {
            for (index, (column, state)) in columns.iter_mut().zip(pair).enumerate() {
                column.push_id(index, |ui| state.show(ui));
            }
        });
    };
    let pair = [one(0xff0000), one(0x00ff00)];
    let mut maps = Harness::builder().with_size(SIZE).renderer(renderer).build_ui_state(show, pair);
    maps.run();
    let picture = maps.render().unwrap();
    let count = |from: u32, channel: usize| {
        let half = picture.enumerate_pixels().filter(|(x, ..)| (from..from + 300).contains(x));
        half.filter(|(_, _, p)| p.0[channel] > 150 && p.0[1 - channel] < 60).count()
    };
    assert!(count(0, 0) > 4 && count(300, 1) > 4, "{} {}", count(0, 0), count(300, 1));
    assert_eq!((count(0, 1), count(300, 0)), (0, 0));
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr)]
fn how_long_a_frame_takes() {
    use eframe::egui_wgpu::{CallbackTrait as _, ScreenDescriptor};
    let setup = egui_kittest::wgpu::default_wgpu_setup();
    let state = egui_kittest::wgpu::create_render_state(setup, eframe::egui_wgpu::RendererOptions::PREDICTABLE);
    gpu::register(&state);
    for len in [100_000, 1_000_000] {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(8);
        let points = (0..len).map(|_| [rng.random::<f32>() * 9.0, rng.random()]).collect();
        let scene = State::new(points, &[1, 5, 9]);
        let drawing = gpu::Drawing {
            buffers: gpu::Buffers::default(),
            layout: scene.layout.clone(),
            styles: scene.styles.clone(),
            camera: crate::picture::Camera::default(),
            rect: Rect::from_min_size(Pos2::ZERO, SIZE),
            radius: 2.5,
            opacity: 0.9,
            ring: Colour::hex(0xffffff),
        };
        let screen = ScreenDescriptor { size_in_pixels: [600, 400], pixels_per_point: 1.0 };
        let mut encoder = state.device.create_command_encoder(&eframe::wgpu::CommandEncoderDescriptor::default());
        let mut renderer = state.renderer.write();
        let mut prepare =
            || drawing.prepare(&state.device, &state.queue, &screen, &mut encoder, &mut renderer.callback_resources);
        let start = std::time::Instant::now();
        prepare();
        eprintln!("first frame of {len} points, upload: {:?}", start.elapsed());
        let start = std::time::Instant::now();
        for _ in 0..1000 {
            prepare();
        }
        eprintln!("idle frame of {len} points: {:?}", start.elapsed() / 1000);
        drop(renderer);
        state.queue.submit([]);
    }
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr)]
fn how_long_backends_take() {
    for len in [20_000, 100_000, 300_000] {
        for backend in [MapBackend::Gpu, MapBackend::Raster] {
            let Some(mut map) = scene(backend, len) else { return };
            map.render().unwrap();
            let start = std::time::Instant::now();
            for i in 0..5 {
                map.state_mut().view.zoom(if i % 2 == 0 { 1.1 } else { 1.0 / 1.1 });
                map.run();
                map.render().unwrap();
            }
            eprintln!("{backend:?} of {len}: {:?} a frame", start.elapsed() / 5);
        }
    }
}
