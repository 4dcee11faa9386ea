//! Ways a gateway misbehaves, planned by tests.

/// What happens to the next send. Faults are used up in the order they were scripted; read marks
/// use up none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused with this Graph code, and nothing is sent.
    Graph(i64),
    /// A proxy's 502 with a page instead of an answer; nothing is sent.
    BadGateway,
    /// The gateway's own 429 with `Retry-After` in seconds; nothing is sent.
    TooMany(u32),
    /// The message is sent, and the connection breaks before the answer.
    LostAnswer,
    /// The answer waits for [`Sandbox::release`](super::Sandbox::release); then the message is
    /// sent.
    Stall,
}
