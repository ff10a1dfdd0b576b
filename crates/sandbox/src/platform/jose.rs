//! The two compact JOSE forms of a token: encrypted (JWE, RFC 7516: `dir` with `A256GCM`) and signed
//! but readable (JWS, RFC 7515: `HS256`).
//!
//! Assembled here because the platform's tokens start with `kid`, and JOSE libraries choose the
//! order of a header's members themselves; the cryptography is aws-lc's.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

/// Bytes of an AES-GCM authentication tag.
const TAG_LEN: usize = 16;

/// Encrypts, signs, and opens tokens with keys that live as long as the process.
pub(super) struct Jose {
    kid: String,
    encryption: RandomizedNonceKey,
    signature: hmac::Key,
}

impl Jose {
    /// New random keys.
    pub(super) fn generate() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut encryption_key = [0; 32];
        let mut kid = [0; 9];
        aws_lc_rs::rand::fill(&mut encryption_key)?;
        aws_lc_rs::rand::fill(&mut kid)?;
        Ok(Self {
            kid: BASE64URL.encode(kid),
            encryption: RandomizedNonceKey::new(&AES_256_GCM, &encryption_key)?,
            signature: hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new())?,
        })
    }

    /// `claims` as a JWE: five parts, of which the second is empty since the key is used directly.
    pub(super) fn encrypt(&self, claims: &[u8]) -> Result<String, aws_lc_rs::error::Unspecified> {
        let header = self.header("dir", r#","enc":"A256GCM""#);
        let mut ciphertext = claims.to_vec();
        let (nonce, tag) =
            self.encryption.seal_in_place_separate_tag(Aad::from(header.as_bytes()), &mut ciphertext)?;
        Ok(format!(
            "{header}..{}.{}.{}",
            BASE64URL.encode(nonce.as_ref()),
            BASE64URL.encode(&ciphertext),
            BASE64URL.encode(tag.as_ref()),
        ))
    }

    /// `claims` as a JWT that anybody can read.
    pub(super) fn sign(&self, claims: &[u8]) -> String {
        let signed = format!("{}.{}", self.header("HS256", ""), BASE64URL.encode(claims));
        let signature = hmac::sign(&self.signature, signed.as_bytes());
        format!("{signed}.{}", BASE64URL.encode(signature.as_ref()))
    }

    /// The claims of a token in either form; `None` unless this process made it, byte for byte.
    pub(super) fn open(&self, token: &str) -> Option<Vec<u8>> {
        let parts: Vec<&str> = token.split('.').collect();
        match parts.as_slice() {
            [header, "", nonce, ciphertext, tag] => self.decrypt(header, nonce, ciphertext, tag),
            [header, claims, signature] => self.verify(header, claims, signature),
            _ => None,
        }
    }

    fn decrypt(&self, header: &str, nonce: &str, ciphertext: &str, tag: &str) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = decode(nonce)?.try_into().ok()?;
        let mut sealed = decode(ciphertext)?;
        let tag: [u8; TAG_LEN] = decode(tag)?.try_into().ok()?;
        sealed.extend(tag);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.encryption.open_in_place(nonce, Aad::from(header.as_bytes()), &mut sealed);
        Some(plain.ok()?.to_vec())
    }

    fn verify(&self, header: &str, claims: &str, signature: &str) -> Option<Vec<u8>> {
        let signed = format!("{header}.{claims}");
        hmac::verify(&self.signature, signed.as_bytes(), &decode(signature)?).ok()?;
        decode(claims)
    }

    fn header(&self, alg: &str, rest: &str) -> String {
        BASE64URL.encode(format!(r#"{{"kid":"{}","alg":"{alg}"{rest}}}"#, self.kid))
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(part).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_encrypted_token_looks_as_documented() {
        let token = Jose::generate().unwrap().encrypt(br#"{"appid":"a"}"#).unwrap();
        assert!(token.starts_with("eyJraWQiOi"), "{token}");
        assert_eq!(token.split('.').count(), 5);
        let header = decode(token.split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!((&header["alg"], &header["enc"]), (&"dir".into(), &"A256GCM".into()));
    }

    #[test]
    fn a_signed_token_can_be_read_by_anybody() {
        let token = Jose::generate().unwrap().sign(br#"{"exp":1}"#);
        assert!(token.starts_with("eyJraWQiOi"), "{token}");
        assert_eq!(decode(token.split('.').nth(1).unwrap()).unwrap(), br#"{"exp":1}"#);
    }

    #[test]
    fn another_process_cannot_open_it() {
        let (ours, theirs) = (Jose::generate().unwrap(), Jose::generate().unwrap());
        assert_eq!(theirs.open(&ours.encrypt(b"x").unwrap()), None);
        assert_eq!(theirs.open(&ours.sign(b"x")), None);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(claims in proptest::collection::vec(any::<u8>(), 0..200)) {
            let jose = Jose::generate().unwrap();
            prop_assert_eq!(&jose.open(&jose.encrypt(&claims).unwrap()).unwrap(), &claims);
            prop_assert_eq!(jose.open(&jose.sign(&claims)).unwrap(), claims);
        }

        #[test]
        fn a_changed_character_spoils_it(position in 0_usize..1000, encrypted in any::<bool>()) {
            let jose = Jose::generate().unwrap();
            let token = if encrypted { jose.encrypt(b"claims").unwrap() } else { jose.sign(b"claims") };
            let mut bytes = token.into_bytes();
            let index = position % bytes.len();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            prop_assert_eq!(jose.open(std::str::from_utf8(&bytes).unwrap()), None);
        }

        #[test]
        fn garbage_is_refused_quietly(garbage in "\\PC{0,80}") {
            prop_assert_eq!(Jose::generate().unwrap().open(&garbage), None);
        }
    }
}
