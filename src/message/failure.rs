//! Errors that end or delay an outbound message, as data: class, code and words.

/// Consequence of an error for the message, the number or the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Temporary fault: try again in seconds, later in minutes.
    Retry,
    /// As `Retry`, but with longer waits: the message itself may be the cause.
    RetryWide,
    /// As `RetryWide`, but only a few times: most often the message is the cause.
    RetryFew,
    /// Too many calls of the app or account: continue in minutes.
    RetrySlow,
    /// The business number must send more slowly, or pause.
    SlowNumber,
    /// Too many messages to one contact; other contacts are not affected.
    SlowPair,
    /// The contact's last message is more than 24 hours old: only templates may be sent.
    WindowClosed,
    /// Meta will never accept this message; another one may arrive.
    GiveUp,
    /// The contact's app may be unable to show this kind of message, or nothing reaches the
    /// contact.
    Undeliverable,
    /// Meta delivers nothing to this contact, or the contact wants nothing.
    Contact,
    /// Nothing can be sent until the owner repairs the account or the configuration; messages wait.
    Account,
}

impl ErrorClass {
    /// Every class with its name in logs, in the database and in `error_codes.txt`.
    pub const ALL: [(&'static str, Self); 11] = [
        ("retry", Self::Retry),
        ("retry_wide", Self::RetryWide),
        ("retry_few", Self::RetryFew),
        ("retry_slow", Self::RetrySlow),
        ("slow_number", Self::SlowNumber),
        ("slow_pair", Self::SlowPair),
        ("window_closed", Self::WindowClosed),
        ("give_up", Self::GiveUp),
        ("undeliverable", Self::Undeliverable),
        ("contact", Self::Contact),
        ("account", Self::Account),
    ];

    /// Name in logs and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn may_pass(self) -> bool {
        match self {
            Self::Retry
            | Self::RetryWide
            | Self::RetryFew
            | Self::RetrySlow
            | Self::SlowNumber
            | Self::SlowPair => true,
            Self::WindowClosed
            | Self::GiveUp
            | Self::Undeliverable
            | Self::Contact
            | Self::Account => false,
        }
    }

    /// Parses a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let class = Self::ALL.iter().find(|(known, _)| *known == name);
        class.map(|(_, class)| *class)
    }
}

/// Reason why a message that WhatsApp had accepted did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Graph's error code, if WhatsApp gave one.
    pub code: Option<i64>,
    /// Consequence of the error.
    pub class: ErrorClass,
    /// Code, meaning, Meta's explanation and the remedy, for the operator. Must not be logged.
    pub reason: String,
}
