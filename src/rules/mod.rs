//! The rule language: TOML in, a [`RuleSet`] or a list of diagnostics out.
//!
//! Pure: the caller reads files. `file` knows the shape of the text with its positions, [`compile()`] turns it into a
//! [`RuleSet`] and reports every problem at once, [`render`] shows them. A [`RuleSet`] is made of conditions
//! ([`condition`]), which look at folded text ([`normalise`]), and of replies, whose texts are templates
//! ([`template`]) over what is known of a message ([`variables`]). Next on the way of a message: [`crate::turn`].

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
pub mod variables;

pub use compile::{Compiled, compile, compile_reply};
pub use diagnostic::{Colour, Diagnostic, Related, Severity, render};
pub use set::{Bot, Condition, REPLIES_MAX, ReplyBudget, ReplyTemplate, Rule, RuleSet};
