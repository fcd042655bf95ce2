use http::{HeaderValue, Request, request::Builder};
use tower_authz::{Head, authn::Client};

use super::request_from;

const PROXY: &str = "10.0.0.2:40000";
const EVIL: &str = "203.0.113.7";

fn address(client: &Client, request: Builder) -> String {
    client.address(Head::from(&request.body(()).unwrap())).unwrap().to_string()
}

fn with_lines(peer: &str, name: &str, lines: &[&str]) -> Builder {
    let line = |line: &&str| HeaderValue::from_bytes(line.as_bytes()).unwrap();
    lines.iter().map(line).fold(request_from(peer), |builder, value| builder.header(name, value))
}

#[test]
fn x_forwarded_for_is_read_from_the_right_up_to_the_first_untrusted_hop() {
    let client = Client::forwarded(["10.0.0.0/8", "2001:db8:1::/48"]).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "10.0.0.2"),
        (&["203.0.113.7"], EVIL),
        (&["1.1.1.1, 203.0.113.7"], EVIL),
        (&["1.1.1.1, 203.0.113.7, 10.9.9.9"], EVIL),
        (&["1.1.1.1, 203.0.113.7", "10.9.9.9,10.8.8.8"], EVIL),
        (&["10.1.1.1"], "10.1.1.1"),
        (&["203.0.113.7,2001:db8:1::9"], EVIL),
        (&["203.0.113.7:1234"], EVIL),
        (&["::ffff:203.0.113.7"], EVIL),
        (&["203.0.113.7,::ffff:10.0.0.9"], EVIL),
        (&["2001:db8::1"], "2001:db8::1"),
        (&["[2001:db8::1]"], "2001:db8::1"),
        (&["[2001:db8::1]:1234"], "2001:db8::1"),
        // What the client sent is never reached, however odd it is.
        (&["garbage, 203.0.113.7"], EVIL),
        (&["caf\u{e9}", "203.0.113.7"], EVIL),
        (&[",,,,203.0.113.7"], EVIL),
        // What a trusted proxy says and cannot be read ends the walk at that proxy.
        (&["1.1.1.1, unknown"], "10.0.0.2"),
        (&["1.1.1.1, _hidden"], "10.0.0.2"),
        (&["1.1.1.1,"], "10.0.0.2"),
        (&["1.1.1.1, "], "10.0.0.2"),
        (&["1.1.1.1, 010.0.0.1"], "10.0.0.2"),
        (&["1.1.1.1, 203.0.113.7:99999"], "10.0.0.2"),
        (&["1.1.1.1, fe80::1%eth0"], "10.0.0.2"),
        (&["1.1.1.1, [10.0.0.1]"], "10.0.0.2"),
        (&["1.1.1.1, 203.0.113.7 "], EVIL),
        (&["1.1.1.1, 203.0.113.7 x"], "10.0.0.2"),
        (&["1.1.1.1", "caf\u{e9}"], "10.0.0.2"),
        (&["1.1.1.1, unknown, 10.9.9.9"], "10.9.9.9"),
    ];
    for (lines, expected) in cases {
        let request = with_lines(PROXY, "x-forwarded-for", lines);
        assert_eq!(address(&client, request), *expected, "{lines:?}");
    }
}

