//! A corpus: everything loaded from the chosen folders and files. Folders become items, items become chunks.
//!
//! This room walks, sniffs, decodes and cuts; it embeds nothing and knows no model (the chunker counts tokens through
//! [`CountTokens`]). Invariants: rows are the chunks in order of path, then position; a chunk's byte range lies on
//! character borders of its item's text; one file's fault never stops the others.

mod chunk;
mod decode;
mod images;
mod kinds;
mod links;
mod load;
mod read;
mod rows;
pub mod sample;
mod sniff;
mod table;
mod types;
mod walk;

pub use images::read_image;
pub use load::{LoadError, load};
pub(crate) use read::panic_words;
pub use table::{TableColumns, TableHead, TableKind};
pub use types::*;
pub use walk::IGNORE_FILE;

/// Helpers for this room's tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::CountTokens;

    /// Counts words between white space: simple enough to check by eye.
    pub(crate) struct WordCount;

    impl CountTokens for WordCount {
        fn fingerprint(&self) -> String {
            "words".to_owned()
        }

        fn token_ends(&self, text: &str) -> Vec<usize> {
            let base = text.as_ptr() as usize;
            text.split_whitespace().map(|word| word.as_ptr() as usize - base + word.len()).collect()
        }
    }
}
