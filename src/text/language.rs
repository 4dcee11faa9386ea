//! Language codes, for the detection of mistyped keys.

/// All two-letter codes of ISO 639-1, and longer codes of languages that contacts of shops write.
const CODES: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo \
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg \
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn \
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta \
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu \
    ast bho ceb chr ckb dsb fil fur gsw haw hmn hsb kab kea kok lus mai mni nds nso pcm prs sat scn smn tet tpi yue zgh";

/// Whether a word has the form of a language tag: two or three letters, optionally a script and a
/// region.
#[must_use]
pub fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Whether a tag names a known language, with or without a region: `en`, `pt-BR`.
#[must_use]
pub fn is_known(tag: &str) -> bool {
    let language = tag.split('-').next().unwrap_or(tag);
    let mut codes = CODES.split(' ');
    is_tag(tag) && codes.any(|code| code.eq_ignore_ascii_case(language))
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn languages_are_known_with_and_without_a_region_and_other_words_are_not() {
        for tag in ["en", "EN", "pt-BR", "zh-Hant-TW", "fil", "id"] {
            assert!(is_known(tag), "{tag}");
        }
        for word in [
            "img", "txt", "pdf", "xx", "e", "english", "en-", "", "en_US",
        ] {
            assert!(!is_known(word), "{word}");
        }
    }
}
