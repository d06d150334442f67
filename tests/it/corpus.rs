//! Tests of corpus: real folders in, items, chunks and reasons out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use embedlens::corpus::{Corpus, CountTokens, LoadOptions, Modality, SkipReason, load, read_image, sample};
use embedlens::progress::Progress;
use rand::{Rng, SeedableRng};

/// Counts words between white space.
struct WordCount;

impl CountTokens for WordCount {
    fn fingerprint(&self) -> String {
        "words".to_owned()
    }

    fn token_ends(&self, text: &str) -> Vec<usize> {
        let base = text.as_ptr() as usize;
        text.split_whitespace().map(|word| word.as_ptr() as usize - base + word.len()).collect()
    }
}

/// A folder to be loaded.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join("data").join(path)
    }

    fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.at(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
        self
    }

    fn load(&self, options: &LoadOptions) -> Corpus {
        load(&[self.at("")], options, &WordCount, &Progress::new()).unwrap()
    }

    /// The reason a file was left out; `None` when it was not.
    fn reason<'a>(&self, corpus: &'a Corpus, path: impl AsRef<Path>) -> Option<&'a SkipReason> {
        let path = self.at(path);
        corpus.skipped.iter().find(|skipped| skipped.path == path).map(|skipped| &skipped.reason)
    }
}

fn shown(corpus: &Corpus) -> Vec<&str> {
    corpus.items.iter().map(|item| item.shown_path.as_str()).collect()
}

fn encoded(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG whose header tells of a picture that is not there.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    let sum = !bytes[12..].iter().fold(!0u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    });
    bytes.extend(sum.to_be_bytes());
    bytes
}

#[test]
fn every_hostile_file_is_listed_with_its_reason_and_the_good_ones_load() {
    let folder = Folder::new();
    let jpeg = encoded(80, 60, image::ImageFormat::Jpeg);
    let png = encoded(80, 60, image::ImageFormat::Png);
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    let noise: Vec<u8> = (0..3000).map(|_| random.random_range(1..=255)).collect();
    folder
        .put("good.md", "# Good\n\nWords.")
        .put("good.jpg", &jpeg)
        .put("empty.txt", "")
        .put("blank.txt", " \n\t\n")
        .put("zeros.txt", b"abc\0\0def")
        .put("noise.txt", &noise)
        .put("cut.jpg", &jpeg[..jpeg.len() / 2])
        .put("cut.png", &png[..png.len() / 2])
        .put("head.jpg", &jpeg[..20])
        .put("text.png", "not a picture")
        .put("bomb.png", png_header(30_000, 30_000))
        .put("long.txt", "word ".repeat(300_000))
        .put("paper.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj")
        .put("pack.zip", b"PK\x03\x04\x14\0\0\0\x08\0")
        .put("prog.exe", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff");
    let corpus = folder.load(&LoadOptions { max_text_mb: 1, ..LoadOptions::default() });

    assert_eq!(shown(&corpus), ["data/good.jpg", "data/good.md"]);
    assert_eq!(corpus.skipped.len(), 13, "{:#?}", corpus.skipped);
    let reason = |path: &str| folder.reason(&corpus, path).unwrap_or_else(|| panic!("{path} is not listed"));
    assert_eq!(reason("empty.txt"), &SkipReason::Empty);
    assert_eq!(reason("blank.txt"), &SkipReason::Empty);
    assert!(matches!(reason("zeros.txt"), SkipReason::Binary { .. }));
    assert!(matches!(reason("noise.txt"), SkipReason::Undecodable { .. }));
    for path in ["cut.jpg", "cut.png", "head.jpg", "text.png"] {
        assert!(matches!(reason(path), SkipReason::BadImage { .. }), "{path}: {}", reason(path));
    }
    let bomb = SkipReason::ImageTooLarge { width: 30_000, height: 30_000, limit_megapixels: 100 };
    assert_eq!(reason("bomb.png"), &bomb);
    assert_eq!(reason("long.txt"), &SkipReason::TextTooLarge { megabytes: 2, limit_megabytes: 1 });
    assert_eq!(reason("paper.pdf").to_string(), "binary file (PDF document)");
    assert_eq!(reason("pack.zip").to_string(), "binary file (ZIP archive)");
    assert_eq!(reason("prog.exe").to_string(), "binary file (Windows program)");
}

#[cfg(unix)]
#[test]
fn links_pipes_and_strange_names_do_no_harm() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.put("a/one.txt", "one").put(std::ffi::OsStr::from_bytes(b"caf\xe9.txt"), "latin name");
    symlink(folder.at(""), folder.at("a/up")).unwrap();
    symlink("nowhere", folder.at("dangling.txt")).unwrap();
    symlink("self", folder.at("self")).unwrap();
    symlink(folder.at("a/one.txt"), folder.at("two.txt")).unwrap();
    let pipe =
        std::process::Command::new("mkfifo").arg(folder.at("pipe")).status().is_ok_and(|status| status.success());
    let _socket = std::os::unix::net::UnixListener::bind(folder.at("socket")).unwrap();

    let corpus = folder.load(&LoadOptions::default());
    assert_eq!(shown(&corpus), ["data/a/one.txt", "data/caf\u{fffd}.txt"]);
    assert_eq!(folder.reason(&corpus, "two.txt"), Some(&SkipReason::LoadedByAnotherPath));
    assert_eq!(folder.reason(&corpus, "a/up"), Some(&SkipReason::SymlinkLoop));
    assert_eq!(folder.reason(&corpus, "self"), Some(&SkipReason::SymlinkLoop));
    assert_eq!(folder.reason(&corpus, "dangling.txt"), Some(&SkipReason::BrokenLink));
    assert_eq!(folder.reason(&corpus, "socket"), Some(&SkipReason::NotAFile));
    assert_eq!(folder.reason(&corpus, "pipe"), pipe.then_some(&SkipReason::NotAFile));

    let unfollowed = folder.load(&LoadOptions { follow_links: false, ..LoadOptions::default() });
    assert_eq!(shown(&unfollowed), ["data/a/one.txt", "data/caf\u{fffd}.txt"]);
}

