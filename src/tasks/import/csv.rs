//! Vectors and maps out of comma-separated tables (RFC 4180), as this program and others write them.
//!
//! A table holds positions where it has columns `x` and `y` of numbers, and vectors where all its columns are numbers. Invariant: what
//! the first rows are taken for holds for all of them, or the first that is otherwise is told.

use std::borrow::Cow;
use std::path::Path;

use super::Table;
use super::columns::{MAP_NAMES, Role, roles};
use super::gather::Gather;
use crate::progress::Progress;
use crate::tasks::TaskError;
use crate::tasks::format::bad;
use crate::tasks::more::{AXES, Cell};
use crate::vectors::{Rows, Vectors};
use crate::workspace::Positions;

/// Bytes that are looked at to tell what a table holds.
const LOOKED_AT: u64 = 1 << 20;
/// Rows between two looks at whether the user has had enough.
const SLICE: usize = 4096;

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layout {
    /// Whether the first record names the columns.
    header: bool,
    /// Columns of numbers, in order.
    numbers: Vec<usize>,
    /// Whether those are positions.
    positions: bool,
}

/// Whether a table holds vectors or positions, by its first rows.
pub(in crate::tasks) fn holds_vectors(path: &Path) -> bool {
    use std::io::Read;
    let Ok(file) = fs_err::File::open(path) else { return false };
    let mut bytes = Vec::new();
    if file.take(LOOKED_AT).read_to_end(&mut bytes).is_err() {
        return false;
    }
    let text = String::from_utf8_lossy(&bytes);
    layout(&text, bytes.len() as u64 == LOOKED_AT).is_some()
}

/// Reads a table. Stage of `progress`: "Reading FILE", in rows.
///
/// # Errors
/// Cancelled; no table of vectors or positions; a row of another length, or something else than a number where one must be.
pub(super) fn read(path: &Path, progress: &Progress) -> Result<Table, TaskError> {
    let bytes = fs_err::read(path).map_err(TaskError::file("read the table"))?;
    let text = String::from_utf8_lossy(&bytes);
    let head = text.char_indices().nth(LOOKED_AT as usize).map_or(text.len(), |(at, _)| at);
    let Some(layout) = layout(&text[..head], head < text.len()) else {
        let message =
            "no table of vectors or of a map: it must have columns x and y of numbers, or nothing but numbers";
        return Err(bad(path, message));
    };
    let mut records = Records::new(&text);
    let mut fields = Vec::new();
    let mut names: Vec<String> = Vec::new();
    if layout.header && records.next_into(&mut fields) {
        names = fields.iter().map(ToString::to_string).collect();
    }
    let mut gather = gather(&names, &layout);
    let mut values = Vec::new();
    let width = names.len();
    loop {
        let line = records.line;
        if !records.next_into(&mut fields) {
            break;
        }
        if gather.len().is_multiple_of(SLICE) {
            progress.check()?;
        }
        let expected = if layout.header { width } else { layout.numbers.len() };
        if fields.len() != expected {
            let message = format!("line {line} has {} columns, where the first has {expected}", fields.len());
            return Err(bad(path, message));
        }
        for &place in &layout.numbers {
            let value = number(&fields[place]).map_err(|()| {
                let shown: String = fields[place].chars().take(40).collect();
                bad(path, format!("line {line}, column {}: '{shown}' is not a number", place + 1))
            })?;
            values.push(value);
        }
        gather.grow(1);
        (0..width).for_each(|place| gather.put(place, &Cell::Words(Cow::Borrowed(&fields[place]))));
    }
    let vectors = Vectors::new(values, layout.numbers.len())?;
    let points = Positions::of(&vectors).filter(|_| layout.positions);
    Ok(Table {
        vectors: Rows::Single(vectors),
        rows: gather.finish(true),
        points,
        missing: Vec::new(),
        notes: Vec::new(),
    })
}

/// The columns beside the numbers.
fn gather(names: &[String], layout: &Layout) -> Gather {
    let mut found = roles(names.iter().map(String::as_str));
    found.retain(|(_, place)| !layout.numbers.contains(place));
    let mut gather = Gather::new(names.iter().map(String::as_str), &found);
    if !names.is_empty() {
        // Positions have a name of ours when they are written again; columns of vectors are written as vectors.
        let ours = |place: usize| !layout.positions || AXES.iter().any(|axis| names[place].eq_ignore_ascii_case(axis));
        layout.numbers.iter().filter(|&&place| ours(place)).for_each(|&place| gather.forget(place));
    }
    gather
}

/// A number; NaN for nothing.
fn number(field: &str) -> Result<f32, ()> {
    match field.trim() {
        "" => Ok(f32::NAN),
        field => field.parse().map_err(|_| ()),
    }
}

/// What the first rows of a table say of it; `cut` when the last is not whole.
fn layout(text: &str, cut: bool) -> Option<Layout> {
    let mut records = Records::new(text);
    let (mut all, mut fields) = (Vec::new(), Vec::new());
    while records.next_into(&mut fields) {
        all.push(std::mem::take(&mut fields));
    }
    if cut {
        all.pop();
    }
    let (first, others) = all.split_first()?;
    if others.iter().any(|record| record.len() != first.len()) {
        return None;
    }
    let is_number = |record: &Vec<Cow<'_, str>>, place: usize| record[place].trim().parse::<f32>().is_ok();
    positions(first, others).or_else(|| {
        let places: Vec<usize> = (0..first.len()).collect();
        let unnamed = places.iter().all(|&place| is_number(first, place));
        // What pandas calls columns without names.
        let counted = first.iter().enumerate().all(|(place, name)| *name == place.to_string());
        let header = !others.is_empty() && (!unnamed || (counted && first.len() > 1));
        let numbers = if header { values_of(first) } else { places.clone() };
        let whole = others.iter().all(|record| places.iter().all(|&place| is_number(record, place)));
        (whole && (header || unnamed) && numbers.len() > 1).then_some(Layout { header, numbers, positions: false })
    })
}

