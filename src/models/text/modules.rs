//! The modules of a sentence-transformers folder: which there are, in which order, and how each is set.
//!
//! Reads configurations only, no weights. What this version cannot run is turned away by name. Invariant: a [`Modules`] that comes out
//! is one network of tokens, one pooling, and then steps that each take one vector and give one.

use serde_json::Value;

use super::{
    files::{Place, leads_inside, within},
    pool::{Curve, Pools},
};
use crate::models::{ModelError, Pooling, weights::bad};

/// Largest size of a dense module.
const LARGEST_DENSE: u64 = 65_536;

/// What turns a text's tokens into vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::models) enum First {
    /// A transformer, in this folder inside the model's.
    Transformer(String),
    /// A table of token vectors, in this folder inside the model's.
    Table(String),
}

/// A step after pooling; folders are inside the model's.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) enum Step {
    Normalize,
    Dense(String),
    Norm(String),
}

/// How a folder is put together.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) struct Modules {
    pub(in crate::models) first: First,
    pub(in crate::models) pools: Pools,
    pub(in crate::models) steps: Vec<Step>,
    /// There is no modules.json: pooling and what follows it are assumed.
    pub(in crate::models) assumed: bool,
}

/// One entry of `modules.json`.
struct Entry<'a> {
    place: &'a Place,
    id: &'a str,
    kind: &'a str,
    at: &'a str,
}

/// Reads `modules.json` and the configuration of the pooling.
pub(in crate::models) fn modules(place: &Place, id: &str) -> Result<Modules, ModelError> {
    const FILE: &str = "modules.json";
    let Some(json) = place.json(FILE)? else {
        let first = First::Transformer(String::new());
        return Ok(Modules { first, pools: Pools::of(Pooling::Mean), steps: vec![Step::Normalize], assumed: true });
    };
    let shown = place.shown(FILE);
    let list = json.as_array().ok_or_else(|| bad(&shown, "not a list of modules".to_owned()))?;
    let mut list: Vec<&Value> = list.iter().collect();
    if list.iter().all(|module| module.get("idx").is_some_and(Value::is_u64)) {
        list.sort_by_key(|module| module.get("idx").and_then(Value::as_u64));
    }
    let text = |module: &'_ Value, key: &str| module.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entries: Vec<(String, String)> =
        list.iter().map(|module| (text(module, "type"), text(module, "path"))).collect();
    let entries: Vec<Entry<'_>> = entries
        .iter()
        .map(|(kind, at)| Entry { place, id, kind: kind.rsplit('.').next().unwrap_or_default(), at })
        .collect();
    for entry in &entries {
        if !leads_inside(entry.at) {
            return Err(bad(&shown, format!("the path {:?} leads out of the folder", entry.at)));
        }
    }
    put_together(&entries, id, &shown)
}

fn put_together(entries: &[Entry<'_>], id: &str, shown: &str) -> Result<Modules, ModelError> {
    let order = || entries.iter().map(|entry| entry.kind).collect::<Vec<_>>().join(", ");
    let known = ["Transformer", "Pooling", "Dense", "Normalize", "LayerNorm", "StaticEmbedding"];
    if let Some(other) = entries.iter().find(|entry| !known.contains(&entry.kind)) {
        return Err(unsupported(id, format!("{shown} has a module {:?}; run are {}", other.kind, known.join(", "))));
    }
    let wrong = || {
        let order = order();
        let run = "Transformer, Pooling, or StaticEmbedding, then Dense, LayerNorm and Normalize are run";
        unsupported(id, format!("{shown} lists {order}; {run}"))
    };
    let (first, pools, rest) = match entries {
        [first, pooling, rest @ ..] if first.kind == "Transformer" && pooling.kind == "Pooling" => {
            (First::Transformer(first.at.to_owned()), pooling.pools()?, rest)
        }
        [first, rest @ ..] if first.kind == "StaticEmbedding" => {
            (First::Table(first.at.to_owned()), Pools::of(Pooling::Mean), rest)
        }
        _ => return Err(wrong()),
    };
    let step = |entry: &Entry<'_>| match entry.kind {
        "Normalize" => entry.normalize(),
        "Dense" => Ok(Step::Dense(entry.at.to_owned())),
        "LayerNorm" => Ok(Step::Norm(entry.at.to_owned())),
        _ => Err(wrong()),
    };
    Ok(Modules { first, pools, steps: rest.iter().map(step).collect::<Result<_, _>>()?, assumed: false })
}

