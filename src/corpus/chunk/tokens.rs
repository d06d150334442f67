//! Token counts of any slice of a document, from one tokenisation.
//!
//! Splitters ask for the size of thousands of overlapping slices; tokenising each would cost minutes. Invariant: token
//! ends ascend and lie within the text, whatever the counter returns.

use rayon::prelude::*;
use text_splitter::ChunkSizer;

use crate::corpus::CountTokens;

/// Bytes tokenised in one go: bounds the counter's memory on large documents and lets several cores share one.
const PIECE: usize = 64 * 1024;
/// Bytes that count as one token at least. Counters turn words of any length into one "unknown" token; without this a
/// megabyte without spaces would be one piece.
const TOKEN_BYTES: usize = 64;

/// A document and where its tokens end.
pub(super) struct DocumentTokens<'a> {
    text: &'a str,
    ends: Vec<usize>,
    counter: &'a dyn CountTokens,
}

impl<'a> DocumentTokens<'a> {
    /// Tokenises a document once.
    pub(super) fn new(text: &'a str, counter: &'a dyn CountTokens) -> Self {
        let pieces = pieces(text);
        let parts: Vec<Vec<usize>> = pieces.par_iter().map(|&(start, piece)| ends_of(counter, piece, start)).collect();
        Self { text, ends: parts.concat(), counter }
    }

    /// The document.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Tokens between two byte positions; one that is cut counts on both sides.
    pub(super) fn count(&self, start: usize, end: usize) -> usize {
        let first = self.ends.partition_point(|&token| token <= start);
        let last = self.ends.partition_point(|&token| token <= end);
        let covered = if last > first { self.ends[last - 1] } else { start };
        let cut = self.text.get(covered..end).is_some_and(|rest| rest.contains(|c: char| !c.is_whitespace()));
        last.saturating_sub(first) + usize::from(cut)
    }

    /// Size of a piece as the cutters weigh it: tokens, but not less than one for every [`TOKEN_BYTES`] bytes.
    pub(super) fn weight(&self, start: usize, end: usize) -> usize {
        self.count(start, end).max(end.saturating_sub(start).div_ceil(TOKEN_BYTES))
    }

    /// The farthest end of a piece from `start` that weighs at most `limit`, on a character border and after `start`.
    pub(super) fn farthest(&self, start: usize, limit: usize) -> usize {
        let first = self.ends.partition_point(|&token| token <= start);
        let by_tokens = match self.ends.get(first + limit) {
            Some(_) => self.ends[first + limit - 1],
            None => self.text.len(),
        };
        let end = by_tokens.min(start.saturating_add(limit.saturating_mul(TOKEN_BYTES)));
        let end = self.text.floor_char_boundary(end);
        if end > start { end } else { self.text.ceil_char_boundary(start + 1) }
    }
}

impl ChunkSizer for DocumentTokens<'_> {
    fn size(&self, chunk: &str) -> usize {
        // A slice of the document is recognised by where it lies in memory.
        let start = (chunk.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        match start.checked_add(chunk.len()) {
            Some(end) if end <= self.text.len() => self.weight(start, end),
            _ => self.counter.token_ends(chunk).len().max(chunk.len().div_ceil(TOKEN_BYTES)),
        }
    }
}

/// Cuts a text for the counter at line ends or spaces, where tokens never reach across.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while text.len() - start > PIECE {
        let end = text.floor_char_boundary(start + PIECE);
        let piece = &text[start..end];
        let border = piece.rfind('\n').or_else(|| piece.rfind(' ')).map_or(piece.len(), |at| at + 1);
        pieces.push((start, &piece[..border]));
        start += border;
    }
    pieces.push((start, &text[start..]));
    pieces
}

fn ends_of(counter: &dyn CountTokens, piece: &str, start: usize) -> Vec<usize> {
    let mut ends = counter.token_ends(piece);
    let mut last = 0;
    for end in &mut ends {
        last = last.max((*end).min(piece.len()));
        *end = start + last;
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::testing::WordCount;

    #[test]
    fn slices_count_like_their_text_alone() {
        let text = "one two  three\nfour five";
        let tokens = DocumentTokens::new(text, &WordCount);
        for start in 0..=text.len() {
            for end in start..=text.len() {
                let slice = &text[start..end];
                assert_eq!(tokens.count(start, end), slice.split_whitespace().count(), "{slice:?}");
                // Every byte weighs something.
                let least = usize::from(!slice.is_empty());
                assert_eq!(tokens.size(slice), slice.split_whitespace().count().max(least));
            }
        }
        assert_eq!(tokens.size(&String::from("from elsewhere entirely")), 3);
    }

    #[test]
    fn large_documents_count_the_same_in_pieces() {
        let text: String = (0..40_000).map(|i| format!("word{i}{}", if i % 9 == 0 { "\n" } else { " " })).collect();
        let tokens = DocumentTokens::new(&text, &WordCount);
        assert_eq!(tokens.ends, WordCount.token_ends(&text));
    }

    #[test]
    fn the_farthest_end_is_the_last_that_fits() {
        let text = "one two three four";
        let tokens = DocumentTokens::new(text, &WordCount);
        assert_eq!(&text[..tokens.farthest(0, 2)], "one two");
        assert_eq!(tokens.farthest(4, 9), text.len());
        let long = "é".repeat(1000);
        let tokens = DocumentTokens::new(&long, &WordCount);
        assert_eq!(tokens.farthest(0, 2), 128);
    }
}
