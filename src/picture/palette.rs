//! Which colours stand for which values.
//!
//! Does not count or assign (that is `style`). Invariant: any two colours of a categorical set can be told apart from each other,
//! from [`OTHER`] and from both plot backgrounds.

use super::Colour;

/// Categorical colours. The first ten are the design's; the others were found by taking, one after another, the colour
/// farthest in Oklab from all before it, among muted ones with contrast over 3 on the dark and 1.5 on the light plot.
pub const CATEGORIES: [Colour; 42] = [
    Colour::hex(0x5aa9ff),
    Colour::hex(0xf2a33c),
    Colour::hex(0x4cc38a),
    Colour::hex(0xe06c9f),
    Colour::hex(0xb48ef2),
    Colour::hex(0xe5d352),
    Colour::hex(0x58c9c9),
    Colour::hex(0xe8705c),
    Colour::hex(0x9fb3c8),
    Colour::hex(0xc7a27c),
    Colour::hex(0x187010),
    Colour::hex(0x9040a0),
    Colour::hex(0xa04810),
    Colour::hex(0x1060b8),
    Colour::hex(0x809010),
    Colour::hex(0xf8b8f8),
    Colour::hex(0x406868),
    Colour::hex(0x7870d8),
    Colour::hex(0xb84068),
    Colour::hex(0x109070),
    Colour::hex(0xe8c8b0),
    Colour::hex(0xb0b010),
    Colour::hex(0x1090c8),
    Colour::hex(0xb87010),
    Colour::hex(0xf898a8),
    Colour::hex(0x98e0a0),
    Colour::hex(0x805870),
    Colour::hex(0x787038),
    Colour::hex(0xa868a8),
    Colour::hex(0x40a8a8),
    Colour::hex(0x98d8f8),
    Colour::hex(0xb07070),
    Colour::hex(0xf090e8),
    Colour::hex(0xb890a8),
    Colour::hex(0x5870a0),
    Colour::hex(0x28a858),
    Colour::hex(0x88a070),
    Colour::hex(0xc0b0f8),
    Colour::hex(0xc89010),
    Colour::hex(0x8090d0),
    Colour::hex(0xc85038),
    Colour::hex(0xa0c098),
];

/// The colour-blind-safe set of Okabe and Ito (2008), without its black, which a dark plot swallows.
pub const OKABE_ITO: [Colour; 7] = [
    Colour::hex(0xe69f00),
    Colour::hex(0x56b4e9),
    Colour::hex(0x009e73),
    Colour::hex(0xf0e442),
    Colour::hex(0x0072b2),
    Colour::hex(0xd55e00),
    Colour::hex(0xcc79a7),
];

/// What stands for "no value" and for the categories beyond the palette.
pub const OTHER: Colour = Colour::hex(0x7d8590);

/// A set of categorical colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Palette {
    /// [`CATEGORIES`]: 42 colours.
    #[default]
    Standard,
    /// [`OKABE_ITO`]: 7 colours that people with colour-blindness tell apart.
    ColourBlindSafe,
}

impl Palette {
    /// The colours in the order in which they are given out.
    pub fn colours(self) -> &'static [Colour] {
        match self {
            Self::Standard => &CATEGORIES,
            Self::ColourBlindSafe => &OKABE_ITO,
        }
    }

    /// The colour of the category with the given rank by count; [`OTHER`] beyond the set.
    pub fn colour(self, rank: usize) -> Colour {
        self.colours().get(rank).copied().unwrap_or(OTHER)
    }

    /// The map for numbers that goes with this set.
    pub fn colormap(self) -> Colormap {
        match self {
            Self::Standard => Colormap::Viridis,
            Self::ColourBlindSafe => Colormap::Cividis,
        }
    }
}

/// A sequential colour map, dark to bright, even in perceived lightness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colormap {
    /// Matplotlib's viridis (Smith and van der Walt 2015).
    #[default]
    Viridis,
    /// Cividis, viridis for colour-blind eyes (Nuñez et al. 2018).
    Cividis,
}

