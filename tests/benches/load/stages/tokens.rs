//! What a token costs that was never seen before, and how cost grows with the number of tokens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::json;
use todo_tests::issuer::{TestIssuer, published_key};

use super::Bench;
use crate::contender::{Contender, issuer_settings, sample, sqlite_url, start_ours};
use crate::failure::{Failure, Result};
use crate::load::{Load, Pace, Span};
use crate::machine::Cores;
use crate::messages::{Era, Prepared};
use crate::results::{Curve, Line};
use crate::work::{BYTES, Task};

const CONNECTIONS: usize = 32;
const COUNTS: [usize; 4] = [1, 100, 10_000, 100_000];
/// How many of them show in a round what the first request costs.
const FIRST: usize = 10_000;
const BARE: Duration = Duration::from_millis(500);

impl Bench {
    pub(super) async fn tokens(&mut self) -> Result<()> {
        println!("\ntokens");
        let issuer = TestIssuer::start().await;
        let most = if self.options.quick { 2_000 } else { COUNTS[COUNTS.len() - 1] };
        let began = Instant::now();
        let tokens = sign(&issuer, most, &self.grounds.cores)?;
        println!("{most} tokens signed in {:.0} s", began.elapsed().as_secs_f64());
        self.first_requests(&issuer, &tokens).await?;
        self.distinct_tokens(&issuer, &tokens).await
    }

    /// With a server that is never idle, the time for each request is what the request costs it. What
    /// a new token adds to that is held against a bare verification on the same core.
    async fn first_requests(&mut self, issuer: &TestIssuer, tokens: &[String]) -> Result<()> {
        let (known, rest) = tokens.split_at(1);
        let rounds = usize::try_from(self.options.rounds)?;
        let each = FIRST.min(rest.len() / rounds);
        let (contender, requests) = self.server(issuer, &known[0]).await?;
        let (mut bare, mut added, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for fresh in rest.chunks_exact(each).take(rounds) {
            let key = DecodingKey::from_jwk(&serde_json::from_value(published_key().jwk())?)?;
            let verify = || verify(fresh, &key);
            let verification = self.grounds.cores.on_server_core(verify)??;
            let span = Span::Requests(each as u64);
            let first = load(&contender, &requests, fresh, span).run().await?;
            let again = load(&contender, &requests, known, self.options.span()).run().await?;
            let more = 1e6 / first.per_second() - 1e6 / again.per_second();
            bare.push(verification);
            added.push(more);
            ratios.push(more / verification);
        }
        self.figure("one bare RS256 verification", "us", bare);
        self.figure("what a token that was never seen adds to a request", "us", added);
        self.figure("the same in bare verifications", "", ratios);
        Ok(())
    }

    /// All of them in turn, after each was used once.
    async fn distinct_tokens(&mut self, issuer: &TestIssuer, tokens: &[String]) -> Result<()> {
        let axis = "tokens in turn";
        let counts = COUNTS.into_iter().filter(|count| *count <= tokens.len());
        let mut line = Line { name: "todo-mcp, SQLite".to_owned(), samples: Vec::new() };
        let values: Vec<u64> = counts.clone().map(|count| count as u64).collect();
        for count in counts {
            let tokens = &tokens[..count];
            let (contender, requests) = self.server(issuer, &tokens[0]).await?;
            let all = Span::Requests(count as u64);
            load(&contender, &requests, tokens, all).run().await?;
            let load = load(&contender, &requests, tokens, self.options.span());
            line.push(count as u64, axis, sample(&contender, load).await?);
        }
        let (name, title) = ("tokens".to_owned(), Task::Get.tool().to_owned());
        self.results.curves.push(Curve { name, title, axis, values, lines: vec![line] });
        Ok(())
    }

    /// Our program with this issuer, and todos to ask for.
    async fn server(
        &self,
        issuer: &TestIssuer,
        token: &str,
    ) -> Result<(Contender, Arc<[Prepared]>)> {
        let directory = tempfile::tempdir()?;
        let mut settings = issuer_settings(issuer);
        settings.push(("DATABASE_URL", sqlite_url(&directory.path().join("todos.db"))));
        let token = Some(token.to_owned());
        let contender = start_ours(&self.grounds, &settings, token, directory).await?;
        let requests = Task::Get.prepare(&contender, Era::Modern, BYTES).await?;
        Ok((contender, requests.into()))
    }
}

fn load(contender: &Contender, requests: &Arc<[Prepared]>, tokens: &[String], span: Span) -> Load {
    Load {
        address: contender.address,
        requests: Arc::clone(requests),
        tokens: tokens.into(),
        connections: CONNECTIONS,
        pace: Pace::Closed,
        span,
    }
}

/// Tokens of one user that differ in their ids. On all cores, as each takes much longer to sign than
/// to verify.
fn sign(issuer: &TestIssuer, count: usize, cores: &Cores) -> Result<Vec<String>> {
    let claims = issuer.claims("usr_owner", Some("org_1"), "todo:read todo:write");
    let threads = match cores {
        Cores::Apart { all, .. } => all.len(),
        Cores::Shared { .. } => 1,
    };
    let numbers: Vec<usize> = (0..count).collect();
    let one = |number: &usize| {
        let mut claims = claims.clone();
        claims["jti"] = json!(format!("tkn_{number:06}"));
        issuer.sign(&claims)
    };
    let some = |numbers: &[usize]| -> Result<Vec<String>> {
        cores.free_thread()?;
        Ok(numbers.iter().map(one).collect())
    };
    std::thread::scope(|scope| {
        let parts = numbers.chunks(count.div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(|| some(part))).collect();
        let mut tokens = Vec::with_capacity(count);
        for part in parts {
            tokens.extend(part.join().map_err(|_| Failure::new("tokens cannot be signed"))??);
        }
        Ok(tokens)
    })
}

/// The time of one signature check with the library that the server uses, in microseconds, and
/// nothing around it: no claim is read.
fn verify(tokens: &[String], key: &DecodingKey) -> Result<f64> {
    let began = Instant::now();
    let mut verified = 0_u32;
    for token in tokens.iter().cycle() {
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        if !crypto::verify(signature, message.as_bytes(), key, Algorithm::RS256)? {
            return Err(Failure::new("a token of our own is refused"));
        }
        verified += 1;
        if began.elapsed() > BARE {
            break;
        }
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(verified))
}
