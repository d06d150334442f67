//! Writes a model's folder again with its weights as safetensors of one type: from several files, from pickle, from other types.
//!
//! Nothing of the model is run, pickles included: their instructions are parsed and checked. Invariant: the new folder appears whole or
//! not at all, nothing that leads out of the old one is copied, and nothing is written over.

use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

use super::registry::{OpenOptions, located};
use super::text::{
    files::{Place, within},
    static_save::check_new_folder,
};
use super::weights::{WeightFiles, Weights, bad, has_weights};
use super::{ModelError, ModelId};
use crate::progress::Progress;

/// Folders below the model's own that are looked into.
const DEEPEST: usize = 2;
/// Largest file copied beside the weights, in bytes.
const LARGEST: u64 = 256 << 20;
/// Endings of files that are copied beside the weights.
const KEPT: [&str; 7] = ["json", "txt", "model", "md", "jinja", "vocab", "spm"];

/// What numbers weights are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightType {
    /// 32 bits.
    F32,
    /// 16 bits, about three digits, up to 65,504.
    #[default]
    F16,
    /// 16 bits, about two digits, as far as 32 bits reach.
    Bf16,
}

/// A tensor's type, shape and bytes.
type Raw = (Dtype, Vec<usize>, Vec<u8>);

impl WeightType {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }
}

/// A model's folder written again.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The new folder.
    pub folder: PathBuf,
    /// Tensors written.
    pub tensors: usize,
    /// Bytes of the weights before.
    pub bytes_before: u64,
    /// Bytes of the weights now.
    pub bytes: u64,
    /// The largest difference of a weight from what it was, and the tensor it is in; `None` where every weight is what it was.
    pub largest_error: Option<(f32, String)>,
    /// Other files that were copied.
    pub copied: Vec<String>,
}

/// Writes the model `id` (a folder, or a name in the hub's cache) into the new folder `out`, its weights as `to`. `None` where it was
/// cancelled.
///
/// # Errors
/// A model that is not here or inside the program; a folder `out` that holds anything; weights that make no sense, or are too large for
/// `to`; a disk that is full.
pub fn convert(
    id: &ModelId,
    out: &Path,
    to: WeightType,
    options: &OpenOptions,
    progress: &Progress,
) -> Result<Option<Converted>, ModelError> {
    check_new_folder(out)?;
    let (source, _) = located(id.parts().0.trim(), options)?;
    let place = Place::new(&source)?;
    let part = part_of(out);
    let work = Work { place: &place, id: id.parts().0, to, part: &part, progress };
    let fault = |path: &Path, e: &std::io::Error| bad(&path.display().to_string(), e.to_string());
    let done = fs_err::create_dir_all(&part).map_err(|e| fault(&part, &e)).and_then(|()| work.run());
    match done {
        Ok(Some(converted)) => {
            if out.is_dir() {
                fs_err::remove_dir(out).map_err(|e| fault(out, &e))?;
            }
            fs_err::rename(&part, out).map_err(|e| fault(out, &e))?;
            Ok(Some(Converted { folder: out.to_path_buf(), ..converted }))
        }
        other => {
            let _ = fs_err::remove_dir_all(&part);
            other
        }
    }
}

/// A hidden name beside `out` that no other process uses.
fn part_of(out: &Path) -> PathBuf {
    let name = out.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
    out.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

struct Work<'a> {
    place: &'a Place,
    id: &'a str,
    to: WeightType,
    part: &'a Path,
    progress: &'a Progress,
}

