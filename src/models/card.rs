//! Model cards, the embedder trait, and what goes in and comes out.

use std::path::PathBuf;
use std::sync::Arc;

use super::Precision;

/// Name of a model: a bundled one ("all-MiniLM-L6-v2"), a hub name ("ORG/NAME") or a folder's path. It may end in the precision
/// it runs in ("all-MiniLM-L6-v2@int8"); without such an ending it runs in `f32`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ModelId(pub String);

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ModelId {
    /// The name without its precision, and the precision. Only the exact endings "@f32", "@bf16" and "@int8" are one.
    pub fn parts(&self) -> (&str, Precision) {
        let ending =
            |&precision: &Precision| Some((self.0.strip_suffix(precision.word())?.strip_suffix('@')?, precision));
        Precision::ALL.iter().find_map(ending).unwrap_or((&self.0, Precision::default()))
    }

    /// The same model in `precision`: its ending replaced, and left out for `f32` (unless the bare name would then be read as
    /// another precision).
    #[must_use]
    pub fn at(&self, precision: Precision) -> Self {
        Self::named(self.parts().0, precision)
    }

    /// The model called `name`, which carries no precision of its own, in `precision`.
    pub(super) fn named(name: &str, precision: Precision) -> Self {
        let bare = Self(name.to_owned());
        if precision == Precision::default() && bare.parts().0 == name {
            bare
        } else {
            Self(format!("{name}@{precision}"))
        }
    }
}

/// What a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// Texts and code.
    Text,
    /// Pictures.
    Image,
}

/// How token vectors become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Mean over the tokens.
    Mean,
    /// The first token's vector.
    Cls,
    /// Largest value of each dimension over the tokens.
    Max,
    /// Mean over the tokens, each weighing as much as its place from 1.
    WeightedMean,
    /// The last token's vector.
    Last,
    /// Mean over the places of a picture.
    Spatial,
    /// Probability-weighted mean of class vectors (ConSE).
    Classes,
}

/// Where a model's weights are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelSource {
    /// Inside this program.
    Bundled,
    /// In a folder.
    Folder(PathBuf),
    /// In the hub's cache on this computer.
    HubCache(PathBuf),
    /// Nowhere: vectors that came from a file. The model that made them, where it is here and its vectors are as long.
    File {
        /// The file of vectors.
        path: PathBuf,
        /// The model that made them.
        made_by: Option<ModelId>,
    },
}

/// What is known of a model.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ModelCard {
    /// Its id.
    pub id: ModelId,
    /// A short name for tabs and columns: "MiniLM-L6-v2".
    pub name: String,
    /// What it reads.
    pub input: InputKind,
    /// Values a vector.
    pub dimensions: usize,
    /// Longest input in tokens, special tokens counted; `None` for pictures and for models without a limit.
    pub context_tokens: Option<usize>,
    /// What its matrix products are made of, as its id says; `None` for models without a choice.
    pub precision: Option<Precision>,
    /// Where this machine cannot run that precision: one sentence on what it runs instead.
    pub runs_as: Option<String>,
    /// How it pools.
    pub pooling: Pooling,
    /// Whether its vectors are brought to length 1.
    pub normalized: bool,
    /// The space its vectors live in. Vectors of two models can be compared only when this is equal.
    pub space: String,
    /// The model that embeds typed queries for this space; `None` when words cannot be asked of it.
    pub text_query_model: Option<ModelId>,
    /// Licence, SPDX where there is one.
    pub licence: String,
    /// Where the weights are.
    pub source: ModelSource,
    /// Bytes of weights.
    pub size_bytes: u64,
    /// One sentence: what it is.
    pub about: String,
    /// What it is good at.
    pub strengths: Vec<String>,
    /// What it cannot do.
    pub weaknesses: Vec<String>,
    /// What to use it for.
    pub best_for: String,
}

impl ModelCard {
    /// The model whose vectors these are: itself, or the one that made the vectors of a file, where it is known.
    pub fn maker(&self) -> Option<&ModelId> {
        match &self.source {
            ModelSource::File { made_by, .. } => made_by.as_ref(),
            _ => Some(&self.id),
        }
    }

