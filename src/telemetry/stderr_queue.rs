//! Queue to standard error: a writer never waits for its reader and never fails.
//!
//! A separate thread writes; lines that cannot be written, or find the queue full, are lost and
//! counted. The queue of `tracing-appender` reports a missed end with `eprintln!`, which blocks at
//! a pipe without a reader, and does not count lines that could not be written.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for a slow reader, beside the 64 KiB of a pipe; about a megabyte.
const WAITING_LINES: usize = 4_096;
/// Time for which the end of the process waits for the last lines.
const LAST_LINES_WAIT: Duration = Duration::from_secs(1);

/// Number of lost lines; static, because standard error belongs to the process.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Number of lines lost since the start.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Queue of lines to standard error. Dropping it waits for them within bounds.
#[derive(Debug)]
pub struct StderrQueue(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    /// Notified when a line was added or taken.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    /// Whether the thread is writing a line.
    is_writing: bool,
}

impl StderrQueue {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn to_stderr() -> io::Result<Self> {
        Self::to(io::stderr())
    }

    fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let lines = Self(Arc::clone(&queue));
        thread::Builder::new()
            .name("log lines".to_owned())
            .spawn(move || queue.write_all(out))?;
        Ok(lines)
    }

    /// Adds a text behind all others.
    pub fn push(&self, text: String) {
        self.0.push(text.into_bytes());
    }

    pub(super) fn writer(&self) -> LineWriter {
        LineWriter(Arc::clone(&self.0))
    }
}

impl Drop for StderrQueue {
    fn drop(&mut self) {
        let under_way = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        let state = self.0.state();
        // The rest is lost with the process.
        drop(
            self.0
                .changed
                .wait_timeout_while(state, LAST_LINES_WAIT, under_way),
        );
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Vec<u8>) {
        let mut state = self.state();
        if state.waiting.len() < WAITING_LINES {
            state.waiting.push_back(line);
            self.changed.notify_all();
        } else {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write_all(&self, mut out: impl Write) {
        loop {
            let line = self.next();
            let written = out.write_all(&line).and_then(|()| out.flush());
            if written.is_err() {
                LOST.fetch_add(1, Ordering::Relaxed);
            }
            self.state().is_writing = false;
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut state = self.state();
        loop {
            if let Some(line) = state.waiting.pop_front() {
                state.is_writing = true;
                return line;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Writer for `tracing`: each write is a whole line, and none fails.
#[derive(Clone, Debug)]
pub(super) struct LineWriter(Arc<Queue>);

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line.to_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LineWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Writer that takes a line when the test allows it.
    struct Gate(Receiver<()>, SyncSender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let open = self.0.recv();
            open.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let _ = self.1.send(line.to_owned());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stands_still_costs_lines_and_nobody_waits() {
        let (open, opened) = sync_channel(WAITING_LINES + 2);
        let (taken, lines_taken) = sync_channel(WAITING_LINES + 2);
        let lines = StderrQueue::to(Gate(opened, taken)).unwrap();
        let before = lost();

        lines.push("in hand".to_owned());
        while !lines.0.state().is_writing {
            thread::yield_now();
        }
        for number in 0..WAITING_LINES + 7 {
            lines.push(number.to_string());
        }

        assert_eq!(lost() - before, 7, "what found no room");
        for _ in 0..=WAITING_LINES {
            open.send(()).unwrap();
        }
        let written: Vec<Vec<u8>> = lines_taken.iter().take(WAITING_LINES + 1).collect();
        assert_eq!(written[0], b"in hand");
        assert_eq!(written[1], b"0");
        assert_eq!(
            written[WAITING_LINES],
            (WAITING_LINES - 1).to_string().as_bytes(),
            "in order, the newest were lost"
        );

        drop(open);
        lines.push("nobody takes this one".to_owned());
        drop(lines);
        assert_eq!(lost() - before, 8, "what could not be written");
    }
}