impl Work<'_> {
    fn run(&self) -> Result<Option<Converted>, ModelError> {
        let mut all = Converted {
            folder: PathBuf::new(),
            tensors: 0,
            bytes_before: 0,
            bytes: 0,
            largest_error: None,
            copied: Vec::new(),
        };
        self.progress.stage("Converting weights", "tensors", 0);
        let mut folders = vec![(String::new(), 0)];
        while let Some((base, depth)) = folders.pop() {
            if has_weights(self.place, &base)? && !self.weights(&base, &mut all)? {
                return Ok(None);
            }
            for (name, is_folder) in self.entries(&base)? {
                if is_folder && depth < DEEPEST {
                    folders.push((name, depth + 1));
                } else if !is_folder && is_kept(&name) {
                    self.copy(&name)?;
                    all.copied.push(name);
                }
            }
        }
        if all.tensors == 0 {
            return Err(bad(&self.place.root().display().to_string(), "holds no weights to convert".to_owned()));
        }
        self.sign(&all)?;
        all.copied.sort();
        Ok(Some(all))
    }

    /// Names of what lies in a folder, hidden files left out; and whether each is a folder.
    fn entries(&self, base: &str) -> Result<Vec<(String, bool)>, ModelError> {
        let folder = self.place.root().join(base);
        let entries = fs_err::read_dir(&folder).map_err(|e| bad(&folder.display().to_string(), e.to_string()))?;
        let name_of = |entry: fs_err::DirEntry| {
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
            // A folder that is a link is not gone into.
            Some((within(base, &name), entry.file_type().ok()?.is_dir()))
        };
        let mut names: Vec<(String, bool)> = entries.flatten().filter_map(name_of).collect();
        names.sort();
        Ok(names)
    }

    fn copy(&self, name: &str) -> Result<(), ModelError> {
        let from = self.place.need(name)?;
        let size = fs_err::metadata(&from).map_err(|e| bad(&self.place.shown(name), e.to_string()))?.len();
        if size > LARGEST {
            return Err(bad(&self.place.shown(name), format!("has {size} bytes; up to {LARGEST} make sense")));
        }
        let to = self.target(name)?;
        fs_err::copy(&from, &to).map(|_| ()).map_err(|e| bad(&to.display().to_string(), e.to_string()))
    }

    /// Where file `name` goes; its folder is made.
    fn target(&self, name: &str) -> Result<PathBuf, ModelError> {
        let path = self.part.join(name);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(|e| bad(&folder.display().to_string(), e.to_string()))?;
        }
        Ok(path)
    }

    /// Converts the weights in folder `base`; false where it was cancelled.
    fn weights(&self, base: &str, all: &mut Converted) -> Result<bool, ModelError> {
        let files = WeightFiles::open(self.place, base, self.id, true)?;
        let weights = files.weights()?;
        let names: Vec<String> = weights.names().into_iter().map(str::to_owned).collect();
        self.progress.stage("Converting weights", "tensors", names.len() as u64);
        let mut out = Vec::with_capacity(names.len());
        for name in &names {
            if self.progress.check().is_err() {
                return Ok(false);
            }
            let (tensor, error) = self.tensor(&weights, name)?;
            if error > all.largest_error.as_ref().map_or(0.0, |largest| largest.0) {
                all.largest_error = Some((error, name.clone()));
            }
            out.push((name.as_str(), tensor));
            self.progress.advance(1);
        }
        let target = self.target(&within(base, "model.safetensors"))?;
        let shown = target.display().to_string();
        let views: Result<Vec<_>, _> = out
            .iter()
            .map(|(name, (dtype, shape, bytes))| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect();
        let views = views.map_err(|e: safetensors::SafeTensorError| bad(&shown, e.to_string()))?;
        // transformers asks for this word.
        let format = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize_to_file(views, Some(format), &target).map_err(|e| bad(&shown, e.to_string()))?;
        all.tensors += names.len();
        all.bytes_before += files.size() as u64;
        all.bytes += fs_err::metadata(&target).map_err(|e| bad(&shown, e.to_string()))?.len();
        Ok(true)
    }

    /// A tensor's new form, and the largest difference from the old.
    fn tensor(&self, weights: &Weights<'_>, name: &str) -> Result<(Raw, f32), ModelError> {
        let view = weights.view(name)?;
        let shape = view.shape().to_vec();
        if !matches!(view.dtype(), Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Ok(((view.dtype(), shape, view.data().to_vec()), 0.0));
        }
        let values = weights.f32(name, &shape)?;
        let mut error = 0f32;
        let mut round = |value: f32, rounded: f32| error = error.max((value - rounded).abs());
        let (dtype, bytes): (Dtype, Vec<u8>) = match self.to {
            WeightType::F32 => (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            WeightType::F16 => {
                let short = |&value: &f32| {
                    let short = f16::from_f32(value);
                    round(value, short.to_f32());
                    short.to_le_bytes()
                };
                (Dtype::F16, values.iter().flat_map(short).collect())
            }
            WeightType::Bf16 => {
                let short = |&value: &f32| {
                    let short = bf16::from_f32(value);
                    round(value, short.to_f32());
                    short.to_le_bytes()
                };
                (Dtype::BF16, values.iter().flat_map(short).collect())
            }
        };
        if !error.is_finite() {
            let word = self.to.word();
            let message = format!("tensor {name} holds values that {word} cannot hold; convert to bf16 or f32 instead");
            return Err(bad(&self.place.root().display().to_string(), message));
        }
        Ok(((dtype, shape, bytes), error))
    }

    /// Says in the folder's README where it comes from.
    fn sign(&self, all: &Converted) -> Result<(), ModelError> {
        let path = self.part.join("README.md");
        let before = fs_err::read_to_string(&path).unwrap_or_default();
        let change = all.largest_error.as_ref().map_or_else(
            || "every weight is what it was".to_owned(),
            |(error, _)| format!("the largest change of a weight is {error:.2e}"),
        );
        // Where a folder lies is nobody's business but the user's.
        let name = Path::new(self.id).file_name().filter(|_| Path::new(self.id).is_dir());
        let name = name.map_or_else(|| self.id.to_owned(), |name| name.to_string_lossy().into_owned());
        let line = format!("Weights of {name} written as {} by Embedlens; {change}.\n", self.to.word());
        let gap = if before.is_empty() { "" } else { "\n\n" };
        let text = format!("{}{gap}{line}", before.trim_end());
        fs_err::write(&path, text).map_err(|e| bad(&path.display().to_string(), e.to_string()))
    }
}

/// Configurations, tokenizers and words on the model; no weights of any form, and no programs.
fn is_kept(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    if file.ends_with(".index.json") {
        return false;
    }
    match file.rsplit_once('.') {
        Some((_, ending)) => KEPT.contains(&ending.to_ascii_lowercase().as_str()),
        None => file.to_ascii_uppercase().starts_with("LICEN"),
    }
}
