//! TCP connection that closes on slow clients.
//!
//! hyper has one timer for "from the end of the last request to the end of the next header". This
//! type adds a short one for the header alone, and one for a client that does not read the
//! response. The handler that reads the body limits its time.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection_slots::ConnectionSlot;

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
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
