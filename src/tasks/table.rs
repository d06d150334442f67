//! Rows as they are told to other programs: where each comes from and what it says.

use crate::corpus::{Corpus, Modality};
use crate::vectors::RowId;

/// One row, as in `F.metadata.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
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
    /// The item's type in plain words; not written.
    #[serde(skip)]
    pub kind: String,
    /// Tokens by the chunker's counter; not written.
    #[serde(skip)]
    pub tokens: u32,
}

impl RowInfo {
    /// What is known of a corpus row that stands at `position` in a file.
    pub fn of(corpus: &Corpus, row: RowId, position: usize) -> Self {
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
            tokens: chunk.tokens,
        }
    }

    /// Whether the row is a picture.
    pub fn is_image(&self) -> bool {
        self.modality == Modality::Image.name()
    }
}

/// What is known of corpus rows, in the order given.
pub fn corpus_table(corpus: &Corpus, rows: &[RowId]) -> Vec<RowInfo> {
    rows.iter().enumerate().map(|(position, &row)| RowInfo::of(corpus, row, position)).collect()
}