#[cfg(unix)]
#[test]
fn links_that_meet_again_and_again_are_walked_once() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let chain = folder.dir.path().join("chain");
    for level in 0..16 {
        let here = chain.join(format!("{level:02}"));
        fs_err::create_dir_all(&here).unwrap();
        fs_err::create_dir_all(folder.at(format!("{level:02}"))).unwrap();
        for way in ["left", "right"] {
            symlink(format!("../{:02}", level + 1), here.join(way)).unwrap();
            symlink(format!("../{:02}", level + 1), folder.at(format!("{level:02}/{way}"))).unwrap();
        }
    }
    folder.put("16/end.txt", "inside");
    fs_err::create_dir_all(chain.join("16")).unwrap();
    fs_err::write(chain.join("16/far.txt"), "outside").unwrap();
    symlink(chain.join("00"), folder.at("z")).unwrap();

    let started = std::time::Instant::now();
    let corpus = folder.load(&LoadOptions::default());
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    let far = format!("data/z{}/far.txt", "/left".repeat(16));
    assert_eq!(shown(&corpus), ["data/16/end.txt", far.as_str()]);
    assert_eq!(folder.reason(&corpus, "z/right"), Some(&SkipReason::LinkedBefore));
}

#[cfg(unix)]
#[test]
fn links_to_what_holds_the_root_are_not_entered_and_hidden_folders_load_through_links() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.put("one.txt", "one").put(".store/two.txt", "two").put("sub/three.txt", "three");
    fs_err::write(folder.dir.path().join("outside.txt"), "outside").unwrap();
    symlink("/", folder.at("disk")).unwrap();
    symlink(folder.dir.path(), folder.at("above")).unwrap();
    symlink(".store", folder.at("a-way-in")).unwrap();
    symlink("sub", folder.at("again")).unwrap();
    let corpus = folder.load(&LoadOptions::default());
    assert_eq!(shown(&corpus), ["data/a-way-in/two.txt", "data/one.txt", "data/sub/three.txt"]);
    for link in ["disk", "above"] {
        assert_eq!(folder.reason(&corpus, link), Some(&SkipReason::SymlinkLoop));
    }
    assert_eq!(folder.reason(&corpus, "again"), Some(&SkipReason::LoadedByAnotherPath));
    assert_eq!(corpus.skipped.len(), 3, "{:?}", corpus.skipped);
}

