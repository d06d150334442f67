//! Single values out of Arrow columns, whatever their type.
//!
//! Invariant: a type that is not known gives empty cells, never an error: the column is another program's.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use crate::tasks::more::{Cell, Kind};

/// What the values of a column are; `None` for lists, structures and bytes.
pub(super) fn kind_of(kind: &DataType) -> Option<Kind> {
    Some(match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Kind::Words,
        // Days and moments as ISO 8601 writes them.
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Kind::Words,
        DataType::Boolean => Kind::Truth,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Kind::Number,
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => Kind::Number,
        DataType::UInt64 => Kind::Natural,
        DataType::Float16 | DataType::Float32 => Kind::Single,
        DataType::Float64 => Kind::Real,
        DataType::Dictionary(_, values) => kind_of(values)?,
        _ => return None,
    })
}

/// A column, its dictionary resolved.
pub(super) struct Reader<'a> {
    array: &'a dyn Array,
    /// For a column with a dictionary: the place of each row's value in it.
    keys: Option<Vec<usize>>,
    /// Whether a row has no value, by the column itself.
    nulls: &'a dyn Array,
    /// Names that whole numbers stand for.
    classes: Option<&'a [String]>,
}

impl<'a> Reader<'a> {
    /// A reader; with `classes`, numbers are told by name.
    pub(super) fn new(array: &'a ArrayRef, classes: Option<&'a [String]>) -> Self {
        match array.as_any_dictionary_opt() {
            Some(dictionary) if !dictionary.values().is_empty() => Self {
                array: dictionary.values().as_ref(),
                keys: Some(dictionary.normalized_keys()),
                nulls: array,
                classes,
            },
            _ => Self { array, keys: None, nulls: array, classes },
        }
    }

    /// The value of a row.
    pub(super) fn cell(&self, row: usize) -> Cell<'a> {
        if self.nulls.is_null(row) {
            return Cell::Empty;
        }
        let at = self.keys.as_ref().map_or(row, |keys| keys[row]);
        match (plain(self.array, at), self.classes) {
            (Cell::Number(number), Some(names)) => {
                let name = usize::try_from(number).ok().and_then(|number| names.get(number));
                name.map_or(Cell::Number(number), |name| Cell::Words(name.as_str().into()))
            }
            (cell, _) => cell,
        }
    }
}

fn plain(array: &dyn Array, at: usize) -> Cell<'_> {
    if array.is_null(at) {
        return Cell::Empty;
    }
    let words = |words| Cell::Words(Cow::Borrowed(words));
    match array.data_type() {
        DataType::Utf8 => words(array.as_string::<i32>().value(at)),
        DataType::LargeUtf8 => words(array.as_string::<i64>().value(at)),
        DataType::Utf8View => words(array.as_string_view().value(at)),
        DataType::Boolean => Cell::Truth(array.as_boolean().value(at)),
        DataType::Date32 => Cell::Words(day(array.as_primitive::<Date32Type>().value(at).into()).into()),
        DataType::Date64 => {
            Cell::Words(day(array.as_primitive::<Date64Type>().value(at).div_euclid(86_400_000)).into())
        }
        DataType::Timestamp(unit, zone) => {
            let (value, parts) = match unit {
                TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(at), 1),
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(at), 1_000),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(at), 1_000_000),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(at), 1_000_000_000),
            };
            Cell::Words((moment(value, parts) + if zone.is_some() { "Z" } else { "" }).into())
        }
        DataType::Int8 => Cell::Number(array.as_primitive::<Int8Type>().value(at).into()),
        DataType::Int16 => Cell::Number(array.as_primitive::<Int16Type>().value(at).into()),
        DataType::Int32 => Cell::Number(array.as_primitive::<Int32Type>().value(at).into()),
        DataType::Int64 => Cell::Number(array.as_primitive::<Int64Type>().value(at)),
        DataType::UInt8 => Cell::Number(array.as_primitive::<UInt8Type>().value(at).into()),
        DataType::UInt16 => Cell::Number(array.as_primitive::<UInt16Type>().value(at).into()),
        DataType::UInt32 => Cell::Number(array.as_primitive::<UInt32Type>().value(at).into()),
        DataType::UInt64 => Cell::Natural(array.as_primitive::<UInt64Type>().value(at)),
        DataType::Float16 => Cell::Single(array.as_primitive::<Float16Type>().value(at).to_f32()),
        DataType::Float32 => Cell::Single(array.as_primitive::<Float32Type>().value(at)),
        DataType::Float64 => Cell::Real(array.as_primitive::<Float64Type>().value(at)),
        // A list of labels or tags in one row: the first stands for it.
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let (start, end) = (list.value_offsets()[at] as usize, list.value_offsets()[at + 1] as usize);
            match list.values().data_type() {
                DataType::Utf8 if start < end && list.values().is_valid(start) => {
                    Cell::Words(Cow::Owned(list.values().as_string::<i32>().value(start).to_owned()))
                }
                _ => Cell::Empty,
            }
        }
        _ => Cell::Empty,
    }
}

/// A day of so many after 1970, as 2024-02-29 (by Howard Hinnant's `civil_from_days`).
fn day(days: i64) -> String {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// A moment so many parts of a second after 1970, as 2024-02-29T23:59:59, with a fraction where it has one.
fn moment(value: i64, parts: i64) -> String {
    let (seconds, part) = (value.div_euclid(parts), value.rem_euclid(parts));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let digits = parts.ilog10() as usize;
    let fraction = if part == 0 { String::new() } else { format!(".{part:0digits$}") };
    format!("{}T{:02}:{:02}:{:02}{fraction}", day(days), second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_those_of_the_calendar() {
        let days = [0, -1, 11_016, 19_782, -141_427, 2_932_896].map(day);
        assert_eq!(days, ["1970-01-01", "1969-12-31", "2000-02-29", "2024-02-29", "1582-10-15", "9999-12-31"]);
        assert_eq!(moment(1_709_251_199, 1), "2024-02-29T23:59:59");
        assert_eq!(moment(-1, 1_000_000), "1969-12-31T23:59:59.999999");
    }
}
