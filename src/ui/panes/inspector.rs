//! The panel at the right: the item looked at, its nearest neighbours in the original space, how it was embedded.

use eframe::egui::text::ByteIndex;
use eframe::egui::{
    self, ColorImage, Label, RichText, ScrollArea, Sense, Stroke, TextureOptions, Ui, pos2, text::LayoutJob, vec2,
};

use super::query::short_path;
use crate::corpus::{Content, Modality};
use crate::ui::command::{Command, SelectMode};
use crate::ui::context::{Context, Inspection, ModelState};
use crate::ui::state::WindowState;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{self, clipped_text, fact, link, number_at, plural, section, thousands};
use crate::vectors::RowId;
use crate::workspace::{Column, ModelCard, ModelSource, Precision};

/// Paints the panel.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    let Some(corpus) = ctx.corpus.filter(|corpus| !corpus.chunks.is_empty()) else {
        widgets::empty_state(ui, "Nothing selected", "Load a folder, then click a point of the map.", |_| {});
        return;
    };
    let focus = ctx.selection.focus.filter(|row| row.index() < corpus.chunks.len());
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.add_space(-6.0);
        if ctx.selection.rows.len() > 1 {
            selection(ui, ctx, state);
        }
        match focus {
            Some(row) => {
                item(ui, ctx, state, row);
                super::fields::show(ui, ctx, state, row);
                elsewhere(ui, ctx, row);
                let found = ctx.inspection.filter(|found| found.row == row);
                nearest(ui, ctx, state, found);
                if corpus.item_of(row).modality == Modality::Image {
                    super::captions::show(ui, ctx, state, row);
                }
                embedded(ui, ctx, found);
            }
            None if ctx.selection.rows.len() <= 1 => {
                section(ui, "Selected");
                widgets::dim(
                    ui,
                    "Click a point to read it beside its nearest neighbours. Draw a lasso to select many.",
                );
            }
            None => {}
        }
        ui.add_space(16.0);
    });
}

fn selection(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState) {
    section(ui, "Selection");
    let count = ctx.selection.rows.len();
    ui.label(RichText::new(plural(count, "chunk")).font(theme::title_font()));
    let revision = ctx.selection.revision;
    if state.selection_labels.as_ref().is_none_or(|(counted, _)| *counted != revision) {
        state.selection_labels = Some((revision, frequent_labels(ctx)));
    }
    if let Some((_, words)) = &state.selection_labels {
        widgets::dim(ui, words.as_str());
    }
    ui.horizontal(|ui| {
        if link(ui, "Clear").clicked() {
            ctx.send(Command::ClearSelection);
        }
        if link(ui, "Invert").clicked() {
            ctx.send(Command::InvertSelection);
        }
    });
    ui.add_space(4.0);
    let rows = &ctx.selection.rows;
    let area = ScrollArea::vertical().id_salt("selected rows").max_height(26.0 * 8.0).auto_shrink([false, true]);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        area.show_rows(ui, 26.0, rows.len(), |ui, seen| {
            for place in seen {
                selected_row(ui, ctx, state, rows[place]);
            }
        });
    });
}

/// One line of the selection: click looks at it.
fn selected_row(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, row: RowId) {
    let Some(corpus) = ctx.corpus.filter(|corpus| row.index() < corpus.chunks.len()) else { return };
    let item = corpus.item_of(row);
    let words = match item.modality {
        Modality::Image => super::map_pane::note_of(ctx, row).unwrap_or_default(),
        _ => corpus.text_of(row).chars().take(60).collect(),
    };
    let name = item.file_name().to_owned();
    let mut line = widgets::Row::new(&name, words.split_whitespace().collect::<Vec<_>>().join(" "));
    line.right = line.right.chars().take(26).collect();
    line.chosen = ctx.selection.focus == Some(row);
    let response = line.show(ui);
    if response.hovered() || response.has_focus() {
        state.hover_next = Some(row);
        state.hover_seen = true;
    }
    if response.clicked() {
        ctx.send(Command::Focus(row));
    }
}

/// The five most frequent folders of the selection with their counts.
fn frequent_labels(ctx: &Context<'_>) -> String {
    let Some(corpus) = ctx.corpus else { return String::new() };
    let mut labels = std::collections::BTreeMap::<&str, usize>::new();
    // Enough to tell what is in it; a whole corpus is not counted in a frame.
    for &row in ctx.selection.rows.iter().take(5_000).filter(|row| row.index() < corpus.chunks.len()) {
        *labels.entry(corpus.item_of(row).label.as_str()).or_default() += 1;
    }
    let mut labels: Vec<_> = labels.into_iter().collect();
    labels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let words = labels.iter().take(5).map(|(label, count)| format!("{label} {}", thousands(*count as u64)));
    words.collect::<Vec<_>>().join(" · ")
}

