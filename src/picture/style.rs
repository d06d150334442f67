//! What colour each point has and what the legend says: a pure function of values, palette, hidden categories and selection.
//!
//! Knows no positions on the plane. Invariant: dimming and hiding never remove a point from the data, only from the eye; a
//! category keeps its colour whatever is hidden or selected.

use std::sync::Arc;

use super::palette::{Colormap, OTHER, Palette};
use super::{Colour, next_id};

/// How opaque a point without a value or beyond the palette is.
const OTHER_OPACITY: f32 = 0.62;
/// How opaque points of a hidden category are when they are shown at all.
const HIDDEN_OPACITY: f32 = 0.12;
/// With more selected points than this, rings would cover what they mark.
const MOST_RINGS: usize = 400;

/// One value per layout position.
#[derive(Clone, Debug)]
pub enum Values {
    /// The same colour for all.
    Uniform(Colour),
    /// A category each.
    Categories {
        /// The names, by category.
        names: Arc<[String]>,
        /// The category of each position; a number beyond the names means none.
        ids: Arc<[u32]>,
    },
    /// A number each.
    Numbers {
        /// The number of each position; NaN means none.
        values: Arc<[f32]>,
        /// Digits after the point in the legend.
        decimals: u8,
        /// What follows the number in the legend, with its space, for example `" tokens"`; may be empty.
        unit: &'static str,
    },
}

/// One line of a legend of categories.
#[derive(Clone, Debug, PartialEq)]
pub struct LegendEntry {
    /// The category's name.
    pub label: String,
    /// How many positions have it.
    pub count: usize,
    /// Its colour, opaque.
    pub colour: Colour,
    /// The category to hide or isolate; `None` for the line of positions without a value.
    pub category: Option<u32>,
    /// Whether it is hidden.
    pub hidden: bool,
}

/// The colour bar of a legend of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LegendScale {
    /// Least value.
    pub min: f32,
    /// Greatest value.
    pub max: f32,
    /// The map of colours.
    pub map: Colormap,
    /// The part of the map in use, 0 to 1: the end that the background would swallow is left out.
    pub part: [f32; 2],
    /// Digits after the point.
    pub decimals: u8,
    /// What follows a number.
    pub unit: &'static str,
}

impl LegendScale {
    /// The colour of a place on the bar, 0 (least value) to 1 (greatest).
    pub fn colour_at(&self, t: f32) -> Colour {
        self.map.at(self.part[0] + (self.part[1] - self.part[0]) * t)
    }

    /// The colour of a value; [`OTHER`] for NaN.
    pub fn colour_of(&self, value: f32) -> Colour {
        let span = self.max - self.min;
        self.colour_at(if span > 0.0 { ((value - self.min) / span).clamp(0.0, 1.0) } else { value * 0.0 + 0.5 })
    }

    /// The value of a place on the bar, written for people.
    pub fn label_at(&self, t: f32) -> String {
        let value = self.min + (self.max - self.min) * t;
        let text = format!("{:.*}", usize::from(self.decimals), value.abs());
        let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), super::chrome::grouped);
        // a value that rounds to zero has no sign
        let negative = value < 0.0 && text.contains(|digit: char| ('1'..='9').contains(&digit));
        format!("{}{whole}{rest}{}", if negative { "−" } else { "" }, self.unit)
    }
}

/// What the colours mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Legend {
    /// What the points are coloured by.
    pub title: String,
    /// Categories by descending count, then the line of those without a value. Empty for numbers and uniform colour.
    pub entries: Vec<LegendEntry>,
    /// How many of the entries, from the first, have a colour of their own.
    pub coloured: usize,
    /// The colour bar, for numbers.
    pub scale: Option<LegendScale>,
    /// How many positions have no value.
    pub missing: usize,
}

/// The look of every position, ready to draw.
#[derive(Clone, Debug)]
pub struct Styles {
    id: u64,
    colours: Arc<[Colour]>,
    front: Arc<[u32]>,
    hidden: Option<Arc<[bool]>>,
    legend: Arc<Legend>,
}

impl Styles {
    /// A number no other styles of this process have.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The colour by position, straight alpha; zero opacity is not drawn.
    pub fn colours(&self) -> &Arc<[Colour]> {
        &self.colours
    }

    /// The selected positions, ascending: drawn once more, in front.
    pub fn front(&self) -> &Arc<[u32]> {
        &self.front
    }

    /// Whether a position may be hovered, clicked and lassoed: it is not of a hidden category.
    pub fn is_shown(&self, position: usize) -> bool {
        self.hidden.as_ref().is_none_or(|hidden| !hidden.get(position).copied().unwrap_or(false))
    }

    /// The colour of a position in full strength, as in the legend.
    pub fn full_colour(&self, position: usize) -> Colour {
        self.colours.get(position).copied().unwrap_or(OTHER).with_alpha(255)
    }

    /// What the colours mean.
    pub fn legend(&self) -> &Arc<Legend> {
        &self.legend
    }
}

