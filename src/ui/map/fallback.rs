//! Points without a graphics processor: the CPU raster, shown as a texture.
//!
//! Rasters only when something changed. Invariant: while a picture that is slow to paint is being moved, the last one is shown
//! stretched to the new view, and the sharp one follows as soon as the view rests.

use std::time::{Duration, Instant};

use eframe::egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, Ui, Vec2, pos2};

use super::MapInput;
use super::paint::colour;
use crate::picture::{Camera, Raster, raster};

/// Painting that takes longer waits until the view rests.
const SLOW: Duration = Duration::from_millis(24);

/// What to show in one frame.
pub(super) struct Scene<'a> {
    pub(super) input: &'a MapInput<'a>,
    pub(super) rect: Rect,
    pub(super) camera: Camera,
}

/// Everything but the camera that the texture depends on.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    ids: [u64; 2],
    size: [u32; 2],
    look: [f32; 3],
    colours: [Color32; 2],
}

/// The last picture and what it shows.
#[derive(Default)]
pub(super) struct Fallback {
    texture: Option<TextureHandle>,
    key: Option<Key>,
    /// The view in the texture.
    camera: Camera,
    /// The view asked for in the last frame.
    asked: Camera,
    took: Duration,
}

impl Fallback {
    pub(super) fn paint(&mut self, ui: &Ui, painter: &Painter, scene: &Scene<'_>) {
        let key = key_of(ui, scene);
        let moving = self.asked != scene.camera;
        self.asked = scene.camera;
        let same = self.key == Some(key);
        if !same || (self.camera != scene.camera && !(moving && self.took > SLOW)) {
            self.render(ui, scene, key);
        } else if self.camera != scene.camera {
            ui.ctx().request_repaint();
        }
        if let Some(texture) = &self.texture {
            let size: [f32; 2] = scene.rect.size().into();
            let corner = |at: [f32; 2]| {
                scene.rect.min + Vec2::from(scene.camera.to_screen(self.camera.to_world(at, size), size))
            };
            let drawn = if self.camera == scene.camera {
                scene.rect
            } else {
                Rect::from_min_max(corner([0.0, 0.0]), corner(size))
            };
            painter.image(texture.id(), drawn, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
    }

    fn render(&mut self, ui: &Ui, scene: &Scene<'_>, key: Key) {
        let start = Instant::now();
        let pixels_per_point = ui.pixels_per_point();
        let input = scene.input;
        let image = raster(&Raster {
            layout: input.layout,
            styles: input.styles,
            camera: Camera { scale: scene.camera.scale * pixels_per_point, ..scene.camera },
            size: key.size,
            radius: input.point_size * pixels_per_point,
            opacity: input.opacity,
            background: colour(input.colours.background),
            ring: colour(input.colours.ring),
            pixels_per_point,
        });
        let size = [image.width() as usize, image.height() as usize];
        let picture = ColorImage::from_rgba_premultiplied(size, image.as_raw());
        match &mut self.texture {
            Some(texture) if texture.size() == size => texture.set(picture, TextureOptions::LINEAR),
            texture => *texture = Some(ui.ctx().load_texture("points", picture, TextureOptions::LINEAR)),
        }
        self.key = Some(key);
        self.camera = scene.camera;
        self.took = start.elapsed();
    }
}

fn key_of(ui: &Ui, scene: &Scene<'_>) -> Key {
    let pixels_per_point = ui.pixels_per_point();
    let side = |length: f32| (length * pixels_per_point).round().max(1.0) as u32;
    let input = scene.input;
    Key {
        ids: [input.layout.id(), input.styles.id()],
        size: [side(scene.rect.width()), side(scene.rect.height())],
        look: [input.point_size, input.opacity, pixels_per_point],
        colours: [input.colours.background, input.colours.ring],
    }
}
