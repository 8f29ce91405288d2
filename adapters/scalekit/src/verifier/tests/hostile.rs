//! A hundred thousand forged tokens.

use super::*;

const TOKENS: usize = 100_000;
/// From this many bytes on, a part of a token identifies it.
const IDENTIFYING: usize = 8;

/// The same numbers on every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a small number");
        usize::try_from(self.roll() % limit).expect("a small number")
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn bytes(&mut self, limit: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.below(limit)];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.roll().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }

    fn json(&mut self) -> Value {
        match self.below(6) {
            0 => Value::Null,
            1 => json!(self.roll()),
            2 => json!(-1.5e300),
            3 => json!(String::from_utf8_lossy(&self.bytes(20))),
            4 => json!(["res_1", {"notes:write": []}]),
            _ => json!(self.one_of(&["none", "HS256", "RS512", "snk_2", "res_2", "notes:write"])),
        }
    }

    /// `valid` with a change. `other` is another valid token.
    fn forge(&mut self, valid: &str, other: &str) -> String {
        let (start, rest) = valid.split_at(self.below(valid.len()));
        match self.below(9) {
            0 => self.with_bytes_changed(valid),
            1 => start.to_owned(),
            2 => format!("{start}{}{rest}", self.one_of(&[".", "=", " ", "A", "é", "\0", "_"])),
            3 => format!("{start}{}", &rest[self.below(rest.len())..]),
            4 => {
                let parts: Vec<_> = valid.split('.').chain(other.split('.')).collect();
                [(); 3].map(|()| self.one_of(&parts)).join(".")
            }
            5 => String::from_utf8_lossy(&self.bytes(600)).into_owned(),
            6 => [60, 900, 300].map(|limit| base64url(self.bytes(limit))).join("."),
            7 => self.with_member_changed(valid, 0, &["alg", "kid", "crit", "typ", "jwk"]),
            _ => self.with_member_changed(valid, 1, &["iss", "aud", "exp", "nbf", "sub", "scope"]),
        }
    }

    fn with_bytes_changed(&mut self, valid: &str) -> String {
        let mut bytes = valid.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let position = self.below(bytes.len());
            bytes[position] = self.roll().to_le_bytes()[0];
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn with_member_changed(&mut self, valid: &str, part: usize, members: &[&str]) -> String {
        let mut parts: Vec<_> = valid.split('.').map(str::to_owned).collect();
        let mut object: Value = serde_json::from_str(&text_of(&parts[part])).expect("JSON");
        object[self.one_of(members)] = self.json();
        parts[part] = base64url(object.to_string());
        parts.join(".")
    }
}

#[tokio::test]
async fn a_hundred_thousand_forged_tokens_are_rejected_and_no_error_repeats_them() {
    let scene = Scene::new().await;
    let valid = scene.token(&FIRST_KEY);
    let claims = changed(scene.claims(), &json!({"sub": "usr_2", "scope": "notes:write"}));
    let other = FIRST_KEY.token(&claims);
    for token in [&valid, &other] {
        assert!(scene.verify(token).await.is_ok());
    }
    let mut dice = Dice(1);
    let mut rejected = 0;
    for _ in 0..TOKENS {
        let token = dice.forge(&valid, &other);
        match scene.verifier.verify_token(&token).await {
            Ok(_) => assert!(token == valid || token == other, "{token}"),
            Err(error) => {
                assert!(matches!(error, VerificationError::Invalid(_)), "{error}: {token}");
                let shown = format!("{error} {error:?}");
                for piece in token.split('.').filter(|piece| piece.len() >= IDENTIFYING) {
                    assert!(!shown.contains(piece), "{shown}: {token}");
                }
                rejected += 1;
            }
        }
    }
    assert!(rejected > TOKENS * 9 / 10, "{rejected}: the others were not changed");
    assert_eq!(scene.verifier.cache.len(), 2);
    assert_eq!(scene.request_count(), 1);
}
