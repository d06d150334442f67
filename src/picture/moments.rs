//! Moments as a legend writes them: the day, and the time of it where the scale is short.
//!
//! Knows the Gregorian calendar in Greenwich only. Invariant: what is written reads back as the same day or minute.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A moment, in seconds since 1970, on a scale of `span` seconds: "2024-02-29", "2024-02-29 23:59" below four days, with seconds below ten
/// minutes.
pub(super) fn moment(seconds: f64, span: f64) -> String {
    let whole = seconds.floor().clamp(-1e15, 1e15) as i64;
    let (year, month, day) = civil(whole.div_euclid(DAY));
    let (minutes, second) = (whole.rem_euclid(DAY) / 60, whole.rem_euclid(DAY) % 60);
    let date = format!("{year:04}-{month:02}-{day:02}");
    match span {
        _ if span >= 4.0 * DAY as f64 => date,
        _ if span == 0.0 && whole.rem_euclid(DAY) == 0 => date,
        _ if span >= 600.0 => format!("{date} {:02}:{:02}", minutes / 60, minutes % 60),
        _ => format!("{date} {:02}:{:02}:{second:02}", minutes / 60, minutes % 60),
    }
}

/// Year, month and day of a day since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * march + 2) / 5 + 1, if march < 10 { march + 3 } else { march - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_fine_as_the_scale_is_short() {
        let leap = 1_709_251_199.5;
        assert_eq!(moment(leap, 1e8), "2024-02-29");
        assert_eq!(moment(leap, 86_400.0), "2024-02-29 23:59");
        assert_eq!(moment(leap, 10.0), "2024-02-29 23:59:59");
        assert_eq!(moment(-1.0, 1e9), "1969-12-31");
        assert_eq!(moment(0.0, 0.0), "1970-01-01");
        assert_eq!(moment(-62_135_596_800.0, 1e9), "0001-01-01");
    }
}
