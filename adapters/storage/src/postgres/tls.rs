//! Encryption and certificate verification.

mod any_server;

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use any_server::AnyServer;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use todo_application::ports::BoxError;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::Verification;

/// The error is about the certificates.
pub(super) fn connector(verification: &Verification) -> Result<MakeRustlsConnect, BoxError> {
    Ok(MakeRustlsConnect::new(config(verification)?))
}

fn config(verification: &Verification) -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = match verification {
        Verification::None => {
            let any = AnyServer(provider.signature_verification_algorithms);
            builder.dangerous().with_custom_certificate_verifier(Arc::new(any))
        }
        Verification::System => builder.with_platform_verifier()?,
        Verification::File(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path)? {
                roots.add(certificate?)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}

/// Why the certificate of a server is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// Its X.509 version is not 3.
    Version,
    /// Its host, its authority, its time, or anything else.
    Other,
}

/// Whether a connection failed because of the certificate of the server.
pub(super) fn rejection(error: &tokio_postgres::Error) -> Option<Rejection> {
    let error = error.source()?.downcast_ref::<io::Error>()?.get_ref()?;
    let Error::InvalidCertificate(problem) = error.downcast_ref()? else { return None };
    let version = webpki::Error::UnsupportedCertVersion;
    let is_of_the_version = matches!(
        problem,
        CertificateError::Other(other) if other.0.downcast_ref() == Some(&version)
    );
    Some(if is_of_the_version { Rejection::Version } else { Rejection::Other })
}

#[cfg(test)]
mod tests;
