use super::*;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

#[test]
fn the_redirect_uris_of_known_clients_are_accepted() {
    for text in [
        "http://localhost:6274/oauth/callback/debug",
        "https://vscode.dev/redirect",
        "http://127.0.0.1:33418/",
        "http://[::1]:8080/callback",
        "https://claude.ai/api/mcp/auth_callback",
        "http://localhost/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/oauth2redirect",
    ] {
        assert!(RedirectUri::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_uri_that_could_leak_a_code_or_run_a_script_is_rejected() {
    for (text, problem) in [
        ("javascript:alert(1)", RedirectUriProblem::Scheme),
        ("javascript://localhost/%0aalert(1)", RedirectUriProblem::Scheme),
        ("JavaScript://localhost/", RedirectUriProblem::Scheme),
        ("data:text/html,hello", RedirectUriProblem::Scheme),
        ("file:///etc/passwd", RedirectUriProblem::Scheme),
        ("urn:ietf:wg:oauth:2.0:oob", RedirectUriProblem::Scheme),
        ("http://client.example/callback", RedirectUriProblem::PlainHttp),
        ("http://localhost.client.example/", RedirectUriProblem::PlainHttp),
        ("https://client.example/#here", RedirectUriProblem::Fragment),
        ("https://localhost@client.example/", RedirectUriProblem::Credentials),
        ("/callback", RedirectUriProblem::NotAbsolute),
        ("java\tscript:alert(1)", RedirectUriProblem::NotAbsolute),
        (" https://client.example/", RedirectUriProblem::NotAbsolute),
        ("", RedirectUriProblem::NotAbsolute),
    ] {
        assert_eq!(RedirectUri::parse(text), Err(problem), "{text}");
    }
    let endless = format!("https://client.example/{}", "a".repeat(MAX_BYTES));
    assert_eq!(RedirectUri::parse(&endless), Err(RedirectUriProblem::TooLong));
}

#[test]
fn a_loopback_uri_matches_on_any_port() {
    assert!(uri("http://localhost/callback").allows(&uri("http://localhost:51234/callback")));
    assert!(uri("http://127.0.0.1:1/").allows(&uri("http://127.0.0.1:33418/")));
    assert!(uri("http://[::1]/cb?a=b").allows(&uri("http://[::1]:9/cb?a=b")));
}

#[test]
fn only_the_port_of_a_loopback_uri_may_differ() {
    let registered = uri("http://127.0.0.1/callback");

    for requested in [
        "http://127.0.0.1:5/other",
        "http://127.0.0.1:5/callback?x=y",
        "http://localhost:5/callback",
        "https://127.0.0.1:5/callback",
    ] {
        assert!(!registered.allows(&uri(requested)), "{requested}");
    }
}

#[test]
fn any_other_uri_must_be_the_same_string() {
    let registered = uri("https://client.example/callback");

    assert!(registered.allows(&registered.clone()));
    for requested in [
        "https://client.example:8443/callback",
        "https://client.example/callback/",
        "https://client.example/callback?x=y",
        "https://CLIENT.example/callback",
    ] {
        assert!(!registered.allows(&uri(requested)), "{requested}");
    }
}

#[test]
fn parameters_are_added_to_those_of_the_uri() {
    let with = uri("cursor://mcp/cb?tenant=1").with(&[("code", "a b"), ("state", "x&y=z")]);

    assert_eq!(with.as_str(), "cursor://mcp/cb?tenant=1&code=a+b&state=x%26y%3Dz");
}
