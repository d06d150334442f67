//! `embedlens models choose`: models ranked for a use, on the person's own files where they are named.

use serde_json::{Value, json};

use super::models_args::ChooseArgs;
use super::session::{Failure, Session};
use super::text::{count, plural};
use super::{catalogue, json};
use crate::models::catalogue::choose::{Choice, Data, Suggestion, Use, Wants, choose};
use crate::tasks;
use crate::workspace::data_of;

pub(super) fn run(args: &ChooseArgs, session: &Session) -> Result<(), Failure> {
    let (mut data, mut rate) = (None, None);
    if !args.paths.is_empty() {
        let corpus = session.load(&args.paths, &args.load)?;
        data = Some(data_of(&corpus));
        rate = session.watch(|env, progress| tasks::measure_rate(&corpus, env, progress))?;
    }
    let wants = Wants {
        purpose: args.purpose.into(),
        weighing: args.weights.unwrap_or_default(),
        deployment: args.place.into(),
        commercial: args.commercial,
        domain: args.domain.map(Into::into),
        other_languages: args.other_languages,
        whole: args.whole,
        data,
        rate,
        here: tasks::models_here(&session.env),
    };
    let choice = choose(&wants);
    session.print(&words(&wants, &choice, args.top), &document(&wants, &choice, args.top))
}

fn words(wants: &Wants, choice: &Choice, top: usize) -> String {
    let mut text = format!("{}\n", wants.purpose.words());
    if wants.purpose == Use::DomainTexts && wants.domain.is_none() {
        text += "No field is named (--domain law, finance, …): general models come first.\n";
    }
    if let Some(data) = &wants.data {
        text += &format!("{}\n", of_data(data));
    }
    let range = &choice.recommended;
    text += &format!("Dimensions: {} to {}. {} ({})\n", range.from, range.to, range.why, range.basis);
    if choice.suggestions.is_empty() {
        text += "\nNo model fits; the reasons are below.\n";
    }
    for (place, found) in choice.suggestions.iter().take(top).enumerate() {
        text += &suggestion(place, found);
    }
    let more = choice.suggestions.len().saturating_sub(top);
    if more > 0 {
        text += &format!("\nAnd {} more (--top lists more).\n", count(more as u64));
    }
    if !choice.excluded.is_empty() {
        text += &format!("\nLeft out, {}:\n", plural(choice.excluded.len(), "model", "models"));
    }
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (model, reason) in &choice.excluded {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, models)) => models.push(&model.name),
            None => reasons.push((reason, vec![&model.name])),
        }
    }
    for (reason, models) in reasons {
        text += &format!("  {reason} {}\n", models.join(", "));
    }
    text
}

fn of_data(data: &Data) -> String {
    format!(
        "Your files: {} of {} tokens in the middle, 95 of 100 up to {}; {}; {} to embed.",
        plural(data.texts, "text", "texts"),
        count(data.median_tokens as u64),
        count(data.tokens_95 as u64),
        plural(data.pictures, "picture", "pictures"),
        plural(data.pieces, "piece", "pieces"),
    )
}

fn suggestion(place: usize, found: &Suggestion) -> String {
    let mut text = format!("\n{}. {}  {:.0} of 100\n", place + 1, found.model.id, found.score * 100.0);
    let mut facts = vec![format!("{} dimensions", found.dimensions)];
    if let Some(storage) = &found.storage {
        facts.push(format!(
            "vectors {:.1} MB (f32), {:.1} (f16), {:.1} (int8)",
            storage.f32_mb, storage.f16_mb, storage.int8_mb
        ));
    }
    if let Some(seconds) = found.seconds {
        facts.push(format!("about {} to embed here", time(seconds)));
    }
    if let Some(dollars) = found.dollars {
        facts.push(format!("{dollars:.2} dollars"));
    }
    text += &format!("   {}\n", facts.join(", "));
    for (sign, reasons) in [('+', &found.pros), ('-', &found.cons)] {
        for reason in reasons {
            text += &format!("   {sign} {reason}\n");
        }
    }
    text
}

fn time(seconds: f64) -> String {
    match seconds {
        ..1.0 => "a second".to_owned(),
        1.0..120.0 => format!("{seconds:.0} seconds"),
        120.0..7200.0 => format!("{:.0} minutes", seconds / 60.0),
        _ => format!("{:.0} hours", seconds / 3600.0),
    }
}

fn document(wants: &Wants, choice: &Choice, top: usize) -> Value {
    let one = |(place, found): (usize, &Suggestion)| {
        let parts: Value = found
            .parts
            .iter()
            .map(|part| {
                json!({ "criterion": part.criterion.words(), "share": json::rounded(Some(part.share), 4), "weight": part.weight })
            })
            .collect();
        json!({
            "rank": place + 1, "id": found.model.id, "score": json::rounded(Some(found.score), 4), "parts": parts, "for": found.pros,
            "against": found.cons, "dimensions": found.dimensions, "storage_mb": storage(found),
            "seconds": json::rounded(found.seconds, 1), "dollars": json::rounded(found.dollars, 4), "available": found.here,
            "model": catalogue::entry(found.model, found.here),
        })
    };
    let excluded: Value =
        choice.excluded.iter().map(|(model, reason)| json!({ "id": model.id, "reason": reason })).collect();
    json::object([
        ("use", json!(wants.purpose)),
        ("data", json!(wants.data)),
        ("operations_per_second", json::rounded(wants.rate, 0)),
        ("recommended_dimensions", json!(choice.recommended)),
        ("suggestions", choice.suggestions.iter().take(top).enumerate().map(one).collect()),
        ("excluded", excluded),
    ])
}

fn storage(found: &Suggestion) -> Value {
    let of = |storage: &crate::models::catalogue::choose::Storage| {
        let rounded = |value: f64| json::rounded(Some(value), 3);
        json!({ "f32": rounded(storage.f32_mb), "f16": rounded(storage.f16_mb), "int8": rounded(storage.int8_mb) })
    };
    found.storage.as_ref().map_or(Value::Null, of)
}
