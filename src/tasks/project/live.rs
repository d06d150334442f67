//! What passes between a running layout and whoever watches it: the newest map, other parameters, the wish to stop.
//!
//! One place each, the newest wins. Invariant: nobody waits for anybody here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::picture::Layout;
use crate::workspace::ProjectionParams;

/// Seconds of one slice of work.
const SLICE: f64 = 0.03;

/// The newest map of a running layout.
#[derive(Clone, Debug)]
pub struct LiveFrame {
    /// Where the points are now.
    pub layout: Arc<Layout>,
    /// Iterations done.
    pub iteration: usize,
    /// Iterations in all.
    pub iterations: usize,
    /// Divergence when it was last measured; t-SNE only.
    pub kl: Option<f32>,
}

/// One place for the newest map, shared by the worker and whoever draws; for parameters changed on the way; and the wish to stop early.
#[derive(Clone, Debug, Default)]
pub struct LiveSlot {
    newest: Arc<Mutex<Option<LiveFrame>>>,
    steering: Arc<Mutex<Option<ProjectionParams>>>,
    stop: Arc<AtomicBool>,
}

impl LiveSlot {
    /// Puts a map in the place of the one before.
    pub fn put(&self, frame: LiveFrame) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame);
    }

    /// Takes the newest map, if one came since the last time.
    pub fn take(&self) -> Option<LiveFrame> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks the running layout to go on with other parameters; those that only count at its start are left for the next one.
    pub fn steer(&self, params: ProjectionParams) {
        *self.steering.lock().unwrap_or_else(PoisonError::into_inner) = Some(params);
    }

    /// The parameters asked for since the last time.
    pub(super) fn steering(&self) -> Option<ProjectionParams> {
        self.steering.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks the layout to end now and keep what there is.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// How many iterations make a slice, and when the next map may be shown.
#[derive(Default)]
pub(super) struct Pace {
    seconds_each: f64,
    shown: Option<(Instant, Duration)>,
}

impl Pace {
    /// Iterations of the next slice.
    pub fn iterations(&self) -> usize {
        if self.seconds_each <= 0.0 { 1 } else { ((SLICE / self.seconds_each) as usize).clamp(1, 50) }
    }

    /// Notes what a slice took.
    pub fn took(&mut self, time: Duration, iterations: usize) {
        self.seconds_each = time.as_secs_f64() / iterations.max(1) as f64;
    }

    /// At most 30 maps a second, and no more than a tenth of the time spent on them.
    pub fn may_show(&self) -> bool {
        self.shown.is_none_or(|(at, cost)| at.elapsed() > (cost * 10).max(Duration::from_millis(33)))
    }

    /// Shows a map and notes what that took.
    pub fn show(&mut self, make: impl FnOnce()) {
        let started = Instant::now();
        make();
        self.shown = Some((Instant::now(), started.elapsed()));
    }
}
