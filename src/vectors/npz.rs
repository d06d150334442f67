//! NumPy's `.npz` archives: several arrays in one file, stored or deflated, of which one is the vectors and others may be words.
//!
//! Reads float16, float32 and float64 of both byte orders and both array orders; writes nothing. Invariant: no archive, however
//! wrong, makes it ask for more memory than its array unpacks to.

use std::io::{BufReader, Read};
use std::path::Path;

use fs_err::File;
use npyz::half::f16;
use npyz::{DType, Deserialize, NpyFile, NpyHeader, Order};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::{Vectors, VectorsError};

/// Names that mean "the vectors", the likeliest first; `arr_0` is what NumPy calls an array without a name.
const LIKELY: [&str; 4] = ["vectors", "embeddings", "embedding", "arr_0"];

type Archive = ZipArchive<BufReader<File>>;
/// An array's header, and what follows it.
type Member<'a> = (NpyHeader, BufReader<ZipFile<'a, BufReader<File>>>);

/// One array of an archive, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpzArray {
    /// Its name, without `.npy`.
    pub name: String,
    /// Its sides.
    pub shape: Vec<u64>,
    /// Its type, as NumPy writes it: `<f4`.
    pub kind: String,
}

impl NpzArray {
    /// Whether it could be vectors: a table of floating-point numbers.
    pub fn is_vectors(&self) -> bool {
        let float = ["f2", "f4", "f8"].contains(&self.kind.trim_start_matches(['<', '>', '|', '=']));
        float && matches!(self.shape[..], [_, dim] if dim > 0)
    }

    /// Whether it is a list of `count` words or whole numbers, a row a vector.
    pub fn is_words(&self, count: usize) -> bool {
        self.shape == [count as u64]
            && self.kind.trim_start_matches(['<', '>', '|', '=']).starts_with(['U', 'S', 'i', 'u'])
    }
}

/// The arrays of an archive, in its order; members that are no arrays are passed over.
///
/// Errors: it cannot be read, or is no archive.
pub fn arrays(path: &Path) -> Result<Vec<NpzArray>, VectorsError> {
    let shown = path.display().to_string();
    list(&mut open(path, &shown)?, &shown)
}

/// Reads the array of that name, with or without `.npy`; without a name the one called `vectors`, `embeddings`, `embedding` or
/// `arr_0`, or else the only table of floating-point numbers.
///
/// Errors name the file and the arrays there are: it cannot be read, is no archive, holds no such array, or several and no name says
/// which; the array has another shape or type, or is cut short.
pub fn read(path: &Path, name: Option<&str>) -> Result<Vectors, VectorsError> {
    let shown = path.display().to_string();
    let mut archive = open(path, &shown)?;
    let all = list(&mut archive, &shown)?;
    let chosen = choose(&all, name).map_err(|reason| VectorsError::File { path: shown.clone(), reason })?;
    let inside = format!("{shown}, array {}", chosen.name);
    let count = match chosen.shape[..] {
        [rows, dim] if dim > 0 => rows.checked_mul(dim),
        _ => None,
    };
    let Some(count) = count else {
        let sides: Vec<String> = chosen.shape.iter().map(u64::to_string).collect();
        let comma = if sides.len() == 1 { "," } else { "" };
        return Err(VectorsError::Shape { path: inside, shape: format!("({}{comma})", sides.join(", ")) });
    };
    let (header, member) = member(&mut archive, &chosen.name, &inside)?;
    let (turned, dim) = (header.order() == Order::Fortran, chosen.shape[1] as usize);
    let values = match chosen.kind.trim_start_matches(['<', '>', '|', '=']) {
        "f4" => collect::<f32, _>(header, member, count, |value| value),
        "f8" => collect::<f64, _>(header, member, count, |value| value as f32),
        "f2" => collect::<f16, _>(header, member, count, f16::to_f32),
        _ => return Err(VectorsError::Kind { path: inside, found: chosen.kind.clone() }),
    };
    let values = values.map_err(|reason| VectorsError::File { path: inside, reason })?;
    let rows = values.len() / dim;
    let flipped = |at: usize| values[(at % dim) * rows + at / dim];
    Vectors::new(if turned { (0..rows * dim).map(flipped).collect() } else { values }, dim)
}

