//! The tables that stand beside vectors: JSON lines beside `.npy`, tab-separated beside `.tsv` (the TensorFlow projector's metadata).
//!
//! Finds and reads them; what their columns mean is decided next door. Invariant: a table found by a name that any file might have is
//! used only when it has a row a vector. A table that numbers its rows is paired by the numbers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::columns::{Role, roles};
use super::gather::{Gather, not_kept};
use super::numbered;
use crate::tasks::format::bad;
use crate::tasks::more::Cell;
use crate::tasks::{RowInfo, TaskError};

/// Lines whose keys decide which columns there are.
const HEAD: usize = 100;
/// A lone column of at most so many different words is one of labels; of more, of texts.
const MOST_LABELS: usize = 200;

/// What stands beside a file of vectors.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// A row a vector; `None` when nothing stands there.
    pub(super) rows: Option<Vec<RowInfo>>,
    /// What the user should know of it: a sentence each.
    pub(super) notes: Vec<String>,
}

/// The rows that stand beside a file of `count` vectors. A table that seems to be meant, but lacks a row, is told.
///
/// # Errors
/// A table that is certainly meant for these vectors makes no sense, or has another number of rows.
pub(super) fn read(path: &Path, count: usize) -> Result<Beside, TaskError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut mine = ["metadata.jsonl", "metadata.tsv"].map(|end| path.with_file_name(format!("{stem}.{end}")));
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv")) {
        mine.reverse();
    }
    // Under the names that are usual for the projector it may be of other vectors in the same folder.
    let usual = [
        format!("{stem}_metadata.tsv"),
        format!("{stem}-metadata.tsv"),
        format!("{}_metadata.tsv", stem.trim_end_matches("_tensors").trim_end_matches("_vectors")),
        "metadata.tsv".to_owned(),
        "meta.tsv".to_owned(),
        "metadata.jsonl".to_owned(),
    ];
    let usual = usual.map(|name| path.with_file_name(name));
    let mut told = Beside::default();
    for (beside, certain) in mine.iter().map(|path| (path, true)).chain(usual.iter().map(|path| (path, false))) {
        if beside == path {
            continue;
        }
        let Some(text) = text_of(beside)? else { continue };
        let jsonl = beside.extension().is_some_and(|ending| ending == "jsonl");
        let found =
            if jsonl { json_lines(&text, beside, count) } else { table(&text, count).map_err(|why| bad(beside, why)) };
        let lacks =
            |rows: &[RowInfo]| !jsonl && rows.len() + 1 == count && is_header(&text.lines().collect::<Vec<_>>());
        let name = || beside.file_name().unwrap_or(beside.as_os_str()).to_string_lossy().into_owned();
        match found {
            Ok(read) if read.rows.len() == count => {
                told.rows = Some(read.rows);
                told.notes.extend(not_kept(&read.nested));
                told.notes.extend(read.note.map(|note| format!("{}: {note}", name())));
                return Ok(told);
            }
            Ok(read) if certain => return Err(bad(beside, differs(&read, count, lacks(&read.rows)))),
            Ok(read) if lacks(&read.rows) => {
                told.notes.push(format!("{} beside it was passed over: {}", name(), differs(&read, count, true)));
            }
            Err(error) if certain => return Err(error),
            Err(TaskError::Format { message, .. }) if message.contains(ONCE) => {
                told.notes.push(format!("{} beside it was passed over: {message}", name()));
            }
            _ => {}
        }
    }
    Ok(told)
}

/// A table as it was read.
#[derive(Default)]
struct Read {
    rows: Vec<RowInfo>,
    /// Columns that hold lists or objects.
    nested: Vec<String>,
    /// The first row that no line is of, where the lines say which they are of.
    lacks: Option<u64>,
    /// What the user should know.
    note: Option<String>,
}

/// Why a table does not fit.
fn differs(read: &Read, count: usize, lacks_one: bool) -> String {
    let header = if lacks_one { " (its first line is a header)" } else { "" };
    let first = read.lacks.map_or_else(String::new, |row| format!(" (none is of row {row})"));
    format!("{} rows for {count} vectors{header}{first}", read.rows.len())
}

/// What to do about numbers of rows that cannot be.
const ONCE: &str = "number every row once, from 0, or leave the numbers out to pair line by line";

/// Lines in the order of the numbers that they have in a field of that name. Where a `row` cannot be understood, nothing can; an `index`
/// may mean something else, and is told.
fn in_order<T>(lines: Vec<T>, name: &str, rows: &[(usize, Option<u64>)]) -> Result<(Vec<T>, Option<String>), String> {
    match numbered::places(rows) {
        Ok(Some(places)) => Ok((numbered::sorted(lines, &places), None)),
        Ok(None) => Ok((lines, None)),
        Err(why) if name.eq_ignore_ascii_case(numbered::NAMES[0]) => Err(format!("{why}: {ONCE}")),
        Err(why) => {
            Ok((lines, Some(format!("its {name} does not number the rows, which are paired line by line ({why})"))))
        }
    }
}

