//! Keeps candle from running helper threads of its own beside ours.
//!
//! candle 0.11 spreads element-wise operations over a pool whose threads spin while they wait. We already run groups of
//! texts side by side, so those threads only take the cores from them: without them MiniLM needs 40 % less CPU time. The
//! pool's size can be set only through the environment, before its first use. It changes no result.
#![allow(unsafe_code)] // setting an environment variable, while this is the only thread

/// What candle reads.
const VARIABLE: &str = "CANDLE_NUM_THREADS";

/// Sets `CANDLE_NUM_THREADS` to 1 unless it is set. To be called first thing in `main`: once the process has a second
/// thread (or where that cannot be found out) it does nothing. Returns whether the variable is set now.
pub fn settle_threads() -> bool {
    if std::env::var_os(VARIABLE).is_some() {
        return true;
    }
    let threads = fs_err::read_dir("/proc/self/task").map_or(usize::MAX, Iterator::count);
    if threads != 1 {
        return false;
    }
    // SAFETY: this is the process's only thread, as just counted, so no other can read the environment meanwhile.
    unsafe { std::env::set_var(VARIABLE, "1") };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_is_left_alone() {
        // The test runner has threads, so only a variable that was set before makes it true.
        let before = std::env::var_os(VARIABLE);
        let waiting = std::sync::Barrier::new(2);
        std::thread::scope(|s| {
            s.spawn(|| waiting.wait());
            assert_eq!(settle_threads(), before.is_some());
            waiting.wait();
        });
        assert_eq!(std::env::var_os(VARIABLE), before);
    }
}
