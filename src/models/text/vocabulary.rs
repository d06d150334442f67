//! Tokenizers of older checkpoints, which have no `tokenizer.json`: BERT's `vocab.txt`, and RoBERTa's `vocab.json` with `merges.txt`.
//!
//! Writes the `tokenizer.json` that transformers makes of them, so that one reader serves both. Invariant: the same files and settings give
//! the same bytes.

use serde_json::{Map, Value, json};

use super::files::{Place, within};
use crate::models::{ModelError, weights::bad};

const SETTINGS: &str = "tokenizer_config.json";
const WORDS: &str = "vocab.txt";
const PIECES: [&str; 2] = ["vocab.json", "merges.txt"];

/// A tokenizer in the form of `tokenizer.json`.
pub(super) struct Written {
    /// The file it was made of, for messages.
    pub(super) file: String,
    /// What `tokenizer.json` would hold.
    pub(super) bytes: Vec<u8>,
    /// What a user should know of it.
    pub(super) remark: Option<String>,
}

/// Whether the folder `base` has such files.
pub(super) fn is_there(place: &Place, base: &str) -> bool {
    let has = |name: &str| place.find(&within(base, name)).is_ok_and(|found| found.is_some());
    has(WORDS) || PIECES.iter().all(|name| has(name))
}

/// Writes the tokenizer of the folder `base`; nothing where its files are of neither kind.
///
/// # Errors
/// A file that is no vocabulary.
pub(super) fn written(place: &Place, base: &str) -> Result<Option<Written>, ModelError> {
    let at = |name: &str| within(base, name);
    let settings = settings(place, &at(SETTINGS))?;
    if place.find(&at(WORDS))?.is_some() {
        let file = place.shown(&at(WORDS));
        return words(&file, &place.read(&at(WORDS))?, settings.as_ref()).map(Some);
    }
    if place.find(&at(PIECES[0]))?.is_some() && place.find(&at(PIECES[1]))?.is_some() {
        let files = PIECES.map(|name| place.shown(&at(name)));
        let bytes = [place.read(&at(PIECES[0]))?, place.read(&at(PIECES[1]))?];
        return pieces([&files[0], &files[1]], [&bytes[0], &bytes[1]], settings.as_ref()).map(Some);
    }
    Ok(None)
}

fn settings(place: &Place, name: &str) -> Result<Option<Value>, ModelError> {
    if place.find(name)?.is_none() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice(&place.read(name)?);
    parsed.map(Some).map_err(|e| bad(&place.shown(name), format!("not valid JSON: {e}")))
}

fn flag(settings: Option<&Value>, name: &str) -> Option<bool> {
    settings.and_then(|settings| settings.get(name)?.as_bool())
}

/// A special token's text: a word, or an object that holds it.
fn special<'a>(settings: Option<&'a Value>, name: &str, usual: &'a str) -> &'a str {
    let value = settings.and_then(|settings| settings.get(name));
    value.and_then(|value| value.as_str().or_else(|| value.get("content")?.as_str())).unwrap_or(usual)
}

/// The id of each special token.
fn ids(file: &str, vocabulary: &Map<String, Value>, names: &[&str]) -> Result<Vec<u64>, ModelError> {
    let id = |name: &&str| {
        let found = vocabulary.get(*name).and_then(Value::as_u64);
        found.ok_or_else(|| bad(file, format!("the special token {name} is not in it")))
    };
    names.iter().map(id).collect()
}

fn added(id: u64, content: &str) -> Value {
    json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true })
}

fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, ModelError> {
    std::str::from_utf8(bytes).map_err(|_| bad(file, "is not UTF-8 text".to_owned()))
}

/// BERT's `WordPiece`, one word a line.
fn words(file: &str, bytes: &[u8], settings: Option<&Value>) -> Result<Written, ModelError> {
    let text = utf8(file, bytes)?;
    let mut vocabulary = Map::new();
    for (id, word) in text.lines().enumerate() {
        vocabulary.insert(word.to_owned(), id.into());
    }
    let lower = flag(settings, "do_lower_case");
    let tokens = [("cls_token", "[CLS]"), ("sep_token", "[SEP]"), ("unk_token", "[UNK]")];
    let [cls, sep, unknown] = tokens.map(|(name, usual)| special(settings, name, usual));
    let ids = ids(file, &vocabulary, &[cls, sep, unknown])?;
    let others = [("pad_token", "[PAD]"), ("mask_token", "[MASK]")].map(|(name, usual)| special(settings, name, usual));
    let mut all = vec![added(ids[0], cls), added(ids[1], sep), added(ids[2], unknown)];
    let id_of = |name: &str| vocabulary.get(name).and_then(Value::as_u64);
    all.extend(others.iter().filter_map(|&name| Some(added(id_of(name)?, name))));
    let capitals =
        vocabulary.keys().filter(|word| !word.starts_with('[')).any(|word| word.contains(char::is_uppercase));
    let remark = (lower.is_none() && capitals).then(|| {
        format!("No {SETTINGS}: texts are lowered, as transformers does, though the vocabulary has capitals.")
    });
    let piece = |kind: &str, id: &str, of: u64| json!({ kind: { "id": id, "type_id": of } });
    let single = json!([piece("SpecialToken", cls, 0), piece("Sequence", "A", 0), piece("SpecialToken", sep, 0)]);
    let mut specials = Map::new();
    specials.insert(cls.to_owned(), json!({ "id": cls, "ids": [ids[0]], "tokens": [cls] }));
    specials.insert(sep.to_owned(), json!({ "id": sep, "ids": [ids[1]], "tokens": [sep] }));
    let document = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": all,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": flag(settings, "tokenize_chinese_chars").unwrap_or(true),
            "strip_accents": flag(settings, "strip_accents"), "lowercase": lower.unwrap_or(true)
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing", "single": single, "pair": [piece("Sequence", "A", 0), piece("Sequence", "B", 1)],
            "special_tokens": specials
        },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": {
            "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": vocabulary
        }
    });
    Ok(Written { file: file.to_owned(), bytes: document.to_string().into_bytes(), remark })
}

