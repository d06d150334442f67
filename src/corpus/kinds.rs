//! The table of file kinds: which name means which kind, in plain words.
//!
//! Data and lookups only; content is judged elsewhere. Invariant: extensions stand here in lower case.

use std::path::Path;

use super::Modality;

/// A kind of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Text or code.
    pub modality: Modality,
    /// In plain words: "Markdown", "Rust".
    pub words: &'static str,
    /// Programming language of code.
    pub language: Option<&'static str>,
}

/// Text kinds by extension.
const TEXTS: &[(&[&str], &str)] = &[
    (&["txt", "text"], "plain text"),
    (&["md", "markdown", "mdown", "mkd", "mdx", "rmd", "qmd"], MARKDOWN),
    (&["rst"], "reStructuredText"),
    (&["adoc", "asciidoc"], "AsciiDoc"),
    (&["org"], "Org"),
    (&["tex", "sty", "cls", "bib"], "TeX"),
    (&["log"], "log"),
    (&["csv"], "CSV"),
    (&["tsv", "tab"], "TSV"),
    (&["json", "json5", "jsonc", "geojson", "ipynb"], "JSON"),
    (&["jsonl", "ndjson"], JSON_LINES),
    (&["html", "htm", "xhtml"], "HTML"),
    (&["xml", "xsd", "xsl", "xslt", "rss", "atom", "plist"], "XML"),
    (&["svg"], "SVG"),
    (&["yaml", "yml"], "YAML"),
    (&["toml"], "TOML"),
    (&["ini", "cfg", "conf", "properties", "env"], "settings"),
    (&["srt", "vtt", "sub"], "subtitles"),
    (&["eml", "mbox"], "mail"),
    (&["ics", "vcf"], "calendar or contacts"),
    (&["po", "pot"], "translations"),
    (&["diff", "patch"], "patch"),
];

/// The words for JSON lines, which may be a table of texts.
pub(super) const JSON_LINES: &str = "JSON lines";

/// The words for Markdown, which is cut by its headings.
pub(super) const MARKDOWN: &str = "Markdown";

/// Code kinds by extension: extensions, plain words, language.
const CODES: &[(&[&str], &str, &str)] = &[
    (&["rs"], "Rust", "rust"),
    (&["py", "pyi", "pyw"], "Python", "python"),
    (&["js", "mjs", "cjs", "jsx"], "JavaScript", "javascript"),
    (&["ts", "tsx", "mts", "cts"], "TypeScript", "typescript"),
    (&["go"], "Go", "go"),
    (&["c", "h"], "C", "c"),
    (&["cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx", "inl"], "C++", "cpp"),
    (&["java"], "Java", "java"),
    (&["rb", "rake", "gemspec"], "Ruby", "ruby"),
    (&["sh", "bash", "zsh", "fish", "ksh"], "shell script", "shell"),
    (&["cs", "csx"], "C#", "csharp"),
    (&["swift"], "Swift", "swift"),
    (&["kt", "kts"], "Kotlin", "kotlin"),
    (&["scala", "sc"], "Scala", "scala"),
    (&["php"], "PHP", "php"),
    (&["pl", "pm"], "Perl", "perl"),
    (&["lua"], "Lua", "lua"),
    (&["r"], "R", "r"),
    (&["jl"], "Julia", "julia"),
    (&["hs", "lhs"], "Haskell", "haskell"),
    (&["ml", "mli"], "OCaml", "ocaml"),
    (&["fs", "fsx", "fsi"], "F#", "fsharp"),
    (&["ex", "exs"], "Elixir", "elixir"),
    (&["erl", "hrl"], "Erlang", "erlang"),
    (&["clj", "cljs", "cljc", "edn"], "Clojure", "clojure"),
    (&["lisp", "el", "scm", "rkt"], "Lisp", "lisp"),
    (&["dart"], "Dart", "dart"),
    (&["zig"], "Zig", "zig"),
    (&["nim"], "Nim", "nim"),
    (&["d"], "D", "d"),
    (&["m", "mm"], "Objective-C or MATLAB", "objectivec"),
    (&["f", "f77", "f90", "f95", "f03"], "Fortran", "fortran"),
    (&["pas"], "Pascal", "pascal"),
    (&["groovy", "gradle"], "Groovy", "groovy"),
    (&["vb", "vbs", "bas"], "Basic", "basic"),
    (&["ps1", "psm1"], "PowerShell", "powershell"),
    (&["bat", "cmd"], "batch file", "batch"),
    (&["asm", "s", "nasm"], "assembly", "assembly"),
    (&["sql"], "SQL", "sql"),
    (&["css", "scss", "sass", "less"], "style sheet", "css"),
    (&["vue"], "Vue", "vue"),
    (&["svelte"], "Svelte", "svelte"),
    (&["wgsl", "glsl", "hlsl", "vert", "frag", "metal"], "shader", "shader"),
    (&["cu", "cuh"], "CUDA", "cuda"),
    (&["v", "sv", "vhd", "vhdl"], "hardware description", "hdl"),
    (&["sol"], "Solidity", "solidity"),
    (&["nix"], "Nix", "nix"),
    (&["tf", "hcl"], "HCL", "hcl"),
    (&["proto"], "Protocol Buffers", "protobuf"),
    (&["graphql", "gql"], "GraphQL", "graphql"),
    (&["cmake"], "CMake", "cmake"),
    (&["mk", "mak"], "Makefile", "make"),
    (&["awk"], "AWK", "awk"),
    (&["vim"], "Vim script", "vim"),
];

