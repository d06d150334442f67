//! `embedlens inspect`: one text's way through a model, and captions of one picture.

use serde_json::json;

use super::args::InspectArgs;
use super::session::{Failure, Session};
use super::text::{columns, plural};
use crate::corpus::LoadOptions;
use crate::tasks::{self, CaptionRequest, CaptionedPicture};
use crate::workspace::Captioned;

/// Values of the vector that are shown.
const SHOWN: usize = 8;

pub(super) fn run(args: &InspectArgs, session: &Session) -> Result<(), Failure> {
    let model = args.precision.of(&args.model);
    if let Some(image) = &args.image {
        let request = CaptionRequest {
            picture: CaptionedPicture::File(image.clone(), model, LoadOptions::default().max_megapixels),
            captions: args.caption.clone(),
            temperature: args.temperature,
        };
        return captions(&session.watch(|env, _| tasks::caption(&request, env))?, session);
    }
    let typed = args.text.as_deref().unwrap_or_default();
    let seen = session.watch(|env, _| tasks::explain_text(typed, &model, env))?;
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
    let mut document = json!({ "model": model, "text": typed });
    if let (Some(top), Ok(serde_json::Value::Object(fields))) = (document.as_object_mut(), serde_json::to_value(&seen))
    {
        top.extend(fields);
    }
    session.print(&text, &document)
}

/// Prints how likely each caption is, the likeliest first.
fn captions(scored: &Captioned, session: &Session) -> Result<(), Failure> {
    let mut order: Vec<_> = scored.captions.iter().collect();
    order.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
    let mut rows = vec![["share", "cosine", "caption"].map(str::to_owned).to_vec()];
    let line = |share: f32, cosine: f32, text: &str| {
        vec![format!("{:.1} %", share * 100.0), format!("{cosine:.3}"), text.to_owned()]
    };
    rows.extend(order.iter().map(|caption| line(caption.share, caption.cosine, &caption.text)));
    let whose =
        if scored.learnt { "the model's own" } else { "not learnt by the model: read the order, not the shares" };
    let how = if scored.each_alone { "each judged for itself (sigmoid)" } else { "shares of all captions (softmax)" };
    let text = format!("{}\n{how}; temperature {} ({whose})\n", columns(&rows, "rrl"), scored.temperature);
    session.print(&text, &serde_json::to_value(scored).unwrap_or_default())
}
