//! Running jobs and the log of what happened.

use eframe::egui::{RichText, ScrollArea, Sense, Ui, vec2};

use crate::jobs::JobSnapshot;
use crate::ui::command::Command;
use crate::ui::context::{Context, LogLevel};
use crate::ui::panes::top_bar;
use crate::ui::theme;
use crate::ui::widgets::{dim, faint, link, section};

/// Paints the window's content.
pub fn show(ui: &mut Ui, ctx: &Context<'_>) {
    if ctx.jobs.is_empty() {
        dim(ui, "Nothing is running.");
    }
    for job in ctx.jobs {
        running(ui, ctx, job);
    }
    section(ui, "What happened");
    if ctx.log.is_empty() {
        faint(ui, "Nothing yet.");
    }
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for line in ctx.log.iter().rev().take(500) {
            let colour = match line.level {
                LogLevel::Info => ctx.theme.text,
                LogLevel::Warning => ctx.theme.warn,
                LogLevel::Error => ctx.theme.bad,
            };
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(&line.time).font(theme::mono()).color(ctx.theme.faint));
                let sign = match line.level {
                    LogLevel::Info => "",
                    LogLevel::Warning => "Warning: ",
                    LogLevel::Error => "Error: ",
                };
                ui.label(RichText::new(format!("{sign}{}", line.summary)).color(colour));
                if !line.details.is_empty() && link(ui, "Copy details").clicked() {
                    ctx.send(Command::Copy(format!("{}\n{}", line.summary, line.details)));
                }
            });
            if !line.details.is_empty() {
                faint(ui, line.details.as_str());
            }
        }
    });
}

fn running(ui: &mut Ui, ctx: &Context<'_>, job: &JobSnapshot) {
    ui.horizontal(|ui| {
        ui.label(&job.title);
        dim(ui, top_bar::counts(job, 1));
    });
    let mut words = vec![job.view.stage.clone(), job.view.detail.clone()];
    if let Some(rate) = job.view.token_rate() {
        words.push(format!("{} tokens/s", crate::ui::widgets::thousands(rate.round() as u64)));
    }
    words.retain(|words| !words.is_empty());
    faint(ui, words.join(" · "));
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(260.0, 4.0), Sense::hover());
        top_bar::bar(ui, ctx, rect, job.view.fraction());
        let word = if job.view.paused { "Resume" } else { "Pause" };
        if link(ui, word).clicked() {
            ctx.send(Command::PauseJob(job.id, !job.view.paused));
        }
        if link(ui, "Cancel").clicked() {
            ctx.send(Command::CancelJob(job.id));
        }
    });
    ui.add_space(6.0);
}
