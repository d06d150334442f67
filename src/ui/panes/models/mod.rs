//! The window of models: the catalogue and what is here as a list with filters, a card, cards side by side, and the chooser.
//!
//! Paints and sends commands. What takes longer than a glance (counting the corpus, ranking) is done when what it hangs on has changed,
//! and kept. Invariant: every model of the list can be embedded with, fetched, or says in one sentence why not.

mod card;
mod choose;
mod compare;
mod list;
mod state;

use eframe::egui::{Align, Key, Layout, RichText, TextEdit, Ui, Vec2, vec2};

pub use self::state::{Entry, ModelsState, Tab};
use crate::ui::command::{Command, Dialog};
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{bytes, chip, dim, name_field, primary_button, separator};
use crate::workspace::ModelId;

/// Width of the list, and of what is wanted in the chooser.
const SIDE: f32 = 306.0;

/// The size of the window on a screen.
pub fn size(screen: Vec2) -> Vec2 {
    vec2((screen.x - 100.0).clamp(640.0, 1180.0), (screen.y - 130.0).clamp(420.0, 740.0))
}

/// Paints the window's content.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    head(ui, ctx, state);
    offer(ui, ctx);
    ui.add_space(6.0);
    separator(ui);
    ui.add_space(2.0);
    let mut models = std::mem::take(&mut state.models);
    let entries = state::entries(ctx);
    let height = ui.available_height();
    ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::left_to_right(Align::TOP), |ui| {
        let side = |ui: &mut Ui, content: &mut dyn FnMut(&mut Ui)| {
            ui.allocate_ui_with_layout(vec2(SIDE, height), Layout::top_down(Align::LEFT), |ui| {
                ui.set_width(SIDE);
                content(ui);
            });
        };
        side(ui, &mut |ui| match models.tab {
            Tab::Choose => choose::wants(ui, ctx, &mut models),
            Tab::Cards | Tab::Compare => list::show(ui, ctx, &mut models, &entries),
        });
        let line = ui.allocate_exact_size(vec2(13.0, height), eframe::egui::Sense::hover()).0;
        let stroke = eframe::egui::Stroke::new(1.0, ctx.theme.line);
        ui.painter().vline(line.center().x, line.y_range(), stroke);
        let rest = vec2(ui.available_width(), height);
        ui.allocate_ui_with_layout(rest, Layout::top_down(Align::LEFT), |ui| {
            ui.set_width(rest.x);
            match models.tab {
                Tab::Cards => card::show(ui, ctx, state, &mut models, &entries),
                Tab::Compare => compare::show(ui, ctx, &mut models, &entries),
                Tab::Choose => choose::answer(ui, ctx, &mut models, &entries),
            }
        });
    });
    state.models = models;
}

/// The tabs at the left, adding a model by name at the right.
fn head(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    ui.horizontal(|ui| {
        let ticked = state.models.ticked.len();
        let compare = if ticked > 0 { format!("Side by side ({ticked})") } else { "Side by side".to_owned() };
        for (tab, name, words) in [
            (Tab::Cards, "Cards", "What is known of each model"),
            (Tab::Compare, compare.as_str(), "The models that are ticked, as a table"),
            (Tab::Choose, "Choose", "Say what it is for, and see which models fit and why"),
        ] {
            if chip(ui, name, state.models.tab == tab).on_hover_text(words).clicked() {
                state.models.tab = tab;
                ui.ctx().request_repaint();
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = state.model_text.trim().to_owned();
            let pressed = ui.button("Add and embed").clicked();
            let width = ui.available_width().min(300.0);
            let field = TextEdit::singleline(&mut state.model_text).hint_text("Folder or ORG/NAME").desired_width(width);
            let response = ui.add(field).on_hover_text(
                "A folder with a model, or ORG/NAME of one on the hub: from the cache on this computer, else downloaded if you say so",
            );
            name_field(&response, "Folder or name of a model", &state.model_text);
            if !state.dialogs_seen.contains(&Dialog::Models) {
                response.request_focus();
            }
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if (pressed || entered) && !name.is_empty() {
                ctx.send(Command::Embed(ModelId(name)));
                state.model_text.clear();
            }
        });
    });
}

/// A model that was asked for and has to be fetched first.
fn offer(ui: &mut Ui, ctx: &Context<'_>) {
    let Some(offer) = ctx.offer else { return };
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(offer.words.as_str());
        if ui.button("Download and embed").clicked() {
            ctx.send(Command::DownloadModel(offer.id.clone()));
        }
        if ui.button("Not now").clicked() {
            ctx.send(Command::DeclineDownload);
        }
    });
}

/// The one next step with a model: embedding, fetching, or why neither.
fn action(ui: &mut Ui, ctx: &Context<'_>, entry: &Entry<'_>, prominent: bool) {
    let button = |ui: &mut Ui, words: &str| {
        if prominent { primary_button(ui, words) } else { ui.button(words) }
    };
    if let Some(model) = entry.model {
        if model.card.is_of_file() {
            return;
        }
        if model.set.is_some() {
            good(ui, "Embedded");
        } else if ctx.corpus.is_none() {
            dim(ui, "Load a folder to embed it");
        } else {
            let response = button(ui, "Embed").on_hover_text("Embed what is loaded with it");
            name_action(&response, "Embed with", entry);
            if response.clicked() {
                ctx.send(Command::Embed(model.card.id.clone()));
            }
        }
        return;
    }
    let Some(known) = entry.known else { return };
    if let Some(why) = known.why_not() {
        if prominent {
            dim(ui, why);
        } else {
            dim(ui, "Not here yet").on_hover_text(why);
        }
        return;
    }
    if known.is_bundled() {
        dim(ui, "Not in this build");
        return;
    }
    let running = ctx.jobs.iter().any(|job| job.title.contains(&known.id));
    if running {
        dim(ui, "Downloading…");
        return;
    }
    let size = known.size_bytes.map_or(String::new(), |size| format!(" ({})", bytes(size)));
    let words = if prominent { format!("Download and embed{size}") } else { "Download and embed".to_owned() };
    let hover = format!(
        "Fetches about{} from the hub into its cache, then embeds what is loaded",
        size.replace(['(', ')'], "")
    );
    let response = button(ui, &words).on_hover_text(hover);
    name_action(&response, "Download and embed with", entry);
    if response.clicked() {
        ctx.send(Command::DownloadModel(known.model_id()));
    }
}

fn name_action(response: &eframe::egui::Response, what: &str, entry: &Entry<'_>) {
    use eframe::egui::{Role, WidgetInfo};
    let name = format!("{what} {}", entry.name());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, response.enabled(), &name));
}

fn good(ui: &mut Ui, words: &str) {
    let colour = Theme::of(ui.ctx()).good;
    ui.label(RichText::new(words).font(theme::secondary()).color(colour));
}
