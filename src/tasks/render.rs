//! A map to a PNG or SVG file, with title and legend, with no window and no graphics adapter.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::more::{Beside, Kept, kept, on_scale, shown_kind};
use super::{Environment, RowInfo, TaskError};
use crate::picture::{CATEGORIES, Density, Figure, FigureTheme, Layout, StyleRequest, Values, grouped};
use crate::progress::Progress;
use crate::vectors::{RowId, replace_file};
use crate::workspace::{ColumnValues, Projection, table_values};

/// What contours of density are, for the foot of a picture.
pub const CONTOURS: &str = "the lines enclose the densest 10, 25, 50, 75 and 90 % of the points";

/// What the points are coloured by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ColourBy {
    /// The label: the folder.
    #[default]
    Folder,
    /// The type in plain words.
    Type,
    /// Text, code, image.
    Modality,
    /// Programming language of code.
    Language,
    /// Bytes of the file.
    Size,
    /// Days since the file was changed.
    Modified,
    /// Tokens of the chunk.
    Tokens,
    /// Tokens that the model did not see.
    Truncated,
    /// The cluster.
    Cluster,
    /// One colour for all.
    None,
    /// Another column of the file that the rows came from, by its name; capitals count only where two names differ by them.
    Other(String),
}

/// A map to draw.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// The map.
    pub projection: Arc<Projection>,
    /// What is known of its rows, in the same order.
    pub rows: Arc<[RowInfo]>,
    /// The name of each row's cluster, empty for none; only needed to colour by clusters.
    pub clusters: Arc<[String]>,
    /// The file; `.png` or `.svg`.
    pub out: PathBuf,
    /// What the points are coloured by.
    pub colour_by: ColourBy,
    /// Title in one line.
    pub title: String,
    /// A line under the title.
    pub subtitle: String,
    /// Pixels across, 64 to 16,384.
    pub width: u32,
    /// Pixels down, 64 to 16,384.
    pub height: u32,
    /// Dark or light.
    pub theme: FigureTheme,
    /// Whether it is shown how dense the points are.
    pub density: bool,
}

/// What was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Points on the picture.
    pub points: usize,
}

/// Draws a map into a file.
///
/// # Errors
/// Cancelled; another ending; a size that cannot be drawn; the file cannot be written.
pub fn render(request: &RenderRequest, env: &Environment, progress: &Progress) -> Result<Rendered, TaskError> {
    progress.check()?;
    progress.stage("Drawing", "points", request.projection.points.len() as u64);
    let positions: Arc<[RowId]> = (0..request.projection.points.len() as u32).map(RowId).collect();
    let bytes = env.run(|| {
        let layout = Layout::new(positions, request.projection.points.clone());
        let (title, values) = values(request)?;
        let dark = request.theme == FigureTheme::Dark;
        let styles = StyleRequest { dark, ..StyleRequest::new(&title, &values) }.make(layout.len());
        let density = if request.density { Density::of(&layout, &styles) } else { None };
        let footer = footer(&request.projection, density.is_some());
        let figure = Figure {
            title: &request.title,
            subtitle: &request.subtitle,
            footer: &footer,
            theme: request.theme,
            density: density.as_ref(),
            ..Figure::new(&layout, &styles).sized(request.width, request.height)
        };
        match request.out.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("png") => Ok(figure.to_png()?),
            Some("svg") => Ok(figure.to_svg().into_bytes()),
            _ => {
                let message = "the name must end in .png or .svg".to_owned();
                Err(TaskError::Format { path: request.out.clone(), message })
            }
        }
    })?;
    progress.check()?;
    replace_file(&request.out, |part| fs_err::write(part, &bytes)).map_err(TaskError::file("write the picture"))?;
    let points = request.projection.points.iter().filter(|point| point.iter().all(|value| value.is_finite())).count();
    Ok(Rendered { width: request.width, height: request.height, points })
}

