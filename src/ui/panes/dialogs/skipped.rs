//! Files that were left out, by reason.

use std::collections::BTreeMap;

use eframe::egui::{CollapsingHeader, ScrollArea, TextEdit, Ui};

use crate::corpus::{Corpus, SkipReason};
use crate::ui::command::Command;
use crate::ui::context::Context;
use crate::ui::state::{SkippedGroups, WindowState};
use crate::ui::theme;
use crate::ui::widgets::{clipped_text, dim, link, name_field, plural};

/// The reason in two words, for grouping.
fn kind(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Empty => "Empty",
        SkipReason::Binary { .. } => "Binary files",
        SkipReason::Undecodable { .. } => "Not readable as text",
        SkipReason::BadImage { .. } => "Pictures that cannot be read",
        SkipReason::ImageTooLarge { .. } => "Pictures over the limit",
        SkipReason::TextTooLarge { .. } => "Texts over the limit",
        SkipReason::SymlinkLoop | SkipReason::BrokenLink => "Symbolic links to nothing or in a loop",
        SkipReason::NoPermission => "No permission to read",
        SkipReason::NotAFile => "Pipes, sockets and devices",
        SkipReason::Missing => "Not there",
        SkipReason::LinkedBefore | SkipReason::LoadedByAnotherPath => "Reached through another link",
        SkipReason::OwnOutput { .. } | SkipReason::OwnMap => "Written by Embedlens",
        SkipReason::LostRows { .. } => "Tables with lines that are no rows",
        SkipReason::Unreadable { .. } => "Cannot be read",
    }
}

/// Paints the window's content.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    let Some(corpus) = ctx.corpus else {
        dim(ui, "Nothing is loaded.");
        return;
    };
    dim(ui, "These files were left out; everything else was loaded.");
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut state.skipped_search).hint_text("Search paths").desired_width(240.0);
        let response = ui.add(field);
        name_field(&response, "Search paths", &state.skipped_search);
        if link(ui, "Copy the list").clicked() {
            ctx.send(Command::Copy(as_text(corpus)));
        }
    });
    ui.add_space(6.0);
    let of = (corpus.revision, state.skipped_search.clone());
    if state.skipped.as_ref().is_none_or(|known| known.of != of) {
        state.skipped = Some(SkippedGroups { groups: grouped(corpus, &of.1), of });
    }
    let Some(known) = &state.skipped else { return };
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| groups(ui, ctx, corpus, &known.groups));
}

fn as_text(corpus: &Corpus) -> String {
    corpus.skipped.iter().map(|skip| format!("{}\t{}\n", skip.path.display(), skip.reason)).collect()
}

/// The skipped files whose paths hold `search`, by reason.
fn grouped(corpus: &Corpus, search: &str) -> Vec<(&'static str, Vec<usize>)> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, skip) in corpus.skipped.iter().enumerate() {
        if search.is_empty() || skip.path.to_string_lossy().contains(search) {
            groups.entry(kind(&skip.reason)).or_default().push(place);
        }
    }
    groups.into_iter().collect()
}

fn groups(ui: &mut Ui, ctx: &Context<'_>, corpus: &Corpus, groups: &[(&'static str, Vec<usize>)]) {
    let alone = groups.len() == 1;
    for (name, places) in groups {
        let title = format!("{name} · {}", plural(places.len(), "file"));
        CollapsingHeader::new(title).id_salt(name).default_open(alone || places.len() <= 12).show(ui, |ui| {
            // A thousand paths are enough to see the pattern; all of them are in the copied list.
            for &place in places.iter().take(1_000) {
                let skip = &corpus.skipped[place];
                let (rect, response) = ui
                    .allocate_exact_size(eframe::egui::vec2(ui.available_width(), 20.0), eframe::egui::Sense::hover());
                if ui.is_rect_visible(rect) {
                    let path = skip.path.to_string_lossy();
                    let reason = skip.reason.to_string();
                    let half = rect.width() * 0.52;
                    let look = (theme::secondary(), ctx.theme.text);
                    // The end of a path tells more than its beginning.
                    let tail: String = path.chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
                    clipped_text(ui, rect.left_center(), half - 12.0, &tail, look);
                    let at = rect.left_center() + eframe::egui::vec2(half, 0.0);
                    clipped_text(ui, at, rect.width() - half, &reason, (theme::secondary(), ctx.theme.dim));
                    response.on_hover_text(format!("{path}\n{reason}"));
                }
            }
            crate::ui::tiles::more(ui, places.len().saturating_sub(1_000));
        });
    }
}
