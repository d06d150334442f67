//! CLIP's tokenizer from the two files of its first folders: `vocab.json` and `merges.txt`.
//!
//! Writes what a `tokenizer.json` would say, as transformers' `CLIPTokenizer` puts it together. Invariant: every merge is one of two
//! pieces.

use serde_json::{Value, json};

use crate::models::{ModelError, weights::bad};

const BEGIN: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";

/// The `tokenizer.json` of a vocabulary (file name, content) and the text of its merges.
pub(super) fn tokenizer((file, vocabulary): (&str, &Value), merges: &[u8]) -> Result<Value, ModelError> {
    let id = |token: &str| {
        let id = vocabulary.get(token).and_then(Value::as_u64);
        id.ok_or_else(|| bad(file, format!("has no {token}, with which CLIP's texts begin and end")))
    };
    let (begin, end) = (id(BEGIN)?, id(END)?);
    let merges = String::from_utf8_lossy(merges);
    let lines = merges.lines().filter(|line| !line.starts_with("#version") && !line.trim().is_empty());
    let merges: Vec<[&str; 2]> =
        lines.filter_map(|line| line.split_once(' ').map(|(a, b)| [a, b.trim_end()])).collect();
    let added = |id: u64, content: &str| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true })
    };
    let words = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let bytes = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true });
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [added(begin, BEGIN), added(end, END)],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "NFC" },
            { "type": "Replace", "pattern": { "Regex": "\\s+" }, "content": " " },
            { "type": "Lowercase" },
        ]},
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": words }, "behavior": "Removed", "invert": true },
            bytes,
        ]},
        "post_processor": { "type": "RobertaProcessing", "sep": [END, end], "cls": [BEGIN, begin], "trim_offsets": false,
            "add_prefix_space": false },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": { "type": "BPE", "dropout": null, "unk_token": END, "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": merges },
    }))
}
