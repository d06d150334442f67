//! The strip under the map: a query typed or a picture dropped, and its hits, one list a modality.

use eframe::egui::{self, ComboBox, Key, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, pos2, vec2};

use crate::corpus::{Content, Modality};
use crate::ui::command::Command;
use crate::ui::context::{Context, ModelState};
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
    "a cup of coffee",
    "something warm to wear",
    "retry a failed request",
];

/// Width from which all kinds of hits stand side by side.
const SIDE_BY_SIDE: f32 = 1_100.0;
/// Room beside the kinds of hits from which the question is told there too.
const ROOM: f32 = 520.0;
/// Height of a hit.
const ROW: f32 = 30.0;

/// Paints the pane.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    padded(ui, |ui| {
        let groups = ctx.answer.map(|answer| shown_groups(ctx, answer)).unwrap_or_default();
        let listed = listed(&groups, state);
        if let Some(group) = listed {
            keys(ui, ctx, state, group);
        }
        field(ui, ctx, state);
        ui.add_space(6.0);
        match (ctx.answer, listed) {
            (Some(answer), Some(group)) => {
                let side_by_side = groups.len() > 1 && ui.available_width() >= SIDE_BY_SIDE;
                kinds(ui, ctx, state, (answer, &groups, group.modality), side_by_side);
                if side_by_side {
                    ui.columns(groups.len(), |columns| {
                        for (column, group) in columns.iter_mut().zip(&groups) {
                            heading(column, ctx, group);
                            list(column, ctx, state, group);
                        }
                    });
                } else {
                    list(ui, ctx, state, group);
                }
            }
            (Some(answer), None) => {
                match answer.within {
                    Some(rows) if answer.unanswered.is_empty() => {
                        let rows = widgets::plural(rows, "selected row");
                        widgets::dim(ui, format!("No model that answers this query has embedded any of the {rows}."))
                    }
                    _ => widgets::dim(ui, "No embedded model can answer this query."),
                };
                for (_, why) in &answer.unanswered {
                    widgets::faint(ui, why.as_str());
                }
            }
            (None, _) => suggestions(ui, ctx, state),
        }
    });
}

/// The groups listed in Explore: those of the shown model, and of the modalities it does not answer for.
fn shown_groups<'a>(ctx: &Context<'_>, answer: &'a Answer) -> Vec<&'a AnswerGroup> {
    answer.groups.iter().filter(|group| belongs(ctx, answer, group)).collect()
}

/// The group whose hits are listed and lit: of the kind the user chose, else the best of the first model. Texts and code of one
/// model are on one scale; pictures are not.
pub fn listed<'a>(groups: &[&'a AnswerGroup], state: &WindowState) -> Option<&'a AnswerGroup> {
    let chosen = groups.iter().find(|group| Some(group.modality) == state.query_tab);
    let best = |group: &AnswerGroup| group.hits.first().map_or(f32::NEG_INFINITY, |hit| hit.1);
    let of_first = groups.iter().filter(|group| group.model == groups[0].model);
    chosen.or(of_first.reduce(|a, b| if best(b) > best(a) { b } else { a })).copied()
}

/// The hits that maps light: those of the listed kind.
pub fn lit<'a>(ctx: &Context<'a>, state: &WindowState) -> Option<&'a AnswerGroup> {
    listed(&shown_groups(ctx, ctx.answer?), state)
}

/// The query field with its two companions.
pub fn field(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 356.0).max(120.0);
        let edit = TextEdit::singleline(&mut state.query_text)
            .hint_text("Type what you look for, in words")
            .desired_width(width)
            .margin(egui::Margin::symmetric(10, 6));
        let response = ui.add_enabled(is_filled(ctx), edit);
        widgets::name_field(&response, "Query", &state.query_text);
        state.query_field = Some(response.id);
        if state.seen_query_focus != ctx.query_focus_request {
            state.seen_query_focus = ctx.query_focus_request;
            response.request_focus();
        }
        if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
            state.query_cursor = None;
            state.query_tab = None;
            ask(ctx, &state.query_text);
            response.request_focus();
        }
        ui.add_enabled_ui(is_filled(ctx), |ui| {
            among(ui, ctx);
            top(ui, ctx);
            let button = ui.button("Choose an image…").on_hover_text("Or drop one here: finds pictures like it");
            if button.clicked() {
                ctx.send(Command::ChooseQueryImage);
            }
        });
    });
}

