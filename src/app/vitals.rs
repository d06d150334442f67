//! Frames a second and memory in use, for the status bar; and the time of day for the log.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ui::context::Vitals;

/// Counts frames and now and then looks at the memory.
#[derive(Default)]
pub struct VitalsMeter {
    frames: VecDeque<Instant>,
    looked: Option<Instant>,
    memory_mb: u32,
}

impl VitalsMeter {
    /// Called once a frame.
    pub fn frame(&mut self) {
        let now = Instant::now();
        self.frames.push_back(now);
        while self.frames.front().is_some_and(|&first| now - first > Duration::from_secs(1)) {
            self.frames.pop_front();
        }
        if self.looked.is_none_or(|looked| now - looked > Duration::from_secs(1)) {
            self.looked = Some(now);
            self.memory_mb = crate::tasks::resident_memory_mb().unwrap_or_default() as u32;
        }
    }

    /// What the status bar shows.
    pub fn last(&self) -> Vitals {
        Vitals { frames_per_second: self.frames.len() as u32, memory_mb: self.memory_mb }
    }
}

/// "14:03:12", UTC.
pub fn time_of_day() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
