//! Bytes as hexadecimal digits.

use std::fmt;

/// Shows bytes as lowercase hexadecimal digits, two for each.
#[derive(Debug, Clone, Copy)]
pub struct Hex<Bytes>(pub Bytes);

impl<Bytes: AsRef<[u8]>> fmt::Display for Hex<Bytes> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(Hex([0x00, 0x0a, 0xff]).to_string(), "000aff");
    }
}
