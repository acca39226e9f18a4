//! Whom TLS itself turns away.

mod support;

use camelid_core::process::ConnectionEvent;
use camelid_io::Transport as _;
use camelid_net_quic::tls::{ALPN, SERVER_NAME};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ConnectionError, TransportErrorCode};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error};
use std::sync::Arc;
use support::{Node, loopback, soon};

/// A certificate, and a key: its own, or another's.
#[derive(Debug)]
struct Credentials(Arc<CertifiedKey>);

impl Credentials {
    fn new(own_key: bool) -> Arc<Self> {
        let [certified, other] =
            [(); 2].map(|()| rcgen::generate_simple_self_signed(vec![SERVER_NAME.into()]).expect("made"));
        let signer = if own_key { &certified } else { &other };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signer.signing_key.serialize_der()));
        let key = ring::sign::any_supported_type(&key).expect("a P-256 key");
        Arc::new(Self(Arc::new(CertifiedKey::new(
            vec![certified.cert.der().clone()],
            key,
        ))))
    }
}

impl ResolvesClientCert for Credentials {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Credentials {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Believes everything.
#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// Calls a node as `credentials`, speaking `alpn`, and returns why TLS failed, if it did: the server
/// judges a client's certificate when the client already thinks that it is connected.
async fn call(credentials: Option<Arc<Credentials>>, alpn: &[u8]) -> Option<TransportErrorCode> {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous));
    let mut client = match credentials {
        Some(credentials) => builder.with_client_cert_resolver(credentials),
        None => builder.with_no_client_auth(),
    };
    client.alpn_protocols = vec![alpn.to_vec()];
    let client = QuicClientConfig::try_from(client).expect("a cipher for QUIC");
    let endpoint = quinn::Endpoint::client(loopback()).expect("a free port");
    let node = Node::new(2);
    let config = quinn::ClientConfig::new(Arc::new(client));
    let connecting = endpoint.connect_with(config, node.socket(), SERVER_NAME);
    let error = match soon(connecting.expect("a valid call")).await {
        Err(error) => error,
        Ok(connection) => {
            // Whoever is let in and says nothing sensible hears so from the node itself.
            if let Ok((mut sending, _receiving)) = soon(connection.open_bi()).await {
                let _ = sending.write_all(&[0; 4]).await;
                soon(connection.closed()).await
            } else {
                soon(connection.closed()).await
            }
        }
    };
    match error {
        ConnectionError::ConnectionClosed(close) => Some(close.error_code),
        ConnectionError::ApplicationClosed(_) => None,
        other => panic!("{other}"),
    }
}

/// TLS alerts (RFC 8446, 6).
const DECRYPT_ERROR: u8 = 51;
const CERTIFICATE_REQUIRED: u8 = 116;
const NO_APPLICATION_PROTOCOL: u8 = 120;

#[tokio::test]
async fn a_client_is_checked() {
    assert_eq!(
        call(Some(Credentials::new(true)), ALPN).await,
        None,
        "the test's client can get in"
    );
    let alert = |alert| Some(TransportErrorCode::crypto(alert));
    assert_eq!(
        call(Some(Credentials::new(false)), ALPN).await,
        alert(DECRYPT_ERROR)
    );
    assert_eq!(call(None, ALPN).await, alert(CERTIFICATE_REQUIRED));
    let other = call(Some(Credentials::new(true)), b"camelid/2").await;
    assert_eq!(other, alert(NO_APPLICATION_PROTOCOL));
}

/// Lets a node call a server with these credentials; true when TLS succeeds.
async fn is_called(credentials: Arc<Credentials>) -> bool {
    let mut server = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(credentials);
    server.alpn_protocols = vec![ALPN.to_vec()];
    let server = QuicServerConfig::try_from(server).expect("a cipher for QUIC");
    let config = quinn::ServerConfig::with_crypto(Arc::new(server));
    let endpoint = quinn::Endpoint::server(config, loopback()).expect("a free port");
    let address = endpoint.local_addr().expect("bound").into();
    let mut node = Node::new(1);
    node.transport.connect(address).await;
    let incoming = soon(endpoint.accept()).await.expect("open");
    let connected = soon(incoming.accept().expect("valid")).await;
    if let Ok(connection) = &connected {
        connection.close(0u32.into(), b"that was all");
    }
    assert_eq!(node.event().await, ConnectionEvent::Failed { address });
    connected.is_ok()
}

#[tokio::test]
async fn a_server_is_checked() {
    assert!(
        is_called(Credentials::new(true)).await,
        "the test's server can be called"
    );
    assert!(!is_called(Credentials::new(false)).await);
}
