//! Opens a picture model from a folder: CLIP, SigLIP, ViT or DINOv2, as the hub or sentence-transformers lays it out.
//!
//! Reads `config.json`, `preprocessor_config.json`, the tokenizer and the weights, and refuses by name what this version cannot run.
//! Invariant: no file outside the folder is read, and every error names its file.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{
    pairs,
    positions::interpolated,
    settings::Settings,
    shapes::{Kind, Look, Words, look},
    space::{PictureModel, Texts},
    towers::{PictureTower, Pooled, TextEnd, TextTower},
};
use crate::models::{
    CaptionScale, Embedder, InputKind, ModelCard, ModelError, ModelId, OpenOptions, Pooling, Precision,
    encoder::{Encoder, Grid, Kernel, Patches, Probe, ProbeShape, Tensors},
    text::{
        encoder::check_vocabulary,
        files::{Place, within},
        folder::Named,
        pool::{After, Curve, Dense},
        settings::licence,
        tokens::TextTokenizer,
    },
    weights::{WeightFiles, Weights, bad, weights_size},
};

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const PREPARATION: &str = "preprocessor_config.json";

/// Where the model's own files are: a folder, and one in it.
struct Base {
    place: Place,
    within: String,
}

impl Base {
    fn name(&self, name: &str) -> String {
        within(&self.within, name)
    }

    fn shown(&self, name: &str) -> String {
        self.place.shown(&self.name(name))
    }

    fn json(&self, name: &str) -> Result<Option<Value>, ModelError> {
        self.place.json(&self.name(name))
    }
}

/// Opens the model in `folder`; nothing where it is no picture model.
pub(in crate::models) fn open(
    folder: &Path,
    named: Named,
    precision: Precision,
    options: &OpenOptions,
) -> Result<Option<Box<dyn Embedder>>, ModelError> {
    let Some((base, look)) = seen(folder, &named.id)? else { return Ok(None) };
    let kernel = Kernel::of(precision);
    let files = WeightFiles::open(&base.place, &base.within, &named.id, options.pickle)?;
    let weights = files.weights()?;
    let mut remarks = Vec::new();
    let settings = settings(&base, &look, &mut remarks)?;
    let size = files.size() as u64;
    let mut hash = blake3::Hasher::new();
    hash.update(b"pictures 1 ").update(files.hash().as_bytes()).update(settings.words.as_bytes());
    let texts = match &look.text {
        Some(words) => Some(read_texts(&base, (kernel, &look, words), &weights, &named.id)?),
        None => None,
    };
    let scale = match look.kind {
        Kind::Clip | Kind::Siglip => Some(scale(&weights, look.kind)?),
        _ => None,
    };
    let mut card = card(named, &look, size);
    if let Some(licence) = licence(&base.place) {
        card.licence = licence;
    }
    if let Some(texts) = &texts {
        hash.update(texts.tokenizer.hash.as_bytes()).update(format!("{:?}", texts.tower.end).as_bytes());
    }
    let hash = hash.update(format!("{precision} {:?}", look.vision).as_bytes()).finalize().to_hex();
    card.space = format!("{} {}", card.name, &hash[..12]);
    card.remarks = remarks;
    let mut pictures = read_pictures((kernel, &look), settings, &weights)?;
    // Where texts are pooled in a way of their own, pictures are not pooled in another.
    if look.text.is_none()
        && let Some(pooling) = options.overrides.pooling
    {
        pictures.pooled = match pooling {
            Pooling::Mean | Pooling::Spatial => Pooled::Mean,
            Pooling::Cls => Pooled::First,
            _ => return Err(unsupported(&card.id.0, "its pictures are pooled by cls or mean")),
        };
        card.pooling = pooling;
        card.space += &format!(" {pooling:?}");
    }
    let hash = blake3::hash(format!("{hash} {:?}", card.pooling).as_bytes()).to_hex();
    let (fingerprint, workspaces, card) = (hash[..32].to_owned(), Mutex::default(), card.at(precision));
    Ok(Some(Box::new(PictureModel { card, fingerprint, pictures, texts, scale, workspaces })))
}

