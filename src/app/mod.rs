//! The window's owner: workspace, jobs, settings, view state, and how a frame goes.
//!
//! [`logic`] decides (commands become jobs), [`apply`] is the only writer of what jobs give, painting is in `ui`.

mod apply;
mod commands;
mod densities;
mod derived;
mod distilling;
mod document;
mod exporting;
mod fairness;
mod fetching;
mod frame_stats;
mod from_file;
mod input;
mod inspecting;
mod jobs_of;
mod maps_of;
mod measuring;
mod persistence;
mod placing;
mod reducing;
#[cfg(all(test, feature = "bundled-models"))]
mod testing;
mod vitals;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eframe::egui;

pub use self::document::Document;
use self::frame_stats::FrameStats;
use self::jobs_of::Outcome;
use self::vitals::VitalsMeter;
use crate::cli::{WindowOptions, WindowTheme};
use crate::jobs::{JobSnapshot, Jobs};
use crate::tasks::Environment;
use crate::ui::command::{Command, CommandSender, Dialog, MapTool};
use crate::ui::context::{Context, DownloadOffer, LogLevel, LogLine, Toast};
use crate::ui::map::MapBackend;
use crate::ui::settings::{Perspective, Settings, ThemeChoice};
use crate::ui::state::WindowState;
use crate::ui::theme::Theme;
use crate::workspace::{Column, ModelId, Precision};

/// Messages shown at once.
const TOASTS: usize = 4;

/// How the window is started.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// What to load; the bundled sample when empty.
    pub open: Vec<PathBuf>,
    /// What the tasks need.
    pub environment: Environment,
    /// Where times of frames are written, if anywhere.
    pub frame_stats: Option<PathBuf>,
    /// Precision of the bundled text models, which embed by themselves.
    pub precision: Precision,
    /// Theme for this run only.
    pub theme: Option<ThemeChoice>,
    /// Perspective for this run only.
    pub perspective: Option<Perspective>,
    /// Whether settings are read and kept; off in tests.
    pub keep_settings: bool,
}

impl From<WindowOptions> for StartOptions {
    fn from(options: WindowOptions) -> Self {
        let theme = match options.theme {
            WindowTheme::System => None,
            WindowTheme::Dark => Some(ThemeChoice::Dark),
            WindowTheme::Light => Some(ThemeChoice::Light),
        };
        let perspective = Perspective::ALL
            .into_iter()
            .find(|perspective| Some(perspective.name().to_lowercase()) == options.perspective);
        Self {
            open: options.open,
            environment: options.environment,
            precision: options.precision,
            frame_stats: options.frame_stats,
            theme,
            perspective,
            keep_settings: true,
        }
    }
}

/// Opens the window and runs until it is closed.
pub fn run(options: WindowOptions) -> ExitCode {
    let options = StartOptions::from(options);
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")).unwrap_or_default();
    let viewport = egui::ViewportBuilder::default()
        .with_title("Embedlens")
        .with_app_id("embedlens")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([900.0, 560.0])
        .with_drag_and_drop(true)
        .with_icon(icon);
    // Scripts that our fonts lack are drawn with the system's: eframe looks for them on a thread of its own.
    let native = eframe::NativeOptions { viewport, system_font_fallback: true, ..Default::default() };
    let opened = Arc::new(AtomicBool::new(false));
    let seen = opened.clone();
    let start = move || {
        let make: eframe::AppCreator<'static> = Box::new(move |cc| {
            seen.store(true, Ordering::Relaxed);
            Ok(Box::new(App::new(cc, options)))
        });
        eframe::run_native("Embedlens", native, make).map_err(|error| error.to_string())
    };
    // Where a library of the window system is missing, the toolkit panics instead of giving an error.
    let why = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(start)) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(why)) => why,
        Err(panic) => match opened.load(Ordering::Relaxed) {
            true => std::panic::resume_unwind(panic),
            false => "a library of the window system is missing or does not fit".to_owned(),
        },
    };
    let _ = writeln!(std::io::stderr(), "{}", no_window_words(&why));
    ExitCode::FAILURE
}

/// Why the window could not open, and what to do.
fn no_window_words(error: &str) -> String {
    format!(
        "embedlens: the window could not open: {error}.\n\
         It needs a graphics adapter that speaks Vulkan, Metal, DirectX 12 or OpenGL. On Debian, \
         `apt install mesa-vulkan-drivers libgl1-mesa-dri libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1` brings one \
         that works on any computer, and the libraries of the window.\n\
         The commands work without a window: embedlens models, embed, project, search, compare, inspect, render (embedlens --help)."
    )
}

