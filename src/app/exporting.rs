//! Saving what is shown: the map as a picture, the vectors; and showing a file in the system's file manager.

use std::path::Path;

use super::App;
use super::jobs_of::Outcome;
use crate::jobs::{JobSpec, Policy};
use crate::picture::{Figure, FigureTheme};
use crate::tasks::{self, CONTOURS, TaskError};
use crate::ui::context::{LogLevel, MapChoice};

fn spec(title: &str) -> JobSpec {
    JobSpec { title: title.to_owned(), lane: "export".to_owned(), policy: Policy::Queue, quiet: false }
}

impl App {
    /// Saves the shown map as PNG or SVG, with title and legend.
    pub(super) fn spawn_export_map(&mut self) {
        let Some(model) = self.document.shown.as_ref().and_then(|id| self.document.model(id)) else { return };
        let seen = model.map.seen(MapChoice::Shown);
        let Some((layout, styles)) = seen.map(|(layout, styles)| (layout.clone(), styles.clone())) else {
            self.announce(LogLevel::Warning, "There is no map to save yet", "");
            return;
        };
        let density = model.map.densities.get(&MapChoice::Shown).filter(|_| self.settings.density).cloned();
        let method = model.map.method.map_or("map", |method| method.name());
        let title = format!("{} · {method}", model.card.name);
        let trust = model.map.quality().map(|quality| {
            format!("trust {:.2}, neighbours kept {:.0} %", quality.trustworthiness, quality.neighbours_kept * 100.0)
        });
        let subtitle = trust.unwrap_or_default();
        let (point_radius, theme) =
            (self.settings.point_size, if self.dark { FigureTheme::Dark } else { FigureTheme::Light });
        self.jobs.spawn(spec("Saving the map"), move |_| {
            let dialog = rfd::FileDialog::new().set_file_name("map.png").add_filter("Picture", &["png", "svg"]);
            let Some(path) = dialog.save_file() else { return Outcome::Nothing };
            let figure = Figure {
                title: &title,
                subtitle: &subtitle,
                theme,
                point_radius,
                density: density.as_deref(),
                footer: if density.is_some() { CONTOURS } else { "" },
                ..Figure::new(&layout, &styles).sized(1600, 1100)
            };
            Outcome::Exported(write(&figure, &path).map(|()| path))
        });
    }

    /// Saves the shown model's vectors.
    pub(super) fn spawn_export_vectors(&mut self) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let set = self.document.shown.as_ref().and_then(|id| self.document.model(id)?.set.clone());
        let Some(set) = set else { return };
        self.jobs.spawn(spec("Saving vectors"), move |progress| {
            let dialog = rfd::FileDialog::new()
                .set_file_name("vectors.npy")
                .add_filter("Vectors", &["npy", "npz", "tsv", "parquet"]);
            let Some(path) = dialog.save_file() else { return Outcome::Nothing };
            Outcome::Exported(tasks::export_vectors(&set, &corpus, &path, progress).map(|()| path))
        });
    }

    /// Saves where the points of the shown map are.
    pub(super) fn spawn_export_positions(&mut self) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let shown = self.document.shown.as_ref().and_then(|id| self.document.model(id));
        let Some((model, set)) = shown.and_then(|model| Some((model, model.set.clone()?))) else { return };
        // While a layout runs, and before there is one, there is nothing that could be written as done.
        let Some(map) = model.map.points().filter(|_| model.map.live.is_none()) else {
            self.announce(LogLevel::Warning, "There is no finished map to save yet", "");
            return;
        };
        self.jobs.spawn(spec("Saving the map"), move |progress| {
            let dialog =
                rfd::FileDialog::new().set_file_name("map.csv").add_filter("Table", &["csv", "parquet", "npy"]);
            let Some(path) = dialog.save_file() else { return Outcome::Nothing };
            Outcome::Exported(tasks::export_map(&map, &set, &corpus, &path, progress).map(|()| path))
        });
    }

    /// Opens the folder of a file in the system's file manager.
    pub(super) fn spawn_reveal(&mut self, path: &Path) {
        let folder = path.parent().unwrap_or(path).to_owned();
        let program = if cfg!(target_os = "macos") {
            "open"
        } else if cfg!(windows) {
            "explorer"
        } else {
            "xdg-open"
        };
        self.jobs.spawn(JobSpec { quiet: true, ..spec("Opening the folder") }, move |_| {
            let started = std::process::Command::new(program).arg(&folder).status();
            match started {
                Ok(_) => Outcome::Nothing,
                Err(source) => {
                    let attempted = format!("open the folder {} with {program}", folder.display());
                    Outcome::Exported(Err(TaskError::File { attempted, source }))
                }
            }
        });
    }
}

/// Writes a figure as its ending says: SVG, else PNG.
fn write(figure: &Figure<'_>, path: &Path) -> Result<(), TaskError> {
    let svg = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
    let bytes = if svg { figure.to_svg().into_bytes() } else { figure.to_png()? };
    crate::vectors::replace_file(path, |part| fs_err::write(part, &bytes))
        .map_err(|source| TaskError::File { attempted: "write the map".to_owned(), source })
}
