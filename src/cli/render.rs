//! `embedlens render`: the map as a picture, with no window.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::args::{PictureTheme, RenderArgs};
use super::cluster;
use super::json::{object, quality};
use super::maps;
use super::session::{Failure, Session, check_out, spare_items};
use super::text::plural;
use crate::picture::FigureTheme;
use crate::projection::{Method, PacmapParams, UmapParams};
use crate::tasks::{self, ColourBy, RenderRequest};
use crate::vectors::Metric;
use crate::workspace::{ClusterParams, MapPoints, ProjectionParams};

pub(super) fn run(args: &RenderArgs, session: &Session) -> Result<(), Failure> {
    check_out(&args.out, &["png", "svg"], &args.paths)?;
    let params = args.layout.params(session.seed()).map_err(Failure::Usage)?;
    args.layout.strangers().iter().for_each(|words| session.say(words));
    let found = maps::sources(session, &args.paths, (&args.model, &args.load), Some(&params), true)?;
    if let Some(corpus) = &found.corpus {
        spare_items(std::slice::from_ref(&args.out), corpus)?;
    }
    let Some(source) = found.sources.into_iter().next() else { return Ok(()) };
    if let ColourBy::Other(name) = &args.colour_by {
        tasks::has_column(&source.rows, name).map_err(Failure::Usage)?;
    }
    let given = maps::as_it_is(&source, params, args.layout.method.is_none()).map(Arc::new);
    let method = match given {
        Some(_) => "positions as they are".to_owned(),
        None => made_with(&params, args.layout.tuning.by_label),
    };
    let method_json = if given.is_some() { json!("given") } else { json!(args.layout.method()) };
    let projection = match given {
        Some(given) => given,
        None => Arc::new(maps::lay_out(session, &source, (params, args.layout.tuning.by_label))?),
    };
    let clusters = match args.colour_by {
        ColourBy::Cluster => {
            let params = ClusterParams { seed: session.seed(), ..ClusterParams::default() };
            cluster::on_map(session, &source, MapPoints::from(&*projection).at, params)?
        }
        _ => Vec::new(),
    };
    let model = source.model.as_ref().map(|(_, name)| name.as_str());
    let request = RenderRequest {
        projection: projection.clone(),
        rows: source.rows.into(),
        clusters: clusters.into(),
        out: args.out.clone(),
        colour_by: args.colour_by.clone(),
        density: args.density,
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

/// The method and what makes one of its maps differ from another.
fn made_with(params: &ProjectionParams, by_label: bool) -> String {
    let mut parts = vec![params.method.name().to_owned()];
    match params.method {
        Method::Pca => {}
        Method::Tsne => parts.push(format!("perplexity {}", params.tsne.perplexity)),
        Method::Umap => {
            parts.push(format!("{} neighbours", params.umap.n_neighbors));
            parts.push(format!("minimum distance {}", params.umap.min_dist));
            if params.umap.spread != UmapParams::default().spread {
                parts.push(format!("spread {}", params.umap.spread));
            }
            parts.extend(by_label.then(|| "by label".to_owned()));
        }
        Method::Pacmap => {
            let (own, usual) = (&params.pacmap, PacmapParams::default());
            parts.push(own.n_neighbors.map_or("automatic neighbours".to_owned(), |near| format!("{near} neighbours")));
            parts.extend((own.mn_ratio != usual.mn_ratio).then(|| format!("mid-near pairs {}", own.mn_ratio)));
            parts.extend((own.fp_ratio != usual.fp_ratio).then(|| format!("further pairs {}", own.fp_ratio)));
        }
    }
    parts.extend(params.metric.map(|metric| match metric {
        Metric::Cosine => "by cosine".to_owned(),
        Metric::Dot => "by dot product".to_owned(),
        Metric::Euclidean => "by distance".to_owned(),
    }));
    parts.extend((params.dimensions == 3).then(|| "3 axes, seen from the front".to_owned()));
    parts.join(", ")
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
