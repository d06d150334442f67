//! The bar at the top: name, menus, perspectives, the running job.

use eframe::egui::{
    self, Align, Button, CornerRadius, Layout, Panel, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2,
};

use crate::jobs::JobSnapshot;
use crate::ui::command::{Command, Dialog, Entry, table};
use crate::ui::context::Context;
use crate::ui::settings::{PaletteChoice, Perspective, ThemeChoice};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{bytes, duration, thousands};

/// Paints the bar.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    let frame = egui::Frame::new().fill(ctx.theme.panel).inner_margin(egui::Margin::symmetric(14, 0));
    Panel::top("top bar").exact_size(44.0).resizable(false).frame(frame).show(ui, |ui| {
        let bar = ui.max_rect();
        ui.horizontal_centered(|ui| {
            ui.label(RichText::new("Embedlens").font(egui::FontId::new(13.5, theme::semibold())));
            ui.add_space(8.0);
            menus(ui, ctx);
        });
        perspectives(ui, ctx, bar);
        let right = Rect::from_min_max(egui::pos2(bar.center().x + 110.0, bar.top()), bar.max);
        let builder = egui::UiBuilder::new().max_rect(right).layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(builder, |ui| job_indicator(ui, ctx));
    });
}

fn menus(ui: &mut Ui, ctx: &Context<'_>) {
    let entries = table();
    ui.style_mut().visuals.widgets.inactive.weak_bg_fill = egui::Color32::TRANSPARENT;
    let has_corpus = ctx.corpus.is_some();
    menu(ui, "File", |ui| {
        items(ui, ctx, &entries[..4], true);
        recent(ui, ctx);
        ui.separator();
        items(ui, ctx, &entries[4..5], has_corpus);
        items(ui, ctx, &entries[5..6], true);
        ui.separator();
        items(ui, ctx, &entries[6..9], ctx.shown.is_some());
        ui.separator();
        items(ui, ctx, &entries[9..10], true);
    });
    menu(ui, "Edit", |ui| {
        items(ui, ctx, &entries[10..13], has_corpus);
        ui.separator();
        items(ui, ctx, &entries[13..14], has_corpus);
    });
    menu(ui, "View", |ui| {
        items(ui, ctx, &entries[14..19], true);
        ui.separator();
        items(ui, ctx, &entries[19..21], true);
        ui.separator();
        for (name, choice) in
            [("As the system", ThemeChoice::System), ("Dark", ThemeChoice::Dark), ("Light", ThemeChoice::Light)]
        {
            if ui.add(Button::selectable(ctx.settings.theme == choice, name)).clicked() {
                ctx.send(Command::SetTheme(choice));
            }
        }
        ui.separator();
        for (name, choice) in [
            ("Standard colours", PaletteChoice::Standard),
            ("Colour-blind-safe colours", PaletteChoice::ColourBlindSafe),
        ] {
            if ui.add(Button::selectable(ctx.settings.palette == choice, name)).clicked() {
                ctx.send(Command::SetPalette(choice));
            }
        }
    });
    menu(ui, "Models", |ui| items(ui, ctx, &entries[21..22], true));
    menu(ui, "Help", |ui| items(ui, ctx, &entries[22..], true));
}

fn menu(ui: &mut Ui, title: &str, content: impl FnOnce(&mut Ui)) {
    let colour = Theme::of(ui.ctx()).dim;
    ui.menu_button(RichText::new(title).color(colour), |ui| {
        ui.set_min_width(240.0);
        content(ui);
    });
}

fn items(ui: &mut Ui, ctx: &Context<'_>, entries: &[Entry], enabled: bool) {
    for entry in entries {
        let mut button = Button::new(entry.label);
        if let Some(shortcut) = &entry.shortcut {
            button = button.shortcut_text(ui.ctx().format_shortcut(shortcut));
        }
        if ui.add_enabled(enabled, button).on_hover_text(entry.tooltip).clicked() {
            ctx.send(entry.command.clone());
            ui.close();
        }
    }
}

fn recent(ui: &mut Ui, ctx: &Context<'_>) {
    if ctx.settings.recent.is_empty() {
        return;
    }
    ui.menu_button("Open recent", |ui| {
        for path in &ctx.settings.recent {
            let name = path.display().to_string();
            if ui.button(name).clicked() {
                ctx.send(Command::Open(vec![path.clone()]));
                ui.close();
            }
        }
    });
}

