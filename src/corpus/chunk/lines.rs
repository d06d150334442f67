//! Cutting by lines, and line numbers.
//!
//! For code in languages without a grammar here, and for functions that are too long. Pieces end at a blank line where
//! there is one, else at a line's end, else (one endless line) at a token.

use std::ops::Range;

use super::tokens::DocumentTokens;
use super::trimmed_lines;

/// Cuts a range into pieces of at most `limit` tokens, white space lines trimmed off.
pub(super) fn cut(tokens: &DocumentTokens<'_>, range: Range<usize>, limit: usize) -> Vec<Range<usize>> {
    let text = tokens.text();
    let mut pieces = Vec::new();
    let mut start = range.start;
    // Trimmed once: a long blank tail trimmed for every piece would cost its square.
    let last = trimmed_lines(text, range).map_or(start, |inner| inner.end);
    while let Some(rest) = trimmed_lines(text, start..last) {
        let farthest = tokens.farthest(rest.start, limit);
        let end = if farthest >= rest.end { last } else { border(text, rest.start, farthest) };
        pieces.extend(trimmed_lines(text, rest.start..end));
        start = end;
    }
    pieces
}

/// The best place to end a piece that may reach from `start` to `farthest`: the last blank line beyond its first
/// quarter, else the last line end, else the last space, else `farthest`.
fn border(text: &str, start: usize, farthest: usize) -> usize {
    let reach = &text[start..farthest];
    // What fits may end exactly where a line does.
    if text[farthest..].starts_with("\n\n") {
        return farthest;
    }
    let blank = reach.rmatch_indices('\n').find(|&(at, _)| {
        let line = reach[..at].rfind('\n').map_or(0, |before| before + 1);
        reach[line..at].trim().is_empty() && at > 0
    });
    if let Some((at, _)) = blank.filter(|&(at, _)| at > reach.len() / 4) {
        return start + at + 1;
    }
    if text[farthest..].starts_with(['\n', '\r']) {
        return farthest;
    }
    let line = reach.rfind('\n').filter(|&at| !reach[..at].trim().is_empty());
    if line.is_none() && text[farthest..].starts_with([' ', '\t']) {
        return farthest;
    }
    let space = || reach.rfind(' ').filter(|&at| !reach[..at].trim().is_empty());
    line.or_else(space).map_or(farthest, |at| start + at + 1)
}

/// Line numbers of byte positions.
pub(super) struct LineNumbers {
    ends: Vec<usize>,
}

impl LineNumbers {
    /// Finds the line ends: `\n`, or `\r` in files that know no other.
    pub(super) fn new(text: &str) -> Self {
        let mark = if text.contains('\n') { b'\n' } else { b'\r' };
        Self { ends: text.bytes().enumerate().filter(|&(_, byte)| byte == mark).map(|(at, _)| at).collect() }
    }

    /// The line a byte lies in, counted from 1.
    pub(super) fn at(&self, byte: usize) -> u32 {
        self.ends.partition_point(|&end| end < byte) as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::testing::WordCount;

    fn pieces(text: &str, limit: usize) -> Vec<&str> {
        let tokens = DocumentTokens::new(text, &WordCount);
        cut(&tokens, 0..text.len(), limit).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn blocks_end_at_blank_lines() {
        assert_eq!(pieces("a b\nc d\n\n  e f\n  g h\n", 6), ["a b\nc d", "  e f\n  g h"]);
        assert_eq!(pieces("a b\nc d\ne f\n", 5), ["a b\nc d", "e f"]);
        assert_eq!(pieces("a b c d e", 2), ["a b", "c d", "e"]);
        assert_eq!(pieces("a b\n\nc", 2), ["a b", "c"]);
    }

    #[test]
    fn lines_count_from_one() {
        let numbers = LineNumbers::new("a\nb\n\nc");
        assert_eq!([0, 1, 2, 4, 5].map(|byte| numbers.at(byte)), [1, 1, 2, 3, 4]);
    }
}