#[test]
fn what_embedlens_wrote_is_not_read_again() {
    let folder = Folder::new();
    let map = "row,path,start,end,modality,label,x,y\n0,a,0,1,text,b,0,0\n";
    folder.put("a.txt", "words").put("v.npy", b"\x93NUMPY\x01\0\0\0").put("v.metadata.jsonl", "{\"row\":0}\n");
    folder.put("w.tsv", "1\t2\n").put("w.metadata.tsv", "row\tpath\n0\ta\n").put("map.csv", map);
    folder.put("own.metadata.jsonl", "{\"mine\":1}\n").put("table.tsv", "soup\t2\n");
    let corpus = folder.load(&LoadOptions::default());
    assert_eq!(shown(&corpus), ["data/a.txt", "data/own.metadata.jsonl", "data/table.tsv"]);
    assert_eq!(folder.reason(&corpus, "v.metadata.jsonl").unwrap().to_string(), "written by Embedlens beside v.npy");
    assert_eq!(folder.reason(&corpus, "w.tsv"), Some(&SkipReason::OwnOutput { beside: "w.metadata.tsv".to_owned() }));
    assert_eq!(folder.reason(&corpus, "map.csv"), Some(&SkipReason::OwnMap));
    let named = load(&[folder.at("map.csv")], &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
    assert_eq!(named.items.len(), 1, "a file that is named is wanted");
}

#[test]
fn a_missing_folder_among_others_is_listed() {
    let folder = Folder::new();
    folder.put("a.txt", "words");
    let roots = [folder.at("nowhere"), folder.at("a.txt")];
    let corpus = load(&roots, &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
    assert_eq!(corpus.items.len(), 1);
    assert_eq!(folder.reason(&corpus, "nowhere"), Some(&SkipReason::Missing));
    assert!(load(&roots[..1], &LoadOptions::default(), &WordCount, &Progress::new()).is_err());
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_listed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.put("open.txt", "open").put("shut.txt", "shut").put("closed/inner.txt", "inner");
    let lock = |path: &str, mode| {
        fs_err::set_permissions(folder.at(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    lock("shut.txt", 0);
    lock("closed", 0);
    let is_root = fs_err::File::open(folder.at("shut.txt")).is_ok();
    let corpus = folder.load(&LoadOptions::default());
    lock("closed", 0o755);
    if !is_root {
        assert_eq!(shown(&corpus), ["data/open.txt"]);
        assert_eq!(folder.reason(&corpus, "shut.txt"), Some(&SkipReason::NoPermission));
        assert_eq!(folder.reason(&corpus, "closed"), Some(&SkipReason::NoPermission));
    }
}

#[test]
fn ignore_rules_and_hidden_files_are_options() {
    let folder = Folder::new();
    folder
        .put(".gitignore", "*.tmp\nbuild/\n!keep.tmp\n")
        .put("sub/.embedignore", "secret.*\n")
        .put("note.txt", "note")
        .put("x.tmp", "x")
        .put("keep.tmp", "keep")
        .put("build/out.txt", "out")
        .put("sub/secret.md", "secret")
        .put("sub/plain.md", "plain")
        .put(".hidden/deep.txt", "deep")
        .put(".git/config", "[core]");
    let usual = folder.load(&LoadOptions::default());
    assert_eq!(shown(&usual), ["data/keep.tmp", "data/note.txt", "data/sub/plain.md"]);
    let all = folder.load(&LoadOptions { gitignore: false, ..LoadOptions::default() });
    assert_eq!(all.items.len(), 6);
    let hidden = folder.load(&LoadOptions { hidden: true, ..LoadOptions::default() });
    let seen = shown(&hidden);
    assert!(seen.contains(&"data/.hidden/deep.txt") && !seen.contains(&"data/.git/config"), "{seen:?}");
}

#[test]
fn all_picture_formats_load_with_size_and_thumbnail() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let folder = Folder::new();
    for (name, format) in
        [("a.bmp", Bmp), ("b.gif", Gif), ("c.jpg", Jpeg), ("d.png", Png), ("e.tiff", Tiff), ("f.webp", WebP)]
    {
        folder.put(name, encoded(200, 50, format));
    }
    folder.put("g.dat", encoded(200, 50, Png));
    let corpus = folder.load(&LoadOptions::default());
    let kinds: Vec<_> = corpus.items.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["BMP", "GIF", "JPEG", "PNG", "TIFF", "WebP", "PNG"], "{:?}", corpus.skipped);
    for item in &corpus.items {
        let embedlens::corpus::Content::Image { width, height, thumbnail } = &item.content else {
            panic!("{} is no picture", item.shown_path)
        };
        assert_eq!((*width, *height, thumbnail.width, thumbnail.height), (200, 50, 96, 24));
        assert_eq!(thumbnail.rgb.len(), 96 * 24 * 3);
        assert_eq!(read_image(&item.path, 1).unwrap().dimensions(), (200, 50));
    }
    assert_eq!(corpus.chunks.len(), 7);
}

#[test]
fn functions_are_found_in_three_languages() {
    let folder = Folder::new();
    folder
        .put("a.rs", "use x::y;\n\n/// Parses.\npub fn parse_date() {}\n\nimpl Cache {\n    fn get() {}\n}\n")
        .put(
            "b.py",
            "import os\n\n@cache\ndef add(a, b):\n    return a + b\n\nclass Foo:\n    def bar(self):\n        pass\n",
        )
        .put("c.js", "import x from 'x';\nexport const twice = (a) => a * 2;\nclass Bar { go() {} }\n")
        .put("d.go", "package main\n\nfunc main() {\n}\n");
    let corpus = folder.load(&LoadOptions::default());
    let names: Vec<_> = corpus.chunks.iter().filter_map(|chunk| chunk.name.as_deref()).collect();
    assert_eq!(names, ["parse_date", "impl Cache", "add", "class Foo", "twice", "class Bar"]);
    let languages: Vec<_> = corpus.items.iter().filter_map(|item| item.language).collect();
    assert_eq!(languages, ["rust", "python", "javascript", "go"]);
    let parse = corpus.chunks.iter().find(|chunk| chunk.name.as_deref() == Some("parse_date")).unwrap();
    assert_eq!(parse.lines, (3, 4));
}

#[test]
fn chunks_of_random_texts_cover_everything_within_the_limit() {
    let folder = Folder::new();
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
    for (file, extension) in ["txt", "md", "csv", "go"].iter().cycle().take(40).enumerate() {
        let words = random.random_range(1..2000);
        let text: String = (0..words)
            .map(|_| {
                let length = random.random_range(1..12);
                let word: String =
                    (0..length).map(|_| ['a', 'é', 'ж', '語', '.', '#'][random.random_range(0..6)]).collect();
                word + [" ", " ", " ", ". ", "\n", "\n\n", "\r\n"][random.random_range(0..7)]
            })
            .collect();
        folder.put(format!("{file:02}.{extension}"), text);
    }
    let options = LoadOptions { chunk_tokens: 40, overlap_tokens: 6, ..LoadOptions::default() };
    let corpus = folder.load(&options);
    assert_eq!(corpus.items.len(), 40, "{:?}", corpus.skipped);
    for (index, item) in corpus.items.iter().enumerate() {
        let text = item.text().unwrap();
        let mut covered = 0;
        for chunk in corpus.chunks.iter().filter(|chunk| chunk.item.index() == index) {
            assert!(chunk.tokens <= 40 && chunk.start < chunk.end);
            let gap = text.get(covered.min(chunk.start)..chunk.start).expect("on character borders");
            assert!(gap.trim().is_empty() || chunk.start <= covered, "lost {gap:?}");
            covered = covered.max(chunk.end);
        }
        assert!(text[covered..].trim().is_empty());
    }
}

#[test]
fn megabytes_of_blanks_cost_no_more_than_their_length() {
    let folder = Folder::new();
    let line = "some words on a line of their own\n";
    let text = line.repeat(2000) + &" ".repeat(2_000_000) + "\n";
    for name in ["a.go", "b.rs", "c.py", "d.txt", "e.md", "f.csv"] {
        folder.put(name, &text);
    }
    let started = std::time::Instant::now();
    let corpus = folder.load(&LoadOptions { chunk_tokens: 20, overlap_tokens: 2, ..LoadOptions::default() });
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    assert_eq!(corpus.items.len(), 6);
    assert!(corpus.chunks.iter().all(|chunk| chunk.end <= 2000 * line.len()));
}

#[test]
fn the_corpus_is_the_same_at_any_number_of_threads() {
    let folder = Folder::new();
    for i in 0..60 {
        folder.put(format!("{}/{i}.md", i % 7), format!("# Note {i}\n\n{}", "Some words here. ".repeat(i * 9)));
        folder.put(format!("{}/{i}.bin", i % 5), [0u8; 9]);
    }
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| folder.load(&LoadOptions::default()))
    };
    let (one, many) = (with_threads(1), with_threads(7));
    assert_eq!(one.revision, many.revision);
    assert_eq!(one.chunks, many.chunks);
    assert_eq!(one.skipped, many.skipped);
    assert_eq!(shown(&one), shown(&many));
}

#[test]
fn two_thousand_tiny_files_are_two_thousand_items() {
    let folder = Folder::new();
    for i in 0..2000 {
        folder.put(format!("{}/{i}.txt", i / 100), format!("tiny {i}"));
    }
    let progress = Progress::new();
    let corpus = load(&[folder.at("")], &LoadOptions::default(), &WordCount, &progress).unwrap();
    assert_eq!((corpus.items.len(), corpus.chunks.len(), corpus.skipped.len()), (2000, 2000, 0));
    let view = progress.view();
    assert_eq!((view.stage.as_str(), view.done, view.total), ("Reading files", 2000, 2000));
}

#[test]
fn the_sample_loads_whole() {
    let dir = tempfile::tempdir().unwrap();
    let folder = sample::unpack(dir.path()).unwrap();
    let corpus = load(&[folder], &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
    assert_eq!(corpus.skipped, []);
    assert_eq!(corpus.items.len(), sample::file_count());
    if sample::file_count() > 0 {
        assert!(Modality::ALL.iter().all(|&modality| corpus.count(modality) > 50));
    }
}

/// What is known of the files in a folder of fixtures, by file name.
fn expected(kind: &str) -> (PathBuf, serde_json::Map<String, serde_json::Value>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind);
    let facts = fs_err::read_to_string(folder.join("expected.json")).unwrap();
    let facts: serde_json::Value = serde_json::from_str(&facts).unwrap();
    (folder, facts.as_object().unwrap().clone())
}

#[test]
fn texts_in_many_encodings_read_as_they_were_written() {
    let (folder, facts) = expected("texts");
    let corpus = load(&[folder], &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
    for (name, fact) in facts {
        let item = corpus.items.iter().find(|item| item.file_name() == name);
        match fact["text"].as_str().filter(|text| !text.is_empty()) {
            Some(text) => {
                let item = item.unwrap_or_else(|| panic!("{name}: {:?}", corpus.skipped));
                assert_eq!(item.text(), Some(text), "{name}");
                let encoding = item.encoding.unwrap();
                assert!(fact["accept"].as_array().unwrap().iter().any(|name| name == encoding), "{name}: {encoding}");
            }
            None => {
                assert!(item.is_none(), "{name} should be left out");
                assert!(corpus.skipped.iter().any(|skipped| skipped.path.ends_with(&name)), "{name} is not listed");
            }
        }
    }
}

#[test]
fn pictures_of_every_kind_are_seen_as_they_should() {
    let (folder, facts) = expected("images");
    let corpus = load(std::slice::from_ref(&folder), &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap() as u32;
    for (name, fact) in facts {
        let item = corpus.items.iter().find(|item| item.file_name() == name);
        if fact["ok"] == true {
            let item = item.unwrap_or_else(|| panic!("{name}: {:?}", corpus.skipped));
            let picture = read_image(&item.path, 100).unwrap();
            let shown = (number(&fact["shown"][0]), number(&fact["shown"][1]));
            assert_eq!(picture.dimensions(), shown, "{name}");
            for (corner, x) in [("top_left", 0), ("top_right", shown.0 - 1)] {
                let Some(colour) = fact[corner].as_array() else { continue };
                for (channel, value) in colour.iter().enumerate() {
                    let seen = picture.get_pixel(x, 0).0[channel];
                    assert!(seen.abs_diff(number(value) as u8) <= 12, "{name}, {corner}: {seen} for {value}");
                }
            }
        } else {
            assert!(item.is_none(), "{name} should be left out");
            let reason = corpus.skipped.iter().find(|skipped| skipped.path.ends_with(&name));
            assert!(reason.is_some(), "{name} is not listed");
            assert!(read_image(&folder.join(&name), 100).is_err(), "{name}");
        }
    }
}
