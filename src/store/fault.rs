//! Faults that keep the database from accepting work, and their report to waiting tasks.
//!
//! A unit of work that fails records the fault here. Only [`OutageMonitor::clear`] removes it, once
//! a real write has succeeded: see [`crate::app`].

use tokio::sync::watch;

/// Reason why the database accepts no work, in classes that need different actions of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full.
    Full,
    /// Another process holds the write lock.
    Locked,
    /// A page differs from what SQLite wrote.
    Damaged,
    /// The disk fails to read or write.
    Disk,
    /// The file is read-only for this process.
    ReadOnly,
    /// A file of the database cannot be opened, or its metadata not read.
    Unopened,
    /// There is no memory left.
    Memory,
    /// The database does not respond in time.
    Silent,
    /// Any other failure that does not depend on the data to write.
    Refused,
    /// The open file is not the one at its path: writes into it are lost.
    Displaced(Displaced),
}

impl Fault {
    /// Fault behind an error; `None` if the request is to blame or nothing is wrong.
    pub(super) fn from_error(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse().ok());
                code.map_or(Some(Self::Refused), Self::from_code)
            }
            sqlx::Error::PoolTimedOut => Some(Self::Silent),
            sqlx::Error::Io(_) => Some(Self::Disk),
            sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => Some(Self::Refused),
            // Unexpected rows are `Corrupt`; a closed pool belongs to a stop.
            _ => None,
        }
    }

    /// Classifies SQLite's extended result code, whose low byte is the class. See
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
            // TOOBIG, CONSTRAINT, MISMATCH: the batch is to blame, another one may pass.
            (_, 18..=20) => None,
            _ => Some(Self::Refused),
        }
    }

    /// Whether only a restart with the right file ends the fault.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Displaced(_))
    }

    /// Priority of the fault over others at the same time.
    fn weight(self) -> u8 {
        match self {
            Self::Displaced(_) => 2,
            Self::Damaged => 1,
            _ => 0,
        }
    }

    /// Explains the problem and its remedy to the operator.
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

/// Way in which the open file was displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Displaced {
    /// The path has no file.
    Gone,
    /// The path has another file.
    Replaced,
    /// The file was truncated to zero bytes.
    Emptied,
    /// The write-ahead log beside it was deleted or replaced.
    LogLost,
}

impl Displaced {
    /// Explains the problem and its remedy to the operator.
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
    /// Fault with the highest priority so far.
    pub fault: Fault,
    /// Number of units of work that have failed since the fault began.
    pub failures: u64,
}

/// Current outage, shared by all clones of the store.
#[derive(Debug)]
pub(super) struct OutageMonitor(watch::Sender<Option<Outage>>);

impl Default for OutageMonitor {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl OutageMonitor {
    /// Records that a unit of work failed by this fault. Only a new fault wakes subscribers.
    pub(super) fn record(&self, fault: Fault) {
        self.0.send_if_modified(|outage| match outage {
            None => {
                let failures = 1;
                *outage = Some(Outage { fault, failures });
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

    /// Records the fault behind an error, if there is one.
    pub(super) fn record_error(&self, error: &sqlx::Error) {
        if let Some(fault) = Fault::from_error(error) {
            self.record(fault);
        }
    }

    pub(super) fn now(&self) -> Option<Outage> {
        *self.0.borrow()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Outage>> {
        self.0.subscribe()
    }

    /// Ends an outage, unless it has changed since it was read.
    pub(super) fn clear(&self, seen: Outage) -> Cleared {
        let ended = self.0.send_if_modified(|outage| {
            let is_over = *outage == Some(seen);
            if is_over {
                *outage = None;
            }
            is_over
        });
        if ended { Cleared::Yes } else { Cleared::No }
    }
}

/// Result of an attempt to end an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// The outage has ended.
    Yes,
    /// The outage continues.
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
        watch.record(Fault::Full);
        let seen = watch.now().unwrap();
        watch.record(Fault::Full);

        assert_eq!(watch.clear(seen), Cleared::No);
        assert_eq!(watch.clear(watch.now().unwrap()), Cleared::Yes);
        assert_eq!(watch.now(), None);
    }

    #[test]
    fn a_heavier_fault_is_not_hidden_by_a_lighter_one() {
        let watch = OutageMonitor::default();
        for fault in [Fault::Damaged, Fault::Locked] {
            watch.record(fault);
        }
        assert_eq!(watch.now().unwrap().fault, Fault::Damaged);

        watch.record(Fault::Displaced(Displaced::Gone));
        watch.record(Fault::Damaged);

        let outage = watch.now().unwrap();
        assert_eq!(outage.fault, Fault::Displaced(Displaced::Gone));
        assert_eq!(outage.failures, 4);
    }
}