/// Whether there is anything to ask.
fn is_filled(ctx: &Context<'_>) -> bool {
    ctx.corpus.is_some_and(|corpus| !corpus.chunks.is_empty())
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

/// Which rows are asked: all of them or the selected ones.
fn among(ui: &mut Ui, ctx: &Context<'_>) {
    let selected = ctx.selection.rows.len();
    let words = |alone: bool| match alone {
        true => format!("In {} selected", widgets::thousands(selected as u64)),
        false => "In everything".to_owned(),
    };
    let combo =
        ComboBox::from_id_salt("among").width(118.0).selected_text(words(ctx.ask_selection)).show_ui(ui, |ui| {
            for alone in [false, true] {
                if selected == 0 && alone {
                    let hint = "Select points on the map or in the list first, or click a folder";
                    ui.add_enabled(false, egui::Button::selectable(false, "In the selection"))
                        .on_disabled_hover_text(hint);
                } else if ui.selectable_label(ctx.ask_selection == alone, words(alone)).clicked() {
                    ctx.send(Command::AskSelection(alone));
                }
            }
        });
    combo.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Where to look"));
}

/// What to ask, before anything was asked.
pub fn suggestions(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    if !is_filled(ctx) {
        widgets::dim(ui, "Load a folder first; then ask it something here.");
        return;
    }
    if let Some(file) = unasked(ctx) {
        let words = format!(
            "Words cannot be asked of {file}: it is not known which model made its vectors. Click a point, or a line of Items, to see \
             what lies nearest to it."
        );
        widgets::dim(ui, words);
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
                state.query_tab = None;
                ask(ctx, example);
            }
        }
    });
}

/// The file shown, where no model that is here could answer words.
pub fn unasked<'a>(ctx: &'a Context<'_>) -> Option<&'a str> {
    let mute = |model: &ModelState| model.card.is_of_file() && model.card.maker().is_none();
    let shown = ctx.shown_model().filter(|model| mute(model))?;
    let mut embedded = ctx.models.iter().filter(|model| model.set.is_some());
    embedded.all(mute).then_some(shown.card.name.as_str())
}

/// Arrow keys move through the hits while the query field or nothing has the keyboard.
pub fn keys(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, group: &AnswerGroup) {
    let focused = ui.memory(egui::Memory::focused);
    if group.hits.is_empty() || focused.is_some_and(|id| Some(id) != state.query_field) {
        return;
    }
    let step = ui.input_mut(|input| {
        let down = input.consume_key(egui::Modifiers::NONE, Key::ArrowDown);
        let up = input.consume_key(egui::Modifiers::NONE, Key::ArrowUp);
        i64::from(down) - i64::from(up)
    });
    if step == 0 {
        return;
    }
    let last = group.hits.len() as i64 - 1;
    let now = state.query_cursor.and_then(|row| group.hits.iter().position(|hit| hit.0 == row));
    let next = now.map_or(if step > 0 { 0 } else { last }, |now| (now as i64 + step).clamp(0, last));
    let row = group.hits[next as usize].0;
    state.query_cursor = Some(row);
    state.query_scroll = true;
    ctx.send(Command::Focus(row));
}

/// What hits of a kind are called.
pub fn kind_name(modality: Modality) -> &'static str {
    match modality {
        Modality::Text => "Texts",
        Modality::Code => "Code",
        Modality::Image => "Pictures",
    }
}

/// What kinds of hits there are, who answered, who does not and why, how long it took.
fn kinds(
    ui: &mut Ui,
    ctx: &Context<'_>,
    state: &mut WindowState,
    (answer, groups, listed): (&Answer, &[&AnswerGroup], Modality),
    side_by_side: bool,
) {
    // In a narrow window what does not fit goes into a second line, not out of the pane, whose lists would be cut with it.
    ui.horizontal_wrapped(|ui| {
        for group in groups {
            let words = format!("{} {}", kind_name(group.modality), group.hits.len());
            let chip = widgets::chip(ui, &words, !side_by_side && group.modality == listed);
            if chip.on_hover_text("Each kind is ranked on a scale of its own").clicked() {
                state.query_tab = Some(group.modality);
                state.query_cursor = None;
            }
        }
        let by = groups.iter().find(|group| group.modality == listed).map_or("", |group| group.model_name.as_str());
        let took = format!("{:.0} ms", (answer.seconds_embed + answer.seconds_search) * 1e3);
        // What was asked stands in the field too, mostly: where room is scarce it is told on hover.
        let mut words = match ui.available_size_before_wrap().x {
            room if room < ROOM => String::new(),
            _ => format!("“{}”", answer.query.chars().take(40).collect::<String>()),
        };
        if let Some(rows) = answer.within {
            words.push_str(&format!(" in {} selected", widgets::thousands(rows as u64)));
        }
        if !side_by_side {
            words.push_str(&format!(" by {by}"));
        }
        let of_listed = groups.iter().find(|group| group.modality == listed).and_then(|group| ctx.model(&group.model));
        if of_listed.is_some_and(ModelState::by_distance) {
            words.push_str(" · distances");
        }
        let response = widgets::faint(ui, format!("{} · {took}", words.trim_start()));
        let nearer =
            if of_listed.is_some_and(ModelState::by_distance) { "Smaller distances are nearer.\n" } else { "" };
        response.on_hover_text(format!(
            "“{}”\n{nearer}{:.1} ms to embed the query, {:.1} ms to search every vector, with all embedded models",
            answer.query,
            answer.seconds_embed * 1e3,
            answer.seconds_search * 1e3
        ));
        for remark in &answer.remarks {
            ui.label(RichText::new(remark).font(theme::secondary()).color(ctx.theme.warn));
        }
        if !answer.unanswered.is_empty() {
            let why: Vec<&str> = answer.unanswered.iter().map(|(_, why)| why.as_str()).collect();
            let words = format!("{} does not answer. Why?", widgets::plural(why.len(), "model"));
            widgets::coloured_link(ui, &words, ctx.theme.dim).on_hover_text(why.join("\n"));
        }
    });
    ui.add_space(4.0);
}

