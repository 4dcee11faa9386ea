//! The compiled rules, which [`crate::engine`] runs.
//!
//! Made by [`crate::rules::compile()`] from rules files without errors, so everything in here is
//! already within WhatsApp's limits as far as that can be known without a conversation. What a rule
//! does is in `answer`, flows are in `flow`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::flow::Flow;
use super::opening_hours::Schedule;
use super::rule::{Bot, Rule, Words};
use super::test_case::Test;
use crate::message::RulesVersion;

/// The most messages that one rule, and one turn, sends: more at once reads like an attack, and
/// WhatsApp slows down who sends many messages to one person.
pub const REPLIES_MAX: usize = 5;

/// Everything one rules file (with its includes) says.
#[derive(Debug)]
pub struct RuleSet {
    /// Hash of `source`.
    pub version: RulesVersion,
    /// The full text of every file, each under a line with its name: what `rules_versions` keeps.
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
    /// `[[test]]`, in order.
    pub tests: Vec<Test>,
    /// The place of each rule, by its id.
    pub places: HashMap<String, usize>,
}

impl RuleSet {
    /// Finds a rule.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(*self.places.get(id)?)
    }
}
