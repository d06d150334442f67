//! What comes from the keyboard and from other programs: shortcuts, dropped files.

use eframe::egui::{self, Key, Modifiers};

use super::App;
use crate::ui::command::{Command, table};

impl App {
    /// Turns shortcuts and dropped files into commands.
    pub(super) fn read_input(&mut self, ctx: &egui::Context) {
        self.shortcuts(ctx);
        self.dragging =
            ctx.input(|input| input.raw.hovered_files.iter().filter_map(|file| file.path.clone()).collect());
        let dropped: Vec<std::path::PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        match dropped.as_slice() {
            [] => {}
            [path] if self.document.corpus.is_some() && is_picture(path) => {
                self.commands.send(Command::QueryImage(path.clone()));
            }
            _ => self.commands.send(Command::Open(dropped)),
        }
    }

    fn shortcuts(&self, ctx: &egui::Context) {
        let typing = ctx.text_edit_focused();
        let mut entries = table();
        // egui takes Ctrl+Shift+O for Ctrl+O too, so the longer shortcuts are looked for first.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.shortcut.map_or(0, |shortcut| held(shortcut.modifiers))));
        for entry in entries {
            let Some(shortcut) = entry.shortcut else { continue };
            let plain = shortcut.modifiers.is_none() && shortcut.logical_key != Key::F1;
            // Ctrl+A and its like belong to a text field while it is typed into.
            let of_text = typing && matches!(shortcut.logical_key, Key::A) && shortcut.modifiers == Modifiers::COMMAND;
            if (typing && plain) || of_text {
                continue;
            }
            if ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
                self.commands.send(entry.command);
            }
        }
        if typing {
            return;
        }
        if !self.escape_is_taken && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            match self.dialogs.last() {
                Some(&dialog) => self.commands.send(Command::Toggle(dialog)),
                None => self.commands.send(Command::ClearSelection),
            }
        }
        // A focused button keeps its space bar.
        if ctx.memory(|memory| memory.focused().is_some()) && !self.state.map_focused {
            return;
        }
        let live = self.document.shown.as_ref().and_then(|id| self.document.model(id)?.map.live);
        if let Some(live) = live
            && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Space))
        {
            self.commands.send(Command::PauseJob(live.job, !live.paused));
        }
    }
}

/// How many modifier keys a shortcut needs.
fn held(modifiers: Modifiers) -> u8 {
    u8::from(modifiers.command) + u8::from(modifiers.shift) + u8::from(modifiers.alt)
}

fn is_picture(path: &std::path::Path) -> bool {
    const KINDS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"];
    path.extension().is_some_and(|ext| KINDS.contains(&ext.to_string_lossy().to_lowercase().as_str()))
}
