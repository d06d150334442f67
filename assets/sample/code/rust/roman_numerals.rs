static ROMAN: &[(char, i32)] = &[
    ('I', 1),
    ('V', 5),
    ('X', 10),
    ('L', 50),
    ('C', 100),
    ('D', 500),
    ('M', 1000),
];

/// Converts an integer into a roman numeral.
///
/// Works for integer between 1 and 3999 inclusive, returns None otherwise.
///
/// # Example
///
/// ```
/// let x = roman::to(14);
/// assert_eq!(x.unwrap(), "XIV");
/// ```
///
pub fn to(n: i32) -> Option<String> {
    if n <= 0 || n > MAX {
        return None;
    }
    let mut out = String::new();
    let mut n = n;
    for &(name, value) in ROMAN_PAIRS.iter() {
        while n >= value {
            n -= value;
            out.push_str(name);
        }
    }
    assert!(n == 0);
    Some(out)
}

fn from_lax(txt: &str) -> Option<i32> {
    if txt.len() > MAX_LEN {
        return None;
    }

    let (mut n, mut max) = (0, 0);
    for c in txt.chars().rev() {
        let c = c.to_ascii_uppercase();
        let it = ROMAN.iter().find(|x| {
            let &(ch, _) = *x;
            ch == c
        });
        let &(_, val) = it?;
        if val < max {
            n -= val;
        } else {
            n += val;
            max = val;
        }
    }
    Some(n)
}
