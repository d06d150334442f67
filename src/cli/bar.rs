//! A progress bar on stderr that watches a task from beside it; a line now and then where stderr is no terminal.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::{count, megabytes, rate};
use crate::progress::{Progress, ProgressView};

/// The unit that is told in megabytes.
const BYTES: &str = "bytes";
const EVERY: Duration = Duration::from_millis(100);
/// Time between two lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Not at all.
    Nothing,
    /// As a bar that moves.
    Bar,
    /// As a line every ten seconds.
    Lines,
}

/// Runs `work` and shows `progress` meanwhile.
pub(super) fn beside<T>(progress: &Progress, shown: Shown, work: impl FnOnce() -> T) -> T {
    let watch = match shown {
        Shown::Nothing => return work(),
        Shown::Bar => watch,
        Shown::Lines => tell,
    };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(progress, &done)).thread().clone();
        // Also when the work panics, or the progress would be watched for ever.
        let _end = OnDrop(&done, watcher);
        work()
    })
}

struct OnDrop<'a>(&'a AtomicBool, Thread);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
        self.1.unpark();
    }
}

/// Writes a line now and then.
fn tell(progress: &Progress, done: &AtomicBool) {
    let mut told = Instant::now();
    while !done.load(Ordering::Acquire) {
        std::thread::park_timeout(LINE_EVERY.saturating_sub(told.elapsed()));
        if told.elapsed() >= LINE_EVERY && !done.load(Ordering::Acquire) {
            told = Instant::now();
            if let Some(line) = line(&progress.view()) {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }
    }
}

/// "Embedding with MiniLM: 1,200 of 5,000 items, 48 items/s, 9,000 tokens/s, 80 s left"; `None` before anything is counted.
fn line(view: &ProgressView) -> Option<String> {
    let done = match (view.done, view.total) {
        (0, 0) => return None,
        (done, 0) if view.unit == BYTES => megabytes(done),
        (done, total) if view.unit == BYTES => format!("{} of {}", megabytes(done), megabytes(total)),
        (done, 0) => format!("{} {}", count(done), view.unit),
        (done, total) => format!("{} of {} {}", count(done), count(total), view.unit),
    };
    let mut parts = vec![done];
    parts.extend(Some(message(view)).filter(|message| !message.is_empty()));
    Some(format!("{}: {}", view.stage, parts.join(", ")))
}

fn watch(progress: &Progress, done: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    let style = |template| ProgressStyle::with_template(template).map(|style| style.progress_chars("=> "));
    let known = style("{prefix} [{bar:30}] {pos}/{len} {msg}");
    let of_bytes = style("{prefix} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {msg}");
    let unknown = style("{spinner} {prefix} {pos} {msg}");
    while !done.load(Ordering::Acquire) {
        let view = progress.view();
        let style = match (view.total, view.unit) {
            (0, _) => &unknown,
            (_, BYTES) => &of_bytes,
            _ => &known,
        };
        if let Ok(style) = style {
            bar.set_style(style.clone());
        }
        bar.set_length(view.total);
        bar.set_position(view.done);
        bar.set_prefix(view.stage.clone());
        bar.set_message(message(&view));
        bar.tick();
        std::thread::park_timeout(EVERY);
    }
    bar.finish_and_clear();
}

fn message(view: &ProgressView) -> String {
    let mut parts = Vec::new();
    if let Some(per_second) = view.rate() {
        parts.push(match view.unit {
            BYTES => format!("{}/s", megabytes(per_second as u64)),
            unit => format!("{} {unit}/s", rate(per_second)),
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is_and_how_long_it_takes() {
        let view = ProgressView {
            stage: "Embedding with MiniLM".into(),
            unit: "items",
            done: 1_200,
            total: 5_000,
            tokens: 90_000,
            seconds: 10.0,
            ..ProgressView::default()
        };
        let told = "Embedding with MiniLM: 1,200 of 5,000 items, 120 items/s, 9,000 tokens/s, 32 s left";
        assert_eq!(line(&view).unwrap(), told);
        let bytes = ProgressView { unit: "bytes", done: 12_500_000, total: 90_900_000, tokens: 0, ..view.clone() };
        let told = "Embedding with MiniLM: 12.5 MB of 90.9 MB, 1.2 MB/s, 63 s left";
        assert_eq!(line(&bytes).unwrap(), told);
        assert_eq!(line(&ProgressView { total: 0, ..view.clone() }).unwrap().matches("left").count(), 0);
        assert_eq!(line(&ProgressView { done: 0, total: 0, ..view }), None);
    }

    #[test]
    fn work_that_is_done_does_not_wait_for_its_watcher() {
        let begun = Instant::now();
        assert_eq!(beside(&Progress::new(), Shown::Lines, || 7), 7);
        assert!(begun.elapsed() < LINE_EVERY / 2);
    }
}
