//! Checks that a database and the write-ahead log beside it belong together.
//!
//! SQLite does not check this: it takes any `-wal` beside a file for the file's own, and corrupts a
//! backup that was copied over the database beside an older log. So this check runs before SQLite
//! opens anything. It rejects only what cannot result from a crash, a power cut, or from moving all
//! files together; each proof is explained where it is made. See
//! <https://www.sqlite.org/fileformat2.html#walformat>.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::error::StoreError;

use crate::message::counted;

const DATABASE_HEADER: usize = 100;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// First number of a log; its lowest bit is the byte order of the checksums.
const LOG_MAGIC: u32 = 0x377f_0682;
/// Offset of SQLite's locks; the page that holds this byte is never written.
const PENDING_BYTE: u64 = 0x4000_0000;

/// Facts read from the database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Database {
    page_size: u32,
    /// 2 from before the first log is written until after the last one is deleted.
    write_version: u8,
    stamp: u32,
    free_pages: u32,
    /// Number of pages, by the length of the file.
    pages: u32,
}

/// Committed content of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Log {
    page_size: u32,
    /// Number of pages of the database after the last commit.
    pages: u32,
    /// Stamps of all versions of page 1.
    stamps: BTreeSet<u32>,
    /// Number of free pages, by the last version of page 1.
    free_pages: Option<u32>,
    /// Numbers of the pages beyond the end of the database file.
    behind: BTreeSet<u32>,
}

/// Rejects a log of another database.
///
/// # Errors
/// `ForeignLog` with the proof, `File`.
pub(super) fn check(database: &Path) -> Result<(), StoreError> {
    let path = log_path(database);
    let Some(log) = open(&path).map_err(StoreError::file(&path))? else {
        return Ok(());
    };
    let file = read_database(database).map_err(StoreError::file(database))?;
    let end = file.map_or(0, |file| file.pages);
    let log = read_log(BufReader::with_capacity(1 << 20, log), end);
    let Some(log) = log.map_err(StoreError::file(&path))? else {
        return Ok(());
    };
    match foreign(file, &log) {
        None => Ok(()),
        Some(why) => Err(StoreError::ForeignLog {
            path: database.to_owned(),
            log: path,
            why,
        }),
    }
}

/// Checks the log for a command, which opens the database beside a service or without one. A
/// running service has checked it itself, and writes to both files.
///
/// # Errors
/// As [`check`].
pub(super) fn check_when_alone(database: &Path) -> Result<(), StoreError> {
    if log_path(database).metadata().map_or(0, |log| log.len()) == 0 {
        return Ok(());
    }
    match File::open(super::sqlite::beside_path(database, ".lock")) {
        // The lock is held during the check.
        Ok(lock) if lock.try_lock().is_ok() => check(database),
        Ok(_) => Ok(()),
        Err(_) => check(database),
    }
}

/// `<database>-wal`.
pub(super) fn log_path(database: &Path) -> PathBuf {
    super::sqlite::beside_path(database, "-wal")
}