/// Reads a list of words (NumPy's `U` and `S` types) or of whole numbers, as words.
///
/// Errors name the file and the array: no such array, another shape or type, cut short.
pub fn read_words(path: &Path, name: &str) -> Result<Vec<String>, VectorsError> {
    let shown = path.display().to_string();
    let inside = format!("{shown}, array {name}");
    let mut archive = open(path, &shown)?;
    let (header, mut member) = member(&mut archive, name, &inside)?;
    let kind = kind_of(&header);
    let (plain, size) = match header.dtype() {
        DType::Plain(plain) if header.shape().len() == 1 => (kind.clone(), plain.num_bytes().unwrap_or(0)),
        _ => (String::new(), 0),
    };
    let read = match plain.trim_start_matches(['<', '>', '|', '=']).split_at_checked(1) {
        Some(("U", _)) => word_from_points,
        Some(("S", _)) => word_from_bytes,
        Some(("i", _)) => word_from_signed,
        Some(("u", _)) => word_from_unsigned,
        _ => return Err(VectorsError::Kind { path: inside, found: kind }),
    };
    let mut words = Vec::new();
    let mut field = vec![0u8; size];
    for _ in 0..header.shape()[0] {
        member
            .read_exact(&mut field)
            .map_err(|error| VectorsError::File { path: inside.clone(), reason: error.to_string() })?;
        if plain.starts_with('>') {
            field.chunks_mut(if plain.starts_with(">U") { 4 } else { size.max(1) }).for_each(<[u8]>::reverse);
        }
        words.push(read(&field));
    }
    Ok(words)
}

fn word_from_points(field: &[u8]) -> String {
    let points = field.as_chunks::<4>().0.iter().map(|&point| u32::from_le_bytes(point));
    let word: String = points.map(|point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    word.trim_end_matches('\0').to_owned()
}

fn word_from_bytes(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim_end_matches('\0').to_owned()
}

fn word_from_unsigned(field: &[u8]) -> String {
    field.iter().rev().fold(0u64, |sum, &byte| (sum << 8) | u64::from(byte)).to_string()
}

fn word_from_signed(field: &[u8]) -> String {
    let fill = if field.last().is_some_and(|&last| last >= 128) { -1i64 } else { 0 };
    field.iter().rev().fold(fill, |sum, &byte| (sum << 8) | i64::from(byte)).to_string()
}

fn open(path: &Path, shown: &str) -> Result<Archive, VectorsError> {
    let failed = |reason: String| VectorsError::File { path: shown.to_owned(), reason };
    let file = File::open(path).map_err(|error| failed(error.kind().to_string()))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| failed(format!("not a NumPy .npz file ({error})")))
}

fn list(archive: &mut Archive, shown: &str) -> Result<Vec<NpzArray>, VectorsError> {
    let mut all = Vec::new();
    for at in 0..archive.len() {
        let member = archive
            .by_index(at)
            .map_err(|error| VectorsError::File { path: shown.to_owned(), reason: error.to_string() })?;
        let name = member.name().ok().and_then(|name| name.strip_suffix(".npy").map(str::to_owned));
        let Some(name) = name else { continue };
        if let Ok(header) = NpyHeader::from_reader(member) {
            all.push(NpzArray { name, shape: header.shape().to_vec(), kind: kind_of(&header) });
        }
    }
    Ok(all)
}

fn kind_of(header: &NpyHeader) -> String {
    header.dtype().descr().replace('\'', "")
}

