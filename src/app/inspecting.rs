//! Looking at one row: its neighbours under each model, how it was embedded, its picture.

use std::sync::Arc;

use super::App;
use super::jobs_of::Outcome;
use crate::corpus::{Corpus, Modality};
use crate::jobs::{JobSpec, Policy};
use crate::progress::Progress;
use crate::tasks::{self, CaptionRequest, CaptionedPicture, Environment};
use crate::ui::command::CaptionQuestion;
use crate::ui::context::{Inspection, PictureData};
use crate::vectors::RowId;
use crate::workspace::EmbeddingSet;

/// Neighbours looked for under each model: enough to find the rank under the other model.
const NEIGHBOURS: usize = 50;
/// Longest side of the inspector's picture.
const LONGEST: u32 = 640;

impl App {
    /// Finds what the inspector shows of a row.
    pub(super) fn spawn_inspect(&mut self, row: RowId) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let sets: Vec<Arc<EmbeddingSet>> = self.document.models.iter().filter_map(|model| model.set.clone()).collect();
        let (generation, environment) = (self.document.generation, self.environment.clone());
        let spec = JobSpec {
            title: "Looking at an item".into(),
            lane: "inspect".into(),
            policy: Policy::Replace,
            quiet: true,
        };
        self.jobs.spawn(spec, move |progress| {
            Outcome::Inspected(generation, inspect(&corpus, &sets, row, &environment, progress))
        });
    }
    /// Scores captions of a picture.
    pub(super) fn spawn_captions(&mut self, question: CaptionQuestion) {
        let CaptionQuestion { row, model, captions, temperature } = question;
        let Some(set) = self.document.model(&model).and_then(|model| model.set.clone()) else { return };
        let request = CaptionRequest { picture: CaptionedPicture::Row(set, row), captions, temperature };
        let (generation, environment) = (self.document.generation, self.environment.clone());
        let spec =
            JobSpec { title: "Scoring captions".into(), lane: "captions".into(), policy: Policy::Replace, quiet: true };
        self.jobs.spawn(spec, move |_| Outcome::Captioned(generation, tasks::caption(&request, &environment)));
    }
}

fn inspect(
    corpus: &Corpus,
    sets: &[Arc<EmbeddingSet>],
    row: RowId,
    environment: &Environment,
    progress: &Progress,
) -> Inspection {
    let mut found = Inspection { row, nearest: Vec::new(), explained: Vec::new(), picture: None };
    for set in sets.iter().filter(|set| set.position_of(row).is_some()) {
        found.nearest.push((set.card.id.clone(), tasks::nearest(set, row, NEIGHBOURS)));
    }
    if corpus.item_of(row).modality == Modality::Image {
        found.picture = picture(corpus, row);
    }
    // Vectors from a file were embedded elsewhere.
    for set in sets.iter().filter(|set| set.position_of(row).is_some() && !set.card.is_of_file()) {
        if progress.is_cancelled() {
            break;
        }
        // A model that cannot explain an item (its file is gone) simply has no line in the inspector.
        if let Ok(way) = tasks::explain(corpus, row, &set.card.id, environment) {
            found.explained.push((set.card.id.clone(), way));
        }
    }
    found
}

fn picture(corpus: &Corpus, row: RowId) -> Option<Arc<PictureData>> {
    let picture = crate::corpus::read_image(&corpus.item_of(row).path, corpus.options.max_megapixels).ok()?;
    let (width, height) = picture.dimensions();
    let picture = if width.max(height) > LONGEST {
        let scale = f64::from(LONGEST) / f64::from(width.max(height));
        let size = |side: u32| ((f64::from(side) * scale) as u32).max(1);
        image::imageops::thumbnail(&picture, size(width), size(height))
    } else {
        picture
    };
    let (width, height) = picture.dimensions();
    Some(Arc::new(PictureData { width: width as usize, height: height as usize, rgb: picture.into_raw() }))
}

#[cfg(test)]
#[cfg(feature = "bundled-models")]
mod tests {
    use super::*;
    use crate::app::testing::Window;
    use crate::ui::command::Command;
    use crate::ui::settings::Perspective;
    use crate::workspace::ModelId;

    #[test]
    fn captions_of_the_picture_looked_at_are_scored() {
        let mut window = Window::open(Perspective::Explore, |folder| {
            for shade in [0, 90, 200] {
                let picture =
                    image::RgbImage::from_fn(48, 40, |x, y| image::Rgb([shade, (x * 5) as u8, (y * 6) as u8]));
                picture.save(folder.join(format!("{shade}.png"))).unwrap();
            }
        });
        let row = RowId(1);
        window.carry_out(Command::Focus(row));
        let question = |model: &str, temperature| CaptionQuestion {
            row,
            model: ModelId(model.into()),
            captions: vec!["a dog".into(), "a cup of coffee".into()],
            temperature,
        };
        window.carry_out(Command::Caption(question("conse-minilm-lite0", None)));
        let scored = window.app.document.captioned.clone().unwrap();
        assert_eq!((scored.row, scored.captions.len(), scored.learnt), (Some(row), 2, false));
        window.carry_out(Command::Caption(question("conse-minilm-lite0", Some(0.5))));
        let flatter = window.app.document.captioned.clone().unwrap();
        assert_eq!(flatter.temperature, 0.5);
        assert!(
            flatter.captions[0].share.max(0.5) - 0.5 <= scored.captions[0].share.max(scored.captions[1].share) - 0.5
        );
        // A model that knows no words says so, and what was scored stays.
        window.carry_out(Command::Caption(question("efficientnet-lite0", None)));
        assert_eq!(window.app.document.captioned, Some(flatter));
        assert!(window.app.log.iter().any(|line| line.summary.contains("captions were not scored")));
    }
}
