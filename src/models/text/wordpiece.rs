//! A quick way through `WordPiece` for plain ASCII words, the bulk of English texts and of code.
//!
//! The `tokenizers` crate keeps alignments through every step, which costs most of the time. Words of printable ASCII need
//! none: lowering keeps their length, and white space and ASCII marks are the only borders. Everything else (other
//! scripts, accents, control characters, special tokens) is handed to the `tokenizers` crate. Invariant: the same tokens
//! and offsets as that crate gives; a test compares them.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

use crate::models::ModelError;

type Map = HashMap<Box<[u8]>, u32, BuildHasherDefault<WordHasher>>;

/// Vocabulary of a BERT tokenizer, ready for ASCII words.
pub(super) struct WordPiece {
    /// Entries that start a word.
    starts: Map,
    /// Entries that go on, without their "##".
    parts: Map,
    unknown: u32,
    /// Longer words are unknown as a whole.
    longest_word: usize,
    /// Bytes of the longest entry.
    longest_entry: usize,
    lower: bool,
    /// Special tokens, which can stand inside a word.
    special: Vec<String>,
}

/// What the quick way leaves to the slow one: a stretch of the text, for which it returns ids and byte ranges.
pub(super) trait Slow {
    /// Tokenises `text`, which starts at byte `at` of the whole, and passes on each token.
    fn run(&mut self, at: usize, text: &str, sink: &mut impl FnMut(u32, usize, usize)) -> Result<(), ModelError>;
}

impl WordPiece {
    /// The quick way for `tokenizer`, or `None` when it is not a plain BERT `WordPiece`.
    pub(super) fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let NormalizerWrapper::BertNormalizer(normalizer) = tokenizer.get_normalizer()? else { return None };
        let PreTokenizerWrapper::BertPreTokenizer(_) = tokenizer.get_pre_tokenizer()? else { return None };
        let ModelWrapper::WordPiece(model) = tokenizer.get_model() else { return None };
        let added = tokenizer.get_added_tokens_decoder();
        let plain = |t: &tokenizers::AddedToken| {
            let bytes = t.content.as_bytes();
            let word = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
            word && !(t.single_word || t.lstrip || t.rstrip || t.normalized)
        };
        if !normalizer.clean_text || !added.values().all(plain) {
            return None;
        }
        let (mut starts, mut parts) = (Map::default(), Map::default());
        let prefix = model.continuing_subword_prefix.as_bytes();
        // Only the model's own vocabulary: words never become special tokens by lookup.
        for (token, id) in tokenizer.get_vocab(false) {
            let bytes = token.as_bytes();
            if !bytes.is_ascii() {
                continue;
            }
            if let Some(rest) = bytes.strip_prefix(prefix) {
                parts.insert(rest.into(), id);
            }
            starts.insert(bytes.into(), id);
        }
        let longest_entry = starts.keys().map(|k| k.len()).max()?;
        Some(Self {
            unknown: *starts.get(model.unk_token.as_bytes())?,
            starts,
            parts,
            longest_word: model.max_input_chars_per_word,
            longest_entry,
            lower: normalizer.lowercase,
            special: added.values().map(|t| t.content.clone()).collect(),
        })
    }

    /// Tokenises `text`: passes id, start and end of each token to `sink`, in order.
    pub(super) fn run(
        &self,
        text: &str,
        slow: &mut impl Slow,
        sink: &mut impl FnMut(u32, usize, usize),
    ) -> Result<(), ModelError> {
        let bytes = text.as_bytes();
        let mut lowered = Vec::with_capacity(self.longest_word);
        let mut waiting: Option<(usize, usize)> = None;
        let mut at = 0;
        while at < bytes.len() {
            if is_space(bytes[at]) {
                at += 1;
                continue;
            }
            let start = at;
            let mut quick = true;
            while at < bytes.len() && !is_space(bytes[at]) {
                quick &= bytes[at].is_ascii_graphic();
                at += 1;
            }
            let segment = &text[start..at];
            if !quick || self.special.iter().any(|s| segment.contains(s.as_str())) {
                waiting = Some((waiting.map_or(start, |w| w.0), at));
                continue;
            }
            if let Some((from, to)) = waiting.take() {
                slow.run(from, &text[from..to], sink)?;
            }
            self.segment(segment.as_bytes(), start, &mut lowered, sink);
        }
        waiting.map_or(Ok(()), |(from, to)| slow.run(from, &text[from..to], sink))
    }

    /// One stretch of printable ASCII without spaces: marks stand alone, the rest are words.
    fn segment(&self, bytes: &[u8], at: usize, lowered: &mut Vec<u8>, sink: &mut impl FnMut(u32, usize, usize)) {
        let mut start = 0;
        while start < bytes.len() {
            let mut end = start + 1;
            if !bytes[start].is_ascii_punctuation() {
                while end < bytes.len() && !bytes[end].is_ascii_punctuation() {
                    end += 1;
                }
            }
            lowered.clear();
            lowered.extend_from_slice(&bytes[start..end]);
            if self.lower {
                lowered.make_ascii_lowercase();
            }
            self.word(lowered, at + start, sink);
            start = end;
        }
    }

    /// Greedy longest match; a word of which any part is not in the vocabulary is unknown as a whole.
    fn word(&self, word: &[u8], at: usize, sink: &mut impl FnMut(u32, usize, usize)) {
        if word.len() > self.longest_word {
            return sink(self.unknown, at, at + word.len());
        }
        if let Some(&id) = self.starts.get(word) {
            return sink(id, at, at + word.len());
        }
        let mut found = [(0u32, 0usize); 128];
        let (mut count, mut start) = (0, 0);
        while start < word.len() {
            let map = if start == 0 { &self.starts } else { &self.parts };
            let longest = word.len().min(start + self.longest_entry);
            let hit = (start + 1..=longest).rev().find_map(|end| map.get(&word[start..end]).map(|&id| (id, end)));
            match hit {
                Some(hit) if count < found.len() => found[count] = hit,
                _ => return sink(self.unknown, at, at + word.len()),
            }
            start = found[count].1;
            count += 1;
        }
        let mut start = 0;
        for &(id, end) in &found[..count] {
            sink(id, at + start, at + end);
            start = end;
        }
    }
}

/// White space that the normaliser keeps as such; other ASCII control characters it deletes, which is left to it.
fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// A quick hash for short words; not for keys that someone could choose to collide at length.
#[derive(Default)]
struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }
}

impl WordHasher {
    fn mix(&mut self, x: u64) {
        self.0 = (self.0.rotate_left(23) ^ x).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }
}
