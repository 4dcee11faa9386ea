//! Markdown, as language models write it, in `WhatsApp`'s own marks.
//!
//! `WhatsApp` knows bold, italic, strike, code, quotes and plain lists. Everything else becomes lines:
//! a heading is bold, a link shows its address, a row of a table is a line.
//!
//! See <https://faq.whatsapp.com/539178204879377>.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Spaces before an inner list and before further lines of an item.
const INDENT: &str = "  ";

/// Beginnings of the addresses that are shown behind the text of a link.
const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "tel:"];

/// Tags of HTML without a mark of `WhatsApp`, which are left out.
const LAYOUT: [&str; 20] = [
    "p", "div", "span", "ul", "ol", "u", "small", "center", "details", "summary", "table", "thead",
    "tbody", "tr", "td", "hr", "sup", "sub", "font", "section",
];

/// Writes Markdown with the marks of `WhatsApp`. Line breaks stay, as chats have them.
#[must_use]
pub(super) fn to_whatsapp(markdown: &str) -> String {
    let options =
        Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, options) {
        writer.event(event);
    }
    let lines = writer.text.trim().lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

#[derive(Default)]
struct Writer {
    text: String,
    /// Open lists, each with the number of its next item; bullets have none.
    lists: Vec<Option<u64>>,
    /// Open quotes.
    quotes: usize,
    /// Open marks, each with the number of times it was opened: a mark within itself would end it.
    marks: Vec<(char, usize)>,
    /// Open links and images, each with its address and the place of its text.
    links: Vec<(String, usize)>,
    /// Finished cells of the row of a table.
    cells: Vec<String>,
    /// Place of the open cell.
    cell: usize,
    /// Whether the next block stands on the line that is there already.
    begun: bool,
    /// Whether the text is code.
    code: bool,
    /// Addresses of the open links of HTML.
    html_links: Vec<(String, usize)>,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => {
                for (index, line) in text.split('\n').enumerate() {
                    if index > 0 {
                        self.line();
                    }
                    self.text.push_str(line);
                }
            }
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => self.write(format_args!("`{code}`")),
            Event::SoftBreak | Event::HardBreak => self.continuation(),
            Event::InlineHtml(html) => self.html(&html),
            // Each line of a block of HTML comes alone.
            Event::Html(html) => {
                self.html(&html);
                if html.ends_with('\n') && !self.at_line_start() {
                    self.line();
                }
            }
            Event::TaskListMarker(done) => self.text.push_str(if done { "☑ " } else { "☐ " }),
            Event::Rule
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock | Tag::Table(_) => self.block(),
            Tag::Heading { .. } => {
                self.block();
                self.open('*');
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.quotes += 1;
                self.text.push_str("> ");
                self.begun = true;
            }
            Tag::CodeBlock(_) => {
                self.block();
                self.text.push_str("```");
                self.line();
                self.code = true;
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.open('_'),
            Tag::Strong => self.open('*'),
            Tag::Strikethrough => self.open('~'),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.text.len()));
            }
            // The head is bold as a whole.
            Tag::TableHead => self.marks.push(('*', 1)),
            Tag::TableRow => self.line(),
            Tag::TableCell => self.cell = self.text.len(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Strong => self.close('*'),
            TagEnd::BlockQuote(_) => {
                self.quotes -= 1;
                self.begun = false;
            }
            TagEnd::CodeBlock => {
                self.code = false;
                if !self.at_line_start() {
                    self.line();
                }
                self.text.push_str("```");
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.begun = false;
            }
            TagEnd::Item => self.begun = false,
            TagEnd::Emphasis => self.close('_'),
            TagEnd::Strikethrough => self.close('~'),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::TableCell => {
                let cell = self.text.split_off(self.cell);
                self.cells.push(cell.trim().to_owned());
            }
            TagEnd::TableHead => {
                self.marks.clear();
                let cells = std::mem::take(&mut self.cells).into_iter();
                self.cells = cells
                    .filter(|cell| !cell.is_empty())
                    .map(|cell| format!("*{cell}*"))
                    .collect();
                self.end_row();
            }
            TagEnd::TableRow => self.end_row(),
            _ => {}
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(text);
    }

    /// Begins a block: after a blank line, or on the next line within a list or quote.
    fn block(&mut self) {
        if std::mem::take(&mut self.begun) || self.text.is_empty() {
            return;
        }
        if self.lists.is_empty() && self.quotes == 0 {
            self.text.push_str("\n\n");
        } else {
            self.continuation();
        }
    }

    /// Begins a line.
    fn line(&mut self) {
        self.text.push('\n');
        if self.quotes > 0 {
            self.text.push_str("> ");
        }
    }

    /// Begins a further line of the same block. Marks end with the line and begin again on the next
    /// one: in `WhatsApp` none goes over several lines.
    fn continuation(&mut self) {
        let marks = self.marks.clone();
        for (mark, _) in marks.iter().rev() {
            self.end_mark(*mark);
        }
        self.line();
        self.text.push_str(&INDENT.repeat(self.lists.len()));
        self.text.extend(marks.iter().map(|(mark, _)| mark));
    }

    fn item(&mut self) {
        if !self.at_line_start() {
            self.line();
        }
        let depth = self.lists.len().saturating_sub(1);
        self.text.push_str(&INDENT.repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let _ = write!(self.text, "{number}. ");
                *number += 1;
            }
            _ => self.text.push_str("- "),
        }
        self.begun = true;
    }

    fn at_line_start(&self) -> bool {
        let line = self.text.strip_suffix("> ").unwrap_or(&self.text);
        line.is_empty() || line.ends_with('\n')
    }

    fn open(&mut self, mark: char) {
        if let Some((_, times)) = self.marks.iter_mut().find(|(open, _)| *open == mark) {
            *times += 1;
        } else {
            self.text.push(mark);
            self.marks.push((mark, 1));
        }
    }

    fn close(&mut self, mark: char) {
        let Some(place) = self.marks.iter().position(|(open, _)| *open == mark) else {
            return;
        };
        self.marks[place].1 -= 1;
        if self.marks[place].1 == 0 {
            self.marks.remove(place);
            self.end_mark(mark);
        }
    }

    /// Writes the end of a marked text, or takes the mark back if nothing was marked.
    fn end_mark(&mut self, mark: char) {
        let text = self.text.trim_end_matches(' ').len();
        if self.text[..text].ends_with(mark) {
            self.text.truncate(text - mark.len_utf8());
        } else {
            self.text.push(mark);
        }
    }

    /// Shows the address behind the text of a link, unless the text is the address.
    fn end_link(&mut self) {
        if let Some((address, start)) = self.links.pop() {
            self.show(&address, start);
        }
    }

    /// Shows an address behind its text, which begins at `start`.
    fn show(&mut self, address: &str, start: usize) {
        let is_shown = SCHEMES.iter().any(|scheme| address.starts_with(scheme));
        let text = self.text[start..].trim();
        let bare = |text: &str| {
            let text = text.trim_end_matches('/');
            let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
            rest.unwrap_or(text).to_owned()
        };
        if !is_shown || bare(text) == bare(address) {
            return;
        }
        if text.is_empty() {
            self.text.push_str(address);
        } else {
            self.write(format_args!(" ({address})"));
        }
    }

    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.cells).into_iter();
        let cells: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
        self.text.push_str(&cells.join(" · "));
    }

    fn html_mark(&mut self, mark: char, is_end: bool) {
        if is_end {
            self.close(mark);
        } else {
            self.open(mark);
        }
    }

    /// Writes the tags that have a mark as that mark, leaves out those of layout, and keeps whatever
    /// else stands in angle brackets.
    fn html(&mut self, html: &str) {
        let mut rest = html.trim_end_matches('\n');
        while let Some((before, after)) = rest.split_once('<') {
            self.text.push_str(before);
            let Some((inside, after)) = after.split_once('>') else {
                self.text.push('<');
                rest = after;
                continue;
            };
            let name = inside.trim_start_matches('/').trim_end_matches('/').trim();
            let name = name.split_whitespace().next().unwrap_or_default();
            let is_end = inside.starts_with('/');
            match name.to_ascii_lowercase().as_str() {
                "b" | "strong" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "th" => {
                    self.html_mark('*', is_end);
                }
                "i" | "em" => self.html_mark('_', is_end),
                "s" | "del" | "strike" => self.html_mark('~', is_end),
                "code" => self.text.push('`'),
                "br" => self.continuation(),
                "a" if is_end => {
                    if let Some((address, start)) = self.html_links.pop() {
                        self.show(&address, start.min(self.text.len()));
                    }
                }
                "a" => {
                    let address = attribute(inside, "href").unwrap_or_default();
                    self.html_links.push((address, self.text.len()));
                }
                "img" => {
                    let address = attribute(inside, "src").unwrap_or_default();
                    self.show(&address, self.text.len());
                }
                "li" | "tr" if is_end => self.line(),
                "li" => self.text.push_str("- "),
                "td" if is_end => self.text.push(' '),
                name if LAYOUT.contains(&name) || name.starts_with("!--") => {}
                _ => self.write(format_args!("<{inside}>")),
            }
            rest = after;
        }
        self.text.push_str(rest);
    }
}

