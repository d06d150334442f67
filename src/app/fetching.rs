//! Models that are not on this computer: offering to fetch them, fetching, and what follows. Nothing is fetched without a click.

use super::App;
use super::jobs_of::{Outcome, spec};
use crate::jobs::Policy;
use crate::models::Downloaded;
use crate::tasks::{self, DownloadRequest, TaskError};
use crate::ui::command::Dialog;
use crate::ui::context::{DownloadOffer, LogLevel};
use crate::ui::widgets::{bytes, plural};
use crate::workspace::ModelId;

/// The lane of downloads: one after another.
const LANE: &str = "download";

impl App {
    /// Offers to fetch the model `id`; false where it need not be fetched.
    pub(super) fn offer_download(&mut self, id: &ModelId) -> bool {
        let Some(model) = tasks::fetchable(id, &self.environment) else { return false };
        if let Some(why) = model.forbidden {
            let words = format!("{} is not on this computer, and the network must not be asked: {why}", model.name);
            self.announce(LogLevel::Warning, words, "");
            return true;
        }
        if self.is_fetching(&model.name) {
            return true;
        }
        let known = model.known.map_or(String::new(), |(licence, size)| {
            let size = size.map_or(String::new(), |size| format!("about {}, ", bytes(size)));
            format!(" ({size}licence {licence})")
        });
        let words = format!("{}{known} is not on this computer. Download it from {}?", model.name, model.host);
        self.offer = Some(DownloadOffer { id: id.clone(), words });
        if !self.dialogs.contains(&Dialog::Models) {
            self.dialogs.push(Dialog::Models);
        }
        true
    }

    /// Fetches a model; when it is here, it embeds what is loaded.
    pub(super) fn download(&mut self, id: ModelId) {
        self.offer = None;
        let name = id.parts().0.to_owned();
        if self.is_fetching(&name) {
            return;
        }
        let environment = self.environment.clone();
        let request = DownloadRequest { name: name.clone(), ..DownloadRequest::default() };
        self.jobs.spawn(spec(title(&name), LANE, Policy::Queue), move |progress| {
            Outcome::Downloaded(id, Box::new(tasks::download_model(&request, &environment, progress)))
        });
    }

    fn is_fetching(&self, name: &str) -> bool {
        self.snapshots.iter().any(|job| job.lane == LANE && job.title == title(name))
    }

    pub(super) fn downloaded(&mut self, id: &ModelId, result: Result<Downloaded, TaskError>) {
        match result {
            Ok(got) => {
                let files = plural(got.files.len(), "file");
                let words = format!("{} is on this computer: {files}, {} came", got.id, bytes(got.fetched));
                self.announce(LogLevel::Info, words, got.folder.display().to_string());
                self.spawn_listing();
                if self.document.corpus.is_some() {
                    self.embed(id);
                }
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                let report = error.report();
                let why = report.details.first().cloned().unwrap_or(report.summary);
                self.announce(LogLevel::Error, format!("{} was not downloaded: {why}", id.parts().0), "");
            }
        }
    }
}

fn title(name: &str) -> String {
    format!("Downloading {name}")
}
