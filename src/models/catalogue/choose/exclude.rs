//! What leaves a model out, whatever the weights.
//!
//! Invariant: the reason is one sentence that names what would have to change.

use super::parts::grouped;
use super::{Deployment, Use, Wants};
use crate::models::catalogue::{KnownModel, Modality, Training};

/// Why `model` does not come into question; `None` where it does.
pub(super) fn reason(wants: &Wants, model: &KnownModel, here: bool) -> Option<String> {
    reads(wants.purpose, model)
        .or_else(|| runs(wants.deployment, model, here))
        .or_else(|| licence(wants, model))
        .or_else(|| language(wants, model))
        .or_else(|| length(wants, model))
}

fn reads(purpose: Use, model: &KnownModel) -> Option<String> {
    let fits = match purpose {
        Use::PicturesByWords => model.modality == Modality::TextAndImage,
        Use::SimilarPictures => matches!(model.modality, Modality::Image | Modality::TextAndImage),
        Use::CodeSearch => matches!(model.modality, Modality::Code | Modality::Text),
        _ => model.modality == Modality::Text,
    };
    if fits {
        return None;
    }
    Some(match (purpose, model.modality) {
        (Use::PicturesByWords, Modality::Image) => "Words cannot be asked of it.".to_owned(),
        (_, Modality::Code) => "It was made for code.".to_owned(),
        (_, Modality::Text) => "It reads texts, and no pictures.".to_owned(),
        (_, Modality::Image) => "It reads pictures, and no texts.".to_owned(),
        (_, Modality::TextAndImage) => "It was made for pictures and their captions.".to_owned(),
    })
}

fn runs(deployment: Deployment, model: &KnownModel, here: bool) -> Option<String> {
    match deployment {
        Deployment::Anywhere => None,
        _ if model.is_api() => Some("Every text would leave this computer: it runs behind an API only.".to_owned()),
        Deployment::Offline if !here => Some("It is not on this computer, and nothing is to be fetched.".to_owned()),
        _ if here => None,
        _ => model.why_not(),
    }
}

fn licence(wants: &Wants, model: &KnownModel) -> Option<String> {
    match (wants.commercial, model.commercial) {
        (true, None) => Some("Its licence is not stated, so commercial use is not cleared.".to_owned()),
        (true, Some(false)) => Some(format!("Its licence ({}) does not allow commercial use.", model.licence)),
        _ => None,
    }
}

fn language(wants: &Wants, model: &KnownModel) -> Option<String> {
    let reads_words = model.modality != Modality::Image && wants.purpose != Use::SimilarPictures;
    let english =
        wants.other_languages && reads_words && !model.is_multilingual() && model.training != Training::Pictures;
    english.then(|| "It was trained on English only.".to_owned())
}

fn length(wants: &Wants, model: &KnownModel) -> Option<String> {
    let (data, context) = (wants.data.filter(|_| wants.whole)?, model.context_tokens?);
    let cut = !wants.purpose.is_of_pictures() && data.tokens_95 > context;
    let (sees, longest) = (grouped(context as u64), grouped(data.tokens_95 as u64));
    cut.then(|| format!("It sees {sees} tokens, and your texts of up to {longest} are to stay whole."))
}
