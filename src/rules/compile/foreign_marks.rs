//! Marks of other programs in texts to contacts: variables in single braces, Markdown, HTML. WhatsApp
//! shows them as they stand.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::{Reader, Text};
use crate::template::{Scope, meant, outside_blocks};

/// Variables as other programs write them.
static VARIABLES: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"\$?\{\s*(?<braces>\p{Alphabetic}[\w.]*(?: name)?)\s*\}",
        r"(?:^|[^\w%])(?<percent>%\p{Alphabetic}[\w.]*%)(?:[^\w%]|$)",
        r"\$(?<dollar>[a-z]+(?:\.[a-z_]+)+|name|first_?name)\b",
        r"[\[<](?<brackets>contact\.\w+|bot\.name|first_?name)[\]>]",
    ];
    Regex::new(&forms.join("|")).expect("it is a pattern")
});
/// Markdown, HTML, and a line end in single quotes, with what to write.
static MARKS: LazyLock<[(Regex, &'static str); 5]> = LazyLock::new(|| {
    let marks = [
        (
            r"\*\*[^*\s][^*\n]*\*\*",
            "one `*` on either side makes a text bold",
        ),
        (
            r"__[^_\s][^_\n]*__",
            "one `_` on either side makes a text italic",
        ),
        (
            r"\[[^\]\n]+\]\(https?://[^)\s]*\)",
            "write the address as it is: WhatsApp makes it a link",
        ),
        (
            r"(?i)</?(?:b|i|u|p|br|em|strong|a|div|span)(?:\s[^>\n]*)?/?>",
            "WhatsApp knows `*bold*`, `_italic_` and `~struck~`; a line ends where you end it",
        ),
        (
            r"\\n",
            "in single quotes a backslash stands for itself: use double quotes, or `\"\"\"`",
        ),
    ];
    marks.map(|(pattern, help)| (Regex::new(pattern).expect("it is a pattern"), help))
});

/// Warns of marks that contacts would see in a text.
pub(crate) fn check(reader: &mut Reader<'_>, text: &Text<'_>, scope: &Scope<'_>) {
    let source = outside_blocks(text.value);
    let warn = |reader: &mut Reader<'_>, part: Range<usize>, help: String| {
        let message = format!("contacts see `{}` as it stands", &text.value[part.clone()]);
        let span = reader.locate(text, &part);
        let warning = Diagnostic::warning(codes::FOREIGN_MARKS, span, message);
        reader.report(warning.help(help));
    };
    for found in VARIABLES.captures_iter(&source) {
        let name = ["braces", "percent", "dollar", "brackets"];
        let name = name.iter().find_map(|group| found.name(group));
        let (Some(name), Some(whole)) = (name, found.get(0)) else {
            continue;
        };
        let part = if name.as_str().starts_with('%') {
            name.range()
        } else {
            whole.range()
        };
        let name = name.as_str().trim_matches('%');
        let variable = meant(name, scope).unwrap_or_else(|| name.replace(' ', "_"));
        warn(
            reader,
            part,
            format!("a variable is written `{{{{ {variable} }}}}`"),
        );
    }
    for (pattern, help) in &*MARKS {
        if let Some(found) = pattern.find(&source) {
            warn(reader, found.range(), (*help).to_owned());
        }
    }
}
