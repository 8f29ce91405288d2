//! A hundred thousand tokens that nobody issued.

use super::*;

const TOKENS: usize = 100_000;
/// From how many bytes on a piece of a token is a telling one.
const TELLING: usize = 8;

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
            4 => json!(["res_1", {"todo:write": []}]),
            _ => json!(self.one_of(&["none", "HS256", "RS512", "snk_2", "res_2", "todo:write"])),
        }
    }

    /// `good` no longer as it was. `other` is another good token.
    fn spoiled(&mut self, good: &str, other: &str) -> String {
        let (start, rest) = good.split_at(self.below(good.len()));
        match self.below(9) {
            0 => self.with_bytes_changed(good),
            1 => start.to_owned(),
            2 => format!("{start}{}{rest}", self.one_of(&[".", "=", " ", "A", "é", "\0", "_"])),
            3 => format!("{start}{}", &rest[self.below(rest.len())..]),
            4 => {
                let parts: Vec<_> = good.split('.').chain(other.split('.')).collect();
                [(); 3].map(|()| self.one_of(&parts)).join(".")
            }
            5 => String::from_utf8_lossy(&self.bytes(600)).into_owned(),
            6 => [60, 900, 300].map(|limit| base64url(self.bytes(limit))).join("."),
            7 => self.with_member_changed(good, 0, &["alg", "kid", "crit", "typ", "jwk"]),
            _ => self.with_member_changed(good, 1, &["iss", "aud", "exp", "nbf", "sub", "scope"]),
        }
    }

    fn with_bytes_changed(&mut self, good: &str) -> String {
        let mut bytes = good.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let position = self.below(bytes.len());
            bytes[position] = self.roll().to_le_bytes()[0];
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn with_member_changed(&mut self, good: &str, part: usize, members: &[&str]) -> String {
        let mut parts: Vec<_> = good.split('.').map(str::to_owned).collect();
        let mut object: Value = serde_json::from_str(&text_of(&parts[part])).expect("JSON");
        object[self.one_of(members)] = self.json();
        parts[part] = base64url(object.to_string());
        parts.join(".")
    }
}

#[tokio::test]
async fn a_hundred_thousand_spoiled_tokens_are_refused_and_nothing_of_them_is_told() {
    let scene = Scene::new().await;
    let good = scene.token(&FIRST_KEY);
    let claims = changed(scene.claims(), &json!({"sub": "usr_2", "scope": "todo:write"}));
    let other = FIRST_KEY.token(&claims);
    for token in [&good, &other] {
        assert!(scene.verify(token).await.is_ok());
    }
    let mut dice = Dice(1);
    let mut refused = 0;
    for _ in 0..TOKENS {
        let token = dice.spoiled(&good, &other);
        match scene.verifier.verify_token(&token).await {
            Ok(_) => assert!(token == good || token == other, "{token}"),
            Err(error) => {
                assert!(matches!(error, VerificationError::Rejected(_)), "{error}: {token}");
                let told = format!("{error} {error:?}");
                for piece in token.split('.').filter(|piece| piece.len() >= TELLING) {
                    assert!(!told.contains(piece), "{told}: {token}");
                }
                refused += 1;
            }
        }
    }
    assert!(refused > TOKENS * 9 / 10, "{refused}: the others were not spoiled");
    assert_eq!(scene.verifier.cache.len(), 2);
    assert_eq!(scene.request_count(), 1);
}
