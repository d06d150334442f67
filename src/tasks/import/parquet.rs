//! Vectors from Parquet: any list column of numbers (Hugging Face data sets, Embedding Atlas), or the positions of a map.
//!
//! The file is read batch by batch, and only the columns that mean something here. Invariant: row `n` of what comes back is row `n` of
//! the file; a row without a vector is listed with its reason and holds zeros.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use fs_err::File;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Table;
use super::cells::{Reader, kind_of};
use super::columns::{MAP_NAMES, Role, roles};
use super::gather::{Gather, not_kept};
use crate::progress::Progress;
use crate::tasks::TaskError;
use crate::tasks::format::bad;
use crate::tasks::more::AXES;
use crate::vectors::{Rows, Vectors};
use crate::workspace::Positions;

/// Names of a column of vectors, the likeliest first.
const VECTOR_NAMES: [&str; 10] = [
    "vector",
    "embedding",
    "embeddings",
    "vectors",
    "emb",
    "embs",
    "dense_vector",
    "features",
    "feature_vector",
    "hidden_state",
];
/// Rows read at once: some megabytes of usual vectors.
const BATCH: usize = 4096;

/// Reads a file. Stage of `progress`: "Reading FILE", in rows.
///
/// # Errors
/// Cancelled; not a Parquet file; no column of vectors or positions; vectors of several lengths; no row.
pub(super) fn read(path: &Path, progress: &Progress) -> Result<Table, TaskError> {
    let file = File::open(path).map_err(TaskError::file("read the Parquet file"))?.into_parts().0;
    let wrong = |error: &dyn std::fmt::Display| bad(path, format!("not a readable Parquet file: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| wrong(&error))?;
    let count = builder.metadata().file_metadata().num_rows().max(0) as u64;
    let plan = Plan::of(builder.schema(), path)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), plan.columns());
    let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|error| wrong(&error))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    progress.stage(&format!("Reading {name}"), "rows", count);
    let mut read = Read::of(&plan);
    for batch in reader {
        progress.check()?;
        let batch = batch.map_err(|error| wrong(&error))?;
        read.add(&plan, &batch, count as usize).map_err(|message| bad(path, message))?;
        progress.advance(batch.num_rows() as u64);
    }
    read.finish(path)
}

/// Which columns are read, by name, and as what.
struct Plan {
    schema: Schema,
    vector: Option<usize>,
    axes: Vec<usize>,
    roles: Vec<(Role, usize)>,
    classes: Vec<(usize, Vec<String>)>,
    /// Columns of single values, which are kept.
    kept: Vec<usize>,
}

impl Plan {
    fn of(schema: &Schema, path: &Path) -> Result<Self, TaskError> {
        let vector = vector_column(schema).map_err(|message| bad(path, message))?;
        let axes = axes(schema);
        if vector.is_none() && axes.is_empty() {
            let message = format!(
                "no column of vectors (a list of numbers, called embedding, embeddings or vector) and no columns x and y; \
                 its columns are {}",
                listed(schema.fields().iter().map(AsRef::as_ref))
            );
            return Err(bad(path, message));
        }
        let names = schema.fields().iter().map(|field| field.name().as_str());
        // A column that is a vector or an axis says nothing else.
        let taken = |place: usize| vector == Some(place) || axes.contains(&place);
        let roles: Vec<_> = roles(names).into_iter().filter(|&(_, place)| !taken(place)).collect();
        let classes = roles.iter().filter_map(|&(_, place)| Some((place, class_names(schema, place)?))).collect();
        // Where positions are the vectors, they are written under names of ours again.
        let again = |name: &str| vector.is_none() && AXES.iter().any(|axis| axis.eq_ignore_ascii_case(name));
        let plain = |&place: &usize| {
            let field = schema.field(place);
            kind_of(field.data_type()).is_some() && !(again(field.name()) && is_float(field.data_type()))
        };
        let kept = (0..schema.fields().len()).filter(plain).collect();
        Ok(Self { schema: schema.clone(), vector, axes, roles, classes, kept })
    }

    /// What is known of the rows before the first is read: a column of the table a column of the file.
    fn gather(&self) -> Gather {
        let fields = self.schema.fields();
        let mut gather = Gather::new(fields.iter().map(|field| field.name().as_str()), &self.roles);
        for (place, field) in fields.iter().enumerate() {
            match kind_of(field.data_type()) {
                Some(kind) if self.kept.contains(&place) => {
                    if self.classes.iter().any(|&(of, _)| of == place) {
                        gather.numbers_names(place);
                    }
                    gather.begin(place, kind);
                    if AXES.iter().any(|axis| axis.eq_ignore_ascii_case(field.name())) && is_float(field.data_type()) {
                        gather.is_axis(place);
                    }
                }
                _ => gather.forget(place),
            }
        }
        gather
    }

    /// Columns that hold more than a value a row, but are not the vectors.
    fn nested(&self) -> Vec<String> {
        let fields = self.schema.fields().iter().enumerate();
        let nested =
            fields.filter(|(place, field)| Some(*place) != self.vector && kind_of(field.data_type()).is_none());
        nested.map(|(_, field)| field.name().clone()).collect()
    }