    /// The card of the same model in `precision`: id, name and the model for queries carry it, its space stays. A model without
    /// a choice stays as it is.
    #[must_use]
    pub fn at(self, precision: Precision) -> Self {
        let Some(before) = self.precision else { return self };
        let id = self.id.at(precision);
        let of_itself = self.text_query_model.as_ref() == Some(&self.id);
        let bare = self.name.strip_suffix(before.word()).map_or(self.name.as_str(), str::trim_end);
        let name = if precision == Precision::default() { bare.to_owned() } else { format!("{bare} {precision}") };
        let runs = precision.runs_as();
        let runs_as = (runs != precision).then(|| {
            format!(
                "This processor has no {precision} products, so it runs in {runs}: the same vectors, and no faster."
            )
        });
        let text_query_model = if of_itself { Some(id.clone()) } else { self.text_query_model };
        Self { id, name, text_query_model, precision: Some(precision), runs_as, ..self }
    }

    /// Whether it stands for vectors that came from a file, and cannot embed anything.
    pub fn is_of_file(&self) -> bool {
        matches!(self.source, ModelSource::File { .. })
    }
}

#[cfg(test)]
impl ModelCard {
    /// A card of a model of texts that says nothing else, for tests.
    pub(crate) fn plain(name: &str, dimensions: usize) -> Self {
        Self {
            id: ModelId(name.to_owned()),
            name: name.to_owned(),
            input: InputKind::Text,
            dimensions,
            context_tokens: None,
            precision: None,
            runs_as: None,
            pooling: Pooling::Mean,
            normalized: false,
            space: String::new(),
            text_query_model: None,
            licence: String::new(),
            source: ModelSource::Bundled,
            size_bytes: 0,
            about: String::new(),
            strengths: Vec::new(),
            weaknesses: Vec::new(),
            best_for: String::new(),
        }
    }
}

/// One thing to embed.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A text or a piece of code.
    Text(&'a str),
    /// A picture, 8-bit RGB, orientation already applied.
    Image(&'a image::RgbImage),
}

/// The vectors of one batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embedded {
    /// Row-major vectors, one row an input, in the order given.
    pub values: Vec<f32>,
    /// Tokens each input was cut into and the model saw, special tokens counted; 0 for pictures.
    pub tokens: Vec<u32>,
    /// Tokens of each input that the model did not see because of its context length.
    pub cut: Vec<u32>,
    /// What the model says of each input in a few words: a picture's likeliest classes ("tabby 0.61, lynx 0.12"); empty
    /// for texts.
    pub notes: Vec<String>,
    /// What the network gave for each input, where several models are made of one network ([`Embedder::network`]); else empty.
    pub seen: Vec<Arc<Seen>>,
}

/// What a picture network gave for one picture: all that the models made of it need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Pooled features, not normalised.
    pub features: Vec<f32>,
    /// The likeliest classes (index, probability), likeliest first.
    pub likeliest: Vec<(usize, f32)>,
}

/// One input's way through a model, for the inspector and `embedlens inspect`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// Tokens as the model sees them, special ones included.
    pub tokens: Vec<String>,
    /// Their ids.
    pub ids: Vec<u32>,
    /// Byte range in the input of each token; (0, 0) for special ones.
    pub offsets: Vec<(usize, usize)>,
    /// Tokens that did not fit.
    pub truncated: usize,
    /// The text that did not fit.
    pub cut_text: String,
    /// How it pooled, in words.
    pub pooling: String,
    /// Length of the vector before it was brought to 1.
    pub norm: f32,
    /// Likeliest classes with their probabilities; pictures only.
    pub classes: Vec<(String, f32)>,
    /// The vector.
    pub vector: Vec<f32>,
}

