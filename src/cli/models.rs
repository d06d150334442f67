//! `embedlens models`: the model cards.

use serde_json::Value;

use super::args::ModelsArgs;
use super::json;
use super::session::{Failure, Session};
use super::text::{columns, count};
use crate::models::ModelCard;
use crate::tasks;

pub(super) fn run(_: &ModelsArgs, session: &Session) -> Result<(), Failure> {
    let cards = tasks::listed_models();
    let mut rows = vec![["id", "reads", "dimensions", "tokens", "MB", "licence"].map(str::to_owned).to_vec()];
    rows.extend(cards.iter().map(row));
    let mut text = columns(&rows, "llrrrl");
    for card in &cards {
        text += &format!("\n{}\n  {}\n  Best for: {}\n", card.id, card.about, card.best_for);
        for (title, lines) in [("Strengths", &card.strengths), ("Weaknesses", &card.weaknesses)] {
            if !lines.is_empty() {
                text += &format!("  {title}: {}\n", lines.join("; "));
            }
        }
    }
    text += "\nA folder with config.json, tokenizer.json and model.safetensors, or ORG/NAME in the local hub cache, can be given to --model too.\n";
    session.print(&text, &cards.iter().map(json::card).collect::<Value>())
}

fn row(card: &ModelCard) -> Vec<String> {
    vec![
        card.id.to_string(),
        json::modality(card.input).to_owned(),
        count(card.dimensions as u64),
        card.context_tokens.map_or_else(|| "any".to_owned(), |tokens| count(tokens as u64)),
        format!("{:.0}", card.size_bytes as f64 / 1e6),
        card.licence.clone(),
    ]
}
