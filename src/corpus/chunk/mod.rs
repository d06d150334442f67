//! Cutting a document into the pieces that are embedded.
//!
//! Prose by paragraphs and sentences with overlap, Markdown by its structure, code by function or class, other code by
//! blocks of lines. Knows documents, not files. Invariants: ranges ascend, lie on character borders, and together hold
//! every character that is not white space; a piece has at most the asked number of tokens (a whole function or class
//! a quarter more, see [`code`]).

mod code;
mod headings;
mod lines;
mod prose;
mod tokens;

use std::ops::Range;

use self::lines::LineNumbers;
use self::tokens::DocumentTokens;
use super::kinds::MARKDOWN;
use super::{Chunk, CountTokens, ItemId, LoadOptions, Modality};

/// A text to be cut.
pub(super) struct Document<'a> {
    /// All of it.
    pub text: &'a str,
    /// Text or code.
    pub modality: Modality,
    /// Programming language of code.
    pub language: Option<&'static str>,
    /// The kind in plain words.
    pub kind: &'a str,
}

/// Sizes in tokens.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Most tokens of a piece, at least 1.
    limit: usize,
    /// Tokens shared with the piece before, less than `limit`.
    overlap: usize,
}

/// A piece before it is numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    range: Range<usize>,
    name: Option<String>,
}

/// Cuts a document. The chunks carry item 0; the caller knows the number.
pub(super) fn cut(document: &Document<'_>, options: &LoadOptions, counter: &dyn CountTokens) -> Vec<Chunk> {
    let limit = options.chunk_tokens.max(1);
    let sizes = Sizes { limit, overlap: options.overlap_tokens.min(limit - 1) };
    let tokens = DocumentTokens::new(document.text, counter);
    let pieces = match (document.modality, document.language) {
        (Modality::Code, Some(language)) => code::cut(&tokens, sizes, language),
        (Modality::Code, None) => code::cut(&tokens, sizes, ""),
        _ if document.kind == MARKDOWN => {
            let headings = headings::find(document.text);
            let ranges = prose::cut(&tokens, sizes, true);
            ranges.into_iter().map(|range| Piece { name: headings::over(&headings, &range), range }).collect()
        }
        _ => prose::cut(&tokens, sizes, false).into_iter().map(|range| Piece { range, name: None }).collect(),
    };
    let numbers = LineNumbers::new(document.text);
    let chunk = |Piece { range, name }: Piece| Chunk {
        item: ItemId(0),
        start: range.start,
        end: range.end,
        lines: (numbers.at(range.start), numbers.at(range.end.saturating_sub(1))),
        name,
        tokens: tokens.count(range.start, range.end) as u32,
    };
    pieces.into_iter().map(chunk).collect()
}

/// The range without white space at its ends; `None` when nothing is left.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let slice = text.get(range.clone())?;
    let start = range.start + (slice.len() - slice.trim_start().len());
    let end = range.start + slice.trim_end().len();
    (start < end).then_some(start..end)
}

/// Like [`trimmed`], but the first line keeps its indentation.
fn trimmed_lines(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let inner = trimmed(text, range.clone())?;
    let before = &text[range.start..inner.start];
    let start = match before.rfind(['\n', '\r']) {
        Some(line_end) => range.start + line_end + 1,
        // Only when the range itself begins a line is what comes before an indentation.
        None if range.start == 0 || text[..range.start].ends_with(['\n', '\r']) => range.start,
        None => inner.start,
    };
    Some(start..inner.end)
}

