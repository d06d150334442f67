//! Several files read as one set: their rows one after the other, with the columns of all of them.
//!
//! Which files are meant is decided next door. Invariant: no file is passed over; one that cannot be read, or does not fit the first, is
//! told by its name.

use std::path::{Path, PathBuf};

use super::columns::{Role, get, ours};
use super::{Table, beside, shards, table};
use crate::models::ModelId;
use crate::progress::Progress;
use crate::tasks::format::bad;
use crate::tasks::more::{self, Cell, Column};
use crate::tasks::{RowInfo, TaskError};
use crate::vectors::{RowBlocks, Rows, Vectors};
use crate::workspace::Positions;

/// Values copied between two looks at whether the user has had enough.
const SLICE: usize = 1 << 22;
/// What a file of a set may be helped by.
const NEXT: &str = "copy or download it again, or give the other files by name to leave it out";

/// Reads files, each as it would be read alone. Gives the table and the number of each file's first row.
///
/// # Errors
/// Cancelled; a file that is there twice, makes no sense, or has vectors of other dimensions or of another model than the first.
pub(super) fn read(files: &[PathBuf], progress: &Progress) -> Result<(Table, Vec<(PathBuf, usize)>), TaskError> {
    if let Some((at, again)) = files.iter().enumerate().find(|(at, file)| files[..*at].contains(file)) {
        let first = files.iter().position(|file| file == again).unwrap_or_default();
        return Err(bad(again, format!("it is given twice, as file {} and {}: give it once", first + 1, at + 1)));
    }
    let (mut values, mut dim, mut starts) = (Vec::new(), 0, Vec::with_capacity(files.len()));
    let mut whole = Whole::default();
    for file in files {
        let table = table(file, progress).map_err(|error| named(error, file))?;
        let count = table.vectors.row_count();
        if starts.is_empty() {
            dim = table.vectors.row_length();
        }
        if table.vectors.row_length() != dim {
            let message = format!(
                "its vectors have {} dimensions, those of {} have {dim}: files are read as one set only where they have the same; \
                 give it by itself, or move it out of the folder",
                table.vectors.row_length(),
                files[0].display()
            );
            return Err(bad(file, message));
        }
        append(&mut values, &table.vectors, progress)?;
        starts.push((file.clone(), whole.rows.len()));
        whole.add(table, count, file)?;
    }
    if let (Some(folder), true) = (files.first(), whole.rows.iter().all(|row| *row == RowInfo::default())) {
        // One table for all of them.
        let beside = beside::read(&folder.with_file_name("of all files"), whole.rows.len())?;
        whole.notes.extend(beside.notes);
        whole.rows = beside.rows.unwrap_or(whole.rows);
    } else {
        join(&mut whole.rows, &starts);
    }
    splits(&mut whole.rows, &starts);
    let Whole { rows, points, missing, notes, .. } = whole;
    let vectors = Rows::Single(Vectors::new(values, dim)?);
    let points = points.and_then(|(axes, values)| Positions::of(&Vectors::new(values, axes).ok()?));
    let points = points.filter(|points| points.len() == rows.len());
    Ok((Table { vectors, rows, points, missing, notes }, starts))
}

/// The tables so far, one after the other.
#[derive(Default)]
struct Whole {
    rows: Vec<RowInfo>,
    /// Axes and positions, where all of the files have them.
    points: Option<(usize, Vec<f32>)>,
    missing: Vec<(usize, String)>,
    notes: Vec<String>,
    model: Option<ModelId>,
}

impl Whole {
    fn add(&mut self, table: Table, count: usize, file: &Path) -> Result<(), TaskError> {
        let before = self.rows.len();
        let model = table.rows.iter().find(|row| !row.model.is_empty()).map(|row| ModelId(row.model.clone()));
        match (&self.model, model) {
            (Some(known), Some(model)) if *known != model => {
                let message = format!(
                    "it says that {model} made its vectors, the files before it say {known}: they cannot be held against each \
                     other; give it by itself"
                );
                return Err(bad(file, message));
            }
            (None, model) => self.model = model,
            _ => {}
        }
        let points = table.points.as_ref().filter(|points| points.len() == count);
        let axes = points.map(|points| if points.space().is_some() { 3 } else { 2 });
        match (&mut self.points, points, axes) {
            (Some((known, all)), Some(points), Some(axes)) if *known == axes => {
                (0..points.len()).for_each(|at| all.extend_from_slice(points.row(at)));
            }
            (None, Some(points), Some(axes)) if before == 0 => {
                let all = (0..points.len()).flat_map(|at| points.row(at).iter().copied()).collect();
                self.points = Some((axes, all));
            }
            _ => self.points = None,
        }
        self.missing.extend(table.missing.into_iter().map(|(row, why)| (before + row, why)));
        self.rows.extend(table.rows);
        for note in table.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Ok(())
    }
}

/// The same failure, with what to do about one file among several.
fn named(error: TaskError, file: &Path) -> TaskError {
    if error.is_cancelled() {
        return error;
    }
    let (told, mut report) = (file.display().to_string(), error.report());
    // A cause that says more than the attempt.
    let said = report.details.pop().unwrap_or(report.summary);
    let why = said.strip_prefix(&told).unwrap_or(&said).trim_start_matches([':', ',', ' ']);
    bad(file, format!("{why}; {NEXT}"))
}

fn append(values: &mut Vec<f32>, rows: &Rows, progress: &Progress) -> Result<(), TaskError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let taken = (SLICE / dim).max(1);
    let mut room = Vec::new();
    for first in (0..count).step_by(taken) {
        progress.check()?;
        values.extend_from_slice(rows.block(first..count.min(first + taken), &mut room)?);
    }
    Ok(())
}

/// The rows of each file.
fn parts<'a>(mut rows: &'a mut [RowInfo], starts: &[(PathBuf, usize)]) -> Vec<&'a mut [RowInfo]> {
    let mut parts = Vec::with_capacity(starts.len());
    for (nth, &(_, start)) in starts.iter().enumerate() {
        let end = starts.get(nth + 1).map_or(start + rows.len(), |&(_, next)| next);
        let (part, rest) = std::mem::take(&mut rows).split_at_mut(end - start);
        parts.push(part);
        rows = rest;
    }
    parts
}

/// Makes the other columns of the files one table.
fn join(rows: &mut [RowInfo], starts: &[(PathBuf, usize)]) {
    more::join(&mut parts(rows, starts), &|name, at, row| {
        let role = Role::ALL.into_iter().find(|&role| name.eq_ignore_ascii_case(ours(role)));
        match role {
            Some(role) => get(row, role),
            // A column that only numbers the rows of its file is not kept.
            None if name.eq_ignore_ascii_case("row") => Cell::Number(at as i64),
            None => Cell::Empty,
        }
    });
}

/// Tells each row which part of the data set it is of, where there are several.
fn splits(rows: &mut [RowInfo], starts: &[(PathBuf, usize)]) {
    let named: Vec<String> = starts.iter().map(|(file, _)| shards::split(file)).collect();
    if named.iter().any(String::is_empty) || named.iter().all(|split| *split == named[0]) {
        return;
    }
    let mut column = Column::new("split".to_owned());
    let unlabelled = rows.iter().all(|row| row.label.is_empty());
    for (part, split) in parts(rows, starts).into_iter().zip(&named) {
        for row in part {
            column.push(&Cell::Words(split.into()));
            if unlabelled {
                row.label.clone_from(split);
            }
        }
    }
    more::add(rows, column);
}
