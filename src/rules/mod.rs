//! The rule language: TOML in, a [`RuleSet`] or a list of diagnostics out.
//!
//! Pure: the caller reads files into [`Sources`]. `file` knows the shape of the text with its positions, [`compile()`]
//! turns it into a [`RuleSet`] and reports every problem at once, [`render`] shows them. A [`RuleSet`] is made of
//! conditions ([`condition`], found through an [`index`]), which look at folded text ([`normalise`]), and of answers,
//! whose texts are templates ([`template`]) over what is known of a message ([`variables`]). Next on the way of a
//! message: [`crate::turn`].

pub mod codes;
mod compile;
pub mod condition;
mod diagnostic;
mod duration;
mod file;
mod fill;
pub mod index;
mod literal;
pub mod locale;
pub mod normalise;
pub mod schedule;
mod schema;
mod set;
mod sources;
pub(crate) mod suggest;
pub mod tap;
pub mod template;
pub mod typo;
pub mod variables;

pub use compile::{Beside, Compiled, compile, compile_reply, includes};
pub use diagnostic::{Colour, Diagnostic, Related, Severity, render};
pub use schema::schema;
pub use set::{
    Accept, ActionTemplate, Answer, Body, Bot, Branch, Budget, ButtonPattern, Choice, Condition,
    Effects, Example, Flow, HttpTemplate, Line, LineEvent, ModelTemplate, REPLIES_MAX,
    ReplyTemplate, Rule, RuleSet, Sent, Step, Target, Test, Words,
};
pub use sources::{Include, LeftOut, Sources};