fn text_of(path: &PathBuf) -> Result<Option<String>, TaskError> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TaskError::file("read the table of rows")(error)),
    }
}

/// The rows of JSON lines, an object a line, and the keys that hold lists or objects.
fn json_lines(text: &str, path: &Path, count: usize) -> Result<Read, TaskError> {
    let parsed = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| {
        serde_json::from_str::<Map<String, Value>>(line)
            .map(|line| (number + 1, line))
            .map_err(|error| bad(path, format!("line {} is not a row: {error}", number + 1)))
    });
    let (numbers, mut lines): (Vec<usize>, Vec<_>) = parsed.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let name = numbered::NAMES.into_iter().find(|name| lines.iter().any(|line| row_of(line, name).is_some()));
    let (mut lacks, mut note) = (None, None);
    if let Some(name) = name {
        let rows: Vec<_> = numbers.into_iter().zip(lines.iter().map(|line| row_of(line, name))).collect();
        if lines.len() == count {
            (lines, note) = in_order(lines, name, &rows).map_err(|why| bad(path, why))?;
        } else {
            lacks = numbered::lacks(&rows, count);
        }
    }
    let mut known = HashSet::new();
    let mut keys: Vec<&str> = Vec::new();
    for key in lines.iter().flat_map(Map::keys) {
        if known.insert(key.as_str()) {
            keys.push(key);
        }
    }
    let mut head = HashSet::new();
    lines.iter().take(HEAD).flat_map(Map::keys).for_each(|key| {
        head.insert(key.as_str());
    });
    let mut found = roles(keys.iter().copied());
    found.retain(|&(_, place)| head.contains(keys[place]));
    let mut gather = Gather::new(keys.iter().copied(), &found);
    let mut nested = vec![false; keys.len()];
    for line in &lines {
        gather.grow(1);
        for (place, key) in keys.iter().enumerate() {
            let value = line.get(*key);
            nested[place] |= matches!(value, Some(Value::Array(_) | Value::Object(_)));
            gather.put(place, &value.map_or(Cell::Empty, cell));
        }
    }
    let places = || nested.iter().enumerate().filter(|(_, nested)| **nested).map(|(place, _)| place);
    places().for_each(|place| gather.forget(place));
    let nested = places().map(|place| keys[place].to_owned()).collect();
    Ok(Read { rows: gather.finish(false), nested, lacks, note })
}

/// Which row a line says it is of.
fn row_of(line: &Map<String, Value>, name: &str) -> Option<u64> {
    match line.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(words) => words.trim().parse().ok(),
        _ => None,
    }
}

fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::String(words) => Cell::Words(words.into()),
        Value::Bool(yes) => Cell::Truth(*yes),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Cell::Number(whole),
            (None, Some(whole)) => Cell::Natural(whole),
            (None, None) => Cell::Real(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Empty,
    }
}

/// The rows of a tab-separated table for `count` vectors. A table of several columns has a header, one of a single column has none
/// (as the projector wants it); where the number of lines says otherwise, the lines are believed, unless the first of them can be
/// nothing but a header: then a row is missing. Without a header the first column is taken.
fn table(text: &str, count: usize) -> Result<Read, String> {
    let mut lines: Vec<&str> = text.lines().collect();
    // An empty line is a row without a word, but not at the end.
    while lines.len() > count && lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let header = match lines.len() {
        all if all == count => is_header(&lines),
        all if all == count + 1 => true,
        _ => lines.first().is_some_and(|first| first.contains('\t')),
    };
    let mut body = lines.split_off(usize::from(header));
    let fields = |line: &str| line.split('\t').count();
    let names: Vec<&str> = match lines.first() {
        Some(first) if header => first.split('\t').collect(),
        // Columns without names are called by their places.
        _ => vec![""; body.iter().map(|line| fields(line)).max().unwrap_or(1)],
    };
    let place =
        numbered::NAMES.iter().find_map(|name| names.iter().position(|named| named.trim().eq_ignore_ascii_case(name)));
    let (mut lacks, mut note) = (None, None);
    // A lone column is a label, whatever it is called.
    if let Some(place) = place.filter(|_| names.len() > 1) {
        let row = |line: &&str| line.split('\t').nth(place).and_then(|field| field.trim().parse().ok());
        let rows: Vec<_> = (2..).zip(body.iter().map(row)).collect();
        if body.len() == count {
            (body, note) = in_order(body, names[place].trim(), &rows)?;
        } else {
            lacks = numbered::lacks(&rows, count);
        }
    }
    let known = roles(names.iter().copied());
    let known = if known.is_empty() { vec![(lone_role(&body), 0)] } else { known };
    let mut gather = Gather::new(names.iter().copied(), &known);
    if !header {
        gather.forget(0);
    }
    for line in body {
        gather.grow(1);
        line.split('\t').take(names.len()).enumerate().for_each(|(place, field)| {
            gather.put(place, &Cell::Words(field.into()));
        });
    }
    Ok(Read { rows: gather.finish(true), nested: Vec::new(), lacks, note })
}

