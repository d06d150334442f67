//! The strip under the map: a query typed or a picture dropped, and its hits, one list a modality.

use eframe::egui::{self, ComboBox, Key, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, pos2, vec2};

use crate::corpus::Modality;
use crate::ui::command::Command;
use crate::ui::context::Context;
use crate::ui::state::WindowState;
use crate::ui::theme;
use crate::ui::tiles::padded;
use crate::ui::widgets::{self, clipped_text, link, number_at, score_bar};
use crate::vectors::RowId;
use crate::workspace::{Answer, AnswerGroup};

/// Queries that were seen to work on the bundled sample.
pub const EXAMPLES: [&str; 5] = [
    "birds that live near water",
    "sort a list of numbers",
    "a coin",
    "something warm to wear",
    "retry a failed request",
];

/// Paints the pane.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    padded(ui, |ui| {
        field(ui, ctx, state);
        ui.add_space(6.0);
        match ctx.answer {
            Some(answer) => {
                keys(ui, ctx, state, answer);
                hits(ui, ctx, state, answer);
            }
            None => suggestions(ui, ctx, state),
        }
    });
}

/// The query field with its two companions.
pub fn field(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 230.0).max(120.0);
        let edit = TextEdit::singleline(&mut state.query_text)
            .hint_text("Type what you look for, in words")
            .desired_width(width)
            .margin(egui::Margin::symmetric(10, 6));
        let response = ui.add_enabled(ctx.corpus.is_some(), edit);
        widgets::name_field(&response, "Query", &state.query_text);
        if state.seen_query_focus != ctx.query_focus_request {
            state.seen_query_focus = ctx.query_focus_request;
            response.request_focus();
        }
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            state.query_cursor = None;
            ask(ctx, &state.query_text);
            response.request_focus();
        }
        top(ui, ctx);
        let button = ui.button("Choose an image…").on_hover_text("Or drop one here: finds pictures like it");
        if button.clicked() {
            ctx.send(Command::ChooseQueryImage);
        }
    });
}

fn ask(ctx: &Context<'_>, text: &str) {
    let text = text.trim();
    ctx.send(if text.is_empty() { Command::ClearQuery } else { Command::Query(text.to_owned()) });
}

fn top(ui: &mut Ui, ctx: &Context<'_>) {
    let combo = ComboBox::from_id_salt("top").width(74.0).selected_text(format!("Top {}", ctx.settings.top)).show_ui(
        ui,
        |ui| {
            for count in [10, 20, 50, 100] {
                if ui.selectable_label(ctx.settings.top == count, format!("Top {count}")).clicked() {
                    ctx.send(Command::SetTop(count));
                }
            }
        },
    );
    combo.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "How many hits"));
}

fn suggestions(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    if ctx.corpus.is_none() {
        widgets::dim(ui, "Load a folder first; then ask it something here.");
        return;
    }
    widgets::dim(ui, "Ask in your own words. Texts, code and pictures are ranked each on their own scale.");
    if !ctx.corpus.is_some_and(|corpus| crate::ui::is_sample(corpus)) {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        widgets::dim(ui, "For example:");
        for example in EXAMPLES {
            if link(ui, example).clicked() {
                state.query_text = example.to_owned();
                ask(ctx, example);
            }
        }
    });
}

/// Arrow keys move through the hits while the query field or nothing has the keyboard.
fn keys(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, answer: &Answer) {
    let all: Vec<(usize, usize, RowId)> = answer
        .groups
        .iter()
        .enumerate()
        .flat_map(|(group, list)| list.hits.iter().enumerate().map(move |(place, hit)| (group, place, hit.0)))
        .collect();
    let step = ui.input_mut(|input| {
        let down = input.consume_key(egui::Modifiers::NONE, Key::ArrowDown);
        let up = input.consume_key(egui::Modifiers::NONE, Key::ArrowUp);
        i64::from(down) - i64::from(up)
    });
    if step == 0 || all.is_empty() {
        return;
    }
    let now = state.query_cursor.and_then(|(group, place)| all.iter().position(|hit| (hit.0, hit.1) == (group, place)));
    let next = now.map_or(if step > 0 { 0 } else { all.len() - 1 }, |now| {
        (now as i64 + step).clamp(0, all.len() as i64 - 1) as usize
    });
    state.query_cursor = Some((all[next].0, all[next].1));
    ctx.send(Command::Focus(all[next].2));
}

