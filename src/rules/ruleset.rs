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
use crate::message::{Outbound, RulesVersion};

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
    /// Status of the known message templates that Meta does not send at present, by name and
    /// language.
    pub unsendable: BTreeMap<(String, String), String>,
    /// `[[test]]`, in order.
    pub tests: Vec<Test>,
    /// The place of each rule, by its id.
    pub places: HashMap<String, usize>,
}

impl RuleSet {
    /// Reason why Meta does not send a template at present, as far as that is known.
    #[must_use]
    pub fn why_unsendable(&self, content: &Outbound) -> Option<String> {
        let Outbound::Template(template) = content else {
            return None;
        };
        let key = (template.name.clone(), template.language.clone());
        let status = self.unsendable.get(&key)?;
        Some(format!("the template `{}` is {status}", template.name))
    }

    /// Finds a rule.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(*self.places.get(id)?)
    }
}
