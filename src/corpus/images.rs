//! Pictures: size from the header, one full decode, a thumbnail.
//!
//! The only place where pictures are decoded for the corpus, for embedding and for the inspector, so that all three see
//! the same pixels: EXIF orientation applied, transparency on white, first frame of an animation. Invariant: nothing is
//! decoded before its header passed the limit, and a decoder's panic is a message.

use std::io::{Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use super::read::panic_words;
use super::walk::reason_of;
use super::{Content, SkipReason, Thumbnail};

/// Longest side of a thumbnail in pixels.
const THUMBNAIL: u32 = 96;
/// Most bytes a decoded pixel takes: four channels of 32 bits.
const PIXEL_BYTES: u64 = 16;
/// Bytes a decoder may use beside the pixels.
const SLACK: u64 = 64 << 20;

/// What a picture's header says, before any orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    width: u32,
    height: u32,
}

impl Header {
    /// Pixels in all.
    pub(super) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn check(self, max_megapixels: u32) -> Result<(), SkipReason> {
        if self.pixels() <= u64::from(max_megapixels) * 1_000_000 {
            return Ok(());
        }
        Err(SkipReason::ImageTooLarge { width: self.width, height: self.height, limit_megapixels: max_megapixels })
    }
}

/// Reads a picture's size from its header alone.
///
/// # Errors
/// [`SkipReason::ImageTooLarge`] over the limit, [`SkipReason::BadImage`] when there is no sound header.
pub(super) fn header(path: &Path, max_megapixels: u32) -> Result<Header, SkipReason> {
    guarded(|| {
        let mut file = fs_err::File::open(path).map_err(|error| reason_of(&error))?;
        let mut start = [0; 24];
        let read = file.read(&mut start).and_then(|read| file.rewind().map(|()| read));
        let read = read.map_err(|error| reason_of(&error))?;
        if let Some(header) = png_header(&start[..read]) {
            // The decoder reads on to the first pixels, which a bare header has none of.
            header.check(max_megapixels)?;
        }
        let reader = ImageReader::new(std::io::BufReader::new(file));
        let mut reader = reader.with_guessed_format().map_err(|error| reason_of(&error))?;
        reader.limits(limits(0));
        let (width, height) = reader.into_dimensions().map_err(|error| bad(&error))?;
        let header = Header { width, height };
        header.check(max_megapixels)?;
        Ok(header)
    })
}

/// The size in the first 24 bytes of a PNG.
fn png_header(start: &[u8]) -> Option<Header> {
    let sizes = start.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?;
    let (width, rest) = sizes.split_first_chunk::<4>()?;
    let (height, _) = rest.split_first_chunk::<4>()?;
    Some(Header { width: u32::from_be_bytes(*width), height: u32::from_be_bytes(*height) })
}

/// Refuses to read a file far larger than any picture within the limit can be.
pub(super) fn check_file_size(size: u64, max_megapixels: u32) -> Result<(), SkipReason> {
    let most = u64::from(max_megapixels) * 1_000_000 * PIXEL_BYTES + SLACK;
    if size <= most {
        return Ok(());
    }
    let (size, most) = (size / 1_000_000, most / 1_000_000);
    Err(SkipReason::BadImage {
        message: format!("a file of {size} MB, where {most} MB is the most such a picture takes"),
    })
}

/// Decodes a picture once: its size as it is seen, and a thumbnail.
pub(super) fn content(bytes: &[u8], header: Header) -> Result<Content, SkipReason> {
    guarded(|| {
        let (image, orientation) = decode(bytes, header)?;
        let (mut width, mut height) = (image.width(), image.height());
        let mut small = DynamicImage::ImageRgb8(on_white(shrunk(image)));
        small.apply_orientation(orientation);
        if swaps_sides(orientation) {
            std::mem::swap(&mut width, &mut height);
        }
        let small = small.into_rgb8();
        let thumbnail = Thumbnail { width: small.width(), height: small.height(), rgb: small.into_raw().into() };
        Ok(Content::Image { width, height, thumbnail })
    })
}

/// Reads a whole picture as it is seen: oriented by its EXIF tag, transparency laid on white, first frame, 8 bits a
/// channel.
///
/// # Errors
/// The same reasons with which a corpus lists a picture it leaves out; `max_megapixels` as in
/// [`super::LoadOptions::max_megapixels`].
pub fn read_image(path: &Path, max_megapixels: u32) -> Result<RgbImage, SkipReason> {
    let header = header(path, max_megapixels)?;
    let size = fs_err::metadata(path).map_err(|error| reason_of(&error))?.len();
    check_file_size(size, max_megapixels)?;
    let bytes = fs_err::read(path).map_err(|error| reason_of(&error))?;
    guarded(|| {
        let (mut image, orientation) = decode(&bytes, header)?;
        image.apply_orientation(orientation);
        Ok(on_white(image))
    })
}