fn hits(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, answer: &Answer) {
    let groups: Vec<&AnswerGroup> = answer.groups.iter().filter(|group| belongs(ctx, group)).collect();
    if groups.is_empty() {
        widgets::dim(ui, "No loaded model can answer this kind of query yet.");
    }
    let columns = groups.len().clamp(1, 3);
    if columns > 1 {
        ui.columns(columns, |columns| {
            for (place, group) in groups.iter().enumerate() {
                let slot = place % columns.len();
                list(&mut columns[slot], ctx, state, (answer, group));
            }
        });
    } else if let Some(group) = groups.first() {
        list(ui, ctx, state, (answer, group));
    }
    for (model, why) in &answer.unanswered {
        if groups.is_empty() {
            widgets::faint(ui, format!("{model}: {why}"));
        }
    }
}

/// A group is listed when it is of the shown model, or of a modality the shown model does not answer for.
fn belongs(ctx: &Context<'_>, group: &AnswerGroup) -> bool {
    let Some(answer) = ctx.answer else { return false };
    let of_shown = |group: &AnswerGroup| Some(&group.model) == ctx.shown;
    if of_shown(group) {
        return true;
    }
    let same = answer.groups.iter().filter(|other| other.modality == group.modality);
    let shown_answers = same.clone().any(of_shown);
    // Where the shown model is silent, the first model that answered for the modality speaks.
    !shown_answers && same.clone().next().is_some_and(|first| first.model == group.model)
}

fn list(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, (answer, group): (&Answer, &AnswerGroup)) {
    let index = answer.groups.iter().position(|other| std::ptr::eq(other, group)).unwrap_or_default();
    let title = match group.modality {
        Modality::Text => "Texts",
        Modality::Code => "Code",
        Modality::Image => "Pictures",
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).font(theme::section_font()).color(ctx.theme.faint));
        widgets::faint(ui, format!("by {}", group.model_name));
    });
    let area = ScrollArea::vertical().id_salt(("hits", index)).auto_shrink([false, false]);
    area.show_rows(ui, 26.0, group.hits.len(), |ui, visible| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for place in visible {
            let at = state.query_cursor == Some((index, place));
            let (row, score) = group.hits[place];
            let response = hit(ui, ctx, (place, row, score), at);
            if response.hovered() {
                state.hover_next = Some(row);
                state.hover_seen = true;
            }
            if response.clicked() {
                state.query_cursor = Some((index, place));
                ctx.send(Command::Focus(row));
            }
        }
    });
}

/// One hit: rank, bar, score, path, text.
pub fn hit(ui: &mut Ui, ctx: &Context<'_>, (place, row, score): (usize, RowId, f32), at: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
    let Some(corpus) = ctx.corpus.filter(|corpus| row.index() < corpus.chunks.len()) else { return response };
    let item = corpus.item_of(row);
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, at, format!("Hit {} {}", place + 1, item.shown_path))
    });
    let focused = ctx.selection.focus == Some(row);
    let lit = response.hovered() || response.has_focus() || ctx.hovered == Some(row);
    if focused || at || lit {
        let fill = if focused || at { ctx.theme.accent_fill } else { ctx.theme.raised };
        ui.painter().rect_filled(rect, 6.0, fill);
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, theme::Theme::faded(ctx.theme.line, 0.6)));
    let middle = rect.center().y;
    let left = rect.left() + 6.0;
    number_at(ui, pos2(left + 18.0, middle), &(place + 1).to_string(), (theme::secondary(), ctx.theme.faint));
    let wide = rect.width() > 420.0;
    let bar = if wide { 84.0 } else { 40.0 };
    score_bar(ui, pos2(left + 28.0, middle), bar, score);
    let number = left + 28.0 + bar + 38.0;
    number_at(ui, pos2(number, middle), &format!("{score:.2}"), (egui::FontId::proportional(12.5), ctx.theme.text));
    let text_left = number + 12.0;
    let room = rect.right() - text_left - 6.0;
    let path_room = if wide { (room * 0.36).min(220.0) } else { room * 0.42 };
    clipped_text(
        ui,
        pos2(text_left, middle),
        path_room - 10.0,
        &short_path(&item.shown_path),
        (theme::secondary(), ctx.theme.dim),
    );
    let words = match item.modality {
        Modality::Image => super::map_pane::note_of(ctx, row).unwrap_or_else(|| "picture".to_owned()),
        _ => corpus.text_of(row).chars().take(240).collect(),
    };
    clipped_text(
        ui,
        pos2(text_left + path_room, middle),
        room - path_room,
        &words,
        (egui::FontId::proportional(12.5), ctx.theme.text),
    );
    response
}

/// The last two parts of a path: the rest is in the inspector.
pub fn short_path(path: &str) -> String {
    let parts: Vec<&str> = path.rsplitn(3, '/').collect();
    match parts.as_slice() {
        [file, folder, ..] => format!("{folder}/{file}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::short_path;

    #[test]
    fn a_path_is_shown_by_its_last_two_parts() {
        assert_eq!(short_path("sample/texts/animals/heron.txt"), "animals/heron.txt");
        assert_eq!(short_path("heron.txt"), "heron.txt");
    }
}
