//! The decision on one event: pure, deterministic, explained.
//!
//! [`Engine::decide`] is the only place where answers are decided; the service, the terminal chat,
//! `replyd test` and `replyd replay` all call it. It reads no clock and does no IO. A message
//! passes the guards, then a flow that is under way or the rules answer it; timers and results of
//! actions enter below the guards. Next on the way of a message: [`crate::store`], which calls it
//! inside the transaction that stores the message.

use jiff::Timestamp;

use super::action_result;
use super::context::{Trigger, TurnContext};
use super::event::EngineEvent;
use super::explanation::{CONSIDERED_MAX, Trace};
use super::failed_reply;
use super::flow::{self, FlowTurn};
use super::guards::{self, Guard, Stop};
use super::matching::index::Index;
use super::outcome::{Answered, Outcome, Resume};
use super::respond;
use super::select::{self, RuleFilter, Selection};
use super::timers::{self, Due};
use super::turn::{Decision, Turn};
use crate::message::{ActionResult, Conversation, Inbound, Kind};
use crate::rules::RuleSet;

/// Guards of a message, in the order in which they are asked.
const GUARDS: [Guard; 8] = [
    guards::from_itself,
    guards::unsupported,
    guards::opt_words,
    guards::too_old,
    guards::opted_out,
    guards::handed_off,
    guards::looping,
    guards::debounced,
];

/// Compiled rules with the index that finds them.
#[derive(Debug)]
pub struct Engine {
    rules: RuleSet,
    index: Index,
}

impl Engine {
    /// Builds the index of the rules.
    #[must_use]
    pub fn new(rules: RuleSet) -> Self {
        Self {
            index: Index::new(rules.rules.iter().map(|rule| &rule.when)),
            rules,
        }
    }

    /// The rules that answer.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Decides on one event. `now` is the time of the decision; nothing else is read, and the
    /// same arguments give the same turn.
    #[must_use]
    pub fn decide(
        &self,
        conversation: &Conversation,
        event: EngineEvent<'_>,
        now: Timestamp,
        trace: Trace,
    ) -> Turn {
        // An explanation has room for every rule of a small rule set.
        let is_small = self.rules.rules.len() <= CONSIDERED_MAX;
        let trace = match trace {
            Trace::Matched if is_small => Trace::Considered,
            trace => trace,
        };
        let rules = (&self.rules, &self.index);
        let mut ctx = TurnContext::new(rules, conversation, now, trace);
        ctx.drop_expired();
        // An opt-out at another number ends what is pending here too.
        if ctx.turn.state.opted_out_at.is_some() {
            ctx.turn.state.end_pending();
        }
        match event {
            EngineEvent::Message(message) => decide_message(&mut ctx, message),
            EngineEvent::Echo(echo) => guards::echo(&mut ctx, echo),
            EngineEvent::Timer => decide_timer(&mut ctx),
            EngineEvent::Action { number, outcome } => decide_action(&mut ctx, number, outcome),
            EngineEvent::FailedReply(failed) => failed_reply::replace(&mut ctx, failed),
        }
        ctx.turn
    }
}

fn decide_message(ctx: &mut TurnContext<'_>, message: &Inbound) {
    let kind = message.content.kind();
    let is_written = kind.is_some_and(|kind| !Kind::is_quiet(kind));
    if is_written {
        // A contact that writes needs no reminder.
        ctx.turn.state.scheduled.clear();
    }
    let before = select::state_for_rest(ctx);
    if let Some(stop) = GUARDS.iter().find_map(|guard| guard(ctx, message)) {
        if let Stop::Because(decision, note) = stop {
            ctx.stop(decision, note);
        }
        if let Some(before) = before {
            select::explain_rest(ctx, message, &before);
        }
    } else {
        if is_written {
            end_debounce(ctx);
            if timers::is_flow_overdue(ctx, message) {
                end_flow(ctx);
            }
            ctx.turn.decision = Decision::NoMatch;
        }
        answer(ctx, message);
        // There is nothing to read in a reaction and the like, and Graph refuses their mark.
        ctx.turn.mark_read = ctx.rules.bot.mark_read
            && is_written
            && matches!(
                ctx.turn.decision,
                Decision::Answered | Decision::Silent | Decision::NoMatch | Decision::Pending
            );
    }
    if is_written {
        ctx.turn.state.last_inbound_at = Some(ctx.now);
    }
}

fn decide_timer(ctx: &mut TurnContext<'_>) {
    ctx.turn.decision = Decision::Silent;
    match timers::next_due(ctx) {
        None => {}
        Some(Due::Debounce) => end_debounce(ctx),
        Some(Due::FlowTimeout) => end_flow(ctx),
        Some(Due::ScheduledReply(scheduled)) => {
            let trigger = Trigger::new(&scheduled.message, &scheduled.captures);
            if let Some(answered) = timers::send_scheduled(ctx, &scheduled, trigger) {
                conclude(ctx, answered, trigger);
            }
        }
    }
}

