//! The rule language: TOML in, a [`RuleSet`] or a list of diagnostics out.
//!
//! Pure: the caller reads files into `SourceMap`. `file` knows the shape of the text with its
//! positions, [`compile()`] turns it into a [`RuleSet`] and reports every problem at once, `render`
//! shows them. A [`RuleSet`] is made of conditions (`condition`, found through an `index`), which
//! look at folded text (`normalize`), and of answers, whose texts are templates (`template`) over
//! what is known of a message (`variables`). Next on the way of a message: [`crate::engine`].

pub mod answer;
pub mod button_id;
mod compile;
pub mod flow;
mod lint;
pub mod opening_hours;
pub(crate) mod rule;
pub(crate) mod ruleset;
mod schema;
pub mod test_case;

pub use answer::{
    ActionTemplate, Answer, Body, Effects, HttpTemplate, ModelTemplate, ReplyTemplate,
};
pub use compile::{CompileInput, Compiled, compile, compile_reply, includes};
pub use flow::{Accept, Branch, Choice, Flow, Step, Target};
pub use rule::{Bot, Budget, ButtonPattern, Condition, Example, OptOutScope, Rule, Words};
pub use ruleset::{REPLIES_MAX, RuleSet};
pub use schema::schema;
pub use test_case::{Line, LineEvent, Sent, Test};