#[test]
fn rfc_7239_is_read_by_its_grammar() {
    let client = Client::forwarded(["10.0.0.0/8"]).unwrap().rfc7239();
    let cases: &[(&[&str], &str)] = &[
        (&["for=203.0.113.7"], EVIL),
        (&["For=203.0.113.7;proto=http;by=10.0.0.2"], EVIL),
        (&["proto=https; for=203.0.113.7"], EVIL),
        (&["for=1.1.1.1, for=203.0.113.7, for=10.9.9.9"], EVIL),
        (&["for=1.1.1.1", "for=203.0.113.7"], EVIL),
        (&[r#"for="203.0.113.7:80""#], EVIL),
        (&[r#"for="203.0.113\.7""#], EVIL),
        (&[r#"for="[2001:db8::1]:4711""#], "2001:db8::1"),
        (&[r#"for="[::ffff:203.0.113.7]""#], EVIL),
        (&[r#"for=1.1.1.1;x=", for=203.0.113.7"#], EVIL),
        (&["for=unknown"], "10.0.0.2"),
        (&["for=1.1.1.1, for=_obfuscated"], "10.0.0.2"),
        (&["for=1.1.1.1, proto=http"], "10.0.0.2"),
        (&["for=1.1.1.1;for=203.0.113.7"], "10.0.0.2"),
        (&["for=1.1.1.1,"], "10.0.0.2"),
        (&["for=1.1.1.1 for=2.2.2.2"], "10.0.0.2"),
        (&["for=[2001:db8::1]"], "10.0.0.2"),
        (&["=1.1.1.1"], "10.0.0.2"),
        (&["203.0.113.7"], "10.0.0.2"),
        // A comma within quotes that the client controls must not begin an element.
        (&[r#"for=203.0.113.7;host="x, for=1.1.1.1""#], "10.0.0.2"),
        (&[r#"for=203.0.113.7;host="x, for=1.1.1.1;y=";proto=http"#], "10.0.0.2"),
        (&[r#"for=203.0.113.7;host="x, for=1.1.1.1;y=";proto="http""#], "10.0.0.2"),
        (&[r#"for=203.0.113.7;host="x, for=1.1.1.1;y=\"""#], "10.0.0.2"),
        (&[r#"for=203.0.113.7;host="x, for=1.1.1.1;y=";a=";b=";c=";d=""#], "10.0.0.2"),
    ];
    for (lines, expected) in cases {
        let request = with_lines(PROXY, "forwarded", lines);
        assert_eq!(address(&client, request), *expected, "{lines:?}");
    }
}

#[test]
fn only_the_chosen_header_counts_and_only_from_a_proxy() {
    let forwarded = || Client::forwarded(["10.0.0.0/8"]).unwrap();
    let both = |peer| request_from(peer).header("x-forwarded-for", "1.1.1.1").header("forwarded", "for=2.2.2.2");
    let cases = [
        (forwarded(), PROXY, "1.1.1.1"),
        (forwarded(), "[::ffff:10.0.0.2]:1", "1.1.1.1"),
        (forwarded(), "203.0.113.7:1", EVIL),
        (forwarded(), "[::ffff:203.0.113.7]:1", EVIL),
        (forwarded().rfc7239(), PROXY, "2.2.2.2"),
        (forwarded().rfc7239(), "203.0.113.7:1", EVIL),
        (Client::peer(), PROXY, "10.0.0.2"),
        (Client::peer(), "[::ffff:10.0.0.2]:1", "10.0.0.2"),
        (Client::peer().rfc7239(), "203.0.113.7:1", EVIL),
    ];
    for (client, peer, expected) in cases {
        assert_eq!(address(&client, both(peer)), expected, "{client:?} {peer}");
    }
}

#[test]
fn more_hops_than_any_honest_request_has_are_not_followed() {
    let client = Client::forwarded(["10.0.0.0/8"]).unwrap();
    let hops = |count| format!("1.1.1.1{}", ", 10.0.0.3".repeat(count));
    let few = hops(31);
    assert_eq!(address(&client, with_lines(PROXY, "x-forwarded-for", &[&few])), "1.1.1.1");
    let many = hops(1_000);
    assert_eq!(address(&client, with_lines(PROXY, "x-forwarded-for", &[&many])), "10.0.0.3");
}

#[test]
fn a_missing_peer_address_is_an_error_that_names_the_fix() {
    let request = Request::get("/").header("x-forwarded-for", "10.0.0.1").body(()).unwrap();
    for client in [Client::peer(), Client::forwarded(["10.0.0.0/8"]).unwrap()] {
        let missing = client.address(Head::from(&request)).unwrap_err();
        assert!(missing.to_string().contains("into_make_service_with_connect_info"), "{missing}");
    }
}
