//! Environment of templates: minijinja with the filters that make sense in a message, and nothing
//! that reads files or other templates.

use std::fmt::Write as _;

use minijinja::{Environment, Output, UndefinedBehavior, tests};

use super::words::words;

/// Number of instructions that a text may take; a short loop takes some hundred.
const FUEL: u64 = 20_000;

/// Filters of [`environment`], for suggestions.
pub(crate) const FILTERS: &str = "default upper lower title capitalize trim replace length int \
    float round join first last truncate date weekday weekday_name time number money plural";
/// Tests of [`environment`], for suggestions.
pub(crate) const TESTS: &str = "defined undefined";

/// Makes an engine without a template in it.
pub(crate) fn environment() -> Environment<'static> {
    let mut engine = Environment::empty();
    // A message has no `order` as a rule: its `order.text` is empty then, not an error.
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_fuel(Some(FUEL));
    engine.set_debug(true); // errors carry their place
    engine.set_formatter(|out, _, value| Ok(out.write_str(&words(value))?));
    super::filters::add_to(&mut engine);
    engine.add_test("defined", tests::is_defined);
    engine.add_test("undefined", tests::is_undefined);
    engine
}

/// Makes an engine for addresses: every value is escaped.
pub(crate) fn for_urls() -> Environment<'static> {
    let mut engine = environment();
    engine.set_formatter(|out, _, value| {
        let words = words(value);
        // Only the filter `address` marks a value so.
        let stays: fn(u8) -> bool = if value.is_safe() {
            |byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
        } else {
            |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
        };
        Ok(write_escaped(out, &words, stays)?)
    });
    engine
}

fn write_escaped(out: &mut Output<'_>, text: &str, stays: fn(u8) -> bool) -> std::fmt::Result {
    for byte in text.bytes() {
        if stays(byte) {
            out.write_char(char::from(byte))?;
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(())
}