/// Card of the picture model in `folder` without reading its weights; `None` where [`open`] would turn it away for what can be seen
/// from outside, and where it is no picture model.
pub(in crate::models) fn peek(folder: &Path, named: Named) -> Option<ModelCard> {
    let (base, look) = seen(folder, &named.id).ok()??;
    settings(&base, &look, &mut Vec::new()).ok()?;
    let size = weights_size(&base.place, &base.within)?;
    let found = |name: &str| matches!(base.place.find(&base.name(name)), Ok(Some(_)));
    let words = look.text.is_none() || found(TOKENIZER) || (found(VOCABULARY) && found(MERGES));
    words.then(|| card(named, &look, size))
}

/// Where the model's own files are and what it looks like; nothing where it is no picture model.
fn seen(folder: &Path, id: &str) -> Result<Option<(Base, Look)>, ModelError> {
    let place = Place::new(folder)?;
    let within = match place.json("modules.json")? {
        None => String::new(),
        Some(modules) => {
            let first = modules.as_array().and_then(|modules| modules.first());
            let word = |key: &str| first.and_then(|first| first.get(key)?.as_str()).unwrap_or_default();
            if !word("type").ends_with("CLIPModel") {
                return Ok(None);
            }
            word("path").to_owned()
        }
    };
    let base = Base { place, within };
    let Some(json) = base.json(CONFIG)? else { return Ok(None) };
    let kind = json.get("model_type").and_then(Value::as_str).and_then(Kind::of);
    if kind.is_none() {
        return Ok(None);
    }
    let look = look(id, &base.shown(CONFIG), &json)?;
    Ok(Some((base, look)))
}

/// How pictures are made ready; what was assumed goes to `remarks`.
fn settings(base: &Base, look: &Look, remarks: &mut Vec<String>) -> Result<Settings, ModelError> {
    let (file, json) = (base.shown(PREPARATION), base.json(PREPARATION)?);
    let own = look.kind.defaults((look.table.side * look.table.patch) as u64);
    let settings = Settings::read(&file, json.as_ref(), &own)?;
    if json.is_none() {
        let name = own.name;
        remarks.push(format!("No {PREPARATION}: pictures are made ready as {name} does by itself."));
    }
    let Some([width, height]) = settings.side() else {
        let message = "leaves pictures in sizes of their own; this version runs models that see squares of one size";
        return Err(bad(&file, message.to_owned()));
    };
    let (patch, table) = (look.table.patch as u64, look.table.side as u64);
    let other = !matches!(look.kind, Kind::Dino | Kind::DinoRegisters) && width / patch != table;
    if width != height || width < patch || width / patch > 256 || other {
        let wanted = format!("{0} x {0} pixels", table * patch);
        return Err(bad(&file, format!("makes pictures of {width} x {height} pixels; the tower is for {wanted}")));
    }
    Ok(settings)
}

fn card(named: Named, look: &Look, size: u64) -> ModelCard {
    let id = ModelId(named.id);
    let name = Path::new(&id.0).file_name().map_or_else(|| id.0.clone(), |n| n.to_string_lossy().into_owned());
    let context = look.text.as_ref().map(|text| text.shape.longest());
    let both = context.is_some();
    let about = match look.kind {
        Kind::Clip => "A CLIP model from your computer: pictures and texts in one space.",
        Kind::Siglip => "A SigLIP model from your computer: pictures and texts in one space.",
        Kind::Vit => "A vision transformer from your computer; the class token's vector, brought to length 1.",
        _ => "A DINOv2 model from your computer; the class token's vector, brought to length 1.",
    };
    let weakness = match context {
        Some(context) => format!("Sees the first {context} tokens of a text only"),
        None => "Reads no texts: pictures are found by pictures only".to_owned(),
    };
    let dimensions = look.projection.unwrap_or(look.vision.hidden);
    ModelCard {
        space: id.0.clone(),
        text_query_model: both.then(|| id.clone()),
        input: if both { InputKind::Both } else { InputKind::Image },
        context_tokens: context,
        precision: Some(Precision::F32),
        pooling: if look.kind == Kind::Siglip { Pooling::Attention } else { Pooling::Cls },
        normalized: true,
        licence: "not stated in the folder".to_owned(),
        source: named.source,
        size_bytes: size,
        about: about.to_owned(),
        weaknesses: vec![weakness],
        best_for: if both {
            "Finding pictures by words, texts by pictures, and pictures by pictures.".to_owned()
        } else {
            "Finding like pictures, near-duplicates, odd ones out.".to_owned()
        },
        name,
        ..ModelCard::plain(&id.0, dimensions)
    }
}

