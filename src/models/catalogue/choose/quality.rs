//! How good a model is for a use, from published figures.
//!
//! Where its makers or MTEB publish nothing for the use, a rule of thumb stands in and the reason says so. Invariant: a share is from 0 to 1.

use super::parts::Reasons;
use super::{Use, Wants};
use crate::models::catalogue::{KnownModel, Modality, Training};

/// What it costs a model that its makers have a newer one in its place.
const OLDER: f64 = 0.1;

/// A measure, and the values that count as nothing and as the best.
type Scale = (&'static str, f64, f64);

const RETRIEVAL: Scale = ("MTEB retrieval", 25.0, 57.0);
const CLUSTERING: Scale = ("MTEB clustering", 24.0, 48.0);
const CLASSIFICATION: Scale = ("MTEB classification", 55.0, 77.0);
const LIKENESS: Scale = ("MTEB STS", 66.0, 85.0);
const AVERAGE: Scale = ("MTEB average", 44.0, 66.0);
const ZERO_SHOT: Scale = ("ImageNet zero-shot", 20.0, 85.0);
const NEAREST: Scale = ("ImageNet nearest neighbours", 50.0, 85.0);

/// What a transformer that only filled in masked words is worth as it is: its vectors do not mean likeness (Reimers and Gurevych 2019:
/// raw BERT is below averaged `GloVe` on STS).
const MASKED: f64 = 0.12;
/// What a model trained for the use is worth whose makers publish no comparable figure.
const UNKNOWN: f64 = 0.45;

/// The share of quality, with its reasons.
pub(super) fn share(wants: &Wants, model: &KnownModel, reasons: &mut Reasons) -> f64 {
    match wants.purpose {
        Use::PicturesByWords => by_words(model, reasons),
        Use::SimilarPictures => like_pictures(model, reasons),
        purpose => of_texts(purpose, model, reasons),
    }
}

fn of_texts(purpose: Use, model: &KnownModel, reasons: &mut Reasons) -> f64 {
    if model.training == Training::Masked {
        let what = if model.modality == Modality::Code { "words and code" } else { "texts" };
        reasons.con(format!("It has not learnt to place like {what} close together: train an adapter on it first."));
        return MASKED;
    }
    let scale = match purpose {
        Use::Clustering => CLUSTERING,
        Use::Classification => CLASSIFICATION,
        Use::Duplicates => LIKENESS,
        _ => RETRIEVAL,
    };
    let published = figure(model, scale, reasons);
    let share = published.or_else(|| figure(model, AVERAGE, reasons)).unwrap_or_else(|| {
        reasons.con("No figure is published that compares it with the others: it counts as middling.".to_owned());
        if model.training == Training::Pairs { UNKNOWN } else { UNKNOWN / 2.0 }
    });
    let share = if purpose == Use::CodeSearch { for_code(model, share, reasons) } else { share };
    let Some(newer) = &model.newer else { return share };
    reasons.con(format!("Its makers' newer {newer} takes its place."));
    (share - OLDER).max(0.0)
}

/// Those that learnt pairs of code and words keep their share; what the others find is luck of their general training.
fn for_code(model: &KnownModel, share: f64, reasons: &mut Reasons) -> f64 {
    if model.code_pairs {
        reasons.pro("Pairs of functions and their documentation were among what it learnt from.".to_owned());
        return (share + 0.25).min(1.0);
    }
    if model.modality != Modality::Code {
        reasons.con("Nothing says that it has learnt code.".to_owned());
    }
    share * 0.6
}

fn by_words(model: &KnownModel, reasons: &mut Reasons) -> f64 {
    if model.training != Training::Captions {
        reasons.con("It knows 1,000 kinds of things only, by name.".to_owned());
        return 0.15;
    }
    reasons.pro("It learnt pictures and captions together: any words can be asked.".to_owned());
    figure(model, ZERO_SHOT, reasons).unwrap_or_else(|| {
        reasons
            .con("Its makers publish curves, no table: it counts as a little better than CLIP of its size.".to_owned());
        0.78
    })
}

fn like_pictures(model: &KnownModel, reasons: &mut Reasons) -> f64 {
    if let Some(share) = figure(model, NEAREST, reasons) {
        reasons.pro("It learnt likeness from pictures alone, not from a list of classes.".to_owned());
        return share;
    }
    match model.training {
        Training::Captions => {
            reasons.pro("It groups pictures by what a caption would say.".to_owned());
            0.6
        }
        _ if model.architecture == "conse" => {
            reasons.con("It sees a picture as a mixture of 1,000 classes: fine likeness is lost.".to_owned());
            0.15
        }
        _ => {
            reasons.con("It was trained to tell classes apart: what they have in common counts less.".to_owned());
            0.5
        }
    }
}

fn figure(model: &KnownModel, scale: Scale, reasons: &mut Reasons) -> Option<f64> {
    let (measure, nothing, best) = scale;
    let value = model.figure(measure)?;
    let share = ((value - nothing) / (best - nothing)).clamp(0.0, 1.0);
    let sentence = format!("{measure}: {value:.1} of 100, as published.");
    if share >= 0.5 {
        reasons.pro(sentence);
    } else {
        reasons.con(sentence);
    }
    Some(share)
}
