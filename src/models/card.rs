//! Model cards: what is known of a model that is here.
//!
//! Facts only; what is known of models that are not here is in the catalogue. Invariant: the id decides name and precision.

use std::path::PathBuf;

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

    /// What stands for vectors of this model that were made shorter: "minilm pca:64".
    #[must_use]
    pub fn shortened(&self, way: &str) -> Self {
        Self(format!("{self} {way}"))
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
    /// Texts, code and pictures, in one space.
    Both,
}

impl InputKind {
    /// Whether it reads texts and code.
    pub fn reads_texts(self) -> bool {
        self != Self::Image
    }

    /// Whether it reads pictures.
    pub fn reads_pictures(self) -> bool {
        self != Self::Text
    }

    /// What it reads, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "texts and code",
            Self::Image => "pictures",
            Self::Both => "texts, code and pictures",
        }
    }
}

/// What a model wants put before the texts that it embeds; empty for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Prompts {
    /// Before a question: "query: ".
    pub query: String,
    /// Before a text that is searched: "passage: ".
    pub passage: String,
}

impl Prompts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.query.is_empty() && self.passage.is_empty()
    }
}

/// How the makers of a model compare its vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Similarity {
    /// Cosine of the angle.
    #[default]
    Cosine,
    /// Dot product.
    Dot,
    /// Negative Euclidean distance.
    Euclidean,
    /// Negative sum of absolute differences.
    Manhattan,
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
    /// Sum over the tokens, divided by the square root of their number.
    MeanSqrtLen,
    /// Several of these, their vectors put side by side.
    Several,
    /// Mean over the places of a picture.
    Spatial,
    /// What one learned query finds in the places of a picture.
    Attention,
    /// Probability-weighted mean of class vectors (ConSE).
    Classes,
}

impl Pooling {
    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Mean => "mean pooling",
            Self::Cls => "the first token (CLS)",
            Self::Max => "max pooling",
            Self::WeightedMean => "weighted mean pooling",
            Self::Last => "the last token",
            Self::MeanSqrtLen => "the sum over the square root of the length",
            Self::Several => "several poolings side by side",
            Self::Spatial => "the mean over places",
            Self::Attention => "attention over places",
            Self::Classes => "the mean over classes",
        }
    }
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
    /// Nowhere: vectors made of those of another set, which another model made, where it is known.
    Made {
        /// The card of that set.
        of: ModelId,
        /// The model that made its vectors.
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
    /// What is put before questions and texts; an embedder does it by itself.
    pub prompts: Prompts,
    /// How its vectors are meant to be compared.
    pub similarity: Similarity,
    /// What a user should know of how it was opened, a sentence each: "No modules.json: mean pooling is assumed."
    pub remarks: Vec<String>,
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
    /// The model whose vectors these are: itself, or the one that made the vectors of a file or of another set, where it is known.
    pub fn maker(&self) -> Option<&ModelId> {
        match &self.source {
            ModelSource::File { made_by, .. } | ModelSource::Made { made_by, .. } => made_by.as_ref(),
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

    /// Whether it stands for vectors that are there already, from a file or made of another set's, and cannot embed anything.
    pub fn is_of_file(&self) -> bool {
        matches!(self.source, ModelSource::File { .. } | ModelSource::Made { .. })
    }
}

impl ModelCard {
    /// The card of a bundled model of texts that says nothing else: others are made from it.
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
            prompts: Prompts::default(),
            similarity: Similarity::default(),
            remarks: Vec::new(),
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