fn item(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, row: RowId) {
    let Some(corpus) = ctx.corpus else { return };
    let (item, chunk) = (corpus.item_of(row), corpus.chunk(row));
    section(ui, "Selected");
    ui.add(Label::new(RichText::new(item.file_name()).font(theme::title_font())).truncate());
    let mut place = item.shown_path.replace('/', " / ");
    // A row of a table has no lines of a file.
    if item.modality != Modality::Image && chunk.lines.1 > 0 && corpus.table.is_none() {
        place.push_str(&format!(" · lines {} to {}", chunk.lines.0, chunk.lines.1));
    }
    widgets::dim(ui, place);
    if let Some(name) = &chunk.name {
        ui.label(RichText::new(name).font(theme::mono()).color(ctx.theme.accent));
    }
    ui.add_space(4.0);
    match &item.content {
        Content::Text(text) => text_box(ui, ctx, state, (row, text)),
        Content::Image { width, height, .. } => picture(ui, ctx, state, row, (*width, *height)),
    }
    ui.add_space(4.0);
    let mut facts = vec![item.kind.clone(), widgets::bytes(item.size)];
    facts.extend(item.encoding.map(str::to_owned));
    if chunk.tokens > 0 {
        facts.push(plural(chunk.tokens as usize, "token"));
    }
    facts.push(format!("{} {}", Column::Folder.name(corpus), item.label));
    widgets::dim(ui, facts.join(" · "));
    if let Some(words) = ctx.shown_model().and_then(|model| model.map.clusters.as_ref()?.told(row)) {
        fact(ui, "Cluster", words)
            .on_hover_text("How near it is to what stands for each cluster, its middle or its surest items: shares by squared distance");
    }
    ui.horizontal(|ui| {
        if link(ui, "Copy path").clicked() {
            ctx.send(Command::Copy(item.path.display().to_string()));
        }
        if link(ui, "Show in folder").clicked() {
            ctx.send(Command::RevealFile(row));
        }
        let word = if ctx.selection.contains(row) { "Unselect" } else { "Add to selection" };
        if link(ui, word).clicked() {
            let mode = if ctx.selection.contains(row) { SelectMode::Subtract } else { SelectMode::Add };
            ctx.send(Command::Select(vec![row], mode));
        }
    });
}

/// Where an item can be seen that the shown map does not hold: a picture while a map of texts is shown.
fn elsewhere(ui: &mut Ui, ctx: &Context<'_>, row: RowId) {
    let holds = |model: &&ModelState| model.set.as_ref().is_some_and(|set| set.position_of(row).is_some());
    if ctx.shown_model().as_ref().is_none_or(holds) {
        return;
    }
    let Some(other) = ctx.models.iter().find(|model| holds(model) && model.map.layout.is_some()) else { return };
    if link(ui, &format!("Not on this map. Show the map of {}", other.card.name)).clicked() {
        ctx.send(Command::ShowMap(other.card.id.clone()));
    }
}

