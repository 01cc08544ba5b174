//! Errors for QR codes that contain something else than a login code.

use crate::link::short_code::is_short_link;
use crate::{Error, ErrorCode};

/// Prefixes of the content of other QR codes, each with the name of its kind.
const KINDS: [(&str, &str); 19] = [
    ("wifi:", "a Wi-Fi network"),
    ("begin:vcard", "a contact"),
    ("mecard:", "a contact"),
    ("begin:vcalendar", "a calendar event"),
    ("begin:vevent", "a calendar event"),
    ("mailto:", "an e-mail address"),
    ("matmsg:", "an e-mail"),
    ("smtp:", "an e-mail"),
    ("tel:", "a phone number"),
    ("sms:", "a text message"),
    ("smsto:", "a text message"),
    ("geo:", "a place on a map"),
    ("otpauth:", "a key for one-time passwords"),
    ("otpauth-migration:", "keys for one-time passwords"),
    ("fido:", "a sign-in with a passkey"),
    ("bitcoin:", "a payment"),
    ("bcd\n", "a payment"),
    ("http:", "a link without a code"),
    ("https:", "a link without a code"),
];

/// Returns the kind of a QR code's text, such as `a Wi-Fi network`. The text itself may be a
/// secret, so it is not quoted.
#[must_use]
pub fn kind_of(text: &str) -> &'static str {
    let text = text.trim_start();
    let is = |prefix: &str| {
        let begin = text.as_bytes().get(..prefix.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    if is_short_link(text) {
        return "a short link, of which only the ledger of its gateway knows the person";
    }
    let kind = KINDS.iter().find(|(prefix, _)| is(prefix));
    kind.map_or("a text without a code", |(_, kind)| kind)
}

/// Returns the error for a QR code whose text contains no external auth code.
#[must_use]
pub fn without_code(refused: Error, text: &str) -> Error {
    if refused.code != ErrorCode::NoCode {
        return refused;
    }
    let kind = kind_of(text);
    Error::new(
        ErrorCode::NoCode,
        format!("The QR code was read, and it contains {kind}. Use the QR code of a login link."),
    )
    .about("code")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::code::recognize::recognize;

    #[test]
    fn a_qr_code_with_other_content_is_named_by_its_kind_and_not_quoted() {
        for (text, kind) in [
            ("WIFI:T:WPA;S:Office;P:s3cr3t;;", "a Wi-Fi network"),
            (
                "BEGIN:VCARD\nVERSION:3.0\nN:Lovelace;Ada\nNOTE:s3cr3t\nEND:VCARD",
                "a contact",
            ),
            (
                "HTTPS://A.EXAMPLE/AUTH/L/AAAAAAAAAAAAAAAAAAAAAAAAAA",
                "a short link",
            ),
            ("https://www.example.com/s3cr3t", "a link without a code"),
            (
                "otpauth://totp/a?secret=s3cr3t",
                "a key for one-time passwords",
            ),
            ("s3cr3t", "a text without a code"),
        ] {
            let refused = recognize(text, "externalAuthCode").unwrap_err();
            let refused = without_code(refused, text);
            assert!(refused.message.contains(kind), "{}", refused.message);
            assert!(!refused.message.contains("s3cr3t"), "{}", refused.message);
        }
    }
}
