//! Rows as they are told to other programs: where each comes from and what it says.

use std::time::UNIX_EPOCH;

use super::more::More;
use super::opened::FileRows;
use crate::corpus::{Corpus, Modality};
use crate::vectors::RowId;
use crate::workspace::EmbeddingSet;

/// One row, as in `F.metadata.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct RowInfo {
    /// Position in the file that was written, from 0.
    pub row: usize,
    /// The item's file. Bytes that are no UTF-8 are replaced.
    pub path: String,
    /// First byte in the item's text.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// "text", "code", "image"; empty where not known.
    pub modality: String,
    /// The item's label: its folder.
    pub label: String,
    /// The chunk's text; empty for a picture.
    pub text: String,
    /// The item's type in plain words.
    #[serde(rename = "type")]
    pub kind: String,
    /// Programming language of code; else empty.
    pub language: String,
    /// Character encoding the text was decoded from; empty for a picture.
    pub encoding: String,
    /// Bytes of the item's file.
    pub size: u64,
    /// When the item's file was last changed, in seconds since 1970; `None` where the file system does not tell.
    pub modified: Option<u64>,
    /// Tokens by the chunker's counter.
    pub tokens: u32,
    /// Tokens that the model did not see.
    pub truncated: u32,
    /// The model that made the row's vector; empty where not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// What its file says of it besides.
    #[serde(skip)]
    pub more: More,
}

impl RowInfo {
    /// What is known of a corpus row that stands at `position` in a file. Of a row that came from a file of vectors that is what the file
    /// says.
    pub fn of(corpus: &Corpus, row: RowId, position: usize) -> Self {
        if let Some(told) = FileRows::of(corpus) {
            return Self { row: position, ..told.row(corpus, row) };
        }
        let (item, chunk) = (corpus.item_of(row), corpus.chunk(row));
        Self {
            row: position,
            path: item.path.to_string_lossy().into_owned(),
            start: chunk.start,
            end: chunk.end,
            modality: item.modality.name().to_owned(),
            label: item.label.clone(),
            text: corpus.text_of(row).to_owned(),
            kind: item.kind.clone(),
            language: item.language.unwrap_or_default().to_owned(),
            encoding: item.encoding.unwrap_or_default().to_owned(),
            size: item.size,
            modified: item.modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs()),
            tokens: chunk.tokens,
            truncated: 0,
            model: String::new(),
            more: More::default(),
        }
    }

    /// Whether the row is a picture.
    pub fn is_image(&self) -> bool {
        self.modality == Modality::Image.name()
    }
}

/// What is known of the rows of a set, its model and what that did not see included.
pub fn set_table(corpus: &Corpus, set: &EmbeddingSet) -> Vec<RowInfo> {
    let mut rows = corpus_table(corpus, &set.rows);
    // No model makes vectors that can be held against shortened ones.
    let maker = set.card.maker().filter(|_| set.reductions.is_empty());
    let model = maker.map_or_else(String::new, |model| model.0.clone());
    // A file may name a model that is not here.
    let of_file = set.card.is_of_file() && set.reductions.is_empty();
    for (row, &cut) in rows.iter_mut().zip(set.cut.iter()) {
        row.truncated = cut;
        if !of_file || !model.is_empty() {
            row.model.clone_from(&model);
        }
    }
    rows
}

/// What is known of corpus rows, in the order given.
pub fn corpus_table(corpus: &Corpus, rows: &[RowId]) -> Vec<RowInfo> {
    rows.iter().enumerate().map(|(position, &row)| RowInfo::of(corpus, row, position)).collect()
}
