//! Turns texts into token ids, and remembers where each token came from.
//!
//! Wraps the `tokenizers` crate: its own truncation and padding are switched off (models cut and pad themselves, and
//! count what they cut), special tokens are put around by us, and very long texts are done in windows cut at white space.
//! Invariant: byte offsets are offsets into the text as given, on character borders, never decreasing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use tokenizers::{
    ModelWrapper, NormalizerWrapper, Tokenizer,
    normalizers::{Lowercase, Sequence},
};

use super::wordpiece::{Slow, WordPiece};
use crate::models::{ModelError, weights::bad};

/// Texts up to this many bytes are tokenised in one piece.
const WHOLE: usize = 96 * 1024;
/// Longest window of a longer text, in bytes.
const WINDOW: usize = 64 * 1024;

/// A loaded tokenizer.
pub(in crate::models) struct TextTokenizer {
    inner: Tokenizer,
    /// The quick way, where the tokenizer is a plain BERT one.
    quick: Option<WordPiece>,
    /// Special ids before the text's own ("[CLS]").
    pub(in crate::models) prefix: Vec<u32>,
    /// Special ids after them ("[SEP]").
    pub(in crate::models) suffix: Vec<u32>,
    /// Hash of the file.
    pub(in crate::models) hash: blake3::Hash,
}

