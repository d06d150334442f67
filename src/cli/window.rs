//! What the command line says to the window, and what is said where there can be none.

use std::path::PathBuf;

use clap::ValueEnum;

use super::args::WindowArgs;
use super::session::cache_dir;
use crate::models::Precision;
use crate::tasks::Environment;

/// How the window is to open.
#[derive(Clone, Debug)]
pub struct WindowOptions {
    /// Folders and files to load; empty for the sample.
    pub open: Vec<PathBuf>,
    /// Cache folder, threads and models of its tasks; at lowered priority.
    pub environment: Environment,
    /// File for the time of every frame; `None` keeps none.
    pub frame_stats: Option<PathBuf>,
    /// Colours.
    pub theme: WindowTheme,
    /// Precision of the text models that embed by themselves.
    pub precision: Precision,
    /// Arrangement of panes to begin with ("explore", "compare"); `None` for the usual one.
    pub perspective: Option<String>,
}

/// Colours of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WindowTheme {
    /// As the system has it
    #[default]
    System,
    /// Dark
    Dark,
    /// Light
    Light,
}

pub(super) fn options(args: WindowArgs) -> WindowOptions {
    WindowOptions {
        open: args.open,
        environment: Environment {
            cache_dir: cache_dir(args.cache.as_deref(), false),
            threads: args.threads.map(usize::from),
            offline: args.offline,
            background: true,
            ..Environment::default()
        },
        frame_stats: args.frame_stats,
        theme: args.theme,
        precision: args.precision.precision.map_or_else(Precision::default, Precision::from),
        perspective: args.perspective.map(|perspective| perspective.name().to_owned()),
    }
}

/// Why no window can open here, in full sentences with what to do instead; `None` when it may be tried.
pub fn no_window_message() -> Option<String> {
    const COMMANDS: &str = "The commands work without one: embedlens models, embed, project, search, compare, inspect, render \
        (embedlens --help).";
    if !cfg!(feature = "gui") {
        return Some(format!("embedlens: this build has no window (it was built without the feature gui). {COMMANDS}"));
    }
    let unset = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let no_display = cfg!(all(unix, not(target_os = "macos"))) && unset("DISPLAY") && unset("WAYLAND_DISPLAY");
    no_display.then(|| {
        format!(
            "embedlens: there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open. \
             On Debian, `apt install xvfb` brings a virtual one (xvfb-run embedlens). {COMMANDS}"
        )
    })
}
