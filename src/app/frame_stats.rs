//! How long our own work on the window's thread takes, for `--frame-stats FILE`.
//!
//! Thread CPU time, with wall time beside it: on a busy machine the wall also counts the time others held the core.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this thread and wall time, from one moment on.
pub struct Clock {
    cpu: Duration,
    wall: Instant,
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
}

impl Clock {
    /// Begins to measure.
    pub fn start() -> Self {
        Self { cpu: thread_cpu(), wall: Instant::now() }
    }

    /// Milliseconds of CPU and of wall since the start.
    fn stop(&self) -> [f32; 2] {
        let cpu = thread_cpu().saturating_sub(self.cpu);
        [cpu, self.wall.elapsed()].map(|time| time.as_secs_f32() * 1e3)
    }
}

/// The times of all frames, written as a summary once a second.
pub struct FrameStats {
    path: PathBuf,
    logic: Vec<[f32; 2]>,
    ui: Vec<[f32; 2]>,
    written: Instant,
}

impl FrameStats {
    /// Will write to `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, logic: Vec::new(), ui: Vec::new(), written: Instant::now() }
    }

    /// The deciding part of a frame ended.
    pub fn logic(&mut self, clock: &Clock) {
        self.logic.push(clock.stop());
    }

    /// The painting part of a frame ended.
    pub fn ui(&mut self, clock: &Clock) {
        self.ui.push(clock.stop());
        if self.written.elapsed() > Duration::from_secs(1) {
            self.written = Instant::now();
            // A full disk must not end the program; the next second tries again.
            let _ = self.write();
        }
    }

    fn write(&self) -> std::io::Result<()> {
        let mut file = fs_err::File::create(&self.path)?;
        writeln!(file, "part,frames,cpu_ms_p50,cpu_ms_p99,cpu_ms_max,wall_ms_p50,wall_ms_p99,wall_ms_max")?;
        for (name, times) in [("logic", &self.logic), ("ui", &self.ui)] {
            write!(file, "{name},{}", times.len())?;
            for kind in 0..2 {
                let mut sorted: Vec<f32> = times.iter().map(|time| time[kind]).collect();
                sorted.sort_by(f32::total_cmp);
                for share in [0.5, 0.99, 1.0] {
                    let at = ((sorted.len() as f32 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
                    write!(file, ",{:.3}", sorted.get(at).copied().unwrap_or_default())?;
                }
            }
            writeln!(file)?;
        }
        Ok(())
    }
}
