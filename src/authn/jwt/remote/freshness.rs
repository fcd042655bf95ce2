//! How long an answer stays fresh (RFC 9111), or how long there is no use in asking again (RFC 9110, section 10.2.3).

use std::time::Duration;

use http::{
    HeaderMap, HeaderName,
    header::{AGE, CACHE_CONTROL, RETRY_AFTER},
};
use jiff::{Timestamp, fmt::rfc2822};

/// How long the answer with these headers stays fresh: `max-age` less what it has aged on its way. Zero where it may
/// not be reused; none where it does not say.
pub(super) fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let mut freshness = None;
    for directive in
        headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','))
    {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" => {
                let seconds = seconds(value.trim().trim_matches('"')).unwrap_or_default();
                freshness = Some(freshness.map_or(seconds, |before: Duration| before.min(seconds)));
            }
            _ => {}
        }
    }
    let age = one(headers, &AGE).and_then(seconds).unwrap_or_default();
    freshness.map(|freshness| freshness.saturating_sub(age))
}

/// How long after `now` the one who answered wants to be left alone: so many seconds, or until a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let wish = one(headers, &RETRY_AFTER)?;
    let until_date = || {
        let date = rfc2822::parse(wish).ok()?.timestamp();
        Some(date.duration_since(now).try_into().unwrap_or_default())
    };
    seconds(wish).or_else(until_date)
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A number of seconds, however large (RFC 9111, section 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of headers, and how many seconds they say.
    type Row = (&'static [(&'static str, &'static str)], Option<u64>);

    #[test]
    fn answers_say_how_long_they_stay_fresh() {
        let rows: [Row; 17] = [
            (&[], None),
            (&[("cache-control", "public")], None),
            (&[("cache-control", "max-age=60")], Some(60)),
            (&[("cache-control", "public, max-age=60, must-revalidate")], Some(60)),
            (&[("cache-control", "Public,MAX-AGE=60")], Some(60)),
            (&[("cache-control", "max-age=\"60\"")], Some(60)),
            (&[("cache-control", "s-maxage=5, max-age=60")], Some(60)),
            (&[("cache-control", "max-age=60, max-age=30")], Some(30)),
            (&[("cache-control", "max-age=60"), ("cache-control", "no-cache")], Some(0)),
            (&[("cache-control", "max-age=60, no-store")], Some(0)),
            (&[("cache-control", "no-cache=\"set-cookie\", max-age=60")], Some(0)),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=soon")], Some(0)),
            (&[("cache-control", "max-age=99999999999999999999999")], Some(u64::from(u32::MAX))),
            (&[("cache-control", "max-age=60"), ("age", "20")], Some(40)),
            (&[("cache-control", "max-age=60"), ("age", "90")], Some(0)),
            (&[("cache-control", "max-age=60"), ("age", "young")], Some(60)),
        ];
        for (lines, expected) in rows {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            assert_eq!(freshness(&headers), expected.map(Duration::from_secs), "{lines:?}");
        }
    }

    #[test]
    fn providers_say_when_to_come_again() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        for (line, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, line.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{line:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
