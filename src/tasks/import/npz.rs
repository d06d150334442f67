//! Vectors out of NumPy archives: which array is the vectors, which ones tell of the rows.
//!
//! Invariant: an array that has not a value a row says nothing of the rows.

use std::path::Path;

use super::Table;
use super::beside::lone_role;
use super::columns::roles;
use super::gather::{Gather, not_kept};
use crate::tasks::TaskError;
use crate::tasks::format::bad;
use crate::tasks::more::Cell;
use crate::vectors::Rows;
use crate::vectors::arrays::{ArrayInfo, NamedArrays};
use crate::workspace::Positions;

/// Names of the array of vectors, the likeliest first.
const VECTOR_NAMES: [&str; 10] =
    ["vectors", "vector", "embeddings", "embedding", "emb", "features", "X", "x", "data", "arr_0"];
/// Names of an array of ready positions.
const MAP_NAMES: [&str; 9] = ["projection", "positions", "layout", "xy", "coords", "points", "umap", "tsne", "pca"];

/// Reads a file.
///
/// # Errors
/// Not an archive; no array of vectors, or several that could be; a damaged array.
pub(super) fn read(path: &Path) -> Result<Table, TaskError> {
    let mut file = NamedArrays::open(path)?;
    let arrays = file.arrays.clone();
    let chosen = vector_array(&arrays).map_err(|message| bad(path, message))?;
    let vectors = file.vectors(chosen)?;
    let count = vectors.len();
    let others: Vec<&ArrayInfo> = arrays
        .iter()
        .filter(|array| array.name != chosen.name && array.shape.first() == Some(&(count as u64)))
        .collect();
    let map = others.iter().find(|array| {
        array.is_float
            && matches!(array.shape.get(1), Some(2 | 3))
            && MAP_NAMES.contains(&array.name.to_lowercase().as_str())
    });
    let points = match map {
        Some(map) => Positions::of(&file.vectors(map)?),
        None => None,
    };
    let (mut columns, mut nested): (Vec<(&ArrayInfo, Vec<String>)>, Vec<String>) = Default::default();
    for array in others.iter().copied().filter(|array| map.is_none_or(|map| map.name != array.name)) {
        match file.words(array)?.filter(|words| words.len() == count) {
            Some(words) => columns.push((array, words)),
            None => nested.push(array.name.clone()),
        }
    }
    let mut known = roles(columns.iter().map(|(array, _)| singular(&array.name)));
    // Fractions are neither names nor labels.
    known.retain(|&(_, place)| !columns[place].0.is_float);
    if known.is_empty()
        && let Some(first) = columns.iter().position(|(array, _)| !array.is_float)
    {
        // `np.savez(file, vectors, labels)` gives no names.
        let lines: Vec<&str> = columns[first].1.iter().map(String::as_str).collect();
        known.push((lone_role(&lines), first));
    }
    let mut gather = Gather::new(columns.iter().map(|(array, _)| array.name.as_str()), &known);
    gather.grow(count);
    for (place, (array, words)) in columns.iter().enumerate() {
        for (row, word) in words.iter().enumerate() {
            let cell = cell(array, word);
            gather.say(place, row, &cell);
            gather.keep(place, &cell);
        }
    }
    let mut rows = gather.finish(false);
    // One name for all of them, as this program writes it.
    if let Some(model) = arrays.iter().find(|array| array.name == "model" && array.shape == [1])
        && let Some(Some(name)) = file.words(model)?.map(|words| words.into_iter().next())
    {
        rows.iter_mut().for_each(|row| row.model.clone_from(&name));
    }
    let notes = not_kept(&nested).into_iter().collect();
    Ok(Table { vectors: Rows::Single(vectors), rows, points, missing: Vec::new(), notes })
}

/// An element, by the type of its array: `<i8`, `|b1`, `<U12`.
fn cell<'a>(array: &ArrayInfo, word: &'a str) -> Cell<'a> {
    let kind = array.kind.trim_start_matches(['<', '>', '=', '|']);
    match kind.as_bytes().first() {
        // Our own arrays of numbers have no gaps: a time that is not known is -1.
        Some(b'i') if array.name == "modified" && word == "-1" => Cell::Empty,
        Some(b'i' | b'u') => match (word.parse(), word.parse()) {
            (Ok(number), _) => Cell::Number(number),
            (_, Ok(number)) => Cell::Natural(number),
            _ => Cell::Empty,
        },
        Some(b'f') if kind == "f8" => word.parse().map_or(Cell::Empty, Cell::Real),
        Some(b'f') => word.parse().map_or(Cell::Empty, Cell::Single),
        Some(b'b') => Cell::Truth(word == "true"),
        _ => Cell::Words(word.into()),
    }
}

/// Arrays are often called by what all of their elements are.
fn singular(name: &str) -> &str {
    match name {
        "texts" | "labels" | "paths" | "ids" | "titles" | "names" | "urls" | "words" | "sentences" | "documents" => {
            name.trim_end_matches('s')
        }
        other => other,
    }
}

fn vector_array(arrays: &[ArrayInfo]) -> Result<&ArrayInfo, String> {
    let tables: Vec<&ArrayInfo> =
        arrays.iter().filter(|array| array.is_float && array.shape.len() == 2 && array.shape[1] > 0).collect();
    let named = VECTOR_NAMES.iter().find_map(|name| tables.iter().find(|array| array.name == *name));
    match (named, tables.as_slice()) {
        (Some(array), _) | (None, [array]) => Ok(array),
        (None, []) => {
            Err(format!("no array of vectors (a table of floating-point numbers); its arrays are {}", listed(arrays)))
        }
        (None, _) => {
            Err(format!("several arrays may be the vectors: {}; give the right one the name vectors", listed(arrays)))
        }
    }
}

fn listed(arrays: &[ArrayInfo]) -> String {
    let sides = |array: &ArrayInfo| array.shape.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ");
    let words = |array: &ArrayInfo| format!("{} ({} of {})", array.name, array.kind, sides(array));
    let all: Vec<String> = arrays.iter().map(words).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
