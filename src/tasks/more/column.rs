//! One kept column: its values in the smallest form that holds them all.
//!
//! Invariant: it has a value, or a gap, for each row that was pushed.

use super::Cell;
use crate::tasks::RowInfo;

/// The part of a row that a column repeats, so that long texts are not held twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tasks) enum Same {
    Path,
    Label,
    Text,
}

/// What all values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tasks) enum Kind {
    Words,
    Number,
    Natural,
    Real,
    Single,
    Truth,
}

/// A column under its name.
#[derive(Clone, Debug)]
pub(in crate::tasks) struct Column {
    pub(in crate::tasks) name: String,
    /// Whether it holds positions, which a map that is written has of its own.
    pub(in crate::tasks) is_axis: bool,
    values: Values,
    /// Whether a row has nothing; empty while no row has.
    gaps: Vec<bool>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Values {
    /// No row has a value.
    Unknown,
    Words(Texts),
    Number(Vec<i64>),
    Natural(Vec<u64>),
    Real(Vec<f64>),
    Single(Vec<f32>),
    Truth(Vec<bool>),
    Same(Same),
}

/// Texts one after the other.
#[derive(Clone, Debug, Default)]
struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.all[start..self.ends[at]]
    }
}

impl Values {
    fn of(kind: Kind, filled: usize) -> Self {
        match kind {
            Kind::Words => Self::Words(Texts { all: String::new(), ends: vec![0; filled] }),
            Kind::Number => Self::Number(vec![0; filled]),
            Kind::Natural => Self::Natural(vec![0; filled]),
            Kind::Real => Self::Real(vec![0.0; filled]),
            Kind::Single => Self::Single(vec![0.0; filled]),
            Kind::Truth => Self::Truth(vec![false; filled]),
        }
    }

    /// Takes a value, or anything for a gap; whether it fitted.
    fn take(&mut self, cell: &Cell<'_>) -> bool {
        let gap = *cell == Cell::Empty;
        match (self, cell) {
            (Self::Unknown, _) => return gap,
            (Self::Same(_), _) => {}
            (Self::Words(all), cell) => all.push(&cell.words()),
            (Self::Number(all), Cell::Number(value)) => all.push(*value),
            (Self::Natural(all), Cell::Natural(value)) => all.push(*value),
            (Self::Natural(all), Cell::Number(value)) if *value >= 0 => all.push(*value as u64),
            (Self::Single(all), Cell::Single(value)) => all.push(*value),
            (Self::Truth(all), Cell::Truth(value)) => all.push(*value),
            (Self::Real(all), cell) if cell.real().is_some() => all.extend(cell.real()),
            (Self::Number(all), _) if gap => all.push(0),
            (Self::Natural(all), _) if gap => all.push(0),
            (Self::Real(all), _) if gap => all.push(0.0),
            (Self::Single(all), _) if gap => all.push(0.0),
            (Self::Truth(all), _) if gap => all.push(false),
            _ => return false,
        }
        true
    }
}

fn kind_of(cell: &Cell<'_>) -> Kind {
    match cell {
        Cell::Empty | Cell::Words(_) => Kind::Words,
        Cell::Number(_) => Kind::Number,
        Cell::Natural(_) => Kind::Natural,
        Cell::Real(_) => Kind::Real,
        Cell::Single(_) => Kind::Single,
        Cell::Truth(_) => Kind::Truth,
    }
}

impl Column {
    pub(in crate::tasks) fn new(name: String) -> Self {
        Self { name, is_axis: false, values: Values::Unknown, gaps: Vec::new(), len: 0 }
    }

    pub(in crate::tasks) fn len(&self) -> usize {
        self.len
    }

    /// An empty one that will take the values of several, of which some may be lacking.
    pub(in crate::tasks) fn like(others: &[Option<&Self>], name: &str) -> Self {
        let mut there = others.iter().flatten();
        let mut column = Self::new(name.to_owned());
        let Some(first) = there.next() else { return column };
        column.is_axis = first.is_axis;
        let all_there = others.iter().all(Option::is_some);
        match first.values {
            Values::Same(part)
                if all_there && there.all(|other| matches!(other.values, Values::Same(same) if same == part)) =>
            {
                column.repeat(part);
            }
            Values::Same(_) | Values::Unknown => {}
            _ if there.all(|other| other.kind() == first.kind()) => column.begin(first.kind()),
            _ => {}
        }
        column
    }

