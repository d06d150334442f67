//! What the window of models remembers, and the list it is about: the catalogue joined with the models that are here.
//!
//! Invariant: an entry has a catalogue's part, a part of this computer, or both.

use std::rc::Rc;

use crate::ui::context::{Context, ModelState};
use crate::workspace::catalogue::choose::{Choice, Data, Wants};
use crate::workspace::catalogue::{self, Domain, KnownModel, Modality};

/// What the window shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// One card.
    #[default]
    Cards,
    /// Cards side by side.
    Compare,
    /// The chooser.
    Choose,
}

/// Where a model of the list may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whereabouts {
    /// Anywhere.
    #[default]
    Any,
    /// On this computer.
    Here,
    /// To be fetched.
    Fetch,
    /// Behind an API, or not run here yet.
    Elsewhere,
}

impl Whereabouts {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Any, Self::Here, Self::Fetch, Self::Elsewhere];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Any => "anywhere",
            Self::Here => "on this computer",
            Self::Fetch => "can be fetched",
            Self::Elsewhere => "API, or not run here yet",
        }
    }
}

/// Filters of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Words of name, id, field or use.
    pub search: String,
    /// What it reads.
    pub modality: Option<Modality>,
    /// Its field.
    pub domain: Option<Domain>,
    /// Only where commercial use is allowed.
    pub commercial: bool,
    /// Most megabytes of weights.
    pub most_mb: Option<u64>,
    /// Where it is.
    pub whereabouts: Whereabouts,
}

/// What an answer of the chooser hangs on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// What is wanted, and the data.
    pub wants: Wants,
}

/// What the window remembers.
#[derive(Default)]
pub struct ModelsState {
    /// What it shows.
    pub tab: Tab,
    /// Filters of the list.
    pub filters: Filters,
    /// Places of the entries that pass the filters, and what that hangs on: the filters, and the ids of all entries.
    passed: Option<(Filters, Vec<String>, Rc<[usize]>)>,
    /// Id of the entry whose card is shown.
    pub selected: Option<String>,
    /// Ids of the entries that are ticked, at most four.
    pub ticked: Vec<String>,
    /// What is wanted of a model.
    pub wants: Wants,
    /// Suggestions are listed to the end.
    pub all_suggestions: bool,
    /// The corpus as the chooser counts it, by its revision.
    pub data: Option<([u8; 32], Data)>,
    /// The answer to what was asked last.
    pub answer: Option<(Asked, Choice)>,
}

/// Most cards side by side.
pub const MOST_TICKED: usize = 4;

impl ModelsState {
    /// Places of the entries that pass the filters: looked through when the filters or the entries have changed.
    pub fn listed(&mut self, entries: &[Entry<'_>]) -> Rc<[usize]> {
        let same = |(filters, ids, _): &&(Filters, Vec<String>, Rc<[usize]>)| {
            *filters == self.filters && ids.iter().map(String::as_str).eq(entries.iter().map(Entry::id))
        };
        if let Some((.., places)) = self.passed.as_ref().filter(same) {
            return places.clone();
        }
        let places: Rc<[usize]> = (0..entries.len()).filter(|&place| entries[place].passes(&self.filters)).collect();
        let ids = entries.iter().map(|entry| entry.id().to_owned()).collect();
        self.passed = Some((self.filters.clone(), ids, places.clone()));
        places
    }

    /// Ticks an entry, or takes the tick away.
    pub fn tick(&mut self, id: &str) {
        if let Some(place) = self.ticked.iter().position(|ticked| ticked == id) {
            self.ticked.remove(place);
        } else if self.ticked.len() < MOST_TICKED {
            self.ticked.push(id.to_owned());
        }
    }
}

/// A line of the list.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// What the catalogue knows of it.
    pub known: Option<&'static KnownModel>,
    /// What is here of it.
    pub model: Option<&'a ModelState>,
}

