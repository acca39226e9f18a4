//! Decoders and buckets, by properties.

mod support;

use camelid_core::keys::NodeId;
use camelid_net_quic::frame::{FrameDecoder, FrameError, PIECE_BYTES};
use camelid_net_quic::hello::{Hello, Role, Session};
use camelid_net_quic::{Rate, Refusal, TokenBucket};
use proptest::prelude::*;
use std::time::Duration;
use support::{claims, key};
use tokio::time::Instant;

const LIMIT: usize = 100_000;

fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes.extend(u32::try_from(frame.len()).expect("small").to_le_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// What a decoder makes of `bytes`, given in pieces of the `sizes` in turn; checks what it holds.
fn decode(bytes: &[u8], sizes: &[usize]) -> (Vec<Vec<u8>>, Result<bool, FrameError>) {
    let mut decoder = FrameDecoder::new(LIMIT);
    let (mut frames, mut rest, mut of_frame) = (Vec::new(), bytes, 0);
    for size in sizes.iter().cycle() {
        let (mut piece, after) = rest.split_at((*size).min(rest.len()));
        while !piece.is_empty() {
            let before = piece.len();
            match decoder.push(&mut piece) {
                Ok(None) => of_frame += before - piece.len(),
                Ok(Some(frame)) => {
                    frames.push(frame);
                    of_frame = 0;
                }
                Err(error) => return (frames, Err(error)),
            }
            assert!(decoder.held_bytes() <= 2 * of_frame + PIECE_BYTES);
            assert!(decoder.held_bytes() <= LIMIT);
            assert!((1..=PIECE_BYTES).contains(&decoder.wanted()));
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    (frames, Ok(decoder.is_between_frames()))
}

fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40_000), 0..6)
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1usize..8, 1usize..70_000], 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn frames_come_out_as_they_went_in(frames in frames(), sizes in sizes()) {
        prop_assert_eq!(decode(&framed(&frames), &sizes), (frames, Ok(true)));
    }

    #[test]
    fn a_stream_that_breaks_off_is_noticed(frames in frames(), sizes in sizes(), cut in any::<prop::sample::Index>()) {
        let bytes = framed(&frames);
        prop_assume!(!bytes.is_empty());
        let cut = cut.index(bytes.len());
        let (whole, end) = decode(&bytes[..cut], &sizes);
        prop_assert!(whole.len() < frames.len());
        prop_assert_eq!(framed(&whole).len() == cut, end == Ok(true));
        prop_assert_eq!(&frames[..whole.len()], &whole[..]);
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..2000), sizes in sizes()) {
        let once = decode(&bytes, &[bytes.len().max(1)]);
        prop_assert_eq!(decode(&bytes, &sizes), once);
    }

    /// A length is all that a peer has to send, so it may cost no more than a piece.
    #[test]
    fn an_announced_frame_costs_nothing(length in 1..=LIMIT, sent in 0usize..100) {
        let mut bytes = u32::try_from(length).expect("small").to_le_bytes().to_vec();
        bytes.resize(4 + sent.min(length - 1), 0);
        let mut decoder = FrameDecoder::new(LIMIT);
        prop_assert_eq!(decoder.push(&mut &bytes[..]), Ok(None));
        prop_assert!(decoder.held_bytes() <= PIECE_BYTES);
    }

    #[test]
    fn a_length_out_of_bounds_is_an_error(length in prop_oneof![Just(0u32), 100_001u32..]) {
        let expected = match length {
            0 => FrameError::Empty,
            _ => FrameError::TooLong { length: length as usize, limit: LIMIT },
        };
        let mut decoder = FrameDecoder::new(LIMIT);
        prop_assert_eq!(decoder.push(&mut &length.to_le_bytes()[..]), Err(expected));
    }

    #[test]
    fn any_bytes_are_a_hello_or_a_refusal(mut bytes in prop::collection::vec(any::<u8>(), 0..700), ours in any::<bool>()) {
        if let (true, Some(version)) = (ours, bytes.first_chunk_mut()) {
            *version = 1u16.to_le_bytes();
        }
        match Hello::from_bytes(&bytes) {
            Ok(hello) => prop_assert_eq!(hello.to_bytes(), bytes),
            Err(refusal) => prop_assert!(matches!(refusal, Refusal::WrongVersion | Refusal::BadHello)),
        }
    }

    /// A hello is one key's, in one session, for one role and one recipient, with all it says.
    #[test]
    fn a_hello_is_good_for_nothing_else(session in any::<[u8; 32]>(), bit in 0usize..256, flip in any::<prop::sample::Index>()) {
        let own = claims(2);
        let (session, to) = (Session(session), Some(key(2).node_id()));
        let mut other = session;
        other.0[bit / 8] ^= 1 << (bit % 8);
        for role in [Role::Client, Role::Server] {
            let to = to.filter(|_| role == Role::Server);
            let hello = Hello::sign(&key(1), &session, role, claims(1), to);
            prop_assert_eq!(hello.check(&session, role, &own), Ok(key(1).node_id()));
            prop_assert_eq!(hello.check(&other, role, &own), Err(Refusal::BadProof));
            let swapped = if role == Role::Client { Role::Server } else { Role::Client };
            prop_assert_eq!(hello.check(&session, swapped, &own), Err(Refusal::BadProof));
            let mut bytes = hello.to_bytes();
            let at = flip.index(bytes.len());
            bytes[at] ^= 1;
            let checked = Hello::from_bytes(&bytes).and_then(|hello| hello.check(&session, role, &own));
            prop_assert!(checked.is_err(), "byte {}", at);
        }
        let stranger = Some(NodeId::default());
        let hello = Hello::sign(&key(1), &session, Role::Server, claims(1), stranger);
        prop_assert_eq!(hello.check(&session, Role::Server, &own), Err(Refusal::BadProof));
    }

    /// Over any time, no more than burst and rate allow, and no less.
    #[test]
    fn a_bucket_gives_what_its_rate_says(
        per_second in 1u32..10_000, burst in 1u32..10_000, takes in prop::collection::vec((0u64..3000, 1u32..5000), 1..50),
    ) {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Rate { per_second, burst }, start);
        let (mut now, mut given, mut balance) = (start, 0u64, u128::from(burst) * 1_000_000_000);
        let mut owed = 0u128;
        for (pause_ms, units) in takes {
            now += Duration::from_millis(pause_ms);
            // The textbook bucket, in billionths of units.
            let earned = u128::from(pause_ms) * 1_000_000 * u128::from(per_second);
            let paid = earned.min(owed);
            owed -= paid;
            balance = (balance + earned - paid).min(u128::from(burst) * 1_000_000_000);
            let cost = u128::from(units) * 1_000_000_000;
            let from_balance = cost.min(balance);
            balance -= from_balance;
            owed += cost - from_balance;
            let expected = Duration::from_nanos(u64::try_from(owed / u128::from(per_second)).expect("small"));
            let wait = bucket.take(units, now);
            given += u64::from(units);
            prop_assert!(wait.abs_diff(expected) < Duration::from_micros(1), "{wait:?} {expected:?}");
            now += wait;
            let paid = (wait.as_nanos() * u128::from(per_second)).min(owed);
            owed -= paid;
            let seconds = (now - start).as_secs_f64();
            prop_assert!(given as f64 <= f64::from(burst) + seconds * f64::from(per_second) + 1.0);
        }
    }
}
