//! Writes a table of token vectors as a Model2Vec folder, which Model2Vec, sentence-transformers and this program read.
//!
//! Invariant: a folder that holds anything is not written into, and the weights come last, so that half a folder is never opened.

use std::path::Path;

use half::f16;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

use super::distil::StaticVocabulary;
use crate::models::{ModelError, weights::bad};
use crate::vectors::replace_file;

/// How a static model was made, for its configuration and its README.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticSettings {
    /// The model it was distilled from.
    pub made_from: String,
    /// That model's licence, which the static model is under as well.
    pub licence: String,
    /// Values a vector.
    pub dimensions: usize,
    /// Coefficient of the weights by frequency; `None` where all tokens weigh the same.
    pub coefficient: Option<f64>,
    /// Whether vectors are brought to length 1.
    pub normalize: bool,
    /// Whether values are written in 16 bits.
    pub half: bool,
}

/// Writes the folder `out`: `values` are the vectors of the vocabulary's entries, row after row. Returns the bytes of the weights.
///
/// # Errors
/// A folder that holds anything, a value that is not finite, a disk that is full.
pub fn save_static(
    out: &Path,
    vocabulary: &StaticVocabulary,
    values: &[f32],
    settings: &StaticSettings,
) -> Result<u64, ModelError> {
    let shown = out.display().to_string();
    check_new_folder(out)?;
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(bad(&shown, format!("value {at} of the table is not finite")));
    }
    let width = settings.dimensions;
    let mut table = vec![0f32; vocabulary.rows() * width];
    for ((id, _), row) in vocabulary.entries().iter().zip(values.chunks_exact(width)) {
        table[*id as usize * width..][..width].copy_from_slice(row);
    }
    let (dtype, bytes) = if settings.half {
        (Dtype::F16, table.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect::<Vec<u8>>())
    } else {
        (Dtype::F32, table.iter().flat_map(|x| x.to_le_bytes()).collect())
    };
    let view = TensorView::new(dtype, vec![vocabulary.rows(), width], &bytes);
    let weights = view.and_then(|view| safetensors::serialize([("embeddings", view)], None));
    let weights = weights.map_err(|e| bad(&shown, e.to_string()))?;
    fs_err::create_dir_all(out).map_err(|e| bad(&shown, e.to_string()))?;
    let put = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        let written = replace_file(&path, |part| fs_err::write(part, bytes));
        written.map_err(|e| bad(&path.display().to_string(), e.to_string()))
    };
    put("tokenizer.json", &vocabulary.bytes()?)?;
    put("config.json", pretty(&config(settings))?.as_bytes())?;
    put("modules.json", pretty(&modules(settings.normalize))?.as_bytes())?;
    put("README.md", readme(settings).as_bytes())?;
    put("model.safetensors", &weights)?;
    Ok(weights.len() as u64)
}

/// Refuses a folder that holds anything, and a file.
///
/// # Errors
/// [`ModelError::BadFile`] that names it.
pub fn check_new_folder(out: &Path) -> Result<(), ModelError> {
    let shown = out.display().to_string();
    if !out.exists() {
        return Ok(());
    }
    if !out.is_dir() {
        return Err(bad(&shown, "is a file; name a new folder".to_owned()));
    }
    let mut entries = fs_err::read_dir(out).map_err(|e| bad(&shown, e.to_string()))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(bad(&shown, "is a folder that holds something already; name a new one".to_owned())),
    }
}

fn pretty(json: &Value) -> Result<String, ModelError> {
    serde_json::to_string_pretty(json).map(|text| text + "\n").map_err(|e| bad("config.json", e.to_string()))
}

fn config(settings: &StaticSettings) -> Value {
    json!({
        "model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": settings.made_from,
        "apply_pca": settings.dimensions, "sif_coefficient": settings.coefficient, "hidden_dim": settings.dimensions,
        "seq_length": 1_000_000, "normalize": settings.normalize, "pooling": "mean", "max_length": null,
        "embedding_dtype": if settings.half { "float16" } else { "float32" },
    })
}

fn modules(normalize: bool) -> Value {
    let module = |idx: usize, path: &str, kind: &str| json!({ "idx": idx, "name": idx.to_string(), "path": path, "type": format!("sentence_transformers.models.{kind}") });
    let mut all = vec![module(0, ".", "StaticEmbedding")];
    if normalize {
        all.push(module(1, "1_Normalize", "Normalize"));
    }
    Value::Array(all)
}

fn readme(settings: &StaticSettings) -> String {
    let StaticSettings { made_from, licence, dimensions, .. } = settings;
    format!(
        "---\nlibrary_name: model2vec\nlicense: {}\nbase_model: {made_from}\ntags:\n- static-embeddings\n- sentence-transformers\n---\n\
         A static model of {dimensions} dimensions, distilled from {made_from} by Embedlens with the recipe of Model2Vec.\n",
        licence.to_lowercase().replace(' ', "-")
    )
}
