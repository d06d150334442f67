//! The bundled fonts, as bytes: one copy for the window and for exported pictures.
//!
//! Inter and `JetBrains` Mono are under the SIL Open Font License; origin and changes are told beside the files.

/// Inter, regular; its digits are tabular.
pub static INTER_REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
/// Inter, semibold; its digits are tabular.
pub static INTER_SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");
/// `JetBrains` Mono, regular: code and tokens.
pub static JETBRAINS_MONO: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf");
