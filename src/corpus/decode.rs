//! From bytes to text.
//!
//! Byte order mark, else strict UTF-8, else the browsers' detector (chardetng) and decoders (`encoding_rs`, the WHATWG
//! Encoding Standard). Knows nothing of files. Invariant: text that is mostly noise is refused, never passed on.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8};

use super::SkipReason;

/// Text and the encoding it was in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The text without a byte order mark.
    pub text: String,
    /// The encoding's name in the WHATWG standard.
    pub encoding: &'static str,
}

/// One character in this many may be unreadable before a text counts as noise.
const NOISE: usize = 50;

/// Decodes a file's bytes; `kind` names what it was taken for, should it turn out binary.
pub(super) fn decode(bytes: &[u8], kind: &str) -> Result<Decoded, SkipReason> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, &bytes[mark..]);
    }
    if bytes.contains(&0) {
        return Err(SkipReason::Binary { kind: format!("named like {kind}, but with zero bytes") });
    }
    if is_iso_2022_jp(bytes) {
        return decode_as(ISO_2022_JP, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return checked(text.to_owned(), UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    decode_as(detector.guess(None, Utf8Detection::Deny), bytes)
}

/// Mail-style Japanese: seven bits, with escapes that switch the character set, and every byte in its place.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    let switches = bytes.windows(3).any(|three| matches!(three, [0x1b, b'$', b'B' | b'@']));
    switches && bytes.is_ascii() && !ISO_2022_JP.decode_without_bom_handling(bytes).1
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> Result<Decoded, SkipReason> {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    checked(text.into_owned(), encoding)
}

/// Passes text on if it is text.
fn checked(text: String, encoding: &'static Encoding) -> Result<Decoded, SkipReason> {
    let (mut bad, mut characters) = (0, 0);
    for character in text.chars() {
        characters += 1;
        bad += usize::from(is_noise(character));
    }
    if bad * NOISE > characters {
        return Err(SkipReason::Undecodable { encoding: encoding.name().to_owned(), bad });
    }
    Ok(Decoded { text, encoding: encoding.name() })
}

/// Replacement characters and control characters that no text holds (tabs, line ends, form feeds, backspaces and the
/// escapes of coloured logs are fine).
fn is_noise(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '\x08' | '\x1b' | '\u{85}' => false,
        '\u{fffd}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> (String, &'static str) {
        let decoded = decode(bytes, "text").unwrap();
        (decoded.text, decoded.encoding)
    }

    #[test]
    fn marks_decide_and_are_dropped() {
        assert_eq!(text_of(b"\xef\xbb\xbfcaf\xc3\xa9"), ("café".to_owned(), "UTF-8"));
        assert_eq!(text_of(b"\xff\xfec\0a\0f\0\xe9\0"), ("café".to_owned(), "UTF-16LE"));
        assert_eq!(text_of(b"\xfe\xff\0c\0a\0f\0\xe9"), ("café".to_owned(), "UTF-16BE"));
    }

    #[test]
    fn old_encodings_are_guessed() {
        let french = "Le café était déjà fermé, à côté de la forêt où Noël fut fêté.";
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(french);
        assert_eq!(text_of(&bytes), (french.to_owned(), "windows-1252"));
        let russian = "Съешь же ещё этих мягких французских булок, да выпей чаю.";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
        assert_eq!(text_of(&bytes), (russian.to_owned(), "windows-1251"));
        let japanese = "日本語の文章をここに書きます。これは試験です。";
        let (bytes, _, _) = encoding_rs::ISO_2022_JP.encode(japanese);
        assert_eq!(text_of(&bytes), (japanese.to_owned(), "ISO-2022-JP"));
    }

    #[test]
    fn noise_and_zero_bytes_are_refused() {
        assert!(matches!(decode(b"ab\0cd", "text"), Err(SkipReason::Binary { .. })));
        let noise: Vec<u8> =
            (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).map(|b| b.max(1)).collect();
        assert!(matches!(decode(&noise, "text"), Err(SkipReason::Undecodable { .. })));
    }
}
