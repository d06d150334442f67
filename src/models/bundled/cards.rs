//! Cards of the bundled models: what each is, can and cannot do.

use super::{CONSE, LITE0, MINILM, STATIC, present};
use crate::models::{InputKind, ModelCard, ModelError, ModelId, Pooling, Precision};

/// Cards of all bundled models, in the order they are offered.
pub(in crate::models) fn cards() -> Vec<ModelCard> {
    vec![minilm(), static_256(), lite0(), conse()]
}

/// The card of the bundled model called `name`.
pub(super) fn card(name: &str) -> Result<ModelCard, ModelError> {
    let hint = || ModelError::NotFound { id: name.to_owned(), hint: "it is not a bundled model".to_owned() };
    cards().into_iter().find(|c| c.id.0 == name).ok_or_else(hint)
}

fn minilm() -> ModelCard {
    ModelCard {
        name: "MiniLM-L6-v2".to_owned(),
        context_tokens: Some(256),
        precision: Some(Precision::F32),
        normalized: true,
        space: MINILM.to_owned(),
        text_query_model: Some(id(MINILM)),
        licence: "Apache-2.0".to_owned(),
        size_bytes: present::size(MINILM),
        about: "A six-layer BERT trained on a billion pairs of sentences; the usual first choice for English texts."
            .to_owned(),
        strengths: lines(&[
            "Finds texts of like meaning in other words (STS benchmark, dev: Spearman 0.867)",
            "Small and quick for a transformer",
        ]),
        weaknesses: lines(&[
            "Sees the first 256 tokens of a text only",
            "Trained on English; other languages and code fare worse",
            "Behind larger models at retrieval",
        ]),
        best_for: "Short English texts: sentences, paragraphs, questions, titles.".to_owned(),
        ..ModelCard::plain(MINILM, 384)
    }
}

fn static_256() -> ModelCard {
    ModelCard {
        name: "MiniLM static 256".to_owned(),
        normalized: true,
        space: "static-256".to_owned(),
        text_query_model: Some(id(STATIC)),
        licence: "Apache-2.0".to_owned(),
        size_bytes: present::size(STATIC),
        about: "A table with one vector a token, distilled from MiniLM by the Model2Vec recipe; a text is the mean of \
                its tokens."
            .to_owned(),
        strengths: lines(&["Thousands of texts a second on one core", "No limit to a text's length"]),
        weaknesses: lines(&[
            "Does not see the order of words: \"dog bites man\" is \"man bites dog\"",
            "A word has one vector, whatever its meaning in the sentence",
            "English only; likeness of sentences (STS benchmark, dev): Spearman 0.799, where MiniLM has 0.867",
        ]),
        best_for: "A first map of a large folder while a better model still works; topics rather than statements."
            .to_owned(),
        ..ModelCard::plain(STATIC, 256)
    }
}

fn lite0() -> ModelCard {
    ModelCard {
        name: "EfficientNet-Lite0".to_owned(),
        input: InputKind::Image,
        pooling: Pooling::Spatial,
        normalized: true,
        space: LITE0.to_owned(),
        licence: "Apache-2.0".to_owned(),
        size_bytes: present::size(LITE0),
        about: "A small convolutional network trained to tell the 1,000 ImageNet classes apart; its last features, \
                averaged over the picture."
            .to_owned(),
        strengths: lines(&["Groups photographs by what is on them, and by texture", "Quick without a graphics card"]),
        weaknesses: lines(&[
            "Words cannot be asked of it: query it with a picture",
            "Sees the middle square of a picture, 224 pixels wide",
            "Trained on photographs; drawings, diagrams, screenshots and text in pictures fare worse",
        ]),
        best_for: "Photographs: finding like pictures, near-duplicates, odd ones out.".to_owned(),
        ..ModelCard::plain(LITE0, 1280)
    }
}

fn conse() -> ModelCard {
    ModelCard {
        name: "ConSE (Lite0 to MiniLM)".to_owned(),
        input: InputKind::Image,
        pooling: Pooling::Classes,
        normalized: true,
        space: MINILM.to_owned(),
        text_query_model: Some(id(MINILM)),
        licence: "Apache-2.0; class names MIT".to_owned(),
        size_bytes: present::size(CONSE),
        about: "Words to pictures through 1,000 ImageNet classes: a picture becomes the probability-weighted mean of \
                MiniLM's vectors of \"a photo of a …\" over its ten likeliest classes (Norouzi et al. 2013, \
                arXiv:1312.5650). It has not learnt texts and pictures together."
            .to_owned(),
        strengths: lines(&[
            "Pictures can be searched with words, offline",
            "Good at animals, food, vehicles, instruments and household things",
        ]),
        weaknesses: lines(&[
            "Cannot find what has no ImageNet class: people, text in pictures, scenes, styles, counts",
            "A picture it classifies wrongly is placed wrongly",
            "Scores of pictures and of texts are not on one scale",
        ]),
        best_for: "Asking photographs for things by name: \"a dog\", \"musical instrument\".".to_owned(),
        ..ModelCard::plain(CONSE, 384)
    }
}

fn id(name: &str) -> ModelId {
    ModelId(name.to_owned())
}

fn lines(all: &[&str]) -> Vec<String> {
    all.iter().map(|&s| s.to_owned()).collect()
}