/// Whole file names, in lower case, and the extension they stand for.
const NAMES: &[(&str, &str)] = &[
    ("makefile", "mk"),
    ("gnumakefile", "mk"),
    ("cmakelists.txt", "cmake"),
    ("rakefile", "rb"),
    ("gemfile", "rb"),
    ("jenkinsfile", "groovy"),
    ("sconstruct", "py"),
    ("pkgbuild", "sh"),
    (".bashrc", "sh"),
    (".profile", "sh"),
    (".zshrc", "sh"),
    (".vimrc", "vim"),
];

/// Interpreters named in a first line `#!…`, and the extension they stand for.
const INTERPRETERS: &[(&str, &str)] = &[
    ("python", "py"),
    ("node", "js"),
    ("deno", "ts"),
    ("bash", "sh"),
    ("zsh", "sh"),
    ("fish", "sh"),
    ("dash", "sh"),
    ("ksh", "sh"),
    ("sh", "sh"),
    ("ruby", "rb"),
    ("perl", "pl"),
    ("lua", "lua"),
    ("php", "php"),
    ("awk", "awk"),
    ("rscript", "r"),
    ("julia", "jl"),
];

/// Formats that are neither text nor a supported picture, by extension.
const BINARIES: &[(&[&str], &str)] = &[
    (&["pdf"], "PDF document"),
    (&["docx", "doc", "dotx"], "Word document"),
    (&["xlsx", "xls", "xlsm"], "Excel table"),
    (&["pptx", "ppt"], "PowerPoint slides"),
    (&["odt", "ods", "odp", "odg"], "OpenDocument file"),
    (&["rtf"], "rich text document"),
    (&["epub", "mobi", "azw3"], "e-book"),
    (&["ps", "eps"], "PostScript document"),
    (&["zip", "jar", "whl", "apk", "war", "nupkg"], "ZIP archive"),
    (&["tar", "gz", "tgz", "bz2", "bz3", "xz", "zst", "7z", "rar", "lz", "lz4", "cab", "cpio"], "archive"),
    (&["deb", "rpm", "crx", "msi"], "package"),
    (&["mp3", "wav", "flac", "ogg", "opus", "m4a", "aac", "aiff", "midi", "mid", "amr", "ape", "dsf"], "audio"),
    (&["mp4", "m4v", "mkv", "webm", "mov", "avi", "wmv", "mpg", "mpeg", "flv"], "video"),
    (
        &["heif", "heic", "avif", "jxl", "jp2", "jxr", "psd", "ora", "djvu", "xcf", "ico"],
        "picture of an unsupported format",
    ),
    (&["cr2", "nef", "arw", "raf", "orf"], "raw camera picture"),
    (&["exe", "dll"], "Windows program"),
    (&["elf", "so", "o", "a", "ar", "obj", "mach", "dylib"], "program or library"),
    (&["class", "dex", "dey", "pyc", "pyo", "wasm", "bc"], "compiled code"),
    (&["woff", "woff2", "ttf", "otf", "eot"], "font"),
    (&["sqlite", "sqlite3", "db"], "database"),
    (&["npy", "npz", "parquet", "arrow", "feather", "h5", "hdf5"], "data file"),
    (&["safetensors", "pt", "pth", "onnx", "gguf", "pb"], "model weights"),
    (&["pkl", "pickle"], "Python pickle"),
    (&["iso", "img", "qcow2", "vmdk"], "disk image"),
    (&["swf"], "Flash file"),
    (&["dwg"], "drawing"),
    (&["der", "p12", "keystore"], "certificate"),
    (&["bin", "dat"], "binary data"),
];

