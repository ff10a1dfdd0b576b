//! The relay's own certificate, which may change while connections are open.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;

/// The certificate that new connections get.
pub(crate) struct Certificate {
    files: Tls,
    current: ArcSwap<ServerConfig>,
}

impl Certificate {
    pub(crate) fn load(files: Tls) -> io::Result<Self> {
        let current = ArcSwap::new(read(&files)?);
        Ok(Self { files, current })
    }

    /// Takes the files as they are now. A fault in them leaves the old certificate in use.
    pub(crate) fn reload(&self) -> io::Result<()> {
        self.current.store(read(&self.files)?);
        Ok(())
    }

    pub(crate) fn files(&self) -> [PathBuf; 2] {
        [self.files.certificate.clone(), self.files.key.clone()]
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.load_full().into()
    }
}

fn read(files: &Tls) -> io::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(io::Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
