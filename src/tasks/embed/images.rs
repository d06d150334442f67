//! The loop over pictures: the next batch is decoded in parallel while this one is embedded.
//!
//! Invariant: at most two batches of decoded pictures are in memory, each of bounded size or a single picture.

use image::RgbImage;
use rayon::prelude::*;

use super::run::Run;
use crate::corpus::{self, Content, Corpus};
use crate::models::{Embedder, Input};
use crate::progress::Cancelled;
use crate::vectors::RowId;

/// Pictures of a batch.
const MOST: usize = 8;
/// Pixels of a batch, 3 bytes each in memory.
const PIXELS: u64 = 40_000_000;

/// A decoded picture, or why it cannot be.
type Decoded = (u32, Result<RgbImage, String>);

pub(super) fn embed(run: &mut Run<'_, '_>, embedder: &mut dyn Embedder) -> Result<(), Cancelled> {
    let empty = run.empty_of(true);
    let name = embedder.card().name.clone();
    run.progress.stage(&format!("Embedding with {name}"), "items", empty.len() as u64);
    let corpus = run.corpus;
    let mut waiting = batches(run, &empty).into_iter();
    let decode = |batch: Vec<(u32, RowId)>| -> Vec<Decoded> {
        batch.into_par_iter().map(|(slot, row)| (slot, picture_of(corpus, row))).collect()
    };
    let mut ready = waiting.next().map(&decode).unwrap_or_default();
    while !ready.is_empty() {
        run.check()?;
        let next = waiting.next();
        let ((), decoded) = rayon::join(|| batch(run, embedder, ready), || next.map(&decode).unwrap_or_default());
        ready = decoded;
    }
    Ok(())
}

fn batch(run: &mut Run<'_, '_>, embedder: &mut dyn Embedder, ready: Vec<Decoded>) {
    let (mut slots, mut pictures) = (Vec::new(), Vec::new());
    for (slot, decoded) in ready {
        match decoded {
            Ok(picture) => {
                slots.push(slot);
                pictures.push(picture);
            }
            Err(reason) => {
                run.slots.fail(slot, reason);
                run.progress.advance(1);
            }
        }
    }
    if !slots.is_empty() {
        let inputs: Vec<Input<'_>> = pictures.iter().map(Input::Image).collect();
        run.batch(embedder, &slots, &inputs);
    }
}

/// Runs of pictures in the order of the slots, bounded in number and size.
fn batches(run: &Run<'_, '_>, empty: &[u32]) -> Vec<Vec<(u32, RowId)>> {
    let mut made: Vec<Vec<(u32, RowId)>> = Vec::new();
    let mut held = 0;
    for &slot in empty {
        let row = run.slots.row_of(slot);
        let pixels = match run.corpus.item_of(row).content {
            Content::Image { width, height, .. } => u64::from(width) * u64::from(height),
            Content::Text(_) => 0,
        };
        match made.last_mut() {
            Some(batch) if batch.len() < MOST && held + pixels <= PIXELS => {
                held += pixels;
                batch.push((slot, row));
            }
            _ => {
                held = pixels;
                made.push(vec![(slot, row)]);
            }
        }
    }
    made
}

/// Reads the picture of a row again and makes sure that it is still the one that was loaded.
pub(in crate::tasks) fn picture_of(corpus: &Corpus, row: RowId) -> Result<RgbImage, String> {
    let item = corpus.item_of(row);
    let bytes = fs_err::read(&item.path).map_err(|error| format!("the file cannot be read any more: {error}"))?;
    if *blake3::hash(&bytes).as_bytes() != item.hash {
        return Err("the file was changed after it was loaded; load it again".to_owned());
    }
    drop(bytes);
    corpus::read_image(&item.path, corpus.options.max_megapixels).map_err(|reason| reason.to_string())
}
