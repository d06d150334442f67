//! `embedlens models --all` and `embedlens models show`: what is known of models, whether they are here or not.

use serde_json::{Value, json};

use super::models_args::{FilterArgs, ShowArgs};
use super::session::{Failure, Session};
use super::text::{columns, count};
use crate::models::catalogue::{Domain, KnownModel, Modality, Place, Weights, all, known};
use crate::tasks;
use crate::workspace::ErrorReport;

/// Lists the entries that pass the filters.
pub(super) fn list(filter: &FilterArgs, session: &Session) -> Result<(), Failure> {
    let here = tasks::models_here(&session.env);
    let listed: Vec<&KnownModel> = all().iter().filter(|model| passes(filter, model)).collect();
    let head = ["id", "reads", "dimensions", "tokens", "MB", "licence", "runs"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(listed.iter().map(|model| row(model, is_here(model, &here))));
    let mut text = columns(&rows, "llrrrll");
    text += if listed.is_empty() {
        "\nNo model of the catalogue is like that; leave a filter out.\n"
    } else {
        "\n`embedlens models show ID` shows all that is known of one.\n"
    };
    session.print(&text, &listed.iter().map(|model| entry(model, is_here(model, &here))).collect::<Value>())
}

fn passes(filter: &FilterArgs, model: &KnownModel) -> bool {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    filter.modality.is_none_or(|modality| model.modality == Modality::from(modality))
        && filter.domain.is_none_or(|domain| model.domains.contains(&Domain::from(domain)))
        && filter.licence.as_ref().is_none_or(|part| contains(&model.licence, part))
        && filter.max_mb.is_none_or(|most| model.size_bytes.is_some_and(|bytes| megabytes(bytes) <= most))
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

fn is_here(model: &KnownModel, here: &[String]) -> bool {
    here.iter().any(|id| known(id).is_some_and(|found| found.id == model.id))
}

fn row(model: &KnownModel, here: bool) -> Vec<String> {
    let runs = match &model.place {
        _ if here => "here",
        Place::Api { .. } => "API only, not here yet",
        Place::Weights(Weights::Bundled) => "in the full program",
        Place::Weights(Weights::Hub) if model.why_not().is_none() => "once fetched",
        Place::Weights(Weights::Hub) => "not here yet",
    };
    vec![
        model.id.clone(),
        model.modality.words().to_owned(),
        count(model.dimensions as u64),
        model.context_tokens.map_or_else(|| "any".to_owned(), |tokens| count(tokens as u64)),
        model.size_bytes.map_or_else(|| "-".to_owned(), |bytes| count((bytes as f64 / 1e6).round() as u64)),
        model.licence.clone(),
        runs.to_owned(),
    ]
}

/// An entry as JSON: the fields of a model that is here, and what only the catalogue knows.
pub(super) fn entry(model: &KnownModel, here: bool) -> Value {
    let mut value = json!(model);
    let source = match &model.place {
        Place::Api { .. } => "api",
        Place::Weights(Weights::Bundled) => "bundled",
        Place::Weights(Weights::Hub) => "hub",
    };
    let modality = match model.modality {
        Modality::TextAndImage => "text and image",
        Modality::Image => "image",
        Modality::Code => "code",
        Modality::Text => "text",
    };
    if let Some(fields) = value.as_object_mut() {
        for (name, of) in [
            ("modality", json!(modality)),
            ("source", json!(source)),
            ("available", json!(here)),
            ("runs", json!(model.runs())),
            ("runs_here", json!(model.why_not().is_none())),
        ] {
            fields.insert(name.to_owned(), of);
        }
    }
    value
}

/// Shows all that is known of one model.
pub(super) fn show(args: &ShowArgs, session: &Session) -> Result<(), Failure> {
    let Some(model) = known(&args.id) else {
        return Err(Failure::Report(ErrorReport {
            summary: format!("the catalogue knows no model called {}", args.id),
            details: near(&args.id),
            hint: "`embedlens models --all` lists all of them; a folder or ORG/NAME that it does not know may still be run".to_owned(),
        }));
    };
    let here = is_here(model, &tasks::models_here(&session.env));
    session.print(&whole(model, here), &entry(model, here))
}

/// Entries whose names have something of what was typed.
fn near(typed: &str) -> Vec<String> {
    let last = typed.rsplit('/').next().unwrap_or(typed).trim();
    let close: Vec<&str> = all()
        .iter()
        .filter(|model| last.len() > 2 && contains(&model.id, last))
        .map(|model| model.id.as_str())
        .collect();
    if close.is_empty() { Vec::new() } else { vec![format!("names like it: {}", close.join(", "))] }
}

fn whole(model: &KnownModel, here: bool) -> String {
    let mut text = format!("{}\n{}\n\n", model.id, model.about);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push(vec![name.to_owned(), value]);
        }
    };
    fact("Runs", if here && !model.is_bundled() { "here: it is on this computer".to_owned() } else { model.runs() });
    fact("Reads", reads(model));
    fact("Built as", model.family.clone());
    fact("Dimensions", dimensions(model));
    fact("Pooling", model.pooling.map_or(String::new(), |pooling| pooling.words().to_owned()));
    fact("Prompts", prompts(model));
    fact("Length 1", if model.normalized { "yes" } else { "no; compare by cosine" }.to_owned());
    fact("Languages", model.languages_words().to_owned());
    fact("Fields", model.domains.iter().map(|domain| domain.words()).collect::<Vec<_>>().join(", "));
    fact("Licence", model.licence.clone());
    let parameters = model.parameters.map_or(String::new(), |parameters| format!("{} parameters", count(parameters)));
    let size = model.size_bytes.map_or(String::new(), |bytes| format!(", {} MB", count((bytes as f64 / 1e6) as u64)));
    fact("Size", parameters + &size);
    let price =
        |cost: &crate::models::catalogue::Cost| format!("{} dollars a million tokens on {}", cost.dollars, cost.on);
    fact("Cost", model.cost.as_ref().map_or(String::new(), price));
    fact("Also called", model.aliases.join(", "));
    text += &columns(&rows, "ll");
    for (title, lines) in [("Strengths", &model.strengths), ("Weaknesses", &model.weaknesses)] {
        text += &format!("\n{title}\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>());
    }
    text += &format!("\nBest for\n  {}\n", model.best_for);
    if !model.quality.is_empty() {
        let figures: Vec<Vec<String>> = model
            .quality
            .iter()
            .map(|figure| vec![format!("  {}", figure.measure), format!("{:.2}", figure.value), figure.source.clone()])
            .collect();
        text += &format!("\nPublished figures\n{}", columns(&figures, "lrl"));
    }
    if let Some(lesson) = &model.lesson {
        text += &format!("\nThe lesson\n  {lesson}\n");
    }
    text + &format!("\nSources\n{}", model.sources.iter().map(|line| format!("  {line}\n")).collect::<String>())
}

fn reads(model: &KnownModel) -> String {
    let length = match model.context_tokens {
        Some(tokens) => format!(", up to {} tokens a text", count(tokens as u64)),
        None if model.modality == Modality::Image => String::new(),
        None if model.modality == Modality::TextAndImage => ", texts of any length".to_owned(),
        None => ", of any length".to_owned(),
    };
    format!("{}{length}", model.modality.words())
}

fn dimensions(model: &KnownModel) -> String {
    let cut: Vec<String> = model.matryoshka.iter().skip(1).map(ToString::to_string).collect();
    let cut = if cut.is_empty() { String::new() } else { format!("; can be cut to {}", cut.join(", ")) };
    format!("{}{cut}", count(model.dimensions as u64))
}

fn prompts(model: &KnownModel) -> String {
    let Some(prompts) = model.prompts() else { return "none".to_owned() };
    let of = |name: &str, prompt: &str| (!prompt.is_empty()).then(|| format!("{name} \"{prompt}\""));
    [of("queries", &prompts.query), of("texts", &prompts.passage)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
