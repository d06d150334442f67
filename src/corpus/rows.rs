//! Tables of texts in JSON lines: one item a row.
//!
//! A row is an object with the field `text`; `id` (or `_id`) names it, `label` groups it (else the table's name), `title` is shown above it. Files whose first
//! line is no such row are texts like any other. Invariant: rows come in the order of the file, each with its line's number.

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::chunk::{self, Document};
use super::kinds::JSON_LINES;
use super::{Chunk, Content, CountTokens, Item, LoadOptions, Modality};

/// What a row may hold; every other field is passed over.
#[derive(Deserialize)]
struct Row {
    text: String,
    #[serde(default, alias = "_id")]
    id: Value,
    #[serde(default)]
    label: Value,
    #[serde(default)]
    title: Value,
}

/// What became of a table.
pub(super) struct Table {
    /// Items with their chunks, whose item numbers are still to be set.
    pub(super) rows: Vec<(Item, Vec<Chunk>)>,
    /// Lines that are no rows, or hold no text.
    pub(super) lost: usize,
}

/// Whether a file of JSON lines is a table of texts: its first line with anything on it is a row.
pub(super) fn is_table(kind: &str, text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    kind == JSON_LINES && first.is_some_and(|line| serde_json::from_str::<Row>(line).is_ok())
}

/// Reads the rows of a table. `draft` is the item of the whole file.
pub(super) fn read(draft: &Item, text: &str, options: &LoadOptions, counter: &dyn CountTokens) -> Table {
    let lines: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let read = |&(at, line): &(usize, &str)| row(draft, (at, line), options, counter);
    let rows: Vec<Option<(Item, Vec<Chunk>)>> = lines.par_iter().with_min_len(16).map(read).collect();
    let (all, rows) = (rows.len(), rows.into_iter().flatten().collect::<Vec<_>>());
    Table { lost: all - rows.len(), rows }
}

fn row(
    draft: &Item,
    (at, line): (usize, &str),
    options: &LoadOptions,
    counter: &dyn CountTokens,
) -> Option<(Item, Vec<Chunk>)> {
    let row: Row = serde_json::from_str(line).ok()?;
    let document = Document { text: &row.text, modality: Modality::Text, language: None, kind: JSON_LINES };
    let number = at as u32 + 1;
    let title = words(&row.title).filter(|title| !title.trim().is_empty());
    let mut chunks = chunk::cut(&document, options, counter);
    for chunk in &mut chunks {
        (chunk.lines, chunk.name) = ((number, number), title.clone());
    }
    if chunks.is_empty() {
        return None;
    }
    let name = words(&row.id).map_or_else(|| format!("row {number}"), |id| id.replace('/', "_"));
    let label = words(&row.label).map(|label| label.trim_matches('/').to_owned()).filter(|label| !label.is_empty());
    let place = [Some(draft.shown_path.as_str()), label.as_deref(), Some(name.as_str())];
    let table = draft.shown_path.rsplit('/').next().unwrap_or_default();
    let item = Item {
        shown_path: place.into_iter().flatten().collect::<Vec<_>>().join("/"),
        label: label.unwrap_or_else(|| table.to_owned()),
        size: line.len() as u64,
        hash: *blake3::hash(line.as_bytes()).as_bytes(),
        content: Content::Text(row.text.into()),
        ..draft.clone()
    };
    Some((item, chunks))
}

/// A text or a number as words; nothing of other values.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::corpus::testing::WordCount;
    use crate::corpus::{Corpus, LoadOptions, load};
    use crate::progress::Progress;

    fn loaded(lines: &str) -> Corpus {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("notes.jsonl"), lines).unwrap();
        load(&[dir.path().join("notes.jsonl")], &LoadOptions::default(), &WordCount, &Progress::new()).unwrap()
    }

    #[test]
    fn each_row_of_a_table_is_an_item() {
        let long = "word ".repeat(450);
        let corpus = loaded(&format!(
            "{}\n\n{}\nnot a row\n{}\n{}\n",
            r#"{"id": "a/b", "title": "Soup", "text": "Simmer the \"lentils\".", "label": "food"}"#,
            r#"{"_id": 7, "text": "Bake the bread.", "score": [1]}"#,
            r#"{"text": "  "}"#,
            format_args!(r#"{{"text": "{long}", "label": 3}}"#),
        ));
        let seen: Vec<_> = corpus.items.iter().map(|item| (item.shown_path.as_str(), item.label.as_str())).collect();
        let rows = [("notes.jsonl/food/a_b", "food"), ("notes.jsonl/7", "notes.jsonl"), ("notes.jsonl/3/row 6", "3")];
        assert_eq!(seen, rows);
        assert_eq!(corpus.items[0].text(), Some("Simmer the \"lentils\"."));
        assert_eq!((corpus.chunks[0].name.as_deref(), corpus.chunks[1].lines), (Some("Soup"), (3, 3)));
        assert!(corpus.chunks.len() >= 5, "a long row is cut like any text");
        assert!(corpus.skipped[0].reason.to_string().contains("2 of its lines"), "{:?}", corpus.skipped);
    }

    #[test]
    fn other_json_lines_are_a_text() {
        for lines in ["{\"body\": \"soup\"}\n{\"text\": \"soup\"}\n", "[1, 2]\n", "{\"text\": 3}\n", "nonsense\n"] {
            let corpus = loaded(lines);
            assert_eq!((corpus.items.len(), corpus.skipped.len()), (1, 0));
            assert_eq!(corpus.items[0].shown_path, "notes.jsonl");
        }
        let nothing = loaded("{\"text\": \" \"}\n");
        assert_eq!((nothing.items.len(), nothing.skipped.len()), (0, 1));
    }
}
