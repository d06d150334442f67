//! Weights from PyTorch's pickles: instructions are parsed, nothing in them is run.
//!
//! candle's parser reads them, after a look at every instruction here: only what rebuilding tensors needs is let through, and no more
//! of it than a model has. Invariant: a file never decides what code runs, and every size in it is checked against the file's own.

use std::collections::HashMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use candle_core::{DType, Tensor, pickle::PthTensors, pickle::TensorInfo};
use safetensors::{Dtype, tensor::TensorView};
use zip::{CompressionMethod, ZipArchive};

/// Longest list of instructions read, in bytes: some 100,000 tensors.
const LONGEST: u64 = 32 << 20;
/// Most values that the instructions may make, shared ones counted as often as they are used.
const MOST_VALUES: u64 = 20_000_000;
/// Deepest that values may lie in one another.
const DEEPEST: u32 = 64;

type Archive = ZipArchive<std::io::BufReader<fs_err::File>>;

/// The tensors of floats in a file that `torch.save` wrote, as the bytes of a safetensors file; else what is wrong with it.
pub(super) fn tensors(path: &Path) -> Result<Vec<u8>, String> {
    let quiet = catch_unwind(AssertUnwindSafe(|| read(path)));
    quiet.unwrap_or_else(|_| Err("is not what torch.save writes of a model's weights".to_owned()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut archive = open(path)?;
    check(&instructions(&mut archive)?)?;
    let whole = fs_err::metadata(path).map_err(|e| e.to_string())?.len();
    let mut source = PthTensors::new(path, None).map_err(|e| e.to_string())?;
    if source.tensor_infos().is_empty() {
        source = PthTensors::new(path, Some("state_dict")).map_err(|e| e.to_string())?;
    }
    let mut names: Vec<String> = source.tensor_infos().keys().cloned().collect();
    names.sort();
    let mut out = Vec::new();
    for name in names {
        let Some(info) = source.tensor_infos().get(&name) else { continue };
        if !matches!(info.dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16) {
            continue;
        }
        fits(&mut archive, info, whole).map_err(|message| format!("tensor {name} {message}"))?;
        let tensor = source.get(&name).map_err(|e| e.to_string())?;
        let tensor = tensor.ok_or_else(|| format!("tensor {name} is missing"))?;
        out.push((name, bytes(&tensor).map_err(|e| e.to_string())?));
    }
    if out.is_empty() {
        return Err("holds no tensors of weights by name (a state dict)".to_owned());
    }
    let views: Result<Vec<_>, _> = out
        .iter()
        .map(|(name, (dtype, shape, bytes))| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect();
    let views = views.map_err(|e: safetensors::SafeTensorError| e.to_string())?;
    safetensors::serialize(views, None).map_err(|e| e.to_string())
}

fn open(path: &Path) -> Result<Archive, String> {
    let file = fs_err::File::open(path).map_err(|e| e.to_string())?;
    ZipArchive::new(std::io::BufReader::new(file)).map_err(|e| {
        format!("is not the archive that torch.save writes since version 1.6 ({e}); save it again with a newer PyTorch")
    })
}

/// The pickle itself inside the archive.
fn instructions(archive: &mut Archive) -> Result<Vec<u8>, String> {
    let names: Vec<String> = (0..archive.len())
        .filter_map(|at| {
            archive.by_index_raw(at).ok().map(|entry| String::from_utf8_lossy(entry.name_raw()).into_owned())
        })
        .filter(|name| name.ends_with("data.pkl"))
        .collect();
    let [name] = names.as_slice() else {
        return Err(format!("has {} lists of instructions (data.pkl) where torch.save writes one", names.len()));
    };
    let entry = archive.by_name(name).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    entry.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("has more than {LONGEST} bytes of instructions, far more than weights need"));
    }
    Ok(bytes)
}

/// Refuses a tensor that its part of the file is too short for.
fn fits(archive: &mut Archive, info: &TensorInfo, whole: u64) -> Result<(), String> {
    let entry = archive.by_name(&info.path).map_err(|_| "has no values in the file".to_owned())?;
    let there = entry.size().min(whole);
    if entry.compression() != CompressionMethod::Stored {
        return Err("is compressed, which torch.save never does".to_owned());
    }
    let dims = info.layout.dims();
    let count = dims.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let size = info.dtype.size_in_bytes();
    let needed = count.and_then(|count| count.checked_mul(size)?.checked_add(info.layout.start_offset()));
    match needed {
        Some(needed) if needed as u64 <= there => Ok(()),
        _ => Err(format!("has the shape {dims:?}, and the file has {there} bytes for it")),
    }
}

type Plain = (Dtype, Vec<usize>, Vec<u8>);

/// Type, shape and bytes; doubles become singles.
fn bytes(tensor: &Tensor) -> candle_core::Result<Plain> {
    let shape = tensor.dims().to_vec();
    let flat = tensor.flatten_all()?;
    let (dtype, bytes) = match tensor.dtype() {
        DType::F16 => (Dtype::F16, bytemuck::cast_slice(&flat.to_vec1::<half::f16>()?).to_vec()),
        DType::BF16 => (Dtype::BF16, bytemuck::cast_slice(&flat.to_vec1::<half::bf16>()?).to_vec()),
        _ => (Dtype::F32, bytemuck::cast_slice(&flat.to_dtype(DType::F32)?.to_vec1::<f32>()?).to_vec()),
    };
    Ok((dtype, shape, bytes))
}

/// What lies on the stack, as far as it matters: how many values it stands for, and how deep they lie in one another.
#[derive(Clone, Copy)]
enum Slot {
    Mark,
    Value { count: u64, depth: u32 },
}

/// The instructions, read one after the other without doing what they say.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Slot>,
    memo: HashMap<u32, Slot>,
    /// Values copied so far.
    spent: u64,
}