/// Everything the look depends on.
#[derive(Clone, Debug)]
pub struct StyleRequest<'a> {
    /// What the points are coloured by, for the legend's title.
    pub title: &'a str,
    /// The values, one per position.
    pub values: &'a Values,
    /// The set of colours.
    pub palette: Palette,
    /// How many categories get a colour of their own, at most as many as the palette has; `usize::MAX` for all of it.
    pub most_coloured: usize,
    /// Hidden categories, in any order.
    pub hidden: &'a [u32],
    /// Whether hidden categories stay faintly visible.
    pub faint_hidden: bool,
    /// Selected positions, ascending.
    pub selected: &'a [u32],
    /// What remains of the opacity of the others while more than one point is selected: 0 to 1, usually 0.45.
    pub dim: f32,
    /// Whether the background is dark: which end of a colour map is left out.
    pub dark: bool,
}

impl<'a> StyleRequest<'a> {
    /// The usual look: whole standard palette, nothing hidden or selected, dark background.
    pub fn new(title: &'a str, values: &'a Values) -> Self {
        Self {
            title,
            values,
            palette: Palette::Standard,
            most_coloured: usize::MAX,
            hidden: &[],
            faint_hidden: false,
            selected: &[],
            dim: 0.45,
            dark: true,
        }
    }

    /// The look of `len` positions.
    pub fn make(&self, len: usize) -> Styles {
        let (mut colours, legend) = match self.values {
            Values::Uniform(colour) => {
                (vec![*colour; len], Legend { title: self.title.to_owned(), ..Legend::default() })
            }
            Values::Categories { names, ids } => self.categories(len, names, ids),
            Values::Numbers { values, decimals, unit } => self.numbers(len, values, (*decimals, unit)),
        };
        let hidden = self.hide(&mut colours);
        let front: Arc<[u32]> = self.selected.iter().copied().filter(|&p| (p as usize) < len).collect();
        if front.len() > 1 {
            colours.iter_mut().for_each(|colour| *colour = colour.faded(self.dim));
        }
        for position in front.iter().map(|&position| position as usize) {
            if hidden.as_ref().is_none_or(|hidden| !hidden[position]) {
                colours[position] = colours[position].with_alpha(255);
            }
        }
        Styles { id: next_id(), colours: colours.into(), front, hidden, legend: Arc::new(legend) }
    }

    fn categories(&self, len: usize, names: &[String], ids: &[u32]) -> (Vec<Colour>, Legend) {
        let mut counts = vec![0usize; names.len() + 1];
        for position in 0..len {
            counts[category_of(ids, position, names.len())] += 1;
        }
        let missing = counts.pop().unwrap_or(0);
        let mut ranked: Vec<usize> = (0..names.len()).filter(|&category| counts[category] > 0).collect();
        ranked.sort_by(|&a, &b| counts[b].cmp(&counts[a]).then_with(|| names[a].cmp(&names[b])).then(a.cmp(&b)));
        let coloured = ranked.len().min(self.most_coloured).min(self.palette.colours().len());
        let mut look = vec![OTHER.faded(OTHER_OPACITY); names.len() + 1];
        let mut entries = Vec::with_capacity(ranked.len() + 1);
        for (rank, &category) in ranked.iter().enumerate() {
            let colour = if rank < coloured { self.palette.colour(rank) } else { OTHER };
            if rank < coloured {
                look[category] = colour;
            }
            entries.push(LegendEntry {
                label: names[category].clone(),
                count: counts[category],
                colour,
                category: Some(category as u32),
                hidden: self.hidden.contains(&(category as u32)),
            });
        }
        if missing > 0 {
            let label = format!("No {}", self.title.to_lowercase());
            entries.push(LegendEntry { label, count: missing, colour: OTHER, category: None, hidden: false });
        }
        let colours = (0..len).map(|position| look[category_of(ids, position, names.len())]).collect();
        (colours, Legend { title: self.title.to_owned(), entries, coloured, scale: None, missing })
    }