/// The whole item with the chunk marked; of a long item only the part around the chunk.
fn text_box(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, (row, text): (RowId, &str)) {
    /// Bytes shown before and after the chunk.
    const AROUND: usize = 3_000;
    let Some(corpus) = ctx.corpus else { return };
    let chunk = corpus.chunk(row);
    let from = floor_border(text, chunk.start.saturating_sub(AROUND));
    let to = floor_border(text, (chunk.end + AROUND).min(text.len()));
    let (start, end) = (chunk.start.clamp(from, to), chunk.end.clamp(from, to));
    let code = corpus.item_of(row).language;
    let font = if code.is_some() { theme::mono() } else { egui::FontId::proportional(13.0) };
    let frame = egui::Frame::new()
        .fill(ctx.theme.background)
        .stroke(Stroke::new(1.0, ctx.theme.line))
        .corner_radius(9)
        .inner_margin(egui::Margin::symmetric(12, 10));
    frame.show(ui, |ui| {
        let area = ScrollArea::both().id_salt(("text", row.0)).max_height(240.0).auto_shrink([false, true]);
        area.show(ui, |ui| {
            if from > 0 {
                widgets::faint(ui, format!("{} before this", widgets::bytes(from as u64)));
            }
            let mut job = match code.filter(|_| to - from <= 2 * AROUND + 4_000) {
                Some(language) => highlighted(ui, &text[from..to], language),
                None => LayoutJob::simple(text[from..to].to_owned(), font, ctx.theme.text, f32::INFINITY),
            };
            mark(&mut job, (start - from)..(end - from), &ctx.theme);
            job.wrap.max_width = if code.is_some() { f32::INFINITY } else { ui.available_width() };
            let (at, galley, response) = Label::new(job).selectable(true).extend_if(code.is_some()).layout_in_ui(ui);
            if state.text_seen != Some(row) {
                // The chunk begins at the top of the box; what stands before it is a turn of the wheel away.
                state.text_seen = Some(row);
                let letters = text[from..start].chars().count();
                let top = galley
                    .pos_from_cursor(egui::text::CCursor::new(egui::text::CharIndex(letters)))
                    .translate(at.to_vec2());
                let shown = ui.available_size_before_wrap().x;
                let left =
                    egui::Rect::from_min_size(pos2(response.rect.left(), top.top()), vec2(shown.max(1.0), 200.0));
                ui.scroll_to_rect_animation(left, Some(egui::Align::TOP), egui::style::ScrollAnimation::none());
            }
            egui::text_selection::LabelSelectionState::label_text_selection(
                ui,
                &response,
                at,
                galley,
                ctx.theme.text,
                Stroke::NONE,
            );
            if to < text.len() {
                widgets::faint(ui, format!("{} after this", widgets::bytes((text.len() - to) as u64)));
            }
        });
    });
}

/// `Label::extend` where lines of code must not wrap.
trait ExtendIf {
    fn extend_if(self, yes: bool) -> Self;
}

impl ExtendIf for Label {
    fn extend_if(self, yes: bool) -> Self {
        if yes { self.extend() } else { self.wrap() }
    }
}

fn highlighted(ui: &Ui, code: &str, language: &str) -> LayoutJob {
    let name = match language {
        "rust" => "rs",
        "python" => "py",
        "javascript" | "typescript" => "js",
        "shell" => "sh",
        other => other,
    };
    let theme = egui_extras::syntax_highlighting::CodeTheme::from_memory(ui.ctx(), ui.style());
    let mut job = egui_extras::syntax_highlighting::highlight(ui.ctx(), ui.style(), &theme, code, name);
    for section in &mut job.sections {
        section.format.font_id = theme::mono();
    }
    job
}

/// Puts the accent behind the bytes of `range`, splitting sections at its ends; dims the rest.
fn mark(job: &mut LayoutJob, range: std::ops::Range<usize>, theme: &Theme) {
    let mut out = Vec::with_capacity(job.sections.len() + 2);
    for section in std::mem::take(&mut job.sections) {
        let (first, last) = (section.byte_range.start.0, section.byte_range.end.0);
        let mut cuts = vec![first];
        cuts.extend([range.start, range.end].into_iter().filter(|&at| at > first && at < last));
        cuts.push(last);
        for (place, pair) in cuts.windows(2).enumerate() {
            let mut piece = section.clone();
            piece.byte_range = ByteIndex(pair[0])..ByteIndex(pair[1]);
            if place > 0 {
                piece.leading_space = 0.0;
            }
            let inside = pair[0] >= range.start && pair[1] <= range.end;
            if inside {
                piece.format.background = theme.accent_fill;
            } else if !inside {
                piece.format.color = Theme::faded(piece.format.color, 0.65);
            }
            out.push(piece);
        }
    }
    job.sections = out;
}