fn heading(ui: &mut Ui, ctx: &Context<'_>, group: &AnswerGroup) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(kind_name(group.modality)).font(theme::section_font()).color(ctx.theme.faint));
        widgets::faint(ui, format!("by {}", group.model_name));
    });
}

/// A group is listed when it is of the shown model, or of a modality the shown model does not answer for.
fn belongs(ctx: &Context<'_>, answer: &Answer, group: &AnswerGroup) -> bool {
    let of_shown = |group: &AnswerGroup| Some(&group.model) == ctx.shown;
    if of_shown(group) {
        return true;
    }
    let same = answer.groups.iter().filter(|other| other.modality == group.modality);
    let shown_answers = same.clone().any(of_shown);
    // Where the shown model is silent, the first model that answered for the modality speaks.
    !shown_answers && same.clone().next().is_some_and(|first| first.model == group.model)
}

fn list(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, group: &AnswerGroup) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().id_salt(("hits", group.modality)).auto_shrink([false, false]);
    let cursor = state.query_cursor.and_then(|row| group.hits.iter().position(|hit| hit.0 == row));
    if let (true, Some(place)) = (state.query_scroll, cursor) {
        state.query_scroll = false;
        area = area.vertical_scroll_offset((place as f32 * ROW - ui.available_height() / 2.0 + ROW / 2.0).max(0.0));
    }
    area.show_rows(ui, ROW, group.hits.len(), |ui, visible| {
        for place in visible {
            let (row, score) = group.hits[place];
            let score = ctx.model(&group.model).map_or((format!("{score:.2}"), score), |model| model.closeness(score));
            if hit(ui, ctx, state, (place, row, score)).clicked() {
                ctx.send(Command::Focus(row));
            }
        }
    });
}

/// One hit: rank, bar, score, path, text or picture. Hovered or reached by keyboard it is hovered on the maps too.
pub fn hit(
    ui: &mut Ui,
    ctx: &Context<'_>,
    state: &mut WindowState,
    (place, row, score): (usize, RowId, (String, f32)),
) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let Some(corpus) = ctx.corpus.filter(|corpus| row.index() < corpus.chunks.len()) else { return response };
    if response.clicked() {
        state.query_cursor = Some(row);
    }
    if response.hovered() || response.has_focus() {
        state.hover_next = Some(row);
        state.hover_seen = true;
    }
    let at = state.query_cursor == Some(row);
    let item = corpus.item_of(row);
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, at, format!("Hit {} {}", place + 1, item.shown_path))
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
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
    score_bar(ui, pos2(left + 28.0, middle), bar, score.1);
    let number = left + 28.0 + bar + 38.0;
    number_at(ui, pos2(number, middle), &score.0, (egui::FontId::proportional(12.5), ctx.theme.text));
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
    let mut words_left = text_left + path_room;
    let words = match &item.content {
        Content::Image { thumbnail, .. } => {
            let texture = state.thumbnails.get(ui.ctx(), row, thumbnail);
            let longest = thumbnail.width.max(thumbnail.height).max(1) as f32;
            let size = vec2(thumbnail.width as f32, thumbnail.height as f32) * (26.0 / longest);
            let place = egui::Rect::from_center_size(pos2(words_left + 13.0, middle), size);
            let whole = egui::Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(texture.id(), place, whole, egui::Color32::WHITE);
            words_left += 36.0;
            super::map_pane::note_of(ctx, row).unwrap_or_else(|| "picture".to_owned())
        }
        Content::Text(_) => corpus.text_of(row).chars().take(240).collect(),
    };
    let look = (egui::FontId::proportional(12.5), ctx.theme.text);
    clipped_text(ui, pos2(words_left, middle), rect.right() - words_left - 6.0, &words, look);
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