/// Refuses instructions that rebuilding tensors does not need.
fn check(bytes: &[u8]) -> Result<(), String> {
    let mut walk = Walk { bytes, at: 0, stack: Vec::new(), memo: HashMap::new(), spent: 0 };
    while !walk.step()? {}
    Ok(())
}

impl Walk<'_> {
    /// One instruction; true at the end.
    fn step(&mut self) -> Result<bool, String> {
        match self.take(1)?[0] {
            b'.' => return Ok(true),
            0x80 => _ = self.take(1)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                harmless(&module, &name)?;
                self.push(1, 0)?;
            }
            b'q' => self.keep(1)?,
            b'r' => self.keep(4)?,
            b'h' => self.fetch(1)?,
            b'j' => self.fetch(4)?,
            b'(' => self.stack.push(Slot::Mark),
            b')' | b'}' | b']' | b'N' | 0x88 | 0x89 => self.push(1, 0)?,
            b'K' => self.plain(1)?,
            b'M' => self.plain(2)?,
            b'J' => self.plain(4)?,
            b'G' => self.plain(8)?,
            b'X' => {
                let length = self.number(4)? as usize;
                self.plain(length)?;
            }
            0x8a => {
                let length = usize::from(self.take(1)?[0]);
                if length > 8 {
                    return Err("has a whole number of more than 8 bytes".to_owned());
                }
                self.plain(length)?;
            }
            b't' | b'd' => {
                let (count, depth) = self.down_to_mark()?;
                self.push(count + 1, depth + 1)?;
            }
            b'u' | b'e' => {
                let inner = self.down_to_mark()?;
                self.join(inner)?;
            }
            0x85 | b'Q' => self.fold(1)?,
            0x86 | b'R' | b'b' | 0x81 => self.fold(2)?,
            0x87 => self.fold(3)?,
            b'a' => {
                let inner = self.pop()?;
                self.join(inner)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.join((value.0 + key.0, value.1.max(key.1)))?;
            }
            other => {
                return Err(format!("has the instruction {other:#04x}, which weights do not need; nothing was run"));
            }
        }
        Ok(false)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or("has instructions that end too early")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize) -> Result<u32, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take(300).position(|&byte| byte == b'\n').ok_or("has a name without an end")?;
        let line = String::from_utf8_lossy(&rest[..length]).trim_end_matches('\r').to_owned();
        self.at += length + 1;
        Ok(line)
    }

    fn plain(&mut self, bytes: usize) -> Result<(), String> {
        self.take(bytes)?;
        self.push(1, 0)
    }

    fn push(&mut self, count: u64, depth: u32) -> Result<(), String> {
        if count > MOST_VALUES || depth > DEEPEST {
            return Err("makes more of its values than weights need; nothing was run".to_owned());
        }
        self.stack.push(Slot::Value { count, depth });
        Ok(())
    }

    fn pop(&mut self) -> Result<(u64, u32), String> {
        match self.stack.pop() {
            Some(Slot::Value { count, depth }) => Ok((count, depth)),
            _ => Err("has instructions that take what is not there".to_owned()),
        }
    }

    /// Takes `values` off and puts one made of them.
    fn fold(&mut self, values: usize) -> Result<(), String> {
        let (mut count, mut depth) = (1, 0);
        for _ in 0..values {
            let inner = self.pop()?;
            count += inner.0;
            depth = depth.max(inner.1 + 1);
        }
        self.push(count, depth)
    }

    /// Adds what was taken off to the value on top.
    fn join(&mut self, inner: (u64, u32)) -> Result<(), String> {
        let (count, depth) = self.pop()?;
        self.push(count + inner.0, depth.max(inner.1 + 1))
    }

    fn down_to_mark(&mut self) -> Result<(u64, u32), String> {
        let (mut count, mut depth) = (0u64, 0);
        loop {
            match self.stack.pop() {
                Some(Slot::Mark) => return Ok((count, depth)),
                Some(Slot::Value { count: more, depth: deep }) => {
                    count = count.saturating_add(more);
                    depth = depth.max(deep);
                }
                None => return Err("has instructions that take what is not there".to_owned()),
            }
        }
    }

    fn keep(&mut self, bytes: usize) -> Result<(), String> {
        let slot = self.number(bytes)?;
        let Some(&top @ Slot::Value { count, .. }) = self.stack.last() else {
            return Err("has instructions that take what is not there".to_owned());
        };
        self.memo.insert(slot, top);
        // candle copies what it remembers.
        self.spend(count)
    }

    fn fetch(&mut self, bytes: usize) -> Result<(), String> {
        let slot = self.number(bytes)?;
        match self.memo.get(&slot) {
            Some(&Slot::Value { count, depth }) => {
                self.spend(count)?;
                self.push(count, depth)
            }
            _ => Err("has instructions that take what is not there".to_owned()),
        }
    }

    fn spend(&mut self, count: u64) -> Result<(), String> {
        self.spent += count;
        if self.spent > MOST_VALUES {
            return Err("makes more of its values than weights need; nothing was run".to_owned());
        }
        Ok(())
    }
}

