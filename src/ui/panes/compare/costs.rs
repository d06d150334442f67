//! What each compared model costs on this computer: size, speed, memory. Only measured figures and those of the card.

use eframe::egui::{Color32, Response, Sense, Stroke, Ui, pos2, vec2};

use crate::ui::context::{Context, ModelState};
use crate::ui::panes::inspector::short_name;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{self, clipped_right, clipped_text, section, thousands};
use crate::workspace::ModelSource;

/// A row of the table: its name, the value of a model, and what the hover text says of it.
struct Line {
    name: &'static str,
    value: fn(&ModelState) -> Option<String>,
    hover: fn(&ModelState) -> Option<String>,
}

const LINES: [Line; 7] = [
    Line { name: "Dimensions", value: |model| Some(thousands(model.card.dimensions as u64)), hover: |_| None },
    Line { name: "Context, tokens", value: context, hover: |_| None },
    Line { name: "Chunks", value: |model| Some(thousands(model.set.as_ref()?.rows.len() as u64)), hover: |_| None },
    Line { name: "Chunks a second", value: |model| Some(rate(model.speed?.per_second)), hover: measured_on },
    Line { name: "Seconds to embed", value: seconds, hover: made_of },
    Line {
        name: "Memory of the model",
        value: |model| Some(widgets::bytes((model.set.as_ref()?.model_memory_mb? * 1e6) as u64)),
        hover: |_| {
            let words = "What this program grew by when the model was opened. Two models that share a network: only the first \
                opened counts it.";
            Some(words.to_owned())
        },
    },
    Line { name: "Size of vectors", value: |model| Some(widgets::bytes(model.set.as_ref()?.bytes())), hover: |_| None },
];

/// Paints the table of the compared models.
pub(super) fn show(ui: &mut Ui, ctx: &Context<'_>) {
    // A model that stands there with two maps costs what it costs once.
    let slots = ctx.compare.slots.iter().enumerate();
    let own = slots.filter(|(place, id)| !ctx.compare.slots[..*place].contains(id)).map(|(_, id)| id);
    let models: Vec<&ModelState> = own.filter_map(|id| ctx.model(id)).collect();
    if models.is_empty() {
        return;
    }
    section(ui, "Measured on this computer");
    ui.spacing_mut().item_spacing.y = 0.0;
    let names: Vec<&str> = models.iter().map(|model| model.card.name.as_str()).collect();
    line(ui, ctx, "", heads(&names).into_iter().map(|head| (head, ctx.theme.dim)).collect());
    for Line { name, value, hover } in &LINES {
        let values = models.iter().map(|model| (value(model).unwrap_or_else(|| "–".into()), ctx.theme.text));
        let response = line(ui, ctx, name, values.collect());
        let mut words: Vec<String> = models.iter().filter_map(|model| hover(model)).collect();
        words.dedup();
        if !words.is_empty() {
            response.on_hover_text(words.join("\n"));
        }
    }
}

/// The names above the columns; where those of two models would be the same way to fewer dimensions, with the model behind it.
fn heads(names: &[&str]) -> Vec<String> {
    let short: Vec<String> = names.iter().map(|name| short_name(name)).collect();
    let head = |(name, head): (&&str, &String)| {
        let same = short.iter().filter(|other| *other == head).count();
        let base = name.strip_suffix(head.as_str()).map(str::trim_end).filter(|base| !base.is_empty() && same > 1);
        base.map_or_else(|| head.clone(), |base| format!("{head} {}", short_name(base)))
    };
    names.iter().zip(&short).map(head).collect()
}

fn line(ui: &mut Ui, ctx: &Context<'_>, name: &str, values: Vec<(String, Color32)>) -> Response {
    let width = ui.available_width();
    let count = values.len();
    let cell = (width * 0.62 / count as f32).min(84.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 25.0), Sense::hover());
    let room = width - cell * count as f32;
    clipped_text(ui, rect.left_center(), room, name, (theme::secondary(), ctx.theme.text));
    for (place, (value, colour)) in values.into_iter().enumerate() {
        let right = rect.right() - cell * (count - 1 - place) as f32;
        clipped_right(ui, pos2(right, rect.center().y), cell - 10.0, &value, (theme::secondary(), colour));
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, Theme::faded(ctx.theme.line, 0.6)));
    response
}

