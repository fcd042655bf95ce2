use tower_authz::authn::{Client, Separator, TrustErrorKind, TrustedHeaders};

#[test]
fn networks_that_cannot_be_meant_are_refused() {
    use TrustErrorKind::{InvalidNetwork, NetworkTooWide, NoNetworks};
    let cases: &[(&[&str], TrustErrorKind, &str)] = &[
        (&[], NoNetworks, "no trusted proxy is listed"),
        (&["0.0.0.0/0"], NetworkTooWide, "`0.0.0.0/0` trusts everyone: list the networks of the proxies alone"),
        (&["10.0.0.0/8", "::/0"], NetworkTooWide, "`::/0` trusts everyone: list the networks of the proxies alone"),
        (&["::ffff:0:0/96"], NetworkTooWide, "`::ffff:0:0/96` trusts everyone: list the networks of the proxies alone"),
        (&["10.0.0.7/8"], InvalidNetwork, "`10.0.0.7/8` has bits beyond its prefix: did you mean `10.0.0.0/8`?"),
        (&["proxy.local"], InvalidNetwork, "`proxy.local` is not a network such as `10.0.0.0/8`, nor an address"),
        (&["10.0.0.0/33"], InvalidNetwork, "`10.0.0.0/33` is not a network such as `10.0.0.0/8`, nor an address"),
        (&[""], InvalidNetwork, "`` is not a network such as `10.0.0.0/8`, nor an address"),
    ];
    for (networks, kind, message) in cases {
        let client = Client::forwarded(*networks).unwrap_err();
        let headers = TrustedHeaders::from_proxies(*networks).subject("x-user").build().unwrap_err();
        for error in [client, headers] {
            assert_eq!((error.kind(), error.to_string().as_str()), (*kind, *message));
        }
    }
}

#[test]
fn headers_must_be_named_and_differ() {
    let builder = || TrustedHeaders::from_proxies(["10.0.0.0/8"]);
    let cases = [
        (builder(), TrustErrorKind::NoSubject, "no header is named for the subject"),
        (builder().subject("x user"), TrustErrorKind::InvalidHeader, "`x user` is not a header name"),
        (
            builder().subject("x-user").roles("X_User", Separator::Comma),
            TrustErrorKind::RepeatedHeader,
            "`x-user` is named twice: subject, roles and permissions need headers of their own",
        ),
        (
            builder().subject("x-user").roles("x-list", Separator::Comma).permissions("x-list", Separator::Space),
            TrustErrorKind::RepeatedHeader,
            "`x-list` is named twice: subject, roles and permissions need headers of their own",
        ),
    ];
    for (builder, kind, message) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }
}
