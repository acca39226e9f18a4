//! Who may send requests.

use base64ct::{Base64, Encoding as _};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use hyper::{Method, StatusCode, Uri, http::request::Parts};
use std::net::IpAddr;

/// Looks at everything of a request but its body.
pub struct Guard {
    authorization: String,
}

/// Why a request is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What HTTP calls it.
    pub status: StatusCode,
    /// In words.
    pub message: &'static str,
}

impl Refused {
    /// With a status and words.
    pub const fn new(status: StatusCode, message: &'static str) -> Self {
        Self { status, message }
    }
}

impl Guard {
    /// Lets those in who know the `credentials`, `user:password`.
    pub fn new(credentials: &str) -> Self {
        Self {
            authorization: authorization(credentials),
        }
    }

    /// Checks a request. A page in a browser can make it send requests to this machine, under a name of its
    /// own that suddenly resolves to it: such a request names that host, or its origin.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, request: &Parts) -> Result<(), Refused> {
        if request.headers.contains_key(ORIGIN) {
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                "requests from web pages are not served",
            ));
        }
        if !names_loopback(&request.headers, &request.uri) {
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                "this host is not served here",
            ));
        }
        if !self.knows(&request.headers) {
            return Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "the password is in the file .cookie of the node's directory",
            ));
        }
        if request.uri.path() != "/" {
            return Err(Refused::new(StatusCode::NOT_FOUND, "there is nothing but /"));
        }
        if request.method != Method::POST {
            return Err(Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "requests are sent by POST",
            ));
        }
        Ok(())
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(AUTHORIZATION)
            .map_or(&[][..], |value| value.as_bytes());
        same(given, self.authorization.as_bytes())
    }
}

/// The header of a client that knows the `credentials` (RFC 7617).
pub fn authorization(credentials: &str) -> String {
    format!("Basic {}", Base64::encode_string(credentials.as_bytes()))
}

/// Takes as long for any two texts of a length.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a
        .iter()
        .zip(b)
        .fold(0, |differences, (a, b)| differences | (a ^ b));
    a.len() == b.len() && differences == 0
}

/// True when the request is for this machine by a name that nobody else can give it.
fn names_loopback(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let is_loopback = |text: &str| {
        let authority = text.parse::<hyper::http::uri::Authority>();
        authority.is_ok_and(|authority| {
            let host = authority.host();
            let address = host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<IpAddr>();
            host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
        })
    };
    let in_uri = uri
        .authority()
        .is_none_or(|authority| is_loopback(authority.as_str()));
    in_uri && host.to_str().is_ok_and(is_loopback)
}