fn perspectives(ui: &mut Ui, ctx: &Context<'_>, bar: Rect) {
    let size = vec2(82.0, 26.0);
    let count = Perspective::ALL.len() as f32;
    let whole = Rect::from_center_size(bar.center(), vec2(size.x * count + 6.0, size.y + 6.0));
    ui.painter().rect_filled(whole, CornerRadius::same(9), ctx.theme.raised);
    for (place, perspective) in Perspective::ALL.into_iter().enumerate() {
        let corner = whole.min + vec2(3.0 + size.x * place as f32, 3.0);
        let rect = Rect::from_min_size(corner, size);
        let response = ui.interact(rect, ui.scope_id().with(("perspective", place)), Sense::click());
        let chosen = ctx.settings.perspective == perspective;
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, perspective.name()));
        if chosen {
            let fill = if ctx.theme.dark { ctx.theme.background } else { ctx.theme.panel };
            ui.painter().rect_filled(rect, CornerRadius::same(7), fill);
        }
        if response.has_focus() {
            let stroke = Stroke::new(1.0, ctx.theme.accent);
            ui.painter().rect_stroke(rect, CornerRadius::same(7), stroke, egui::StrokeKind::Inside);
        }
        let colour = if chosen || response.hovered() { ctx.theme.text } else { ctx.theme.dim };
        let font = egui::FontId::proportional(13.0);
        ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, perspective.name(), font, colour);
        if response.clicked() {
            ctx.send(Command::SetPerspective(perspective));
        }
    }
}

fn job_indicator(ui: &mut Ui, ctx: &Context<'_>) {
    let shown: Vec<&JobSnapshot> = ctx.jobs.iter().filter(|job| !job.quiet).collect();
    let Some(job) = shown.iter().find(|job| !job.queued).or(shown.first()) else {
        let label = egui::Label::new(RichText::new("All done").color(ctx.theme.dim)).sense(Sense::click());
        let response = ui.add(label).on_hover_text("What was done: open the activity log");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "All done, open activity"));
        if response.clicked() {
            ctx.send(Command::Toggle(Dialog::Activity));
        }
        return;
    };
    let cancel = ui.add(icon_button("×")).on_hover_text("Cancel");
    cancel.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Cancel {}", job.title)));
    if cancel.clicked() {
        ctx.send(Command::CancelJob(job.id));
    }
    ui.add(egui::Label::new(RichText::new(counts(job, shown.len())).font(theme::secondary()).color(ctx.theme.dim)));
    let (rect, _) = ui.allocate_exact_size(vec2(96.0, 4.0), Sense::hover());
    bar(ui, ctx, rect, job.view.fraction());
    let title = RichText::new(&job.title).color(ctx.theme.text);
    let label = egui::Label::new(title).truncate().sense(Sense::click());
    let response = ui.add(label).on_hover_text("Open the activity log");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}, open activity", job.title)));
    if response.clicked() {
        ctx.send(Command::Toggle(Dialog::Activity));
    }
}

/// A button that is only a sign.
pub fn icon_button(sign: &str) -> Button<'_> {
    Button::new(sign).frame(false).min_size(vec2(22.0, 22.0))
}

/// A thin bar: the share done, or a third when it is not known.
pub fn bar(ui: &Ui, ctx: &Context<'_>, rect: Rect, fraction: Option<f32>) {
    let radius = CornerRadius::same(2);
    ui.painter().rect_filled(rect, radius, ctx.theme.raised);
    let mut done = rect;
    done.set_width(rect.width() * fraction.unwrap_or(0.33));
    let colour = if fraction.is_some() { ctx.theme.accent } else { ctx.theme.faint };
    ui.painter().rect_filled(done, radius, colour);
}

/// "5,670 of 9,000 · 612/s · 5 s left".
pub fn counts(job: &JobSnapshot, running: usize) -> String {
    let view = &job.view;
    let mut parts = Vec::new();
    if job.queued {
        parts.push("waiting".to_owned());
    } else if view.paused {
        parts.push("paused".to_owned());
    }
    let amount = |number: u64| if view.unit == "bytes" { bytes(number) } else { thousands(number) };
    if view.total > 0 {
        parts.push(format!("{} of {}", amount(view.done), amount(view.total)));
    } else if view.done > 0 {
        parts.push(amount(view.done));
    }
    if let Some(rate) = view.rate().filter(|_| !view.paused) {
        let rate = if rate >= 10.0 { amount(rate.round() as u64) } else { format!("{rate:.1}") };
        parts.push(format!("{rate}/s"));
    }
    if let Some(left) = view.seconds_left().filter(|_| !view.paused) {
        parts.push(format!("{} left", duration(left)));
    }
    if running > 1 {
        parts.push(format!("+{} more", running - 1));
    }
    parts.join(" · ")
}
