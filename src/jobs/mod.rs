//! Background work: threads, lanes, policies, cancellation, panic capture and wake-up.
//!
//! Knows neither the window nor the tasks: a job is a closure over a [`Progress`]. Invariants: the jobs of one lane run one
//! after another in the order they came; an outcome of a replaced job is never given out; a panic in a job is an outcome.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::progress::{Progress, ProgressView};

/// Identifies a job for as long as the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// What happens when a job comes to a lane that is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It waits for its turn.
    Queue,
    /// It cancels what runs or waits in the lane and takes its place.
    Replace,
    /// It is not started: the running one does.
    Once,
}

/// How a job is named and where it runs.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// What the user reads: "Embedding with MiniLM-L6-v2".
    pub title: String,
    /// Jobs of one lane never run at the same time.
    pub lane: String,
    /// What happens when the lane is busy.
    pub policy: Policy,
    /// Quiet jobs (an inspection, a sort) are not shown in the top bar.
    pub quiet: bool,
}

impl JobSpec {
    /// A job that is not shown and takes the place of the one before it in its lane.
    pub fn quiet(title: &str, lane: impl Into<String>) -> Self {
        Self { title: title.to_owned(), lane: lane.into(), policy: Policy::Replace, quiet: true }
    }
}

/// A job as the window shows it.
#[derive(Clone, Debug)]
pub struct JobSnapshot {
    /// The job.
    pub id: JobId,
    /// Its title.
    pub title: String,
    /// Its lane.
    pub lane: String,
    /// Whether it still waits for its turn.
    pub queued: bool,
    /// Whether it is to be shown only in lists of all jobs.
    pub quiet: bool,
    /// Its progress now.
    pub view: ProgressView,
}

/// How a job ended.
#[derive(Debug)]
pub struct Finished<T> {
    /// The job.
    pub id: JobId,
    /// Its title.
    pub title: String,
    /// Its lane.
    pub lane: String,
    /// Seconds it ran.
    pub seconds: f64,
    /// What it gave, or the words of the panic that ended it.
    pub result: Result<T, String>,
}

type Work<T> = Box<dyn FnOnce(&Progress) -> T + Send>;

struct Entry<T> {
    id: JobId,
    spec: JobSpec,
    progress: Progress,
    work: Option<Work<T>>,
}

struct Board<T> {
    lanes: BTreeMap<String, VecDeque<Entry<T>>>,
}

