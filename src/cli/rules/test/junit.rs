//! The results of `replyd test` as `JUnit` writes them.

use super::reasons;
use crate::cli::terminal;
use crate::simulator::Finding;

/// The whole file.
pub(super) fn document(suites: &[String]) -> String {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    format!("{head}\n<testsuites>\n{}</testsuites>\n", suites.concat())
}

/// Whether a text is such a file, of this program or of another.
pub(super) fn is_report(text: &str) -> bool {
    text.starts_with("<?xml ") && text.contains("<testsuite")
}

/// The tests of a file.
pub(super) fn suite(name: &str, findings: &[Finding]) -> String {
    let failed = findings.iter().filter(|one| one.failure.is_some()).count();
    let cases = findings.iter().map(|finding| {
        let Some(failure) = &finding.failure else {
            return case(name, &finding.name, None);
        };
        let said = failure.transcript.iter().cloned().chain(reasons(failure));
        let said = said.collect::<Vec<_>>().join("\n");
        case(name, &finding.name, Some((&failure.message, &said)))
    });
    let cases: Vec<String> = cases.collect();
    of_cases(name, findings.len(), failed, &cases.concat())
}

/// A file that no test could be run of: one test that fails.
pub(super) fn unusable(name: &str, error: &anyhow::Error) -> String {
    let causes = error.chain().skip(1).map(ToString::to_string);
    let causes = causes.collect::<Vec<_>>().join("\n");
    let failure = (&*error.to_string(), &*causes);
    of_cases(
        name,
        1,
        1,
        &case(name, "the rules can be used", Some(failure)),
    )
}

fn of_cases(name: &str, tests: usize, failed: usize, cases: &str) -> String {
    let name = attribute(name);
    let head = format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">");
    format!("{head}\n{cases}  </testsuite>\n")
}

/// One test; with the message and the details of its failure.
fn case(suite: &str, name: &str, failure: Option<(&str, &str)>) -> String {
    let (suite, name) = (attribute(suite), attribute(name));
    let case = format!("    <testcase classname=\"{suite}\" name=\"{name}\"");
    let Some((message, details)) = failure else {
        return case + "/>\n";
    };
    let (message, details) = (attribute(message), escaped(details));
    format!("{case}>\n      <failure message=\"{message}\">{details}</failure>\n    </testcase>\n")
}

/// A line end in an attribute is read as a space unless it is named.
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;")
}

/// Text as XML takes it: what it takes in no form is written out as in a terminal.
/// See <https://www.w3.org/TR/xml/#charsets>.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in terminal::visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{attribute, case, escaped};

    /// Whether XML 1.0 has a place for it.
    fn is_of_xml(character: char) -> bool {
        matches!(character,
            '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn every_character_comes_out_as_xml_takes_it() {
        let every: String = ('\0'..=char::MAX).collect();

        let written = escaped(&every);

        assert!(written.chars().all(is_of_xml));
        assert!(!written.contains(['<', '>', '"']));
        assert_eq!(
            escaped("a\u{fffe}\u{ffff}\0b\nc"),
            "a&lt;U+FFFE&gt;&lt;U+FFFF&gt;␀b\nc"
        );
        assert_eq!(attribute("a\n\"b\""), "a&#10;&quot;b&quot;");
    }

    #[test]
    fn a_failure_stands_inside_its_test() {
        assert_eq!(
            case("rules.toml", "a & b", Some(("no", "a\nb"))),
            "    <testcase classname=\"rules.toml\" name=\"a &amp; b\">\n      \
             <failure message=\"no\">a\nb</failure>\n    </testcase>\n"
        );
    }
}
