//! Two to four cards side by side, as a table of facts; where more is plainly better, the best is set apart.

use eframe::egui::{Grid, Label, RichText, ScrollArea, Ui, vec2};

use super::state::{Entry, MOST_TICKED, ModelsState};
use super::{action, card, list};
use crate::ui::context::Context;
use crate::ui::theme;
use crate::ui::widgets::{bytes, dim, empty_state, faint, link, thousands};
use crate::workspace::catalogue::KnownModel;

/// What stands where nothing is published, or nothing applies.
const NONE: &str = "–";
/// Width of the names of facts.
const NAMES: f32 = 108.0;
/// Measures that are compared.
const MEASURES: [&str; 6] =
    ["MTEB average", "MTEB retrieval", "MTEB STS", "MTEB clustering", "MTEB classification", "ImageNet zero-shot"];

/// A row: its name, a cell for each model, and the places of the best.
struct Row {
    name: &'static str,
    cells: Vec<String>,
    best: Vec<bool>,
}

/// Paints the table of the models that are ticked.
pub fn show(ui: &mut Ui, ctx: &Context<'_>, state: &mut ModelsState, entries: &[Entry<'_>]) {
    state.ticked.retain(|id| entries.iter().any(|entry| entry.id() == id));
    let ticked = state.ticked.iter().filter_map(|id| entries.iter().find(|entry| entry.id() == id));
    let ticked: Vec<Entry<'_>> = ticked.copied().collect();
    if ticked.is_empty() {
        let words = format!("Tick two to {MOST_TICKED} models in the list to see their cards beside each other.");
        empty_state(ui, "Nothing to compare yet", &words, |_| {});
        return;
    }
    let columns = ticked.len().max(2) as f32;
    let width = ((ui.available_width() - NAMES - 12.0 * columns - 44.0) / columns).max(120.0);
    ScrollArea::both().id_salt("models side by side").auto_shrink([false, false]).show(ui, |ui| {
        Grid::new("models table").spacing(vec2(12.0, 6.0)).min_col_width(0.0).min_row_height(18.0).show(ui, |ui| {
            heads(ui, ctx, state, &ticked, width);
            for row in rows(&ticked) {
                let name = |ui: &mut Ui| {
                    ui.set_width(NAMES);
                    dim(ui, row.name);
                };
                ui.vertical(name);
                for (cell, &best) in row.cells.iter().zip(&row.best) {
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        let font = if best { theme::section_font() } else { theme::secondary() };
                        let colour = if best { ctx.theme.good } else { ctx.theme.text };
                        ui.add(Label::new(RichText::new(cell).font(font).color(colour)).wrap());
                    });
                }
                ui.end_row();
            }
        });
        if ticked.len() == 1 {
            ui.add_space(8.0);
            dim(ui, "Tick another one in the list to set beside it.");
        }
        ui.add_space(8.0);
        faint(ui, "Green: the best of its row, where more or less is plainly better. –: nothing is published, or it does not apply.");
    });
}

fn heads(ui: &mut Ui, ctx: &Context<'_>, state: &mut ModelsState, ticked: &[Entry<'_>], width: f32) {
    ui.label("");
    for entry in ticked {
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.add(Label::new(RichText::new(entry.name()).font(theme::title_font()).color(ctx.theme.text)).truncate());
            let response = link(ui, "Take out");
            let name = format!("Take out {}", entry.name());
            response.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Link, true, &name));
            if response.clicked() {
                state.tick(entry.id());
            }
            action(ui, ctx, entry, false);
        });
    }
    ui.end_row();
}