/// RoBERTa's pairs of bytes.
fn pieces(files: [&str; 2], bytes: [&[u8]; 2], settings: Option<&Value>) -> Result<Written, ModelError> {
    let [file, merges_file] = files;
    let vocabulary: Map<String, Value> =
        serde_json::from_slice(bytes[0]).map_err(|e| bad(file, format!("no vocabulary: {e}")))?;
    let lines = utf8(merges_file, bytes[1])?.lines().filter(|line| !line.is_empty() && !line.starts_with("#version"));
    let merges: Vec<[&str; 2]> = lines
        .map(|line| line.split_once(' ').map(|(left, right)| [left, right]))
        .collect::<Option<_>>()
        .ok_or_else(|| bad(merges_file, "a line is not two pieces with a space between".to_owned()))?;
    let tokens = [("cls_token", "<s>"), ("sep_token", "</s>"), ("pad_token", "<pad>"), ("unk_token", "<unk>")];
    let names = tokens.map(|(name, usual)| special(settings, name, usual));
    let ids = ids(file, &vocabulary, &names)?;
    let mut all: Vec<Value> = names.iter().zip(&ids).map(|(name, &id)| added(id, name)).collect();
    let mask = special(settings, "mask_token", "<mask>");
    all.extend(vocabulary.get(mask).and_then(Value::as_u64).map(|id| added(id, mask)));
    let spaced = flag(settings, "add_prefix_space").unwrap_or(false);
    let document = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": all, "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": spaced, "trim_offsets": true, "use_regex": true },
        "post_processor": {
            "type": "RobertaProcessing", "sep": [names[1], ids[1]], "cls": [names[0], ids[0]],
            "trim_offsets": true, "add_prefix_space": spaced
        },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary, "merges": merges
        }
    });
    Ok(Written { file: file.to_owned(), bytes: document.to_string().into_bytes(), remark: None })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::models::text::tokens::TextTokenizer;

    fn opened(folder: &Path) -> Result<(TextTokenizer, Option<String>), ModelError> {
        let written = written(&Place::new(folder)?, "")?.unwrap();
        Ok((TextTokenizer::parse(&written.file, &written.bytes)?, written.remark))
    }

    #[test]
    fn vocabularies_give_the_ids_that_transformers_gives() {
        for name in ["lowered", "cased", "accents", "pieces", "spaced"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vocabularies").join(name);
            assert!(is_there(&Place::new(&folder).unwrap(), ""));
            let (tokenizer, remark) = opened(&folder).unwrap();
            assert_eq!(remark.is_some(), name == "lowered", "{name}");
            let expected: Value = serde_json::from_slice(&fs_err::read(folder.join("expected.json")).unwrap()).unwrap();
            for case in expected.as_array().unwrap() {
                let text = case["text"].as_str().unwrap();
                let want: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
                let ids = [&tokenizer.prefix, tokenizer.ids(text).unwrap().as_slice(), &tokenizer.suffix].concat();
                assert_eq!(ids, want, "{name}: {text:?}");
                assert_eq!(tokenizer.pieces(text).unwrap().ids, tokenizer.ids(text).unwrap());
            }
        }
    }

    #[test]
    fn files_that_are_no_vocabulary_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_there(&Place::new(dir.path()).unwrap(), ""));
        let message = |files: &[(&str, &str)]| {
            for name in [WORDS, PIECES[0], PIECES[1], SETTINGS] {
                let _ = fs_err::remove_file(dir.path().join(name));
            }
            files.iter().for_each(|(name, text)| fs_err::write(dir.path().join(name), text).unwrap());
            opened(dir.path()).err().unwrap().to_string()
        };
        assert!(message(&[("vocab.txt", "a\nb\n")]).contains("vocab.txt: the special token [CLS]"));
        assert!(message(&[("vocab.json", "[1]"), ("merges.txt", "a b\n")]).contains("vocab.json: no vocabulary"));
        let pieces = r#"{"<s>":0,"</s>":1,"<pad>":2,"<unk>":3,"a":4}"#;
        assert!(message(&[("vocab.json", pieces), ("merges.txt", "ab\n")]).contains("merges.txt: a line"));
        assert!(message(&[("vocab.txt", "a"), (SETTINGS, "{")]).contains("tokenizer_config.json: not valid JSON"));
        // A merge of pieces that are not there.
        message(&[("vocab.json", pieces), ("merges.txt", "x y\n")]);
    }
}
