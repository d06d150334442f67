//! What a static model is distilled from: the tokens of an encoder, words of the user's own, and the states of each.
//!
//! The recipe of `Model2Vec`: every entry of the vocabulary goes through the encoder alone, between its special tokens, and the mean of
//! the last states is its vector. What follows (components, weights) is not done here. Invariant: ids keep their meaning, and new words
//! come behind them.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokenizers::{ModelWrapper, NormalizedString, Normalizer};

use super::{encoder::TextEncoder, tokens::TextTokenizer};
use crate::models::{ModelError, weights::bad};

/// An encoder as a source of vectors of single tokens.
#[derive(Clone, Copy)]
pub struct TokenSource<'a> {
    encoder: &'a TextEncoder,
}

/// The tokens of a static model to be.
pub struct StaticVocabulary {
    json: Value,
    rows: usize,
    entries: Vec<(u32, Vec<u32>)>,
    words: usize,
}

impl<'a> TokenSource<'a> {
    pub(super) fn new(encoder: &'a TextEncoder) -> Self {
        Self { encoder }
    }

    /// Values of a state.
    pub fn width(&self) -> usize {
        self.encoder.width()
    }

    /// Mean of the last states of each list of tokens, special ones put around it and counted; row after row.
    pub fn mean_states(&self, lists: &[&[u32]]) -> Vec<f32> {
        self.encoder.mean_states(lists)
    }

    /// The most frequent words of `texts` that the vocabulary lacks, at most `most`, and how often each comes; those that come once
    /// are left out. As often and alphabetical where as frequent, so that the same texts give the same words.
    pub fn frequent_words<'t>(&self, texts: impl Iterator<Item = &'t str>, most: usize) -> Vec<(String, u64)> {
        let tokenizer = self.encoder.tokenizer();
        let mut counts: HashMap<String, u64> = HashMap::new();
        for text in texts {
            let text = tokenizer.normalized(text);
            for word in text.split(|c: char| !c.is_alphanumeric()) {
                if (2..=100).contains(&word.chars().count()) && word.chars().any(char::is_alphabetic) {
                    *counts.entry(word.to_owned()).or_default() += 1;
                }
            }
        }
        let new = |(word, count): &(String, u64)| *count > 1 && tokenizer.is_new(word);
        let mut words: Vec<(String, u64)> = counts.into_iter().filter(new).collect();
        words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        words.truncate(most);
        words
    }

    /// The encoder's tokens without unused ones and those that stand around texts, and `words` behind them.
    ///
    /// # Errors
    /// A tokenizer that cannot be written down.
    pub fn vocabulary(&self, words: &[String]) -> Result<StaticVocabulary, ModelError> {
        let tokenizer = self.encoder.tokenizer();
        let mut json = tokenizer.json()?;
        let mut rows = tokenizer.vocabulary();
        // Those that Model2Vec takes out; the unknown token and padding stay, in the ranks as well.
        let special = |id: u32| {
            let name = tokenizer.token(id);
            let unused = name.strip_prefix("[unused").and_then(|rest| rest.strip_suffix(']'));
            tokenizer.is_special(id) && !matches!(name.as_str(), "[PAD]" | "<pad>")
                || unused.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let known = tokenizer.ids_in_use();
        let mut entries: Vec<(u32, Vec<u32>)> =
            known.into_iter().filter(|&id| !special(id)).map(|id| (id, vec![id])).collect();
        let mut added = 0;
        for word in words {
            let pieces = tokenizer.ids(word)?;
            if pieces.is_empty() || pieces.iter().all(|&id| Some(id) == tokenizer.unknown()) {
                continue;
            }
            put_word(&mut json, word, rows);
            entries.push((rows as u32, pieces));
            rows += 1;
            added += 1;
        }
        for key in ["post_processor", "truncation", "padding"] {
            json[key] = Value::Null;
        }
        Ok(StaticVocabulary { json, rows, entries, words: added })
    }
}

impl StaticVocabulary {
    /// Each token's id and what it is made of among the encoder's tokens, by ascending id.
    pub fn entries(&self) -> &[(u32, Vec<u32>)] {
        &self.entries
    }

    /// Words among them that the encoder had no token for.
    pub fn words(&self) -> usize {
        self.words
    }

    /// How often each entry comes in `texts`.
    ///
    /// # Errors
    /// A tokenizer that cannot be built.
    pub fn counts<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Result<Vec<u64>, ModelError> {
        let tokenizer = TextTokenizer::parse("the new tokenizer", &self.bytes()?)?;
        let mut by_id = vec![0u64; self.rows];
        for text in texts {
            for id in tokenizer.ids(text)? {
                if let Some(count) = by_id.get_mut(id as usize) {
                    *count += 1;
                }
            }
        }
        Ok(self.entries.iter().map(|entry| by_id[entry.0 as usize]).collect())
    }

    /// The tokenizer's file.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, ModelError> {
        serde_json::to_vec(&self.json).map_err(|e| bad("tokenizer.json", e.to_string()))
    }

    /// Rows of the table: the largest id plus one.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }
}

/// Puts a word into a tokenizer: into the vocabulary where words are looked up whole first, else as a token of its own before the rest.
fn put_word(json: &mut Value, word: &str, id: usize) {
    if json["model"]["type"] == "WordPiece"
        && let Some(vocabulary) = json["model"]["vocab"].as_object_mut()
    {
        vocabulary.insert(word.to_owned(), json!(id));
        return;
    }
    let token = json!({ "id": id, "content": word, "single_word": true, "lstrip": true, "rstrip": false,
        "normalized": true, "special": false });
    if let Some(added) = json["added_tokens"].as_array_mut() {
        added.push(token);
    }
}

impl TextTokenizer {
    /// A text as the vocabulary spells its words.
    fn normalized(&self, text: &str) -> String {
        let inner = self.inner();
        let mut out = NormalizedString::from(text);
        if matches!(inner.get_model(), ModelWrapper::WordPiece(_))
            && let Some(normalizer) = inner.get_normalizer()
            && normalizer.normalize(&mut out).is_ok()
        {
            return out.get().to_owned();
        }
        text.to_owned()
    }

    /// Whether a word has no token of its own.
    fn is_new(&self, word: &str) -> bool {
        let marked = ["", "Ġ", "▁"].map(|mark| format!("{mark}{word}"));
        marked.iter().all(|name| self.inner().token_to_id(name).is_none())
    }

    /// Whether a token stands for no text; the unknown one does.
    fn is_special(&self, id: u32) -> bool {
        let added = self.inner().get_added_tokens_decoder();
        added.get(&id).is_some_and(|token| token.special) && self.unknown() != Some(id)
    }

    /// Ids that stand for a token, ascending.
    fn ids_in_use(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.inner().get_vocab(true).into_values().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
