//! Numbers and lines for people.

/// A whole number with commas between the thousands.
pub(super) fn count(number: u64) -> String {
    crate::picture::grouped(number as usize)
}

/// A rate: whole from 10 on, one digit below.
pub(super) fn rate(per_second: f64) -> String {
    if per_second >= 10.0 { count(per_second.round() as u64) } else { format!("{per_second:.1}") }
}

/// Bytes as people read them: "850 kB", "91.3 MB".
pub(super) fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// "1 file", "2 files".
pub(super) fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// The beginning of a text in one line of at most `most` characters.
pub(super) fn snippet(text: &str, most: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > most {
            let mut short: String = line.chars().take(most.saturating_sub(1)).collect();
            short.truncate(short.trim_end().len());
            return short + "…";
        }
    }
    line
}

/// Columns of words with two spaces between; `align` has an `l` or an `r` for each.
pub(super) fn columns(rows: &[Vec<String>], align: &str) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            line += if column == 0 { "" } else { "  " };
            line += &if align.as_bytes().get(column) == Some(&b'r') { pad + cell } else { cell.clone() + &pad };
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_snippets_read_well() {
        assert_eq!([0, 12, 999, 1000, 1234567].map(count), ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!(plural(1, "file", "files"), "1 file");
        assert_eq!(snippet("  two\n\twords ", 20), "two words");
        assert_eq!(snippet("a longer line of words", 10), "a longer…");
    }
}