fn context(model: &ModelState) -> Option<String> {
    match (model.card.input.reads_texts(), model.card.context_tokens) {
        (false, _) => None,
        (true, None) => Some("no limit".into()),
        (true, Some(tokens)) => Some(thousands(tokens as u64)),
    }
}

/// A rate: whole from 10 on, one digit below.
fn rate(per_second: f64) -> String {
    if per_second >= 10.0 { thousands(per_second.round() as u64) } else { format!("{per_second:.1}") }
}

/// What is said of a set that no model embedded.
fn made_of(model: &ModelState) -> Option<String> {
    let ModelSource::Made { of, .. } = &model.card.source else { return None };
    Some(format!("{}: made of the vectors of {of}, not embedded", model.card.name))
}

fn measured_on(model: &ModelState) -> Option<String> {
    if let Some(words) = made_of(model) {
        return Some(words);
    }
    let on = match (model.speed, &model.set) {
        (Some(speed), _) => format!("on {}", widgets::plural(speed.inputs, "chunk")),
        (None, Some(_)) => "when nothing else is running".to_owned(),
        (None, None) => return None,
    };
    Some(format!("{}: measured {on}", short_name(&model.card.name)))
}

/// Seconds of the run; where the cache or another model gave some of it, about what all of it would take.
fn seconds(model: &ModelState) -> Option<String> {
    let set = model.set.as_ref().filter(|_| made_of(model).is_none())?;
    if set.cached + set.shared == 0 {
        return Some(if set.seconds < 0.05 { "under 0.1".to_owned() } else { format!("{:.1}", set.seconds) });
    }
    let about = set.rows.len() as f64 / model.speed?.per_second;
    Some(if about < 0.05 { "under 0.1".to_owned() } else { format!("about {}", rate(about)) })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ui::context::MapModel;
    use crate::vectors::{RowId, Vectors};
    use crate::workspace::{EmbeddingSet, ModelCard, Speed};

    fn model(cached: usize, seconds: f64, speed: Option<Speed>) -> ModelState {
        let card = ModelCard::plain("m", 1);
        let set = EmbeddingSet {
            revision: [0; 32],
            card: card.clone(),
            fingerprint: String::new(),
            rows: (0..100).map(RowId).collect(),
            vectors: Vectors::new(vec![1.0; 100], 1).unwrap(),
            reductions: Default::default(),
            graph: Default::default(),
            tokens: [].into(),
            cut: [].into(),
            notes: [].into(),
            failed: [].into(),
            cached,
            shared: 0,
            embedded: 100 - cached,
            seconds,
            tokens_embedded: 0,
            model_memory_mb: Some(3.0),
        };
        ModelState {
            card,
            colour: 0,
            set: Some(Arc::new(set)),
            map: MapModel::default(),
            facts: None,
            error: None,
            speed,
        }
    }

    #[test]
    fn two_models_made_as_short_have_different_heads() {
        assert_eq!(heads(&["MiniLM-L6-v2", "bge-small pca:64"]), ["MiniLM", "pca:64"]);
        assert_eq!(heads(&["MiniLM-L6-v2 pca:64", "BGE-M3 pca:64"]), ["pca:64 MiniLM", "pca:64 BGE"]);
    }

    #[test]
    fn what_came_from_the_cache_is_told_by_the_measured_rate() {
        let speed = Some(Speed { per_second: 40.0, inputs: 64 });
        assert_eq!(seconds(&model(0, 1.25, None)).as_deref(), Some("1.2"));
        assert_eq!(seconds(&model(100, 0.0, speed)).as_deref(), Some("about 2.5"));
        assert_eq!(seconds(&model(100, 0.0, None)), None);
        assert_eq!(
            seconds(&model(100, 0.0, Some(Speed { per_second: 1e5, inputs: 64 }))).as_deref(),
            Some("under 0.1")
        );
        assert_eq!(measured_on(&model(100, 0.0, speed)).as_deref(), Some("m: measured on 64 chunks"));
        let mut made = model(0, 0.01, None);
        made.card.source = ModelSource::Made { of: made.card.id.clone(), made_by: None };
        assert_eq!(seconds(&made), None);
        assert!(measured_on(&made).unwrap().contains("not embedded"));
    }
}
