//! Single values out of Arrow columns, whatever their type.
//!
//! Invariant: a type that is not known gives empty cells, never an error: the column is another program's.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::columns::Cell;

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
        DataType::Boolean => Cell::Words(array.as_boolean().value(at).to_string().into()),
        DataType::Int8 => Cell::Number(array.as_primitive::<Int8Type>().value(at).into()),
        DataType::Int16 => Cell::Number(array.as_primitive::<Int16Type>().value(at).into()),
        DataType::Int32 => Cell::Number(array.as_primitive::<Int32Type>().value(at).into()),
        DataType::Int64 => Cell::Number(array.as_primitive::<Int64Type>().value(at)),
        DataType::UInt8 => Cell::Number(array.as_primitive::<UInt8Type>().value(at).into()),
        DataType::UInt16 => Cell::Number(array.as_primitive::<UInt16Type>().value(at).into()),
        DataType::UInt32 => Cell::Number(array.as_primitive::<UInt32Type>().value(at).into()),
        DataType::UInt64 => {
            Cell::Number(i64::try_from(array.as_primitive::<UInt64Type>().value(at)).unwrap_or(i64::MAX))
        }
        DataType::Float32 => Cell::Real(array.as_primitive::<Float32Type>().value(at).into()),
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
