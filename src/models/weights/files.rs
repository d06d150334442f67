//! Which files hold a model's weights: one, several with an index, or a pickle where the user asked for it.
//!
//! Finds and reads them, and hashes them; what is in them is [`Weights`]' matter. Invariant: every file lies in the model's folder, and
//! a pickle is never read unasked.

use std::{io::Read, path::Path};

use rayon::prelude::*;
use serde_json::Value;

use super::{LONGEST_HEADER, Weights, bad, pickle};
use crate::models::{
    ModelError,
    text::files::{Place, within},
};

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const PICKLE: &str = "pytorch_model.bin";
const PICKLE_INDEX: &str = "pytorch_model.bin.index.json";

/// Bytes that a thread reads at a time.
const PART: usize = 8 << 20;

/// Most files that one model's weights may be in.
const MOST_FILES: usize = 1000;

/// The bytes of a model's weight files.
pub(in crate::models) struct WeightFiles {
    files: Vec<(String, Vec<u8>)>,
}

/// All bytes of a file. A large one is read by all threads: half of the time is spent on getting the memory.
fn read_whole(path: &Path) -> std::io::Result<Vec<u8>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileExt;
        let file = fs_err::File::open(path)?;
        let about = file.metadata()?;
        let length = usize::try_from(about.len()).unwrap_or(usize::MAX);
        if about.is_file() && length > PART {
            // Zeroed memory costs nothing before it is written, but cannot be asked for with an answer.
            Vec::<u8>::new().try_reserve_exact(length)?;
            let mut bytes = vec![0; length];
            let read = |(at, part): (usize, &mut [u8])| file.file().read_exact_at(part, (at * PART) as u64);
            bytes.par_chunks_mut(PART).enumerate().try_for_each(read)?;
            return Ok(bytes);
        }
    }
    fs_err::read(path)
}

/// Names of the weight files in folder `base`.
enum Found {
    Tensors(Vec<String>),
    Pickle,
    Nothing,
}

impl WeightFiles {
    /// Reads the weight files in folder `base` of the model `id`; a pickle only where `pickle` says so.
    pub(in crate::models) fn open(place: &Place, base: &str, id: &str, pickle: bool) -> Result<Self, ModelError> {
        let read = |name: String| {
            let path = place.need(&name)?;
            let shown = path.display().to_string();
            let bytes = read_whole(&path).map_err(|e| bad(&shown, e.to_string()))?;
            Ok::<_, ModelError>((shown, bytes))
        };
        let files = match find(place, base)? {
            Found::Tensors(names) => names.into_iter().map(read).collect::<Result<Vec<_>, _>>()?,
            Found::Pickle if pickle => {
                let path = place.need(&within(base, PICKLE))?;
                let shown = path.display().to_string();
                vec![(shown.clone(), pickle::tensors(&path).map_err(|message| bad(&shown, message))?)]
            }
            Found::Pickle => return Err(only_pickle(id, place)),
            Found::Nothing => return Err(nothing(place, base)),
        };
        Ok(Self { files })
    }

    /// Reads their headers.
    pub(in crate::models) fn weights(&self) -> Result<Weights<'_>, ModelError> {
        Weights::of(self.files.iter().map(|(file, bytes)| (file.as_str(), bytes.as_slice())))
    }

    /// Hash of all bytes.
    pub(in crate::models) fn hash(&self) -> blake3::Hash {
        match self.files.as_slice() {
            [single] => blake3::hash(&single.1),
            many => {
                let mut all = blake3::Hasher::new();
                for (_, bytes) in many {
                    all.update(blake3::hash(bytes).as_bytes());
                }
                all.finalize()
            }
        }
    }

    /// Bytes of all files.
    pub(in crate::models) fn size(&self) -> usize {
        self.files.iter().map(|file| file.1.len()).sum()
    }
}