    fn columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> =
            self.roles.iter().map(|&(_, place)| place).chain(self.axes.iter().chain(&self.kept).copied()).collect();
        columns.extend(self.vector);
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// A column of a batch, which holds only those that are read.
    fn array<'a>(&self, batch: &'a RecordBatch, place: usize) -> Option<&'a ArrayRef> {
        batch.column_by_name(self.schema.field(place).name())
    }
}

fn listed<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let words: Vec<String> = fields.map(|field| format!("{} ({})", field.name(), field.data_type())).collect();
    let most = 30.min(words.len());
    let more = if words.len() > most { format!(" and {} more", words.len() - most) } else { String::new() };
    format!("{}{more}", words[..most].join(", "))
}

/// The column of vectors: by its name, else the only list of floats.
fn vector_column(schema: &Schema) -> Result<Option<usize>, String> {
    let fields = schema.fields();
    let named = |name: &str| {
        fields.iter().position(|field| field.name().eq_ignore_ascii_case(name) && is_list(field.data_type(), is_number))
    };
    if let Some(place) = VECTOR_NAMES.iter().find_map(|name| named(name)) {
        return Ok(Some(place));
    }
    let lists: Vec<usize> = (0..fields.len()).filter(|&place| is_list(fields[place].data_type(), is_float)).collect();
    let about = |place: &&usize| {
        let name = fields[**place].name().to_lowercase();
        name.contains("emb") || name.contains("vector")
    };
    let likely: Vec<usize> = lists.iter().filter(about).copied().collect();
    match (lists.as_slice(), likely.as_slice()) {
        ([], _) => Ok(None),
        ([only], _) | (_, [only]) => Ok(Some(*only)),
        (all, _) => Err(format!(
            "several columns may be the vectors: {}; give the right one the name embedding",
            listed(all.iter().map(|&place| fields[place].as_ref()))
        )),
    }
}

/// The columns of ready positions, two or three.
fn axes(schema: &Schema) -> Vec<usize> {
    let place = |name: &str| {
        let fields = schema.fields();
        fields.iter().position(|field| field.name().eq_ignore_ascii_case(name) && is_float(field.data_type()))
    };
    // A map of ours has the plane under the other names as well; where there is a third axis, it counts.
    if let [Some(x), Some(y), Some(z)] = ["x", "y", "z"].map(place) {
        return vec![x, y, z];
    }
    let pair = MAP_NAMES.iter().find_map(|[x, y]| Some((vec![place(x)?, place(y)?], x.trim_end_matches('x'))));
    let Some((mut axes, stem)) = pair else { return Vec::new() };
    axes.extend(place(&format!("{stem}z")));
    axes
}

fn is_float(kind: &DataType) -> bool {
    matches!(kind, DataType::Float16 | DataType::Float32 | DataType::Float64)
}

fn is_number(kind: &DataType) -> bool {
    let whole = [DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64, DataType::UInt8];
    is_float(kind) || whole.contains(kind)
}

fn is_list(kind: &DataType, of: fn(&DataType) -> bool) -> bool {
    match kind {
        DataType::FixedSizeList(field, _) | DataType::List(field) | DataType::LargeList(field) => of(field.data_type()),
        _ => false,
    }
}

/// The names of a Hugging Face data set's classes, where a column holds their numbers.
fn class_names(schema: &Schema, place: usize) -> Option<Vec<String>> {
    let told: serde_json::Value = serde_json::from_str(schema.metadata().get("huggingface")?).ok()?;
    let feature = told.get("info")?.get("features")?.get(schema.field(place).name())?;
    let names = feature.get("names")?.as_array()?;
    Some(names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect())
}

/// What was read so far.
struct Read {
    values: Vec<f32>,
    dim: usize,
    /// Positions, an axis after the other.
    axes: Vec<Vec<f32>>,
    rows: Gather,
    missing: Vec<(usize, String)>,
    /// Rows without a vector that came before the first with one.
    owed: usize,
    notes: Vec<String>,
}

impl Read {
    fn of(plan: &Plan) -> Self {
        let notes = not_kept(&plan.nested()).into_iter().collect();
        let (values, axes, missing) = Default::default();
        Self { values, dim: 0, axes, rows: plan.gather(), missing, owed: 0, notes }
    }

