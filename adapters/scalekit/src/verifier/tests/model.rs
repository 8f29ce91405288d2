//! The cache decides nothing: whatever happens to tokens, keys and clock, a verifier with a cache gives
//! the results of one without.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use protected_mcp::Revoker;

use super::*;
use crate::claims::Accepted;
use crate::key_set::KeySet;
use crate::test_tokens::TestKey;
use crate::unverified_token::SignedPayload;

/// A key set: keys, and the ids that they are published with.
type Published = &'static [(Key, &'static str)];

#[derive(Debug, Clone, Copy)]
enum Key {
    First,
    Second,
}

/// Sets in which keys are added, removed, added again, reordered, and take over each other's ids.
const KEY_SETS: &[Published] = &[
    &[(Key::First, "snk_1")],
    &[(Key::Second, "snk_2")],
    &[(Key::First, "snk_1"), (Key::Second, "snk_2")],
    &[(Key::Second, "snk_2"), (Key::First, "snk_1")],
    &[(Key::Second, "snk_1")],
    &[(Key::First, "snk_1"), (Key::Second, "snk_1")],
    &[(Key::Second, "snk_1"), (Key::First, "snk_1")],
];

/// Small enough for the steps to reach it.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(4).unwrap();

#[derive(Debug, Clone)]
enum Step {
    /// Issue a token that begins and ends that many seconds from now.
    Issue { key: Key, key_id: Option<&'static str>, begins: i64, ends: i64, subject: &'static str },
    /// Verify one of the tokens issued so far.
    Verify(Index),
    /// Move the clock by that many milliseconds.
    Move(i64),
    /// Put other keys into force.
    Publish(Published),
    /// Cache that many tokens that are never used again.
    Fill(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = || select(vec![Key::First, Key::Second]);
    let issue = (
        key(),
        select(vec![Some("snk_1"), Some("snk_1"), Some("snk_2"), None]),
        select(vec![-600, 0, 30, 60, 61, 120]),
        select(vec![-1, 1, 30, 60, 600, 3600]),
        select(vec!["usr_1", "usr_2"]),
    );
    let issue = issue.prop_map(|(key, key_id, begins, ends, subject)| Step::Issue {
        key,
        key_id,
        begins,
        ends,
        subject,
    });
    let move_clock = prop_oneof![
        select(vec![-60_000, -1_000, -1, 1, 999, 1_000, 29_000, 30_000, 60_000, 600_000]),
        -3_600_000_i64..3_600_000,
    ];
    prop_oneof![
        3 => issue,
        8 => any::<Index>().prop_map(Step::Verify),
        3 => move_clock.prop_map(Step::Move),
        1 => select(KEY_SETS.to_vec()).prop_map(Step::Publish),
        1 => (1..=CAPACITY.get()).prop_map(Step::Fill),
    ]
}

impl Key {
    fn pair(self) -> &'static TestKey {
        match self {
            Self::First => &FIRST_KEY,
            Self::Second => &SECOND_KEY,
        }
    }
}

/// The result of a verification, in a form that can be compared.
async fn verdict(verifier: &ScalekitTokenVerifier, token: &str) -> Result<Caller, String> {
    match verifier.verify_token(token).await {
        Ok(caller) => Ok(Caller::clone(&caller)),
        Err(error) => Err(format!("{error:?}")),
    }
}

struct Run {
    scene: Scene,
    verifier: ScalekitTokenVerifier,
    issued: Vec<String>,
    filled: usize,
}

impl Run {
    /// Keys change without the network: an issuer that is down changes nothing.
    async fn new() -> Self {
        let scene = Scene::new().await;
        scene.answer_keys(Answer::status(503));
        let cache = Arc::new(TokenCache::with_capacity(CAPACITY));
        let verifier = ScalekitTokenVerifier { cache, ..scene.verifier.clone() };
        let run = Self { scene, verifier, issued: Vec::new(), filled: 0 };
        run.publish(KEY_SETS[0]);
        run
    }

    fn publish(&self, published: Published) {
        let jwks = published.iter().map(|(key, id)| changed(key.pair().jwk(), &json!({"kid": id})));
        let jwks: Vec<_> = jwks.collect();
        let keys = KeySet::parse(&key_set(&jwks.iter().collect::<Vec<_>>()));
        self.scene.keys.put_into_force(keys.expect("a key set"));
    }

    fn issue(&mut self, key: Key, key_id: Option<&str>, lifetime: [i64; 2], subject: &str) {
        let now = i64::try_from(self.scene.clock.unix_millis() / 1000).expect("a time");
        let [begins_at, ends_at] = lifetime.map(|seconds| now + seconds);
        let times = json!({"iat": now, "nbf": begins_at, "exp": ends_at, "sub": subject});
        let claims = changed(self.scene.claims(), &times);
        let header = changed(key.pair().header(), &json!({"kid": key_id}));
        self.issued.push(key.pair().token_of(&header.to_string(), claims.to_string()));
    }

    fn fill(&mut self, count: usize, token: &Accepted) {
        let generation = self.scene.keys.generation().expect("keys");
        for _ in 0..count {
            let digest = TokenDigest::of(&format!("never used again {}", self.filled));
            self.verifier.cache.insert(digest, generation, token.clone());
            self.filled += 1;
        }
    }

    async fn compare(&self, token: &str) {
        let cache = Arc::new(TokenCache::with_capacity(CAPACITY));
        let uncached = ScalekitTokenVerifier { cache, ..self.verifier.clone() };
        let expected = verdict(&uncached, token).await;
        assert_eq!(verdict(&self.verifier, token).await, expected, "it may be cached");
        assert_eq!(verdict(&self.verifier, token).await, expected, "it is cached if valid");
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Issue { key, key_id, begins, ends, subject } => {
                self.issue(key, key_id, [begins, ends], subject);
            }
            Step::Verify(index) if !self.issued.is_empty() => {
                let token: &String = index.get(&self.issued);
                self.compare(token).await;
            }
            Step::Verify(_) => {}
            Step::Move(millis) => {
                let now = self.scene.clock.unix_millis();
                self.scene.clock.set_unix_millis(now.saturating_add_signed(millis));
            }
            Step::Publish(published) => self.publish(published),
            Step::Fill(count) => {
                let Scene { environment, clock, .. } = &self.scene;
                let lifetime = json!({"iat": 0, "nbf": 0, "exp": 4_000_000_000_i64});
                let claims = changed(user_claims(environment.url()), &lifetime).to_string();
                let payload = SignedPayload::assumed(&claims);
                let rules = Rules::new(Arc::clone(environment));
                let token = rules.apply(&payload, clock.now(), Revoker::new().revocation());
                self.fill(count, &token.expect("a valid token"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_verifier_with_a_cache_gives_the_results_of_one_without(
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let mut run = Run::new().await;
            for step in steps {
                run.take(step).await;
            }
            for token in &run.issued {
                run.compare(token).await;
            }
        });
    }
}
