//! `embedlens models`: the cards of the models that are here.

use serde_json::Value;

use super::models_args::{ModelsArgs, ModelsCommand};
use super::session::{Failure, Session};
use super::text::{columns, count};
use super::{catalogue, choose, download, json, make_models};
use crate::models::{ModelCard, Precision};
use crate::tasks;
use crate::vectors::{kernel_name, level};

pub(super) fn run(args: &ModelsArgs, session: &Session) -> Result<(), Failure> {
    match &args.command {
        None if args.filter.is_asked() => catalogue::list(&args.filter, session),
        None => list(session),
        Some(ModelsCommand::Show(args)) => catalogue::show(args, session),
        Some(ModelsCommand::Choose(args)) => choose::run(args, session),
        Some(ModelsCommand::Download(args)) => download::run(args, session),
        Some(ModelsCommand::Convert(args)) => make_models::convert(args, session),
        Some(ModelsCommand::Distill(args)) => make_models::distill(args, session),
    }
}

fn list(session: &Session) -> Result<(), Failure> {
    let cards = tasks::listed_models(&session.env);
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
    text += &precisions(&cards);
    text += "\nA folder with config.json, tokenizer.json and model.safetensors, or ORG/NAME in the local hub cache, can be given to --model too.\n\
        `embedlens models --all` lists what is known of others, `embedlens models choose` helps to choose, and\n\
        `embedlens models download ORG/NAME` fetches one.\n";
    session.print(&text, &cards.iter().map(json::card).collect::<Value>())
}

/// What the precisions are, for the models that have a choice.
fn precisions(cards: &[ModelCard]) -> String {
    let named: Vec<&str> =
        cards.iter().filter(|card| card.precision.is_some()).map(|card| card.id.0.as_str()).collect();
    let Some(first) = named.first() else { return String::new() };
    let mut text = format!(
        "\nPrecisions of {}: --precision f32, bf16 or int8, or {first}@int8 for one of several models\n",
        named.join(", ")
    );
    for precision in Precision::ALL {
        text += &format!("  {precision:<5} {}\n", precision.about());
    }
    text + &format!("Kernels here: {} (EMBEDLENS_CPU={} or a lower level)\n", kernel_name(), level().word())
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
