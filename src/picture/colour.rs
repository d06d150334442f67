//! One colour type for everything that is drawn without a toolkit.
//!
//! Does not choose colours (that is `palette`). Invariant: channels are sRGB bytes with straight, not premultiplied, alpha.

/// An sRGB colour with straight alpha: red, green, blue, opacity, each 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colour(pub [u8; 4]);

impl Colour {
    /// Nothing drawn.
    pub const TRANSPARENT: Self = Self([0; 4]);

    /// An opaque colour from `0xrrggbb`.
    pub const fn hex(rgb: u32) -> Self {
        let [_, r, g, b] = rgb.to_be_bytes();
        Self([r, g, b, 255])
    }

    /// The same colour with another opacity, 0 (nothing) to 255 (opaque).
    #[must_use]
    pub const fn with_alpha(self, alpha: u8) -> Self {
        let [r, g, b, _] = self.0;
        Self([r, g, b, alpha])
    }

    /// The same colour with its opacity multiplied by `factor`, usually 0 to 1.
    #[must_use]
    pub fn faded(self, factor: f32) -> Self {
        self.with_alpha((f32::from(self.0[3]) * factor).round().clamp(0.0, 255.0) as u8)
    }

    /// The straight line in sRGB from `self` (`t` = 0) to `other` (`t` = 1).
    #[must_use]
    pub fn mix(self, other: Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        let channel = |i: usize| {
            let (a, b) = (f32::from(self.0[i]), f32::from(other.0[i]));
            (a + (b - a) * t).round() as u8
        };
        Self([channel(0), channel(1), channel(2), channel(3)])
    }

    /// The colour as CSS writes it, without its opacity: `#rrggbb`.
    pub fn css(self) -> String {
        let [r, g, b, _] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// Opacity, 0 to 1.
    pub fn opacity(self) -> f32 {
        f32::from(self.0[3]) / 255.0
    }

    /// Relative luminance of the opaque colour, 0 (black) to 1 (white), as in WCAG 2.
    pub fn luminance(self) -> f32 {
        let [r, g, b] = self.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast with `other`, 1 (none) to 21, as in WCAG 2.
    pub fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Perceived difference of two opaque colours: Euclidean distance in Oklab (Ottosson 2020). 0.02 is just noticeable,
    /// black to white is 1.
    pub fn difference(self, other: Self) -> f32 {
        let (a, b) = (self.oklab(), other.oklab());
        a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>().sqrt()
    }

    fn linear(self) -> [f32; 3] {
        [0, 1, 2].map(|i| {
            let c = f32::from(self.0[i]) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn oklab(self) -> [f32; 3] {
        let [r, g, b] = self.linear();
        let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_css_and_mix() {
        let blue = Colour::hex(0x5aa9ff);
        assert_eq!(blue.0, [0x5a, 0xa9, 0xff, 255]);
        assert_eq!(blue.css(), "#5aa9ff");
        assert_eq!(Colour::hex(0).mix(Colour::hex(0xffffff), 0.5).0, [128, 128, 128, 255]);
        assert_eq!(blue.faded(0.5).0[3], 128);
    }

    #[test]
    fn contrast_and_difference_of_black_and_white() {
        let (black, white) = (Colour::hex(0), Colour::hex(0xffffff));
        assert!((black.contrast(white) - 21.0).abs() < 1e-3);
        assert!((black.difference(white) - 1.0).abs() < 1e-3);
    }
}
