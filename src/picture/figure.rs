//! The exported figure: points, title, legend and frame as PNG or SVG, with no window.
//!
//! Decides no colours of points (they come with the styles). Invariant: the same figure gives the same bytes, and the PNG has
//! exactly the size asked for.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use image::{ImageEncoder as _, RgbaImage};
use resvg::{tiny_skia, usvg};

use super::chrome::{self, Frame, Tokens};
use super::density::{FILL, LINE};
use super::{
    BESIDE_DENSITY, Bounds, Camera, Density, DensityLook, FrontLook, Layout, Raster, Styles, fonts, paint_order, raster,
};

/// The largest side of a PNG in pixels.
const MAX_SIDE: u32 = 16_384;
/// Free space between the outermost points and the frame, in points.
const INSET: f32 = 22.0;

/// What could go wrong with a figure.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// A side is too small for anything or too large for memory.
    #[error("a figure of {width} × {height} pixels cannot be drawn: each side must be 64 to {MAX_SIDE}")]
    Size {
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
    },
    /// The text around the plot could not be set.
    #[error("the figure's text could not be set")]
    Text(#[from] usvg::Error),
    /// The PNG could not be written.
    #[error("the figure could not be written as PNG")]
    Png(#[from] image::ImageError),
}

/// Which tokens the figure uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FigureTheme {
    /// Light points on near-black.
    Dark,
    /// For paper.
    #[default]
    Light,
}

/// A picture of a map to export.
#[derive(Clone, Copy, Debug)]
pub struct Figure<'a> {
    /// Where the points are.
    pub layout: &'a Layout,
    /// How they look, and the legend.
    pub styles: &'a Styles,
    /// Title in one line; empty for none.
    pub title: &'a str,
    /// A line under the title, for example model, method and parameters; empty for none.
    pub subtitle: &'a str,
    /// A faint line at the bottom, for example seed and trust; empty for none.
    pub footer: &'a str,
    /// Width in pixels, 64 to 16,384; default 1600.
    pub width: u32,
    /// Height in pixels, 64 to 16,384; default 1100.
    pub height: u32,
    /// Dark or light; default light.
    pub theme: FigureTheme,
    /// How dense the points are, to be laid under them; default none.
    pub density: Option<&'a Density>,
    /// Radius of a point in points; by default 1 to 5, smaller where there are more points.
    pub point_radius: f32,
    /// Opacity of the points, 0 to 1; default 0.85.
    pub opacity: f32,
    /// Pixels per point: text of 13 points is 13 times this high. Default: such that the figure is 1000 points wide.
    pub pixels_per_point: f32,
    /// The part of the plane to show, for example [`Camera::visible`] of a window; by default all points with some space around.
    pub view: Option<Bounds>,
}

impl<'a> Figure<'a> {
    /// A light figure of 1600 by 1100 pixels without texts.
    pub fn new(layout: &'a Layout, styles: &'a Styles) -> Self {
        Self {
            layout,
            styles,
            title: "",
            subtitle: "",
            footer: "",
            width: 1600,
            height: 1100,
            theme: FigureTheme::Light,
            density: None,
            point_radius: usual_radius(layout.len()),
            opacity: 0.85,
            pixels_per_point: 1.6,
            view: None,
        }
    }

    /// The same figure with another size; text grows with it.
    #[must_use]
    pub fn sized(self, width: u32, height: u32) -> Self {
        let pixels_per_point = (width as f32 / 1000.0).min(height as f32 / 640.0).max(0.5);
        Self { width, height, pixels_per_point, ..self }
    }