/// Runs a decoder and turns a panic of it into a reason.
fn guarded<T>(decode: impl FnOnce() -> Result<T, SkipReason>) -> Result<T, SkipReason> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        Err(SkipReason::BadImage { message: format!("the decoder stumbled over it: {}", panic_words(&*panic)) })
    })
}

fn decode(bytes: &[u8], header: Header) -> Result<(DynamicImage, Orientation), SkipReason> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| reason_of(&error))?;
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg_has_end(bytes) {
        return Err(SkipReason::BadImage { message: "the file ends in the middle of the picture".to_owned() });
    }
    reader.limits(limits(header.pixels()));
    let mut decoder = reader.into_decoder().map_err(|error| bad(&error))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|error| bad(&error))?;
    Ok((image, orientation))
}

/// Memory a decoder may use for a picture of so many pixels.
fn limits(pixels: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(pixels * PIXEL_BYTES + SLACK);
    limits
}

fn bad(error: &image::ImageError) -> SkipReason {
    let message = match error {
        image::ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the file ends in the middle of the picture".to_owned()
        }
        other => other.to_string(),
    };
    SkipReason::BadImage { message }
}

/// Whether a JPEG has its end marker after the start of its scan. Decoders fill what is missing with grey without a
/// word; inside a scan the bytes FF D9 cannot occur by chance, in an embedded preview before it they do.
fn jpeg_has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Each segment: FF, marker, length of the rest in two bytes, high byte first.
    while let Some(&[mark, marker, high, low]) = bytes.get(at..at + 4) {
        if mark != 0xff {
            break;
        }
        at += match marker {
            0xff => 1,
            0x01 | 0xd0..=0xd8 => 2,
            _ => 2 + usize::from(u16::from_be_bytes([high, low])),
        };
        if marker == 0xda {
            break;
        }
    }
    bytes.get(at..).is_some_and(|scan| scan.windows(2).any(|two| two == [0xff, 0xd9]))
}

/// A copy whose longest side is at most [`THUMBNAIL`]; smaller pictures stay as they are.
fn shrunk(image: DynamicImage) -> DynamicImage {
    if image.width().max(image.height()) <= THUMBNAIL {
        return image;
    }
    // Colours under full transparency must not bleed into their neighbours.
    let flat = if image.has_alpha() { DynamicImage::ImageRgb8(on_white(image)) } else { image };
    flat.thumbnail(THUMBNAIL, THUMBNAIL)
}

/// Eight bits a channel, transparency laid on white.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0.map(u32::from);
        Rgb([red, green, blue].map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8))
    })
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageEncoder, RgbaImage};

    fn png(width: u32, height: u32, colour: [u8; 4]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = RgbaImage::from_pixel(width, height, image::Rgba(colour));
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(image.as_raw(), width, height, image::ExtendedColorType::Rgba8)
            .unwrap();
        bytes
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
        image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&image).unwrap();
        bytes
    }

    fn on_disk(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn transparency_lies_on_white_and_thumbnails_keep_the_shape() {
        let bytes = png(400, 100, [255, 0, 0, 128]);
        let file = on_disk(&bytes);
        assert_eq!(read_image(file.path(), 100).unwrap().get_pixel(7, 7), &Rgb([255, 127, 127]));
        let Content::Image { width, height, thumbnail } = content(&bytes, header(file.path(), 100).unwrap()).unwrap()
        else {
            panic!("a picture")
        };
        assert_eq!((width, height, thumbnail.width, thumbnail.height), (400, 100, 96, 24));
        assert_eq!(thumbnail.rgb[..3], [255, 127, 127]);
    }

    #[test]
    fn small_pictures_are_not_blown_up() {
        let file = on_disk(&png(3, 5, [1, 2, 3, 255]));
        let bytes = fs_err::read(file.path()).unwrap();
        let Content::Image { thumbnail, .. } = content(&bytes, header(file.path(), 1).unwrap()).unwrap() else {
            panic!("a picture")
        };
        assert_eq!((thumbnail.width, thumbnail.height), (3, 5));
    }

    #[test]
    fn a_jpeg_cut_short_is_noticed_at_every_length() {
        let whole = jpeg(64, 64);
        assert!(read_image(on_disk(&whole).path(), 1).is_ok());
        for length in (4..whole.len() - 2).step_by(7) {
            let result = read_image(on_disk(&whole[..length]).path(), 1);
            assert!(matches!(result, Err(SkipReason::BadImage { .. })), "{length} of {}", whole.len());
        }
    }

    #[test]
    fn a_huge_header_is_refused_before_decoding() {
        let mut bytes = png(2, 2, [0; 4]);
        bytes[16..20].copy_from_slice(&30_000u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&30_000u32.to_be_bytes());
        let sum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        let expected = SkipReason::ImageTooLarge { width: 30_000, height: 30_000, limit_megapixels: 100 };
        assert_eq!(header(on_disk(&bytes).path(), 100), Err(expected));
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |sum, &byte| {
            (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        })
    }
}
