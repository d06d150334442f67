//! What a file told of its rows, kept as small as it goes while the window shows them: for columns to colour by, and so that what is
//! written of the rows is what the file said.
//!
//! Holds no text that the corpus holds. Invariant: row `n` of it is row `n` of the corpus.

use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::corpus::{Corpus, TableColumns, TableHead};
use crate::tasks::RowInfo;
use crate::tasks::import::columns::{self, Role};
use crate::tasks::more::{Cell, Column, More, Same, on_scale, shown_kind};
use crate::vectors::RowId;

/// The rows of a file.
#[derive(Debug)]
pub(in crate::tasks) struct FileRows {
    /// What rows say in our own columns; those that say nothing anywhere are not there.
    ours: Vec<(Role, Column)>,
    /// The other columns of the file.
    others: Arc<[Column]>,
    /// Those of them that are shown: where any row has a value.
    heads: Vec<TableHead>,
    /// The places of those among the others.
    places: Vec<usize>,
}

/// Nothing is known of it.
static NONE: LazyLock<RowInfo> = LazyLock::new(RowInfo::default);

impl FileRows {
    /// The rows in the order of the file. `held` says whether the corpus holds the text of a row.
    pub(super) fn new(rows: &[&RowInfo], held: impl Fn(usize) -> bool) -> Self {
        let others = rows.iter().find_map(|row| row.more.columns().cloned()).unwrap_or_default();
        let ours = columns::all().filter_map(|role| Some((role, ours(rows, role, &held)?))).collect();
        let mut known = Self { ours, others, heads: Vec::new(), places: Vec::new() };
        for place in 0..known.others.len() {
            let column = &known.others[place];
            let cells = (0..rows.len()).map(|at| known.cell(place, at));
            let Some(kind) = shown_kind(column.kind(), cells) else { continue };
            let head = TableHead { name: column.name.clone(), kind };
            known.heads.push(head);
            known.places.push(place);
        }
        known
    }

    /// The rows of the file that a corpus is of; `None` for other corpora.
    pub(in crate::tasks) fn of(corpus: &Corpus) -> Option<&Self> {
        let table: &dyn Any = corpus.table.as_deref()?;
        table.downcast_ref()
    }

    /// What the file says of a row of that corpus; `row` of it is not set.
    pub(in crate::tasks) fn row(&self, corpus: &Corpus, row: RowId) -> RowInfo {
        let mut info = RowInfo { text: corpus.text_of(row).to_owned(), ..RowInfo::default() };
        for (role, column) in &self.ours {
            match column.cell(row.index(), &NONE) {
                Cell::Empty => {}
                cell => columns::set(&mut info, *role, &cell),
            }
        }
        if !self.others.is_empty() {
            info.more = More::of(self.others.clone(), row.0);
        }
        info
    }

    fn cell(&self, place: usize, at: usize) -> Cell<'_> {
        let role = match self.others[place].same() {
            None => return self.others[place].cell(at, &NONE),
            Some(Same::Path) => Role::Path,
            Some(Same::Label) => Role::Label,
            Some(Same::Text) => Role::Text,
        };
        let ours = self.ours.iter().find(|(of, _)| *of == role);
        ours.map_or(Cell::Empty, |(_, column)| column.cell(at, &NONE))
    }
}

/// What all rows say in a column of ours; `None` where none says anything.
fn ours(rows: &[&RowInfo], role: Role, held: impl Fn(usize) -> bool) -> Option<Column> {
    let mut column = Column::new(columns::ours(role).to_owned());
    let mut any = false;
    for (at, row) in rows.iter().enumerate() {
        let cell = match columns::get(row, role) {
            Cell::Words(words) if words.is_empty() => Cell::Empty,
            Cell::Number(0) if role != Role::Modified => Cell::Empty,
            _ if role == Role::Text && held(at) => Cell::Empty,
            cell => cell,
        };
        any |= cell != Cell::Empty;
        column.push(&cell);
    }
    any.then_some(column)
}

impl TableColumns for FileRows {
    fn heads(&self) -> &[TableHead] {
        &self.heads
    }

    fn words(&self, column: usize, row: RowId) -> Cow<'_, str> {
        match self.places.get(column).map(|&place| self.cell(place, row.index())) {
            Some(Cell::Words(words)) => words,
            Some(cell) => cell.words().into_owned().into(),
            None => Cow::Borrowed(""),
        }
    }

    fn number(&self, column: usize, row: RowId) -> f64 {
        let known = self.places.get(column).zip(self.heads.get(column));
        known.map_or(f64::NAN, |(&place, head)| on_scale(head.kind, &self.cell(place, row.index())))
    }
}
