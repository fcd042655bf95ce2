//! The service starts without the provider, outlives it, and recovers by itself.

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;

/// A listener that takes up no connection, as a host does that drops what it is sent, and those that wait for it.
async fn silent() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let (address, mut waiting) = (listener.local_addr().unwrap(), Vec::new());
    while let Ok(connected) = tokio::time::timeout(MS * 200, TcpStream::connect(address)).await {
        waiting.push(connected.unwrap());
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_provider_that_takes_up_no_connection_is_given_up_sooner_than_one_that_is_slow() {
    let (listener, _waiting) = silent().await;
    let keys = quick(RemoteKeys::jwks(format!("http://{}/keys", listener.local_addr().unwrap())));
    let start = Instant::now();
    let building = Jwt::remote("https://id.example", keys.connect_timeout(MS * 200)).audience("billing").build();
    let jwt = building.await.unwrap();
    assert!(start.elapsed() < MS * 2_000, "{:?}", start.elapsed());
    let identity = identify(&jwt, &token("https://id.example", "a")).await;
    let Identity::Unavailable(unavailable) = identity else { panic!("{identity:?}") };
    let detail = unavailable.get_detail().unwrap();
    assert!(detail.contains("connect") && !detail.contains("no answer within"), "{detail}");
}

#[tokio::test]
async fn a_service_starts_without_its_provider_and_recovers_by_itself() {
    let provider = Provider::down(&["a"]).await;
    let issuer = provider.issuer();
    let start = Instant::now();
    let jwt = discover(&provider, |keys| keys).await;
    assert!(start.elapsed() < Duration::from_secs(2));
    for token in [token(&issuer, "a"), token(&issuer, "b")] {
        assert_eq!(judge(&jwt, &token).await, "unavailable");
    }
    assert_eq!(judge(&jwt, "x.y.z").await, "malformed", "no key would make it good");
    provider.come_up().await;
    until(async || judge(&jwt, &token(&issuer, "a")).await == GOOD).await;
}

#[tokio::test]
async fn keys_stay_in_force_while_the_provider_is_down() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100).back_off(MS * 100, MS * 200)).await;
    provider.go_down();
    let outage = Instant::now();
    while outage.elapsed() < MS * 1_500 {
        assert_eq!(judge(&jwt, &token(&issuer, "a")).await, GOOD);
        tokio::time::sleep(MS * 10).await;
    }
    provider.publish(&["b"]);
    provider.come_up().await;
    until(async || judge(&jwt, &token(&issuer, "b")).await == GOOD).await;
    assert_eq!(judge(&jwt, &token(&issuer, "a")).await, "unknown-key");
}

#[tokio::test]
async fn keys_that_grew_too_old_count_no_longer_where_the_operator_says_so() {
    let provider = Provider::with(&["a"]).await;
    let issuer = provider.issuer();
    let jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, MS * 100).max_stale(MS * 600)).await;
    let token = token(&issuer, "a");
    assert_eq!(judge(&jwt, &token).await, GOOD);
    provider.go_down();
    tokio::time::sleep(MS * 200).await;
    assert_eq!(judge(&jwt, &token).await, GOOD);
    until(async || judge(&jwt, &token).await == "unavailable").await;
    provider.publish(&["a"]);
    provider.come_up().await;
    until(async || judge(&jwt, &token).await == GOOD).await;
}

