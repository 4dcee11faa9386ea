//! Events in a conversation beside its messages: rows of `conversation_events`.

/// Event in a conversation beside its messages: a row of `conversation_events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationEvent {
    /// Kind of event.
    pub kind: ConversationEventKind,
    /// Description for people.
    pub text: String,
}

/// Kind of a [`ConversationEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationEventKind {
    /// The contact opted out.
    OptedOut,
    /// The contact opted in again.
    OptedIn,
    /// A rule gave the conversation to a colleague.
    Handoff,
    /// The handoff is over; the bot answers again.
    HandoffOver,
    /// The contact's reply budget is used up.
    RateLimited,
    /// The same text was received too often.
    LoopDetected,
    /// A flow got no answer in time.
    FlowTimeout,
    /// The rules no longer have the step of a flow that is under way.
    FlowGone,
    /// An action failed.
    ActionFailed,
    /// A scheduled reply, or the `on_error` of a failed one, was not sent.
    NotSent,
    /// `on_error` was sent in place of a reply that failed.
    Replaced,
}

impl ConversationEventKind {
    /// Name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::OptedIn => "opted_in",
            Self::Handoff => "handoff",
            Self::HandoffOver => "handoff_over",
            Self::RateLimited => "rate_limited",
            Self::LoopDetected => "loop_detected",
            Self::FlowTimeout => "flow_timeout",
            Self::FlowGone => "flow_gone",
            Self::ActionFailed => "action_failed",
            Self::NotSent => "not_sent",
            Self::Replaced => "replaced",
        }
    }
}