    /// Says what its values are before there are any, for columns that may have none.
    pub(in crate::tasks) fn begin(&mut self, kind: Kind) {
        self.values = Values::of(kind, self.len);
    }

    /// Whether it holds words, or nothing at all.
    pub(in crate::tasks) fn is_words(&self) -> bool {
        self.kind() == Kind::Words
    }

    /// Repeats a part of the row from now on.
    pub(in crate::tasks) fn repeat(&mut self, part: Same) {
        self.values = Values::Same(part);
    }

    /// The part of the row that it repeats.
    pub(in crate::tasks) fn same(&self) -> Option<Same> {
        if let Values::Same(part) = self.values { Some(part) } else { None }
    }

    pub(in crate::tasks) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    pub(in crate::tasks) fn kind(&self) -> Kind {
        match self.values {
            Values::Unknown | Values::Words(_) | Values::Same(_) => Kind::Words,
            Values::Number(_) => Kind::Number,
            Values::Natural(_) => Kind::Natural,
            Values::Real(_) => Kind::Real,
            Values::Single(_) => Kind::Single,
            Values::Truth(_) => Kind::Truth,
        }
    }

    /// The value of a row.
    pub(in crate::tasks) fn cell<'a>(&'a self, at: usize, row: &'a RowInfo) -> Cell<'a> {
        if self.gaps.get(at).copied().unwrap_or(false) {
            return Cell::Empty;
        }
        match &self.values {
            Values::Unknown => Cell::Empty,
            Values::Words(all) => Cell::Words(all.get(at).into()),
            Values::Number(all) => Cell::Number(all[at]),
            Values::Natural(all) => Cell::Natural(all[at]),
            Values::Real(all) => Cell::Real(all[at]),
            Values::Single(all) => Cell::Single(all[at]),
            Values::Truth(all) => Cell::Truth(all[at]),
            Values::Same(Same::Path) => Cell::Words(row.path.as_str().into()),
            Values::Same(Same::Label) => Cell::Words(row.label.as_str().into()),
            Values::Same(Same::Text) => Cell::Words(row.text.as_str().into()),
        }
    }

    /// The value of the next row. Numbers of several kinds become real ones, other mixtures words.
    pub(in crate::tasks) fn push(&mut self, cell: &Cell<'_>) {
        if !self.values.take(cell) {
            self.widen(cell);
            self.values.take(cell);
        }
        let gap = *cell == Cell::Empty;
        if gap && self.gaps.is_empty() {
            self.gaps.resize(self.len, false);
        }
        if gap || !self.gaps.is_empty() {
            self.gaps.push(gap);
        }
        self.len += 1;
    }

    fn widen(&mut self, cell: &Cell<'_>) {
        let wanted = kind_of(cell);
        let kind = match (&self.values, wanted) {
            (Values::Unknown, kind) => kind,
            (Values::Number(all), Kind::Natural) if all.iter().all(|&value| value >= 0) => Kind::Natural,
            (Values::Words(_) | Values::Truth(_), _) | (_, Kind::Words | Kind::Truth) => Kind::Words,
            _ => Kind::Real,
        };
        if let Values::Unknown = self.values {
            self.values = Values::of(kind, self.len);
            return;
        }
        let mut wider = Values::of(kind, 0);
        let none = RowInfo::default();
        (0..self.len).for_each(|at| {
            wider.take(&self.cell(at, &none));
        });
        self.values = wider;
    }

