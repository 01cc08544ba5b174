//! The ID of a new person who was entered without one.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

/// Returns an ID for a new person: the part of the address before the `@`, else the name with dots.
/// Empty if neither has a letter or a digit.
///
/// `derivedId` of the window does the same while a person types. A test compares both.
#[must_use]
pub fn derived_id(email: &str, name: &str) -> String {
    let local = email.split_once('@').map_or("", |(local, _)| local);
    let id = slug(local);
    if id.is_empty() { slug(name) } else { id }
}

/// Returns the words of a text in lower case, without accents, joined by dots.
fn slug(text: &str) -> String {
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_in = |sign: char, group: GeneralCategoryGroup| group.contains(category.get(sign));
    let normalizer = DecomposingNormalizerBorrowed::new_nfd();
    let base: String = normalizer
        .normalize(text)
        .chars()
        .filter(|sign| !is_in(*sign, GeneralCategoryGroup::Mark))
        .collect();
    let is_word = |sign: char| {
        is_in(sign, GeneralCategoryGroup::Letter)
            || is_in(sign, GeneralCategoryGroup::Number)
            || matches!(sign, '_' | '+' | '-')
    };
    let lower = base.to_lowercase();
    let words = lower.split(|sign| !is_word(sign));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_derived_from_the_address_or_the_name() {
        let cases = include_str!("derived_id.json");
        let cases: Vec<[String; 3]> = serde_json::from_str(cases).unwrap();
        assert!(cases.len() > 8);
        for [email, name, id] in cases {
            assert_eq!(derived_id(&email, &name), id, "{email} {name}");
        }
    }
}
