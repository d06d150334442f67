//! Which model for which use: a ranking of the catalogue by what a person wants, each place with its reasons.
//!
//! A pure function of what is wanted, of the data where they are known, and of the catalogue. It measures nothing: figures are published
//! ones, and where there is none the judgement is a rule of thumb and says so. Invariant: the same wants give the same answer, and every
//! model is either suggested or left out with a reason.

mod dimensions;
mod exclude;
mod parts;
mod quality;

use serde::{Deserialize, Serialize};

pub use dimensions::{Recommended, recommended};

use super::{Domain, KnownModel, all};

/// What a model is wanted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Passages on a subject.
    #[default]
    SemanticSearch,
    /// Passages that answer a question.
    QuestionAnswering,
    /// Groups of like texts.
    Clustering,
    /// Texts sorted into classes.
    Classification,
    /// Texts that say the same.
    Duplicates,
    /// Functions by what they do.
    CodeSearch,
    /// Pictures by words.
    PicturesByWords,
    /// Pictures by a picture.
    SimilarPictures,
    /// Texts of one field: law, medicine, finance.
    DomainTexts,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SemanticSearch,
        Self::QuestionAnswering,
        Self::Clustering,
        Self::Classification,
        Self::Duplicates,
        Self::CodeSearch,
        Self::PicturesByWords,
        Self::SimilarPictures,
        Self::DomainTexts,
    ];

    /// Its name in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SemanticSearch => "Semantic search",
            Self::QuestionAnswering => "Question answering",
            Self::Clustering => "Clustering",
            Self::Classification => "Classification",
            Self::Duplicates => "Finding duplicates",
            Self::CodeSearch => "Code search",
            Self::PicturesByWords => "Pictures by words",
            Self::SimilarPictures => "Similar pictures",
            Self::DomainTexts => "Texts of one field",
        }
    }

    /// Whether it is about pictures.
    pub fn is_of_pictures(self) -> bool {
        matches!(self, Self::PicturesByWords | Self::SimilarPictures)
    }
}

/// Where a model may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deployment {
    /// Only what is on this computer now.
    Offline,
    /// On this computer; weights may be fetched first.
    #[default]
    Local,
    /// Anywhere: also behind an API, and also what this version cannot run yet.
    Anywhere,
}

/// What is weighed against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Published quality for the use.
    Quality,
    /// Work for each token or picture.
    Speed,
    /// Dimensions, and so storage.
    Storage,
    /// Longest text.
    Context,
    /// Field of the texts.
    Domain,
    /// Money.
    Cost,
}

impl Criterion {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Quality, Self::Speed, Self::Storage, Self::Context, Self::Domain, Self::Cost];

    /// Its name in words, which is also the one of the command line.
    pub fn words(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Speed => "speed",
            Self::Storage => "storage",
            Self::Context => "context",
            Self::Domain => "domain",
            Self::Cost => "cost",
        }
    }
}

/// How much each criterion counts, 0 to 5, in the order of [`Criterion::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighing(pub [f64; 6]);

impl Weighing {
    /// The weight of a criterion.
    pub fn of(&self, criterion: Criterion) -> f64 {
        self.0[criterion as usize].max(0.0)
    }

    /// Sets the weight of a criterion.
    pub fn set(&mut self, criterion: Criterion, weight: f64) {
        self.0[criterion as usize] = weight;
    }
}

impl Default for Weighing {
    /// Quality counts three times as much as anything else.
    fn default() -> Self {
        Self([3.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    }
}

/// What is known of a person's own data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Data {
    /// Texts and files of code.
    pub texts: usize,
    /// Files of code among them.
    pub code: usize,
    /// Pictures.
    pub pictures: usize,
    /// Pieces that are embedded: chunks and pictures.
    pub pieces: usize,
    /// Tokens of all pieces.
    pub tokens: u64,
    /// Tokens of the text in the middle.
    pub median_tokens: usize,
    /// Tokens that 95 of 100 texts do not go beyond.
    pub tokens_95: usize,
}

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wants {
    /// The use.
    pub purpose: Use,
    /// How much each criterion counts.
    pub weighing: Weighing,
    /// Where it may run.
    pub deployment: Deployment,
    /// Whether it is for commercial use.
    pub commercial: bool,
    /// The field of the texts.
    pub domain: Option<Domain>,
    /// Whether texts are in other languages than English.
    pub other_languages: bool,
    /// Whether each text is to be embedded whole, not in chunks.
    pub whole: bool,
    /// The data, where they are known.
    pub data: Option<Data>,
    /// Multiplications and additions a second that were measured on this computer.
    pub rate: Option<f64>,
    /// Ids of the models that are on this computer.
    pub here: Vec<String>,
}

/// One criterion's share of a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Part {
    /// The criterion.
    pub criterion: Criterion,
    /// How well the model does by it, 0 to 1.
    pub share: f64,
    /// How much it counts.
    pub weight: f64,
}