/// Refuses every name but those that stand for tensors and their storage.
fn harmless(module: &str, name: &str) -> Result<(), String> {
    let known = match module {
        "collections" => name == "OrderedDict",
        "torch._utils" => matches!(name, "_rebuild_tensor_v2" | "_rebuild_parameter"),
        "torch._tensor" => name == "_rebuild_from_type_v2",
        "torch.nn.parameter" => name == "Parameter",
        "torch" => name.ends_with("Storage") || matches!(name, "Tensor" | "device" | "Size"),
        "torch.storage" => name.ends_with("Storage"),
        _ => false,
    };
    if known {
        return Ok(());
    }
    Err(format!(
        "names {module}.{name}, which is no part of a tensor: it could be code; it was not read further, and nothing was run"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tensors_need_is_let_through() {
        let good: &[u8] = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01.";
        assert_eq!(check(good), Ok(()));
        for (bytes, word) in [
            (&b"\x80\x02cposix\nsystem\nq\x00X\x04\x00\x00\x00echoq\x01\x85R."[..], "posix.system"),
            (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
            (b"\x80\x02c__builtin__\nexec\n.", "__builtin__.exec"),
            (b"\x80\x02ctorch.hub\nload\n.", "torch.hub.load"),
            (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93.", "0x95"),
            (b"\x80\x02i", "0x69"),
            (b"X\xff\xff\xff\xffabc", "end too early"),
            (b"", "end too early"),
            (b"h\x05.", "not there"),
            (b"t.", "not there"),
            (b"cno end", "without an end"),
        ] {
            let e = check(bytes).unwrap_err();
            assert!(e.contains(word), "{e}");
        }
    }

    #[test]
    fn values_within_values_are_counted() {
        // Each pair holds the one before twice: 2^40 values in 200 bytes.
        let mut bomb = b"\x80\x02)q\x00".to_vec();
        for at in 0..40u8 {
            bomb.extend([b'h', at, b'h', at, 0x86, b'q', at + 1]);
        }
        bomb.push(b'.');
        assert!(check(&bomb).unwrap_err().contains("more of its values"));
        let deep = [b")".as_slice(), &[0x85; 200], b"."].concat();
        assert!(check(&deep).unwrap_err().contains("more of its values"));
    }

    fn file(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/folders/pickles").join(name)
    }

    #[test]
    fn tensors_come_out_as_torch_had_them() {
        let bytes = tensors(&file("odd.bin")).unwrap();
        let weights = crate::models::weights::Weights::parse("odd", &bytes).unwrap();
        let whole: Vec<f32> = (0..24).map(|at| at as f32 / 8.0).collect();
        let turned: Vec<f32> = (0..24).map(|at| whole[at % 4 * 6 + at / 4]).collect();
        for (name, shape, want) in [
            ("shared", vec![4, 6], &whole[..]),
            ("parameter", vec![2, 6], &whole[..12]),
            ("turned", vec![6, 4], &turned),
            ("half", vec![4, 6], &whole),
            ("bfloat", vec![4, 6], &whole),
            ("double", vec![4, 6], &whole),
            ("behind", vec![4], &whole[5..9]),
        ] {
            assert_eq!(weights.f32(name, &shape).unwrap(), want, "{name}");
        }
        // Whole numbers are no weights.
        assert_eq!(weights.names().len(), 7);
    }

    #[test]
    fn a_payload_is_named_and_not_run() {
        let e = tensors(&file("payload.bin")).unwrap_err();
        assert!(e.contains("posix.system") && e.contains("nothing was run"), "{e}");
        assert!(!Path::new("payload-was-run.txt").exists());
    }

    #[test]
    fn damage_and_lies_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.bin");
        let good = fs_err::read(file("base.bin")).unwrap();
        let of = |bytes: &[u8]| {
            fs_err::write(&path, bytes).unwrap();
            tensors(&path).unwrap_err()
        };
        assert!(of(&good[..good.len() / 2]).contains("not the archive"));
        assert!(of(b"").contains("not the archive"));
        assert!(of(b"\x80\x02}q\x00.").contains("not the archive"));
        // Sizes of a tensor that its values do not fill: in the list of instructions, which is stored as it is.
        let mut odd = fs_err::read(file("odd.bin")).unwrap();
        let at = odd.windows(4).position(|bytes| bytes == [b'K', 4, b'K', 6]).unwrap();
        odd[at + 1] = 200;
        assert!(!of(&odd).is_empty());
    }
}
