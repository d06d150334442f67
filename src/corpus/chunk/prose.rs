//! Prose and Markdown, cut by the `text-splitter` crate on the largest borders that fit: paragraphs, sentences, words.
//!
//! The splitter looks at everything that is left for every piece it makes, so large documents are handed to it in
//! windows. A window's last piece is thrown away and begun again in the next, so that no seam is seen. Invariant: the
//! work grows with the length of the text, not with its square.

use std::ops::Range;

use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};

use super::tokens::DocumentTokens;
use super::{Sizes, trimmed};

/// Bytes shown to the splitter at once.
const WINDOW: usize = 32 * 1024;

/// Cuts prose; `markdown` respects the structure of Markdown.
pub(super) fn cut(tokens: &DocumentTokens<'_>, sizes: Sizes, markdown: bool) -> Vec<Range<usize>> {
    let text = tokens.text();
    let Some(all) = trimmed(text, 0..text.len()) else { return Vec::new() };
    if tokens.weight(all.start, all.end) <= sizes.limit {
        return vec![all];
    }
    let splitter = Splitter::new(tokens, sizes, markdown);
    let window = WINDOW.max(sizes.limit.saturating_mul(64));
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = window_end(text, start, window);
        let mut found = splitter.split(text, start..end);
        found.retain(|range| ranges.last().is_none_or(|last| range.start > last.start));
        let again = match found.as_slice() {
            [.., _, last] if end < text.len() && last.start > start => Some(last.start),
            _ => None,
        };
        if again.is_some() {
            found.pop();
        }
        ranges.append(&mut found);
        start = again.unwrap_or(end);
    }
    ranges
}

/// Where a window from `start` ends: at a paragraph, line or word in its second half, else anywhere.
fn window_end(text: &str, start: usize, window: usize) -> usize {
    if text.len() - start <= window {
        return text.len();
    }
    let end = text.floor_char_boundary(start + window);
    let half = text.ceil_char_boundary(start + window / 2);
    let tail = &text[half..end];
    let border = tail.rfind("\n\n").or_else(|| tail.rfind('\n')).or_else(|| tail.rfind(' '));
    border.map_or(end, |at| half + at + 1)
}

/// One of the two splitters.
enum Splitter<'a> {
    Text(TextSplitter<&'a DocumentTokens<'a>>),
    Markdown(MarkdownSplitter<&'a DocumentTokens<'a>>),
}

impl<'a> Splitter<'a> {
    fn new(tokens: &'a DocumentTokens<'a>, sizes: Sizes, markdown: bool) -> Self {
        let plain = || ChunkConfig::new(sizes.limit).with_sizer(tokens);
        // Sizes hold that the overlap is less than the limit, the only thing that can be wrong here.
        let config = plain().with_overlap(sizes.overlap).unwrap_or_else(|_| plain());
        if markdown { Self::Markdown(MarkdownSplitter::new(config)) } else { Self::Text(TextSplitter::new(config)) }
    }

    fn split(&self, text: &str, window: Range<usize>) -> Vec<Range<usize>> {
        let slice = &text[window.clone()];
        let range = |(at, piece): (usize, &str)| {
            let start = window.start + at;
            trimmed(text, start..start + piece.len())
        };
        match self {
            Self::Text(splitter) => splitter.chunk_indices(slice).filter_map(range).collect(),
            Self::Markdown(splitter) => splitter.chunk_indices(slice).filter_map(range).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::testing::WordCount;

    fn pieces(text: &str, limit: usize, overlap: usize) -> Vec<&str> {
        let tokens = DocumentTokens::new(text, &WordCount);
        cut(&tokens, Sizes { limit, overlap }, false).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn paragraphs_stay_whole_where_they_fit() {
        assert_eq!(pieces("One two three.\n\nFour five six.", 4, 0), ["One two three.", "Four five six."]);
    }

    #[test]
    fn windows_leave_no_seam() {
        let text: String =
            (0..40_000).map(|i| format!("Word {i} stands here.{}", ["\n", "\n\n", " "][i % 3])).collect();
        let long = pieces(&text, 50, 0);
        let near_limit = long.iter().filter(|piece| piece.split_whitespace().count() > 30).count();
        // A seam would leave a short piece every 32 kB; only the very last may be short.
        assert!(near_limit + 1 >= long.len(), "{near_limit} of {}", long.len());
    }

    #[test]
    fn a_text_without_borders_is_still_cut() {
        let text = "a".repeat(200_000);
        let long = pieces(&text, 20, 3);
        assert!(long.iter().all(|piece| piece.len() <= 20 * 64));
    }
}
