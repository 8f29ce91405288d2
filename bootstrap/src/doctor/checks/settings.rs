//! The settings, and where access tokens come from.

use crate::config::{Config, Identity};
use crate::doctor::finding::Finding;

pub(crate) fn check(config: &Config) -> Vec<Finding> {
    // The check of the public URL reports more than its note.
    let notes = config.notes.iter().filter(|note| note.setting() != "MCP_URL");
    let notes = notes.map(|note| Finding::warn("settings", note.to_string()));
    let mut findings = vec![Finding::pass("settings", "valid and consistent")];
    findings.extend(notes);
    findings.push(identity(config));
    findings
}

fn identity(config: &Config) -> Finding {
    const CHECK: &str = "identity";
    match &config.identity {
        Identity::Scalekit(environment) => {
            Finding::pass(CHECK, format!("Scalekit, {}", environment.authorization_server()))
        }
        Identity::Local { port: 0, .. } => {
            let advice = "To check more, set EMULATOR_PORT to the port that the server chose.";
            Finding::warn(CHECK, "local, on an unknown port: EMULATOR_PORT is 0").advise(advice)
        }
        Identity::Local { port, .. } => {
            let seen = format!("local, for development: the emulated Scalekit on port {port}");
            Finding::pass(CHECK, seen)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Pass, Warn};
    use crate::settings::Settings;

    fn checked<const N: usize>(pairs: [(&str, &str); N]) -> Vec<Finding> {
        check(&Config::from_settings(&Settings::from_iter(pairs)).unwrap())
    }

    #[test]
    fn notes_are_warnings_except_those_on_the_public_url() {
        let findings = checked([
            ("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com"),
            ("SCALEKIT_RESOURCE_ID", "app_1"),
            ("SCALEKIT_CLIENT_ID", "skc_1"),
            ("MCP_URL", "http://todo.example.com"),
        ]);
        let verdicts: Vec<_> = findings.iter().map(Finding::verdict).collect();
        assert_eq!(verdicts, [Pass, Warn, Warn, Pass], "{findings:?}");
        let issuer = "Scalekit, https://acme.scalekit.com/resources/app_1";
        assert_eq!(findings[3].seen(), issuer);
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn a_local_identity_on_any_port_cannot_be_found() {
        let findings = checked([("EMULATOR_PORT", "0")]);
        assert_eq!(findings[1].verdict(), Warn);
        assert!(findings[1].advice().unwrap().contains("EMULATOR_PORT"));
    }
}
