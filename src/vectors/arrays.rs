//! NumPy's `.npz` files: several arrays by name, of which one is vectors and others tell of their rows.
//!
//! Reads float arrays as vectors, and one-dimensional arrays of texts, numbers and truth values as words; arrays that need Python
//! (pickled objects) are passed over. Invariant: as in [`super::npy`], no header makes it ask for more memory than comes out of the file.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use fs_err::File;
use npyz::{DType, Endianness, NpyHeader, TypeChar};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::npy;
use super::replace::rows_at_once;
use super::{Heard, Vectors, VectorsError, replace_file, unheard};

/// Bytes of a column between two looks at whether it is still wanted.
const BETWEEN: usize = 1 << 20;

/// What an array of an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayInfo {
    /// Its name.
    pub name: String,
    /// Its sides.
    pub shape: Vec<u64>,
    /// Its type as NumPy writes it: `<f4`, `<U12`.
    pub kind: String,
    /// Whether it holds floating-point numbers.
    pub is_float: bool,
    /// Its place in the directory.
    at: usize,
}

/// An archive of arrays.
pub struct NamedArrays {
    path: String,
    archive: ZipArchive<BufReader<File>>,
    /// Bytes of the whole file.
    length: u64,
    /// The arrays, in the order of the file.
    pub arrays: Vec<ArrayInfo>,
}

