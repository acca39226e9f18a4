//! Methods about the network.

use super::arguments::Arguments;
use super::method::{Action, Answer, Group, Method};
use super::service::View;
use camelid_core::node::{Node, PeerInfo};
use camelid_core::peers::AddressBook;
use camelid_core::process::Direction;
use camelid_core::wire::Services;
use serde_json::{Value, json};

/// The methods.
pub const METHODS: Group = Group {
    name: "Network",
    methods: &[
        Method {
            name: "getnetworkinfo",
            parameters: &[],
            help: "Who the node is, what it does, and how many it is connected with.",
            action: Action::Look(info),
        },
        Method {
            name: "getconnectioncount",
            parameters: &[],
            help: "Number of peers.",
            action: Action::Look(|view, _| Ok(view.node.peers().len().into())),
        },
        Method {
            name: "getpeerinfo",
            parameters: &[],
            help: "The peers.",
            action: Action::Look(peers),
        },
    ],
};

fn info(view: &View<'_>, _: &Arguments) -> Answer {
    let node = view.node;
    let config = node.config();
    let connections = node.connections();
    let is_inbound = |peer: &&_| {
        matches!(
            peer,
            PeerInfo {
                direction: Direction::Inbound,
                ..
            }
        )
    };
    let inbound = connections.iter().filter(is_inbound).count();
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "id": node.id().to_string(),
        "magic": String::from_utf8_lossy(&config.params.magic),
        "roles": roles(node),
        "listens": config.network.as_ref().and_then(|network| network.listen).map(|address| address.to_string()),
        "connections": node.peers().len(),
        "connections_in": inbound,
        "connections_out": connections.len() - inbound,
        "addresses": node.address_book().map(AddressBook::len),
        "models": config.models.iter().map(|manifest| manifest.id().to_string()).collect::<Vec<_>>(),
    }))
}

/// What the node does besides keeping the chain.
fn roles(node: &Node) -> Vec<&'static str> {
    let config = node.config();
    let services = config.services();
    let served = [
        (Services::WORKER, "worker"),
        (Services::VERIFIER, "verifier"),
        (Services::MINER, "miner"),
        (Services::CHECKER, "checker"),
    ];
    let served = served.into_iter().filter(|(service, _)| services.has(*service));
    let client = config.client.map(|_| "client");
    client.into_iter().chain(served.map(|(_, name)| name)).collect()
}

fn peers(view: &View<'_>, _: &Arguments) -> Answer {
    let connections = view.node.connections();
    if connections.is_empty() {
        // Where peers are fixed, nothing is known of them but their ids.
        let fixed = view.node.peers().iter();
        return Ok(fixed.map(|peer| json!({"id": peer.to_string()})).collect());
    }
    let peer = |peer: PeerInfo| -> Value {
        json!({
            "id": peer.peer.to_string(),
            "addr": peer.address.to_string(),
            "inbound": peer.direction == Direction::Inbound,
            "conntime": peer.opened.timestamp().0,
            "connected_s": view.now.0.saturating_sub(peer.opened.0) / 1_000,
            "misbehaviour": peer.points,
        })
    };
    Ok(connections.into_iter().map(peer).collect())
}