#[tokio::test]
async fn a_provider_that_fails_is_asked_less_and_less() {
    let provider = Provider::with(&[]).await;
    let jwt = remote(&provider, |keys| keys.back_off(MS * 100, Duration::from_secs(60))).await;
    let start = Instant::now();
    while start.elapsed() < MS * 2_000 {
        assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, "unavailable");
        tokio::time::sleep(MS).await;
    }
    let asked = provider.asked();
    println!("{asked} requests to a provider that failed for two seconds");
    assert!((2..=20).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_is() {
    let wish = |status, seconds: &str| Answer::keys(&["b"]).status(status).header("retry-after", seconds);
    for (answer, bound, expected) in [
        (wish(429, "60"), MS * 60_000, 1..=1),
        (wish(503, "60"), MS * 60_000, 1..=1),
        (wish(429, "60"), MS * 400, 2..=4),
        (wish(500, "60"), MS * 60_000, 5..=60),
        (wish(429, "soon"), MS * 60_000, 5..=60),
    ] {
        let provider = Provider::with(&["a"]).await;
        let jwt = remote(&provider, |keys| keys.refresh_between(bound, MS * 60_000).cool_down(MS * 100)).await;
        provider.answer(answer.clone());
        provider.forget();
        let start = Instant::now();
        while start.elapsed() < MS * 1_200 {
            assert_eq!(judge(&jwt, &token(&provider.issuer(), "b")).await, "unknown-key");
            assert_eq!(judge(&jwt, &token(&provider.issuer(), "a")).await, GOOD);
            tokio::time::sleep(MS * 5).await;
        }
        assert!(
            expected.contains(&provider.asked()),
            "{} {bound:?} {} {:?}",
            provider.asked(),
            answer.status,
            answer.headers
        );
    }
}

#[tokio::test]
async fn no_setting_lets_refreshes_follow_one_another_without_a_pause() {
    type Change = fn(RemoteKeys) -> RemoteKeys;
    let rows: [(&[&str], Change); 2] = [
        (&[], |keys| keys.back_off(Duration::ZERO, Duration::from_secs(60))),
        (&["a"], |keys| keys.cool_down(Duration::ZERO)),
    ];
    for (published, change) in rows {
        let provider = Provider::with(published).await;
        let jwt = remote(&provider, change).await;
        let start = Instant::now();
        while start.elapsed() < MS * 1_000 {
            judge(&jwt, &token(&provider.issuer(), "b")).await;
            tokio::time::sleep(MS).await;
        }
        let asked = provider.asked();
        assert!((2..=20).contains(&asked), "{asked} with {published:?}");
    }
}

#[tokio::test]
async fn the_key_set_says_how_long_it_stays_fresh() {
    let rows = [
        (Answer::keys(&["a"]).header("cache-control", "max-age=600"), false),
        (Answer::keys(&["a"]).header("cache-control", "max-age=600, no-cache"), true),
        (Answer::keys(&["a"]).header("cache-control", "no-store"), true),
        (Answer::keys(&["a"]).header("cache-control", "max-age=600").header("age", "600"), true),
        (Answer::keys(&["a"]), true),
    ];
    for (answer, soon) in rows {
        let provider = Provider::with(&["a"]).await;
        provider.answer(answer.clone());
        let _jwt = remote(&provider, |keys| keys.refresh_between(MS * 100, Duration::from_secs(600))).await;
        tokio::time::sleep(MS * 350).await;
        let expected = if soon { 2..=4 } else { 1..=1 };
        assert!(expected.contains(&provider.asked()), "{} {:?}", provider.asked(), answer.headers);
    }
}

#[tokio::test]
async fn the_task_ends_with_the_last_handle() {
    let provider = Provider::with(&["a"]).await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..2 {
        let jwt = discover(&provider, |keys| keys.refresh_between(MS * 100, MS * 100)).await;
        let clone = jwt.clone();
        drop(jwt);
        let asked = provider.asked();
        until(async || provider.asked() > asked).await;
        assert_eq!(judge(&clone, &token(&provider.issuer(), "a")).await, GOOD);
        drop(clone);
        until(async || tasks() == before).await;
        let asked = provider.asked();
        tokio::time::sleep(MS * 300).await;
        assert_eq!(provider.asked(), asked);
    }
    // Even one that waits for a provider.
    provider.answer(Answer::keys(&["a"]).after(Duration::from_secs(600)));
    drop(Jwt::builder().trust(Issuer::discover(provider.issuer())).build().unwrap());
    let jwt = Jwt::builder().trust(Issuer::discover(provider.issuer())).build().unwrap();
    let asked = provider.asked_for_keys();
    until(async || provider.asked_for_keys() > asked).await;
    drop(jwt);
    until(async || tasks() == before).await;
}
