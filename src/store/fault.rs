//! What keeps the database from taking work, and how that is told to whoever waits for the end of
//! it.
//!
//! A unit of work that fails notes the fault here; nothing here clears it but [`OutageMonitor::clear`],
//! which is called once a real write has succeeded. See [`crate::app`] for the part that tries.

use tokio::sync::watch;

/// Why the database takes no work, in classes that differ in what their owner has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room on the disk.
    Full,
    /// Somebody else keeps the write lock.
    Locked,
    /// A page is not what SQLite wrote.
    Damaged,
    /// The disk does not read or write.
    Disk,
    /// We may not write the file.
    ReadOnly,
    /// A file of the database cannot be opened or looked at.
    Unopened,
    /// No memory.
    Memory,
    /// No answer in time.
    Silent,
    /// Anything else that has nothing to do with what was to be written.
    Refused,
    /// The file that is open is not the one at its path: what is written into it is lost.
    Displaced(Displaced),
}

impl Fault {
    /// The fault behind an error; `None` when what was asked for is to blame, or nothing is wrong.
    pub(super) fn from_error(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse().ok());
                code.map_or(Some(Self::Refused), Self::from_code)
            }
            sqlx::Error::PoolTimedOut => Some(Self::Silent),
            sqlx::Error::Io(_) => Some(Self::Disk),
            sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => Some(Self::Refused),
            // Rows that cannot be read as what we wrote are `Corrupt`; a closed pool belongs to a
            // stop.
            _ => None,
        }
    }

    /// By SQLite's extended result code; the low byte is the class. See
    /// <https://sqlite.org/rescode.html>.
    fn from_code(code: i32) -> Option<Self> {
        const READONLY_DBMOVED: i32 = 1_032;
        const IOERR_NOMEM: i32 = 3_082;
        match (code, code & 0xff) {
            (READONLY_DBMOVED, _) => Some(Self::Displaced(Displaced::Replaced)),
            (IOERR_NOMEM, _) | (_, 7) => Some(Self::Memory),
            // PERM, READONLY.
            (_, 3 | 8) => Some(Self::ReadOnly),
            // BUSY, LOCKED, PROTOCOL.
            (_, 5 | 6 | 15) => Some(Self::Locked),
            (_, 10) => Some(Self::Disk),
            // CORRUPT, NOTADB.
            (_, 11 | 26) => Some(Self::Damaged),
            (_, 13) => Some(Self::Full),
            (_, 14) => Some(Self::Unopened),
            // TOOBIG, CONSTRAINT, MISMATCH: the batch is to blame, another may well pass.
            (_, 18..=20) => None,
            _ => Some(Self::Refused),
        }
    }

    /// Whether only a new start, on the right file, ends it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Displaced(_))
    }

    /// Which of two is told when both are there.
    fn weight(self) -> u8 {
        match self {
            Self::Displaced(_) => 2,
            Self::Damaged => 1,
            _ => 0,
        }
    }

    /// What is wrong and what to do, for the owner.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Full => {
                "the disk is full: free some room; webhooks are taken again seconds later, without a restart"
            }
            Self::Locked => {
                "another program keeps the file locked: end it (`lsof` with the file's path shows which)"
            }
            Self::Damaged => {
                "the file is damaged: stop the service and restore a backup; nothing written from now on is safe"
            }
            Self::Disk => {
                "the disk does not read or write: look at the system's log, and have a backup at hand"
            }
            Self::ReadOnly => {
                "the file cannot be written: check its owner, its mode, and whether its file system is read-only"
            }
            Self::Unopened => {
                "a file of the database cannot be opened: check the mode of its folder and the limit of open files"
            }
            Self::Memory => "there is no memory left for it: give the service more",
            Self::Silent => "it does not answer in time: look at the load of its disk",
            Self::Refused => "it refuses what it is asked: `replyd doctor` looks at the file",
            Self::Displaced(displaced) => displaced.sentence(),
        }
    }
}

/// How a file is not where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Displaced {
    /// There is nothing at the path.
    Gone,
    /// There is another file at the path.
    Replaced,
    /// The file was cut down to nothing.
    Emptied,
    /// The write-ahead log beside it was deleted or replaced.
    LogLost,
}

