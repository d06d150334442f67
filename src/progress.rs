//! Progress of long work: one write end for the worker, any number of read ends for whoever shows it.
//!
//! Std only and infallible, so that numerics can use it without knowing who watches. The one invariant: after
//! [`Progress::cancel`] every [`Progress::check`] fails, for ever.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The work was cancelled by the user; not an error to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// The worker's end. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    paused: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    tokens: AtomicU64,
    stage: Mutex<Stage>,
}

#[derive(Debug)]
struct Stage {
    name: String,
    detail: String,
    unit: &'static str,
    started: Instant,
}

impl Default for Stage {
    fn default() -> Self {
        Self { name: String::new(), detail: String::new(), unit: "items", started: Instant::now() }
    }
}

/// What a reader sees at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgressView {
    /// What is being done, in the user's words: "Reading files".
    pub stage: String,
    /// A changing detail: a file name, "KL 2.61".
    pub detail: String,
    /// What is counted: "items", "iterations".
    pub unit: &'static str,
    /// How many are done in this stage.
    pub done: u64,
    /// How many there are; 0 when not known.
    pub total: u64,
    /// Tokens done in this stage; 0 when it counts none.
    pub tokens: u64,
    /// Seconds since this stage began.
    pub seconds: f64,
    /// Whether the work waits at the user's wish.
    pub paused: bool,
}

impl ProgressView {
    /// Share done, 0 to 1; `None` when the total is not known.
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| (self.done as f64 / self.total as f64).clamp(0.0, 1.0) as f32)
    }

    /// Units a second since the stage began; `None` in the first moments.
    pub fn rate(&self) -> Option<f64> {
        (self.seconds > 0.2 && self.done > 0).then(|| self.done as f64 / self.seconds)
    }

    /// Tokens a second since the stage began; `None` where no tokens are counted.
    pub fn token_rate(&self) -> Option<f64> {
        (self.seconds > 0.2 && self.tokens > 0).then(|| self.tokens as f64 / self.seconds)
    }

    /// Seconds left at the present rate; `None` when it cannot be told.
    pub fn seconds_left(&self) -> Option<f64> {
        let rate = self.rate()?;
        (self.total > self.done).then(|| (self.total - self.done) as f64 / rate)
    }
}

impl Progress {
    /// A new one, at nothing done.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a stage: `total` units (0 when not known), counted from zero.
    pub fn stage(&self, name: &str, unit: &'static str, total: u64) {
        let mut stage = self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = Stage { name: name.to_owned(), detail: String::new(), unit, started: Instant::now() };
        self.shared.done.store(0, Ordering::Relaxed);
        self.shared.tokens.store(0, Ordering::Relaxed);
        self.shared.total.store(total, Ordering::Relaxed);
    }

    /// Sets the total of the running stage, once it is known.
    pub fn set_total(&self, total: u64) {
        self.shared.total.store(total, Ordering::Relaxed);
    }

    /// Counts `n` more units done.
    pub fn advance(&self, n: u64) {
        self.shared.done.fetch_add(n, Ordering::Relaxed);
    }

    /// Sets the units done, where the worker knows the number itself (an epoch).
    pub fn set_done(&self, done: u64) {
        self.shared.done.store(done, Ordering::Relaxed);
    }

    /// Counts `n` more tokens done.
    pub fn add_tokens(&self, n: u64) {
        self.shared.tokens.fetch_add(n, Ordering::Relaxed);
    }

    /// A short changing detail beside the stage's name.
    pub fn detail(&self, detail: impl Into<String>) {
        self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner).detail = detail.into();
    }

    /// Fails once cancelled. While paused it waits, so call it between slices of work, holding no lock.
    pub fn check(&self) -> Result<(), Cancelled> {
        while self.shared.paused.load(Ordering::Relaxed) && !self.is_cancelled() {
            std::thread::sleep(Duration::from_millis(15));
        }
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop. Never waits.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Holds the work at its next check, or lets it go on.
    pub fn set_paused(&self, paused: bool) {
        self.shared.paused.store(paused, Ordering::Relaxed);
    }

    /// The read end's picture of now.
    pub fn view(&self) -> ProgressView {
        let stage = self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner);
        ProgressView {
            stage: stage.name.clone(),
            detail: stage.detail.clone(),
            unit: stage.unit,
            done: self.shared.done.load(Ordering::Relaxed),
            total: self.shared.total.load(Ordering::Relaxed),
            tokens: self.shared.tokens.load(Ordering::Relaxed),
            seconds: stage.started.elapsed().as_secs_f64(),
            paused: self.shared.paused.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_counts_from_zero_and_tells_its_share() {
        let progress = Progress::new();
        progress.stage("Reading files", "files", 8);
        progress.advance(2);
        assert_eq!(progress.view().fraction(), Some(0.25));
        progress.stage("Embedding", "items", 0);
        assert_eq!((progress.view().done, progress.view().fraction()), (0, None));
    }

    #[test]
    fn a_cancelled_progress_stays_cancelled_even_while_paused() {
        let progress = Progress::new();
        assert_eq!(progress.check(), Ok(()));
        progress.set_paused(true);
        progress.clone().cancel();
        assert_eq!(progress.check(), Err(Cancelled));
        progress.set_paused(false);
        assert_eq!(progress.check(), Err(Cancelled));
    }
}
