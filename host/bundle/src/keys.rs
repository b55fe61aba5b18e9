//! Keys and signatures: one readable line each.
//!
//! ```text
//! rally-secret-key-1 9f0c51a2b7d3e844 BASE64-OF-32-BYTES
//! rally-public-key-1 9f0c51a2b7d3e844 BASE64-OF-32-BYTES
//! rally-signature-1  9f0c51a2b7d3e844 BASE64-OF-64-BYTES
//! ```
//!
//! The second word is the key's id, by which people recognise keys. Blank lines and lines that begin with `#` are ignored.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rally_component::Digest;
use rally_support::hex::Hex;
use rally_support::printable;
use rand::TryRng;
use rand::rngs::SysRng;

const SECRET: &str = "rally-secret-key-1";
const PUBLIC: &str = "rally-public-key-1";
const SIGNATURE: &str = "rally-signature-1";
/// What keeps a signature of a bundle from being taken for a signature of anything else.
const DOMAIN: &[u8] = b"rally-track-bundle-v1\0";

/// Which key: the first 8 bytes of the SHA-256 of the public key, as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    fn of(key: &VerifyingKey) -> KeyId {
        let [a, b, c, d, e, f, g, h, ..] = *Digest::of(key.as_bytes()).as_bytes();
        KeyId([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.0).fmt(f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a key or signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has no such line, or more than one.
    #[error("this is not a {0} file: expected one line, '{0} KEY-ID BASE64'")]
    Shape(&'static str),
    /// It is something else of rally's.
    #[error("this is a {found}, not a {expected}")]
    OtherKind {
        /// What it is.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Its last word is not the base64 of the expected number of bytes.
    #[error("the {0} is damaged: its last word is not the base64 of {1} bytes")]
    Bytes(&'static str, usize),
    /// Its bytes are no key.
    #[error("the key is damaged: its bytes are not a safe ed25519 key")]
    NoKey,
    /// Its id is another key's.
    #[error("the key is damaged: it is labelled {said}, but its bytes are those of {actual}")]
    OtherId {
        /// What it says.
        said: String,
        /// Whose bytes they are.
        actual: KeyId,
    },
}

/// What signs bundles. Whoever has it can sign in its owner's name.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A new key from the entropy of the operating system.
    ///
    /// # Errors
    /// Where that has none.
    pub fn generate() -> Result<SecretKey, rand::rngs::SysError> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed)?;
        Ok(SecretKey(SigningKey::from_bytes(&seed)))
    }

    /// What others verify its signatures with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a bundle, by the digest of the whole file.
    pub fn sign(&self, bundle: &Digest) -> Signature {
        Signature { key: self.public().id(), signature: self.0.sign(&message(bundle)) }
    }

    /// The key as a file's text. Only its owner may read that file.
    pub fn to_text(&self) -> String {
        line(SECRET, self.public().id(), self.0.as_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().id())
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<SecretKey, KeyError> {
        let (id, bytes) = words(SECRET, text)?;
        let key = SecretKey(SigningKey::from_bytes(&bytes));
        key.public().check(id)?;
        Ok(key)
    }
}

/// What verifies the signatures of a secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Its id.
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.0)
    }

    /// Whether this key's owner has signed the bundle with this digest.
    pub fn verifies(&self, bundle: &Digest, signature: &Signature) -> bool {
        signature.key == self.id() && self.0.verify_strict(&message(bundle), &signature.signature).is_ok()
    }

    /// The key as a file's text.
    pub fn to_text(&self) -> String {
        line(PUBLIC, self.id(), self.0.as_bytes())
    }

    fn check(&self, said: &str) -> Result<(), KeyError> {
        let actual = self.id();
        if actual.to_string() == said {
            Ok(())
        } else {
            Err(KeyError::OtherId { said: printable::name(said), actual })
        }
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        let (id, bytes) = words(PUBLIC, text)?;
        let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak());
        let key = PublicKey(key.ok_or(KeyError::NoKey)?);
        key.check(id)?;
        Ok(key)
    }
}

/// A signature of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    key: KeyId,
    signature: ed25519_dalek::Signature,
}

