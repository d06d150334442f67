//! Opens tables of token vectors: Model2Vec folders, and the `StaticEmbedding` module of sentence-transformers.
//!
//! The two average differently: Model2Vec leaves unknown tokens out and cuts long texts, sentence-transformers does neither. Invariant:
//! a folder that both read is read as Model2Vec reads it, which made it.

use std::sync::Arc;

use safetensors::{Dtype, tensor::TensorView};
use serde_json::Value;

use super::{
    files::{Place, within},
    modules::Step,
    pool::After,
    static_table::{Table, TableParts},
    tokens::TextTokenizer,
};
use crate::models::{
    ModelError,
    weights::{WeightFiles, Weights, bad},
};

/// Tokens that Model2Vec sees of a text where the folder says nothing.
const USUAL_TOKENS: u64 = 512;

/// What the configuration of a Model2Vec folder says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::models) struct Model2Vec {
    pub(in crate::models) dimensions: Option<usize>,
    pub(in crate::models) normalize: bool,
    pub(in crate::models) max_tokens: Option<usize>,
}

/// The configuration of a Model2Vec folder; `None` where it is another.
pub(in crate::models) fn model2vec(place: &Place) -> Result<Option<Model2Vec>, ModelError> {
    let Some(json) = place.json("config.json")? else { return Ok(None) };
    let kind = json.get("model_type").and_then(Value::as_str);
    let named = json.get("architectures").and_then(Value::as_array);
    let named = named.is_some_and(|names| names.iter().any(|name| name == "StaticModel"));
    if !named && !matches!(kind, Some("model2vec" | "static")) {
        return Ok(None);
    }
    let number = |key: &str| json.get(key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let max_tokens = match json.get("max_length") {
        None => Some(USUAL_TOKENS as usize),
        Some(_) => number("max_length"),
    };
    let normalize = json.get("normalize") == Some(&Value::Bool(true));
    Ok(Some(Model2Vec { dimensions: number("hidden_dim"), normalize, max_tokens }))
}

impl Model2Vec {
    /// What follows the mean.
    pub(in crate::models) fn steps(self) -> Vec<Step> {
        if self.normalize { vec![Step::Normalize] } else { Vec::new() }
    }
}

/// A table as it lies in its file.
pub(in crate::models) struct Read {
    pub(in crate::models) table: Table,
    pub(in crate::models) width: usize,
    pub(in crate::models) mapping: Option<Vec<u32>>,
    pub(in crate::models) weights: Option<Vec<f32>>,
}

/// Reads the table from its file.
pub(in crate::models) fn read(files: &WeightFiles, shown: &str) -> Result<Read, ModelError> {
    let weights = files.weights()?;
    let name = ["embeddings", "embedding.weight"].into_iter().find(|name| weights.shape(name).is_some());
    let Some(name) = name else {
        return Err(bad(shown, "holds neither a tensor embeddings nor embedding.weight".to_owned()));
    };
    let view = weights.view(name)?;
    let &[rows, width] = view.shape() else {
        return Err(bad(
            shown,
            format!("tensor {name} has shape {:?} where rows of values were expected", view.shape()),
        ));
    };
    if rows == 0 || width == 0 || u32::try_from(rows).is_err() {
        return Err(bad(shown, format!("tensor {name} has shape {:?}, which is no table", view.shape())));
    }
    let shape = [rows, width];
    let table = match view.dtype() {
        Dtype::I8 => Table::Bytes(view.data().iter().map(|&byte| byte.cast_signed()).collect()),
        Dtype::F64 => Table::Singles(singles(&view).ok_or_else(|| not_finite(shown, name))?),
        Dtype::F16 => {
            weights.halves(name, &shape)?;
            Table::Halves(weights.f16(name, &shape)?)
        }
        _ => Table::Singles(weights.f32(name, &shape)?),
    };
    let mapping = optional(&weights, "mapping")
        .map(|view| whole(&view).ok_or_else(|| bad(shown, "tensor mapping is not a list of row numbers".to_owned())));
    let factors = optional(&weights, "weights").map(|view| singles(&view).ok_or_else(|| not_finite(shown, "weights")));
    Ok(Read { table, width, mapping: mapping.transpose()?, weights: factors.transpose()? })
}

/// The parts of an embedder of the table in folder `base`, without its card's facts.
pub(in crate::models) fn tokenizer(place: &Place, base: &str) -> Result<Arc<TextTokenizer>, ModelError> {
    let file = within(base, "tokenizer.json");
    TextTokenizer::parse(&place.shown(&file), &place.read(&file)?).map(Arc::new)
}

impl Read {
    /// Puts an embedder's parts together.
    pub(in crate::models) fn parts(
        self,
        card: crate::models::ModelCard,
        tokenizer: Arc<TextTokenizer>,
        after: Vec<After>,
        (drop_unknown, weights_hash): (bool, blake3::Hash),
    ) -> TableParts {
        let Self { table, width, mapping, weights } = self;
        TableParts { card, tokenizer, table, width, mapping, weights, after, drop_unknown, weights_hash }
    }
}

fn not_finite(shown: &str, name: &str) -> ModelError {
    bad(shown, format!("tensor {name} holds NaN or infinity, or no numbers at all"))
}

fn optional<'a>(weights: &Weights<'a>, name: &str) -> Option<TensorView<'a>> {
    weights.view(name).ok()
}

/// A tensor of numbers as singles.
fn singles(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32()).collect(),
        _ => return None,
    };
    values.iter().all(|value| value.is_finite()).then_some(values)
}

/// A tensor of whole numbers as row numbers.
fn whole(view: &TensorView<'_>) -> Option<Vec<u32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::I64 => bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b).try_into().ok()).collect(),
        Dtype::U64 => bytes.as_chunks().0.iter().map(|&b| u64::from_le_bytes(b).try_into().ok()).collect(),
        Dtype::I32 => bytes.as_chunks().0.iter().map(|&b| i32::from_le_bytes(b).try_into().ok()).collect(),
        Dtype::U32 => Some(bytes.as_chunks().0.iter().map(|&b| u32::from_le_bytes(b)).collect()),
        _ => None,
    }
}