/// The models that are here in their order, then the rest of the catalogue in its own.
pub fn entries<'a>(ctx: &Context<'a>) -> Vec<Entry<'a>> {
    let mut list: Vec<Entry<'a>> = ctx
        .models
        .iter()
        .map(|model| Entry { known: catalogue::known(&model.card.id.0), model: Some(model) })
        .collect();
    let here: Vec<&str> = list.iter().filter_map(|entry| entry.known).map(|known| known.id.as_str()).collect();
    let rest = catalogue::all().iter().filter(|known| !here.contains(&known.id.as_str()));
    let rest: Vec<Entry<'a>> = rest.map(|known| Entry { known: Some(known), model: None }).collect();
    list.extend(rest);
    list
}

impl Entry<'_> {
    /// The id it is kept by: of what is here, else of the catalogue.
    pub fn id(&self) -> &str {
        let known = || self.known.map_or("", |known| known.id.as_str());
        self.model.map_or_else(known, |model| model.card.id.0.as_str())
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        let known = || self.known.map_or("", |known| known.name.as_str());
        self.model.map_or_else(known, |model| model.card.name.as_str())
    }

    /// Dimensions of its vectors.
    pub fn dimensions(&self) -> usize {
        let known = || self.known.map_or(0, |known| known.dimensions);
        self.model.map_or_else(known, |model| model.card.dimensions)
    }

    /// Longest text.
    pub fn context_tokens(&self) -> Option<usize> {
        self.model.map_or_else(|| self.known.and_then(|known| known.context_tokens), |model| model.card.context_tokens)
    }

    /// Its licence.
    pub fn licence(&self) -> &str {
        let card = self.model.map(|model| model.card.licence.as_str());
        self.known.map(|known| known.licence.as_str()).or(card).unwrap_or("not stated")
    }

    /// Bytes of its weights.
    pub fn size_bytes(&self) -> Option<u64> {
        let card = self.model.map(|model| model.card.size_bytes).filter(|&size| size > 0);
        card.or_else(|| self.known.and_then(|known| known.size_bytes))
    }

    /// What it reads, in words.
    pub fn reads(&self) -> &'static str {
        match (self.known, self.model) {
            (Some(known), _) => known.modality.words(),
            (None, Some(model)) => model.card.input.words(),
            (None, None) => "",
        }
    }

    /// Whether it passes the filters.
    pub fn passes(&self, filters: &Filters) -> bool {
        let here = self.model.is_some();
        let whereabouts = match filters.whereabouts {
            Whereabouts::Any => true,
            Whereabouts::Here => here,
            Whereabouts::Fetch => !here && self.known.is_some_and(|known| known.why_not().is_none()),
            Whereabouts::Elsewhere => !here && self.known.is_some_and(|known| known.why_not().is_some()),
        };
        let modality = filters.modality.is_none_or(|wanted| match self.known {
            Some(known) => known.modality == wanted,
            None => self.model.is_some_and(|model| model.card.input == wanted.input()),
        });
        let known = |test: &dyn Fn(&KnownModel) -> bool| self.known.is_some_and(test);
        whereabouts
            && modality
            && filters.domain.is_none_or(|domain| known(&|model| model.domains.contains(&domain)))
            && (!filters.commercial || known(&|model| model.commercial == Some(true)))
            && filters.most_mb.is_none_or(|most| self.size_bytes().is_some_and(|size| size <= most * 1_000_000))
            && self.is_called(&filters.search)
    }

    /// Whether every word of a search is in its names, its field or what it is best for.
    fn is_called(&self, search: &str) -> bool {
        let mut text = format!("{} {} {} {}", self.id(), self.name(), self.licence(), self.reads());
        if let Some(known) = self.known {
            text.push_str(&format!(" {} {} {}", known.id, known.aliases.join(" "), known.best_for));
            text.extend(known.domains.iter().flat_map(|domain| [" ", domain.words()]));
            text.push_str(if known.is_multilingual() { " multilingual many languages" } else { "" });
        }
        let text = text.to_lowercase();
        search.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}
