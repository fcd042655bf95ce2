//! Denials of gRPC calls: status in headers, no body ("Trailers-Only").

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

const CONTENT_TYPE: &str = "application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// What a `grpc-message` holds percent-encoded, beside everything that is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// Whether the content type is `application/grpc` or one of its `+` formats; gRPC-Web is answered as HTTP.
pub(crate) fn is_grpc(content_type: &[u8]) -> bool {
    let Some((start, rest)) = content_type.split_at_checked(CONTENT_TYPE.len()) else { return false };
    start.eq_ignore_ascii_case(CONTENT_TYPE.as_bytes()) && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

/// The answer that says `status` in gRPC's terms.
pub(super) fn answer(status: StatusCode, message: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(GRPC_STATUS, HeaderValue::from_static(code(status)));
    if let Ok(message) = HeaderValue::from_maybe_shared(Bytes::from(utf8_percent_encode(message, ESCAPED).to_string()))
    {
        headers.insert(GRPC_MESSAGE, message);
    }
    response
}

fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "3",
        StatusCode::FORBIDDEN => "7",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "12",
        StatusCode::SERVICE_UNAVAILABLE => "14",
        StatusCode::UNAUTHORIZED => "16",
        _ => "13",
    }
}
