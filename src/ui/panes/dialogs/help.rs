//! Words: what trust means, all shortcuts, what this program is.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use crate::projection::FEWEST_JUDGED;
use crate::ui::command::table;
use crate::ui::context::Context;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{dim, section};

/// What the figures under a map mean.
pub fn trust(ui: &mut Ui, ctx: &Context<'_>) {
    ScrollArea::vertical().show(ui, |ui| trust_words(ui, ctx));
}

fn trust_words(ui: &mut Ui, ctx: &Context<'_>) {
    let paragraph = |ui: &mut Ui, text: &str| {
        ui.add(Label::new(text).wrap());
        ui.add_space(8.0);
    };
    paragraph(
        ui,
        "A map shows hundreds of dimensions in two or three, so some of what you see is not there, and some of what is there you do not see. \
         Lists of nearest items and of hits are always computed in the original space, never on the map.",
    );
    section(ui, "Trust");
    paragraph(
        ui,
        "Trustworthiness: whether points that are neighbours on the map are neighbours in the original space. 1 means all are; \
         below about 0.8, read groups on the map with care.",
    );
    section(ui, "Neighbours kept");
    paragraph(
        ui,
        "Of the 10 nearest items in the original space, the share that is also among the 10 nearest on the map, on average. \
         Two dimensions rarely keep more than half.",
    );
    section(ui, "Distances kept");
    paragraph(
        ui,
        "Whether what is farther apart on the map is farther apart in the original space, by the ranks of the distances of all pairs \
         of 1,000 points. 1 means always; near 0, how far groups stand from one another says nothing.",
    );
    this_map(ui, ctx);
    dim(
        ui,
        "Distances between far groups and the sizes of groups mean little under t-SNE and UMAP; under PaCMAP how groups lie to each other means more, distances still little. Under PCA distances are true but flattened.",
    );
}

/// What was measured of the map that is shown.
fn this_map(ui: &mut Ui, ctx: &Context<'_>) {
    let Some(model) = ctx.shown_model() else { return };
    if let Some(quality) = model.map.quality() {
        section(ui, "This map");
        dim(
            ui,
            format!(
                "Trustworthiness {:.3}, continuity {:.3}, neighbours kept {:.1} %, measured at {} points with ranks among all.",
                quality.trustworthiness,
                quality.continuity,
                quality.neighbours_kept * 100.0,
                crate::ui::widgets::thousands(quality.sampled as u64),
            ),
        );
        if let Some(distances) = model.map.shown().and_then(|shown| shown.distances) {
            let (ranks, lengths) = (distances.spearman, distances.pearson);
            dim(ui, format!("Distances kept {ranks:.2} by their ranks, {lengths:.2} by their lengths."));
        }
        if let Some((_, kl)) = model.map.shown().and_then(|shown| shown.kl.last()) {
            dim(ui, format!("KL divergence at the end {kl:.3}: what t-SNE makes as small as it can."));
        }
        if let Some(graph) = model.map.shown().and_then(|shown| shown.graph) {
            let words = if graph.exact { "exact".to_owned() } else { format!("approximate, {}", graph.words()) };
            dim(ui, format!("The neighbours it was made of: {words}."));
        }
        ui.add_space(8.0);
    } else if model.map.shown().is_some_and(|shown| !shown.is_judged()) {
        section(ui, "This map");
        dim(
            ui,
            format!("Maps of {FEWEST_JUDGED} points or more can be judged: of fewer, any map keeps most neighbours."),
        );
        ui.add_space(8.0);
    }
}

/// All keys.
pub fn shortcuts(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    let line = |ui: &mut Ui, keys: String, words: &str| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(eframe::egui::vec2(150.0, 20.0), eframe::egui::Sense::hover());
            ui.painter().text(rect.left_center(), eframe::egui::Align2::LEFT_CENTER, keys, theme::mono(), theme.text);
            dim(ui, words);
        });
    };
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for entry in table() {
            if let Some(shortcut) = entry.shortcut {
                line(ui, ui.ctx().format_shortcut(&shortcut), entry.label.trim_end_matches('…'));
            }
        }
        section(ui, "On the map and in lists");
        for (keys, words) in [
            ("Drag", "Move the map"),
            ("Wheel", "Zoom at the pointer"),
            ("Double-click", "Show all points"),
            ("Click", "Look at a point"),
            ("Shift+click", "Add a point to the selection"),
            ("Shift+drag", "Add what the line encloses"),
            ("Alt+drag", "Take away what the line encloses"),
            ("Arrow keys, + −", "Move and zoom when the map has the keyboard"),
            ("Space", "Pause or resume a running layout"),
            ("Escape", "Clear selection, close windows"),
            ("Up, Down", "Move through the hits of a query, the map follows"),
        ] {
            line(ui, keys.to_owned(), words);
        }
    });
}

/// What this program is.
pub fn about(ui: &mut Ui, ctx: &Context<'_>) {
    ui.label(RichText::new(format!("Embedlens {}", env!("CARGO_PKG_VERSION"))).font(theme::title_font()));
    dim(ui, "See how embedding models see your data. Everything runs on this computer; nothing is sent anywhere.");
    let kernels = format!("Kernels of this processor in use: {}.", crate::vectors::kernel_name());
    dim(ui, kernels).on_hover_text(
        "Chosen when the program starts; the environment variable EMBEDLENS_CPU can hold it to a lower level",
    );
    section(ui, "Licences");
    dim(ui, "Embedlens: MIT or Apache-2.0, at your choice.");
    for model in ctx.models {
        dim(ui, format!("{}: {}", model.card.name, model.card.licence));
    }
    dim(ui, "Fonts: Inter and JetBrains Mono, SIL Open Font License 1.1.");
}
