//! What a file is, from its name and its first bytes.
//!
//! Content outranks the name: pictures are known by their magic bytes alone, and a name never makes text out of
//! binary. Names decide between kinds of text. Reads no file itself.

use std::path::Path;

use infer::MatcherType;

use super::SkipReason;
use super::kinds::{self, Kind};

/// Bytes from the start of a file that are looked at.
pub(super) const HEAD: usize = 8 * 1024;

/// What a file is taken for.
#[derive(Debug, PartialEq)]
pub(super) enum Sniffed {
    /// Text or code.
    Text(Kind),
    /// A picture of the named format.
    Image(&'static str),
}

/// Judges a file by name and beginning (`head`, at most [`HEAD`] bytes, not empty).
pub(super) fn sniff(path: &Path, head: &[u8]) -> Result<Sniffed, SkipReason> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let magic = infer::get(head);
    let found = magic.as_ref().map(|magic| (magic.extension(), magic.matcher_type()));
    if let Some(format) = found.and_then(|(found, _)| picture_format(found, head)) {
        return Ok(Sniffed::Image(format));
    }
    if let Some(format) = kinds::picture(&extension) {
        let message = format!("named like a {format}, but {}", looks_like(head, found.map(|(found, _)| found)));
        return Err(SkipReason::BadImage { message });
    }
    let has_mark = encoding_rs::Encoding::for_bom(head).is_some();
    if let Some((found, kind)) = found {
        let certain = kind != MatcherType::Text && !has_mark && (has_controls(head) || is_plain_magic(found));
        // Office files are ZIP archives inside: their names say more.
        let container = matches!(found, "zip" | "doc" | "gz");
        if certain {
            let named = kinds::binary(&extension).filter(|_| container);
            let kind = named.or_else(|| kinds::binary(found)).map_or_else(|| format!("{found} file"), str::to_owned);
            return Err(SkipReason::Binary { kind });
        }
    }
    if head.contains(&0) && !has_mark {
        let kind = kinds::binary(&extension).unwrap_or("unknown format");
        return Err(SkipReason::Binary { kind: kind.to_owned() });
    }
    Ok(Sniffed::Text(kinds::text(path, &extension, head)))
}

/// The supported picture format that the magic bytes tell of.
fn picture_format(found: &str, head: &[u8]) -> Option<&'static str> {
    // "BM" and "GIF" alone begin many a text. The length of the second header and the version settle it.
    let sure = match found {
        "bmp" => head.get(14..18).is_some_and(|size| matches!(size, [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])),
        "gif" => head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a"),
        _ => true,
    };
    if !sure {
        return None;
    }
    kinds::picture(found)
}

/// Formats whose magic bytes are words, and which are of no use as text.
fn is_plain_magic(found: &str) -> bool {
    matches!(found, "pdf" | "rtf" | "ps")
}

/// Control characters that no text holds.
fn has_controls(head: &[u8]) -> bool {
    head.iter().any(|&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0b | 0x0c | 0x1b))
}

/// What a mistaken picture seems to be, in words.
fn looks_like(head: &[u8], found: Option<&str>) -> String {
    match found.filter(|found| *found != "bmp").and_then(kinds::binary) {
        Some(kind) if has_controls(head) => format!("it is another thing ({kind})"),
        _ if !has_controls(head) => "it holds text".to_owned(),
        _ => "it does not begin like one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Modality;

    fn of(name: &str, head: &[u8]) -> Result<Sniffed, SkipReason> {
        sniff(Path::new(name), head)
    }

    fn kind_of(name: &str, head: &[u8]) -> Kind {
        match of(name, head) {
            Ok(Sniffed::Text(kind)) => kind,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_tell_text_from_code() {
        assert_eq!(kind_of("a/b.RS", b"fn main() {}").language, Some("rust"));
        assert_eq!(kind_of("notes.md", b"# Hi").words, "Markdown");
        assert_eq!(kind_of("Makefile", b"all:\n").modality, Modality::Code);
        assert_eq!(kind_of("README", b"hello").modality, Modality::Text);
        assert_eq!(kind_of("tool", b"#!/usr/bin/env python3\nprint()").language, Some("python"));
        assert_eq!(kind_of("what.ever", b"just words").modality, Modality::Text);
        assert_eq!(kind_of("drawing.svg", b"<svg xmlns=''/>").modality, Modality::Text);
    }

    #[test]
    fn words_that_look_like_magic_stay_text() {
        for words in ["BMW builds cars", "MZ is a name", "BZh is nothing", "ID3 tags explained", "GIF is a word"] {
            assert_eq!(kind_of("a.txt", words.as_bytes()).words, "plain text", "{words}");
        }
    }

    #[test]
    fn content_outranks_the_name() {
        assert_eq!(of("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Ok(Sniffed::Image("PNG")));
        assert!(matches!(of("a.png", b"hello"), Err(SkipReason::BadImage { message }) if message.contains("text")));
        assert_eq!(of("a.txt", b"PK\x03\x04\x14\0"), Err(SkipReason::Binary { kind: "ZIP archive".to_owned() }));
        assert_eq!(of("a.docx", b"PK\x03\x04\x14\0"), Err(SkipReason::Binary { kind: "Word document".to_owned() }));
        assert_eq!(of("a.txt", b"%PDF-1.7 words"), Err(SkipReason::Binary { kind: "PDF document".to_owned() }));
        assert_eq!(of("a.xyz", b"\0\0x"), Err(SkipReason::Binary { kind: "unknown format".to_owned() }));
    }

    #[test]
    fn a_byte_order_mark_excuses_zero_bytes() {
        assert_eq!(kind_of("a.txt", b"\xff\xfeh\0i\0").words, "plain text");
    }
}
