//! `embedlens render`: the map as a picture, with no window.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::args::{PictureTheme, RenderArgs};
use super::json::{object, quality};
use super::maps;
use super::session::{Failure, Session, check_out, spare_items};
use super::text::plural;
use crate::picture::FigureTheme;
use crate::projection::Method;
use crate::tasks::{self, RenderRequest};

pub(super) fn run(args: &RenderArgs, session: &Session) -> Result<(), Failure> {
    check_out(&args.out, &["png", "svg"], &args.paths)?;
    let found = maps::sources(session, &args.paths, (&args.model, &args.load, &args.layout), true)?;
    if let Some(corpus) = &found.corpus {
        spare_items(std::slice::from_ref(&args.out), corpus)?;
    }
    let Some(source) = found.sources.into_iter().next() else { return Ok(()) };
    let given = maps::as_it_is(session, &source, &args.layout)?.map(Arc::new);
    let method = match args.layout.method() {
        _ if given.is_some() => "positions as they are".to_owned(),
        Method::Pca => "PCA".to_owned(),
        Method::Tsne => format!("t-SNE, perplexity {}", args.layout.perplexity),
        Method::Umap => format!("UMAP, {} neighbours", args.layout.neighbors),
    };
    let method_json = if given.is_some() { json!("given") } else { json!(args.layout.method()) };
    let projection = match given {
        Some(given) => given,
        None => Arc::new(maps::lay_out(session, &source, &args.layout)?),
    };
    let model = source.model.as_ref().map(|(_, name)| name.as_str());
    let request = RenderRequest {
        projection: projection.clone(),
        rows: source.rows.into(),
        out: args.out.clone(),
        colour_by: args.colour_by.into(),
        title: args.title.clone().unwrap_or_else(|| names(&args.paths)),
        subtitle: model.map_or_else(|| method.clone(), |model| format!("{model} · {method}")),
        width: args.width,
        height: args.height,
        theme: match args.theme {
            PictureTheme::Light => FigureTheme::Light,
            PictureTheme::Dark => FigureTheme::Dark,
        },
    };
    let drawn = session.watch(|env, progress| tasks::render(&request, env, progress))?;
    let text = format!("{} → {}\n", plural(drawn.points, "point", "points"), args.out.display());
    let mut fields = vec![
        ("out", json!(args.out.to_string_lossy())),
        ("width", drawn.width.into()),
        ("height", drawn.height.into()),
        ("points", drawn.points.into()),
        ("method", method_json),
        ("model", json!(source.model.map(|(id, _)| id))),
    ];
    fields.extend(quality(projection.quality));
    if let Some(corpus) = &found.corpus {
        fields.extend(Session::corpus_json(corpus));
    }
    session.print(&text, &object(fields))
}

/// The last parts of the paths, as a title.
fn names(paths: &[PathBuf]) -> String {
    let name = |path: &PathBuf| {
        if path.as_os_str() == super::session::SAMPLE {
            return "The bundled sample".to_owned();
        }
        let full = fs_err::canonicalize(path).unwrap_or_else(|_| path.clone());
        full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned()
    };
    paths.iter().map(name).collect::<Vec<_>>().join(", ")
}
