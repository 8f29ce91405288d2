//! Random ids and secrets.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// An id as Scalekit writes them: a prefix for what it identifies, and 18 digits. Unique, not secret.
pub(crate) fn identifier(prefix: &str) -> String {
    const SMALLEST: u64 = 100_000_000_000_000_000;
    let digits = SMALLEST + u64::from_le_bytes(random()) % (9 * SMALLEST);
    format!("{prefix}_{digits}")
}

/// 256 random bits, in characters that need no escaping anywhere.
pub(crate) fn unguessable() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

#[expect(
    clippy::expect_used,
    reason = "AWS-LC aborts the process when the system has no randomness"
)]
fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).expect("the system's randomness is available");
    bytes
}
