//! The criteria that are arithmetic: speed, storage, context, field, cost; and their reasons.
//!
//! Invariant: a share is from 0 to 1, and every reason is one sentence.

use super::{Data, Storage, Use, Wants};
use crate::models::catalogue::{Domain, KnownModel, Modality};

/// Reasons for and against a model.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    pub(super) pros: Vec<String>,
    pub(super) cons: Vec<String>,
}

impl Reasons {
    pub(super) fn pro(&mut self, sentence: String) {
        self.pros.push(sentence);
    }

    pub(super) fn con(&mut self, sentence: String) {
        self.cons.push(sentence);
    }
}

/// Operations a token of all-MiniLM-L6-v2, and a picture of CLIP ViT-B/32: what others are held against.
const MINILM: f64 = 21_233_664.0;
const CLIP: f64 = 8_585_625_600.0;
/// Tokens a second that cutting words into tokens takes whatever the model: what a table of vectors is limited by. Rule of thumb for two cores.
const TOKENS_A_SECOND: f64 = 1_500_000.0;

/// The share of speed: 1 from a tenth of the usual small model's work down, 0 from sixty times it up.
pub(super) fn speed(model: &KnownModel, reasons: &mut Reasons) -> f64 {
    let Some(work) = model.operations else {
        reasons.con("Its speed is that of the network and its provider.".to_owned());
        return 0.5;
    };
    let pictures = model.modality.input().reads_pictures();
    let (unit, of, each) = if pictures { (CLIP, "CLIP ViT-B/32", "picture") } else { (MINILM, "MiniLM", "token") };
    let times = work as f64 / unit;
    let share = 1.0 - ((times / 0.1).ln() / 600f64.ln()).clamp(0.0, 1.0);
    if times >= 4.0 {
        reasons.con(format!("{times:.0} times the work of {of} for each {each}."));
    } else if times <= 0.01 {
        reasons.pro("A table of vectors: thousands of texts a second on one core.".to_owned());
    } else if times < 1.5 {
        reasons.pro(if times < 0.9 {
            format!("Less work for each {each} than {of}.")
        } else {
            format!("As quick as {of}.")
        });
    }
    share
}

/// The share of storage: 1 at 64 dimensions, 0 at 4,096, by halves.
pub(super) fn storage(model: &KnownModel, dimensions: usize, reasons: &mut Reasons) -> f64 {
    if dimensions < model.dimensions {
        reasons.pro(format!(
            "Its {} dimensions can be cut to {dimensions}, which it was trained for.",
            grouped(model.dimensions as u64)
        ));
    } else if dimensions >= 1024 {
        let kilobytes = dimensions as f64 * 4e-3;
        reasons.con(format!("{} dimensions: {kilobytes:.1} kB a vector in 32-bit floats.", grouped(dimensions as u64)));
    }
    (1.0 - ((dimensions as f64).log2() - 6.0) / 6.0).clamp(0.0, 1.0)
}

/// The share of context: against the person's own texts where they are known, else against 8,192 tokens.
pub(super) fn context(wants: &Wants, model: &KnownModel, reasons: &mut Reasons) -> f64 {
    if wants.purpose.is_of_pictures() {
        return 1.0;
    }
    let Some(context) = model.context_tokens else {
        reasons.pro("No limit to a text's length.".to_owned());
        return 1.0;
    };
    let Some(data) = wants.data.filter(|data| data.texts > 0) else {
        return ((context as f64).log2() - 6.0).clamp(0.0, 7.0) / 7.0;
    };
    if context >= data.tokens_95 {
        if data.tokens_95 > 256 {
            reasons
                .pro(format!("Sees your texts whole: 95 of 100 have up to {} tokens.", grouped(data.tokens_95 as u64)));
        }
        return 1.0;
    }
    let (words, share) = if context >= data.median_tokens {
        ("Your longer texts would be cut into chunks", 0.5)
    } else {
        ("Most of your texts would be cut into chunks", 0.15)
    };
    let (sees, longest) = (grouped(context as u64), grouped(data.tokens_95 as u64));
    reasons.con(format!("{words}: it sees {sees} tokens, and 95 of 100 texts have up to {longest}."));
    share
}

