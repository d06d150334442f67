//! The ZIP container of `.npz` files: members stored or deflated, with the 64-bit fields NumPy writes.
//!
//! No encryption, no several disks, no other compression. Invariant: no directory, however wrong, makes it ask for more memory than what
//! really comes out of the file.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use fs_err::File;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
/// The value of a field whose real one stands among the 64-bit fields.
const ELSEWHERE: u32 = u32::MAX;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Bytes of a local header before the name.
const LOCAL_BYTES: u64 = 30;

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name.
    pub name: String,
    /// Bytes when unpacked, as the directory says.
    pub size: u64,
    packed: u64,
    method: u16,
    crc: u32,
    offset: u64,
}

/// An archive that is read.
pub(super) struct Archive {
    file: File,
    length: u64,
    /// Its members, in the order of the directory.
    pub members: Vec<Member>,
}

fn wrong(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words.to_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

impl Archive {
    /// Reads the directory of a file.
    pub(super) fn open(mut file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        // The end record stands before a comment of at most 65,535 bytes.
        let tail = length.min(65_557 + 20);
        file.seek(SeekFrom::Start(length - tail))?;
        let mut end = Vec::new();
        Read::by_ref(&mut file).take(tail).read_to_end(&mut end)?;
        let at = (0..end.len().saturating_sub(21)).rev().find(|&at| u32_at(&end, at) == Some(END));
        let at = at.ok_or_else(|| wrong("no ZIP directory at its end"))?;
        let directory =
            Self::directory(&mut file, &end, at).ok_or_else(|| wrong("the ZIP directory makes no sense"))?;
        let (start, size) = directory;
        if start.checked_add(size).is_none_or(|end| end > length) {
            return Err(wrong("the ZIP directory lies outside the file"));
        }
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(size).read_to_end(&mut bytes)?;
        let members = members(&bytes).ok_or_else(|| wrong("the ZIP directory makes no sense"))?;
        Ok(Self { file, length, members })
    }

    /// Where the directory begins, and its bytes.
    fn directory(file: &mut File, end: &[u8], at: usize) -> Option<(u64, u64)> {
        let (size, start) = (u32_at(end, at + 12)?, u32_at(end, at + 16)?);
        let locator = at.checked_sub(20).filter(|&locator| u32_at(end, locator) == Some(LOCATOR64));
        match locator {
            Some(locator) if size == ELSEWHERE || start == ELSEWHERE => {
                file.seek(SeekFrom::Start(u64_at(end, locator + 8)?)).ok()?;
                let mut record = [0; 56];
                file.read_exact(&mut record).ok()?;
                (u32_at(&record, 0)? == END64).then_some((u64_at(&record, 48)?, u64_at(&record, 40)?))
            }
            _ => Some((start.into(), size.into())),
        }
    }

    /// Calls `read` with the unpacked bytes of a member, and checks them when they were read to their end.
    pub(super) fn read<T>(&mut self, member: &Member, read: impl FnOnce(&mut dyn Read) -> T) -> io::Result<T> {
        // Deflate packs at most 1,032 bytes into one.
        let most = if member.method == STORED { member.packed } else { member.packed.saturating_mul(1032) };
        let end = member.offset.checked_add(member.packed).and_then(|end| end.checked_add(LOCAL_BYTES));
        if member.size > most || end.is_none_or(|end| end > self.length) {
            return Err(wrong(&format!("{} is longer than the file", member.name)));
        }
        let mut local = [0; LOCAL_BYTES as usize];
        self.file.seek(SeekFrom::Start(member.offset))?;
        self.file.read_exact(&mut local)?;
        let names = u16_at(&local, 26).zip(u16_at(&local, 28)).filter(|_| u32_at(&local, 0) == Some(LOCAL));
        let (name, extra) = names.ok_or_else(|| wrong("a member does not begin where the ZIP directory says"))?;
        let start = member.offset + LOCAL_BYTES + u64::from(name) + u64::from(extra);
        self.file.seek(SeekFrom::Start(start))?;
        let packed = BufReader::with_capacity(1 << 18, (&mut self.file).take(member.packed));
        let unpacked: Box<dyn Read + '_> = match member.method {
            STORED => Box::new(packed),
            DEFLATED => Box::new(DeflateDecoder::new(packed)),
            other => return Err(wrong(&format!("ZIP compression {other} is not known here"))),
        };
        let mut checked = Checked { inner: unpacked.take(member.size), crc: Crc::new() };
        let result = read(&mut checked);
        if u64::from(checked.crc.amount()) == member.size % (1 << 32) && checked.crc.sum() != member.crc {
            return Err(wrong(&format!("{} is damaged: its checksum is another", member.name)));
        }
        Ok(result)
    }
}

/// Counts what is read through it.
struct Checked<R> {
    inner: R,
    crc: Crc,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.crc.update(&out[..count]);
        Ok(count)
    }
}

/// The members of a directory.
fn members(bytes: &[u8]) -> Option<Vec<Member>> {
    let (mut members, mut at) = (Vec::new(), 0);
    while u32_at(bytes, at) == Some(CENTRAL) {
        let [name, extra, comment] = [28, 30, 32].map(|place| u16_at(bytes, at + place).map(usize::from));
        let (name, extra, comment) = (name?, extra?, comment?);
        let mut member = Member {
            name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned(),
            size: u32_at(bytes, at + 24)?.into(),
            packed: u32_at(bytes, at + 20)?.into(),
            method: u16_at(bytes, at + 10)?,
            crc: u32_at(bytes, at + 16)?,
            offset: u32_at(bytes, at + 42)?.into(),
        };
        wide(&mut member, bytes.get(at + 46 + name..at + 46 + name + extra)?)?;
        members.push(member);
        at += 46 + name + extra + comment;
    }
    (at == bytes.len()).then_some(members)
}

