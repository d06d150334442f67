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
    /// A number each, of which nothing is known but that it is one.
    Measures {
        /// The number of each position; NaN means none.
        values: Arc<[f64]>,
        /// Whether they are seconds since 1970.
        moments: bool,
    },
}

/// How the numbers of a scale are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// With so many digits after the point, and what follows.
    Plain {
        /// Digits after the point.
        decimals: u8,
        /// What follows the number, with its space.
        unit: &'static str,
    },
    /// Years: whole and without separators.
    Year,
    /// So large or so close that digits would not tell them apart: with an exponent.
    Exponent,
    /// Seconds since 1970, as days and hours.
    Moment,
}

impl Reading {
    /// How numbers between `min` and `max` are told apart best.
    fn of(values: impl Iterator<Item = f64>, [min, max]: [f64; 2]) -> Self {
        let whole = values.filter(|value| value.is_finite()).all(|value| value.fract() == 0.0);
        let (span, largest) = (max - min, min.abs().max(max.abs()));
        match span {
            _ if largest >= 1e15 => Self::Exponent,
            _ if whole && min >= 1000.0 && max <= 2200.0 => Self::Year,
            _ if whole => Self::Plain { decimals: 0, unit: "" },
            _ if span == 0.0 => Self::Plain { decimals: 3, unit: "" },
            _ if span < 1e-4 || largest >= 1e9 => Self::Exponent,
            _ => Self::Plain { decimals: (2.0 - span.log10().floor()).clamp(0.0, 6.0) as u8, unit: "" },
        }
    }
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
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// The map of colours.
    pub map: Colormap,
    /// The part of the map in use, 0 to 1: the end that the background would swallow is left out.
    pub part: [f32; 2],
    /// How its numbers are written.
    pub reading: Reading,
}

impl LegendScale {
    /// The colour of a place on the bar, 0 (least value) to 1 (greatest).
    pub fn colour_at(&self, t: f32) -> Colour {
        self.map.at(self.part[0] + (self.part[1] - self.part[0]) * t)
    }

    /// The colour of a value; [`OTHER`] for NaN.
    pub fn colour_of(&self, value: f64) -> Colour {
        let span = self.max - self.min;
        let place = if span > 0.0 { ((value - self.min) / span).clamp(0.0, 1.0) } else { value * 0.0 + 0.5 };
        self.colour_at(place as f32)
    }

    /// The value of a place on the bar, written for people.
    pub fn label_at(&self, t: f32) -> String {
        let value = self.min + (self.max - self.min) * f64::from(t);
        let (decimals, unit) = match self.reading {
            Reading::Plain { decimals, unit } => (decimals, unit),
            Reading::Year => return format!("{value:.0}"),
            Reading::Exponent => return format!("{value:.3e}").replace('-', "−"),
            Reading::Moment => return super::moments::moment(value, self.max - self.min),
        };
        let text = format!("{:.*}", usize::from(decimals), value.abs());
        let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), super::chrome::grouped);
        // a value that rounds to zero has no sign
        let negative = value < 0.0 && text.contains(|digit: char| ('1'..='9').contains(&digit));
        format!("{}{whole}{rest}{unit}", if negative { "−" } else { "" })
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

    /// Whether a category is hidden.
    pub fn hides(&self) -> bool {
        self.hidden.is_some()
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
            Values::Numbers { values, decimals, unit } => {
                let reading = |_| Reading::Plain { decimals: *decimals, unit };
                self.numbers(len, |at| values.get(at).copied().map(f64::from), reading)
            }
            Values::Measures { values, moments } => {
                let reading = |ends| match moments {
                    true => Reading::Moment,
                    false => Reading::of(values.iter().copied(), ends),
                };
                self.numbers(len, |at| values.get(at).copied(), reading)
            }
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

    fn numbers(
        &self,
        len: usize,
        value: impl Fn(usize) -> Option<f64>,
        reading: impl FnOnce([f64; 2]) -> Reading,
    ) -> (Vec<Colour>, Legend) {
        let value = |position| value(position).filter(|value| value.is_finite());
        let (min, max, count) = (0..len)
            .filter_map(value)
            .fold((f64::INFINITY, f64::NEG_INFINITY, 0), |(min, max, count), v| (v.min(min), v.max(max), count + 1));
        let part = if self.dark { [0.16, 1.0] } else { [0.0, 0.94] };
        let map = self.palette.colormap();
        let scale = (count > 0).then(|| LegendScale { min, max, map, part, reading: reading([min, max]) });
        let none = OTHER.faded(OTHER_OPACITY);
        let colours = (0..len)
            .map(|position| match (value(position), &scale) {
                (Some(value), Some(scale)) => scale.colour_of(value),
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
        let reading = Reading::Plain { decimals: 1, unit: " s" };
        let wide = LegendScale { min: -0.04, max: 12_345.6, reading, ..scale };
        assert_eq!((wide.label_at(0.0).as_str(), wide.label_at(1.0).as_str()), ("0.0 s", "12,345.6 s"));
        assert_eq!(LegendScale { min: -3.0, ..wide }.label_at(0.0), "−3.0 s");
        let one = Values::Numbers { values: vec![2.0].into(), decimals: 0, unit: "" };
        assert_ne!(StyleRequest::new("x", &one).make(1).colours()[0], OTHER);
    }
    #[test]
    fn numbers_of_other_programs_are_written_as_they_are_told_apart() {
        let ends = |values: &[f64], moments| {
            let len = values.len();
            let values = Values::Measures { values: values.into(), moments };
            let scale = StyleRequest::new("x", &values).make(len).legend().scale.unwrap();
            [scale.label_at(0.0), scale.label_at(1.0)]
        };
        assert_eq!(ends(&[1991.0, f64::NAN, 2024.0], false), ["1991", "2024"]);
        assert_eq!(ends(&[1.0, 12_345.0], false), ["1", "12,345"]);
        assert_eq!(ends(&[0.25, 1.0, f64::INFINITY], false), ["0.250", "1.000"]);
        assert_eq!(ends(&[-1500.5, 20_000.0], false), ["−1,500", "20,000"]);
        assert_eq!(ends(&[1e-9, 3e-9], false), ["1.000e−9", "3.000e−9"]);
        assert_eq!(ends(&[0.0, 864e5], true), ["1970-01-01", "1972-09-27"]);
    }
}
