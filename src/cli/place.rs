//! `embedlens project A --place B`: other rows on the map of the first, which stays as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::ProjectArgs;
use super::json::{object, rounded};
use super::maps::{self, Source};
use super::session::{Failure, Session, spare_items};
use super::stored;
use super::text::plural;
use crate::tasks::{self, PlaceRequest, RowInfo, Shortened, VectorSet};
use crate::vectors::Vectors;
use crate::workspace::Projection;

/// What was placed, as told.
pub(super) struct Told {
    pub(super) line: String,
    pub(super) entry: Value,
}

/// Places what `--place` names on the map of one source, and writes it beside the map.
pub(super) fn run(
    args: &ProjectArgs,
    session: &Session,
    (source, short): (&Source, Option<&Shortened>),
    (map, out): (&Projection, &Path),
) -> Result<Told, Failure> {
    let out = beside(out);
    let (vectors, rows) = to_place(args, session, source, &out)?;
    let vectors = as_on_map(args, session, (source, short), vectors)?;
    let count = vectors.len();
    let request = PlaceRequest {
        vectors: source.vectors.clone(),
        graph: source.graph.clone(),
        projection: Arc::new(map.clone()),
        new: vectors,
    };
    let placed = session.watch(|env, progress| tasks::place(&request, env, progress))?;
    let projection =
        Projection { space: placed.space, ..Projection::new(map.params, tasks::numbered(count), placed.points) };
    session.watch(|_, progress| tasks::export_projection(&projection, &rows, &out, progress))?;
    let entry = object([
        ("out", json!(out.to_string_lossy())),
        ("rows", count.into()),
        ("seconds", rounded(Some(placed.seconds), 3)),
    ]);
    let line =
        format!("Placed {} on it in {:.1} s → {}\n", plural(count, "row", "rows"), placed.seconds, out.display());
    Ok(Told { line, entry })
}

/// Vectors with the dimensions of those on the map: as they are, or made as short the same way.
fn as_on_map(
    args: &ProjectArgs,
    session: &Session,
    (source, short): (&Source, Option<&Shortened>),
    vectors: Vectors,
) -> Result<Vectors, Failure> {
    let (found, on_map) = (vectors.dim(), source.vectors.dim());
    let kept_of = |paths: &[PathBuf]| match paths {
        [path] if path.is_file() => tasks::kept_reduction(path),
        _ => Ok(None),
    };
    // Vectors that were made short the same way are not made so again.
    let kept = kept_of(&args.paths)?;
    let kept = if kept.is_some() && kept_of(&args.place)? == kept { None } else { kept };
    let mut vectors = vectors;
    for way in kept.iter().chain(short.map(|short| &short.fitted)) {
        if way.dimensions() == vectors.dim() {
            vectors = session.watch(|env, progress| tasks::apply_reduction(way, &vectors, env, progress))?;
        }
    }
    match vectors.dim() {
        dim if dim == on_map => Ok(vectors),
        _ => Err(Failure::Usage(format!(
            "--place: its vectors have {found} dimensions, those on the map have {on_map}: both must be made by one model; where those \
             on the map were made shorter, the .reduction.npz that `embed --reduce` wrote must lie beside them"
        ))),
    }
}

/// `F-placed.csv` for `F.csv`.
pub(super) fn beside(out: &Path) -> PathBuf {
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    out.with_file_name(format!("{}-placed.{}", part(out.file_stem()), part(out.extension())))
}

fn to_place(
    args: &ProjectArgs,
    session: &Session,
    source: &Source,
    out: &Path,
) -> Result<(Vectors, Vec<RowInfo>), Failure> {
    if stored::are_vectors(&args.place)? {
        let found = maps::stored_source(session, &VectorSet::one(&args.place))?;
        return Ok((found.vectors, found.rows));
    }
    let Some((model, _)) = &source.model else {
        let message = "--place: the map is of a file of vectors, so give a file of vectors by the same model";
        return Err(Failure::Usage(message.to_owned()));
    };
    let corpus = session.load(&args.place, &args.load)?;
    spare_items(&[out.to_owned()], &corpus)?;
    let set = session.embed(&corpus, model)?;
    Ok((set.vectors.clone(), tasks::set_table(&corpus, &set)))
}
