//! What a corpus tells the chooser of models: how much there is, and how long the texts are.
//!
//! Invariant: lengths are of whole items, not of the chunks they were cut into; what chunks share is counted once.

use crate::corpus::{Corpus, Modality};
use crate::models::catalogue::choose::Data;

/// Counts a corpus for [`crate::models::catalogue::choose::choose`].
pub fn data_of(corpus: &Corpus) -> Data {
    let mut lengths = vec![(0_usize, 0_usize); corpus.items.len()];
    let mut tokens = 0;
    for chunk in &corpus.chunks {
        let (length, chunks) = &mut lengths[chunk.item.index()];
        *length += chunk.tokens as usize;
        *chunks += 1;
        tokens += u64::from(chunk.tokens);
    }
    let shared = corpus.options.overlap_tokens;
    let whole = |&(length, chunks): &(usize, usize)| length.saturating_sub(shared * chunks.saturating_sub(1));
    let is_text = |place: usize| corpus.items[place].modality != Modality::Image;
    let mut texts: Vec<usize> = (0..lengths.len()).filter(|&n| is_text(n)).map(|n| whole(&lengths[n])).collect();
    texts.sort_unstable();
    let at = |share: f64| texts.get(((texts.len() as f64 * share) as usize).min(texts.len().max(1) - 1)).copied();
    Data {
        texts: texts.len(),
        code: corpus.count(Modality::Code),
        pictures: corpus.count(Modality::Image),
        pieces: corpus.chunks.len(),
        tokens,
        median_tokens: at(0.5).unwrap_or(0),
        tokens_95: at(0.95).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::corpus::{Chunk, Content, Item, ItemId};

    fn item(modality: Modality) -> Item {
        Item {
            path: "a".into(),
            shown_path: "a".to_owned(),
            label: String::new(),
            modality,
            kind: String::new(),
            language: None,
            encoding: None,
            size: 1,
            modified: None,
            hash: [0; 32],
            content: Content::Text(Arc::from("a")),
        }
    }

    #[test]
    fn texts_are_measured_whole() {
        let modalities = [Modality::Text, Modality::Code, Modality::Image, Modality::Text];
        let chunk = |item, tokens| Chunk { item: ItemId(item), start: 0, end: 0, lines: (0, 0), name: None, tokens };
        let mut corpus = Corpus { items: modalities.map(item).to_vec(), ..Corpus::default() };
        corpus.options.overlap_tokens = 10;
        corpus.chunks = vec![chunk(0, 100), chunk(0, 100), chunk(0, 50), chunk(1, 40), chunk(2, 0), chunk(3, 60)];
        let data = data_of(&corpus);
        assert_eq!((data.texts, data.code, data.pictures, data.pieces, data.tokens), (3, 1, 1, 6, 350));
        assert_eq!((data.median_tokens, data.tokens_95), (60, 230));
        assert_eq!(data_of(&Corpus::default()), Data::default());
    }
}