/// The share of the field: its own, a general model, or another field's.
pub(super) fn domain(wants: &Wants, model: &KnownModel, reasons: &mut Reasons) -> f64 {
    let field = match wants.purpose {
        Use::PicturesByWords | Use::SimilarPictures => return 1.0,
        Use::CodeSearch => Some(Domain::Code),
        _ => wants.domain,
    };
    let names = || model.domains.iter().map(|domain| domain.words()).collect::<Vec<_>>().join(" and ");
    match field {
        Some(field) if model.domains.contains(&field) => {
            if field != Domain::General {
                reasons.pro(format!("Made for {}.", field.words()));
            }
            1.0
        }
        _ if model.domains.contains(&Domain::General) => {
            if field.is_some_and(|field| field != Domain::General) {
                0.5
            } else {
                1.0
            }
        }
        _ => {
            reasons.con(format!("Made for {}.", names()));
            0.1
        }
    }
}

/// The share of cost: nothing is best.
pub(super) fn cost(wants: &Wants, model: &KnownModel, reasons: &mut Reasons) -> f64 {
    let Some(cost) = &model.cost else { return 1.0 };
    let price = format!("{} dollars a million tokens (as of {})", cost.dollars, cost.on);
    match dollars(wants, model) {
        Some(sum) if sum >= 0.01 => reasons.con(format!("About {sum:.2} dollars for your texts once, at {price}.")),
        Some(_) => reasons.con(format!("Less than a cent for your texts once, at {price}.")),
        None => reasons.con(format!("{price}.")),
    }
    (0.6 - cost.dollars * 2.0).clamp(0.1, 0.6)
}

/// Reasons that no criterion counts: where it is, prompts, the lesson, languages.
pub(super) fn rest(model: &KnownModel, here: bool, reasons: &mut Reasons) {
    if here {
        let words = if model.is_bundled() { "Inside this program." } else { "Already on this computer." };
        reasons.pro(words.to_owned());
    } else if let Some(why) = model.why_not() {
        reasons.con(why);
    } else if let Some(size) = model.size_bytes {
        reasons.con(format!("{} MB to fetch first.", grouped((size as f64 / 1e6).round() as u64)));
    }
    if let Some(prompts) = model.prompts() {
        let quoted: Vec<String> = [&prompts.query, &prompts.passage]
            .into_iter()
            .filter(|p| !p.is_empty())
            .map(|p| format!("\"{p}\""))
            .collect();
        reasons.con(format!("Wants {} before a text; this program sees to it.", quoted.join(" or ")));
    }
    if model.commercial.is_none() && model.modality != Modality::TextAndImage {
        reasons.con("Its licence is not stated.".to_owned());
    } else if model.licence.contains("-SA-") {
        reasons.con(format!("{}: what is made from it must carry the same licence.", model.licence));
    }
}

/// "1,234,567".
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let split = |(place, digit): (usize, char)| {
        let comma = place > 0 && (digits.len() - place).is_multiple_of(3);
        comma.then_some(',').into_iter().chain(std::iter::once(digit))
    };
    digits.chars().enumerate().flat_map(split).collect()
}

/// What the vectors of the data take.
pub(super) fn megabytes(wants: &Wants, dimensions: usize) -> Option<Storage> {
    let pieces = pieces(wants, wants.data?);
    let each = |bytes: f64| pieces as f64 * dimensions as f64 * bytes / 1e6;
    (pieces > 0).then(|| Storage { f32_mb: each(4.0), f16_mb: each(2.0), int8_mb: each(1.0) })
}

/// Pieces that the use embeds.
fn pieces(wants: &Wants, data: Data) -> usize {
    if wants.purpose.is_of_pictures() { data.pictures } else { data.pieces.saturating_sub(data.pictures) }
}

/// Seconds to embed the data here.
pub(super) fn seconds(wants: &Wants, model: &KnownModel) -> Option<f64> {
    let (data, rate, work) = (wants.data?, wants.rate.filter(|&rate| rate > 0.0)?, model.operations?);
    if wants.purpose.is_of_pictures() {
        let pictures = pieces(wants, data) as f64;
        return (pictures > 0.0).then(|| pictures * work as f64 / rate);
    }
    let tokens = data.tokens as f64;
    (tokens > 0.0).then(|| tokens * work as f64 / rate + tokens / TOKENS_A_SECOND)
}

/// Dollars to embed the data once.
pub(super) fn dollars(wants: &Wants, model: &KnownModel) -> Option<f64> {
    let (cost, data) = (model.cost.as_ref()?, wants.data?);
    (data.tokens > 0).then(|| cost.dollars * data.tokens as f64 / 1e6)
}
