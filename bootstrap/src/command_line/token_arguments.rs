//! What the arguments of `todo-mcp token` may be, so that the server accepts the token.

/// The scopes of this server.
const SCOPES: [&str; 2] = ["todo:read", "todo:write"];

/// The longest lifetime, and the longest time since the expiry, in seconds: ten years.
const MAX_LIFETIME: i64 = 315_576_000;

/// The longest identifier that the verification of tokens accepts.
const MAX_IDENTIFIER_BYTES: usize = 255;

/// Scopes separated by spaces. None at all is a token that needs a step-up for everything.
pub(super) fn scopes(text: &str) -> Result<String, String> {
    let scopes: Vec<&str> = text.split_whitespace().collect();
    match scopes.iter().find(|scope| !SCOPES.contains(scope)) {
        None => Ok(scopes.join(" ")),
        Some(scope) if scope.contains([',', ';', '+']) => {
            Err(format!("separate scopes with spaces, as in \"{}\"", SCOPES.join(" ")))
        }
        Some(_) => Err(format!("the scopes are {}", SCOPES.join(" and "))),
    }
}

pub(super) fn subject(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it must not be empty: leave it out for the local user".to_owned());
    }
    identifier(text)
}

/// An empty one is a token without an organization.
pub(super) fn organization(text: &str) -> Result<String, String> {
    identifier(text)
}

fn identifier(text: &str) -> Result<String, String> {
    if text.len() > MAX_IDENTIFIER_BYTES {
        Err(format!("it must not be longer than {MAX_IDENTIFIER_BYTES} bytes"))
    } else if text.contains(|char: char| char.is_control() || char.is_whitespace()) {
        Err("it must not contain spaces or control characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn lifetime(text: &str) -> Result<i64, String> {
    let seconds: Option<i64> = text.parse().ok();
    seconds
        .filter(|seconds| (-MAX_LIFETIME..=MAX_LIFETIME).contains(seconds))
        .ok_or_else(|| format!("it must be a number of seconds up to {MAX_LIFETIME} (ten years)"))
}