/// Names that a lone column has in its header; others may as well be a word of a list.
const LONE_NAMES: [&str; 12] =
    ["label", "labels", "text", "texts", "word", "words", "class", "category", "title", "name", "filename", "path"];

/// Whether the first line is evidently a header: it names what is known, no number is in it, and no other line has the name there.
fn is_header(lines: &[&str]) -> bool {
    let Some((first, others)) = lines.split_first().filter(|(_, others)| !others.is_empty()) else { return false };
    let names: Vec<&str> = first.split('\t').collect();
    let lone = names.len() == 1;
    let known = |place: &usize| !lone || LONE_NAMES.contains(&names[*place].trim().to_lowercase().as_str());
    let named: Vec<usize> = roles(names.iter().copied()).into_iter().map(|(_, place)| place).filter(known).collect();
    let is_name = |name: &&str| !name.trim().is_empty() && name.trim().parse::<f64>().is_err();
    let again = |&place: &usize| others.iter().any(|line| line.split('\t').nth(place) == Some(names[place]));
    !named.is_empty() && names.iter().all(is_name) && !named.iter().any(again)
}

/// What a lone column without a name holds: labels where few words come again and again, else texts.
pub(super) fn lone_role(lines: &[&str]) -> Role {
    let different: HashSet<&str> = lines.iter().map(|line| line.split('\t').next().unwrap_or_default()).collect();
    if different.len() <= MOST_LABELS && different.len() * 2 <= lines.len() { Role::Label } else { Role::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, count: usize) -> Vec<RowInfo> {
        super::table(text, count).unwrap().rows
    }

    #[test]
    fn a_table_is_read_with_and_without_a_header() {
        let labels: Vec<String> = table("word\tclass\nsoup\tfood\nheron\tbird\n", 2)
            .into_iter()
            .map(|row| row.text + "/" + &row.label)
            .collect();
        assert_eq!(labels, ["soup/food", "heron/bird"]);
        let words: Vec<String> = table("soup\nheron\n", 2).into_iter().map(|row| row.text).collect();
        assert_eq!(words, ["soup", "heron"]);
        let labels: Vec<String> = table("a\nb\na\nb\n\n", 4).into_iter().map(|row| row.label).collect();
        assert_eq!(labels, ["a", "b", "a", "b"]);
        assert_eq!(table("label\na\nb\n", 2).into_iter().map(|row| row.label).collect::<Vec<_>>(), ["a", "b"]);
        // Several columns without names: the first.
        assert_eq!(table("soup\t3\nheron\t4\n", 2)[1].text, "heron");
        assert_eq!(table("a\tb\n1\t2\n3\t4\n5\t6\n", 9).len(), 3);
    }

    #[test]
    fn only_a_table_of_the_right_length_is_taken_from_a_usual_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vecs.tsv");
        fs_err::write(dir.path().join("metadata.tsv"), "soup\nheron\n").unwrap();
        assert_eq!(read(&path, 2).unwrap().rows.unwrap()[0].text, "soup");
        assert!(read(&path, 4).unwrap().rows.is_none());
        fs_err::write(dir.path().join("vecs.metadata.tsv"), "soup\nheron\n").unwrap();
        let error = read(&path, 3).unwrap_err().to_string();
        assert!(error.contains("vecs.metadata.tsv: 2 rows for 3 vectors"), "{error}");
    }

    #[test]
    fn a_header_over_one_row_too_few_is_no_row() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vecs.tsv");
        for text in ["label\ttext\na\tsoup\nb\theron\n", "label\na\nb\n", "Word\tcount\nsoup\t3\nheron\t4\n"] {
            let beside = dir.path().join("vecs.metadata.tsv");
            fs_err::write(&beside, text).unwrap();
            let error = read(&path, 3).unwrap_err().to_string();
            assert!(error.contains("2 rows for 3 vectors (its first line is a header)"), "{error}");
            fs_err::remove_file(beside).unwrap();
            fs_err::write(dir.path().join("metadata.tsv"), text).unwrap();
            let Beside { rows, notes } = read(&path, 3).unwrap();
            assert!(
                rows.is_none() && notes[0].starts_with("metadata.tsv beside it was passed over: 2 rows"),
                "{notes:?}"
            );
        }
        // What may be a row stays one: a name that comes again, a number, a word of a list.
        for text in ["label\nlabel\na\n", "text\t3\nsoup\t4\nheron\t5\n", "language\nsoup\nheron\n"] {
            assert_eq!(table(text, 3).len(), 3, "{text}");
        }
    }
}
