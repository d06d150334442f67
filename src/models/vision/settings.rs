//! How pictures are made ready, as a folder's `preprocessor_config.json` says: resized, cropped, rescaled, normed.
//!
//! Keys that are missing have the values of the processor's own class in transformers. Invariant: what comes out has the side that the
//! tower takes, whatever the picture's size.

use image::RgbImage;
use serde_json::{Map, Value};

use super::resize::{Filter, Pair, resized};
use crate::models::{ModelError, weights::bad};

/// Longest side accepted, in pixels.
const LONGEST: u64 = 4096;

/// A family's own values.
pub(super) struct Defaults {
    /// What its processor is called, in messages.
    pub(super) name: &'static str,
    pub(super) filter: Filter,
    pub(super) mean: [f64; 3],
    pub(super) std: [f64; 3],
    /// Whether the short side is brought to a length and the middle cut out; else both sides are brought to their lengths.
    pub(super) crops: bool,
    /// Short side before cropping, and side after it.
    pub(super) sides: [u64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    AsItIs,
    Short(u64),
    Both(Pair),
}

/// How pictures are made ready.
pub(super) struct Settings {
    size: Size,
    filter: Filter,
    crop: Option<Pair>,
    /// What each 8-bit value of red, green and blue becomes.
    levels: [Vec<f32>; 3],
    /// All of it in words, for fingerprints.
    pub(super) words: String,
}

impl Settings {
    /// Reads the configuration called `file`; without one, everything is the family's own.
    pub(super) fn read(file: &str, json: Option<&Value>, own: &Defaults) -> Result<Self, ModelError> {
        let none = Map::new();
        let object = match json {
            None => &none,
            Some(Value::Object(object)) => object,
            Some(_) => return Err(bad(file, "not a JSON object".to_owned())),
        };
        let read = Reader { file, object };
        let crops = read.flag("do_center_crop", own.crops)?;
        let size = match (read.flag("do_resize", true)?, object.get("size")) {
            (false, _) => Size::AsItIs,
            (true, None | Some(Value::Null)) if own.crops => Size::Short(own.sides[0]),
            (true, None | Some(Value::Null)) => Size::Both([own.sides[1]; 2]),
            (true, Some(value)) => read.size("size", value, own.crops)?,
        };
        let crop = match (crops, object.get("crop_size")) {
            (false, _) => None,
            (true, None | Some(Value::Null)) => Some([own.sides[1]; 2]),
            (true, Some(value)) => match read.size("crop_size", value, false)? {
                Size::Both(pair) => Some(pair),
                _ => return Err(bad(file, "crop_size is not a height and a width".to_owned())),
            },
        };
        let filter = match object.get("resample") {
            None | Some(Value::Null) => own.filter,
            Some(value) => value
                .as_u64()
                .and_then(Filter::numbered)
                .ok_or_else(|| bad(file, format!("resample is {value}; Pillow's filters are numbered from 0 to 5")))?,
        };
        let scale = if read.flag("do_rescale", true)? { read.number("rescale_factor", 1.0 / 255.0)? } else { 1.0 };
        let [mean, std] = if read.flag("do_normalize", true)? {
            [read.colours("image_mean", own.mean)?, read.colours("image_std", own.std)?]
        } else {
            [[0.0; 3], [1.0; 3]]
        };
        if std.contains(&0.0) {
            return Err(bad(file, "image_std is 0".to_owned()));
        }
        // In the precisions and the order of transformers.
        let level =
            |colour: usize, value: u8| ((f64::from(value) * scale) as f32 - mean[colour] as f32) / std[colour] as f32;
        let levels = [0, 1, 2].map(|colour| (0..=255).map(|value| level(colour, value)).collect());
        let words = format!("{size:?} {filter:?} {crop:?} {scale} {mean:?} {std:?}");
        Ok(Self { size, filter, crop, levels, words })
    }

    /// Width and height of what comes out, where they do not depend on the picture.
    pub(super) fn side(&self) -> Option<Pair> {
        match (self.crop, self.size) {
            (Some(crop), _) => Some(crop),
            (None, Size::Both(pair)) => Some(pair),
            _ => None,
        }
    }

    /// The picture resized and cropped. One without pixels is black.
    fn cropped(&self, picture: &RgbImage) -> RgbImage {
        let [w, h] = [u64::from(picture.width()), u64::from(picture.height())];
        let blank = |[w, h]: Pair| RgbImage::new(w as u32, h as u32);
        if w == 0 || h == 0 {
            return blank(self.side().unwrap_or_default());
        }
        let long = |short: u64, a: u64, b: u64| ((short * a) as f64 / b as f64) as u64;
        let to = match self.size {
            Size::AsItIs => [w, h],
            Size::Both(pair) => pair,
            Size::Short(short) if w <= h => [short, long(short, h, w)],
            Size::Short(short) => [long(short, w, h), short],
        };
        let crop = self.crop.unwrap_or(to);
        let start = [0, 1].map(|at| to[at].saturating_sub(crop[at]) / 2);
        let size = [0, 1].map(|at| crop[at].min(to[at]));
        let part = resized(picture, self.filter, to, (start, size));
        if size == crop {
            return part;
        }
        // Too small to be cropped: black around it.
        let mut whole = blank(crop);
        let place = [0, 1].map(|at| (crop[at] - size[at]).div_ceil(2).cast_signed());
        image::imageops::replace(&mut whole, &part, place[0], place[1]);
        whole
    }

