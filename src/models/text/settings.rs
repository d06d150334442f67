//! What a sentence-transformers folder says besides its modules: prompts, similarity, length, lower case, licence.
//!
//! Knows the names of files and keys as sentence-transformers writes and reads them. Invariant: what a file does not say keeps the
//! value that sentence-transformers would take.

use serde_json::Value;

use super::files::{Place, within};
use crate::models::{ModelError, Prompts, Similarity, weights::bad};

/// What the folder says of the whole model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::models) struct Settings {
    pub(in crate::models) prompts: Prompts,
    pub(in crate::models) similarity: Similarity,
    /// What a user should know of them, a sentence each.
    pub(in crate::models) remarks: Vec<String>,
}

/// Names that prompts for questions go by, the usual one first.
const QUERY: [&str; 4] = ["query", "s2p_query", "search_query", "retrieval.query"];
/// Names that prompts for texts go by, in the order in which sentence-transformers asks for them; then others in use.
const PASSAGE: [&str; 6] = ["document", "passage", "corpus", "search_document", "retrieval.passage", "s2p_document"];
/// Names of the transformer's own settings, in the order in which they are looked for.
const OWN: [&str; 7] = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"];

/// Reads `config_sentence_transformers.json`.
pub(in crate::models) fn settings(place: &Place) -> Result<Settings, ModelError> {
    const FILE: &str = "config_sentence_transformers.json";
    let mut out = Settings::default();
    let Some(json) = place.json(FILE)? else { return Ok(out) };
    let shown = place.shown(FILE);
    let known = match json.get("prompts") {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(_) => return Err(bad(&shown, "prompts is not an object of names and texts".to_owned())),
    };
    let prompt = |name: &str| known.get(name).and_then(Value::as_str);
    let usual = match json.get("default_prompt_name").and_then(Value::as_str) {
        None => None,
        Some(name) => {
            let none = || bad(&shown, format!("default_prompt_name is {name:?}, and prompts has none of that name"));
            Some(prompt(name).ok_or_else(none)?)
        }
    };
    let first = |names: &[&str]| {
        let found = || names.iter().filter_map(|&name| Some((name.to_owned(), prompt(name)?)));
        // sentence-transformers writes empty ones of its own beside those that are meant.
        found().find(|found| !found.1.is_empty()).or_else(|| found().next())
    };
    // One that is there and empty is meant where there is no other: the usual one is not taken then.
    let pick =
        |found: Option<(String, &str)>| found.map_or(usual, |found| Some(found.1)).unwrap_or_default().to_owned();
    let (query, passage) = (first(&QUERY), first(&PASSAGE));
    let taken: Vec<String> = [&query, &passage].into_iter().flatten().map(|found| found.0.clone()).collect();
    let spare: Vec<&str> = known
        .iter()
        .filter(|(name, text)| !taken.contains(name) && text.as_str().is_some_and(|text| !text.is_empty()))
        .map(|(name, _)| name.as_str())
        .collect();
    out.prompts = Prompts { query: pick(query), passage: pick(passage) };
    if !spare.is_empty() {
        out.remarks.push(format!("It has further prompts, for other uses: {}.", spare.join(", ")));
    }
    out.similarity = match json.get("similarity_fn_name").and_then(Value::as_str) {
        None | Some("cosine") => Similarity::Cosine,
        Some("dot" | "dot_score") => Similarity::Dot,
        Some("euclidean") => Similarity::Euclidean,
        Some("manhattan") => Similarity::Manhattan,
        Some(other) => {
            out.remarks.push(format!("Its vectors are meant to be compared by {other}; the cosine is taken."));
            Similarity::Cosine
        }
    };
    Ok(out)
}

/// What the transformer's folder says of its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::models) struct Reading {
    /// Longest input in tokens, special ones counted.
    pub(in crate::models) max_tokens: Option<usize>,
    /// Whether texts are lowered before they are cut into tokens.
    pub(in crate::models) lower_case: bool,
}