impl Entry<'_> {
    fn pools(&self) -> Result<Pools, ModelError> {
        let file = within(self.at, "config.json");
        let (json, shown) = (self.place.needed_json(&file)?, self.place.shown(&file));
        let flags = json.as_object().ok_or_else(|| bad(&shown, "not a JSON object".to_owned()))?;
        let on = |name: &str| flags.get(&format!("pooling_mode_{name}")) == Some(&Value::Bool(true));
        let named: Vec<String> = match flags.get("pooling_mode") {
            Some(Value::String(mode)) => vec![mode.clone()],
            Some(Value::Array(modes)) => modes.iter().map(|mode| mode.as_str().unwrap_or("?").to_owned()).collect(),
            // The order in which sentence-transformers puts them side by side.
            _ => ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
                .into_iter()
                .filter(|name| on(name))
                .map(str::to_owned)
                .collect(),
        };
        let known = flags.keys().filter(|key| key.starts_with("pooling_mode_") && flags[*key] == Value::Bool(true));
        let spelt = known.map(|key| key.trim_start_matches("pooling_mode_").to_owned());
        let all: Vec<String> = if flags.contains_key("pooling_mode") { named } else { ordered(named, spelt) };
        let modes = all.iter().map(|name| mode(name).ok_or(name)).collect::<Result<Vec<_>, _>>();
        let modes = modes.map_err(|name| {
            let run = "cls, max, mean, mean_sqrt_len, weightedmean and lasttoken are run";
            unsupported(self.id, format!("{shown} pools by {name}; {run}"))
        })?;
        let with_prompt = flags.get("include_prompt") != Some(&Value::Bool(false));
        Ok(Pools::new(if modes.is_empty() { vec![Pooling::Mean] } else { modes }, with_prompt))
    }

    fn normalize(&self) -> Result<Step, ModelError> {
        let file = within(self.at, "config.json");
        // A folder of its own is not written by every version.
        let json = if self.at.is_empty() { None } else { self.place.json(&file)? };
        self.of_sentence(json.as_ref(), &self.place.shown(&file))?;
        Ok(Step::Normalize)
    }

    fn of_sentence(&self, json: Option<&Value>, shown: &str) -> Result<(), ModelError> {
        of_sentence(self.id, json, shown)
    }
}

/// The modes of `first`, then what else was switched on, so that an unknown one is named.
fn ordered(first: Vec<String>, on: impl Iterator<Item = String>) -> Vec<String> {
    let more: Vec<String> = on.filter(|name| !first.contains(name)).collect();
    [first, more].concat()
}

fn mode(name: &str) -> Option<Pooling> {
    Some(match name {
        "mean_tokens" | "mean" => Pooling::Mean,
        "cls_token" | "cls" => Pooling::Cls,
        "max_tokens" | "max" => Pooling::Max,
        "mean_sqrt_len_tokens" | "mean_sqrt_len" => Pooling::MeanSqrtLen,
        "weightedmean_tokens" | "weightedmean" => Pooling::WeightedMean,
        "lasttoken" => Pooling::Last,
        _ => return None,
    })
}

/// Refuses a module that works on token vectors.
fn of_sentence(id: &str, json: Option<&Value>, shown: &str) -> Result<(), ModelError> {
    for key in ["module_input_name", "module_output_name"] {
        if let Some(name) = json.and_then(|json| json.get(key)).and_then(Value::as_str)
            && name != "sentence_embedding"
        {
            return Err(unsupported(id, format!("{shown} works on {name}; only pooled vectors are worked on")));
        }
    }
    Ok(())
}

/// How a dense module is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::models) struct DenseConfig {
    pub(in crate::models) outputs: usize,
    pub(in crate::models) curve: Curve,
    pub(in crate::models) bias: bool,
}

/// Reads the configuration of the dense module in `folder`, which is given `inputs` values.
pub(in crate::models) fn dense(
    place: &Place,
    folder: &str,
    id: &str,
    inputs: usize,
) -> Result<DenseConfig, ModelError> {
    let file = within(folder, "config.json");
    let (json, shown) = (place.needed_json(&file)?, place.shown(&file));
    let size = |key: &str| json.get(key).and_then(Value::as_u64).filter(|size| (1..=LARGEST_DENSE).contains(size));
    let (Some(from), Some(to)) = (size("in_features"), size("out_features")) else {
        return Err(bad(&shown, format!("in_features and out_features must be whole numbers up to {LARGEST_DENSE}")));
    };
    if from != inputs as u64 {
        return Err(bad(&shown, format!("takes {from} values where the steps before it give {inputs}")));
    }
    of_sentence(id, Some(&json), &shown)?;
    if json.get("use_residual") == Some(&Value::Bool(true)) {
        return Err(unsupported(id, format!("{shown} adds its input to its output (use_residual), which is not run")));
    }
    let name = json.get("activation_function").and_then(Value::as_str).unwrap_or("Tanh");
    let curve = match name.rsplit('.').next().unwrap_or_default() {
        "Tanh" => Curve::Tanh,
        "Identity" => Curve::Line,
        "ReLU" => Curve::Relu,
        "GELU" => Curve::Gelu,
        "Sigmoid" => Curve::Sigmoid,
        other => {
            let message = format!("{shown} has the activation {other}; Tanh, Identity, ReLU, GELU and Sigmoid are run");
            return Err(unsupported(id, message));
        }
    };
    Ok(DenseConfig { outputs: to as usize, curve, bias: json.get("bias").and_then(Value::as_bool).unwrap_or(true) })
}