/// A load that has not ended.
struct PendingLoad {
    /// What is being read; `None` is the sample.
    paths: Option<Vec<PathBuf>>,
    /// What is remembered as recent once it is loaded.
    chosen: Vec<PathBuf>,
    /// Whether it holds what is loaded now, and perhaps more.
    grows: bool,
}

/// The window.
pub struct App {
    document: Document,
    jobs: Jobs<Outcome>,
    snapshots: Vec<JobSnapshot>,
    environment: Environment,
    settings: Settings,
    saved_settings: Option<Settings>,
    /// Theme and perspective that the command line asked for.
    for_this_run: (Option<ThemeChoice>, Option<Perspective>),
    state: WindowState,
    commands: CommandSender,
    /// Open floating windows, the newest last.
    dialogs: Vec<Dialog>,
    /// A model that is not here and was asked for.
    offer: Option<DownloadOffer>,
    tool: MapTool,
    dark: bool,
    backend: MapBackend,
    log: Vec<LogLine>,
    toasts: Vec<Toast>,
    vitals: VitalsMeter,
    stats: Option<FrameStats>,
    dragging: Vec<PathBuf>,
    fit_request: u64,
    query_focus_request: u64,
    /// Whether what was painted last has a use of its own for the Escape key: a menu, a text field, a lasso being drawn.
    escape_is_taken: bool,
    /// What the corpus was loaded from; `None` is the sample.
    opened: Option<Vec<PathBuf>>,
    /// What is being loaded, until it is there.
    pending: Option<PendingLoad>,
    /// Grows with every load: what an older one gives is dropped.
    load: u64,
    /// When the clusters of a moving map were looked for last.
    followed: Instant,
}

impl App {
    /// Makes the window's state and starts the first load.
    pub fn new(cc: &eframe::CreationContext<'_>, options: StartOptions) -> Self {
        let backend = match &cc.wgpu_render_state {
            Some(state) => {
                crate::ui::map::gpu::register(state);
                MapBackend::choose(Some(state))
            }
            None => MapBackend::Raster,
        };
        Self::with_backend(&cc.egui_ctx, options, backend)
    }

    /// The same without a graphics adapter, for tests.
    pub fn with_backend(ctx: &egui::Context, options: StartOptions, backend: MapBackend) -> Self {
        crate::ui::theme::install(ctx);
        let saved = options.keep_settings.then(persistence::load).unwrap_or_default();
        let mut settings = saved.clone();
        settings.theme = options.theme.unwrap_or(settings.theme);
        settings.perspective = options.perspective.unwrap_or(settings.perspective);
        // What the command line asks for is for this run only.
        let for_this_run = (options.theme, options.perspective);
        let cards = crate::tasks::model_cards().into_iter().map(|card| card.at(options.precision)).collect();
        let waker = ctx.clone();
        let wake = move || waker.request_repaint();
        let app = Self {
            document: Document::new(cards),
            jobs: Jobs::new(Arc::new(wake)),
            snapshots: Vec::new(),
            environment: options.environment,
            settings,
            saved_settings: options.keep_settings.then_some(saved),
            for_this_run,
            state: WindowState::default(),
            commands: CommandSender::default(),
            dialogs: Vec::new(),
            offer: None,
            tool: MapTool::Pan,
            dark: true,
            backend,
            log: Vec::new(),
            toasts: Vec::new(),
            vitals: VitalsMeter::default(),
            stats: options.frame_stats.map(FrameStats::new),
            dragging: Vec::new(),
            fit_request: 0,
            query_focus_request: 0,
            escape_is_taken: false,
            opened: None,
            pending: None,
            load: 0,
            followed: Instant::now(),
        };
        app.apply_theme(ctx);
        for (name, wanted) in &app.settings.overrides {
            app.environment.models.set_overrides(&ModelId(name.clone()), wanted.clone());
        }
        app.spawn_listing();
        app.commands.send(if options.open.is_empty() { Command::OpenSample } else { Command::Open(options.open) });
        app
    }

    /// Whether no job runs or waits: for tests.
    pub fn is_idle(&self) -> bool {
        self.jobs.is_idle() && self.snapshots.is_empty()
    }

    /// The document: for tests.
    pub fn document(&self) -> &Document {
        &self.document
    }

    fn apply_theme(&self, ctx: &egui::Context) {
        ctx.set_theme(match self.settings.theme {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
            ThemeChoice::Light => egui::ThemePreference::Light,
        });
    }

    fn log(&mut self, level: LogLevel, summary: impl Into<String>, details: impl Into<String>) {
        self.log.push(LogLine { time: vitals::time_of_day(), level, summary: summary.into(), details: details.into() });
    }

