//! Decoding of text files.

/// Decodes a text file in UTF-8, or in UTF-16 if it has a byte order mark, as Windows writes it.
/// Removes the byte order mark. Returns `None` for other content.
#[must_use]
pub fn decode(bytes: Vec<u8>) -> Option<String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok().filter(|_| rest.is_empty())
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// Decodes the ASCII of a text in any encoding that contains ASCII, such as Windows-1252. Replaces
/// all other characters. Returns `None` for content with control characters, such as a picture.
#[must_use]
pub fn decode_ascii(bytes: &[u8]) -> Option<String> {
    let is_text = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    bytes
        .iter()
        .all(is_text)
        .then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_files_of_windows_are_read_and_their_byte_order_marks_cut() {
        let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let units = "é\r\n".encode_utf16().flat_map(bytes);
            mark.into_iter().chain(units).collect::<Vec<u8>>()
        };
        for bytes in [
            "é\r\n".as_bytes().to_vec(),
            "\u{FEFF}é\r\n".as_bytes().to_vec(),
            utf16([0xFF, 0xFE], u16::to_le_bytes),
            utf16([0xFE, 0xFF], u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes.clone()).as_deref(), Some("é\r\n"), "{bytes:?}");
        }
        for bytes in [&b"\xff\xfe\x00"[..], b"\xff\xfe\x00\xd8", b"\x89PNG"] {
            assert_eq!(decode(bytes.to_vec()), None, "{bytes:?}");
        }
    }
}