/// What can go wrong with a model. Each message names the thing and the next step.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such model here.
    #[error("model {id} is not here: {hint}")]
    NotFound {
        /// The id asked for.
        id: String,
        /// Where was looked, and what to do.
        hint: String,
    },
    /// A file of the model is missing or makes no sense.
    #[error("model file {path}: {message}")]
    BadFile {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// An architecture or option this version cannot run.
    #[error("model {id} cannot be run: {message}")]
    Unsupported {
        /// The model.
        id: String,
        /// Why.
        message: String,
    },
    /// A text was given to a picture model or the other way round.
    #[error("{model} reads {reads}, not {given}")]
    WrongInput {
        /// The model's name.
        model: String,
        /// What it reads.
        reads: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// The tokenizer failed.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A computation failed.
    #[error("tensor computation: {0}")]
    Tensor(String),
}

/// A loaded model.
pub trait Embedder: Send {
    /// What is known of it.
    fn card(&self) -> &ModelCard;
    /// Hash of weights, tokenizer and everything else that decides the vectors: part of every cache key.
    fn fingerprint(&self) -> &str;
    /// Embeds one batch. Vectors come in the order of the inputs, normalised when the card says so.
    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError>;
    /// Embeds one batch as [`Embedder::embed`] does, and gives up soon after `stop` says so: then there are no vectors. Models whose
    /// batches are quick may look at it only between batches.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    fn embed_until(
        &mut self,
        inputs: &[Input<'_>],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Embedded>, ModelError> {
        if stop() { Ok(None) } else { self.embed(inputs).map(Some) }
    }
    /// Hash of the network that decides its vectors together with what [`Embedder::embed_seen`] adds; `None` for a model with a
    /// network of its own.
    fn network(&self) -> Option<&str> {
        None
    }
    /// The same vectors and notes, bit by bit, as [`Embedder::embed`] gives for the inputs that its network saw so.
    ///
    /// # Errors
    /// A model without a shared network; figures that are not of this network.
    fn embed_seen(&self, _seen: &[Arc<Seen>]) -> Result<Embedded, ModelError> {
        let message = "it shares its network with no other model".to_owned();
        Err(ModelError::Unsupported { id: self.card().id.0.clone(), message })
    }
    /// Multiplications and additions of the layers' matrix products, a token: 2 a weight. `None` where that says nothing of the work.
    fn operations_per_token(&self) -> Option<f64> {
        None
    }
    /// How costly an input is, in tokens before truncation (1 for a picture): for sorting into batches.
    fn cost(&self, input: Input<'_>) -> usize;
    /// Shows one input's way through the model.
    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_ends_in_its_precision() {
        let parts = |id: &str| {
            let id = ModelId(id.to_owned());
            let (name, precision) = id.parts();
            (name.to_owned(), precision)
        };
        assert_eq!(parts("minilm"), ("minilm".to_owned(), Precision::F32));
        assert_eq!(parts("minilm@f32"), ("minilm".to_owned(), Precision::F32));
        assert_eq!(parts("./folder@int8"), ("./folder".to_owned(), Precision::Int8));
        assert_eq!(parts("org/name@bf16"), ("org/name".to_owned(), Precision::Bf16));
        for plain in ["a@int4", "a@INT8", "a@int8/b", "aint8", "a@ int8", "a@int8 "] {
            assert_eq!(parts(plain), (plain.to_owned(), Precision::F32));
        }
        let id = ModelId("minilm@int8".to_owned());
        assert_eq!(
            (id.at(Precision::F32).0, id.at(Precision::Bf16).0),
            ("minilm".to_owned(), "minilm@bf16".to_owned())
        );
        let odd = ModelId("./odd@int8@f32".to_owned());
        assert_eq!((odd.parts(), odd.at(Precision::F32)), (("./odd@int8", Precision::F32), odd.clone()));
    }

    #[test]
    fn a_card_carries_its_precision() {
        let mut card = ModelCard::plain("name", 4);
        assert_eq!(card.clone().at(Precision::Int8), card);
        card.precision = Some(Precision::F32);
        card.text_query_model = Some(card.id.clone());
        let int8 = card.clone().at(Precision::Int8);
        assert_eq!((int8.id.0.as_str(), int8.name.as_str(), &int8.space), ("name@int8", "name int8", &card.space));
        assert_eq!((int8.text_query_model.as_ref(), int8.runs_as.as_ref()), (Some(&int8.id), None));
        assert_eq!(int8.at(Precision::F32), card);
        let bf16 = card.at(Precision::Bf16);
        assert_eq!(bf16.runs_as.is_some(), Precision::Bf16.runs_as() != Precision::Bf16);
    }
}
