//! Floating windows: skipped files, activity, reading options, models, trust, shortcuts, about.

mod help;
mod reductions;
mod skipped;
mod work;

use std::path::PathBuf;

use eframe::egui::{self, Key, TextEdit, Ui, Window, vec2};

use crate::corpus::LoadOptions;
use crate::ui::command::{Command, Dialog};
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::widgets::{dim, faint, name_field};

/// Paints the open ones.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    for &dialog in ctx.dialogs {
        let (title, size) = match dialog {
            Dialog::Skipped => ("Skipped files", vec2(620.0, 420.0)),
            Dialog::Activity => ("Activity", vec2(620.0, 440.0)),
            Dialog::LoadOptions => ("Reading options", vec2(380.0, 420.0)),
            Dialog::TypePath => ("Open a path", vec2(460.0, 120.0)),
            Dialog::Models => ("Models", crate::ui::panes::models::size(ui.ctx().content_rect().size())),
            Dialog::Trust => ("How far to trust a map", vec2(460.0, 700.0)),
            Dialog::Reductions => ("What fewer dimensions cost", vec2(540.0, 460.0)),
            Dialog::Shortcuts => ("Shortcuts", vec2(460.0, 480.0)),
            Dialog::About => ("About Embedlens", vec2(440.0, 300.0)),
        };
        let mut open = true;
        let screen = ui.ctx().content_rect();
        let window = Window::new(title)
            .open(&mut open)
            .collapsible(false)
            // What floats on a map comes and goes while a window is open, and stays below it.
            .order(egui::Order::Foreground)
            .default_size(size)
            .max_height(screen.height() - 120.0)
            .pivot(egui::Align2::CENTER_CENTER)
            .default_pos(screen.center());
        window.show(ui.ctx(), |ui| content(ui, ctx, state, dialog));
        if !open {
            ctx.send(Command::Toggle(dialog));
        }
    }
    state.dialogs_seen = ctx.dialogs.to_vec();
}

/// Gives the keyboard to the first field of a window that has just been opened.
fn focus_first(state: &WindowState, dialog: Dialog, response: &egui::Response) {
    if !state.dialogs_seen.contains(&dialog) {
        response.request_focus();
    }
}

fn content(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, dialog: Dialog) {
    match dialog {
        Dialog::Skipped => skipped::show(ui, ctx, state),
        Dialog::Activity => work::show(ui, ctx),
        Dialog::LoadOptions => load_options(ui, ctx, state),
        Dialog::TypePath => type_path(ui, ctx, state),
        Dialog::Models => crate::ui::panes::models::show(ui, ctx, state),
        Dialog::Trust => help::trust(ui, ctx),
        Dialog::Reductions => reductions::show(ui, ctx, state),
        Dialog::Shortcuts => help::shortcuts(ui),
        Dialog::About => help::about(ui, ctx),
    }
}

fn type_path(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    dim(ui, "A folder or a file on this computer.");
    let field =
        TextEdit::singleline(&mut state.path_text).desired_width(f32::INFINITY).margin(egui::Margin::symmetric(10, 6));
    let response = ui.add(field);
    name_field(&response, "Path", &state.path_text);
    focus_first(state, Dialog::TypePath, &response);
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    ui.add_space(6.0);
    let path = PathBuf::from(state.path_text.trim());
    let given = !state.path_text.trim().is_empty();
    ui.horizontal(|ui| {
        let open = ui.add_enabled(given, egui::Button::new("Open")).clicked();
        if given && (open || entered) {
            ctx.send(Command::Open(vec![path.clone()]));
            ctx.send(Command::Toggle(Dialog::TypePath));
            state.path_text.clear();
        }
        if ctx.corpus.is_some() && ui.add_enabled(given, egui::Button::new("Add to what is loaded")).clicked() {
            ctx.send(Command::Add(vec![path]));
            ctx.send(Command::Toggle(Dialog::TypePath));
            state.path_text.clear();
        }
    });
}

fn load_options(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    let mut options = state.load_options.clone().unwrap_or_else(|| ctx.settings.load.clone());
    dim(
        ui,
        "Another way of reading or cutting makes a new revision; every model embeds it anew, from the cache where it can.",
    );
    ui.add_space(6.0);
    ui.checkbox(&mut options.gitignore, "Obey .gitignore, .ignore and .embedignore files");
    ui.checkbox(&mut options.hidden, "Read hidden files and folders");
    ui.checkbox(&mut options.follow_links, "Follow symbolic links");
    ui.add_space(8.0);
    number(ui, "Largest text, MB", &mut options.max_text_mb, 1..=4_000);
    let mut megapixels = u64::from(options.max_megapixels);
    number(ui, "Largest picture, megapixels", &mut megapixels, 1..=2_000);
    options.max_megapixels = megapixels as u32;
    ui.add_space(8.0);
    let (mut chunk, mut overlap) = (options.chunk_tokens as u64, options.overlap_tokens as u64);
    number(ui, "Tokens a chunk", &mut chunk, 20..=2_000);
    faint(ui, "Larger chunks hold more context but blur several topics into one vector.");
    number(ui, "Tokens shared with the chunk before", &mut overlap, 0..=(chunk / 2));
    options.chunk_tokens = chunk as usize;
    options.overlap_tokens = overlap.min(chunk / 2) as usize;
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        let changed = options != ctx.settings.load;
        if ui.add_enabled(changed, egui::Button::new("Apply and read again")).clicked() {
            ctx.send(Command::SetLoadOptions(options.clone()));
            ctx.send(Command::Toggle(Dialog::LoadOptions));
        }
        if ui.button("Defaults").clicked() {
            options = LoadOptions::default();
        }
    });
    state.load_options = ctx.dialogs.contains(&Dialog::LoadOptions).then_some(options);
}

fn number(ui: &mut Ui, name: &str, value: &mut u64, range: std::ops::RangeInclusive<u64>) {
    ui.horizontal(|ui| {
        let label = ui.label(name);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add(egui::DragValue::new(value).range(range)).labelled_by(label.id);
        });
    });
}
