//! `embedlens inspect`: one text's way through a model.

use serde_json::json;

use super::args::InspectArgs;
use super::session::{Failure, Session};
use super::text::plural;
use crate::tasks;

/// Values of the vector that are shown.
const SHOWN: usize = 8;

pub(super) fn run(args: &InspectArgs, session: &Session) -> Result<(), Failure> {
    let model = args.precision.of(&args.model);
    let seen = session.watch(|env, _| tasks::explain_text(&args.text, &model, env))?;
    let mut text = String::new();
    for ((token, id), (start, end)) in seen.tokens.iter().zip(&seen.ids).zip(&seen.offsets) {
        let place = if start == end { String::new() } else { format!("{start}..{end}") };
        text += &format!("{id:>7}  {token:<20} {place}\n");
    }
    text += &format!("\n{}", plural(seen.tokens.len(), "token", "tokens"));
    if seen.truncated > 0 {
        text += &format!(", {} cut off: \"{}\"", seen.truncated, super::text::snippet(&seen.cut_text, 120));
    }
    let first: Vec<String> = seen.vector.iter().take(SHOWN).map(|value| format!("{value:.4}")).collect();
    text += &format!("\nPooling: {}\nNorm before normalising: {:.4}\n", seen.pooling, seen.norm);
    text += &format!("Vector of {}: {} …\n", seen.vector.len(), first.join(" "));
    let mut document = json!({ "model": model, "text": args.text });
    if let (Some(top), Ok(serde_json::Value::Object(fields))) = (document.as_object_mut(), serde_json::to_value(&seen))
    {
        top.extend(fields);
    }
    session.print(&text, &document)
}
