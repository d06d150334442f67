//! Words of texts and code.
//!
//! Runs of letters and digits, in lower case; names in code are split where a capital begins a word. Words that begin with a digit
//! and those shorter than three letters are left out. Chinese and Japanese, which part no words, give pairs of neighbouring
//! characters. Invariant: never allocates a word; each is lent from the buffer.

/// Calls `take` for every word of the text.
pub(super) fn each_word(text: &str, buffer: &mut String, mut take: impl FnMut(&str)) {
    buffer.clear();
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if !char.is_alphanumeric() {
            flush(buffer, &mut take);
        } else if is_unparted(char) {
            flush(buffer, &mut take);
            if let Some(&next) = chars.peek()
                && is_unparted(next)
            {
                buffer.extend([char, next]);
                take(buffer);
                buffer.clear();
            }
        } else {
            let next_lower = chars.peek().is_some_and(|next| next.is_lowercase());
            if char.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && next_lower) {
                flush(buffer, &mut take);
            }
            if char.is_ascii() {
                buffer.push(char.to_ascii_lowercase());
            } else {
                buffer.extend(char.to_lowercase());
            }
        }
        before = char;
    }
    flush(buffer, &mut take);
}

fn flush(buffer: &mut String, take: &mut impl FnMut(&str)) {
    let long = buffer.len() > 2 && (buffer.is_ascii() || buffer.chars().nth(2).is_some());
    // Longer runs are hashes and data, not words.
    if long && buffer.len() <= 60 && !buffer.starts_with(char::is_numeric) {
        take(buffer);
    }
    buffer.clear();
}

fn is_unparted(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_word(text, &mut String::new(), |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn texts_and_code_fall_into_words() {
        assert_eq!(words("The cat's 3 lives, 2nd to none"), ["the", "cat", "lives", "none"]);
        assert_eq!(
            words("parseHTTPRequest(max_line_len) XMLFile"),
            ["parse", "http", "request", "max", "line", "len", "xml", "file"]
        );
        assert_eq!(words("Über Größe, utf8"), ["über", "größe", "utf8"]);
        assert_eq!(words("日本語 text"), ["日本", "本語", "text"]);
        assert_eq!(words(""), Vec::<String>::new());
    }
}
