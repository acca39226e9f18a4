//! `camelid_core::block` and `camelid_core::params`.

use crate::workshop::params;
use camelid_core::block::{BlockHeader, CompactTarget, Work, asert, genesis_block, required_bits, search};
use camelid_core::params::Params;
use camelid_core::primitives::{Height, decode, encode};
use core::hint::black_box;

/// The genesis block, a header's hash, nonce and work, compact targets, difficulty, and the subsidy.
pub fn probe() {
    let params = params();
    let genesis = genesis_block(&params);
    assert_eq!(genesis.merkle_root(), genesis.header.merkle_root);
    let header: BlockHeader =
        decode(black_box(&encode(&genesis.header)), BlockHeader::BYTES).expect("it was just encoded");
    assert_eq!(header.hash(), genesis.header.hash());
    black_box((header.check_work().is_ok(), genesis.size(), params.hash()));

    let easy = params.genesis_bits.target().expect("the simulator's target");
    let nonce = search(&header, &easy, 0..=black_box(1_000)).expect("every second nonce solves it");
    assert_eq!(BlockHeader { nonce, ..header }.check_work(), Ok(()));

    let compact = black_box(CompactTarget(0x1d00_ffff));
    let target = compact.target().expect("Bitcoin's first target");
    assert_eq!(target.to_compact(), compact);
    assert!(target.work().plus(&Work::default()) == target.work());
    assert!(black_box(CompactTarget(0)).target().is_err());

    assert!(asert(target, black_box(-4_320), 4_320, target) < target);

    let mainnet = Params::mainnet();
    let late = genesis_block(&mainnet).header;
    assert_eq!(
        required_bits(&mainnet, &late, black_box(Height(0))),
        mainnet.genesis_bits
    );
    assert!(mainnet.subsidy_at(black_box(Height(1_000_000))) < mainnet.subsidy_at(Height(1)));
}
