//! Vectors out of NumPy archives: which array is the vectors, which ones tell of the rows.
//!
//! Invariant: an array that has not a value a row says nothing of the rows.

use std::path::Path;

use super::Table;
use super::beside::lone_role;
use super::columns::{Cell, Role, roles, set};
use crate::tasks::format::bad;
use crate::tasks::{RowInfo, TaskError};
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
    let mut columns: Vec<(&str, Vec<String>)> = Vec::new();
    for array in others {
        if let Some(words) = file.words(array)?.filter(|words| words.len() == count) {
            columns.push((&array.name, words));
        }
    }
    let mut known = roles(columns.iter().map(|&(name, _)| singular(name)));
    if known.is_empty()
        && let Some((_, words)) = columns.first()
    {
        // `np.savez(file, vectors, labels)` gives no names.
        let lines: Vec<&str> = words.iter().map(String::as_str).collect();
        known.push((lone_role(&lines), 0));
    }
    let mut rows = vec![RowInfo::default(); count];
    for (role, place) in known {
        rows.iter_mut()
            .zip(&columns[place].1)
            .for_each(|(row, word)| set(row, role, &Cell::Words(word.as_str().into())));
    }
    // One name for all of them, as this program writes it.
    if let Some(model) = arrays.iter().find(|array| array.name == "model" && array.shape == [1])
        && let Some(Some(name)) = file.words(model)?.map(|words| words.into_iter().next())
    {
        rows.iter_mut().for_each(|row| set(row, Role::Model, &Cell::Words(name.as_str().into())));
    }
    Ok(Table { vectors: Rows::Single(vectors), rows, points, missing: Vec::new() })
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