    /// A message that pops up and also lands in the log.
    fn announce(&mut self, level: LogLevel, summary: impl Into<String>, details: impl Into<String>) {
        let summary = summary.into();
        let seconds = if level == LogLevel::Info { 4 } else { 9 };
        self.toasts.push(Toast {
            id: self.log.len() as u64,
            level,
            text: summary.clone(),
            until: Instant::now() + Duration::from_secs(seconds),
        });
        // A flood of messages would cover the window; all of them are in the log.
        let most = self.toasts.len().saturating_sub(TOASTS);
        self.toasts.drain(..most);
        self.log(level, summary, details);
    }

    /// One turn of deciding: outcomes in, commands out.
    fn decide(&mut self, ctx: &egui::Context) {
        self.read_input(ctx);
        let now = Instant::now();
        self.toasts.retain(|toast| toast.until > now);
        let dark = ctx.theme() == egui::Theme::Dark;
        if dark != self.dark {
            self.dark = dark;
            self.document.restyle_all();
        }
        for finished in self.jobs.poll(Duration::from_millis(4)) {
            self.apply(finished);
        }
        self.take_live_layouts();
        for command in self.commands.take() {
            self.carry_out(ctx, command);
        }
        self.start_needed_jobs();
        self.snapshots = self.jobs.snapshots();
        // A quiet job shows nothing while it runs, and wakes the window when it ends.
        if self.snapshots.iter().any(|job| !job.quiet) {
            // A software adapter paints with the cores that the work needs.
            let pause = match (self.document.any_live(), self.backend) {
                (true, MapBackend::Gpu) => 33,
                (true, MapBackend::Raster) | (false, MapBackend::Gpu) => 100,
                (false, MapBackend::Raster) => 300,
            };
            ctx.request_repaint_after(Duration::from_millis(pause));
        }
        if let Some(keep) = self.settings_to_keep().filter(|keep| self.saved_settings.as_ref() != Some(keep)) {
            persistence::save_in_background(&self.jobs, &keep);
            self.saved_settings = Some(keep);
        }
    }

    /// The settings as they are to be kept: without what the command line asked for, unless the user changed it since.
    fn settings_to_keep(&self) -> Option<Settings> {
        let saved = self.saved_settings.as_ref()?;
        let mut keep = self.settings.clone();
        if self.for_this_run.0 == Some(keep.theme) {
            keep.theme = saved.theme;
        }
        if self.for_this_run.1 == Some(keep.perspective) {
            keep.perspective = saved.perspective;
        }
        // A column of a file means nothing without that file.
        if let Column::Other(_) = keep.colour_by {
            keep.colour_by = saved.colour_by;
        }
        Some(keep)
    }

    fn paint(&mut self, ui: &mut egui::Ui) {
        let mut state = std::mem::take(&mut self.state);
        let context = self.context(ui.ctx());
        crate::ui::show(ui, &context, &mut state);
        self.state = state;
        let drawing = self.state.map_views.values().any(crate::ui::map::MapView::is_drawing);
        self.escape_is_taken = drawing || ui.ctx().text_edit_focused() || egui::Popup::is_any_open(ui.ctx());
    }

    fn context<'a>(&'a self, ctx: &egui::Context) -> Context<'a> {
        let document = &self.document;
        Context {
            theme: Theme::of(ctx),
            corpus: document.corpus.as_ref(),
            load_error: document.load_error.as_deref(),
            folders: &document.folders,
            models: &document.models,
            shown: document.shown.as_ref(),
            selection: &document.selection,
            hovered: document.hovered,
            answer: document.answer.as_ref(),
            ask_selection: document.ask_selection,
            inspection: document.inspection.as_ref(),
            captioned: document.captioned.as_ref(),
            compare: &document.compare,
            offer: self.offer.as_ref(),
            jobs: &self.snapshots,
            log: &self.log,
            toasts: &self.toasts,
            settings: &self.settings,
            hidden: &document.hidden,
            item_order: &document.item_order,
            dialogs: &self.dialogs,
            tool: self.tool,
            backend: self.backend,
            vitals: self.vitals.last(),
            fit_request: self.fit_request,
            query_focus_request: self.query_focus_request,
            dragging: &self.dragging,
            commands: &self.commands,
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let clock = frame_stats::Clock::start();
        self.decide(ctx);
        self.vitals.frame();
        if let Some(stats) = &mut self.stats {
            stats.logic(&clock);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let clock = frame_stats::Clock::start();
        self.paint(ui);
        // What painting asked for is carried out before the next frame.
        if self.commands.is_waiting() {
            ui.ctx().request_repaint();
        }
        if let Some(stats) = &mut self.stats {
            stats.ui(&clock);
        }
    }

    fn on_exit(&mut self) {
        self.jobs.cancel_all();
        if let Some(keep) = self.settings_to_keep() {
            persistence::save(&keep);
        }
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