/// Checks the configuration of the layer norm in `folder`, which is given `inputs` values.
pub(in crate::models) fn layer_norm(place: &Place, folder: &str, inputs: usize) -> Result<(), ModelError> {
    let file = within(folder, "config.json");
    match place.needed_json(&file)?.get("dimension").and_then(Value::as_u64) {
        Some(size) if size == inputs as u64 => Ok(()),
        Some(size) => {
            Err(bad(&place.shown(&file), format!("takes {size} values where the steps before it give {inputs}")))
        }
        None => Err(bad(&place.shown(&file), "dimension is missing or not a whole number".to_owned())),
    }
}

/// A [`ModelError::Unsupported`].
pub(in crate::models) fn unsupported(id: &str, message: String) -> ModelError {
    ModelError::Unsupported { id: id.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(modules_json: &str, pooling: &str) -> Result<Modules, String> {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir(dir.path().join("1_Pooling")).unwrap();
        fs_err::write(dir.path().join("modules.json"), modules_json).unwrap();
        fs_err::write(dir.path().join("1_Pooling/config.json"), pooling).unwrap();
        modules(&Place::new(dir.path()).unwrap(), "m").map_err(|e| e.to_string())
    }

    fn pools(config: &str) -> Result<Pools, String> {
        let list = r#"[{"idx":1,"path":"1_Pooling","type":"x.Pooling"},{"idx":0,"path":"","type":"y.z.Transformer"}]"#;
        of(list, config).map(|found| found.pools)
    }

    #[test]
    fn poolings_in_both_spellings() {
        use Pooling::{Cls, Last, Max, Mean, MeanSqrtLen, WeightedMean};
        let several = |modes: &[Pooling]| Pools::new(modes.to_vec(), true);
        assert_eq!(pools("{}").unwrap(), Pools::of(Mean));
        assert_eq!(pools(r#"{"pooling_mode_mean_tokens":false}"#).unwrap(), Pools::of(Mean));
        assert_eq!(pools(r#"{"pooling_mode":"cls"}"#).unwrap(), Pools::of(Cls));
        assert_eq!(pools(r#"{"pooling_mode":["mean","cls"]}"#).unwrap(), several(&[Mean, Cls]));
        let all = r#"{"pooling_mode_lasttoken":true,"pooling_mode_weightedmean_tokens":true,"pooling_mode_mean_tokens":true,
            "pooling_mode_mean_sqrt_len_tokens":true,"pooling_mode_max_tokens":true,"pooling_mode_cls_token":true}"#;
        assert_eq!(pools(all).unwrap(), several(&[Cls, Max, Mean, MeanSqrtLen, WeightedMean, Last]));
        let without = pools(r#"{"pooling_mode_cls_token":true,"include_prompt":false}"#).unwrap();
        assert_eq!(without, Pools::new(vec![Cls], false));
        for odd in [r#"{"pooling_mode":"median"}"#, r#"{"pooling_mode_median":true}"#] {
            assert!(pools(odd).unwrap_err().contains("median"));
        }
    }

    #[test]
    fn modules_by_their_last_word() {
        let module =
            |idx: usize, kind: &str, path: &str| format!(r#"{{"idx":{idx},"path":"{path}","type":"a.b.{kind}"}}"#);
        let list = |modules: &[String]| format!("[{}]", modules.join(","));
        let first = [module(0, "Transformer", "0_T"), module(1, "Pooling", "1_Pooling")];
        let whole = [&first[..], &[module(3, "Normalize", "3_N"), module(2, "LayerNorm", "2_L")]].concat();
        let read = of(&list(&whole), "{}").unwrap();
        assert_eq!(read.first, First::Transformer("0_T".to_owned()));
        assert_eq!(read.steps, [Step::Norm("2_L".to_owned()), Step::Normalize]);
        let table = of(&list(&[module(0, "StaticEmbedding", ".")]), "{}").unwrap();
        assert_eq!((table.first, table.steps), (First::Table(".".to_owned()), vec![]));
        for (modules, word) in [
            (vec![module(0, "CNN", "")], "CNN"),
            (vec![module(0, "Pooling", "1_Pooling")], "lists Pooling"),
            ([&first[..], &first[..]].concat(), "lists Transformer"),
            (vec![module(0, "Transformer", "../other"), first[1].clone()], "leads out"),
            (vec![module(0, "Transformer", "/etc"), first[1].clone()], "leads out"),
        ] {
            let e = of(&list(&modules), "{}").unwrap_err();
            assert!(e.contains(word), "{e}");
        }
        assert!(of("{}", "{}").unwrap_err().contains("not a list"));
    }
}
