//! What all tasks of a program share: the cache folder, the threads, the models in memory.
//!
//! Decides nothing about a task. Invariant: cloning is cheap and clones share their models.

use std::path::PathBuf;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{ModelPool, SeenPictures};

/// What tasks run in.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Folder of the vector cache and the unpacked sample; `None` keeps no cache.
    pub cache_dir: Option<PathBuf>,
    /// Threads of one task; `None` for one a core.
    pub threads: Option<usize>,
    /// Never ask the network.
    pub offline: bool,
    /// Run at lowered thread priority, so that a window stays fluid.
    pub background: bool,
    /// Models in memory.
    pub models: ModelPool,
    /// Pictures that the network of one model has seen, for another model of the same network.
    pub seen: SeenPictures,
}

impl Environment {
    /// The user's cache folder for this program; `None` where the system names none.
    pub fn default_cache_dir() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "embedlens").map(|dirs| dirs.cache_dir().to_owned())
    }

    /// Where models that the user makes are kept: the user's data folder, or in the cache folder where that is not the usual one; `None`
    /// where the system names none.
    pub fn made_models_dir(&self) -> Option<PathBuf> {
        match &self.cache_dir {
            Some(own) if Some(own) != Self::default_cache_dir().as_ref() => Some(own.join("models")),
            _ => Some(directories::ProjectDirs::from("", "", "embedlens")?.data_dir().join("models")),
        }
    }

    /// Threads a task gets.
    pub fn thread_count(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
    }

    /// Runs `work` with everything parallel in it on threads of this task alone.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self.pool() {
            Ok(pool) => pool.install(work),
            // No more threads to be had: the shared ones do as well.
            Err(_) => work(),
        }
    }

    fn pool(&self) -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
        let background = self.background;
        ThreadPoolBuilder::new()
            .num_threads(self.thread_count())
            .thread_name(|index| format!("task-{index}"))
            .start_handler(move |_| {
                if background {
                    lower_priority();
                }
            })
            .build()
    }
}

/// Lowers the priority of the calling thread alone. Where the system does not let us, it stays as it was.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        // On Linux "process" 0 is the calling thread.
        let _ = rustix::process::setpriority_process(None, 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_the_threads_it_was_given() {
        let environment = Environment { threads: Some(3), background: true, ..Environment::default() };
        assert_eq!(environment.run(rayon::current_num_threads), 3);
    }
}
