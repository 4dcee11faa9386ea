//! TCP connection that closes on slow clients.
//!
//! hyper has one timer for "from the end of the last request to the end of the next header". This
//! type adds a short one for the header alone, and one for a client that does not read the
//! response. The handler that reads the body limits its time. At the end of a connection it reads
//! on for a short time: closing while a client still writes would reset the connection, and the
//! client would see a broken pipe in place of the response that refused its body.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection_slots::ConnectionSlot;

/// Bytes that are read and dropped after the last response.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Time for which they are read.
const LINGER_MAX: Duration = Duration::from_secs(2);
/// Pause of the client after which nothing more is expected.
const LINGER_PAUSE: Duration = Duration::from_millis(300);
/// Bytes dropped by one read.
const SCRATCH_BYTES: usize = 16 * 1024;

/// Connection with a timeout for each header and each write.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    slot: Arc<ConnectionSlot>,
    /// [`ConnectionSlot::turns`] at the last read.
    seen: usize,
    header_timeout: Duration,
    write_timeout: Duration,
    /// Time by which the current header must be complete.
    header_due: Option<Instant>,
    /// Armed only when a header arrives in several pieces.
    header_timer: Option<Pin<Box<Sleep>>>,
    write_timer: Option<Pin<Box<Sleep>>>,
    /// Set after our last byte.
    linger: Option<Linger>,
}

/// Reading on after the last response.
#[derive(Debug)]
struct Linger {
    due: Instant,
    bytes_left: usize,
    /// Ends the wait for the client's next byte.
    pause: Pin<Box<Sleep>>,
}

impl Linger {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            due: now + LINGER_MAX,
            bytes_left: LINGER_BYTES_MAX,
            pause: Box::pin(sleep_until(now + LINGER_PAUSE)),
        }
    }

    /// Drops bytes until the client ends, pauses, or a bound is reached.
    fn poll_drain(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; SCRATCH_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = Pin::new(&mut *stream).poll_read(context, &mut buffer);
            let count = buffer.filled().len();
            match read {
                Poll::Ready(Ok(())) if count > 0 => {
                    let now = Instant::now();
                    self.bytes_left = self.bytes_left.saturating_sub(count);
                    if self.bytes_left == 0 || now >= self.due {
                        return Poll::Ready(());
                    }
                    let pause = self.due.min(now + LINGER_PAUSE);
                    self.pause.as_mut().reset(pause);
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.pause.as_mut().poll(context),
            }
        }
    }
}

impl Connection {
    /// Starts with the timeout of the first header: no client needs to connect before it has a
    /// request.
    pub(super) fn new(
        stream: TcpStream,
        slot: Arc<ConnectionSlot>,
        header_timeout: Duration,
        write_timeout: Duration,
    ) -> Self {
        Self {
            stream,
            seen: slot.turns(),
            slot,
            header_timeout,
            write_timeout,
            header_due: Some(Instant::now() + header_timeout),
            header_timer: None,
            write_timer: None,
            linger: None,
        }
    }

    /// Limits the time of a write that waits for the client.
    fn bound_write<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let due = Instant::now() + self.write_timeout;
        let timer = self
            .write_timer
            .get_or_insert_with(|| Box::pin(sleep_until(due)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let turns = this.slot.turns();
        if turns != this.seen {
            this.seen = turns;
            this.header_due = None;
            this.header_timer = None;
        }
        let between_requests = turns.is_multiple_of(2);
        let filled = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        match read {
            Poll::Ready(Ok(())) if between_requests && buffer.filled().len() > filled => {
                let now = Instant::now();
                let due = *this.header_due.get_or_insert(now + this.header_timeout);
                // A client that always has another byte ready never reaches the timer.
                if now > due {
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
            }
            Poll::Pending => {
                if let Some(due) = this.header_due {
                    let timer = this
                        .header_timer
                        .get_or_insert_with(|| Box::pin(sleep_until(due)));
                    ready!(timer.as_mut().poll(context));
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
            }
            Poll::Ready(_) => {}
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bound_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.bound_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when it has nothing left to write.
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = flushed {
            self.slot.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let linger = this.linger.get_or_insert_with(Linger::new);
        linger.poll_drain(&mut this.stream, context).map(Ok)
    }
}
