//! Names from outside that become paths: models, revisions, files, blobs.
//!
//! Invariant: a name that passes can only lead to a place inside the folder it is joined to, on every system.

/// Whether `name` has the form `ORG/NAME` with nothing in it that could lead elsewhere.
pub(in crate::models) fn is_hub_name(name: &str) -> bool {
    let part = |p: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !p.is_empty() && p.len() <= 96 && !p.starts_with(['.', '-']) && !p.contains("..") && p.chars().all(plain)
    };
    name.split_once('/').is_some_and(|(org, model)| part(org) && part(model))
}

/// Whether a file's name is a plain path below a folder: no `..`, nothing absolute, no backslash, no drive, no control character.
pub(super) fn is_plain_path(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.len() <= 255;
    let odd = |c: char| c == '\\' || c == ':' || c.is_control();
    path.len() <= 1024 && !path.contains(odd) && path.split('/').all(part)
}

/// Whether it may name a branch, a tag or a commit.
pub(super) fn is_revision(name: &str) -> bool {
    is_plain_path(name) && !name.starts_with('-') && !name.contains(|c: char| c.is_whitespace())
}

/// Whether it is what the hub calls a commit: a name without folders.
pub(super) fn is_commit(name: &str) -> bool {
    (7..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a blob may have this name.
pub(super) fn is_etag(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&name.len()) && name.bytes().all(plain)
}

/// A path as a part of an address: everything but letters, digits, `-_.~` and what `keep` names is written as `%XX`.
pub(super) fn quoted(path: &str, keep: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        let c = char::from(byte);
        if byte.is_ascii() && (c.is_ascii_alphanumeric() || "-_.~".contains(c) || keep.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_lead_elsewhere() {
        for good in ["sentence-transformers/all-MiniLM-L6-v2", "BAAI/bge-large-en-v1.5", "a/b"] {
            assert!(is_hub_name(good), "{good}");
        }
        for bad in ["a", "a/b/c", "../b", "a/..", "a/b..c", "/b", "a/", "a b/c", "a\\b/c", ".a/b", "-x/y", "é/b"] {
            assert!(!is_hub_name(bad), "{bad}");
        }
    }

    #[test]
    fn files_stay_below_their_folder() {
        for good in ["config.json", "1_Pooling/config.json", "a/b/c d.txt", "..a", "é.json", ".gitattributes"] {
            assert!(is_plain_path(good), "{good}");
        }
        let bad = [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/..",
            "./x",
            "a//b",
            "a/",
            "a\\b",
            "..\\x",
            "C:x",
            "C:/x",
            "a\0b",
            "a\nb",
        ];
        for bad in bad {
            assert!(!is_plain_path(bad), "{bad:?}");
        }
        assert!(is_revision("main") && is_revision("refs/pr/1") && is_revision("v1.0"));
        assert!(!is_revision("../x") && !is_revision("") && !is_revision("-x") && !is_revision("a b"));
        assert!(is_commit(&"a1".repeat(20)) && !is_commit("..") && !is_commit("main") && !is_commit("a/b"));
        assert!(is_etag(&"0f".repeat(32)) && !is_etag("") && !is_etag("../x") && !is_etag("a.incomplete"));
    }

    #[test]
    fn addresses_are_quoted() {
        assert_eq!(quoted("a/b c.json", "/"), "a/b%20c.json");
        assert_eq!(quoted("refs/pr/1", ""), "refs%2Fpr%2F1");
        assert_eq!(quoted("é?#", ""), "%C3%A9%3F%23");
    }
}
