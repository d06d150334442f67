//! A window over a folder for tests: no display, no graphics adapter, commands carried out to their end.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::path::Path;
use std::time::{Duration, Instant};

use eframe::egui;

use super::{App, StartOptions};
use crate::tasks::Environment;
use crate::ui::command::Command;
use crate::ui::map::MapBackend;
use crate::ui::settings::Perspective;

pub(super) struct Window {
    pub(super) app: App,
    ctx: egui::Context,
    _folders: [tempfile::TempDir; 2],
}

impl Window {
    /// A window on the folder that `fill` fills, that has done all its work.
    pub(super) fn open(perspective: Perspective, fill: impl FnOnce(&Path)) -> Self {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fill(folder.path());
        let environment = Environment { cache_dir: Some(cache.path().to_owned()), ..Environment::default() };
        let options = StartOptions {
            open: vec![folder.path().to_owned()],
            environment,
            perspective: Some(perspective),
            ..StartOptions::default()
        };
        let ctx = egui::Context::default();
        let app = App::with_backend(&ctx, options, MapBackend::Raster);
        let mut window = Self { app, ctx, _folders: [folder, cache] };
        window.settle();
        window
    }

    /// Waits for all jobs, and for those that follow from them.
    pub(super) fn settle(&mut self) {
        let begun = Instant::now();
        for _ in 0..3 {
            self.app.decide(&self.ctx);
            while !self.app.is_idle() {
                assert!(begun.elapsed() < Duration::from_secs(240));
                self.app.decide(&self.ctx);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Carries out a command and all that follows from it.
    pub(super) fn carry_out(&mut self, command: Command) {
        self.app.carry_out(&self.ctx, command);
        self.settle();
    }
}