/// A column to be written beside vectors.
#[derive(Clone, Debug)]
pub enum ArrayColumn<'a> {
    /// Texts.
    Words(Vec<&'a str>),
    /// Texts that were made for it.
    Made(Vec<String>),
    /// Whole numbers.
    Numbers(Vec<i64>),
    /// Whole numbers without a sign.
    Naturals(Vec<u64>),
    /// Double precision numbers.
    Reals(Vec<f64>),
    /// Single precision numbers.
    Singles(Vec<f32>),
    /// Truth values.
    Truths(Vec<bool>),
    /// So many whole numbers a row.
    Tables(usize, &'a [u32]),
    /// So many single precision numbers a row.
    Values(usize, &'a [f32]),
}

impl NamedArrays {
    /// Opens an archive and reads what its arrays are.
    ///
    /// # Errors
    /// The file cannot be read, or is no archive of arrays.
    pub fn open(path: &Path) -> Result<Self, VectorsError> {
        let shown = path.display().to_string();
        let file = File::open(path)
            .map_err(|error| VectorsError::File { path: shown.clone(), reason: error.kind().to_string() })?;
        let failed = |error: io::Error| VectorsError::File {
            path: shown.clone(),
            reason: format!("not a NumPy .npz file ({error})"),
        };
        let length = file.metadata().map_err(failed)?.len();
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| failed(error.into()))?;
        let mut opened = Self { path: shown.clone(), archive, length, arrays: Vec::new() };
        for at in 0..opened.archive.len() {
            let file_name = opened.archive.name_for_index(at).and_then(Result::ok);
            let name = file_name.and_then(|name| npyz::npz::array_name_from_file_name(&name).map(str::to_owned));
            let Some(name) = name else { continue };
            let header = opened.member(at, |bytes, _| NpyHeader::from_reader(bytes)).map_err(failed)?;
            // What this version of the format does not know is passed over like any other array.
            let Ok(header) = header else { continue };
            let is_float = matches!(header.dtype(), DType::Plain(kind) if kind.type_char() == TypeChar::Float);
            let kind = header.dtype().descr().replace('\'', "");
            opened.arrays.push(ArrayInfo { name, shape: header.shape().to_vec(), kind, is_float, at });
        }
        Ok(opened)
    }

    /// Calls `read` with the unpacked bytes of a member and their number; their checksum is tested when they were read to their end.
    fn member<T>(&mut self, at: usize, read: impl FnOnce(&mut dyn Read, u64) -> T) -> io::Result<T> {
        let wrong = |words: String| io::Error::new(io::ErrorKind::InvalidData, words);
        let mut member = self.archive.by_index(at)?;
        let (size, packed) = (member.size(), member.compressed_size());
        // Deflate packs at most 1,032 bytes into one: a greater size is a lie, and would be believed when memory is asked for.
        let most = if member.compression() == CompressionMethod::Stored { packed } else { packed.saturating_mul(1032) };
        if size > most || packed > self.length {
            return Err(wrong("an array is longer than the file".to_owned()));
        }
        let mut limited = BufReader::with_capacity(1 << 16, Read::by_ref(&mut member).take(size));
        let result = read(&mut limited, size);
        let left = limited.get_ref().limit();
        // The end of the member is where its checksum is compared.
        if left == 0 && member.read(&mut [0])? > 0 {
            return Err(wrong("an array is longer than the ZIP directory says".to_owned()));
        }
        Ok(result)
    }

    /// An array as vectors.
    ///
    /// # Errors
    /// It has another shape or type, or is damaged.
    pub fn vectors(&mut self, array: &ArrayInfo) -> Result<Vectors, VectorsError> {
        let shown = format!("{}, array {}", self.path, array.name);
        let read = self.member(array.at, |bytes, size| npy::read_from(bytes, size, &shown));
        read.map_err(|error| VectorsError::File { path: shown.clone(), reason: error.to_string() })?
    }

    /// A one-dimensional array as words; `None` where it holds something else.
    ///
    /// # Errors
    /// It is damaged.
    pub fn words(&mut self, array: &ArrayInfo) -> Result<Option<Vec<String>>, VectorsError> {
        let shown = format!("{}, array {}", self.path, array.name);
        let read = self.member(array.at, |mut bytes, _| {
            let header = NpyHeader::from_reader(&mut bytes)?;
            let mut rest = Vec::new();
            bytes.read_to_end(&mut rest)?;
            Ok(decode(&header, &rest))
        });
        read.and_then(|inner| inner).map_err(|error| VectorsError::File { path: shown, reason: error.to_string() })
    }
}

/// The elements of a one-dimensional array in words.
fn decode(header: &NpyHeader, bytes: &[u8]) -> Option<Vec<String>> {
    let count = match header.shape() {
        [count] | [count, 1] => usize::try_from(*count).ok()?,
        _ => return None,
    };
    let DType::Plain(kind) = header.dtype() else { return None };
    let size = kind.num_bytes()?;
    if size == 0 {
        return Some(vec![String::new(); count]).filter(|_| count <= bytes.len().max(1 << 24));
    }
    if count.checked_mul(size)? > bytes.len() {
        return None;
    }
    let big = matches!(kind.endianness(), Endianness::Big);
    let ordered = |element: &[u8]| -> [u8; 8] {
        let mut out = [0; 8];
        for (place, &byte) in element.iter().take(8).enumerate() {
            out[if big { element.len() - 1 - place } else { place }] = byte;
        }
        out
    };
    let whole = |element: &[u8]| u64::from_le_bytes(ordered(element));
    let word = |element: &[u8]| match kind.type_char() {
        TypeChar::UnicodeStr => {
            let text: String =
                element.chunks_exact(4).map(|code| char::from_u32(whole(code) as u32).unwrap_or('\u{fffd}')).collect();
            Some(text.trim_end_matches('\0').to_owned())
        }
        TypeChar::ByteStr => Some(String::from_utf8_lossy(element).trim_end_matches('\0').to_owned()),
        TypeChar::Bool => Some((element[0] != 0).to_string()),
        TypeChar::Uint => Some(whole(element).to_string()),
        TypeChar::Int => {
            let bits = 64 - 8 * size.min(8) as u32;
            Some((((whole(element) << bits) as i64) >> bits).to_string())
        }
        TypeChar::Float if size == 8 => Some(f64::from_bits(whole(element)).to_string()),
        TypeChar::Float if size == 4 => Some(f32::from_bits(whole(element) as u32).to_string()),
        _ => None,
    };
    bytes.chunks_exact(size).take(count).map(word).collect()
}

/// Writes vectors as the array `vectors`, and columns under their names; a file that is there is replaced.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, vectors: &Vectors, columns: &[(&str, ArrayColumn<'_>)]) -> Result<(), VectorsError> {
    write_named(path, ("vectors", vectors), columns)
}

