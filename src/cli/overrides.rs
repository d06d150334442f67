//! `--use MODEL:KEY=VALUE`: what a model is to be used with otherwise than its own files say.
//!
//! Reads what was typed. Invariant: what makes no sense is refused with the keys there are.

use std::collections::BTreeMap;

use crate::models::{ModelId, Overrides, Pooling};
use crate::tasks::ModelPool;

/// One wish for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    model: String,
    key: Key,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    QueryPrompt(String),
    PassagePrompt(String),
    Pooling(Pooling),
    Normalize(bool),
}

const KEYS: &str = "MODEL:query-prompt=TEXT, MODEL:passage-prompt=TEXT, MODEL:pooling=mean|cls|max|weighted-mean|last or MODEL:normalize=yes|no";

/// Reads one wish.
pub(super) fn wish(typed: &str) -> Result<Wish, String> {
    let wrong = || format!("expected {KEYS}");
    // A model's path may hold colons, and a prompt too.
    let names = ["query-prompt", "passage-prompt", "pooling", "normalize"];
    let found = names.iter().filter_map(|name| Some((typed.find(&format!(":{name}="))?, *name))).min();
    let (at, name) = found.filter(|(at, _)| *at > 0).ok_or_else(wrong)?;
    let value = &typed[at + name.len() + 2..];
    let key = match name {
        "query-prompt" => Key::QueryPrompt(value.to_owned()),
        "passage-prompt" => Key::PassagePrompt(value.to_owned()),
        "pooling" => Key::Pooling(match value {
            "mean" => Pooling::Mean,
            "cls" => Pooling::Cls,
            "max" => Pooling::Max,
            "weighted-mean" => Pooling::WeightedMean,
            "last" => Pooling::Last,
            _ => return Err(wrong()),
        }),
        _ => Key::Normalize(match value {
            "yes" | "true" => true,
            "no" | "false" => false,
            _ => return Err(wrong()),
        }),
    };
    Ok(Wish { model: typed[..at].to_owned(), key })
}

/// Has models opened as wished.
pub(super) fn obey(wishes: &[Wish], pool: &ModelPool) {
    let mut all: BTreeMap<&str, Overrides> = BTreeMap::new();
    for Wish { model, key } in wishes {
        let of = all.entry(model).or_default();
        match key {
            Key::QueryPrompt(text) => of.prompts.get_or_insert_default().query.clone_from(text),
            Key::PassagePrompt(text) => of.prompts.get_or_insert_default().passage.clone_from(text),
            Key::Pooling(pooling) => of.pooling = Some(*pooling),
            Key::Normalize(normalize) => of.normalize = Some(*normalize),
        }
    }
    for (model, overrides) in all {
        pool.set_overrides(&ModelId(model.to_owned()), overrides);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Prompts;

    #[test]
    fn wishes_are_read_and_others_refused() {
        let typed =
            ["org/e5:query-prompt=query: ", "org/e5:passage-prompt=a:pooling=b", "c:/m:pooling=cls", "m:normalize=no"];
        let wishes: Vec<Wish> = typed.iter().map(|typed| wish(typed).unwrap()).collect();
        let pool = ModelPool::default();
        obey(&wishes, &pool);
        let of = |name: &str| pool.overrides_of(&ModelId(name.to_owned()));
        let prompts = Prompts { query: "query: ".into(), passage: "a:pooling=b".into() };
        assert_eq!(of("org/e5@int8").prompts, Some(prompts));
        assert_eq!((of("c:/m").pooling, of("m").normalize), (Some(Pooling::Cls), Some(false)));
        assert!(of("other").is_empty());
        for typed in ["", "m", "m:pooling=best", ":pooling=cls", "m:colour=red", "m:normalize=maybe"] {
            assert!(wish(typed).unwrap_err().contains("query-prompt"), "{typed}");
        }
    }
}