/// What the vectors of the data take, in megabytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Storage {
    /// As floats of 32 bits.
    pub f32_mb: f64,
    /// As floats of 16 bits.
    pub f16_mb: f64,
    /// As bytes.
    pub int8_mb: f64,
}

/// A model that fits, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The model.
    pub model: &'static KnownModel,
    /// Whether it is on this computer now.
    pub here: bool,
    /// How well it fits, 0 to 1.
    pub score: f64,
    /// What the score is made of.
    pub parts: Vec<Part>,
    /// One-sentence reasons for it.
    pub pros: Vec<String>,
    /// One-sentence reasons against it.
    pub cons: Vec<String>,
    /// Dimensions to use for this use.
    pub dimensions: usize,
    /// What the vectors of the data would take.
    pub storage: Option<Storage>,
    /// Seconds to embed the data here, roughly: measured work a second times the model's work.
    pub seconds: Option<f64>,
    /// US dollars to embed the data once, of an API.
    pub dollars: Option<f64>,
}

/// The answer to [`Wants`].
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The models that fit, the best first.
    pub suggestions: Vec<Suggestion>,
    /// The others, each with the one reason that leaves it out, in the order of the catalogue.
    pub excluded: Vec<(&'static KnownModel, String)>,
    /// How many dimensions the use wants.
    pub recommended: Recommended,
}

/// Ranks the catalogue by what is wanted.
pub fn choose(wants: &Wants) -> Choice {
    let (mut suggestions, mut excluded) = (Vec::new(), Vec::new());
    for model in all() {
        let here = is_here(wants, model);
        match exclude::reason(wants, model, here) {
            Some(reason) => excluded.push((model, reason)),
            None => suggestions.push(suggest(wants, model, here)),
        }
    }
    suggestions.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.model.id.cmp(&b.model.id)));
    Choice { suggestions, excluded, recommended: recommended(wants.purpose) }
}

fn is_here(wants: &Wants, model: &KnownModel) -> bool {
    model.is_bundled() || wants.here.iter().any(|id| model.names().any(|name| name.eq_ignore_ascii_case(id)))
}

fn suggest(wants: &Wants, model: &'static KnownModel, here: bool) -> Suggestion {
    let dimensions = dimensions::for_use(wants.purpose, model);
    let mut reasons = parts::Reasons::default();
    let shares = [
        quality::share(wants, model, &mut reasons),
        parts::speed(model, &mut reasons),
        parts::storage(model, dimensions, &mut reasons),
        parts::context(wants, model, &mut reasons),
        parts::domain(wants, model, &mut reasons),
        parts::cost(wants, model, &mut reasons),
    ];
    parts::rest(model, here, &mut reasons);
    let part = |(criterion, share): (Criterion, f64)| Part { criterion, share, weight: weight(wants, criterion) };
    let parts: Vec<Part> = Criterion::ALL.into_iter().zip(shares).map(part).collect();
    let all: f64 = parts.iter().map(|part| part.weight).sum();
    let score = parts.iter().map(|part| part.weight * part.share).sum::<f64>() / all.max(f64::MIN_POSITIVE);
    let parts::Reasons { pros, cons } = reasons;
    let (storage, seconds, dollars) =
        (parts::megabytes(wants, dimensions), parts::seconds(wants, model), parts::dollars(wants, model));
    Suggestion { model, here, score, parts, pros, cons, dimensions, storage, seconds, dollars }
}

/// Texts of one field make the field count double.
fn weight(wants: &Wants, criterion: Criterion) -> f64 {
    let doubled = criterion == Criterion::Domain && wants.purpose == Use::DomainTexts;
    wants.weighing.of(criterion) * if doubled { 2.0 } else { 1.0 }
}

#[cfg(test)]
mod tests;
