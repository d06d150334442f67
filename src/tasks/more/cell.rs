//! One value of a table, whatever the format it came in.

use std::borrow::Cow;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tasks) enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A text.
    Words(Cow<'a, str>),
    /// A whole number.
    Number(i64),
    /// A whole number that may be larger than the largest of the others.
    Natural(u64),
    /// A number in double precision.
    Real(f64),
    /// A number in single precision.
    Single(f32),
    /// A truth value.
    Truth(bool),
}

impl Cell<'_> {
    /// In words, as it is shown.
    pub(in crate::tasks) fn words(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Words(words) => Cow::Borrowed(words.as_ref()),
            Self::Number(number) => number.to_string().into(),
            Self::Natural(number) => number.to_string().into(),
            // With an exponent where the digits would be many, and could be taken for a whole number.
            Self::Real(number) => format!("{number:?}").trim_end_matches(".0").to_owned().into(),
            Self::Single(number) => format!("{number:?}").trim_end_matches(".0").to_owned().into(),
            Self::Truth(yes) => yes.to_string().into(),
        }
    }

    /// In words, where it is words.
    pub(in crate::tasks) fn only_words(&self) -> &str {
        if let Self::Words(words) = self { words.as_ref() } else { "" }
    }

    /// As a number that counts something.
    pub(in crate::tasks) fn count(&self) -> Option<u64> {
        match self {
            Self::Empty | Self::Truth(_) => None,
            Self::Words(words) => words.trim().parse().ok(),
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Natural(number) => Some(*number),
            Self::Real(number) => (*number >= 0.0).then_some(*number as u64),
            Self::Single(number) => (*number >= 0.0).then_some(*number as u64),
        }
    }

    /// As a number in double precision.
    pub(in crate::tasks) fn real(&self) -> Option<f64> {
        match self {
            Self::Empty | Self::Words(_) | Self::Truth(_) => None,
            Self::Number(number) => Some(*number as f64),
            Self::Natural(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Single(number) => Some((*number).into()),
        }
    }
}

impl serde::Serialize for Cell<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_unit(),
            Self::Words(words) => serializer.serialize_str(words),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Natural(number) => serializer.serialize_u64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Single(number) => serializer.serialize_f32(*number),
            Self::Truth(yes) => serializer.serialize_bool(*yes),
        }
    }
}
