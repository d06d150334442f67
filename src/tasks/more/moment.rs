//! Days and moments as other programs write them.
//!
//! Reads ISO 8601 and what is common besides, nothing that could mean two things. Invariant: words that are no moment are none, not a
//! wrong one.

/// Seconds since 1970 in Greenwich, of "2024-02-29", "2024-02-29T23:59:59.5Z", "2024-02-29 23:59", "2024-02-29T23:59:59+02:00";
/// a time without a zone is taken for Greenwich's.
pub(in crate::tasks) fn moment(text: &str) -> Option<f64> {
    let text = Some(text.trim()).filter(|text| text.is_ascii())?;
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let shaped = date.bytes().enumerate().all(|(at, byte)| (byte == b'-') == (at == 4 || at == 7) && byte != b'+');
    if !shaped || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let midnight = days(year.into(), month.into(), day.into()) as f64 * 86_400.0;
    let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else { return rest.is_empty().then_some(midnight) };
    let (clock, zone) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let offset = match zone {
        "" | "Z" | "z" => 0.0,
        zone => {
            let digits: String = zone[1..].chars().filter(|&c| c != ':').collect();
            let far = match digits.len() {
                2 => clock_of(&format!("{digits}:00"))?,
                4 => clock_of(&format!("{}:{}", &digits[..2], &digits[2..]))?,
                _ => return None,
            };
            if zone.starts_with('-') { -far } else { far }
        }
    };
    Some(midnight + clock_of(clock.trim_end())? - offset)
}

/// Seconds of "23:59", "23:59:59" or "23:59:59.5".
fn clock_of(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let two = |part: Option<&str>| {
        let part = part.filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse::<f64>().ok()
    };
    let (hour, minute) = (two(parts.next())?, two(parts.next())?);
    let seconds = match parts.next() {
        None => 0.0,
        Some(part) if part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => part.parse().ok()?,
        Some(_) => return None,
    };
    (hour < 24.0 && minute < 60.0 && seconds < 61.0).then_some(hour * 3_600.0 + minute * 60.0 + seconds)
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_read_and_other_words_are_not() {
        // Against Python's datetime.
        for (text, seconds) in [
            ("1970-01-01", 0.0),
            ("2024-02-29", 1_709_164_800.0),
            ("1900-03-01", -2_203_891_200.0),
            ("2024-02-29T23:59:59.500001Z", 1_709_251_199.500_001),
            ("2024-02-29 23:59", 1_709_251_140.0),
            ("2024-02-29T23:59:59+02:00", 1_709_243_999.0),
            ("2024-02-29T23:59:59-0530", 1_709_270_999.0),
        ] {
            assert_eq!(moment(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "2023-02-29",
            "2024-13-01",
            "24-02-29",
            "2024-02-29T25:00",
            "2024-02-2",
            "2024-02-29x",
            "a-b-c",
            "ééééé",
            "2024-+1-01",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