    /// Words that are all numbers, or all truth values, become such, and empty ones gaps. For tables that know words only.
    pub(in crate::tasks) fn typed(&mut self) {
        let Values::Words(texts) = &self.values else { return };
        let fields = || (0..self.len).map(|at| texts.get(at)).filter(|text| !text.is_empty());
        if fields().next().is_none() {
            return;
        }
        let read: fn(&str) -> Cell<'static> = if fields().all(|text| exactly(text, text.parse::<i64>())) {
            |text| text.parse().map_or(Cell::Empty, Cell::Number)
        } else if fields().all(|text| exactly(text, text.parse::<u64>())) {
            |text| text.parse().map_or(Cell::Empty, Cell::Natural)
        } else if fields().all(is_real) && fields().any(|text| text.contains(|c: char| c.is_ascii_digit())) {
            |text| text.parse().map_or(Cell::Empty, Cell::Real)
        } else if fields().all(|text| truth(text).is_some()) {
            |text| truth(text).map_or(Cell::Empty, Cell::Truth)
        } else {
            return;
        };
        let mut typed = Self { is_axis: self.is_axis, ..Self::new(std::mem::take(&mut self.name)) };
        (0..self.len).for_each(|at| typed.push(&read(texts.get(at))));
        *self = typed;
    }
}

/// Whether a text is a number just as that is written: 007 is none.
fn exactly<T: ToString, E>(text: &str, parsed: Result<T, E>) -> bool {
    parsed.is_ok_and(|number| number.to_string() == text)
}

/// Whether a text is a number that loses nothing in double precision but zeros at its end.
fn is_real(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if matches!(digits, "nan" | "NaN" | "inf") {
        return true;
    }
    let padded = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<f64>().ok().filter(|number| !whole || number.abs() <= (1u64 << 53) as f64);
    plain && !padded && !digits.starts_with('+') && number.is_some()
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(column: &Column) -> Vec<Cell<'_>> {
        let row = Box::leak(Box::default());
        (0..column.len()).map(|at| column.cell(at, row)).collect()
    }

    fn typed(words: &[&str]) -> (Kind, Vec<String>) {
        let mut column = Column::new("c".to_owned());
        words.iter().for_each(|word| column.push(&Cell::Words((*word).into())));
        column.typed();
        let shown = cells(&column).iter().map(|cell| format!("{cell:?}")).collect();
        (column.kind(), shown)
    }

    #[test]
    fn numbers_widen_and_gaps_stay() {
        let mut column = Column::new("c".to_owned());
        [Cell::Empty, Cell::Number(3), Cell::Empty, Cell::Number(-1)].iter().for_each(|cell| column.push(cell));
        assert_eq!(cells(&column), [Cell::Empty, Cell::Number(3), Cell::Empty, Cell::Number(-1)]);
        column.push(&Cell::Real(0.5));
        assert_eq!(cells(&column)[1..], [Cell::Real(3.0), Cell::Empty, Cell::Real(-1.0), Cell::Real(0.5)]);
        column.push(&Cell::Words("a".into()));
        assert_eq!((column.kind(), cells(&column)[4].clone()), (Kind::Words, Cell::Words("0.5".into())));
        assert_eq!(cells(&column)[0], Cell::Empty);
        let mut ids = Column::new("c".to_owned());
        [Cell::Number(7), Cell::Natural(u64::MAX)].iter().for_each(|cell| ids.push(cell));
        assert_eq!(cells(&ids), [Cell::Natural(7), Cell::Natural(u64::MAX)]);
    }

    #[test]
    fn words_become_numbers_only_where_nothing_is_lost() {
        assert_eq!(
            typed(&["1", "", "-3"]),
            (Kind::Number, ["Number(1)", "Empty", "Number(-3)"].map(str::to_owned).into())
        );
        assert_eq!(typed(&["1", "2.5", "1e-05"]).0, Kind::Real);
        assert_eq!(typed(&["18446744073709551615", "1"]).0, Kind::Natural);
        assert_eq!(typed(&["True", "False"]).0, Kind::Truth);
        for words in [&["007", "1"][..], &["nan"], &["", ""], &["+1"], &["123456789012345678901234", "1"], &["1", "x"]]
        {
            assert_eq!(typed(words).0, Kind::Words, "{words:?}");
        }
    }
}