/// Reads `sentence_bert_config.json` or its like, and for the length `tokenizer_config.json` where that says nothing.
pub(in crate::models) fn reading(place: &Place, base: &str) -> Result<Reading, ModelError> {
    let length = |json: &Value, key: &str| {
        let number = json.get(key).and_then(Value::as_u64);
        number.map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    let mut out = Reading::default();
    for name in OWN {
        if let Some(json) = place.json(&within(base, &format!("sentence_{name}_config.json")))? {
            out.max_tokens = length(&json, "max_seq_length");
            out.lower_case = json.get("do_lower_case") == Some(&Value::Bool(true));
            break;
        }
    }
    if out.max_tokens.is_none()
        && let Some(json) = place.json(&within(base, "tokenizer_config.json"))?
    {
        out.max_tokens = length(&json, "model_max_length");
    }
    Ok(out)
}

/// The licence that the front matter of `README.md` names, by its SPDX name where it is one.
pub(in crate::models) fn licence(place: &Place) -> Option<String> {
    let text = String::from_utf8_lossy(&place.read("README.md").ok()?).into_owned();
    let front = text.trim_start_matches('\u{feff}').strip_prefix("---")?;
    let front = front.split("\n---").next()?;
    let value = |key: &str| {
        let line = front.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'))?;
        let value = line.trim().trim_matches(['"', '\'']).trim();
        (!value.is_empty() && value.len() < 100).then(|| value.to_owned())
    };
    let name = value("license")?;
    if name == "other" {
        return Some(value("license_name").unwrap_or_else(|| "other, see its README".to_owned()));
    }
    Some(spdx(&name))
}

/// The hub writes SPDX names in small letters.
fn spdx(name: &str) -> String {
    match name {
        "apache-2.0" => "Apache-2.0".to_owned(),
        "mit" | "isc" | "wtfpl" | "cc0-1.0" => name.to_ascii_uppercase(),
        _ if ["cc-", "bsd-", "gpl-", "lgpl-", "agpl-", "mpl-", "bsl-"].iter().any(|start| name.starts_with(start)) => {
            name.to_ascii_uppercase().replace("-CLAUSE", "-Clause")
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("config_sentence_transformers.json"), json).unwrap();
        settings(&Place::new(dir.path()).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn prompts_by_the_names_in_use() {
        let prompts = |json: &str| {
            let found = of(json).unwrap().prompts;
            (found.query, found.passage)
        };
        let pair = |query: &str, passage: &str| (query.to_owned(), passage.to_owned());
        assert_eq!(prompts("{}"), pair("", ""));
        assert_eq!(prompts(r#"{"prompts":{"query":"query: ","passage":"passage: "}}"#), pair("query: ", "passage: "));
        let both = r#"{"prompts":{"passage":"p","corpus":"c","document":"d","query":"q"}}"#;
        assert_eq!(prompts(both), pair("q", "d"));
        assert_eq!(prompts(r#"{"prompts":{"query":"","document":"","passage":"p: "}}"#), pair("", "p: "));
        assert_eq!(prompts(r#"{"prompts":{"s2p_query":"Instruct"}}"#), pair("Instruct", ""));
        let usual = r#"{"prompts":{"query":"q: ","sts":"s: "},"default_prompt_name":"sts"}"#;
        assert_eq!(prompts(usual), pair("q: ", "s: "));
        let empty = r#"{"prompts":{"query":"q: ","document":""},"default_prompt_name":"query"}"#;
        assert_eq!(prompts(empty), pair("q: ", ""));
        assert!(of(r#"{"prompts":{},"default_prompt_name":"sts"}"#).unwrap_err().contains("default_prompt_name"));
        assert!(of(r#"{"prompts":["q"]}"#).unwrap_err().contains("prompts"));
        let spare = of(r#"{"prompts":{"query":"q","sts":"s","document":""}}"#).unwrap();
        assert_eq!(spare.remarks, ["It has further prompts, for other uses: sts."]);
    }

    #[test]
    fn similarity_by_name() {
        let similarity = |name: &str| of(&format!(r#"{{"similarity_fn_name":"{name}"}}"#)).unwrap();
        assert_eq!(similarity("dot").similarity, Similarity::Dot);
        assert_eq!(similarity("manhattan").similarity, Similarity::Manhattan);
        assert_eq!(of(r#"{"similarity_fn_name":null}"#).unwrap().similarity, Similarity::Cosine);
        assert!(similarity("odd").remarks[0].contains("odd"));
    }

    #[test]
    fn the_licence_stands_in_the_front_matter() {
        let dir = tempfile::tempdir().unwrap();
        let of = |text: &str| {
            fs_err::write(dir.path().join("README.md"), text).unwrap();
            licence(&Place::new(dir.path()).unwrap())
        };
        assert_eq!(of("---\nlanguage: en\nlicense: apache-2.0\n---\nText").unwrap(), "Apache-2.0");
        assert_eq!(of("---\nlicense: \"cc-by-nc-4.0\"\n---\n").unwrap(), "CC-BY-NC-4.0");
        assert_eq!(of("---\nlicense: other\nlicense_name: own-terms\n---\n").unwrap(), "own-terms");
        assert_eq!(of("---\nlanguage: en\n---\nlicense: mit\n"), None);
        assert_eq!(of("license: mit"), None);
    }
}