/// Proof that the log belongs to another database; `None` if there is none.
fn foreign(database: Option<Database>, log: &Log) -> Option<String> {
    let Some(database) = database else {
        // SQLite writes and syncs the first page before it creates a log.
        return Some(
            "the log holds what was committed, but the database is missing or empty".into(),
        );
    };
    if database.page_size != log.page_size {
        return Some(format!(
            "the database has pages of {} bytes, the log of {}",
            database.page_size, log.page_size
        ));
    }
    if database.write_version != 2 {
        // The first page says "with a log" from before the log is created until after it is
        // deleted.
        return Some("the database is a copy that never had a log".into());
    }
    if log.stamps.iter().any(|stamp| *stamp != database.stamp) {
        // The stamp changes only while there is no log (see [`super::integrity`]), so all versions
        // of the first page have the same stamp.
        return Some("the database is of another time than the log, or of another service".into());
    }
    // A page beyond the end of the file is in the log, or was never written because it is free.
    let never = PENDING_BYTE / u64::from(log.page_size) + 1;
    let behind = u64::from(database.pages) + 1..=u64::from(log.pages);
    let missing = u64::from(log.pages.saturating_sub(database.pages))
        .saturating_sub(log.behind.len() as u64)
        .saturating_sub(u64::from(behind.contains(&never)));
    let free = log.free_pages.unwrap_or(database.free_pages);
    (missing > u64::from(free)).then(|| {
        let pages = counted(missing, "page");
        format!("the log counts on {pages} that neither has: the database is an older copy")
    })
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the header; `None` if there is no database. SQLite itself reports a file of another
/// format.
fn read_database(path: &Path) -> io::Result<Option<Database>> {
    let Some(mut file) = open(path)? else {
        return Ok(None);
    };
    let length = file.metadata()?.len();
    let mut header = [0; DATABASE_HEADER];
    if length == 0 || !fill(&mut file, &mut header)? {
        return Ok(None);
    }
    let page_size = match u32::from(u16::from_be_bytes([header[16], header[17]])) {
        // 65536 does not fit into the two bytes.
        1 => 65_536,
        size => size.max(512),
    };
    Ok(Some(Database {
        page_size,
        write_version: header[18],
        stamp: number(&header, 60),
        free_pages: number(&header, 36),
        pages: u32::try_from(length / u64::from(page_size)).unwrap_or(u32::MAX),
    }))
}

/// Reads all committed frames, as SQLite would; `None` if there are none. `end` is the number of
/// pages in the database file.
fn read_log(mut log: impl Read, end: u32) -> io::Result<Option<Log>> {
    let mut header = [0; LOG_HEADER];
    if !fill(&mut log, &mut header)? || number(&header, 0) & !1 != LOG_MAGIC {
        return Ok(None);
    }
    let mut sum = Checksum::new(number(&header, 0) & 1 == 1);
    sum.add(&header[..24]);
    let page_size = number(&header, 8);
    let is_size = page_size.is_power_of_two() && (512..=65_536).contains(&page_size);
    if !sum.is(&header, 24) || !is_size {
        return Ok(None);
    }
    let salts = &header[16..24];
    let mut page = vec![0; page_size as usize];
    let mut frame = [0; FRAME_HEADER];
    let mut committed = None;
    let mut pending = Log::default();
    while fill(&mut log, &mut frame)? && fill(&mut log, &mut page)? {
        sum.add(&frame[..8]);
        sum.add(&page);
        if &frame[8..16] != salts || !sum.is(&frame, 16) {
            break;
        }
        let (place, size) = (number(&frame, 0), number(&frame, 4));
        if place == 1 {
            pending.stamps.insert(number(&page, 60));
            pending.free_pages = Some(number(&page, 36));
        }
        if place > end {
            pending.behind.insert(place);
        }
        if size > 0 {
            let log = committed.get_or_insert_with(Log::default);
            log.stamps.append(&mut pending.stamps);
            log.behind.append(&mut pending.behind);
            log.free_pages = pending.free_pages.take().or(log.free_pages);
            (log.page_size, log.pages) = (page_size, size);
        }
    }
    Ok(committed.map(|mut log| {
        log.behind.retain(|place| *place <= log.pages);
        log
    }))
}

/// SQLite's running checksum over pairs of words.
struct Checksum {
    big_endian: bool,
    sums: (u32, u32),
}

impl Checksum {
    fn new(big_endian: bool) -> Self {
        Self {
            big_endian,
            sums: (0, 0),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let (mut first, mut second) = self.sums;
        for pair in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let word = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if self.big_endian {
                    u32::from_be_bytes(word)
                } else {
                    u32::from_le_bytes(word)
                }
            };
            first = first.wrapping_add(word(0)).wrapping_add(second);
            second = second.wrapping_add(word(4)).wrapping_add(first);
        }
        self.sums = (first, second);
    }

    /// Whether the bytes at this offset are the checksum.
    fn is(&self, bytes: &[u8], at: usize) -> bool {
        self.sums == (number(bytes, at), number(bytes, at + 4))
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Fills the buffer; returns whether there were enough bytes.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
