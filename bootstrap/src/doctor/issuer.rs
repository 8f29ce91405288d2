//! The Scalekit environment that issues access tokens.

use std::sync::Arc;

use scalekit::ScalekitEnvironment;

use crate::config::{Config, Identity};

pub(super) struct Issuer {
    pub(super) environment: Arc<ScalekitEnvironment>,
    /// The local identity: no setting of the dashboard applies.
    pub(super) is_local: bool,
}

impl Issuer {
    /// `None` for a local identity on a port that is not known.
    pub(super) fn of(config: &Config) -> Option<Self> {
        match &config.identity {
            Identity::Scalekit(environment) => {
                Some(Self { environment: Arc::new(environment.as_ref().clone()), is_local: false })
            }
            Identity::Local { port: 0, .. } => None,
            Identity::Local { port, .. } => local(*port),
        }
    }
}

#[cfg(feature = "emulator")]
fn local(port: u16) -> Option<Issuer> {
    use crate::local_identity::LOCAL_RESOURCE_ID;

    let url = format!("http://127.0.0.1:{port}");
    let environment = ScalekitEnvironment::new(&url, LOCAL_RESOURCE_ID).ok()?;
    Some(Issuer { environment: Arc::new(environment), is_local: true })
}

#[cfg(not(feature = "emulator"))]
fn local(_: u16) -> Option<Issuer> {
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::settings::Settings;

    /// The MCP server `res_1` of Scalekit, or of a local identity at the same URL.
    pub(crate) fn issuer(is_local: bool) -> Issuer {
        let environment = ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").unwrap();
        Issuer { environment: Arc::new(environment), is_local }
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn a_local_identity_is_found_by_its_port() {
        let issuer = |port| {
            let settings = Settings::from_iter([("EMULATOR_PORT", port)]);
            Issuer::of(&Config::from_settings(&settings).unwrap())
        };
        assert_eq!(issuer("4003").unwrap().environment.url(), "http://127.0.0.1:4003");
        assert!(issuer("0").is_none());
    }
}
