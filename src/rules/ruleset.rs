//! The compiled rules, which [`crate::engine`] runs.
//!
//! Made by [`crate::rules::compile()`] from rules files without errors, so it is within WhatsApp's
//! limits as far as that can be known without a conversation. Answers are in `answer`, flows in
//! `flow`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::flow::Flow;
use super::opening_hours::Schedule;
use super::rule::{Bot, Rule, Words};
use super::test_case::Test;
use crate::message::{
    Contact, Outbound, RulesVersion, TemplateMessage, TemplateState, TemplateStates,
};

/// Maximum number of messages that one rule, and one turn, sends. More at once looks like an
/// attack, and WhatsApp throttles numbers that send many messages to one contact.
pub const REPLIES_MAX: usize = 5;

/// Content of one rules file with its includes.
#[derive(Debug)]
pub struct RuleSet {
    /// Hash of `source`.
    pub version: RulesVersion,
    /// Full text of every file, each under a line with its name, as stored in `rules_versions`.
    pub source: Arc<str>,
    /// `[bot]`.
    pub bot: Bot,
    /// `[hours]`.
    pub hours: Option<Arc<Schedule>>,
    /// `[opt_out]`.
    pub opt_out: Option<Words>,
    /// `[opt_in]`.
    pub opt_in: Option<Words>,
    /// In reading order: those of included files first.
    pub rules: Vec<Rule>,
    /// By name.
    pub flows: BTreeMap<String, Flow>,
    /// Present states of the known message templates.
    pub templates: TemplateStates,
    /// `[[test]]`, in order.
    pub tests: Vec<Test>,
    /// The place of each rule, by its id.
    pub places: HashMap<String, usize>,
}

impl RuleSet {
    /// Reason why a message must not go to a contact at present, as far as that is known: Meta has
    /// stopped its template, or the template is marketing and the contact wants none.
    #[must_use]
    pub fn why_unsendable(&self, content: &Outbound, contact: &Contact) -> Option<String> {
        let (template, state) = self.state_of(content)?;
        let name = &template.name;
        if state.is_stopped() {
            return Some(format!("the template `{name}` is {}", state.status));
        }
        (state.is_marketing() && contact.refuses_marketing).then(|| {
            format!("the template `{name}` is marketing, which the contact has stopped (131050)")
        })
    }

    /// Whether a message is a marketing template, as far as that is known.
    #[must_use]
    pub fn is_marketing(&self, content: &Outbound) -> bool {
        let state = self.state_of(content);
        state.is_some_and(|(_, state)| state.is_marketing())
    }

    fn state_of<'o>(
        &self,
        content: &'o Outbound,
    ) -> Option<(&'o TemplateMessage<String>, &TemplateState)> {
        let Outbound::Template(template) = content else {
            return None;
        };
        let state = self.templates.get(&template.name, &template.language)?;
        Some((template, state))
    }

    /// Finds a rule.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(*self.places.get(id)?)
    }
}
