//! The rows of a table as they are read, whatever its format: what has a meaning goes into the row, the rest is kept beside it.
//!
//! Invariant: a column comes back under its own name, unless the row says just the same under a name of ours that is no other.

use std::collections::HashSet;

use super::columns::{Role, ours, set};
use crate::tasks::RowInfo;
#[cfg(any(feature = "parquet", test))]
use crate::tasks::more::Kind;
use crate::tasks::more::{self, Cell, Column, Same};

/// A table while it is read.
pub(super) struct Gather {
    rows: Vec<RowInfo>,
    columns: Vec<Gathered>,
}

/// One column of it.
struct Gathered {
    roles: Vec<Role>,
    /// The role whose column of ours has this very name.
    own: Option<Role>,
    /// `None` where it is not kept.
    kept: Option<Column>,
}

impl Gather {
    /// A table of these columns, of which some have roles.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>, roles: &[(Role, usize)]) -> Self {
        let mut known = HashSet::new();
        let column = |(place, name): (usize, &str)| {
            let roles: Vec<Role> = roles.iter().filter(|&&(_, at)| at == place).map(|&(role, _)| role).collect();
            let own = roles.iter().copied().find(|&role| name.trim().eq_ignore_ascii_case(ours(role)));
            let plain = if name.trim().is_empty() { format!("column_{}", place + 1) } else { name.trim().to_owned() };
            let mut unique = plain.clone();
            let mut nth = 1;
            while !known.insert(unique.clone()) {
                nth += 1;
                unique = format!("{plain}_{nth}");
            }
            Gathered { roles, own, kept: Some(Column::new(unique)) }
        };
        Self { rows: Vec::new(), columns: names.into_iter().enumerate().map(column).collect() }
    }

    /// Does not keep a column: it is read as something else.
    pub(super) fn forget(&mut self, column: usize) {
        self.columns[column].kept = None;
    }

    /// Says that a column holds positions, which are kept unless others are written.
    #[cfg(feature = "parquet")]
    pub(super) fn is_axis(&mut self, column: usize) {
        self.columns[column].kept.iter_mut().for_each(|kept| kept.is_axis = true);
    }

    /// Says that a column holds numbers whose names stand in the row: where those have its name, it gets another.
    #[cfg(feature = "parquet")]
    pub(super) fn numbers_names(&mut self, column: usize) {
        let column = &mut self.columns[column];
        if column.own.take().is_some() {
            column.kept.iter_mut().for_each(|kept| kept.name += "_number");
        }
    }

    /// Says what the values of a column are before any is there.
    #[cfg(feature = "parquet")]
    pub(super) fn begin(&mut self, column: usize, kind: Kind) {
        let same = self.columns[column].same().filter(|_| kind == Kind::Words);
        let Some(kept) = &mut self.columns[column].kept else { return };
        match same {
            Some(part) => kept.repeat(part),
            None => kept.begin(kind),
        }
    }

    /// The rows so far.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds rows that nothing is known of yet.
    pub(super) fn grow(&mut self, count: usize) {
        self.rows.resize_with(self.rows.len() + count, RowInfo::default);
    }

    /// Tells a row what a column says of it.
    pub(super) fn say(&mut self, column: usize, row: usize, cell: &Cell<'_>) {
        self.columns[column].roles.iter().for_each(|&role| set(&mut self.rows[row], role, cell));
    }

    /// Keeps the next value of a column.
    pub(super) fn keep(&mut self, column: usize, cell: &Cell<'_>) {
        self.columns[column].kept.iter_mut().for_each(|kept| kept.push(cell));
    }

    /// Tells the last row, and keeps the value.
    pub(super) fn put(&mut self, column: usize, cell: &Cell<'_>) {
        self.say(column, self.rows.len() - 1, cell);
        self.keep(column, cell);
    }

    /// The rows, each with its place in what was kept. With `typed`, words that are all numbers become such.
    pub(super) fn finish(self, typed: bool) -> Vec<RowInfo> {
        let Self { mut rows, columns } = self;
        let mut kept = Vec::new();
        for gathered in columns {
            let (same, own) = (gathered.same(), gathered.own);
            let Some(mut column) = gathered.kept else { continue };
            while column.len() < rows.len() {
                column.push(&Cell::Empty);
            }
            if own.is_some_and(|role| says_nothing_more(&column, role, &rows)) {
                continue;
            }
            if typed {
                column.typed();
                if own.is_some_and(|role| says_nothing_more(&column, role, &rows)) {
                    continue;
                }
            }
            if column.name.eq_ignore_ascii_case("row") && counts_rows(&column, &rows) {
                continue;
            }
            if let Some(part) = same.filter(|_| column.is_words()) {
                column.repeat(part);
            }
            kept.push(column);
        }
        more::attach(&mut rows, kept);
        rows
    }
}

