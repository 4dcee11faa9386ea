//! Failures of a gateway that tests can script.

/// Failure of the next send. Each send consumes one fault, in the order they were scripted; read
/// marks consume none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refuses with this Graph code; nothing is sent.
    Graph(i64),
    /// Answers as a proxy does, with 502 and an HTML page; nothing is sent.
    BadGateway,
    /// Answers with the gateway's own 429 and `Retry-After` in seconds; nothing is sent.
    TooMany(u32),
    /// Sends the message, then breaks the connection before the response is complete.
    LostAnswer,
    /// Waits for [`Sandbox::release`](super::Sandbox::release), then sends the message.
    Stall,
}