impl Signature {
    /// Which key it says to be of.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The signature as a file's text.
    pub fn to_text(&self) -> String {
        line(SIGNATURE, self.key, &self.signature.to_bytes())
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Signature, KeyError> {
        let (id, bytes) = words::<64>(SIGNATURE, text)?;
        let key = key_id(id).ok_or(KeyError::Shape(SIGNATURE))?;
        Ok(Signature { key, signature: ed25519_dalek::Signature::from_bytes(&bytes) })
    }
}

fn message(bundle: &Digest) -> Vec<u8> {
    [DOMAIN, bundle.as_bytes()].concat()
}

fn line(kind: &str, id: KeyId, bytes: &[u8]) -> String {
    format!("{kind} {id} {}\n", STANDARD.encode(bytes))
}

fn key_id(text: &str) -> Option<KeyId> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect();
    Some(KeyId(bytes?.try_into().ok()?))
}

/// The words of the only line: the id, and the bytes.
fn words<'a, const SIZE: usize>(
    kind: &'static str,
    text: &'a str,
) -> Result<(&'a str, [u8; SIZE]), KeyError> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(KeyError::Shape(kind)) };
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [found, id, bytes] = words[..] else { return Err(KeyError::Shape(kind)) };
    if found != kind {
        return Err(if [SECRET, PUBLIC, SIGNATURE].contains(&found) {
            KeyError::OtherKind { found: found.to_owned(), expected: kind }
        } else {
            KeyError::Shape(kind)
        });
    }
    let bytes = STANDARD.decode(bytes).ok().and_then(|bytes| bytes.try_into().ok());
    Ok((id, bytes.ok_or(KeyError::Bytes(kind, SIZE))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_signatures_are_read_as_they_are_written() {
        let secret = SecretKey::generate().expect("entropy");
        let digest = Digest::of(b"bundle");
        let again: SecretKey = secret.to_text().parse().expect("a key");
        let signature = again.sign(&digest);
        let public: PublicKey = format!("# Jane's\n\n{}", secret.public().to_text()).parse().expect("a key");
        assert!(public.verifies(&digest, &signature.to_text().parse().expect("a signature")));
        assert!(!public.verifies(&Digest::of(b"other"), &signature));
        assert!(!SecretKey::generate().expect("entropy").public().verifies(&digest, &signature));
    }

    #[test]
    fn signatures_are_of_bundles_and_nothing_else() {
        let secret = SecretKey(SigningKey::from_bytes(&[7; 32]));
        let digest = Digest::of(b"bundle");
        let plain = Signature { key: secret.public().id(), signature: secret.0.sign(digest.as_bytes()) };
        assert!(!secret.public().verifies(&digest, &plain));
        assert_eq!(
            secret.sign(&digest).to_text(),
            SecretKey(SigningKey::from_bytes(&[7; 32])).sign(&digest).to_text()
        );
    }

    #[test]
    fn damaged_keys_say_what_is_wrong() {
        let public = SecretKey(SigningKey::from_bytes(&[7; 32])).public();
        let text = public.to_text();
        let parse = |text: &str| text.parse::<PublicKey>().expect_err("damaged");
        assert_eq!(parse(""), KeyError::Shape(PUBLIC));
        assert_eq!(parse(&format!("{text}{text}")), KeyError::Shape(PUBLIC));
        assert_eq!(parse("-----BEGIN PUBLIC KEY-----"), KeyError::Shape(PUBLIC));
        let secret = SecretKey(SigningKey::from_bytes(&[7; 32])).to_text();
        assert!(matches!(parse(&secret), KeyError::OtherKind { .. }));
        assert!(matches!(parse(&text.replace('=', "")), KeyError::Bytes(..)));
        assert!(matches!(
            parse(&text.replace(&public.id().to_string(), "0000000000000000")),
            KeyError::OtherId { .. }
        ));
        let neutral = format!(
            "{PUBLIC} 0000000000000000 {}",
            STANDARD.encode({
                let mut point = [0_u8; 32];
                point[0] = 1;
                point
            })
        );
        assert_eq!(parse(&neutral), KeyError::NoKey);
    }

    #[test]
    fn a_secret_key_is_not_shown() {
        let secret = SecretKey(SigningKey::from_bytes(&[7; 32]));
        let encoded = STANDARD.encode([7; 32]);
        assert!(!format!("{secret:?}").contains(&encoded) && secret.to_text().contains(&encoded));
    }
}