/// The columns of a map, by their names.
fn positions(names: &[Cow<'_, str>], rows: &[Vec<Cow<'_, str>>]) -> Option<Layout> {
    let place = |name: &str| {
        let place = names.iter().position(|column| column.trim().eq_ignore_ascii_case(name))?;
        let values = || rows.iter().map(|row| number(&row[place]));
        (values().all(|value| value.is_ok()) && values().any(|value| value.is_ok_and(f32::is_finite))).then_some(place)
    };
    MAP_NAMES.iter().find_map(|[x, y]| {
        let mut numbers = vec![place(x)?, place(y)?];
        numbers.extend(place(&format!("{}z", x.trim_end_matches('x'))));
        Some(Layout { header: true, numbers, positions: true })
    })
}

/// The columns of a table of numbers that are values: those that number the rows, name them or are their labels are not.
fn values_of(names: &[Cow<'_, str>]) -> Vec<usize> {
    let told = roles(names.iter().map(AsRef::as_ref));
    let says = |place| told.iter().any(|&(role, at)| at == place && matches!(role, Role::Path | Role::Label));
    let counts = |place: usize| matches!(names[place].trim(), "" | "row" | "index" | "Unnamed: 0");
    (0..names.len()).filter(|&place| !says(place) && !counts(place)).collect()
}

/// The records of a table.
struct Records<'a> {
    rest: &'a str,
    /// Number of the line that the next record begins at, from 1.
    line: usize,
}

impl<'a> Records<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
    }

    /// Reads the next record; false at the end. Empty lines are passed over.
    fn next_into(&mut self, fields: &mut Vec<Cow<'a, str>>) -> bool {
        fields.clear();
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return false;
        }
        loop {
            let field = if self.rest.starts_with('"') { self.quoted() } else { self.plain() };
            fields.push(field);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        self.rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
        if let Some(rest) = self.rest.strip_prefix('\n') {
            self.rest = rest;
            self.line += 1;
        }
        true
    }

    /// A field up to the next comma or line end.
    fn plain(&mut self) -> Cow<'a, str> {
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        Cow::Borrowed(if rest.starts_with(',') { field } else { field.strip_suffix('\r').unwrap_or(field) })
    }

    /// A field in quotation marks, which stand twice inside; what follows the last one up to the comma belongs to it.
    fn quoted(&mut self) -> Cow<'a, str> {
        let inside = &self.rest[1..];
        let mut at = 0;
        let end = loop {
            let Some(found) = inside[at..].find('"') else { break inside.len() };
            at += found;
            if !inside[at + 1..].starts_with('"') {
                break at;
            }
            at += 2;
        };
        let field = &inside[..end];
        self.line += field.matches('\n').count();
        self.rest = inside.get(end + 1..).unwrap_or_default();
        let tail = self.plain();
        match (field.contains("\"\""), tail.is_empty()) {
            (false, true) => Cow::Borrowed(field),
            _ => Cow::Owned(field.replace("\"\"", "\"") + &tail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::more::{Beside, kept};

    fn of(text: &str) -> Option<Layout> {
        layout(text, false)
    }

    #[test]
    fn what_a_table_holds_is_told_by_its_first_rows() {
        let map = |numbers: &[usize]| Some(Layout { header: true, numbers: numbers.to_vec(), positions: true });
        assert_eq!(of("row,path,x,y\n0,a,1,2\n"), map(&[2, 3]));
        assert_eq!(of("X,Y,z,title\r\n1,,3,\"a, b\"\r\n1,2,3,c\r\n"), map(&[0, 1, 2]));
        let vectors = |header, numbers: &[usize]| Some(Layout { header, numbers: numbers.to_vec(), positions: false });
        assert_eq!(of("1,2,3\n4,5,6\n"), vectors(false, &[0, 1, 2]));
        assert_eq!(of("0,1\n4,5.5\n"), vectors(true, &[0, 1]));
        assert_eq!(of("label,pixel0,pixel1\n7,0,255\n"), vectors(true, &[1, 2]));
        assert_eq!(of(",a,b\n0,1,2\n"), vectors(true, &[1, 2]));
        for text in ["", "a,b\n", "1\n2\n", "name,age\nx,3\n", "x,y\n", "x,y\na,b\n", "1,2\n3\n", "a,b\n1,\n"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_map_is_read_with_its_other_columns() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.csv");
        fs_err::write(&path, "path,label,x,y,note,year\na.md,k,1,2,\"say \"\"so\"\",\nor\",1999\nb.md,l,3,-4,,2001\n")
            .unwrap();
        assert!(holds_vectors(&path));
        let table = read(&path, &Progress::new()).unwrap();
        assert_eq!(table.vectors.decoded().unwrap().values(), [1.0, 2.0, 3.0, -4.0]);
        assert_eq!((table.rows[1].path.as_str(), table.rows[0].label.as_str()), ("b.md", "k"));
        let found = kept(&table.rows, Beside::Map);
        let shown: Vec<_> = found.iter().map(|kept| (kept.name.as_str(), kept.cell(0))).collect();
        assert_eq!(shown, [("note", Cell::Words("say \"so\",\nor".into())), ("year", Cell::Number(1999))]);
        fs_err::write(&path, format!("x,y\n{}0,\"a\n\",\n", "1,2\n".repeat(300_000))).unwrap();
        let error = read(&path, &Progress::new()).err().unwrap().to_string();
        assert!(error.contains("line 300002 has 3 columns, where the first has 2"), "{error}");
    }
}