    fn add(&mut self, plan: &Plan, batch: &RecordBatch, count: usize) -> Result<(), String> {
        let before = self.rows.len();
        let axes: Vec<Vec<f32>> = plan.axes.iter().filter_map(|&place| Some(axis(plan.array(batch, place)?))).collect();
        match plan.vector.and_then(|place| plan.array(batch, place)) {
            Some(column) => self.add_lists(column, before, count)?,
            None => {
                self.dim = axes.len();
                for row in 0..batch.num_rows() {
                    self.values.extend(axes.iter().map(|axis| axis[row]));
                }
            }
        }
        self.axes.resize_with(axes.len(), Vec::new);
        self.axes.iter_mut().zip(axes).for_each(|(whole, mut part)| whole.append(&mut part));
        self.rows.grow(batch.num_rows());
        for place in plan.columns() {
            let Some(array) = plan.array(batch, place) else { continue };
            let classes = plan.classes.iter().find(|(of, _)| *of == place).map(|(_, names)| names.as_slice());
            if plan.roles.iter().any(|&(_, of)| of == place) {
                let reader = Reader::new(array, classes);
                (0..array.len()).for_each(|at| self.rows.say(place, before + at, &reader.cell(at)));
            }
            if plan.kept.contains(&place) {
                let reader = Reader::new(array, None);
                (0..array.len()).for_each(|at| self.rows.keep(place, &reader.cell(at)));
            }
        }
        Ok(())
    }

    fn add_lists(&mut self, column: &ArrayRef, before: usize, count: usize) -> Result<(), String> {
        for row in 0..column.len() {
            let (child, range) = match column.data_type() {
                DataType::FixedSizeList(..) => {
                    let list = column.as_fixed_size_list();
                    let start = list.value_offset_at(row);
                    (list.values(), start..start + list.value_length() as usize)
                }
                DataType::List(_) => {
                    let list = column.as_list::<i32>();
                    (list.values(), list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize)
                }
                _ => {
                    let list = column.as_list::<i64>();
                    (list.values(), list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize)
                }
            };
            let why = if column.is_null(row) || range.is_empty() {
                Some("no vector in the file")
            } else if child.null_count() > 0 && range.clone().any(|at| child.is_null(at)) {
                Some("a value of its vector is missing")
            } else {
                None
            };
            if let Some(why) = why {
                self.missing.push((before + row, why.to_owned()));
                self.owed += usize::from(self.dim == 0);
                self.values.extend(std::iter::repeat_n(0.0, self.dim));
                continue;
            }
            if self.dim == 0 {
                self.dim = range.len();
                self.values.reserve(count.saturating_mul(self.dim).min(1 << 32));
                self.values.extend(std::iter::repeat_n(0.0, self.dim * self.owed));
            }
            if range.len() != self.dim {
                return Err(format!(
                    "row {} has {} values, where those before have {}",
                    before + row,
                    range.len(),
                    self.dim
                ));
            }
            copy(child, range, &mut self.values);
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Table, TaskError> {
        if self.rows.len() == 0 {
            return Err(bad(path, "there are no rows"));
        }
        if self.dim == 0 {
            return Err(bad(path, format!("none of its {} rows has a vector", self.rows.len())));
        }
        let points = match self.axes.as_slice() {
            [x, y] => Some(Positions::Plane(x.iter().zip(y).map(|(&x, &y)| [x, y]).collect())),
            [x, y, z] if z.iter().all(|value| value.is_finite()) => {
                Some(Positions::Space(x.iter().zip(y).zip(z).map(|((&x, &y), &z)| [x, y, z]).collect()))
            }
            // A third axis with gaps does not take the plane away.
            [x, y, _] => Some(Positions::Plane(x.iter().zip(y).map(|(&x, &y)| [x, y]).collect())),
            _ => None,
        };
        let points = points.filter(|points| points.len() == self.rows.len());
        let vectors = Rows::Single(Vectors::new(self.values, self.dim)?);
        Ok(Table { vectors, rows: self.rows.finish(false), points, missing: self.missing, notes: self.notes })
    }
}

/// A column of numbers; NaN where there is none.
fn axis(array: &ArrayRef) -> Vec<f32> {
    let mut values = Vec::with_capacity(array.len());
    copy(array, 0..array.len(), &mut values);
    if array.null_count() > 0 {
        values.iter_mut().enumerate().filter(|(at, _)| array.is_null(*at)).for_each(|(_, value)| *value = f32::NAN);
    }
    values
}

/// Appends numbers of any kind.
fn copy(array: &ArrayRef, range: std::ops::Range<usize>, out: &mut Vec<f32>) {
    macro_rules! append {
        ($kind:ty, $convert:expr) => {
            out.extend(array.as_primitive::<$kind>().values()[range].iter().map($convert))
        };
    }
    match array.data_type() {
        DataType::Float32 => out.extend_from_slice(&array.as_primitive::<Float32Type>().values()[range]),
        DataType::Float64 => append!(Float64Type, |&value| value as f32),
        DataType::Float16 => append!(Float16Type, |value| value.to_f32()),
        DataType::Int8 => append!(Int8Type, |&value| f32::from(value)),
        DataType::UInt8 => append!(UInt8Type, |&value| f32::from(value)),
        DataType::Int16 => append!(Int16Type, |&value| f32::from(value)),
        DataType::Int32 => append!(Int32Type, |&value| value as f32),
        DataType::Int64 => append!(Int64Type, |&value| value as f32),
        _ => out.extend(range.map(|_| f32::NAN)),
    }
}
