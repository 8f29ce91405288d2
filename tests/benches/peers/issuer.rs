//! Access tokens: an issuer that todo-mcp and the quickstart trust, and what verifying a token costs.

use std::io::{self, BufRead as _, Write as _};
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use todo_tests::issuer::{RESOURCE_ID, TestIssuer, published_key};

use crate::{Result, runtime};

/// For how long verifications are timed.
const TIMED: Duration = Duration::from_millis(500);

/// Before each verification, as requests with new tokens come in the benchmark.
const PAUSE: Duration = Duration::from_micros(250);

/// Prints its URL and the id of the resource. Answers a line `SUBJECT COUNT` with that many tokens, one a
/// line, which differ in `jti`, and in the subject if that has a `#`, which their numbers replace.
pub(crate) fn serve() -> Result<()> {
    let runtime = runtime()?;
    let issuer = runtime.block_on(TestIssuer::start());
    let mut output = io::stdout().lock();
    writeln!(output, "{} {RESOURCE_ID}", issuer.url())?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (subject, count) = line.split_once(' ').ok_or("expected: SUBJECT COUNT")?;
        for token in sign(&issuer, subject, count.parse()?)? {
            writeln!(output, "{token}")?;
        }
        output.flush()?;
    }
    Ok(())
}

/// Signing takes far longer than verifying, so all cores take part.
fn sign(issuer: &TestIssuer, subject: &str, count: usize) -> Result<Vec<String>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let claims = issuer.claims(subject, Some("org_1"), "todo:read todo:write");
    let numbers: Vec<usize> = (0..count).collect();
    let sign = |numbers: &[usize]| -> Vec<String> {
        let mut claims = claims.clone();
        let token = |number: &usize| {
            claims["jti"] = format!("tkn_{number:06}").into();
            claims["sub"] = subject.replace('#', &number.to_string()).into();
            issuer.sign(&claims)
        };
        numbers.iter().map(token).collect()
    };
    thread::scope(|scope| {
        let chunks = numbers.chunks(count.div_ceil(threads).max(1));
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(|| sign(chunk))).collect();
        let mut tokens = Vec::with_capacity(count);
        for thread in threads {
            tokens.extend(thread.join().map_err(|_| "cannot sign tokens")?);
        }
        Ok(tokens)
    })
}

/// Prints the microseconds of one signature check with the library that todo-mcp uses, one after the other and then
/// with a pause before each; no claim is read.
pub(crate) fn time_verification() -> Result<()> {
    let issuer = runtime()?.block_on(TestIssuer::start());
    let tokens = sign(&issuer, "usr_owner", 1_000)?;
    let key = DecodingKey::from_jwk(&serde_json::from_value(published_key().jwk())?)?;
    for pause in [Duration::ZERO, PAUSE] {
        let started = Instant::now();
        let (mut taken, mut verified) = (Duration::ZERO, 0_u32);
        for token in tokens.iter().cycle() {
            thread::sleep(pause);
            let begun = Instant::now();
            let (message, signature) = token.rsplit_once('.').ok_or("not a token")?;
            if !crypto::verify(signature, message.as_bytes(), &key, Algorithm::RS256)? {
                return Err("a valid token is rejected".into());
            }
            taken += begun.elapsed();
            verified += 1;
            if started.elapsed() > TIMED {
                break;
            }
        }
        println!("{:.3}", taken.as_secs_f64() * 1e6 / f64::from(verified));
    }
    Ok(())
}
