//! Reading one file: what it is, its content, its chunks.
//!
//! Never fails and never panics: whatever a decoder or grammar does, the file ends as an item or as a reason.
//! Invariant: a text over the limit is never read beyond its first few kilobytes.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::chunk::{self, Document};
use super::decode::{Decoded, decode};
use super::images::{self, Header};
use super::kinds::Kind;
use super::rows::{self, Table};
use super::sniff::{HEAD, Sniffed, sniff};
use super::walk::{Found, reason_of};
use super::{Chunk, Content, CountTokens, Item, ItemId, LoadOptions, Modality, SkipReason};

/// What came of a file.
pub(super) enum Outcome {
    /// An item with its chunks, whose item number is still to be set.
    Read(Box<Item>, Vec<Chunk>),
    /// A table: its rows, and what could not be read of it.
    Rows(Vec<(Item, Vec<Chunk>)>, Option<SkipReason>),
    /// Left out.
    Skipped(SkipReason),
    /// A picture so large that it should be read alone.
    Later,
}

/// Pixels above which pictures are read one at a time: 50 megapixels are 200 MB while they are decoded.
const ALONE: u64 = 50_000_000;

/// How the tables of `embedlens project` begin: such a file in a folder is output, not something to be read.
const MAP_HEAD: &str = "row,path,start,end,modality,label,";

/// Reads files under one set of options.
pub(super) struct Reader<'a> {
    /// How files are read and cut.
    pub options: &'a LoadOptions,
    /// Counts tokens.
    pub tokens: &'a dyn CountTokens,
}

impl Reader<'_> {
    /// Reads a file; `alone` when nothing else is being read, so that very large pictures may be decoded.
    pub(super) fn read(&self, found: &Found, alone: bool) -> Outcome {
        match catch_unwind(AssertUnwindSafe(|| self.read_file(found, alone))) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(reason)) => Outcome::Skipped(reason),
            Err(panic) => Outcome::Skipped(SkipReason::Unreadable {
                message: format!("the reader stumbled over it: {}", panic_words(&*panic)),
            }),
        }
    }

    fn read_file(&self, found: &Found, alone: bool) -> Result<Outcome, SkipReason> {
        let metadata = fs_err::metadata(&found.path).map_err(|error| reason_of(&error))?;
        if !metadata.is_file() {
            return Err(SkipReason::NotAFile);
        }
        let mut file = fs_err::File::open(&found.path).map_err(|error| reason_of(&error))?;
        let size = metadata.len();
        let mut bytes = Vec::with_capacity((size as usize).min(HEAD));
        file.by_ref().take(HEAD as u64).read_to_end(&mut bytes).map_err(|error| reason_of(&error))?;
        if bytes.is_empty() {
            return Err(SkipReason::Empty);
        }
        let draft = Draft { found, size, modified: metadata.modified().ok() };
        match sniff(&found.path, &bytes)? {
            Sniffed::Text(kind) => {
                self.check_text_size(size)?;
                // One byte more than allowed, so that a file that grows meanwhile is noticed.
                let limit = self.options.max_text_mb.saturating_mul(1_000_000).saturating_add(1);
                let rest = limit.saturating_sub(bytes.len() as u64);
                file.take(rest).read_to_end(&mut bytes).map_err(|error| reason_of(&error))?;
                self.check_text_size(bytes.len() as u64)?;
                self.text_item(&draft, kind, &bytes)
            }
            Sniffed::Image(format) => {
                let header = images::header(&found.path, self.options.max_megapixels)?;
                if !alone && header.pixels() > ALONE {
                    return Ok(Outcome::Later);
                }
                images::check_file_size(size, self.options.max_megapixels)?;
                file.read_to_end(&mut bytes).map_err(|error| reason_of(&error))?;
                image_item(&draft, format, header, &bytes)
            }
        }
    }

    fn check_text_size(&self, size: u64) -> Result<(), SkipReason> {
        let limit_megabytes = self.options.max_text_mb;
        if size > limit_megabytes.saturating_mul(1_000_000) {
            return Err(SkipReason::TextTooLarge { megabytes: size.div_ceil(1_000_000), limit_megabytes });
        }
        Ok(())
    }

    fn text_item(&self, draft: &Draft<'_>, kind: Kind, bytes: &[u8]) -> Result<Outcome, SkipReason> {
        let Decoded { text, encoding } = decode(bytes, kind.words)?;
        if text.trim().is_empty() {
            return Err(SkipReason::Empty);
        }
        if text.starts_with(MAP_HEAD) && !draft.found.is_root {
            return Err(SkipReason::OwnMap);
        }
        if rows::is_table(kind.words, &text) {
            let whole = Item { encoding: Some(encoding), ..draft.item(kind.modality, kind.words) };
            let Table { rows, lost } = rows::read(&whole, &text, self.options, self.tokens);
            let reason = (lost > 0).then_some(SkipReason::LostRows { lost });
            return Ok(if rows.is_empty() { Outcome::Skipped(SkipReason::Empty) } else { Outcome::Rows(rows, reason) });
        }
        let document = Document { text: &text, modality: kind.modality, language: kind.language, kind: kind.words };
        let chunks = chunk::cut(&document, self.options, self.tokens);
        let item = Item {
            language: kind.language,
            encoding: Some(encoding),
            hash: *blake3::hash(bytes).as_bytes(),
            content: Content::Text(text.into()),
            ..draft.item(kind.modality, kind.words)
        };
        Ok(Outcome::Read(Box::new(item), chunks))
    }
}

/// What is known of a file before its content.
struct Draft<'a> {
    found: &'a Found,
    size: u64,
    modified: Option<std::time::SystemTime>,
}

impl Draft<'_> {
    fn item(&self, modality: Modality, kind: &str) -> Item {
        Item {
            path: self.found.path.clone(),
            shown_path: self.found.shown_path.clone(),
            label: self.found.label.clone(),
            modality,
            kind: kind.to_owned(),
            language: None,
            encoding: None,
            size: self.size,
            modified: self.modified,
            hash: [0; 32],
            content: Content::Text("".into()),
        }
    }
}

fn image_item(draft: &Draft<'_>, format: &str, header: Header, bytes: &[u8]) -> Result<Outcome, SkipReason> {
    let content = images::content(bytes, header)?;
    let item = Item { hash: *blake3::hash(bytes).as_bytes(), content, ..draft.item(Modality::Image, format) };
    let chunk = Chunk { item: ItemId(0), start: 0, end: 0, lines: (0, 0), name: None, tokens: 0 };
    Ok(Outcome::Read(Box::new(item), vec![chunk]))
}

/// What a caught panic said.
pub(crate) fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown fault".to_owned())
}
