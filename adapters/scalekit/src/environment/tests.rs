use super::*;

#[test]
fn all_urls_follow_from_the_two_settings() {
    let environment =
        ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").expect("an environment");
    assert_eq!(environment.url(), "https://acme.scalekit.com");
    assert_eq!(environment.resource_id(), "res_1");
    assert_eq!(environment.authorization_server(), "https://acme.scalekit.com/resources/res_1");
    assert_eq!(
        environment.issuers(),
        ["https://acme.scalekit.com", "https://acme.scalekit.com/resources/res_1"]
    );
    assert_eq!(environment.keys_url().as_str(), "https://acme.scalekit.com/keys");
    let [path_inserted, path_appended] = environment.metadata_urls();
    assert_eq!(
        path_inserted.as_str(),
        "https://acme.scalekit.com/.well-known/oauth-authorization-server/resources/res_1"
    );
    assert_eq!(
        path_appended.as_str(),
        "https://acme.scalekit.com/resources/res_1/.well-known/oauth-authorization-server"
    );
}

#[test]
fn spellings_of_the_same_environment_are_equal() {
    for (written, normal) in [
        ("https://acme.scalekit.com/", "https://acme.scalekit.com"),
        ("https://acme.scalekit.com//", "https://acme.scalekit.com"),
        ("HTTPS://Acme.Scalekit.COM", "https://acme.scalekit.com"),
        ("https://acme.scalekit.com:443", "https://acme.scalekit.com"),
        (" https://auth.example.com ", "https://auth.example.com"),
        ("https://auth.example.com:8443/", "https://auth.example.com:8443"),
        ("http://localhost:3003/", "http://localhost:3003"),
        ("http://127.0.0.1:3003", "http://127.0.0.1:3003"),
        ("http://[::1]:3003/", "http://[::1]:3003"),
    ] {
        let environment = ScalekitEnvironment::new(written, "res_1").expect(written);
        assert_eq!(environment.url(), normal);
    }
}

#[test]
fn an_invalid_environment_url_is_rejected_with_the_part_to_remove() {
    use EnvironmentError::{NotAUrl, NotBare, NotHttps};
    use url::ParseError;

    for (written, error) in [
        ("", NotAUrl(ParseError::RelativeUrlWithoutBase)),
        ("acme.scalekit.com", NotAUrl(ParseError::RelativeUrlWithoutBase)),
        ("https://", NotAUrl(ParseError::EmptyHost)),
        ("http://acme.scalekit.com", NotHttps),
        ("http://localhost.example.com", NotHttps),
        ("http://10.0.0.1", NotHttps),
        ("ftp://localhost", NotHttps),
        ("localhost:3003", NotHttps),
        ("https://user@acme.scalekit.com", NotBare("credentials")),
        ("https://:secret@acme.scalekit.com", NotBare("credentials")),
        ("https://acme.scalekit.com/resources/res_1", NotBare("path")),
        ("https://acme.scalekit.com/?a=b", NotBare("query")),
        ("https://acme.scalekit.com/#a", NotBare("fragment")),
    ] {
        assert_eq!(ScalekitEnvironment::new(written, "res_1"), Err(error), "{written:?}");
    }
}

#[test]
fn a_resource_id_is_one_path_segment_whatever_its_prefix() {
    for accepted in ["res_1", "app_1", "sk_resource_1", "RES-1"] {
        assert!(
            ScalekitEnvironment::new("https://acme.scalekit.com", accepted).is_ok(),
            "{accepted:?}"
        );
    }
    for rejected in [
        "",
        " res_1",
        "res_1/..",
        "..",
        "res_1?",
        "res%5F1",
        "https://acme.scalekit.com/resources/res_1",
    ] {
        assert_eq!(
            ScalekitEnvironment::new("https://acme.scalekit.com", rejected),
            Err(EnvironmentError::ResourceId),
            "{rejected:?}"
        );
    }
}