/// The values of a column as they are drawn; numbers of ours with so many digits after the point, and what follows.
pub fn values_of(column: ColumnValues, (decimals, unit): (u8, &'static str)) -> Values {
    match column {
        ColumnValues::Categories { names, ids } => Values::Categories { names, ids },
        ColumnValues::Numbers(values) => Values::Numbers { values, decimals, unit },
        ColumnValues::Measures { values, moments } => Values::Measures { values, moments },
    }
}

/// Whether rows have another column of a name.
///
/// # Errors
/// They have none: which there are.
pub fn has_column(rows: &[RowInfo], name: &str) -> Result<(), String> {
    column_of(rows, name).map(|_| ())
}

fn column_of<'a>(rows: &'a [RowInfo], name: &str) -> Result<Kept<'a>, String> {
    let mut columns = kept(rows, Beside::Vectors);
    let exactly = columns.iter().position(|column| column.name == name);
    let alike = || columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    if let Some(place) = exactly.or_else(alike) {
        return Ok(columns.swap_remove(place));
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let own = "folder, type, modality, language, size, modified, tokens, truncated, cluster or none";
    Err(match names.is_empty() {
        true => format!("there is no column \"{name}\" to colour by: give {own}"),
        false => format!(
            "there is no column \"{name}\" to colour by: give {own}, or one of the file's: {}",
            names.join(", ")
        ),
    })
}

fn other_values(column: &Kept<'_>, count: usize) -> Values {
    let Some(kind) = shown_kind(column.kind(), (0..count).map(|row| column.cell(row))) else {
        return Values::Categories { names: [].into(), ids: vec![u32::MAX; count].into() };
    };
    let words = |row: usize| -> Cow<'_, str> { column.cell(row).words().into_owned().into() };
    values_of(table_values(kind, count, words, |row| on_scale(kind, &column.cell(row))), (0, ""))
}

fn values(request: &RenderRequest) -> Result<(String, Values), TaskError> {
    if let ColourBy::Other(name) = &request.colour_by {
        let column = column_of(&request.rows, name);
        let column = column.map_err(|message| TaskError::Format { path: request.out.clone(), message })?;
        return Ok((column.name.clone(), other_values(&column, request.rows.len())));
    }
    let (title, values) = own(request);
    Ok((title.to_owned(), values))
}

fn own(request: &RenderRequest) -> (&'static str, Values) {
    let rows = &request.rows;
    match request.colour_by {
        ColourBy::Cluster => ("Cluster", categories(&request.clusters, String::as_str)),
        ColourBy::Folder => ("Folder", categories(rows, |row| &row.label)),
        ColourBy::Type => ("Type", categories(rows, |row| &row.kind)),
        ColourBy::Modality => ("Modality", categories(rows, |row| &row.modality)),
        ColourBy::Language => ("Language", categories(rows, |row| &row.language)),
        ColourBy::Size => ("Size", numbers(rows, " bytes", |row| row.size as f32)),
        ColourBy::Modified => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let age = |row: &RowInfo| row.modified.map_or(f32::NAN, |at| now.saturating_sub(at) as f32 / 86_400.0);
            ("Last changed", numbers(rows, " days ago", age))
        }
        ColourBy::Tokens => ("Tokens", numbers(rows, " tokens", |row| row.tokens as f32)),
        ColourBy::Truncated => ("Tokens cut", numbers(rows, " tokens", |row| row.truncated as f32)),
        ColourBy::None | ColourBy::Other(_) => ("", Values::Uniform(CATEGORIES[0])),
    }
}

fn numbers(rows: &[RowInfo], unit: &'static str, of: impl Fn(&RowInfo) -> f32) -> Values {
    Values::Numbers { values: rows.iter().map(of).collect(), decimals: 0, unit }
}

/// Numbers the different values; an empty one is none.
fn categories<T>(rows: &[T], of: impl Fn(&T) -> &str) -> Values {
    let (mut names, mut known) = (Vec::new(), HashMap::new());
    let ids = rows
        .iter()
        .map(|row| match of(row) {
            "" => u32::MAX,
            name => *known.entry(name.to_owned()).or_insert_with(|| {
                names.push(name.to_owned());
                names.len() as u32 - 1
            }),
        })
        .collect();
    Values::Categories { names: names.into(), ids }
}

fn footer(projection: &Projection, dense: bool) -> String {
    let unjudged = || {
        if projection.is_judged() || projection.all_equal {
            String::new()
        } else {
            "  ·  too few points to judge".to_owned()
        }
    };
    let trust = projection.quality.map_or_else(unjudged, |quality| {
        format!("  ·  trustworthiness {:.3}, neighbours kept {:.3}", quality.trustworthiness, quality.neighbours_kept)
    });
    let points = grouped(projection.points.len());
    let contours = if dense { format!("  ·  {CONTOURS}") } else { String::new() };
    format!("{points} points  ·  seed {}{trust}{contours}", projection.params.tsne.seed)
}