/// The supported picture format of an extension, in plain words.
pub(super) fn picture(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "jpg" | "jpeg" | "jpe" | "jfif" => "JPEG",
        "png" | "apng" => "PNG",
        "webp" => "WebP",
        "gif" => "GIF",
        "bmp" | "dib" => "BMP",
        "tif" | "tiff" => "TIFF",
        _ => return None,
    })
}

/// The binary format of an extension, in plain words.
pub(super) fn binary(extension: &str) -> Option<&'static str> {
    BINARIES.iter().find(|(extensions, _)| extensions.contains(&extension)).map(|&(_, words)| words)
}

/// The kind of a text by whole name, extension (lower case) or first line; plain text where nothing tells.
pub(super) fn text(path: &Path, extension: &str, head: &[u8]) -> Kind {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if name == "dockerfile" || name == "containerfile" || name.starts_with("dockerfile.") || extension == "dockerfile" {
        return Kind { modality: Modality::Code, words: "Dockerfile", language: Some("dockerfile") };
    }
    let named = NAMES.iter().find(|(known, _)| *known == name).and_then(|&(_, extension)| by_extension(extension));
    named.or_else(|| by_extension(extension)).or_else(|| by_interpreter(head)).unwrap_or(Kind {
        modality: Modality::Text,
        words: "plain text",
        language: None,
    })
}

fn by_extension(extension: &str) -> Option<Kind> {
    let code = CODES.iter().find(|(extensions, ..)| extensions.contains(&extension));
    if let Some(&(_, words, language)) = code {
        return Some(Kind { modality: Modality::Code, words, language: Some(language) });
    }
    let text = TEXTS.iter().find(|(extensions, _)| extensions.contains(&extension));
    text.map(|&(_, words)| Kind { modality: Modality::Text, words, language: None })
}

fn by_interpreter(head: &[u8]) -> Option<Kind> {
    let line = head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let program = words.find(|&word| word != "env" && !word.starts_with('-'))?;
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.iter().find(|(name, _)| *name == program).and_then(|&(_, extension)| by_extension(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extension_stands_twice() {
        let texts = TEXTS.iter().map(|(extensions, _)| *extensions);
        let codes = CODES.iter().map(|(extensions, ..)| *extensions);
        let mut all: Vec<_> = texts.chain(codes).chain(BINARIES.iter().map(|(e, _)| *e)).flatten().copied().collect();
        assert!(all.iter().all(|extension| picture(extension).is_none()));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn names_and_interpreters_stand_for_known_kinds() {
        for &(_, extension) in NAMES.iter().chain(INTERPRETERS) {
            assert!(by_extension(extension).is_some(), "{extension}");
        }
    }
}
