//! How much memory this process takes and took at most, as Linux counts it.

/// Peak resident memory of the whole process in megabytes (1,000,000 bytes) since it began or since [`reset_peak_memory`]; `None` where
/// the system does not tell.
pub fn peak_memory_mb() -> Option<f64> {
    status_mb("VmHWM:")
}

/// Resident memory of the whole process now in megabytes (1,000,000 bytes); `None` where the system does not tell.
pub fn resident_memory_mb() -> Option<f64> {
    status_mb("VmRSS:")
}

fn status_mb(field: &str) -> Option<f64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// Begins the peak anew at what is in use now; `false` where the system does not let us.
pub fn reset_peak_memory() -> bool {
    fs_err::write("/proc/self/clear_refs", "5").is_ok()
}
