//! The rule language: TOML in, a [`RuleSet`] or a list of diagnostics out.
//!
//! Pure: whoever has the text of a file calls [`compile()`], which reports every problem at once, and [`render`] shows
//! them. A [`RuleSet`] is made of conditions ([`condition`]), which look at folded text ([`normalise`]), and of
//! replies, whose texts are templates ([`template`]). Next on the way of a message: [`crate::turn`].

mod compile;
pub mod condition;
mod diagnostic;
mod fill;
pub mod normalise;
mod set;
pub mod template;

pub use compile::{Compiled, compile};
pub use diagnostic::{Colour, Diagnostic, render};
pub use set::{
    Bot, ButtonTemplate, Condition, HeaderTemplate, MediaTemplate, ReplyBudget, ReplyTemplate,
    RowTemplate, Rule, RuleSet, SectionTemplate,
};