/// The array of vectors, or why it is not known.
fn choose<'a>(all: &'a [NpzArray], name: Option<&str>) -> Result<&'a NpzArray, String> {
    let named = |name: &str| all.iter().find(|array| array.name == name);
    let names: Vec<&str> = all.iter().map(|array| array.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    if let Some(name) = name {
        let bare = name.strip_suffix(".npy").unwrap_or(name);
        return named(bare).ok_or_else(|| format!("holds no array {bare}; its arrays: {names}"));
    }
    let tables: Vec<&NpzArray> = all.iter().filter(|array| array.is_vectors()).collect();
    if let Some(likely) = LIKELY.iter().find_map(|name| tables.iter().find(|array| array.name == *name)) {
        return Ok(likely);
    }
    match tables[..] {
        [only] => Ok(only),
        [] => Err(format!("holds no table of floating-point numbers; its arrays: {names}")),
        _ => Err(format!("holds several tables, and none is called vectors or embeddings; its arrays: {names}")),
    }
}

fn member<'a>(archive: &'a mut Archive, name: &str, inside: &str) -> Result<Member<'a>, VectorsError> {
    let failed = |reason: String| VectorsError::File { path: inside.to_owned(), reason };
    let member = archive.by_name(&format!("{name}.npy")).map_err(|error| failed(error.to_string()))?;
    let mut reader = BufReader::with_capacity(1 << 20, member);
    let header = NpyHeader::from_reader(&mut reader).map_err(|error| failed(error.to_string()))?;
    Ok((header, reader))
}

/// All `count` values in the file's order; memory grows with what is read, not with what is promised.
fn collect<T: Deserialize, R: Read>(
    header: NpyHeader,
    reader: R,
    count: u64,
    convert: fn(T) -> f32,
) -> Result<Vec<f32>, String> {
    let data = NpyFile::with_header(header, reader).data::<T>().map_err(|error| error.to_string())?;
    let mut values = Vec::new();
    for value in data.take(usize::try_from(count).unwrap_or(usize::MAX)) {
        values.push(convert(value.map_err(|error| format!("cut short: {error}"))?));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.npz");
        let mut out = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in members {
            out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(bytes).unwrap();
        }
        out.finish().unwrap();
        (folder, path)
    }

    fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let dict = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((dict.len() as u16).to_le_bytes());
        bytes.extend(dict.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn the_array_is_chosen_by_name_then_by_being_the_only_one() {
        let table = |first: f32| npy("<f4", "(1, 2)", bytemuck::cast_slice(&[first, 2.0]));
        let numbers = npy("<i2", "(2,)", &[255, 255, 7, 0]);
        let (_folder, path) = archive(&[("a.npy", &table(1.0)), ("n.npy", &numbers), ("embeddings.npy", &table(5.0))]);
        assert_eq!(read(&path, None).unwrap().values(), [5.0, 2.0]);
        assert_eq!(read(&path, Some("a.npy")).unwrap().values(), [1.0, 2.0]);
        assert_eq!(read_words(&path, "n").unwrap(), ["-1", "7"]);
        let all = arrays(&path).unwrap();
        assert!(all.len() == 3 && all[1].is_words(2) && !all[1].is_vectors());
        assert!(read(&path, Some("b")).unwrap_err().to_string().contains("no array b; its arrays: a, n, embeddings"));
        assert!(read(&path, Some("n")).unwrap_err().to_string().contains("shape (2,)"));
        let (_folder, path) = archive(&[("x.npy", &table(1.0)), ("n.npy", &numbers)]);
        assert_eq!(read(&path, None).unwrap().dim(), 2);
        let (_folder, path) = archive(&[("x.npy", &table(1.0)), ("y.npy", &table(1.0))]);
        assert!(read(&path, None).unwrap_err().to_string().contains("several tables"));
    }

    #[test]
    fn broken_archives_say_what_is_wrong() {
        let message = |bytes: &[u8]| {
            let (_folder, path) = archive(&[("vectors.npy", bytes)]);
            read(&path, None).unwrap_err().to_string()
        };
        assert!(message(&npy("<f4", "(90000000000, 384)", &[0; 16])).contains("cut short"));
        assert!(message(&npy("<f4", "(4, 0)", &[])).contains("no table of floating-point numbers"));
        assert!(message(b"hello").contains("its arrays: none"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.npz");
        fs_err::write(&path, b"hello").unwrap();
        assert!(read(&path, None).unwrap_err().to_string().contains("set.npz: not a NumPy .npz file"));
        assert!(read(&folder.path().join("none.npz"), None).is_err());
    }
}
