//! NumPy's `.npy` files of vectors: float16, float32 or float64, rows x dimensions.
//!
//! Reads both byte orders and both array orders; writes little-endian float32 in C order. Invariant: no header, however wrong,
//! makes it ask for memory for values that the file does not hold.

use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use fs_err::File;
use npyz::half::f16;
use npyz::{DType, Deserialize, NpyFile, NpyHeader, Order, WriterBuilder};

use super::replace::rows_at_once;
use super::stored::{Kind, Stored};
use super::{Heard, Rows, Vectors, VectorsError, replace_file, unheard};

/// Reads vectors from a `.npy` file. Errors name the file: it cannot be read, is no `.npy`, has another shape or type, is cut short.
pub fn read(path: &Path) -> Result<Vectors, VectorsError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| file_error(&shown, &error);
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    read_from(BufReader::with_capacity(1 << 20, file), bytes, &shown)
}

/// Reads vectors from what holds at most `bytes` bytes and is called `shown` in errors.
pub(super) fn read_from(mut reader: impl Read, bytes: u64, shown: &str) -> Result<Vectors, VectorsError> {
    let header = NpyHeader::from_reader(&mut reader).map_err(|error| VectorsError::File {
        path: shown.to_owned(),
        reason: format!("not a NumPy .npy file ({error})"),
    })?;
    let (rows, dim) = sides(&header, shown)?;
    let fortran = header.order() == Order::Fortran;
    let values = read_values(header, reader, bytes, shown)?;
    Vectors::new(if fortran { transposed(&values, rows, dim) } else { values }, dim)
}

/// Opens vectors without copying them where the file holds little-endian float32 in C order (it must not be written over while
/// they are in use); decodes them otherwise, by all threads where they lie in C order. Errors as for [`read`].
pub fn open(path: &Path) -> Result<Vectors, VectorsError> {
    open_rows(path)?.decoded()
}

/// As [`open`], but little-endian numbers in C order are not decoded before they are asked for. Errors as for [`read`].
pub fn open_rows(path: &Path) -> Result<Rows, VectorsError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| file_error(&shown, &error);
    let mut file = File::open(path).map_err(failed)?;
    if let Ok(header) = NpyHeader::from_reader(&mut file)
        && header.order() == Order::C
        && let Some(kind) = kind_of(&header)
    {
        let sides = sides(&header, &shown)?;
        let start = file.stream_position().map_err(failed)? as usize;
        if kind == Kind::Single
            && let Some(vectors) = Vectors::mapped(&file, start, sides.0, sides.1).map_err(failed)?
        {
            return Ok(Rows::Single(vectors));
        }
        if let Some(stored) = Stored::new(&file, start, sides, (kind, Vec::new())).map_err(failed)? {
            return Ok(Rows::Stored(Arc::new(stored)));
        }
    }
    Ok(Rows::Single(read(path)?))
}

/// The kind of an array's numbers, where they are little-endian floats.
fn kind_of(header: &NpyHeader) -> Option<Kind> {
    let DType::Plain(plain) = header.dtype() else { return None };
    match plain.to_string().as_str() {
        "<f2" => Some(Kind::Half),
        "<f4" => Some(Kind::Single),
        "<f8" => Some(Kind::Double),
        _ => None,
    }
}

/// Writes vectors as float32; a file that is there is replaced.
pub fn write(path: &Path, vectors: &Vectors) -> Result<(), VectorsError> {
    let shown = path.display().to_string();
    replace_file(path, |part| fill(part, vectors, &mut unheard)).map_err(|error| file_error(&shown, &error))
}

/// Writes vectors as float32 into a file under way.
///
/// # Errors
/// It cannot be written, or is no longer wanted.
pub fn fill(part: &Path, vectors: &Vectors, heard: Heard<'_>) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(part)?);
    let mut writer = npyz::WriteOptions::<f32>::new()
        .default_dtype()
        .shape(&[vectors.len() as u64, vectors.dim() as u64])
        .writer(&mut out)
        .begin_nd()?;
    for rows in vectors.values().chunks(rows_at_once(vectors.dim()) * vectors.dim()) {
        writer.extend(rows.iter().copied())?;
        heard((rows.len() / vectors.dim()) as u64)?;
    }
    writer.finish()?;
    out.flush()
}

fn file_error(path: &str, error: &std::io::Error) -> VectorsError {
    VectorsError::File { path: path.to_owned(), reason: error.kind().to_string() }
}

/// Rows and dimensions, where the shape is of two sides and the second is not zero.
fn sides(header: &NpyHeader, path: &str) -> Result<(usize, usize), VectorsError> {
    let wrong = || {
        let sides: Vec<String> = header.shape().iter().map(u64::to_string).collect();
        let comma = if sides.len() == 1 { "," } else { "" };
        VectorsError::Shape { path: path.to_owned(), shape: format!("({}{comma})", sides.join(", ")) }
    };
    let &[rows, dim] = header.shape() else { return Err(wrong()) };
    if dim == 0 || rows.checked_mul(dim).is_none() {
        return Err(wrong());
    }
    Ok((rows as usize, dim as usize))
}