fn decide_action(ctx: &mut TurnContext<'_>, number: u64, result: &ActionResult) {
    ctx.turn.decision = Decision::Silent;
    let Some(pending) = action_result::take_pending(ctx, number) else {
        ctx.turn.explanation.note =
            Some("the conversation no longer waits for this result".to_owned());
        return;
    };
    let run = ctx.turn.state.run.clone();
    let trigger = Trigger::new(&pending.message, &pending.captures);
    if let Some(answered) = action_result::resume(ctx, &pending, result, trigger) {
        conclude(ctx, answered, trigger);
    }
    flow::ask_again(ctx, run.as_ref(), trigger);
    ctx.record_late_decision(pending.message.wamid);
}

/// Answers the debounced messages as one.
fn end_debounce(ctx: &mut TurnContext<'_>) {
    let Some(texts) = timers::take_debounced(ctx) else {
        return;
    };
    let now = (ctx.first_contact, ctx.turn.state.last_inbound_at);
    (ctx.first_contact, ctx.turn.state.last_inbound_at) =
        (texts.first_contact, texts.last_inbound_at);
    if let Some((decision, note)) = timers::debounced_stopped(ctx, texts.due) {
        ctx.stop(decision, note);
    } else {
        ctx.turn.decision = Decision::NoMatch;
        answer(ctx, &texts.message);
    }
    (ctx.first_contact, ctx.turn.state.last_inbound_at) = now;
    timers::record_debounced(ctx, texts.message.wamid, texts.earlier);
}

/// Ends a flow that got no answer in time.
fn end_flow(ctx: &mut TurnContext<'_>) {
    let stand_in = timers::stand_in(ctx);
    let trigger = Trigger::from_timer(&stand_in);
    if let Some(answered) = flow::time_out(ctx, trigger) {
        conclude(ctx, answered, trigger);
    }
}

/// Answers a message by the flow in progress, or else by the rules.
fn answer(ctx: &mut TurnContext<'_>, message: &Inbound) {
    let before = select::state_for_rest(ctx);
    if answer_in_flow(ctx, message) == Progress::Open {
        answer_by_rules(ctx, message, RuleFilter::All);
    }
    if let Some(before) = before {
        select::explain_rest(ctx, message, &before);
    }
}

/// Whether a message has been answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Answered,
    Open,
}

fn answer_in_flow(ctx: &mut TurnContext<'_>, message: &Inbound) -> Progress {
    let trigger = Trigger::from_message(message);
    let mut turn = flow::enter(ctx, trigger);
    if let FlowTurn::Interruptible(question) = turn {
        if answer_by_rules(ctx, message, question.filter) == Progress::Answered {
            flow::ask_again(ctx, Some(&question.run), trigger);
            return Progress::Answered;
        }
        turn = flow::take_message(ctx, &question, trigger);
    }
    match turn {
        FlowTurn::Answered(answered) => conclude(ctx, answered, trigger),
        FlowTurn::Ended => {}
        FlowTurn::NotConcerned | FlowTurn::Interruptible(_) => return Progress::Open,
    }
    Progress::Answered
}

fn answer_by_rules(ctx: &mut TurnContext<'_>, message: &Inbound, filter: RuleFilter) -> Progress {
    let state = ctx.turn.state.clone();
    let replies = ctx.turn.replies.len();
    let mut selection = Selection::new(ctx, message, &state, filter);
    while let Some((rule, captures)) = selection.next(ctx) {
        let trigger = Trigger::new(message, &captures);
        let mut answered = respond::respond_with_rule(ctx, rule, trigger);
        answered.outcome = start_flows(ctx, answered.outcome, trigger);
        let continues = rule.continues && answered.outcome.continues();
        ctx.record_outcome(answered);
        if !continues {
            return Progress::Answered;
        }
    }
    if let Some(rule) = selection.album
        && ctx.turn.decision == Decision::NoMatch
    {
        let note = format!("rule `{rule}` has answered the album that it belongs to");
        ctx.stop(Decision::Silent, note);
        return Progress::Answered;
    }
    if ctx.turn.replies.len() > replies {
        Progress::Answered
    } else {
        Progress::Open
    }
}

/// Starts the flow that an answer asks for, and records the outcome.
fn conclude<'a>(ctx: &mut TurnContext<'a>, mut answered: Answered<'a>, trigger: Trigger<'_>) {
    answered.outcome = start_flows(ctx, answered.outcome, trigger);
    ctx.record_outcome(answered);
}

/// Starts flows until none is left to start, and resumes each place that was left for one.
/// `STEPS_MAX` of `flow::advance` bounds the number of flows.
fn start_flows<'a>(
    ctx: &mut TurnContext<'a>,
    mut outcome: Outcome<'a>,
    trigger: Trigger<'_>,
) -> Outcome<'a> {
    let mut left: Vec<Resume<'a>> = Vec::new();
    loop {
        outcome = match outcome {
            Outcome::StartFlow(start) => {
                left.extend(start.resume.into_iter().rev());
                flow::start(ctx, start.flow, trigger)
            }
            outcome => match left.pop() {
                Some(Resume::Answer(attempt)) => respond::finish(ctx, *attempt, outcome, trigger),
                Some(resume) => flow::resume(ctx, resume, outcome, trigger),
                None => return outcome,
            },
        };
    }
}