fn floor_border(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn picture(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, row: RowId, (width, height): (u32, u32)) {
    let Some(corpus) = ctx.corpus else { return };
    let item = corpus.item_of(row);
    let full = ctx.inspection.filter(|found| found.row == row).and_then(|found| found.picture.as_ref());
    let texture = match (&item.content, full) {
        (_, Some(picture)) => {
            let known = state.picture.as_ref().filter(|known| known.0 == row).map(|known| known.1.clone());
            known.unwrap_or_else(|| {
                let image = ColorImage::from_rgb([picture.width, picture.height], &picture.rgb);
                let options = if picture.width < 64 { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
                let texture = ui.ctx().load_texture("inspected picture", image, options);
                state.picture = Some((row, texture.clone()));
                texture
            })
        }
        (Content::Image { thumbnail, .. }, None) => state.thumbnails.get(ui.ctx(), row, thumbnail),
        (Content::Text(_), None) => return,
    };
    let room = vec2(ui.available_width(), 230.0);
    let scale = (room.x / width as f32).min(room.y / height as f32);
    let size = vec2(width as f32, height as f32) * scale;
    ui.add(egui::Image::new((texture.id(), size)).corner_radius(7).alt_text(item.file_name()));
    widgets::dim(ui, format!("{} x {} pixels", thousands(width.into()), thousands(height.into())));
}

/// The models whose neighbours are shown for a row, with what was found.
fn columns<'a>(ctx: &'a Context<'_>, found: &'a Inspection) -> Vec<(&'a ModelState, &'a [(RowId, f32)])> {
    let mut columns: Vec<_> =
        found.nearest.iter().filter_map(|(id, list)| Some((ctx.model(id)?, list.as_slice()))).collect();
    // Beside a set that was made of another stands that one.
    let of = ctx.shown_model().and_then(|shown| match &shown.card.source {
        ModelSource::Made { of, .. } => Some(of),
        _ => None,
    });
    columns.sort_by_key(|(model, _)| (Some(&model.card.id) != ctx.shown, Some(&model.card.id) != of));
    columns.truncate(2);
    columns
}

/// Nearest by the first model, with the rank and score each has under the second.
fn nearest(ui: &mut Ui, ctx: &Context<'_>, state: &mut WindowState, found: Option<&Inspection>) {
    section(ui, "Nearest in the original space");
    let Some(found) = found else {
        widgets::faint(ui, "Looking…");
        return;
    };
    let columns = columns(ctx, found);
    let Some((first, list)) = columns.first() else {
        widgets::faint(ui, "No model has embedded this item yet.");
        return;
    };
    let second = columns.get(1);
    let width = ui.available_width();
    let (rect, _) = ui.allocate_exact_size(vec2(width, 20.0), Sense::hover());
    let middle = rect.center().y;
    let ends = (rect.right() - if second.is_some() { 76.0 } else { 0.0 }, rect.right());
    clipped_text(ui, pos2(rect.left() + 20.0, middle), 80.0, "item", (theme::secondary(), ctx.theme.faint));
    number_at(ui, pos2(ends.0, middle), &short_name(&first.card.name), (theme::secondary(), ctx.theme.dim));
    if let Some((model, _)) = second {
        number_at(ui, pos2(ends.1, middle), &short_name(&model.card.name), (theme::secondary(), ctx.theme.dim));
    }
    for (place, &(row, score)) in list.iter().take(10).enumerate() {
        let other = second.map(|(model, list)| {
            let at = list.iter().position(|hit| hit.0 == row)?;
            Some((at, model.closeness(list[at].1).0))
        });
        let response = neighbour(ui, ctx, (place, row, first.closeness(score).0), other);
        if response.hovered() {
            state.hover_next = Some(row);
            state.hover_seen = true;
        }
        if response.clicked() {
            ctx.send(Command::Focus(row));
        }
    }
}

type Other = Option<Option<(usize, String)>>;

fn neighbour(
    ui: &mut Ui,
    ctx: &Context<'_>,
    (place, row, score): (usize, RowId, String),
    other: Other,
) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::click());
    let Some(corpus) = ctx.corpus.filter(|corpus| row.index() < corpus.chunks.len()) else { return response };
    let item = corpus.item_of(row);
    let name = match (&corpus.chunk(row).name, item.modality) {
        (Some(name), Modality::Code) => format!("{name} · {}", item.file_name()),
        _ => short_path(&item.shown_path),
    };
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Neighbour {} {name}", place + 1)));
    if response.hovered() || response.has_focus() || ctx.hovered == Some(row) {
        ui.painter().rect_filled(rect.expand2(vec2(4.0, 0.0)), 6.0, ctx.theme.raised);
    }
    let middle = rect.center().y;
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, Theme::faded(ctx.theme.line, 0.6)));
    number_at(ui, pos2(rect.left() + 12.0, middle), &(place + 1).to_string(), (theme::secondary(), ctx.theme.faint));
    let end = rect.right() - if other.is_some() { 76.0 } else { 0.0 };
    let room = end - rect.left() - 20.0 - 44.0;
    clipped_text(ui, pos2(rect.left() + 20.0, middle), room, &name, (egui::FontId::proportional(12.5), ctx.theme.text));
    let figures = egui::FontId::proportional(12.5);
    number_at(ui, pos2(end, middle), &score, (figures.clone(), ctx.theme.text));
    match other {
        Some(Some((rank, score))) => {
            let rank_text = (rank + 1).to_string();
            number_at(ui, pos2(rect.right() - 38.0, middle), &rank_text, (theme::secondary(), ctx.theme.dim));
            number_at(ui, pos2(rect.right(), middle), &score, (figures, ctx.theme.text));
        }
        Some(None) => number_at(ui, pos2(rect.right(), middle), "not near", (theme::secondary(), ctx.theme.faint)),
        None => {}
    }
    response
}

