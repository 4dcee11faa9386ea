//! The rule language: TOML in, a [`RuleSet`] or a list of diagnostics out.
//!
//! Pure: the caller reads files. `file` knows the shape of the text with its positions, [`compile()`] turns it into a
//! [`RuleSet`] and reports every problem at once, [`render`] shows them. A [`RuleSet`] is made of conditions
//! ([`condition`]), which look at folded text ([`normalise`]), and of replies, whose texts are templates
//! ([`template`]). Next on the way of a message: [`crate::turn`].

pub mod codes;
mod compile;
pub mod condition;
mod diagnostic;
mod file;
mod fill;
mod literal;
pub mod normalise;
mod set;
pub(crate) mod suggest;
pub mod template;

pub use compile::{Compiled, compile};
pub use diagnostic::{Colour, Diagnostic, Related, Severity, render};
pub use set::{
    Bot, ButtonTemplate, Condition, HeaderTemplate, MediaTemplate, REPLIES_MAX, ReplyBudget,
    ReplyTemplate, RowTemplate, Rule, RuleSet, SectionTemplate,
};
