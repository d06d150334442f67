//! Pictures that one model's network has seen wait here for another model made of the same network, so that a picture is decoded
//! and looked at once for both.
//!
//! In memory and bounded: what does not fit is looked at again. Invariant: what is taken is what the network itself would give.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::models::{ModelId, Seen};
use crate::workspace::cache::{KeyMaker, RowKey};

/// Pictures kept, of about 5 KB each.
const MOST: usize = 8_192;

/// What was seen of each picture, and for which model.
type Kept = HashMap<RowKey, (ModelId, Arc<Seen>)>;

/// Pictures that networks have seen; clones share them.
#[derive(Clone, Debug, Default)]
pub struct SeenPictures {
    kept: Arc<Mutex<Kept>>,
}

impl SeenPictures {
    /// The view of one run of a model made of `network`. What an earlier run of the model left and nobody took is let go.
    pub(super) fn of(&self, model: &ModelId, network: &str) -> SeenBy<'_> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (by, _)| by != model);
        SeenBy { pictures: self, model: model.clone(), keys: KeyMaker::new(network, "seen") }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

/// What one run gives and takes. Pictures are named by the hashes of their files.
pub(super) struct SeenBy<'a> {
    pictures: &'a SeenPictures,
    model: ModelId,
    keys: KeyMaker,
}

impl SeenBy<'_> {
    /// Takes what another model's run has left of a picture.
    pub(super) fn take(&self, file_hash: &[u8; 32]) -> Option<Arc<Seen>> {
        let mut kept = self.pictures.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.keys.image(file_hash);
        kept.get(&key).is_some_and(|(by, _)| *by != self.model).then(|| kept.remove(&key))?.map(|(_, seen)| seen)
    }

    /// Leaves a picture for another model.
    pub(super) fn leave(&self, file_hash: &[u8; 32], seen: &Arc<Seen>) {
        let mut kept = self.pictures.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            kept.insert(self.keys.image(file_hash), (self.model.clone(), seen.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_taken_once_by_another_model_of_the_same_network() {
        let pictures = SeenPictures::default();
        let id = |name: &str| ModelId(name.to_owned());
        let (hash, seen) = ([1; 32], Arc::new(Seen::default()));
        let first = pictures.of(&id("a"), "n");
        first.leave(&hash, &seen);
        assert!(first.take(&hash).is_none() && pictures.of(&id("b"), "other").take(&hash).is_none());
        let second = pictures.of(&id("b"), "n");
        assert!(second.take(&[2; 32]).is_none());
        assert_eq!(second.take(&hash), Some(seen.clone()));
        assert!(second.take(&hash).is_none());
        first.leave(&hash, &seen);
        pictures.of(&id("a"), "n");
        assert_eq!(pictures.len(), 0, "a run lets go of what its model left before");
    }
}