impl Colormap {
    /// The colour at `t`, 0 (lowest) to 1 (highest); outside values take the nearer end, NaN takes [`OTHER`].
    pub fn at(self, t: f32) -> Colour {
        if t.is_nan() {
            return OTHER;
        }
        let stops = match self {
            Self::Viridis => &VIRIDIS,
            Self::Cividis => &CIVIDIS,
        };
        let place = t.clamp(0.0, 1.0) * (stops.len() - 1) as f32;
        let below = (place as usize).min(stops.len() - 2);
        stops[below].mix(stops[below + 1], place - below as f32)
    }
}

const VIRIDIS: [Colour; 33] = [
    Colour::hex(0x440154),
    Colour::hex(0x470d60),
    Colour::hex(0x48186a),
    Colour::hex(0x482374),
    Colour::hex(0x472d7b),
    Colour::hex(0x453781),
    Colour::hex(0x424086),
    Colour::hex(0x3e4989),
    Colour::hex(0x3b528b),
    Colour::hex(0x375b8d),
    Colour::hex(0x33638d),
    Colour::hex(0x2f6b8e),
    Colour::hex(0x2c728e),
    Colour::hex(0x297a8e),
    Colour::hex(0x26828e),
    Colour::hex(0x23898e),
    Colour::hex(0x21918c),
    Colour::hex(0x1f978b),
    Colour::hex(0x1f9f88),
    Colour::hex(0x21a685),
    Colour::hex(0x27ad81),
    Colour::hex(0x31b57b),
    Colour::hex(0x3dbc74),
    Colour::hex(0x4cc26c),
    Colour::hex(0x5cc863),
    Colour::hex(0x6ece58),
    Colour::hex(0x81d34d),
    Colour::hex(0x95d840),
    Colour::hex(0xaadc32),
    Colour::hex(0xc0df25),
    Colour::hex(0xd5e21a),
    Colour::hex(0xeae51a),
    Colour::hex(0xfde725),
];

const CIVIDIS: [Colour; 33] = [
    Colour::hex(0x00224e),
    Colour::hex(0x00285b),
    Colour::hex(0x002e6a),
    Colour::hex(0x053371),
    Colour::hex(0x1a386f),
    Colour::hex(0x273e6e),
    Colour::hex(0x32436d),
    Colour::hex(0x3b496c),
    Colour::hex(0x434e6c),
    Colour::hex(0x4b546c),
    Colour::hex(0x535a6d),
    Colour::hex(0x5a5f6e),
    Colour::hex(0x61656f),
    Colour::hex(0x686a71),
    Colour::hex(0x6f7073),
    Colour::hex(0x767676),
    Colour::hex(0x7d7c78),
    Colour::hex(0x838179),
    Colour::hex(0x8b8778),
    Colour::hex(0x928d78),
    Colour::hex(0x9a9376),
    Colour::hex(0xa29975),
    Colour::hex(0xaaa073),
    Colour::hex(0xb3a670),
    Colour::hex(0xbbad6d),
    Colour::hex(0xc3b369),
    Colour::hex(0xccba64),
    Colour::hex(0xd4c15f),
    Colour::hex(0xddc858),
    Colour::hex(0xe6d051),
    Colour::hex(0xefd748),
    Colour::hex(0xf8df3c),
    Colour::hex(0xfee838),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_told_apart() {
        let dark = Colour::hex(0x101215);
        let light = Colour::hex(0xfbfbfc);
        for (i, a) in CATEGORIES.iter().enumerate() {
            for b in &CATEGORIES[..i] {
                assert!(a.difference(*b) > 0.08, "{} and {}", a.css(), b.css());
            }
            assert!(a.difference(OTHER) > 0.08, "{}", a.css());
            assert!(a.contrast(dark) > 2.9 && a.contrast(light) > 1.35, "{}", a.css());
        }
    }

    #[test]
    fn colormaps_grow_brighter() {
        for map in [Colormap::Viridis, Colormap::Cividis] {
            let steps: Vec<f32> = (0..=50).map(|i| map.at(i as f32 / 50.0).luminance()).collect();
            assert!(steps.windows(2).all(|w| w[0] < w[1] + 1e-3));
        }
        assert_eq!(Colormap::Viridis.at(0.0).css(), "#440154");
        assert_eq!(Colormap::Viridis.at(9.0).css(), "#fde725");
        assert_eq!(Colormap::Cividis.at(f32::NAN), OTHER);
    }
}
