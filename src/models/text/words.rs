//! The bundled tokenizer as a counter of tokens, for cutting documents into chunks.
//!
//! No special tokens, no context limit; safe to call from many threads on documents of many megabytes. Without the
//! `bundled-models` feature it falls back to runs of letters and single marks, and its fingerprint says so. Invariant:
//! ends are byte offsets on character borders of the text, never decreasing.

use std::sync::{Arc, OnceLock};

use super::tokens::TextTokenizer;
use crate::models::{ModelError, bundled};

/// Counts tokens as the bundled text models see them.
pub struct WordTokens {
    tokenizer: Option<Arc<TextTokenizer>>,
    fingerprint: String,
}

impl WordTokens {
    /// The bundled tokenizer, loaded once a process (about 50 ms).
    ///
    /// # Errors
    /// When the bundled file cannot be read, which a test excludes.
    pub fn bundled() -> Result<Arc<Self>, ModelError> {
        static SHARED: OnceLock<Result<Arc<WordTokens>, String>> = OnceLock::new();
        let load = || -> Result<Arc<Self>, ModelError> {
            let tokenizer = if bundled::PRESENT { Some(bundled::tokenizer()?) } else { None };
            let fingerprint = tokenizer
                .as_ref()
                .map_or_else(|| "words-and-marks 1".to_owned(), |t| format!("tokenizer {}", &t.hash.to_hex()[..32]));
            Ok(Arc::new(Self { tokenizer, fingerprint }))
        };
        SHARED.get_or_init(|| load().map_err(|e| e.to_string())).clone().map_err(ModelError::Tokenizer)
    }

    /// Byte offset in `text` of each token's end, ascending. Should the tokenizer fail on a text, words and marks are
    /// counted instead, so that no document is lost for it.
    pub fn token_ends(&self, text: &str) -> Vec<usize> {
        match self.tokenizer.as_ref().map(|t| t.pieces(text)) {
            Some(Ok(pieces)) => pieces.offsets.iter().map(|&(_, end)| end).collect(),
            _ => words_and_marks(text),
        }
    }

    /// Hash of the tokenizer's file, or the fallback's name.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Ends of runs of letters and digits, and of every other mark that is not white space.
fn words_and_marks(text: &str) -> Vec<usize> {
    let mut ends = Vec::with_capacity(text.len() / 5);
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        let letter = c.is_alphanumeric();
        if in_word && !letter {
            ends.push(at);
        }
        if !letter && !c.is_whitespace() {
            ends.push(at + c.len_utf8());
        }
        in_word = letter;
    }
    if in_word {
        ends.push(text.len());
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_marks_by_hand() {
        assert_eq!(words_and_marks("Grüße, Welt!"), [7, 8, 13, 14]);
        assert!(words_and_marks("  ").is_empty());
        assert_eq!(words_and_marks("a  b"), [1, 4]);
    }

    #[cfg(feature = "bundled-models")]
    #[test]
    fn ends_are_bytes_of_the_text_given() {
        let words = WordTokens::bundled().unwrap();
        assert_eq!(words.token_ends("Hello, world"), [5, 6, 12]);
        // Accents are stripped and letters lowered by the normaliser; offsets stay those of the original bytes.
        let text = "Grüße 漢字 naïve";
        let ends = words.token_ends(text);
        assert_eq!(*ends.last().unwrap(), text.len());
        assert!(ends.iter().all(|&e| text.is_char_boundary(e)) && ends.is_sorted());
        for end in ["Grüße".len(), "Grüße 漢".len(), "Grüße 漢字".len()] {
            assert!(ends.contains(&end), "{end} in {ends:?}");
        }
        assert!(words.token_ends("").is_empty());
    }

    #[cfg(feature = "bundled-models")]
    #[test]
    fn long_texts_are_cut_without_a_trace() {
        let words = WordTokens::bundled().unwrap();
        let line = "The quick brown fox – naïve 漢字 unbelievably tokenises 12,345.67 words_with_underscores\n";
        let one = words.token_ends(line);
        let many = words.token_ends(&line.repeat(3000));
        let want = (0..3000).flat_map(|i| one.iter().map(move |e| e + i * line.len()));
        assert!(many.into_iter().eq(want));
    }
}