/// Takes the 64-bit fields of a member from its extra field, where they stand there.
fn wide(member: &mut Member, extra: &[u8]) -> Option<()> {
    let mut at = 0;
    while let (Some(kind), Some(length)) = (u16_at(extra, at), u16_at(extra, at + 2)) {
        if kind == 1 {
            let mut place = at + 4;
            for field in [&mut member.size, &mut member.packed, &mut member.offset] {
                if *field == u64::from(ELSEWHERE) {
                    *field = u64_at(extra, place)?;
                    place += 8;
                }
            }
        }
        at += 4 + usize::from(length);
    }
    Some(())
}

/// An archive that is written.
pub(super) struct Builder {
    file: File,
    members: Vec<Member>,
}

impl Builder {
    /// An empty one, at the beginning of a file.
    pub(super) fn new(file: File) -> Self {
        Self { file, members: Vec::new() }
    }

    /// Adds a member; `fill` writes its bytes.
    pub(super) fn add(
        &mut self,
        name: &str,
        deflate: bool,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let method = if deflate { DEFLATED } else { STORED };
        let offset = self.file.stream_position()?;
        let mut member = Member { name: name.to_owned(), size: 0, packed: 0, method, crc: 0, offset };
        self.file.write_all(&local(&member))?;
        let start = self.file.stream_position()?;
        let (size, crc) = if deflate {
            let mut counted =
                Counted { inner: DeflateEncoder::new(&mut self.file, Compression::fast()), size: 0, crc: Crc::new() };
            fill(&mut counted)?;
            let Counted { inner, size, crc } = counted;
            inner.finish()?;
            (size, crc.sum())
        } else {
            let mut counted = Counted { inner: &mut self.file, size: 0, crc: Crc::new() };
            fill(&mut counted)?;
            (counted.size, counted.crc.sum())
        };
        let end = self.file.stream_position()?;
        (member.size, member.packed, member.crc) = (size, end - start, crc);
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(&local(&member))?;
        self.file.seek(SeekFrom::Start(end))?;
        self.members.push(member);
        Ok(())
    }

    /// Writes the directory.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let start = self.file.stream_position()?;
        let directory: Vec<u8> = self.members.iter().flat_map(central).collect();
        self.file.write_all(&directory)?;
        let (size, count) = (directory.len() as u64, self.members.len() as u64);
        let mut end = Vec::new();
        if start >= u64::from(ELSEWHERE) {
            end.extend(END64.to_le_bytes());
            end.extend(44u64.to_le_bytes());
            end.extend([45u16.to_le_bytes(), 45u16.to_le_bytes()].concat());
            end.extend([0; 8]);
            end.extend([count, count, size, start].map(u64::to_le_bytes).concat());
            end.extend(LOCATOR64.to_le_bytes());
            end.extend([0; 4]);
            end.extend((start + size).to_le_bytes());
            end.extend(1u32.to_le_bytes());
        }
        end.extend(END.to_le_bytes());
        end.extend([0; 4]);
        end.extend([(count as u16).to_le_bytes(); 2].concat());
        end.extend([size, start].map(|field| u32::try_from(field).unwrap_or(ELSEWHERE).to_le_bytes()).concat());
        end.extend([0; 2]);
        self.file.write_all(&end)?;
        self.file.flush()
    }
}

/// Counts what is written through it.
struct Counted<W> {
    inner: W,
    size: u64,
    crc: Crc,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.crc.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Version, flags, method, time and date: 1 January 1980, so that equal arrays are equal files.
fn common(member: &Member) -> Vec<u8> {
    [45, 0, member.method, 0, 33]
        .iter()
        .flat_map(|field: &u16| field.to_le_bytes())
        .chain(member.crc.to_le_bytes())
        .collect()
}

/// A local header, always with the 64-bit fields: their place must be there before the sizes are known.
fn local(member: &Member) -> Vec<u8> {
    let mut bytes = LOCAL.to_le_bytes().to_vec();
    bytes.extend(common(member));
    bytes.extend([ELSEWHERE.to_le_bytes(), ELSEWHERE.to_le_bytes()].concat());
    bytes.extend((member.name.len() as u16).to_le_bytes());
    bytes.extend(20u16.to_le_bytes());
    bytes.extend(member.name.as_bytes());
    bytes.extend([1u16.to_le_bytes(), 16u16.to_le_bytes()].concat());
    bytes.extend([member.size.to_le_bytes(), member.packed.to_le_bytes()].concat());
    bytes
}

/// An entry of the directory, with 64-bit fields where they are needed.
fn central(member: &Member) -> Vec<u8> {
    let fields = [member.size, member.packed, member.offset];
    let short = fields.map(|field| u32::try_from(field).unwrap_or(ELSEWHERE));
    let long: Vec<u8> =
        fields.iter().filter(|&&field| field >= u64::from(ELSEWHERE)).flat_map(|field| field.to_le_bytes()).collect();
    let mut bytes = CENTRAL.to_le_bytes().to_vec();
    bytes.extend(45u16.to_le_bytes());
    bytes.extend(common(member));
    bytes.extend([short[1].to_le_bytes(), short[0].to_le_bytes()].concat());
    bytes.extend((member.name.len() as u16).to_le_bytes());
    bytes.extend((if long.is_empty() { 0 } else { long.len() as u16 + 4 }).to_le_bytes());
    // No comment, the first disk, no attributes.
    bytes.extend([0; 10]);
    bytes.extend(short[2].to_le_bytes());
    bytes.extend(member.name.as_bytes());
    if !long.is_empty() {
        bytes.extend([1u16.to_le_bytes(), (long.len() as u16).to_le_bytes()].concat());
        bytes.extend(long);
    }
    bytes
}
