//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The length of a SHA-256 digest in unpadded base64url.
const CHALLENGE_LENGTH: usize = 43;

/// A `code_challenge` of the method S256.
#[derive(Clone, Debug)]
pub(crate) struct CodeChallenge(String);

impl CodeChallenge {
    /// `None` for what cannot be the base64url of a SHA-256 digest.
    pub(crate) fn parse(challenge: &str) -> Option<Self> {
        let well_formed = challenge.len() == CHALLENGE_LENGTH
            && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        well_formed.then(|| Self(challenge.to_owned()))
    }

    /// Whether this is the challenge of `verifier` (RFC 7636 sections 4.1 and 4.6).
    pub(crate) fn matches(&self, verifier: &str) -> bool {
        let well_formed = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
        let expected = URL_SAFE_NO_PAD.encode(digest);
        well_formed
            && constant_time::verify_slices_are_equal(expected.as_bytes(), self.0.as_bytes())
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_matches() {
        assert!(CodeChallenge::parse(CHALLENGE).unwrap().matches(VERIFIER));
    }

    #[test]
    fn another_verifier_does_not_match() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();

        assert!(!challenge.matches(&VERIFIER.replace('d', "e")));
        assert!(!challenge.matches(""));
        assert!(!challenge.matches(CHALLENGE));
    }

    #[test]
    fn a_challenge_that_is_not_a_digest_is_rejected() {
        assert!(CodeChallenge::parse("plain").is_none());
        assert!(CodeChallenge::parse(&CHALLENGE.replace('E', "=")).is_none());
    }
}
