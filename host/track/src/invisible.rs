//! Characters that are invisible in an editor, but that JSON and templates do not allow.

/// The name of a character that looks like a blank or like nothing.
pub(crate) fn name(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{A0}' => "no-break space",
        '\u{AD}' => "soft hyphen",
        '\u{34F}' => "combining grapheme joiner",
        '\u{61C}' => "Arabic letter mark",
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' => "Hangul filler",
        '\u{1680}' => "Ogham space mark",
        '\u{180E}' => "Mongolian vowel separator",
        '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200A}' => "space of another width",
        '\u{2007}' => "figure space",
        '\u{200B}' => "zero width space",
        '\u{200C}' => "zero width non-joiner",
        '\u{200D}' => "zero width joiner",
        '\u{200E}' => "left-to-right mark",
        '\u{200F}' => "right-to-left mark",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => "bidirectional control",
        '\u{202F}' => "narrow no-break space",
        '\u{205F}' => "medium mathematical space",
        '\u{2060}' => "word joiner",
        '\u{2061}'..='\u{2064}' => "invisible operator",
        '\u{2800}' => "empty Braille pattern",
        '\u{3000}' => "ideographic space",
        '\u{FE00}'..='\u{FE0F}' => "variation selector",
        '\u{FEFF}' => "byte order mark",
        '\u{85}' => "next line",
        control if control.is_control() && !matches!(control, '\t' | '\n' | '\r') => "control character",
        _ => return None,
    })
}

/// The first invisible character of a text, as `U+00A0 (no-break space)`, with its offset.
pub(crate) fn first(text: &str) -> Option<(usize, String)> {
    text.char_indices().find_map(|(at, character)| Some((at, described(character)?)))
}

/// A character by its code point and name, if it is invisible.
pub(crate) fn described(character: char) -> Option<String> {
    name(character).map(|name| format!("U+{:04X} ({name})", u32::from(character)))
}
