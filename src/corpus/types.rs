//! What a corpus is made of.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::table::{TableColumns, TableHead};
use crate::vectors::RowId;

/// What kind of thing an item is to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Prose, notes, tables as text.
    Text,
    /// Source code.
    Code,
    /// A picture.
    Image,
}

impl Modality {
    /// All of them, in the order they are listed.
    pub const ALL: [Self; 3] = [Self::Text, Self::Code, Self::Image];

    /// The word shown to the user and written to files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Code => "code",
            Self::Image => "image",
        }
    }
}

/// An item's position in its corpus revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub u32);

impl ItemId {
    /// The item as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A small picture kept for the map's hover card and the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Pixels across, at most 96.
    pub width: u32,
    /// Pixels down, at most 96.
    pub height: u32,
    /// RGB bytes, row after row.
    pub rgb: Arc<[u8]>,
}

/// What was read from an item.
#[derive(Clone, Debug)]
pub enum Content {
    /// Decoded text of a text or code item, with line ends as in the file and without a byte order mark.
    Text(Arc<str>),
    /// A picture that was decoded once to be sure of it; the full picture is read again where it is needed.
    Image {
        /// Pixels across after the EXIF orientation.
        width: u32,
        /// Pixels down after the EXIF orientation.
        height: u32,
        /// A small copy.
        thumbnail: Thumbnail,
    },
}

/// One file, table row or picture.
#[derive(Clone, Debug)]
pub struct Item {
    /// Where it is on disk.
    pub path: PathBuf,
    /// Its path from the root's parent with `/` between the parts, as shown; bytes that are no UTF-8 are replaced.
    pub shown_path: String,
    /// The label: its folder inside the root with `/` between the parts ("texts/animals"); the root's own name for files directly in it.
    pub label: String,
    /// Text, code or image.
    pub modality: Modality,
    /// The type in plain words: "Markdown", "Rust", "PNG".
    pub kind: String,
    /// Programming language of a code item: "rust".
    pub language: Option<&'static str>,
    /// Name of the character encoding the text was decoded from, "UTF-8".
    pub encoding: Option<&'static str>,
    /// Bytes on disk.
    pub size: u64,
    /// Last change, where the file system tells.
    pub modified: Option<SystemTime>,
    /// BLAKE3 of the file's bytes.
    pub hash: [u8; 32],
    /// What was read.
    pub content: Content,
}

impl Item {
    /// The item's text; `None` for a picture.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Image { .. } => None,
        }
    }

    /// The last part of its path.
    pub fn file_name(&self) -> &str {
        self.shown_path.rsplit('/').next().unwrap_or(&self.shown_path)
    }
}

/// The piece of an item that is embedded. A picture is one chunk with an empty range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The item it is of.
    pub item: ItemId,
    /// First byte in the item's text.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// First and last line, counted from 1; (0, 0) for a picture.
    pub lines: (u32, u32),
    /// Function or class name of a piece of code, heading of a piece of Markdown.
    pub name: Option<String>,
    /// Tokens by the chunker's counter, special tokens not counted; 0 for a picture.
    pub tokens: u32,
}

/// Why a file was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// No bytes, or only white space.
    #[error("empty")]
    Empty,
    /// Looks like neither text nor a known picture format.
    #[error("binary file ({kind})")]
    Binary {
        /// What it seems to be.
        kind: String,
    },
    /// Text whose bytes fit no known encoding.
    #[error("not readable as text ({encoding} was the best guess, {bad} bytes did not fit)")]
    Undecodable {
        /// The best guess.
        encoding: String,
        /// Characters that had to be replaced.
        bad: usize,
    },
    /// A picture that cannot be decoded: truncated, damaged, or not what its name says.
    #[error("picture cannot be read: {message}")]
    BadImage {
        /// The decoder's words.
        message: String,
    },
    /// A picture with more pixels than allowed.
    #[error(
        "picture of {width} x {height} is over {limit_megapixels} megapixels (raise with --max-megapixels, or in Reading options)"
    )]
    ImageTooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The limit in force.
        limit_megapixels: u32,
    },
    /// A text longer than allowed.
    #[error("text of {megabytes} MB is over {limit_megabytes} MB (raise with --max-text-mb, or in Reading options)")]
    TextTooLarge {
        /// The file's size.
        megabytes: u64,
        /// The limit in force.
        limit_megabytes: u64,
    },
    /// A symbolic link that leads back to a folder it lies in.
    #[error("symbolic link loop")]
    SymlinkLoop,
    /// A symbolic link to nothing.
    #[error("symbolic link to nothing")]
    BrokenLink,
    /// The system does not let us read it.
    #[error("no permission to read")]
    NoPermission,
    /// Neither a file nor a folder: a pipe, a socket, a device.
    #[error("not a regular file")]
    NotAFile,
    /// A folder or file that was named is not there.
    #[error("no such folder or file")]
    Missing,
    /// A folder that another symbolic link has led to.
    #[error("folder that another symbolic link led to already")]
    LinkedBefore,
    /// A symbolic link to files that are loaded without it.
    #[error("symbolic link to what is loaded by another path")]
    LoadedByAnotherPath,
    /// Our own output: a file that stands beside vectors.
    #[error("written by Embedlens beside {beside}")]
    OwnOutput {
        /// File name of the vectors.
        beside: String,
    },
    /// Our own output: a table of positions.
    #[error("a map written by Embedlens")]
    OwnMap,
    /// Some lines of a table of texts hold no text; its other rows were read.
    #[error("{lost} of its lines hold no row with a text; the others were read")]
    LostRows {
        /// How many.
        lost: usize,
    },
    /// Anything else that reading it brought up.
    #[error("cannot be read: {message}")]
    Unreadable {
        /// The reason in words, mostly the system's.
        message: String,
    },
}