/// A model's name cut for a column head.
pub fn short_name(name: &str) -> String {
    // "MiniLM-L6-v2 int8" is told from "MiniLM-L6-v2" by its precision.
    if let Some((rest, precision)) = name.rsplit_once(' ').filter(|(_, word)| word.parse::<Precision>().is_ok()) {
        return format!("{} {precision}", short_name(rest));
    }
    // So is "MiniLM-L6-v2 pca:64", which seldom leaves room for both.
    if let Some((_, way)) = name.rsplit_once(' ').filter(|(_, word)| word.contains(':')) {
        return way.to_owned();
    }
    let mut words = name.split(['-', ' ']);
    let first = words.next().unwrap_or(name);
    // "MiniLM static 256" is told from "MiniLM-L6-v2" by its second word.
    words.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())).unwrap_or(first).to_owned()
}

fn embedded(ui: &mut Ui, ctx: &Context<'_>, found: Option<&Inspection>) {
    let Some(found) = found else { return };
    let shown = ctx.shown_model().map(|model| &model.card);
    let maker = shown.and_then(ModelCard::maker);
    let shown_way = found.explained.iter().find(|(id, _)| Some(id) == maker).or(found.explained.first());
    let Some((id, way)) = shown_way else { return };
    section(ui, "How this was embedded");
    let model = ctx.model(id);
    fact(ui, "Model", model.map_or_else(|| id.to_string(), |model| model.card.name.clone()));
    if let Some(made) = shown.filter(|card| Some(id) == maker && matches!(card.source, ModelSource::Made { .. })) {
        let ways =
            ctx.shown_model().and_then(|model| model.set.as_ref()).into_iter().flat_map(|set| set.reductions.iter());
        let ways: Vec<String> = ways.map(|fitted| fitted.reduction().spelled()).collect();
        fact(ui, "Then", format!("shortened to {} by {}", plural(made.dimensions, "dimension"), ways.join(", then ")));
    }
    if !way.tokens.is_empty() {
        let shown: Vec<&str> = way.tokens.iter().take(40).map(String::as_str).collect();
        let rest = if way.tokens.len() > 40 { " …" } else { "" };
        token_line(ui, "Tokens", &format!("{}{rest}", shown.join(" ")));
        let ids: Vec<String> = way.ids.iter().take(16).map(u32::to_string).collect();
        let rest = if way.ids.len() > 16 { " …" } else { "" };
        token_line(ui, "Ids", &format!("{}{rest}", ids.join(" ")));
        let cut = if way.truncated == 0 {
            "nothing".to_owned()
        } else {
            format!("{}: “{}”", plural(way.truncated, "token"), way.cut_text.chars().take(60).collect::<String>())
        };
        fact(ui, "Cut", cut);
    }
    for (class, share) in way.classes.iter().take(5) {
        fact(ui, "Seen as", format!("{class} {share:.2}"));
    }
    fact(ui, "Pooling", way.pooling.clone());
    let normalized = model.is_none_or(|model| model.card.normalized);
    fact(ui, "Norm", if normalized { format!("1.000 (was {:.2})", way.norm) } else { format!("{:.2}", way.norm) });
    let values: Vec<String> = way.vector.iter().take(5).map(|value| format!("{value:.3}")).collect();
    token_line(ui, "Vector", &format!("{} … ({} values)", values.join(" "), way.vector.len()));
}

fn token_line(ui: &mut Ui, name: &str, value: &str) {
    let theme = Theme::of(ui.ctx());
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(86.0, 15.0), Sense::hover());
        ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, name, theme::secondary(), theme.dim);
        ui.add(Label::new(RichText::new(value).font(egui::FontId::monospace(11.5))).wrap().selectable(true));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::text::TextFormat;

    #[test]
    fn marking_splits_sections_and_keeps_every_byte() {
        let mut job = LayoutJob::default();
        job.append("fn soup", 0.0, TextFormat::default());
        job.append("() {}", 0.0, TextFormat { italics: true, ..TextFormat::default() });
        mark(&mut job, 3..9, &theme::DARK);
        let ranges: Vec<_> =
            job.sections.iter().map(|section| section.byte_range.start.0..section.byte_range.end.0).collect();
        assert_eq!(ranges, [0..3, 3..7, 7..9, 9..12]);
        let marked: Vec<_> = job.sections.iter().map(|s| s.format.background == theme::DARK.accent_fill).collect();
        assert_eq!(marked, [false, true, true, false]);
    }
}