/// As [`write`], with the vectors under another name.
///
/// # Errors
/// The file cannot be written.
pub fn write_named(
    path: &Path,
    named: (&str, &Vectors),
    columns: &[(&str, ArrayColumn<'_>)],
) -> Result<(), VectorsError> {
    replace_file(path, |part| fill(part, named, columns, &mut unheard))
        .map_err(|error| VectorsError::File { path: path.display().to_string(), reason: error.kind().to_string() })
}

/// As [`write_named`], into a file under way.
///
/// # Errors
/// It cannot be written, or is no longer wanted.
pub fn fill(
    part: &Path,
    (name, vectors): (&str, &Vectors),
    columns: &[(&str, ArrayColumn<'_>)],
    heard: Heard<'_>,
) -> io::Result<()> {
    // One time for all, so that equal arrays are equal files; 64-bit sizes, for their place must be there before they are known.
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default()).large_file(true);
    let mut archive = ZipWriter::new(File::create(part)?);
    archive.start_file(format!("{name}.npy"), options.compression_method(CompressionMethod::Stored))?;
    archive.write_all(&header("<f4", &format!("({}, {})", vectors.len(), vectors.dim())))?;
    // A slice at a time, so that a machine of the other byte order needs no second copy.
    for rows in vectors.values().chunks(rows_at_once(vectors.dim()) * vectors.dim()) {
        let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
        archive.write_all(&bytes)?;
        heard((rows.len() / vectors.dim()) as u64)?;
    }
    let deflated = options.compression_method(CompressionMethod::Deflated).compression_level(Some(1));
    for (name, column) in columns {
        archive.start_file(format!("{name}.npy"), deflated)?;
        // Numbers come eight bytes at a time.
        let mut out =
            Listening { out: io::BufWriter::with_capacity(1 << 16, &mut archive), heard: &mut *heard, since: 0 };
        write_column(column, &mut out)?;
        out.flush()?;
    }
    archive.finish()?.flush()
}

/// Asks whether what is written is still wanted, every so many bytes.
struct Listening<'a, W> {
    out: W,
    heard: Heard<'a>,
    since: usize,
}

impl<W: Write> Write for Listening<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.since += taken;
        if self.since >= BETWEEN {
            self.since = 0;
            (self.heard)(0)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes one column as a `.npy` file of its own; a file that is there is replaced.
///
/// # Errors
/// The file cannot be written.
pub fn write_alone(path: &Path, column: &ArrayColumn<'_>) -> Result<(), VectorsError> {
    replace_file(path, |part| fill_alone(part, column, &mut unheard))
        .map_err(|error| VectorsError::File { path: path.display().to_string(), reason: error.kind().to_string() })
}

/// As [`write_alone`], into a file under way.
///
/// # Errors
/// It cannot be written, or is no longer wanted.
pub fn fill_alone(part: &Path, column: &ArrayColumn<'_>, heard: Heard<'_>) -> io::Result<()> {
    let mut out = Listening { out: io::BufWriter::new(File::create(part)?), heard, since: 0 };
    write_column(column, &mut out)?;
    out.flush()
}

fn write_column(column: &ArrayColumn<'_>, out: &mut dyn Write) -> io::Result<()> {
    match column {
        ArrayColumn::Tables(width, numbers) => {
            let rows = numbers.len().checked_div(*width).unwrap_or(0);
            out.write_all(&header("<u4", &format!("({rows}, {width})")))?;
            for numbers in numbers.chunks(1 << 16) {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                out.write_all(&bytes)?;
            }
            Ok(())
        }
        ArrayColumn::Values(width, values) => {
            let rows = values.len().checked_div(*width).unwrap_or(0);
            out.write_all(&header("<f4", &format!("({rows}, {width})")))?;
            values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
        }
        ArrayColumn::Numbers(numbers) => {
            out.write_all(&header("<i8", &format!("({},)", numbers.len())))?;
            numbers.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
        }
        ArrayColumn::Naturals(numbers) => {
            out.write_all(&header("<u8", &format!("({},)", numbers.len())))?;
            numbers.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
        }
        ArrayColumn::Reals(numbers) => {
            out.write_all(&header("<f8", &format!("({},)", numbers.len())))?;
            numbers.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
        }
        ArrayColumn::Singles(numbers) => {
            out.write_all(&header("<f4", &format!("({},)", numbers.len())))?;
            numbers.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
        }
        ArrayColumn::Truths(values) => {
            out.write_all(&header("|b1", &format!("({},)", values.len())))?;
            values.iter().try_for_each(|&value| out.write_all(&[value.into()]))
        }
        ArrayColumn::Made(words) => write_column(&ArrayColumn::Words(words.iter().map(String::as_str).collect()), out),
        ArrayColumn::Words(words) => {
            let longest = words.iter().map(|word| word.chars().count()).max().unwrap_or_default().max(1);
            out.write_all(&header(&format!("<U{longest}"), &format!("({},)", words.len())))?;
            let mut element = Vec::with_capacity(longest * 4);
            for word in words {
                element.clear();
                word.chars().for_each(|c| element.extend(u32::from(c).to_le_bytes()));
                element.resize(longest * 4, 0);
                out.write_all(&element)?;
            }
            Ok(())
        }
    }
}

/// A header of the format's first version, filled up to a multiple of 64 bytes.
fn header(kind: &str, shape: &str) -> Vec<u8> {
    let mut words = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + words.len() + 1) % 64 != 0 {
        words.push(' ');
    }
    words.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((words.len() as u16).to_le_bytes());
    bytes.extend(words.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_arrays_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.npz");
        let vectors = Vectors::new(vec![1.5, -2.0, 3.0, f32::MAX], 2).unwrap();
        let columns =
            [("path", ArrayColumn::Words(vec!["a/ä.md", ""])), ("start", ArrayColumn::Numbers(vec![-3, i64::MAX]))];
        write(&path, &vectors, &columns).unwrap();
        let mut back = NamedArrays::open(&path).unwrap();
        let arrays = back.arrays.clone();
        assert_eq!(arrays.iter().map(|array| array.name.as_str()).collect::<Vec<_>>(), ["vectors", "path", "start"]);
        assert_eq!(arrays[1].kind, "<U6");
        assert_eq!(back.vectors(&arrays[0]).unwrap().values(), vectors.values());
        assert_eq!(back.words(&arrays[1]).unwrap().unwrap(), ["a/ä.md", ""]);
        assert_eq!(back.words(&arrays[2]).unwrap().unwrap(), ["-3", &i64::MAX.to_string()]);
        assert_eq!(back.words(&arrays[0]).unwrap(), None);
    }

    #[test]
    fn a_damaged_archive_is_an_error_and_nothing_worse() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.npz");
        write(&path, &Vectors::new(vec![1.0; 64], 4).unwrap(), &[("row", ArrayColumn::Numbers((0..16).collect()))])
            .unwrap();
        let good = fs_err::read(&path).unwrap();
        for cut in 0..good.len() {
            fs_err::write(&path, &good[..cut]).unwrap();
            assert!(NamedArrays::open(&path).is_err(), "cut at {cut}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x55;
            fs_err::write(&path, &bytes).unwrap();
            if let Ok(mut open) = NamedArrays::open(&path) {
                for array in open.arrays.clone() {
                    let _ = (open.vectors(&array), open.words(&array));
                }
            }
        }
    }
}