    /// The picture in patches of `patch` pixels up and across, row after row of them: of each all red values row by row, then green,
    /// then blue.
    pub(super) fn patches(&self, picture: &RgbImage, patch: usize) -> Vec<f32> {
        let picture = self.cropped(picture);
        let (columns, rows) = (picture.width() as usize / patch, picture.height() as usize / patch);
        let stride = picture.width() as usize;
        let pixels = picture.as_raw().as_chunks::<3>().0;
        let mut out = Vec::with_capacity(rows * columns * patch * patch * 3);
        for at in 0..rows * columns {
            let first = at / columns * patch * stride + at % columns * patch;
            for (colour, levels) in self.levels.iter().enumerate() {
                for line in 0..patch {
                    let pixels = &pixels[first + line * stride..][..patch];
                    out.extend(pixels.iter().map(|pixel| levels[usize::from(pixel[colour])]));
                }
            }
        }
        out
    }
}

struct Reader<'a> {
    file: &'a str,
    object: &'a Map<String, Value>,
}

impl Reader<'_> {
    fn flag(&self, key: &str, default: bool) -> Result<bool, ModelError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(bad(self.file, format!("{key} is {other}, neither true nor false"))),
        }
    }

    fn number(&self, key: &str, default: f64) -> Result<f64, ModelError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value.as_f64().ok_or_else(|| bad(self.file, format!("{key} is {value}, not a number"))),
        }
    }

    fn colours(&self, key: &str, default: [f64; 3]) -> Result<[f64; 3], ModelError> {
        let Some(value) = self.object.get(key).filter(|value| !value.is_null()) else { return Ok(default) };
        let numbers = || value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>()?.try_into().ok();
        let number = || value.as_f64().map(|one| [one; 3]);
        numbers().or_else(number).ok_or_else(|| bad(self.file, format!("{key} is {value}, not three numbers")))
    }

    /// A size: two sides, a short side, or one number, which old files mean either by.
    fn size(&self, key: &str, value: &Value, short: bool) -> Result<Size, ModelError> {
        let side = |value: &Value| value.as_u64().filter(|side| (1..=LONGEST).contains(side));
        let of = |name: &str| value.get(name).and_then(side);
        if let (Some(height), Some(width)) = (of("height"), of("width")) {
            return Ok(Size::Both([width, height]));
        }
        if let Some(edge) = of("shortest_edge")
            && value.get("longest_edge").is_none_or(Value::is_null)
        {
            return Ok(Size::Short(edge));
        }
        let pair = value.as_array().and_then(|pair| Some([side(pair.get(1)?)?, side(pair.first()?)?]));
        match (side(value), pair) {
            (Some(edge), _) if short => Ok(Size::Short(edge)),
            (Some(edge), _) => Ok(Size::Both([edge; 2])),
            (None, Some(pair)) => Ok(Size::Both(pair)),
            (None, None) => {
                let run = format!("shortest_edge, or height and width, from 1 to {LONGEST} pixels");
                Err(bad(self.file, format!("{key} is {value}; this version reads {run}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Defaults =
        Defaults { name: "test", filter: Filter::Bicubic, mean: [0.5; 3], std: [0.5; 3], crops: true, sides: [20, 16] };

    fn read(json: &str) -> Result<Settings, String> {
        let json: Value = serde_json::from_str(json).unwrap();
        Settings::read("p/preprocessor_config.json", Some(&json), &OWN).map_err(|e| e.to_string())
    }

    #[test]
    fn old_and_new_sizes_are_read() {
        assert_eq!(Settings::read("", None, &OWN).unwrap().size, Size::Short(20));
        for (json, size, side) in [
            (r#"{"size": 32}"#, Size::Short(32), Some([16, 16])),
            (r#"{"size": {"shortest_edge": 32}, "crop_size": 30}"#, Size::Short(32), Some([30, 30])),
            (r#"{"size": {"height": 8, "width": 9}, "do_center_crop": false}"#, Size::Both([9, 8]), Some([9, 8])),
            (r#"{"size": [8, 9], "do_center_crop": false}"#, Size::Both([9, 8]), Some([9, 8])),
            (r#"{"do_resize": false, "do_center_crop": false}"#, Size::AsItIs, None),
        ] {
            let settings = read(json).unwrap();
            assert_eq!((settings.size, settings.side()), (size, side), "{json}");
        }
        for (json, word) in [
            (r#"{"size": {"longest_edge": 5}}"#, "shortest_edge"),
            (r#"{"size": 0}"#, "size is 0"),
            (r#"{"size": 99999999999}"#, "4096"),
            (r#"{"resample": 9}"#, "resample is 9"),
            (r#"{"image_mean": [1, 2]}"#, "image_mean"),
            (r#"{"image_std": [0, 1, 1]}"#, "image_std is 0"),
            (r#"{"do_resize": "yes"}"#, "do_resize"),
        ] {
            let e = read(json).err().unwrap();
            assert!(e.contains(word) && e.contains("p/preprocessor_config.json"), "{json}: {e}");
        }
    }

    #[test]
    fn pictures_of_any_size_have_the_same_side_after() {
        let settings = read(r#"{"size": {"shortest_edge": 12}, "crop_size": {"height": 10, "width": 14}}"#).unwrap();
        for (w, h) in [(1, 1), (0, 3), (1, 5000), (5000, 1), (12, 12), (640, 480)] {
            let picture = RgbImage::from_pixel(w, h, image::Rgb([255, 0, 128]));
            let cropped = settings.cropped(&picture);
            assert_eq!(cropped.dimensions(), (14, 10), "{w} x {h}");
            assert_eq!(settings.patches(&picture, 2).len(), 14 * 10 * 3);
        }
        let square = settings.cropped(&RgbImage::from_pixel(5, 5, image::Rgb([255; 3])));
        let row: Vec<u8> = square.rows().next().unwrap().map(|pixel| pixel[0]).collect();
        assert_eq!(row, [&[0][..], &[255; 12], &[0]].concat());
    }
}