/// All values in the file's order, after the length was checked.
fn read_values(header: NpyHeader, reader: impl Read, bytes: u64, path: &str) -> Result<Vec<f32>, VectorsError> {
    let kind = VectorsError::Kind { path: path.to_owned(), found: header.dtype().descr().replace('\'', "") };
    let DType::Plain(plain) = header.dtype() else { return Err(kind) };
    let size = plain.num_bytes().unwrap_or(1) as u64;
    let promised = header.shape().iter().fold(size, |product, &side| product.saturating_mul(side));
    if promised > bytes {
        return Err(VectorsError::Short { path: path.to_owned(), promised, held: bytes });
    }
    let name = plain.to_string();
    let failed = |error: std::io::Error| VectorsError::File { path: path.to_owned(), reason: error.to_string() };
    match name.trim_start_matches(['<', '>', '|', '=']) {
        "f4" if name.starts_with('<') && cfg!(target_endian = "little") => {
            let mut reader = reader;
            let mut values = vec![0.0f32; (promised / 4) as usize];
            reader.read_exact(bytemuck::cast_slice_mut(&mut values)).map_err(failed)?;
            Ok(values)
        }
        "f4" => collect::<f32>(header, reader, |value| value).map_err(failed),
        "f8" => collect::<f64>(header, reader, |value| value as f32).map_err(failed),
        "f2" => collect::<f16>(header, reader, f16::to_f32).map_err(failed),
        _ => Err(kind),
    }
}

fn collect<T: Deserialize>(header: NpyHeader, reader: impl Read, convert: fn(T) -> f32) -> std::io::Result<Vec<f32>> {
    let data = NpyFile::with_header(header, reader)
        .data::<T>()
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))?;
    data.map(|value| value.map(convert)).collect()
}

fn transposed(values: &[f32], rows: usize, dim: usize) -> Vec<f32> {
    (0..rows * dim).map(|at| values[(at % dim) * rows + at / dim]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, shape: &str, fortran: bool, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut dict = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
        while (10 + dict.len() + 1) % 64 != 0 {
            dict.push(' ');
        }
        dict.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((dict.len() as u16).to_le_bytes());
        bytes.extend(dict.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> Result<Vectors, VectorsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.npy");
        fs_err::write(&path, bytes).unwrap();
        read(&path)
    }

    #[test]
    fn written_vectors_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.npy");
        let vectors = Vectors::new(vec![1.5, -2.0, f32::MIN_POSITIVE, 4.0, 5.0, f32::NAN], 3).unwrap();
        write(&path, &vectors).unwrap();
        let back = read(&path).unwrap();
        assert_eq!((back.len(), back.dim()), (2, 3));
        let opened = open(&path).unwrap();
        assert!(matches!(opened.values, super::super::Values::Mapped(_)));
        assert!(opened.values().iter().zip(back.values()).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(back.values().iter().zip(vectors.values()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn every_precision_and_order_is_read() {
        let expected = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let doubles: Vec<u8> = expected.iter().flat_map(|&v| f64::from(v).to_le_bytes()).collect();
        let halves: Vec<u8> = expected.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
        let big: Vec<u8> = expected.iter().flat_map(|v: &f32| v.to_be_bytes()).collect();
        let columns: Vec<u8> = [1.0f32, 4.0, 2.0, 5.0, 3.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        for (descr, fortran, data) in
            [("'<f8'", false, doubles), ("'<f2'", false, halves), ("'>f4'", false, big), ("'<f4'", true, columns)]
        {
            let vectors = read_bytes(&npy(descr, "(2, 3)", fortran, &data)).unwrap();
            assert_eq!(vectors.values(), expected, "{descr}");
        }
    }

    #[test]
    fn errors_name_the_file_and_what_is_wrong() {
        let message = |bytes: &[u8]| read_bytes(bytes).unwrap_err().to_string();
        assert!(message(b"hello").contains("vectors.npy: not a NumPy .npy file"));
        assert!(message(&npy("'<f4'", "(4,)", false, &[0; 16])).contains("has the shape (4,)"));
        assert!(message(&npy("'<f4'", "(1, 2, 2)", false, &[0; 16])).contains("has the shape (1, 2, 2)"));
        assert!(message(&npy("'<f4'", "(4, 0)", false, &[])).contains("has the shape (4, 0)"));
        assert!(message(&npy("'<i4'", "(2, 2)", false, &[0; 16])).contains("holds <i4"));
        assert!(message(&npy("'<f4'", "(90000000000, 384)", false, &[0; 16])).contains("the header promises"));
        let missing = read(Path::new("no-such.npy")).unwrap_err().to_string();
        assert!(missing.contains("no-such.npy"), "{missing}");
    }
}