impl Gathered {
    /// The part of the row that has the words of this column.
    fn same(&self) -> Option<Same> {
        self.roles.iter().find_map(|role| match role {
            Role::Path => Some(Same::Path),
            Role::Label => Some(Same::Label),
            Role::Text => Some(Same::Text),
            _ => None,
        })
    }
}

/// One sentence on columns that cannot be kept; `None` when there is none.
pub(super) fn not_kept(columns: &[String]) -> Option<String> {
    let most = 12.min(columns.len());
    let more = if columns.len() > most { format!(" and {} more", columns.len() - most) } else { String::new() };
    let listed = format!("{}{more}", columns[..most].join(", "));
    (most > 0).then(|| format!("not kept, for they hold lists, structures or bytes: {listed}"))
}

/// Whether the rows themselves say what a column of our own name says.
fn says_nothing_more(column: &Column, role: Role, rows: &[RowInfo]) -> bool {
    let held = matches!(role, Role::Path | Role::Label | Role::Text);
    if held && column.has_gaps() {
        return false;
    }
    rows.iter().enumerate().all(|(at, row)| {
        let (theirs, ours) = (column.cell(at, row), super::columns::get(row, role));
        theirs == ours || (is_empty(&theirs) && is_empty(&ours))
    })
}

fn is_empty(cell: &Cell<'_>) -> bool {
    *cell == Cell::Empty || *cell == Cell::Words("".into())
}

/// Whether a column only numbers the rows, as our own does.
fn counts_rows(column: &Column, rows: &[RowInfo]) -> bool {
    rows.iter().enumerate().all(|(at, row)| column.cell(at, row) == Cell::Number(at as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::import::columns::roles;
    use crate::tasks::more::{Beside, kept};

    fn read(names: &[&str], rows: &[&[&str]]) -> Vec<RowInfo> {
        let mut gather = Gather::new(names.iter().copied(), &roles(names.iter().copied()));
        for row in rows {
            gather.grow(1);
            row.iter().enumerate().for_each(|(at, word)| gather.put(at, &Cell::Words((*word).into())));
        }
        gather.finish(true)
    }

    #[test]
    fn a_column_comes_back_under_its_own_name() {
        let rows = read(
            &["ID", "title", "text", "size", "row", ""],
            &[&["7", "a", "A", "9", "0", "u"], &["8", "b", "B", "x", "1"]],
        );
        assert_eq!((rows[1].path.as_str(), rows[1].text.as_str(), rows[0].size, rows[1].size), ("8", "B", 9, 0));
        let found = kept(&rows, Beside::Vectors);
        let shown: Vec<_> = found.iter().map(|kept| (kept.name.as_str(), kept.kind(), kept.cell(1))).collect();
        assert_eq!(
            shown,
            [
                ("ID", Kind::Number, Cell::Number(8)),
                ("title", Kind::Words, Cell::Words("b".into())),
                ("size", Kind::Words, Cell::Words("x".into())),
                ("column_6", Kind::Words, Cell::Empty),
            ]
        );
    }

    #[test]
    fn what_we_wrote_is_not_kept_twice() {
        let rows = read(
            &["row", "path", "start", "label", "modified"],
            &[&["0", "a", "5", "3", ""], &["1", "b", "6", "", "9"]],
        );
        assert!(kept(&rows, Beside::Vectors).is_empty());
        assert_eq!((rows[1].modified, rows[0].label.as_str(), rows[0].start), (Some(9), "3", 5));
        // The places of rows in another file are something else.
        assert_eq!(kept(&read(&["row"], &[&["0"], &["2"]]), Beside::Map)[0].name, "row_before");
    }
}