/// Whether folder `base` holds weights in any form.
pub(in crate::models) fn has_weights(place: &Place, base: &str) -> Result<bool, ModelError> {
    Ok(!matches!(find(place, base)?, Found::Nothing))
}

/// Bytes of the weight files in folder `base`, without reading them; `None` where they could not be opened unasked.
pub(in crate::models) fn weights_size(place: &Place, base: &str) -> Option<u64> {
    let Ok(Found::Tensors(names)) = find(place, base) else { return None };
    let size = |name: &String| Some(fs_err::metadata(place.need(name).ok()?).ok()?.len());
    names.iter().map(size).sum()
}

/// Shape of the first tensor in folder `base` that has one of these names, from the header alone; `None` where there is none.
pub(in crate::models) fn tensor_shape(place: &Place, base: &str, names: &[&str]) -> Option<Vec<usize>> {
    let mut file = fs_err::File::open(place.find(&within(base, WHOLE)).ok()??).ok()?;
    let mut first = [0; 8];
    file.read_exact(&mut first).ok()?;
    let length = u64::from_le_bytes(first);
    if length > LONGEST_HEADER || length > file.metadata().ok()?.len() {
        return None;
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let json: Value = serde_json::from_slice(&header).ok()?;
    let shape = names.iter().find_map(|name| json.get(name)?.get("shape")?.as_array())?;
    shape.iter().map(|size| usize::try_from(size.as_u64()?).ok()).collect()
}

fn find(place: &Place, base: &str) -> Result<Found, ModelError> {
    let there = |name: &str| Ok::<_, ModelError>(place.find(&within(base, name))?.is_some());
    if there(WHOLE)? {
        return Ok(Found::Tensors(vec![within(base, WHOLE)]));
    }
    if there(INDEX)? {
        return Ok(Found::Tensors(shards(place, base)?));
    }
    Ok(if there(PICKLE)? || there(PICKLE_INDEX)? { Found::Pickle } else { Found::Nothing })
}

/// Names of the files that an index names, each once.
fn shards(place: &Place, base: &str) -> Result<Vec<String>, ModelError> {
    let index = within(base, INDEX);
    let (json, shown) = (place.needed_json(&index)?, place.shown(&index));
    let map = json.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| bad(&shown, "weight_map is missing or not an object".to_owned()))?;
    let mut names = Vec::new();
    for (tensor, file) in map {
        let Some(file) = file.as_str().filter(|file| file.ends_with(".safetensors")) else {
            return Err(bad(&shown, format!("the file of tensor {tensor} is {file}, not the name of one")));
        };
        let name = within(base, file);
        if !names.contains(&name) {
            if place.find(&name)?.is_none() {
                return Err(bad(&place.shown(&name), format!("is missing; {INDEX} names it")));
            }
            names.push(name);
        }
        if names.len() > MOST_FILES {
            return Err(bad(&shown, format!("names more than {MOST_FILES} files")));
        }
    }
    if names.is_empty() { Err(bad(&shown, "weight_map is empty".to_owned())) } else { Ok(names) }
}

fn only_pickle(id: &str, place: &Place) -> ModelError {
    let root = place.root().display();
    let message = format!(
        "it holds only pickle (pytorch_model.bin), which can carry code and is not read unasked; \
         `embedlens models convert {root} --out FOLDER` turns it into safetensors without running anything in it"
    );
    ModelError::Unsupported { id: id.to_owned(), message }
}

fn nothing(place: &Place, base: &str) -> ModelError {
    bad(&place.shown(&within(base, WHOLE)), "is missing, and so is every other form of weights".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_read_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let want: Vec<u8> = (0..PART * 2 + 12_345).map(|at| ((at * 31) >> 7) as u8).collect();
        fs_err::write(file.path(), &want).unwrap();
        assert!(read_whole(file.path()).unwrap() == want);
        assert!(read_whole(&file.path().with_extension("not-there")).is_err());
    }
}