/// Tokens of one text, without special ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::models) struct Pieces {
    pub(in crate::models) ids: Vec<u32>,
    pub(in crate::models) offsets: Vec<(usize, usize)>,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`; `file` is used in messages.
    pub(in crate::models) fn parse(file: &str, bytes: &[u8]) -> Result<Self, ModelError> {
        Self::parse_for(file, bytes, false)
    }

    /// Reads a `tokenizer.json` whose texts are lowered before anything else where `lower` says so.
    pub(in crate::models) fn parse_for(file: &str, bytes: &[u8], lower: bool) -> Result<Self, ModelError> {
        let loaded = catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(bytes)));
        let mut inner = loaded
            .map_err(|_| bad(file, "the tokenizer could not be built from it".to_owned()))?
            .map_err(|e| bad(file, format!("not a tokenizer: {e}")))?;
        inner.with_truncation(None).map_err(|e| bad(file, e.to_string()))?;
        inner.with_padding(None);
        let lowered = lower && lower_first(&mut inner).map_err(|e| bad(file, e.to_string()))?;
        let (prefix, suffix) = specials(&inner).map_err(|e| bad(file, e))?;
        let quick = WordPiece::of(&inner);
        let hash = blake3::hash(bytes);
        let hash = if lowered { blake3::hash(&[hash.as_bytes().as_slice(), b"lower"].concat()) } else { hash };
        Ok(Self { inner, quick, prefix, suffix, hash })
    }

    /// How many special tokens are put around a text.
    pub(in crate::models) fn special_count(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// Size of the vocabulary: the largest id plus one.
    pub(in crate::models) fn vocabulary(&self) -> usize {
        self.inner.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1)
    }

    /// Id of the token that stands for what the vocabulary has no other for.
    pub(in crate::models) fn unknown(&self) -> Option<u32> {
        let name = match self.inner.get_model() {
            ModelWrapper::WordPiece(model) => Some(&model.unk_token),
            ModelWrapper::WordLevel(model) => Some(&model.unk_token),
            ModelWrapper::BPE(model) => model.unk_token.as_ref(),
            // It keeps its id to itself, and writes it into its file.
            unigram @ ModelWrapper::Unigram(_) => {
                return serde_json::to_value(unigram).ok()?.get("unk_id")?.as_u64()?.try_into().ok();
            }
        };
        self.inner.token_to_id(name?)
    }

    /// The tokenizer of the `tokenizers` crate.
    pub(super) fn inner(&self) -> &Tokenizer {
        &self.inner
    }

    /// The tokenizer as its file says it.
    pub(in crate::models) fn json(&self) -> Result<serde_json::Value, ModelError> {
        serde_json::to_value(&self.inner).map_err(|e| ModelError::Tokenizer(e.to_string()))
    }

    /// Id of a vocabulary entry.
    pub(in crate::models) fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Vocabulary entry of an id.
    pub(in crate::models) fn token(&self, id: u32) -> String {
        self.inner.id_to_token(id).unwrap_or_else(|| format!("[{id}]"))
    }

    /// Ids of `text`, without special ones. The fast way: no offsets are kept.
    pub(in crate::models) fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let windows = windows(text);
        let one = |&(_, text): &(usize, &str)| -> Result<Vec<u32>, ModelError> {
            let Some(quick) = &self.quick else { return self.slow_ids(text) };
            let mut ids = Vec::with_capacity(text.len() / 3 + 4);
            quick.run(text, &mut IdsOnly(self), &mut |id, _, _| ids.push(id))?;
            Ok(ids)
        };
        match windows.as_slice() {
            [single] => one(single),
            many => Ok(many.par_iter().map(one).collect::<Result<Vec<_>, _>>()?.concat()),
        }
    }

    /// Ids of `text` and the byte range each came from.
    pub(in crate::models) fn pieces(&self, text: &str) -> Result<Pieces, ModelError> {
        let windows = windows(text);
        let parts = if windows.len() == 1 {
            vec![self.window_pieces(windows[0])?]
        } else {
            windows.par_iter().map(|&w| self.window_pieces(w)).collect::<Result<Vec<_>, _>>()?
        };
        let mut all = Pieces::default();
        for part in parts {
            all.ids.extend(part.ids);
            all.offsets.extend(part.offsets);
        }
        Ok(all)
    }

    fn window_pieces(&self, (start, text): (usize, &str)) -> Result<Pieces, ModelError> {
        let Some(quick) = &self.quick else { return self.slow_pieces(start, text) };
        let mut out = Pieces::default();
        quick.run(text, &mut WithOffsets(self), &mut |id, a, b| {
            out.ids.push(id);
            out.offsets.push((start + a, start + b));
        })?;
        Ok(out)
    }

    fn slow_ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        Ok(self.inner.encode_fast(text, false).map_err(fault)?.get_ids().to_vec())
    }

    fn slow_pieces(&self, start: usize, text: &str) -> Result<Pieces, ModelError> {
        let encoding = self.inner.encode(text, false).map_err(fault)?;
        let mut last = 0;
        let offsets = encoding.get_offsets().iter().map(|&(a, b)| {
            let (a, b) = (border(text, a).max(last.min(text.len())), border(text, b));
            last = last.max(b);
            (start + a, start + last.max(a))
        });
        Ok(Pieces { offsets: offsets.collect(), ids: encoding.get_ids().to_vec() })
    }
}

/// The slow way without offsets.
struct IdsOnly<'a>(&'a TextTokenizer);

impl Slow for IdsOnly<'_> {
    fn run(&mut self, at: usize, text: &str, sink: &mut impl FnMut(u32, usize, usize)) -> Result<(), ModelError> {
        self.0.slow_ids(text)?.into_iter().for_each(|id| sink(id, at, at));
        Ok(())
    }
}

/// The slow way with offsets.
struct WithOffsets<'a>(&'a TextTokenizer);

impl Slow for WithOffsets<'_> {
    fn run(&mut self, at: usize, text: &str, sink: &mut impl FnMut(u32, usize, usize)) -> Result<(), ModelError> {
        let pieces = self.0.slow_pieces(at, text)?;
        pieces.ids.iter().zip(&pieces.offsets).for_each(|(&id, &(a, b))| sink(id, a, b));
        Ok(())
    }
}

/// The nearest character border at or after `at`.
fn border(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Puts lowering before the tokenizer's own steps, as sentence-transformers does, unless it is among them by itself; whether it did.
fn lower_first(tokenizer: &mut Tokenizer) -> tokenizers::Result<bool> {
    let is_lowering = |step: &NormalizerWrapper| matches!(step, NormalizerWrapper::Lowercase(_));
    let own: Vec<NormalizerWrapper> = match tokenizer.get_normalizer() {
        None => Vec::new(),
        Some(NormalizerWrapper::Sequence(steps)) => steps.as_ref().to_vec(),
        Some(step) => vec![step.clone()],
    };
    if own.iter().any(is_lowering) {
        return Ok(false);
    }
    let steps = std::iter::once(NormalizerWrapper::Lowercase(Lowercase)).chain(own).collect();
    tokenizer.with_normalizer(Some(Sequence::new(steps)))?;
    Ok(true)
}

/// The special ids around a text, found by encoding one with and without them.
fn specials(tokenizer: &Tokenizer) -> Result<(Vec<u32>, Vec<u32>), String> {
    let encode = |special| tokenizer.encode_fast("a", special).map(|e| e.get_ids().to_vec()).map_err(|e| e.to_string());
    let (with, without) = (encode(true)?, encode(false)?);
    let at = with.windows(without.len().max(1)).position(|w| w == without);
    let at = at.ok_or("its special tokens cannot be told from the text's own")?;
    Ok((with[..at].to_vec(), with[at + without.len()..].to_vec()))
}

/// Cuts a very long text at white space, so that no token is cut and memory stays small.
fn windows(text: &str) -> Vec<(usize, &str)> {
    if text.len() <= WHOLE {
        return vec![(0, text)];
    }
    let mut out = Vec::with_capacity(text.len() / WINDOW + 1);
    let mut start = 0;
    while text.len() - start > WINDOW {
        let mut end = start + WINDOW;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = text[start..end].rfind(|c: char| c.is_whitespace()).map_or(end, |at| start + at);
        let cut = if cut == start { end } else { cut };
        out.push((start, &text[start..cut]));
        start = cut;
    }
    out.push((start, &text[start..]));
    out
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn fault(e: tokenizers::Error) -> ModelError {
    ModelError::Tokenizer(e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_put_together_are_the_text() {
        let word = "söme wörds, 漢字 ";
        for text in [word.repeat(20_000), "x".repeat(300_000), "漢".repeat(100_000), " ".repeat(200_000)] {
            let cut = windows(&text);
            assert!(cut.len() > 1 && cut.iter().all(|w| !w.1.is_empty() && w.1.len() <= WINDOW));
            assert_eq!(cut.iter().map(|w| w.1).collect::<String>(), text);
            assert!(cut.iter().all(|&(at, w)| text[at..].starts_with(w)));
        }
        assert_eq!(windows("short"), [(0, "short")]);
        assert_eq!(windows(""), [(0, "")]);
    }

    #[cfg(feature = "bundled-models")]
    #[test]
    fn the_quick_way_gives_the_same_tokens() {
        use rand::{Rng, SeedableRng};
        let tokenizer = crate::models::bundled::tokenizer().unwrap();
        assert!(tokenizer.quick.is_some());
        let words = [
            "The",
            "quick",
            "embedding's",
            "fn main() {",
            "x+=1;",
            "Grüße,",
            "naïve",
            "漢字",
            "[SEP]",
            "a[CLS]b",
            "[",
            "[PAD",
            "\u{c}",
            "a\u{b}b",
            "\0",
            "\u{7f}",
            "\u{feff}BOM",
            "e\u{301}te",
            "\u{301}",
            "🙂",
            "1,234.5",
            "don't",
            "##ing",
            "[unused5]",
            "unbelievablenessification",
            "\u{a0}",
            "\u{2028}",
            "\u{3000}",
            "\u{fffd}",
            "ÀÉ",
            "İstanbul",
            "ﬁ",
            "__init__",
            "e-mail@x.org",
        ];
        let long = "x".repeat(150);
        let mut rng = rand_pcg::Pcg64::seed_from_u64(5);
        for round in 0..3000 {
            let mut text = String::new();
            for _ in 0..rng.random_range(0..12) {
                match rng.random_range(0..20) {
                    0 => text.push(char::from(rng.random_range(0..128u8))),
                    1 => text.push_str(&long[..rng.random_range(90..150)]),
                    2 => text.push_str("\r\n\t "),
                    _ => text.push_str(words[rng.random_range(0..words.len())]),
                }
                if rng.random_bool(0.6) {
                    text.push(' ');
                }
            }
            let want = tokenizer.slow_pieces(0, &text).unwrap();
            let got = tokenizer.pieces(&text).unwrap();
            assert_eq!(got, want, "round {round}: {text:?}");
            assert_eq!(tokenizer.ids(&text).unwrap(), want.ids, "round {round}: {text:?}");
        }
    }

    #[test]
    fn nonsense_is_an_error_with_the_file() {
        for bytes in [&b""[..], b"{}", b"null", b"{\"model\":{\"type\":\"WordPiece\"}}", &[0xff, 0xfe]] {
            let e = TextTokenizer::parse("dir/tokenizer.json", bytes).err().unwrap().to_string();
            assert!(e.contains("dir/tokenizer.json"), "{e}");
        }
    }
}
