//! Handshakes with a server that has a certificate of X.509 version 1.

use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

struct Pair {
    certificate: &'static [u8],
    key: &'static [u8],
}

const RSA: Pair = Pair {
    certificate: include_bytes!("version_1/rsa.crt"),
    key: include_bytes!("version_1/rsa.key"),
};
const ECDSA: Pair = Pair {
    certificate: include_bytes!("version_1/ecdsa.crt"),
    key: include_bytes!("version_1/ecdsa.key"),
};

/// A server that presents `certificate` and signs with `key`, whether or not they belong together.
fn server(
    version: &'static SupportedProtocolVersion,
    certificate: CertificateDer<'static>,
    key: &[u8],
) -> ServerConnection {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    ServerConnection::new(Arc::new(config)).unwrap()
}

/// What the client makes of the handshake.
fn handshake(mut server: ServerConnection) -> Result<(), Error> {
    let config = config(&Verification::None).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    while client.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        let mut read = bytes.as_slice();
        while !read.is_empty() {
            server.read_tls(&mut read).unwrap();
            server.process_new_packets()?;
        }
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut read = bytes.as_slice();
        while !read.is_empty() {
            client.read_tls(&mut read).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

fn pem(certificate: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(certificate).unwrap()
}

#[test]
fn a_certificate_of_version_1_is_accepted_from_the_owner_of_its_key() {
    for version in [&TLS12, &TLS13] {
        for Pair { certificate, key } in [RSA, ECDSA] {
            assert_eq!(handshake(server(version, pem(certificate), key)), Ok(()), "{version:?}");
        }
    }
}

#[test]
fn a_server_that_does_not_own_the_key_of_its_certificate_is_rejected() {
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let stranger = other.signing_key.serialize_pem();
    for version in [&TLS12, &TLS13] {
        for (certificate, key) in [
            (pem(RSA.certificate), ECDSA.key),
            (pem(ECDSA.certificate), RSA.key),
            (pem(ECDSA.certificate), stranger.as_bytes()),
            (other.cert.der().clone(), ECDSA.key),
        ] {
            let refused = handshake(server(version, certificate, key));
            assert!(matches!(refused, Err(Error::InvalidCertificate(_))), "{refused:?}");
        }
    }
}

#[test]
fn what_is_no_certificate_is_rejected() {
    for version in [&TLS12, &TLS13] {
        let refused = handshake(server(version, vec![1, 2, 3].into(), ECDSA.key));
        assert_eq!(refused, Err(CertificateError::BadEncoding.into()));
    }
}
