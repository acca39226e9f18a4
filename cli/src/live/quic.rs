//! A node's socket.

use camelid_core::block::genesis_block;
use camelid_core::node::NodeConfig;
use camelid_net_quic::{BindError, Identity, QuicConfig, QuicHandle, QuicTransport};
use std::net::SocketAddr;

/// Opens the UDP socket at `listen` for the node that `config` describes, which takes `max_inbound`
/// connections. Call it inside the runtime.
///
/// # Errors
/// [`BindError`] when the system does not let it.
pub fn bind(
    config: &NodeConfig,
    listen: SocketAddr,
    max_inbound: usize,
) -> Result<(QuicTransport, QuicHandle, SocketAddr), BindError> {
    let identity = Identity {
        key: config.key.clone(),
        genesis: genesis_block(&config.params).header.hash(),
        services: u8::try_from(config.services().0).unwrap_or(u8::MAX),
        listen_port: (listen.port() != 0).then_some(listen.port()),
    };
    let limits = QuicConfig {
        listen,
        max_inbound,
        ..QuicConfig::default()
    };
    let (transport, handle) = QuicTransport::bind(limits, identity)?;
    let address = handle.local_addr().map_err(BindError::Socket)?;
    Ok((transport, handle, address))
}
