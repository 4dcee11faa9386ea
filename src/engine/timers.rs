//! What is due: a debounce that has ended, a flow that got no answer, a reply that was to come
//! later.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    ConversationEventKind, Decision, Explanation, LateDecision, Trigger, TriggerKind, TurnContext,
    Verdict, signed,
};
use crate::engine::matching::evaluate::rough;
use crate::message::{Content, ContextInfo, Forwarded, Inbound, ScheduledReply, Wamid};

impl TurnContext<'_> {
    /// Does the one thing that has waited longest.
    pub(crate) fn timer(&mut self) {
        let now = self.now;
        self.turn.decision = Decision::Silent;
        let state = &self.turn.state;
        let debounce = state.debounce.as_ref().map(|debounce| debounce.due);
        let run = state.run.as_ref().and_then(|run| run.due);
        let scheduled = state.scheduled.iter().map(|scheduled| scheduled.due).min();
        let first = [debounce, run, scheduled].into_iter().flatten().min();
        let Some(at) = first.filter(|at| *at <= now) else {
            return;
        };
        if debounce == Some(at) {
            self.end_burst();
        } else if run == Some(at) {
            self.flow_timeout();
        } else {
            let state = &mut self.turn.state;
            if let Some(index) = state
                .scheduled
                .iter()
                .position(|scheduled| scheduled.due == at)
            {
                let scheduled = state.scheduled.remove(index);
                self.say_later(&scheduled);
            }
        }
    }

    /// Answers the texts that were waiting, as one. Their last message gets the decision.
    pub(crate) fn end_burst(&mut self) {
        let Some(debounce) = self.turn.state.debounce.take() else {
            return;
        };
        let mut waited: Vec<Wamid> = debounce
            .messages
            .iter()
            .map(|one| one.wamid.clone())
            .collect();
        waited.pop();
        let Some(message) = joined(debounce.messages) else {
            return;
        };
        // Rules see the person as before the first of the texts: each of them was written down when
        // it came.
        let first_contact = std::mem::replace(&mut self.first_contact, debounce.first_contact);
        let last_inbound_at = std::mem::replace(
            &mut self.turn.state.last_inbound_at,
            debounce.last_inbound_at,
        );
        if let Some((decision, note)) = self.burst_stopped(debounce.due) {
            self.turn.decision = decision;
            self.turn.explanation.note = Some(note.to_owned());
        } else {
            self.turn.decision = Decision::NoMatch;
            self.decide(&message);
        }
        for earlier in waited {
            let note = "it was answered together with what came after it".to_owned();
            self.turn.late_decisions.push(LateDecision {
                message: earlier,
                decision: self.turn.decision,
                explanation: Explanation {
                    note: Some(note),
                    ..Explanation::default()
                },
            });
        }
        self.first_contact = first_contact;
        self.turn.state.last_inbound_at = last_inbound_at;
        self.conclude_message(message.wamid);
    }

    /// Why texts that waited are not answered any more.
    fn burst_stopped(&self, due: Timestamp) -> Option<(Decision, &'static str)> {
        let state = &self.turn.state;
        let late = self.now.duration_since(due) > signed(self.rules.bot.max_age);
        if state.opted_out_at.is_some() {
            Some((Decision::OptedOut, "the person wants nothing from us"))
        } else if state.handoff_until.is_some() {
            Some((Decision::HandedOff, "a colleague answers here now"))
        } else if late {
            Some((Decision::TooOld, "it waited longer than `max_age`"))
        } else {
            None
        }
    }

    /// A flow whose time was over before a message was written ends first, whether or not anybody
    /// woke up for it.
    pub(crate) fn end_overdue_flow(&mut self, message: &Inbound) {
        let run = self.turn.state.run.as_ref();
        if run
            .and_then(|run| run.due)
            .is_some_and(|due| due < message.sent_at)
        {
            self.flow_timeout();
        }
    }

    /// What was decided so far is about a message that had waited, not about the one that is taken
    /// now.
    pub(crate) fn conclude_message(&mut self, message: Wamid) {
        let decision = std::mem::replace(&mut self.turn.decision, Decision::Silent);
        let explanation = std::mem::take(&mut self.turn.explanation);
        self.turn.late_decisions.push(LateDecision {
            message,
            decision,
            explanation,
        });
    }

    fn flow_timeout(&mut self) {
        let Some(frame) = self.outermost() else {
            return;
        };
        let timeout = self.timeout();
        self.turn.state.run = None;
        let rules = self.rules;
        let Some(flow) = rules.flows.get(&frame.flow) else {
            return;
        };
        let waited = timeout.map_or_else(String::new, |timeout| {
            format!(" within {}", rough(signed(timeout)))
        });
        let text = format!("the flow `{}` got no answer{waited}", frame.flow);
        self.turn.explanation.note = Some(text.clone());
        self.note(ConversationEventKind::FlowTimeout, text);
        let (message, captures) = (self.stand_in(), BTreeMap::new());
        let trigger = Trigger {
            message: &message,
            captures: &captures,
            kind: TriggerKind::Timer,
        };
        let source = super::flow::source(&frame.flow, "on_timeout");
        self.ends_with(&source, &flow.on_timeout, trigger, frame.answers);
    }

    fn say_later(&mut self, scheduled: &ScheduledReply) {
        let rules = self.rules;
        let Some(rule) = rules.rule(scheduled.rule.as_str()) else {
            let text = format!("the rules have no rule `{}` any more", scheduled.rule);
            self.note(ConversationEventKind::NotSent, text);
            return;
        };
        if self.turn.state.handoff_until.is_some() {
            let text = format!("a colleague answers here now, so `{}` is quiet", rule.id);
            self.note(ConversationEventKind::NotSent, text);
            return;
        }
        let because = "its time has come, and the person did not write".to_owned();
        self.turn.explanation.tell(rule, Verdict::Matched, because);
        let trigger = Trigger {
            message: &scheduled.message,
            captures: &scheduled.captures,
            kind: TriggerKind::Message,
        };
        let used = self.answer(&rule.id, &rule.answer, trigger, BTreeMap::new());
        // Only what was said counts for `once`: a reminder that was called off was not.
        self.conclude(rule.id.as_str(), used, rule.once.is_some().then_some(rule));
    }

    /// Stands for the message where there is none.
    fn stand_in(&self) -> Inbound {
        let kind = Content::Other {
            kind: "timer".to_owned(),
        };
        Inbound::new(
            self.number.clone(),
            Wamid::parse("timer").expect("it is not empty"),
            self.contact.identity.clone(),
            self.now,
            kind,
        )
    }
}

/// One message that says what several said. Only one of them tells of the ad that led here, or
/// quotes something: what it tells is true of all.
fn joined(messages: Vec<Inbound>) -> Option<Inbound> {
    let texts: Vec<String> = messages
        .iter()
        .filter_map(|message| message.content.words().map(str::to_owned))
        .collect();
    let ad = messages.iter().find_map(|message| message.ad.clone());
    let contexts = || messages.iter().map(|message| &message.context);
    let context = ContextInfo {
        quoted: contexts().find_map(|context| context.quoted.clone()),
        forwarded: contexts()
            .map(|context| context.forwarded)
            .find(|forwarded| *forwarded != Forwarded::No)
            .unwrap_or_default(),
        product: contexts().find_map(|context| context.product.clone()),
    };
    let last = messages.into_iter().last()?;
    Some(Inbound {
        content: Content::Text {
            body: texts.join("\n"),
        },
        context,
        ad,
        ..last
    })
}
