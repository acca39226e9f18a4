//! What a node does, line by line, on standard error.

use super::settings::{LogFormat, LogLevel};
use camelid_core::process::Event;
use std::io::{IsTerminal, stderr};
use tracing::level_filters::LevelFilter;
use tracing::{debug, info, warn};

/// Begins to write log lines.
pub fn begin(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(stderr)
        .with_target(false)
        // It would be told on standard error, which is what fails; a node outlives whoever reads its log.
        .log_internal_errors(false)
        .with_ansi(stderr().is_terminal());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}

/// Writes an event down.
pub fn note(event: &Event) {
    let name = event.name();
    match event {
        Event::TipChanged {
            tip,
            height,
            disconnected,
        } => info!(height = height.0, %tip, disconnected, "{name}"),
        Event::JobChanged { job, state, outcome } => info!(%job, state, ?outcome, "{name}"),
        Event::JobOffered { offer } => info!(job = %offer.job, "{name}"),
        Event::Judged { job, verdict, .. } => info!(%job, ?verdict, "{name}"),
        Event::JobRefused { reason } => info!(reason, "{name}"),
        Event::Banned { peer, until } => warn!(%peer, until = until.0, "{name}"),
        Event::Rejected { from, reason } => debug!(%from, reason, "{name}"),
        Event::JobAccepted { job }
        | Event::OutputCommitted { job }
        | Event::EngageSigned { job }
        | Event::DeliverySent { job }
        | Event::DeliveryOpened { job }
        | Event::DeliveryBad { job }
        | Event::Claimed { job, .. }
        | Event::VoteCommitted { job, .. }
        | Event::VoteRevealed { job, .. } => info!(%job, "{name}"),
        _ => info!("{name}"),
    }
}