/// A file that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub reason: SkipReason,
}

/// How folders are read and cut. Every field is a visible option.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct LoadOptions {
    /// Obey `.gitignore`, `.ignore` and `.embedignore` files. Default on.
    pub gitignore: bool,
    /// Read files and folders whose names begin with a dot. Default off.
    pub hidden: bool,
    /// Follow symbolic links. Default on; loops are found and listed.
    pub follow_links: bool,
    /// Largest text file in megabytes (1,000,000 bytes). Default 20.
    pub max_text_mb: u64,
    /// Largest picture in megapixels. Default 100.
    pub max_megapixels: u32,
    /// Tokens a chunk, special tokens not counted. Default 200, usual 100 to 250; larger chunks hold more context but blur several topics into one vector.
    pub chunk_tokens: usize,
    /// Tokens a chunk shares with the one before it. Default 30; less than `chunk_tokens`.
    pub overlap_tokens: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            gitignore: true,
            hidden: false,
            follow_links: true,
            max_text_mb: 20,
            max_megapixels: 100,
            chunk_tokens: 200,
            overlap_tokens: 30,
        }
    }
}

/// Counts tokens for the chunker. Implemented outside this room by the bundled tokenizer.
pub trait CountTokens: Send + Sync {
    /// Name and version of the counter: part of the corpus revision.
    fn fingerprint(&self) -> String;
    /// For each token of `text` in order, the byte after its last byte. Special tokens not included.
    fn token_ends(&self, text: &str) -> Vec<usize>;
}

/// Everything loaded, cut once. Immutable: another reading or another cutting is another revision.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The folders and files that were asked for.
    pub roots: Vec<PathBuf>,
    /// Items in order of path.
    pub items: Vec<Item>,
    /// Chunks in order of item, then position. Row `r` of every embedding set means `chunks[r]`.
    pub chunks: Vec<Chunk>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// How it was read.
    pub options: LoadOptions,
    /// BLAKE3 over the items' hashes, the options and the counter: equal revisions have equal rows.
    pub revision: [u8; 32],
    /// What the file of its rows says besides, where they came from one.
    pub table: Option<Arc<dyn TableColumns>>,
}

impl Corpus {
    /// The columns of the file of its rows; none where they came from no such file.
    pub fn heads(&self) -> &[TableHead] {
        self.table.as_ref().map_or(&[], |table| table.heads())
    }

    /// The chunk of a row.
    pub fn chunk(&self, row: RowId) -> &Chunk {
        &self.chunks[row.index()]
    }

    /// The item a row belongs to.
    pub fn item_of(&self, row: RowId) -> &Item {
        &self.items[self.chunk(row).item.index()]
    }

    /// The text of a row; empty for a picture.
    pub fn text_of(&self, row: RowId) -> &str {
        let chunk = self.chunk(row);
        self.item_of(row).text().and_then(|text| text.get(chunk.start..chunk.end)).unwrap_or_default()
    }

    /// Rows of the given modalities, in order.
    pub fn rows_of(&self, modalities: &[Modality]) -> Vec<RowId> {
        (0..self.chunks.len() as u32)
            .map(RowId)
            .filter(|&row| modalities.contains(&self.item_of(row).modality))
            .collect()
    }

    /// How many items there are of a modality.
    pub fn count(&self, modality: Modality) -> usize {
        self.items.iter().filter(|item| item.modality == modality).count()
    }
}