/// Asserts of every cutter, whatever the text.
#[cfg(test)]
pub(super) fn check_invariants(text: &str, chunks: &[Chunk], options: &LoadOptions) {
    let mut covered = 0;
    let mut last_start = None;
    for chunk in chunks {
        let slice = text.get(chunk.start..chunk.end).expect("on character borders");
        assert!(!slice.trim().is_empty(), "an empty chunk at {}", chunk.start);
        assert!(last_start < Some(chunk.start), "starts ascend");
        last_start = Some(chunk.start);
        if chunk.start > covered {
            assert!(text[covered..chunk.start].trim().is_empty(), "lost {:?}", &text[covered..chunk.start]);
        }
        covered = covered.max(chunk.end);
        let most = options.chunk_tokens + options.chunk_tokens / 4;
        assert!(chunk.tokens as usize <= most, "{} tokens", chunk.tokens);
        let first = text[..chunk.start].matches('\n').count() as u32 + 1;
        assert_eq!(chunk.lines, (first, first + slice.matches('\n').count() as u32));
    }
    assert!(text[covered..].trim().is_empty(), "lost the end");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::testing::WordCount;
    use rand::Rng;
    use rand::seq::IndexedRandom;

    fn options(chunk_tokens: usize, overlap_tokens: usize) -> LoadOptions {
        LoadOptions { chunk_tokens, overlap_tokens, ..LoadOptions::default() }
    }

    #[test]
    fn random_texts_keep_the_promises() {
        const BITS: [&str; 22] = [
            "word",
            "Zürich",
            "日本語。",
            "\n",
            "\n\n",
            "\r\n",
            " ",
            "  ",
            "\t",
            ". ",
            "# Head",
            "```",
            "- item",
            "|a|b|",
            "> q",
            "<b>",
            "fn f() {",
            "}",
            "\u{301}",
            "👩‍👩‍👧",
            "\u{a0}",
            "def g():",
        ];
        let mut random = rand_pcg::Pcg64Mcg::new(7);
        for round in 0..150 {
            let length = random.random_range(1..300);
            let mut text: String = (0..length).filter_map(|_| BITS.choose(&mut random).copied()).collect();
            text.push('x');
            let options = options(random.random_range(1..40), random.random_range(0..12));
            for (modality, language, kind) in [
                (Modality::Text, None, "plain text"),
                (Modality::Text, None, MARKDOWN),
                (Modality::Code, Some("rust"), "Rust"),
                (Modality::Code, Some("python"), "Python"),
                (Modality::Code, Some("javascript"), "JavaScript"),
                (Modality::Code, Some("go"), "Go"),
            ] {
                let document = Document { text: &text, modality, language, kind };
                let chunks = cut(&document, &options, &WordCount);
                check_invariants(&text, &chunks, &options);
                assert_eq!(chunks, cut(&document, &options, &WordCount), "round {round}");
            }
        }
    }

    #[test]
    fn a_short_text_is_one_trimmed_chunk() {
        let document =
            Document { text: "\n\n  Hello there.\n\nBye.\n", modality: Modality::Text, language: None, kind: MARKDOWN };
        let chunks = cut(&document, &options(200, 30), &WordCount);
        assert_eq!(chunks.len(), 1);
        assert_eq!((chunks[0].start, chunks[0].end, chunks[0].lines, chunks[0].tokens), (4, 22, (3, 5), 3));
    }

    #[test]
    fn neighbours_share_words_when_asked() {
        let text: String = (0..200).map(|i| format!("w{i} ")).collect();
        let document = Document { text: &text, modality: Modality::Text, language: None, kind: "plain text" };
        let chunks = cut(&document, &options(20, 5), &WordCount);
        assert!(chunks.windows(2).all(|pair| pair[1].start < pair[0].end));
        let chunks = cut(&document, &options(20, 0), &WordCount);
        assert!(chunks.windows(2).all(|pair| pair[1].start >= pair[0].end));
    }

    #[test]
    fn markdown_chunks_bear_their_heading() {
        let text =
            "# Soups\n\nSimmer the lentils slowly.\n\n## Cold soups\n\nChill the cucumber well before serving.\n";
        let document = Document { text, modality: Modality::Text, language: None, kind: MARKDOWN };
        let names: Vec<_> = cut(&document, &options(9, 0), &WordCount).into_iter().map(|chunk| chunk.name).collect();
        assert_eq!(names, [Some("Soups".to_owned()), Some("Cold soups".to_owned())]);
    }
}
