//! Which kernels this machine runs, decided once.
//!
//! Invariant: the answer never changes within a process, so results of one run never mix two kernels.

use std::sync::OnceLock;

/// Whether the AVX2 + FMA kernels run. `EMBEDLENS_CPU=portable` in the environment holds everything of ours to the portable ones
/// (faer's matrix products choose for themselves).
pub(crate) fn has_fma() -> bool {
    static FMA: OnceLock<bool> = OnceLock::new();
    *FMA.get_or_init(|| {
        let portable = std::env::var("EMBEDLENS_CPU").is_ok_and(|value| value.eq_ignore_ascii_case("portable"));
        !portable && detected()
    })
}

#[cfg(target_arch = "x86_64")]
fn detected() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> bool {
    false
}

/// The name of the kernels in use, for the system report.
pub fn kernel_name() -> &'static str {
    if has_fma() { "AVX2 + FMA" } else { "portable" }
}
