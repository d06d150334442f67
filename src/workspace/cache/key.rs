//! Names of cached rows: a hash of everything that decides a vector.
//!
//! Two rows with the same key have the same vector, whatever file, folder or corpus they come from.

/// Version of what happens to a text or picture between the file and the model. Raised when that changes.
const PREPROCESSING: u32 = 1;

/// Name of a cached row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey(pub [u8; 32]);

/// Makes the keys of one model with one set of options.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    prefix: blake3::Hasher,
}

impl KeyMaker {
    /// `fingerprint` is the model's; `options` spells out whatever else changes its vectors (empty when nothing does).
    pub fn new(fingerprint: &str, options: &str) -> Self {
        let mut prefix = blake3::Hasher::new();
        prefix.update(b"embedlens row");
        prefix.update(&PREPROCESSING.to_le_bytes());
        for part in [fingerprint, options] {
            prefix.update(&(part.len() as u64).to_le_bytes());
            prefix.update(part.as_bytes());
        }
        Self { prefix }
    }

    /// Key of a text: the chunk's own bytes, so that equal chunks of different files share one vector.
    pub fn text(&self, text: &str) -> RowKey {
        self.finish(b't', text.as_bytes())
    }

    /// Key of a picture, by the hash of its file.
    pub fn image(&self, file_hash: &[u8; 32]) -> RowKey {
        self.finish(b'i', file_hash)
    }

    fn finish(&self, kind: u8, content: &[u8]) -> RowKey {
        let mut hasher = self.prefix.clone();
        hasher.update(&[kind]);
        hasher.update(content);
        RowKey(*hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_content_model_options_and_kind() {
        let maker = KeyMaker::new("model 1", "");
        assert_eq!(maker.text("soup"), KeyMaker::new("model 1", "").text("soup"));
        let hash = *blake3::hash(b"soup").as_bytes();
        let others = [
            maker.text("soups"),
            maker.image(&hash),
            KeyMaker::new("model 2", "").text("soup"),
            KeyMaker::new("model 1", "int8").text("soup"),
            KeyMaker::new("model 1int8", "").text("soup"),
        ];
        assert!(others.iter().all(|&key| key != maker.text("soup")));
    }
}