/// All jobs of a window. `T` is what a job gives.
pub struct Jobs<T> {
    board: Arc<Mutex<Board<T>>>,
    next: AtomicU64,
    sender: Sender<Finished<T>>,
    receiver: Receiver<Finished<T>>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl<T: Send + 'static> Jobs<T> {
    /// `wake` is called from a job's thread whenever there is an outcome to poll.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, receiver) = unbounded();
        let board = Arc::new(Mutex::new(Board { lanes: BTreeMap::new() }));
        Self { board, next: AtomicU64::new(1), sender, receiver, wake }
    }

    /// Starts or queues a job. `None` when the policy is [`Policy::Once`] and its lane is busy.
    pub fn spawn(&self, spec: JobSpec, work: impl FnOnce(&Progress) -> T + Send + 'static) -> Option<JobId> {
        let mut board = lock(&self.board);
        let lane = board.lanes.entry(spec.lane.clone()).or_default();
        match spec.policy {
            Policy::Once if !lane.is_empty() => return None,
            Policy::Replace => {
                lane.iter().for_each(|entry| entry.progress.cancel());
                lane.retain(|entry| entry.work.is_none());
            }
            Policy::Once | Policy::Queue => {}
        }
        let id = JobId(self.next.fetch_add(1, Ordering::Relaxed));
        let lane_name = spec.lane.clone();
        lane.push_back(Entry { id, spec, progress: Progress::new(), work: Some(Box::new(work)) });
        let idle = lane.len() == 1;
        drop(board);
        if idle {
            self.start_lane(lane_name);
        }
        Some(id)
    }

    /// Asks a job to stop; one that waits is taken off the queue.
    pub fn cancel(&self, id: JobId) {
        for lane in lock(&self.board).lanes.values_mut() {
            lane.iter().filter(|entry| entry.id == id).for_each(|entry| entry.progress.cancel());
            lane.retain(|entry| entry.id != id || entry.work.is_none());
        }
    }

    /// Asks every job to stop.
    pub fn cancel_all(&self) {
        for lane in lock(&self.board).lanes.values_mut() {
            lane.iter().for_each(|entry| entry.progress.cancel());
            lane.retain(|entry| entry.work.is_none());
        }
    }

    /// Asks every job of the lanes that begin with `prefix` to stop.
    pub fn cancel_lanes(&self, prefix: &str) {
        self.cancel_where(|name| name.starts_with(prefix));
    }

    /// Cancels all jobs of one lane.
    pub fn cancel_lane(&self, lane: &str) {
        self.cancel_where(|name| name == lane);
    }

    fn cancel_where(&self, is_meant: impl Fn(&str) -> bool) {
        for (name, lane) in &mut lock(&self.board).lanes {
            if is_meant(name) {
                lane.iter().for_each(|entry| entry.progress.cancel());
                lane.retain(|entry| entry.work.is_none());
            }
        }
    }

    /// Holds a job at its next check, or lets it go on.
    pub fn set_paused(&self, id: JobId, paused: bool) {
        for lane in lock(&self.board).lanes.values() {
            lane.iter().filter(|entry| entry.id == id).for_each(|entry| entry.progress.set_paused(paused));
        }
    }

    /// All jobs that run or wait, oldest first.
    pub fn snapshots(&self) -> Vec<JobSnapshot> {
        let board = lock(&self.board);
        let mut all: Vec<_> = board
            .lanes
            .values()
            .flatten()
            .filter(|entry| !entry.progress.is_cancelled())
            .map(|entry| JobSnapshot {
                id: entry.id,
                title: entry.spec.title.clone(),
                lane: entry.spec.lane.clone(),
                queued: entry.work.is_some(),
                quiet: entry.spec.quiet,
                view: entry.progress.view(),
            })
            .collect();
        all.sort_by_key(|job| job.id);
        all
    }

    /// Whether nothing runs, waits, or has an outcome that was not polled yet.
    pub fn is_idle(&self) -> bool {
        lock(&self.board).lanes.values().all(VecDeque::is_empty) && self.receiver.is_empty()
    }

    /// The outcomes that have come in, looking for at most `budget`.
    pub fn poll(&self, budget: Duration) -> Vec<Finished<T>> {
        let start = Instant::now();
        let mut out = Vec::new();
        while start.elapsed() < budget {
            match self.receiver.try_recv() {
                Ok(finished) => out.push(finished),
                Err(_) => break,
            }
        }
        out
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts threads")]
    fn start_lane(&self, name: String) {
        let (board, sender, wake) = (self.board.clone(), self.sender.clone(), self.wake.clone());
        std::thread::spawn(move || {
            while run_next(&board, &name, &sender) {
                wake();
            }
            wake();
        });
    }
}

impl<T> Drop for Jobs<T> {
    fn drop(&mut self) {
        for lane in lock(&self.board).lanes.values() {
            lane.iter().for_each(|entry| entry.progress.cancel());
        }
    }
}

/// Runs the first job of a lane and takes it off; false when the lane is empty, or another thread runs it.
fn run_next<T: Send>(board: &Mutex<Board<T>>, lane: &str, sender: &Sender<Finished<T>>) -> bool {
    let Some((id, spec, progress, work)) = first_of(board, lane) else { return false };
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| work(&progress))).map_err(|panic| panic_words(&*panic));
    // Under one lock: whoever sees the lane empty also finds the outcome, and either this thread goes on with what has come
    // in or the next `spawn` starts another, never both.
    let mut board = lock(board);
    let replaced = progress.is_cancelled() && spec.policy == Policy::Replace;
    if !replaced {
        let seconds = start.elapsed().as_secs_f64();
        // The receiver is gone only when the program ends.
        let _ = sender.send(Finished { id, title: spec.title, lane: spec.lane, seconds, result });
    }
    let Some(queue) = board.lanes.get_mut(lane) else { return false };
    queue.retain(|entry| entry.id != id);
    !queue.is_empty()
}