fn read_pictures(
    (kernel, look): (Kernel, &Look),
    settings: Settings,
    weights: &Weights<'_>,
) -> Result<PictureTower, ModelError> {
    let prefix = match look.kind {
        Kind::Clip | Kind::Siglip => "vision_model.",
        _ => "",
    };
    let encoder = Encoder::of(kernel, look.vision.clone(), weights, prefix)?;
    let patches = read_patches((kernel, look), &settings, weights)?;
    let shape = &look.vision;
    let pooled = if look.kind == Kind::Siglip {
        let (hidden, heads, between) = (shape.hidden, shape.heads, shape.between);
        let probe = ProbeShape { hidden, heads, between, activation: shape.activation, epsilon: shape.epsilon };
        Pooled::Probe(Box::new(Probe::new(kernel, probe, weights, "vision_model.head.")?))
    } else {
        Pooled::First
    };
    let mut after = Vec::new();
    if let (Kind::Clip, Some(outputs)) = (look.kind, look.projection) {
        after.push(projection(weights, "visual_projection", [outputs, shape.hidden])?);
    }
    after.push(After::Normalize);
    Ok(PictureTower { settings, patches, encoder, pooled, after })
}

/// The patches' product and positions, and the states before them.
fn read_patches(
    (kernel, look): (Kernel, &Look),
    settings: &Settings,
    weights: &Weights<'_>,
) -> Result<Patches, ModelError> {
    let (hidden, side) = (look.vision.hidden, look.table.side);
    let alone =
        weights.names().iter().filter_map(|name| name.strip_suffix("embeddings.cls_token")).min_by_key(|p| p.len());
    let prefix = match look.kind {
        Kind::Clip | Kind::Siglip => "vision_model.embeddings.".to_owned(),
        _ => format!("{}embeddings.", alone.unwrap_or_default()),
    };
    let read = |name: &str, sizes: &[usize]| weights.f32(&format!("{prefix}{name}"), sizes);
    let rows = side * side;
    let (first, mut table) = match look.kind {
        Kind::Siglip => (Vec::new(), read("position_embedding.weight", &[rows, hidden])?),
        Kind::Clip => (read("class_embedding", &[hidden])?, read("position_embedding.weight", &[rows + 1, hidden])?),
        _ => (read("cls_token", &[1, 1, hidden])?, read("position_embeddings", &[1, rows + 1, hidden])?),
    };
    let mut before = first;
    if !before.is_empty() {
        let positions = table.split_off(hidden);
        before.iter_mut().zip(&table).for_each(|(value, position)| *value += position);
        table = positions;
    }
    if look.registers > 0 {
        before.extend(read("register_tokens", &[1, look.registers, hidden])?);
    }
    let seen = settings.side().map_or(side, |[width, _]| width as usize / look.table.patch);
    let table = interpolated(table, hidden, [side, seen], look.kind == Kind::DinoRegisters);
    let (product, bias) = match look.kind {
        Kind::Clip => ("patch_embedding", false),
        Kind::Siglip => ("patch_embedding", true),
        _ => ("patch_embeddings.projection", true),
    };
    let tensors = Tensors { weights, product: format!("{prefix}{product}"), bias };
    Patches::new(kernel, Grid { side: seen, ..look.table }, &tensors, (before, table))
}

