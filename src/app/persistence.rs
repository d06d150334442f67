//! Settings on disk, in the user's configuration folder. A file that makes no sense is as good as none.

use std::path::PathBuf;

use super::jobs_of::Outcome;
use crate::jobs::{JobSpec, Jobs, Policy};
use crate::ui::settings::Settings;

fn path() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "embedlens")?.config_dir().join("settings.json"))
}

/// The settings kept, or the defaults.
pub fn load() -> Settings {
    let text = path().and_then(|path| fs_err::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Keeps them.
pub fn save(settings: &Settings) {
    if let Err(error) = try_save(settings) {
        tracing::warn!("settings could not be kept: {error}");
    }
}

fn try_save(settings: &Settings) -> std::io::Result<()> {
    let Some(path) = path() else { return Ok(()) };
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let beside = path.with_extension("json.new");
    fs_err::write(&beside, serde_json::to_vec_pretty(settings)?)?;
    fs_err::rename(&beside, &path)
}

/// Keeps them without holding up a frame.
pub fn save_in_background(jobs: &Jobs<Outcome>, settings: &Settings) {
    let settings = settings.clone();
    let spec =
        JobSpec { title: "Keeping settings".into(), lane: "settings".into(), policy: Policy::Replace, quiet: true };
    jobs.spawn(spec, move |progress| {
        // A slider being dragged changes settings sixty times a second: only the last of them is written.
        std::thread::sleep(std::time::Duration::from_millis(300));
        if progress.check().is_ok() {
            save(&settings);
        }
        Outcome::Nothing
    });
}