type Taken<T> = (JobId, JobSpec, Progress, Work<T>);

fn first_of<T>(board: &Mutex<Board<T>>, lane: &str) -> Option<Taken<T>> {
    let mut board = lock(board);
    let entry = board.lanes.get_mut(lane)?.front_mut()?;
    // A job that was replaced before its thread began leaves two threads to the lane: the one that comes second finds the first at work,
    // which goes on with what waits.
    let work = entry.work.take()?;
    Some((entry.id, entry.spec.clone(), entry.progress.clone(), work))
}

fn lock<T>(board: &Mutex<Board<T>>) -> std::sync::MutexGuard<'_, Board<T>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

fn panic_words(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it stopped without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs() -> Jobs<u32> {
        Jobs::new(Arc::new(|| {}))
    }

    fn spec(lane: &str, policy: Policy) -> JobSpec {
        JobSpec { title: "Test".into(), lane: lane.into(), policy, quiet: false }
    }

    fn wait(jobs: &Jobs<u32>, count: usize) -> Vec<Finished<u32>> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(jobs.poll(Duration::from_millis(4)));
            std::thread::yield_now();
        }
        all
    }

    #[test]
    fn jobs_replaced_before_they_begin_leave_no_trace() {
        let jobs = jobs();
        for _ in 0..400 {
            jobs.spawn(spec("a", Policy::Replace), |_| 1);
            jobs.spawn(spec("a", Policy::Replace), |_| 2);
            while !jobs.is_idle() {
                for finished in jobs.poll(Duration::from_millis(4)) {
                    assert!(finished.result.is_ok(), "{:?}", finished.result);
                }
            }
        }
    }

    #[test]
    fn a_lane_runs_its_jobs_in_order() {
        let jobs = jobs();
        for n in 0..5 {
            jobs.spawn(spec("a", Policy::Queue), move |_| n);
        }
        let values: Vec<_> = wait(&jobs, 5).into_iter().map(|finished| finished.result.unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_replaced_job_gives_nothing() {
        let jobs = jobs();
        jobs.spawn(spec("a", Policy::Replace), |progress| {
            while progress.check().is_ok() {
                std::thread::yield_now();
            }
            1
        });
        jobs.spawn(spec("a", Policy::Replace), |_| 2);
        let finished = wait(&jobs, 1);
        assert_eq!(finished[0].result, Ok(2));
        while !jobs.is_idle() {
            std::thread::yield_now();
        }
        assert!(jobs.poll(Duration::from_millis(20)).is_empty());
    }

    #[test]
    fn a_panic_is_an_outcome_and_the_lane_goes_on() {
        let jobs = jobs();
        jobs.spawn(spec("a", Policy::Queue), |_| panic!("out of soup"));
        jobs.spawn(spec("a", Policy::Queue), |_| 7);
        let finished = wait(&jobs, 2);
        assert_eq!(finished[0].result, Err("out of soup".to_owned()));
        assert_eq!(finished[1].result, Ok(7));
    }

    #[test]
    fn once_refuses_a_second_and_cancel_reaches_the_running_one() {
        let jobs = jobs();
        let id = jobs
            .spawn(spec("a", Policy::Once), |progress| {
                while progress.check().is_ok() {
                    std::thread::yield_now();
                }
                1
            })
            .unwrap();
        assert!(jobs.spawn(spec("a", Policy::Once), |_| 2).is_none());
        // A job that still waits is taken off the queue without an outcome, so it must have begun.
        while jobs.snapshots().iter().any(|job| job.queued) {
            std::thread::yield_now();
        }
        jobs.cancel(id);
        assert_eq!(wait(&jobs, 1)[0].result, Ok(1));
    }
}