impl Displaced {
    /// What is wrong and what to do, for the owner.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Gone => {
                "its file was deleted or moved while the service ran: put it back, or restore a backup, and start again"
            }
            Self::Replaced => {
                "its file was replaced while the service ran: make sure the right one is there, and start again"
            }
            Self::Emptied => {
                "its file was emptied while the service ran: restore a backup, and start again"
            }
            Self::LogLost => {
                "its `-wal` file was deleted or replaced while the service ran: run `replyd doctor`, and start again"
            }
        }
    }
}

/// A fault that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The heaviest one so far.
    pub fault: Fault,
    /// How many units of work have failed since it began.
    pub failures: u64,
}

/// The trouble there is, seen by everybody who has the store.
#[derive(Debug)]
pub(super) struct OutageMonitor(watch::Sender<Option<Outage>>);

impl Default for OutageMonitor {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl OutageMonitor {
    /// A unit of work failed by this fault. Only a fault that was not known wakes who waits.
    pub(super) fn note(&self, fault: Fault) {
        self.0.send_if_modified(|trouble| match trouble {
            None => {
                let failures = 1;
                *trouble = Some(Outage { fault, failures });
                true
            }
            Some(known) => {
                known.failures += 1;
                let is_news = known.fault != fault && fault.weight() >= known.fault.weight();
                if is_news {
                    known.fault = fault;
                }
                is_news
            }
        });
    }

    /// Notes the fault behind an error, if there is one.
    pub(super) fn note_error(&self, error: &sqlx::Error) {
        if let Some(fault) = Fault::from_error(error) {
            self.note(fault);
        }
    }

    pub(super) fn now(&self) -> Option<Outage> {
        *self.0.borrow()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Outage>> {
        self.0.subscribe()
    }

    /// Ends a trouble, unless it has grown since it was looked at.
    pub(super) fn clear(&self, seen: Outage) -> Cleared {
        let ended = self.0.send_if_modified(|trouble| {
            let is_over = *trouble == Some(seen);
            if is_over {
                *trouble = None;
            }
            is_over
        });
        if ended { Cleared::Yes } else { Cleared::No }
    }
}

/// Whether a trouble is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// Nothing has failed since.
    Yes,
    /// It goes on.
    No,
}

#[cfg(test)]
mod tests {
    use super::{Cleared, Displaced, Fault, OutageMonitor};

    #[test]
    fn each_class_of_results_is_a_fault_or_the_fault_of_a_batch() {
        let cases = [
            (1, Some(Fault::Refused)),
            (5, Some(Fault::Locked)),
            (261, Some(Fault::Locked)),
            (7, Some(Fault::Memory)),
            (8, Some(Fault::ReadOnly)),
            (1_032, Some(Fault::Displaced(Displaced::Replaced))),
            (9, Some(Fault::Refused)),
            (778, Some(Fault::Disk)),
            (3_082, Some(Fault::Memory)),
            (11, Some(Fault::Damaged)),
            (26, Some(Fault::Damaged)),
            (13, Some(Fault::Full)),
            (14, Some(Fault::Unopened)),
            (18, None),
            (19, None),
            (2_067, None),
        ];
        for (code, fault) in cases {
            assert_eq!(Fault::from_code(code), fault, "{code}");
        }
    }

    #[test]
    fn a_trouble_ends_only_when_nothing_failed_since_it_was_checked() {
        let watch = OutageMonitor::default();
        watch.note(Fault::Full);
        let seen = watch.now().unwrap();
        watch.note(Fault::Full);

        assert_eq!(watch.clear(seen), Cleared::No);
        assert_eq!(watch.clear(watch.now().unwrap()), Cleared::Yes);
        assert_eq!(watch.now(), None);
    }

    #[test]
    fn a_heavier_fault_is_not_hidden_by_a_lighter_one() {
        let watch = OutageMonitor::default();
        for fault in [Fault::Damaged, Fault::Locked] {
            watch.note(fault);
        }
        assert_eq!(watch.now().unwrap().fault, Fault::Damaged);

        watch.note(Fault::Displaced(Displaced::Gone));
        watch.note(Fault::Damaged);

        let trouble = watch.now().unwrap();
        assert_eq!(trouble.fault, Fault::Displaced(Displaced::Gone));
        assert_eq!(trouble.failures, 4);
    }
}
