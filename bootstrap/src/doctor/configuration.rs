//! The settings, and who vouches for callers. Nothing is asked over the network.

use std::sync::Arc;

use super::{Finding, Identity};
use crate::config::{self, Config, Problem};

/// Settings that cannot be read: nothing else can be checked.
pub(super) fn problems(problems: &[Problem]) -> impl Iterator<Item = Finding> {
    problems.iter().map(|problem| Finding::fail("settings", problem.to_string()))
}

/// Settings that can be read, and what is odd about them.
pub(super) fn read(config: &Config) -> Vec<Finding> {
    // The public URL has checks of its own, which say more.
    let notes = config.notes.iter().filter(|note| !note.starts_with("MCP_URL is "));
    let notes = notes.map(|note| Finding::warn("settings", note));
    [Finding::pass("settings", "can be read and fit together")].into_iter().chain(notes).collect()
}

/// Who vouches for callers, if it is known where to find them.
pub(super) fn identity(config: &Config) -> (Option<Identity>, Finding) {
    match &config.identity {
        config::Identity::Scalekit(environment) => {
            let seen = format!("Scalekit, {}", environment.authorization_server());
            let environment = Arc::new(environment.as_ref().clone());
            (Some(Identity { environment, is_local: false }), Finding::pass("identity", seen))
        }
        config::Identity::Local { port: 0, .. } => {
            let seen = "local, on any free port, so that it cannot be found here";
            let advice = "Set EMULATOR_PORT to the port that the server chose.";
            (None, Finding::warn("identity", seen).advise(advice))
        }
        config::Identity::Local { port, .. } => {
            let seen = format!("local, for development: the emulated Scalekit on port {port}");
            (local(*port), Finding::pass("identity", seen))
        }
    }
}

#[cfg(feature = "emulator")]
fn local(port: u16) -> Option<Identity> {
    use todo_adapter_scalekit::ScalekitEnvironment;
    use todo_adapter_scalekit_emulator::LOCAL_RESOURCE_ID;

    let url = format!("http://127.0.0.1:{port}");
    let environment = ScalekitEnvironment::new(&url, LOCAL_RESOURCE_ID).ok()?;
    Some(Identity { environment: Arc::new(environment), is_local: true })
}

#[cfg(not(feature = "emulator"))]
fn local(_: u16) -> Option<Identity> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::settings::Settings;

    fn config<const N: usize>(pairs: [(&str, &str); N]) -> Config {
        Config::from_settings(&Settings::from_iter(pairs)).unwrap()
    }

    #[test]
    fn notes_are_worth_a_look_and_those_on_the_public_url_come_later() {
        let config = config([
            ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
            ("SCALEKIT_RESOURCE_ID", "app_1"),
            ("SCALEKIT_CLIENT_ID", "skc_1"),
            ("MCP_URL", "http://todo.example.com"),
        ]);
        let findings = read(&config);
        let verdicts: Vec<_> = findings.iter().map(Finding::verdict).collect();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Warn, Verdict::Warn], "{findings:?}");
    }

    #[test]
    fn the_identity_says_who_it_is() {
        let scalekit = [
            ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
            ("SCALEKIT_RESOURCE_ID", "res_1"),
        ];
        let (identity, finding) = super::identity(&config(scalekit));
        assert!(!identity.unwrap().is_local);
        assert_eq!(finding.seen(), "Scalekit, https://acme.scalekit.com/resources/res_1");
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn a_local_identity_is_found_by_its_port() {
        let (identity, _) = super::identity(&config([("EMULATOR_PORT", "4003")]));
        assert_eq!(identity.unwrap().environment.url(), "http://127.0.0.1:4003");
        let (identity, finding) = super::identity(&config([("EMULATOR_PORT", "0")]));
        assert!(identity.is_none());
        assert!(finding.advice().unwrap().contains("EMULATOR_PORT"));
    }
}