fn rows(ticked: &[Entry<'_>]) -> Vec<Row> {
    let text = |name: &'static str, of: &dyn Fn(&Entry<'_>) -> String| Row {
        name,
        cells: ticked.iter().map(of).collect(),
        best: vec![false; ticked.len()],
    };
    let known = |name: &'static str, of: &dyn Fn(&KnownModel) -> String| {
        text(name, &|entry| entry.known.map_or("not known".to_owned(), of))
    };
    let mut rows = vec![
        text("Where", &|entry| list::whereabouts(entry).to_owned()),
        text("Reads", &|entry| entry.reads().to_owned()),
        longest(ticked),
        text("Dimensions", &|entry| {
            let cut = entry.known.map_or(&[][..], |known| known.matryoshka.get(1..).unwrap_or_default());
            let cut: Vec<String> = cut.iter().map(ToString::to_string).collect();
            let cut = if cut.is_empty() { String::new() } else { format!(", can be cut to {}", cut.join(", ")) };
            format!("{}{cut}", thousands(entry.dimensions() as u64))
        }),
        numbers(ticked, "Weights", false, &|entry| entry.size_bytes().map(|size| size as f64), &|size| {
            bytes(size as u64)
        }),
        known("Pooling", &|known| known.pooling.map_or("its own", |pooling| pooling.words()).to_owned()),
        known("Prompts", &card::prompts),
        known("Languages", &|known| {
            if known.languages.is_empty() { NONE.to_owned() } else { known.languages_words().to_owned() }
        }),
        known("Field", &|known| known.domains.iter().map(|domain| domain.words()).collect::<Vec<_>>().join(", ")),
        text("Licence", &|entry| entry.known.map_or(entry.licence().to_owned(), card::licence)),
    ];
    rows.extend(
        [("Work a token", false), ("Work a picture", true)].map(|(name, pictures)| work(ticked, name, pictures)),
    );
    rows.retain(|row| row.cells.iter().any(|cell| cell != NONE));
    for measure in MEASURES {
        let of = |entry: &Entry<'_>| entry.known.and_then(|known| known.figure(measure));
        if ticked.iter().any(|entry| of(entry).is_some()) {
            rows.push(numbers(ticked, measure, true, &of, &|value| format!("{value:.1}")));
        }
    }
    let lines = |lines: &[String]| lines.iter().map(|line| format!("· {line}")).collect::<Vec<_>>().join("\n");
    rows.push(known("Strengths", &|known| lines(&known.strengths)));
    rows.push(known("Weaknesses", &|known| lines(&known.weaknesses)));
    rows.push(known("Best for", &|known| known.best_for.clone()));
    if ticked.iter().any(|entry| entry.known.is_some_and(|known| known.cost.is_some())) {
        rows.push(known("Cost", &|known| {
            known
                .cost
                .as_ref()
                .map_or("nothing".to_owned(), |cost| format!("{} dollars a million tokens ({})", cost.dollars, cost.on))
        }));
    }
    rows
}

/// The longest text; nothing of models that read none.
fn longest(ticked: &[Entry<'_>]) -> Row {
    let of = |entry: &Entry<'_>| {
        let any = entry.reads().contains("text").then_some(f64::INFINITY);
        entry.context_tokens().map(|tokens| tokens as f64).or(any)
    };
    let words = |tokens: f64| {
        if tokens.is_finite() { format!("{} tokens", thousands(tokens as u64)) } else { "any length".to_owned() }
    };
    numbers(ticked, "Longest text", true, &of, &words)
}

/// Multiplications and additions for one token, or for one picture.
fn work(ticked: &[Entry<'_>], name: &'static str, pictures: bool) -> Row {
    let of = |entry: &Entry<'_>| {
        let known = entry.known.filter(|known| known.modality.input().reads_pictures() == pictures)?;
        known.operations.map(|operations| operations as f64)
    };
    let words = |operations: f64| match operations {
        ..1e6 => format!("{} operations", thousands(operations as u64)),
        1e6..1e9 => format!("{:.0} million operations", operations / 1e6),
        _ => format!("{:.1} thousand million operations", operations / 1e9),
    };
    numbers(ticked, name, false, &of, &words)
}

/// A row of numbers; the best of those that are known is set apart, unless all are equal.
fn numbers(
    ticked: &[Entry<'_>],
    name: &'static str,
    more: bool,
    of: &dyn Fn(&Entry<'_>) -> Option<f64>,
    words: &dyn Fn(f64) -> String,
) -> Row {
    let values: Vec<Option<f64>> = ticked.iter().map(of).collect();
    let present = || values.iter().flatten().copied();
    let best = if more { present().fold(f64::NEG_INFINITY, f64::max) } else { present().fold(f64::INFINITY, f64::min) };
    let differ = present().count() > 1 && present().any(|value| value != best);
    let marked = values.iter().map(|value| differ && *value == Some(best)).collect();
    let cells = values.iter().map(|value| value.map_or(NONE.to_owned(), words)).collect();
    Row { name, cells, best: marked }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::catalogue;

    #[test]
    fn the_best_of_a_row_is_set_apart_and_ties_are_not() {
        let entry = |name: &str| Entry { known: catalogue::known(name), model: None };
        let two = [entry("minilm"), entry("BAAI/bge-small-en-v1.5")];
        let rows = rows(&two);
        let row = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
        assert_eq!(row("MTEB retrieval").best, [false, true]);
        assert_eq!(row("Weights").best, [true, false]);
        assert!(row("Dimensions").best.iter().all(|best| !best));
        assert_eq!(row("Work a token").cells[0], "21 million operations");
        assert!(!rows.iter().any(|row| row.name == "Work a picture"), "it applies to neither");
        let same = [entry("BAAI/bge-small-en-v1.5"), entry("intfloat/e5-small-v2")];
        let longest = super::rows(&same).into_iter().find(|row| row.name == "Longest text").unwrap();
        assert_eq!(longest.best, [false, false]);
        assert_eq!(longest.cells[0], "512 tokens");
    }
}
