//! Points without a graphics processor: the CPU raster, shown as a texture.
//!
//! The raster is painted by a job, never in a frame: a frame only asks for a picture when something changed, shows the newest
//! there is, moved and stretched to the view of now, and takes a finished one from a one-place slot. Invariant: the picture
//! asked for last is painted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, Ui, Vec2, pos2, vec2};

use super::MapInput;
use super::paint::colour;
use crate::picture::{Camera, Colour, Density, DensityLook, Layout, Raster, Styles, backdrop, raster};

/// What is painted beyond each edge, as a share of the side: room to move before the next picture is there.
const BEYOND: f32 = 0.1;

/// What to show in one frame.
pub(super) struct Scene<'a> {
    pub(super) input: &'a MapInput<'a>,
    pub(super) rect: Rect,
    pub(super) camera: Camera,
    /// Whether the points are painted too, not only what is under them.
    pub(super) points: bool,
}

/// Everything but the points that a picture depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    /// Of layout, styles and density.
    ids: [u64; 3],
    points: bool,
    camera: Camera,
    /// The map's size in points of the screen.
    size: Vec2,
    /// What is painted beyond each edge, in pixels.
    beyond: [u32; 2],
    radius: f32,
    opacity: f32,
    pixels_per_point: f32,
    background: Colour,
    ring: Colour,
    accent: Colour,
}

/// A finished picture.
struct Painted {
    look: Look,
    image: ColorImage,
}

type Slot = Arc<Mutex<Option<Painted>>>;

/// A picture to be painted by a job.
#[derive(Clone)]
pub struct PaintRequest {
    /// The map it is for: a newer request for the same map makes an older one needless.
    pub map: String,
    layout: Arc<Layout>,
    styles: Arc<Styles>,
    density: Option<Arc<Density>>,
    look: Look,
    slot: Slot,
}

impl PaintRequest {
    /// Paints it; the map shows it in its next frame.
    pub fn paint(&self) {
        let look = &self.look;
        let size = [0, 1].map(|axis| look.pixels(axis) + 2 * look.beyond[axis]);
        let request = Raster {
            layout: &self.layout,
            styles: &self.styles,
            camera: Camera { scale: look.camera.scale * look.pixels_per_point, ..look.camera },
            size,
            radius: look.radius * look.pixels_per_point,
            opacity: look.opacity,
            background: look.background,
            density: self.density.as_deref().map(|density| DensityLook { density, colour: look.accent }),
            ring: look.ring,
            pixels_per_point: look.pixels_per_point,
        };
        let image = if look.points { raster(&request) } else { backdrop(&request) };
        let image = ColorImage::from_rgba_premultiplied(size.map(|side| side as usize), image.as_raw());
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Painted { look: self.look, image });
    }
}

impl PartialEq for PaintRequest {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot) && self.look == other.look
    }
}

impl fmt::Debug for PaintRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaintRequest").field("map", &self.map).field("look", &self.look).finish_non_exhaustive()
    }
}

impl Look {
    fn of(ui: &Ui, scene: &Scene<'_>) -> Self {
        let input = scene.input;
        let mut look = Self {
            ids: [input.layout.id(), input.styles.id(), input.density.map_or(0, |density| density.id())],
            points: scene.points,
            camera: scene.camera,
            size: scene.rect.size(),
            beyond: [0; 2],
            radius: input.point_size,
            opacity: input.opacity,
            pixels_per_point: ui.pixels_per_point(),
            background: colour(input.colours.background),
            ring: colour(input.colours.ring),
            accent: colour(input.colours.accent),
        };
        if !scene.points {
            // What no point is painted of does not change with the points' looks.
            (look.ids[0], look.ids[1], look.radius, look.opacity) = (0, 0, 0.0, 0.0);
        }
        look.beyond = [0, 1].map(|axis| (look.pixels(axis) as f32 * BEYOND) as u32);
        look
    }

    /// Pixels of the map along an axis.
    fn pixels(&self, axis: usize) -> u32 {
        (self.size[axis] * self.pixels_per_point).round().max(1.0) as u32
    }

    /// Where the picture lies when `scene` is shown.
    fn place(&self, scene: &Scene<'_>) -> Rect {
        let beyond = Vec2::from(self.beyond.map(|pixels| pixels as f32 / self.pixels_per_point));
        if self.camera == scene.camera && self.size == scene.rect.size() {
            return scene.rect.expand2(beyond);
        }
        let corner = |at: Vec2| {
            let world = self.camera.to_world(at.into(), self.size.into());
            scene.rect.min + Vec2::from(scene.camera.to_screen(world, scene.rect.size().into()))
        };
        Rect::from_min_max(corner(vec2(0.0, 0.0) - beyond), corner(self.size + beyond))
    }
}

/// The newest picture and what is being waited for.
#[derive(Default)]
pub(super) struct Fallback {
    texture: Option<TextureHandle>,
    shown: Option<Look>,
    asked: Option<Look>,
    slot: Slot,
}

impl Fallback {
    /// Shows the newest picture; gives the request for another where this one is not of what is to be shown.
    pub(super) fn paint(&mut self, ui: &Ui, painter: &Painter, scene: &Scene<'_>) -> Option<PaintRequest> {
        if let Some(painted) = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
            match &mut self.texture {
                Some(texture) if texture.size() == painted.image.size => {
                    texture.set(painted.image, TextureOptions::LINEAR);
                }
                texture => {
                    *texture = Some(ui.ctx().load_texture("points", painted.image, TextureOptions::LINEAR));
                }
            }
            self.shown = Some(painted.look);
        }
        if let (Some(texture), Some(look)) = (&self.texture, &self.shown) {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), look.place(scene), whole, Color32::WHITE);
        }
        let wanted = Look::of(ui, scene);
        if self.shown == Some(wanted) || self.asked == Some(wanted) {
            return None;
        }
        self.asked = Some(wanted);
        Some(PaintRequest {
            map: scene.input.id.to_owned(),
            layout: scene.input.layout.clone(),
            styles: scene.input.styles.clone(),
            density: scene.input.density.cloned(),
            look: wanted,
            slot: self.slot.clone(),
        })
    }
}