/// Value of an attribute in quotes of a tag of HTML.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!("{name}="))?;
    let quote = value
        .chars()
        .next()
        .filter(|quote| ['"', '\''].contains(quote))?;
    let (value, _) = value[1..].split_once(quote)?;
    Some(value.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::to_whatsapp;

    #[test]
    fn markdown_becomes_the_marks_of_whatsapp() {
        for (markdown, expected) in [
            (
                "Hello, *world* and **everybody**!",
                "Hello, _world_ and *everybody*!",
            ),
            (
                "__Bold__, _italic_, ***both***, ~~gone~~",
                "*Bold*, _italic_, _*both*_, ~gone~",
            ),
            ("# Our **best** cakes\nText", "*Our best cakes*\n\nText"),
            ("one\ntwo  \nthree\n\n\nfour", "one\ntwo\nthree\n\nfour"),
            (
                "Cakes:\n- lemon\n* **plum**",
                "Cakes:\n\n- lemon\n\n- *plum*",
            ),
            (
                "* lemon\n    * sour\n    * sweet\n* plum",
                "- lemon\n  - sour\n  - sweet\n- plum",
            ),
            ("3. three\n4. four\n\n5. five", "3. three\n4. four\n5. five"),
            ("1. Bake\n   at noon\n2. Eat", "1. Bake\n  at noon\n2. Eat"),
            ("- [x] done\n- [ ] open", "- ☑ done\n- ☐ open"),
            (
                "See [our page](https://a.example/x) now",
                "See our page (https://a.example/x) now",
            ),
            (
                "[https://a.example](https://a.example/) <https://b.example>",
                "https://a.example https://b.example",
            ),
            (
                "[a.example](https://a.example), [us](mailto:us@a.example)",
                "a.example, us (mailto:us@a.example)",
            ),
            (
                "[up](#top) ![Cake](https://a.example/c.jpg)",
                "up Cake (https://a.example/c.jpg)",
            ),
            (
                "Use `cargo run` or\n```sh\ncargo test\n\nmore\n```\nEnd",
                "Use `cargo run` or\n\n```\ncargo test\n\nmore\n```\n\nEnd",
            ),
            (
                "> quoted\n> twice\n\nand **not**",
                "> quoted\n> twice\n\nand *not*",
            ),
            (
                "| Cake | Price |\n|---|--:|\n| **Lemon** | $28 |\n| Plum | |",
                "*Cake* · *Price*\n*Lemon* · $28\nPlum",
            ),
            ("a\n\n---\n\nb", "a\n\nb"),
            (
                "one<br>two <b>three</b> List<String>",
                "one\ntwo *three* List<String>",
            ),
            (
                "2 * 3 * 4 = 24, snake_case_name, 5 < 6 &amp; 7",
                "2 * 3 * 4 = 24, snake_case_name, 5 < 6 & 7",
            ),
            ("• dot\n• dot", "• dot\n• dot"),
            ("#1 cake costs $5.00!", "#1 cake costs $5.00!"),
            ("**Bold:** text", "*Bold:* text"),
        ] {
            assert_eq!(to_whatsapp(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn marks_stay_on_their_line_and_html_is_read() {
        for (markdown, expected) in [
            (
                "**two\nlines** _and\nthree_",
                "*two*\n*lines* _and_\n_three_",
            ),
            ("*a *b* c* ~~**x**~~", "_a b c_ ~*x*~"),
            ("# **All** of `it`", "*All of `it`*"),
            ("- **a\n  b**\n  - c", "- *a*\n  *b*\n  - c"),
            (
                "1. one\n   - two\n     1. three\n2. four",
                "1. one\n  - two\n    1. three\n2. four",
            ),
            ("> - a\n> - b", "> - a\n> - b"),
            ("- a\n\n  b\n\n- c", "- a\n  b\n- c"),
            (
                "[us](https://a.example \"Our title\") [x]( <https://b.example/a b> )",
                "us (https://a.example) x (https://b.example/a b)",
            ),
            (
                "[ref][1]\n\n[1]: https://a.example",
                "ref (https://a.example)",
            ),
            ("`a*b*c` ``x`y``", "`a*b*c` `x`y`"),
            ("```\n**not bold** | a |\n", "```\n**not bold** | a |\n```"),
            ("~~~python\n*x*\n~~~", "```\n*x*\n```"),
            (
                "5 \\* 3, \\# no heading, 1\\. no list",
                "5 * 3, # no heading, 1. no list",
            ),
            (
                "<h2>Hours</h2>\n<p>See <a href=\"https://a.example/?a=1&amp;b=2\">us</a></p>",
                "*Hours*\nSee us (https://a.example/?a=1&b=2)",
            ),
            ("a <!--hidden--> b <u>c</u> <i>d</i>", "a  b c _d_"),
            ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
            ("<b></b>x ****", "x ****"),
            (
                "| A | B |\n|---|---|\n| `x` | **y** [z](https://z.example) |",
                "*A* · *B*\n`x` · *y* z (https://z.example)",
            ),
            ("Price: ~5 to ~6 kg", "Price: ~5 to ~6 kg"),
            ("$x_1 + x_2$ and \\(y\\)", "$x_1 + x_2$ and (y)"),
            ("&lt;b&gt; &euro;5 &copy;", "<b> €5 ©"),
            ("", ""),
        ] {
            assert_eq!(to_whatsapp(markdown), expected, "{markdown}");
        }
    }
}