fn read_texts(
    base: &Base,
    (kernel, look, words): (Kernel, &Look, &Words),
    weights: &Weights<'_>,
    id: &str,
) -> Result<Texts, ModelError> {
    let tokenizer = Arc::new(read_tokenizer(base)?);
    let hidden = words.shape.hidden;
    check_vocabulary(id, &tokenizer, words.shape.vocabulary)?;
    let max_tokens = words.shape.longest();
    if max_tokens <= tokenizer.special_count() {
        return Err(unsupported(id, &format!("its context of {max_tokens} tokens leaves no room for text")));
    }
    let token = |id: u64| {
        let known = u32::try_from(id).ok().filter(|&id| (id as usize) < words.shape.vocabulary);
        known.ok_or_else(|| bad(&base.shown(CONFIG), format!("names the token {id}, of which there is none")))
    };
    let end = match (look.kind, words.end) {
        (Kind::Siglip, _) => TextEnd::Last(token(fill(base, &tokenizer)?.unwrap_or(words.fill))?),
        (_, 2) => TextEnd::Greatest,
        (_, end) => TextEnd::Token(token(end)?),
    };
    let encoder = Encoder::of(kernel, words.shape.clone(), weights, "text_model.")?;
    let mut after = Vec::new();
    match (look.kind, look.projection) {
        (Kind::Clip, Some(outputs)) => after.push(projection(weights, "text_projection", [outputs, hidden])?),
        (_, Some(outputs)) => {
            let weight = weights.f32("text_model.head.weight", &[outputs, hidden])?;
            let bias = weights.f32("text_model.head.bias", &[outputs])?;
            after.push(After::Dense(Dense { weight, bias, curve: Curve::Line }));
        }
        _ => {}
    }
    after.push(After::Normalize);
    Ok(Texts { tower: TextTower { encoder, end, after }, tokenizer, max_tokens })
}

/// The tokenizer of `tokenizer.json`, or of the two files that CLIP's first had.
fn read_tokenizer(base: &Base) -> Result<TextTokenizer, ModelError> {
    let place = &base.place;
    let two = [VOCABULARY, MERGES].map(|name| base.name(name));
    if place.find(&base.name(TOKENIZER))?.is_none() && place.find(&two[0])?.is_some() && place.find(&two[1])?.is_some()
    {
        let json = pairs::tokenizer((&place.shown(&two[0]), &place.needed_json(&two[0])?), &place.read(&two[1])?)?;
        return TextTokenizer::parse(&place.shown(&two[0]), json.to_string().as_bytes());
    }
    TextTokenizer::parse(&base.shown(TOKENIZER), &place.read(&base.name(TOKENIZER))?)
}

fn unsupported(id: &str, message: &str) -> ModelError {
    ModelError::Unsupported { id: id.to_owned(), message: message.to_owned() }
}

/// The token that texts are filled up with, where the tokenizer's own files say.
fn fill(base: &Base, tokenizer: &TextTokenizer) -> Result<Option<u64>, ModelError> {
    let own = base.json(TOKENIZER)?;
    if let Some(id) = own.as_ref().and_then(|json| json.get("padding")?.get("pad_id")?.as_u64()) {
        return Ok(Some(id));
    }
    let config = base.json("tokenizer_config.json")?;
    let word = |json: &Value| {
        let token = json.get("pad_token")?;
        token.as_str().or_else(|| token.get("content")?.as_str()).map(str::to_owned)
    };
    Ok(config.as_ref().and_then(word).and_then(|word| tokenizer.id(&word)).map(u64::from))
}

fn projection(weights: &Weights<'_>, name: &str, [outputs, inputs]: [usize; 2]) -> Result<After, ModelError> {
    let weight = weights.f32(&format!("{name}.weight"), &[outputs, inputs])?;
    Ok(After::Dense(Dense { weight, bias: vec![0.0; outputs], curve: Curve::Line }))
}

/// What captions' cosines are multiplied by, and what is added.
fn scale(weights: &Weights<'_>, kind: Kind) -> Result<CaptionScale, ModelError> {
    let one = |name: &str| -> Result<f32, ModelError> {
        let single = weights.f32(name, &[]).or_else(|_| weights.f32(name, &[1]))?;
        Ok(single.first().copied().unwrap_or(0.0))
    };
    let each_alone = kind == Kind::Siglip;
    let bias = if each_alone { one("logit_bias")? } else { 0.0 };
    Ok(CaptionScale { factor: one("logit_scale")?.exp(), bias, each_alone })
}