    /// The figure as a PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        let image = self.to_image()?;
        let mut png = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut png);
        encoder.write_image(&image, image.width(), image.height(), image::ExtendedColorType::Rgba8)?;
        Ok(png)
    }

    /// The figure as pixels, opaque.
    pub fn to_image(&self) -> Result<RgbaImage, FigureError> {
        let (width, height) = (self.width, self.height);
        let error = FigureError::Size { width, height };
        if !(64..=MAX_SIDE).contains(&width) || !(64..=MAX_SIDE).contains(&height) {
            return Err(error);
        }
        let frame = self.frame();
        let tokens = Tokens::of(self.theme);
        let [r, g, b, _] = tokens.background.0;
        let mut image = RgbaImage::from_pixel(width, height, image::Rgba([r, g, b, 255]));
        let [left, top, right, bottom] = self.plot_pixels(&frame);
        let plot = [right - left, bottom - top];
        let points = raster(&Raster {
            layout: self.layout,
            styles: self.styles,
            camera: self.camera_for(plot.map(|side| side as f32), INSET * self.scale()),
            size: plot,
            radius: self.point_radius * self.scale(),
            opacity: self.seen_through(),
            background: tokens.plot,
            density: self.density.map(|density| DensityLook { density, colour: tokens.accent }),
            ring: tokens.ring,
            pixels_per_point: self.scale(),
        });
        image::imageops::replace(&mut image, &points, i64::from(left), i64::from(top));
        let svg = self.svg_of(&chrome::elements(self, &frame), &frame, "");
        let options =
            usvg::Options { font_family: "Inter".to_owned(), fontdb: font_database(), ..usvg::Options::default() };
        let tree = usvg::Tree::from_str(&svg, &options)?;
        let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or(error)?;
        resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixmap.as_mut());
        lay_over(&mut image, pixmap.data());
        Ok(image)
    }

    /// The figure as an SVG file: points as circles in paint order, text as text in Inter or what the viewer has.
    pub fn to_svg(&self) -> String {
        let frame = self.frame();
        let tokens = Tokens::of(self.theme);
        let [left, top, width, height] = frame.plot;
        let mut grounds = String::new();
        let _ = writeln!(grounds, r#"<rect width="100%" height="100%" fill="{}"/>"#, tokens.background.css());
        let rect = format!(r#"<rect x="{left}" y="{top}" width="{width}" height="{height}""#);
        let _ = writeln!(grounds, r#"<clipPath id="plot">{rect}/></clipPath>{rect} fill="{}"/>"#, tokens.plot.css());
        let _ = writeln!(grounds, r#"<g clip-path="url(#plot)">"#);
        self.contours(&mut grounds, &frame, tokens);
        self.circles(&mut grounds, &frame, tokens);
        grounds.push_str("</g>\n");
        self.svg_of(&chrome::elements(self, &frame), &frame, &grounds)
    }

    /// How opaque points are drawn.
    fn seen_through(&self) -> f32 {
        if self.density.is_some() { self.opacity * BESIDE_DENSITY } else { self.opacity }
    }

    fn contours(&self, svg: &mut String, frame: &Frame, tokens: Tokens) {
        let [left, top, width, height] = frame.plot;
        let camera = self.camera_for([width, height], INSET);
        let place = |world| {
            let [x, y] = camera.to_screen(world, [width, height]);
            [x + left, y + top]
        };
        let colour = tokens.accent.css();
        for path in self.density.iter().flat_map(|density| density.paths(place)).filter(|path| !path.is_empty()) {
            let _ = writeln!(
                svg,
                r#"<path d="{path}" fill-rule="evenodd" fill="{colour}" fill-opacity="{FILL}" stroke="{colour}" stroke-opacity="{LINE}"/>"#
            );
        }
    }

    fn circles(&self, svg: &mut String, frame: &Frame, tokens: Tokens) {
        let [left, top, width, height] = frame.plot;
        let camera = self.camera_for([width, height], INSET);
        let colours = self.styles.colours();
        let len = self.layout.len().min(colours.len());
        let order = paint_order(len);
        let mut circle = |position: usize, radius: f32, opacity: f32, ring: f32| {
            let Some(point) = self.layout.point(position) else { return };
            let colour = colours[position];
            let opacity = colour.opacity() * opacity;
            let [x, y] = camera.to_screen(point, [width, height]);
            let seen = x > -radius && y > -radius && x < width + radius && y < height + radius;
            if opacity <= 0.0 || !seen {
                return;
            }
            let (x, y, fill) = (x + left, y + top, colour.css());
            let _ = write!(svg, r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius:.2}" fill="{fill}""#);
            if opacity < 0.999 {
                let _ = write!(svg, r#" fill-opacity="{opacity:.2}""#);
            }
            if ring > 0.0 {
                let _ = write!(svg, r#" stroke="{}" stroke-width="{ring}""#, tokens.ring.css());
            }
            svg.push_str("/>\n");
        };
        (0..len).for_each(|index| circle(order(index), self.point_radius, self.seen_through(), 0.0));
        let front = self.styles.front();
        let look = FrontLook::of(front.len(), self.point_radius);
        for &position in front.iter().filter(|&&position| (position as usize) < len) {
            circle(position as usize, look.radius + look.ring * 0.5, 1.0, look.ring);
        }
    }

    fn svg_of(&self, elements: &str, frame: &Frame, grounds: &str) -> String {
        let [width, height] = frame.size;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 0 {width} {height}" font-family="Inter, Helvetica, Arial, sans-serif">
<title>{}</title>
{grounds}{elements}</svg>
"#,
            self.width,
            self.height,
            chrome::escaped(self.title)
        )
    }

    fn scale(&self) -> f32 {
        if self.pixels_per_point.is_finite() { self.pixels_per_point.clamp(0.25, 8.0) } else { 1.0 }
    }

    fn frame(&self) -> Frame {
        Frame::of(self, [self.width as f32 / self.scale(), self.height as f32 / self.scale()])
    }

    /// Left, top, right and bottom of the plot in pixels, inside the figure and never empty.
    fn plot_pixels(&self, frame: &Frame) -> [u32; 4] {
        let [left, top, width, height] = frame.plot;
        let pixel = |value: f32, most: u32| ((value * self.scale()).round() as u32).min(most);
        let (left_px, top_px) = (pixel(left, self.width - 1), pixel(top, self.height - 1));
        let right = pixel(left + width, self.width).max(left_px + 1);
        let bottom = pixel(top + height, self.height).max(top_px + 1);
        [left_px, top_px, right, bottom]
    }

    fn camera_for(&self, size: [f32; 2], margin: f32) -> Camera {
        match self.view {
            Some(view) => Camera::fit(view, size, 0.0),
            None => Camera::fit(self.layout.bounds(), size, margin),
        }
    }
}

/// A radius in points at which a map of `len` points is neither empty nor a blot: 5 for ten, 2.5 for some thousands, 1 for 100,000.
fn usual_radius(len: usize) -> f32 {
    (7.0 / (len.max(1) as f32).powf(0.12)).clamp(0.8, 5.0)
}

fn font_database() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut database = usvg::fontdb::Database::new();
        database.load_font_data(fonts::INTER_REGULAR.to_vec());
        database.load_font_data(fonts::INTER_SEMIBOLD.to_vec());
        database.set_sans_serif_family("Inter");
        Arc::new(database)
    };
    FONTS.get_or_init(load).clone()
}

/// Blends premultiplied pixels over an opaque image of the same size.
fn lay_over(image: &mut RgbaImage, premultiplied: &[u8]) {
    for (under, over) in image.pixels_mut().zip(premultiplied.as_chunks::<4>().0) {
        let rest = 255 - u32::from(over[3]);
        for (under, over) in under.0.iter_mut().zip(&over[..3]) {
            *under = (u32::from(*over) + (u32::from(*under) * rest + 127) / 255).min(255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{StyleRequest, Values};
    use crate::vectors::RowId;

    fn layout() -> Layout {
        let points: Vec<[f32; 2]> = (0..200u8).map(|i| (f32::from(i) * 0.3).sin_cos()).map(|(x, y)| [x, y]).collect();
        Layout::new((0..200).map(RowId).collect(), points.into())
    }

    #[test]
    fn the_png_has_the_size_asked_for() {
        let layout = layout();
        let names = ["cats & <dogs>", "heron"].map(str::to_owned);
        let values = Values::Categories { names: names.into(), ids: (0..200).map(|i| i % 2).collect() };
        let styles = StyleRequest::new("Kind", &values).make(200);
        let figure = Figure { title: "A map", ..Figure::new(&layout, &styles).sized(500, 320) };
        let png = image::load_from_memory(&figure.to_png().unwrap()).unwrap();
        assert_eq!((png.width(), png.height()), (500, 320));
        let drawn = png.to_rgba8().pixels().filter(|p| p.0[..3] != [255; 3] && p.0[..3] != [0xfb, 0xfb, 0xfc]).count();
        assert!(drawn > 1000);
        assert!(matches!(figure.sized(10, 300).to_png(), Err(FigureError::Size { .. })));
    }

    #[test]
    fn the_svg_names_everything() {
        let layout = layout();
        let names = ["cats & <dogs>", "heron"].map(str::to_owned);
        let values = Values::Categories { names: names.into(), ids: (0..200).map(|i| i % 2).collect() };
        let styles = StyleRequest::new("Kind", &values).make(200);
        let svg = Figure { title: "A \"map\"", subtitle: "sub", ..Figure::new(&layout, &styles) }.to_svg();
        for label in ["cats &amp; &lt;dogs&gt;", "heron", "Kind", "A &quot;map&quot;", ">sub<", ">100<"] {
            assert!(svg.contains(label), "{label}");
        }
        assert_eq!((svg.matches("<circle").count(), svg.matches("<path").count()), (200 + 2, 0));
        let density = Density::of(&layout, &styles);
        let dense = Figure { density: density.as_ref(), ..Figure::new(&layout, &styles) };
        assert!(
            dense.to_svg().matches("evenodd").count() == 5
                && dense.to_png().unwrap() != Figure { density: None, ..dense }.to_png().unwrap()
        );
        assert!(usvg::Tree::from_str(&svg, &usvg::Options::default()).is_ok());
    }

    #[test]
    fn numbers_get_a_colour_bar_and_nothing_breaks_when_empty() {
        let empty = Layout::new([].into(), [].into());
        let values = Values::Numbers { values: [1.0, 2.0].into(), decimals: 2, unit: " s" };
        let styles = StyleRequest::new("Time", &values).make(200);
        let svg = Figure::new(&layout(), &styles).to_svg();
        assert!(svg.contains("linearGradient") && svg.contains("1.50 s") && svg.contains("No value  198"));
        assert!(Figure::new(&empty, &styles).sized(64, 64).to_png().is_ok());
    }
}
