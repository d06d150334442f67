//! A progress bar on stderr that watches a task from beside it. Shows nothing where stderr is no terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::{count, rate};
use crate::progress::{Progress, ProgressView};

const EVERY: Duration = Duration::from_millis(100);

/// Runs `work` with a bar that shows `progress`.
pub(super) fn beside<T>(progress: &Progress, shown: bool, work: impl FnOnce() -> T) -> T {
    if !shown {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| watch(progress, &done));
        // Also when the work panics, or the bar would be watched for ever.
        let _end = OnDrop(&done);
        work()
    })
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn watch(progress: &Progress, done: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    let style = |template| ProgressStyle::with_template(template).map(|style| style.progress_chars("=> "));
    let known = style("{prefix} [{bar:30}] {pos}/{len} {msg}");
    let unknown = style("{spinner} {prefix} {pos} {msg}");
    while !done.load(Ordering::Relaxed) {
        let view = progress.view();
        if let Ok(style) = if view.total > 0 { &known } else { &unknown } {
            bar.set_style(style.clone());
        }
        bar.set_length(view.total);
        bar.set_position(view.done);
        bar.set_prefix(view.stage.clone());
        bar.set_message(message(&view));
        bar.tick();
        std::thread::sleep(EVERY);
    }
    bar.finish_and_clear();
}

fn message(view: &ProgressView) -> String {
    let mut parts = Vec::new();
    if let Some(per_second) = view.rate() {
        parts.push(format!("{} {}/s", rate(per_second), view.unit));
    }
    if let Some(per_second) = view.token_rate() {
        parts.push(format!("{} tokens/s", rate(per_second)));
    }
    if let Some(left) = view.seconds_left() {
        parts.push(format!("{} s left", count(left.ceil() as u64)));
    }
    if !view.detail.is_empty() {
        parts.push(view.detail.clone());
    }
    parts.join(", ")
}
