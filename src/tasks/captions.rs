//! How well captions describe a picture, by a model that has words and pictures in one space.
//!
//! CLIP (Radford et al. 2021, arXiv:2103.00020) sets captions against each other by softmax, `SigLIP` (Zhai et al. 2023, arXiv:2303.15343)
//! judges each alone by a sigmoid. Invariant: shares of a softmax add up to 1.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Environment, Query, TaskError, answer::embed_query};
use crate::models::{CaptionScale, Input, InputKind, ModelId};
use crate::vectors::{RowId, dot, norm};
use crate::workspace::{Caption, Captioned, EmbeddingSet};

/// Temperature for models that learnt none: it lets a cosine that is 0.05 greater count about three times as much.
const TEMPERATURE: f32 = 0.05;
/// Temperatures that a user may ask for.
const TEMPERATURES: [f32; 2] = [0.001, 10.0];

/// Captions to score.
#[derive(Clone, Debug)]
pub struct CaptionRequest {
    /// The picture.
    pub picture: CaptionedPicture,
    /// What may be said of it; empty ones are left out.
    pub captions: Vec<String>,
    /// What cosines are divided by; `None` takes the model's own.
    pub temperature: Option<f32>,
}

/// The picture that captions are held against.
#[derive(Clone, Debug)]
pub enum CaptionedPicture {
    /// A row of an embedding set.
    Row(Arc<EmbeddingSet>, RowId),
    /// A file, to be embedded with a model; it may have so many megapixels at most.
    File(PathBuf, ModelId, u32),
}

/// Scores captions of a picture.
///
/// # Errors
/// The model cannot be opened, or words cannot be asked of its space; the picture cannot be read.
pub fn caption(request: &CaptionRequest, env: &Environment) -> Result<Captioned, TaskError> {
    let (model, row, known) = match &request.picture {
        CaptionedPicture::Row(set, row) => {
            let position = set.position_of(*row);
            let vector: Option<Arc<[f32]>> = position.map(|position| set.vectors.row(position).into());
            (set.card.maker().unwrap_or(&set.card.id), Some(*row), vector)
        }
        CaptionedPicture::File(_, model, _) => (model, None, None),
    };
    let (card, scale) = env
        .models
        .take(model, env.offline)?
        .with("read a model's card", |embedder| Ok((embedder.card().clone(), embedder.caption_scale())))?;
    let cannot = || TaskError::CannotAsk { model: card.name.clone() };
    if card.input == InputKind::Text {
        return Err(TaskError::NoCaptions { model: card.name });
    }
    let words = card.text_query_model.clone().ok_or_else(cannot)?;
    let picture = match (known, &request.picture) {
        (Some(vector), _) => vector,
        (None, CaptionedPicture::File(path, model, limit)) => {
            embed_query(&Query::Image(path.clone()), model, *limit, env)?
        }
        (None, CaptionedPicture::Row(..)) => return Err(cannot()),
    };
    let captions: Vec<&str> = request.captions.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let inputs: Vec<Input<'_>> = captions.iter().map(|text| Input::Query(text)).collect();
    let mut reader = env.models.take(&words, env.offline)?;
    let embedded = env.run(|| reader.with("embed captions", |embedder| embedder.embed(&inputs)))?;
    let dim = card.dimensions.max(1);
    let cosines: Vec<f32> = embedded.values.chunks_exact(dim).map(|vector| cosine(vector, &picture)).collect();
    let asked = request.temperature.map(|asked| asked.clamp(TEMPERATURES[0], TEMPERATURES[1]));
    let temperature = asked.or(scale.map(|scale| 1.0 / scale.factor)).unwrap_or(TEMPERATURE);
    let bias = scale.map_or(0.0, |scale| scale.bias);
    let each_alone = scale.is_some_and(|scale| scale.each_alone);
    let shares = CaptionScale { factor: 1.0 / temperature, bias, each_alone }.shares(&cosines);
    let scored = captions.iter().zip(cosines).zip(shares);
    let scored = scored.map(|((text, cosine), share)| Caption { text: (*text).to_owned(), cosine, share });
    let learnt = scale.is_some() && asked.is_none();
    Ok(Captioned { row, model: card.id, temperature, learnt, bias, each_alone, captions: scored.collect() })
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    dot(a, b) / (norm(a) * norm(b)).max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_softmax_and_sigmoid() {
        // scipy.special.softmax([25, 24, 20]) and expit([1.0, -4.0])
        let clip = CaptionScale { factor: 100.0, bias: 0.0, each_alone: false };
        let soft = clip.shares(&[0.25, 0.24, 0.20]);
        for (share, want) in soft.iter().zip([0.727_475, 0.267_623, 0.004_901_7]) {
            assert!((share - want).abs() < 1e-4, "{soft:?}");
        }
        assert!((soft.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let siglip = CaptionScale { factor: 100.0, bias: -14.0, each_alone: true };
        let each = siglip.shares(&[0.15, 0.10]);
        for (share, want) in each.iter().zip([0.731_059, 0.017_986_2]) {
            assert!((share - want).abs() < 1e-5, "{each:?}");
        }
        assert_eq!(clip.shares(&[]), Vec::<f32>::new());
    }

    #[cfg(feature = "bundled-models")]
    #[test]
    fn conse_stands_in_with_a_temperature_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grey.png");
        image::RgbImage::from_pixel(64, 64, image::Rgb([120, 130, 90])).save(&path).unwrap();
        let of = |model: &str, temperature| CaptionRequest {
            picture: CaptionedPicture::File(path.clone(), ModelId(model.to_owned()), 100),
            captions: vec!["a dog".into(), " ".into(), "a cup of coffee".into()],
            temperature,
        };
        let env = Environment::default();
        let scored = caption(&of("conse", None), &env).unwrap();
        assert_eq!((scored.learnt, scored.temperature, scored.captions.len()), (false, TEMPERATURE, 2));
        assert!((scored.captions.iter().map(|caption| caption.share).sum::<f32>() - 1.0).abs() < 1e-6);
        let sharper = caption(&of("conse", Some(0.01)), &env).unwrap();
        let most = |of: &Captioned| of.captions.iter().map(|caption| caption.share).fold(0.0, f32::max);
        assert!(most(&sharper) >= most(&scored));
        assert!(matches!(caption(&of("lite0", None), &env), Err(TaskError::CannotAsk { .. })));
        assert!(matches!(caption(&of("minilm", None), &env), Err(TaskError::NoCaptions { .. })));
    }
}