    fn numbers(&self, len: usize, values: &[f32], (decimals, unit): (u8, &'static str)) -> (Vec<Colour>, Legend) {
        let finite = values.iter().take(len).copied().filter(|value| value.is_finite());
        let (min, max, count) = finite
            .fold((f32::INFINITY, f32::NEG_INFINITY, 0), |(min, max, count), v| (v.min(min), v.max(max), count + 1));
        let part = if self.dark { [0.16, 1.0] } else { [0.0, 0.94] };
        let map = self.palette.colormap();
        let scale = (count > 0).then_some(LegendScale { min, max, map, part, decimals, unit });
        let none = OTHER.faded(OTHER_OPACITY);
        let colours = (0..len)
            .map(|position| match (values.get(position), &scale) {
                (Some(&value), Some(scale)) if value.is_finite() => scale.colour_of(value),
                _ => none,
            })
            .collect();
        let legend =
            Legend { title: self.title.to_owned(), entries: Vec::new(), coloured: 0, scale, missing: len - count };
        (colours, legend)
    }

    fn hide(&self, colours: &mut [Colour]) -> Option<Arc<[bool]>> {
        let Values::Categories { names, ids } = self.values else { return None };
        if self.hidden.is_empty() {
            return None;
        }
        let mut gone = vec![false; names.len() + 1];
        for &category in self.hidden {
            if let Some(flag) = gone.get_mut(category as usize).filter(|_| (category as usize) < names.len()) {
                *flag = true;
            }
        }
        let opacity = if self.faint_hidden { HIDDEN_OPACITY } else { 0.0 };
        let hidden: Arc<[bool]> =
            (0..colours.len()).map(|position| gone[category_of(ids, position, names.len())]).collect();
        for (colour, _) in colours.iter_mut().zip(hidden.iter()).filter(|(_, hidden)| **hidden) {
            *colour = colour.faded(opacity);
        }
        Some(hidden)
    }
}

/// The category of a position; `none` where it has none.
fn category_of(ids: &[u32], position: usize, none: usize) -> usize {
    ids.get(position).map_or(none, |&id| (id as usize).min(none))
}

/// How selected points are drawn in front.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrontLook {
    /// Radius of the disc, in the unit of the point radius.
    pub radius: f32,
    /// Width of the ring around it; 0 for none.
    pub ring: f32,
}

impl FrontLook {
    /// Few selected points are enlarged and ringed; where rings would cover the map they only come to the front.
    pub fn of(selected: usize, point_radius: f32) -> Self {
        if selected > MOST_RINGS {
            Self { radius: point_radius * 1.15, ring: 0.0 }
        } else {
            Self { radius: (point_radius * 1.5).max(point_radius + 1.0), ring: 1.25 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(ids: &[u32], names: &[&str]) -> Values {
        Values::Categories { names: names.iter().map(|&n| n.to_owned()).collect(), ids: ids.into() }
    }

    #[test]
    fn categories_are_coloured_by_count_and_keep_their_colour() {
        let values = values(&[1, 1, 1, 0, 2, 2, 9], &["a", "b", "c", "unused"]);
        let plain = StyleRequest::new("Folder", &values).make(7);
        let labels: Vec<_> = plain.legend().entries.iter().map(|e| (e.label.as_str(), e.count)).collect();
        assert_eq!(labels, [("b", 3), ("c", 2), ("a", 1), ("No folder", 1)]);
        assert_eq!(plain.colours()[0], Palette::Standard.colour(0));
        let hidden = StyleRequest { hidden: &[1], selected: &[3, 4], ..StyleRequest::new("Folder", &values) }.make(7);
        assert_eq!(hidden.colours()[0].0[3], 0);
        assert!(!hidden.is_shown(0) && hidden.is_shown(3));
        assert_eq!(hidden.full_colour(4), plain.full_colour(4));
        assert_eq!(hidden.colours()[3].0[3], 255);
        assert!(hidden.colours()[5].0[3] < 255 && hidden.colours()[5].0[3] > 0);
        assert_eq!(&hidden.front()[..], [3, 4]);
    }

    #[test]
    fn the_tail_is_grey() {
        let names: Vec<String> = (0..60).map(|i| format!("n{i}")).collect();
        let ids: Arc<[u32]> = (0..60u32).flat_map(|id| vec![id; 61 - id as usize]).collect();
        let values = Values::Categories { names: names.into(), ids: ids.clone() };
        let styles = StyleRequest::new("x", &values).make(ids.len());
        assert_eq!(styles.legend().coloured, 42);
        assert_eq!(styles.legend().entries[42].colour, OTHER);
        assert_ne!(styles.legend().entries[41].colour, OTHER);
        let few = StyleRequest { palette: Palette::ColourBlindSafe, ..StyleRequest::new("x", &values) }.make(ids.len());
        assert_eq!(few.legend().coloured, 7);
    }

    #[test]
    fn numbers_take_the_map_and_missing_is_grey() {
        let values = Values::Numbers { values: vec![2.0, f32::NAN, 4.0, 3.0].into(), decimals: 1, unit: "" };
        let styles = StyleRequest::new("Length", &values).make(5);
        let scale = styles.legend().scale.unwrap();
        assert_eq!((scale.min, scale.max, styles.legend().missing), (2.0, 4.0, 2));
        assert_eq!(styles.colours()[2], Colormap::Viridis.at(1.0));
        assert_eq!(styles.colours()[1], styles.colours()[4]);
        assert_eq!(scale.label_at(0.5), "3.0");
        let wide = LegendScale { min: -0.04, max: 12_345.6, unit: " s", ..scale };
        assert_eq!((wide.label_at(0.0).as_str(), wide.label_at(1.0).as_str()), ("0.0 s", "12,345.6 s"));
        assert_eq!(LegendScale { min: -3.0, ..wide }.label_at(0.0), "−3.0 s");
        let one = Values::Numbers { values: vec![2.0].into(), decimals: 0, unit: "" };
        assert_ne!(StyleRequest::new("x", &one).make(1).colours()[0], OTHER);
    }
}
