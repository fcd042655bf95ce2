use super::{GET, capture, capture_by, denial};
use crate::{
    decision::Reason,
    principal::Principal,
    report::{Event, TracingReporter, UserId, user::sip_hash},
};

fn user_id(user_id: UserId, subject: &str) -> Option<String> {
    let (denial, principal) = (denial(Reason::InsufficientRole), Principal::new(subject));
    let event = Event::denied(&denial, &GET, "/x").with_principal(Some(&principal));
    capture_by(&TracingReporter::new().user_id(user_id), &event).get("user.id").map(ToOwned::to_owned)
}

#[test]
fn users_are_named_as_the_operator_wishes() {
    let hashed = |key, subject| user_id(UserId::keyed_hash(key), subject).unwrap();
    assert_eq!(user_id(UserId::plain(), "ada").as_deref(), Some("str ada"));
    assert_eq!(user_id(UserId::off(), "ada"), None);
    assert_eq!(hashed([1; 16], "ada"), hashed([1; 16], "ada"));
    assert_ne!(hashed([1; 16], "ada"), hashed([1; 16], "bob"));
    assert_ne!(hashed([1; 16], "ada"), hashed([2; 16], "ada"));
    assert_eq!(hashed([1; 16], "ada").len(), "str ".len() + 16);
}

/// The same name at two issuers may be two people.
#[test]
fn the_issuer_stands_beside_the_name_of_the_user() {
    let key = UserId::keyed_hash([1; 16]);
    let long = "x".repeat(128);
    for (user_id, issuer, expected) in [
        (UserId::plain(), Some("https://id.example"), Some("str https://id.example".to_owned())),
        (key, Some("https://id.example"), Some("str https://id.example".to_owned())),
        (UserId::off(), Some("https://id.example"), None),
        (UserId::plain(), None, None),
        (UserId::plain(), Some("a b\n"), Some("str a b\\u{a}".to_owned())),
        (UserId::plain(), Some(&format!("{long}y")), Some(format!("str {long}…"))),
    ] {
        let ada = Principal::new("ada");
        let ada = issuer.map_or(ada.clone(), |issuer| ada.claim("iss", issuer));
        let denial = denial(Reason::InsufficientRole);
        let event = Event::denied(&denial, &GET, "/x").with_principal(Some(&ada));
        let captured = capture_by(&TracingReporter::new().user_id(user_id), &event);
        assert_eq!(captured.get("user.issuer").map(ToOwned::to_owned), expected, "{issuer:?}");
    }
}

/// The example of the paper that introduced it, appendix A.
#[test]
fn the_hash_is_siphash_2_4() {
    let key = std::array::from_fn(|byte| u8::try_from(byte).unwrap());
    let input: [u8; 15] = std::array::from_fn(|byte| u8::try_from(byte).unwrap());
    assert_eq!(sip_hash(key, &input), 0xa129_ca61_49be_45e5);
}

#[test]
fn no_debug_output_has_the_key() {
    let reporter = TracingReporter::new().user_id(UserId::keyed_hash(*b"0123456789abcdef"));
    assert_eq!(format!("{reporter:?}"), "TracingReporter { user_id: keyed hash }");
}

#[test]
fn roles_are_capped_in_number_and_length() {
    let roles = |roles: Vec<String>| {
        let (denial, principal) = (denial(Reason::InsufficientRole), Principal::new("ada").roles(roles));
        let event = Event::denied(&denial, &GET, "/x").with_principal(Some(&principal));
        capture(&event).get("user.roles").unwrap().to_owned()
    };
    let long = "x".repeat(64);
    let sixteen = vec!["r"; 16].join(", ");
    let table = [
        (vec![long.clone()], format!("str {long}")),
        (vec![format!("{long}x"), "a".to_owned()], format!("str {long}…, a")),
        (vec!["r".to_owned(); 16], format!("str {sixteen}")),
        (vec!["r".to_owned(); 5000], format!("str {sixteen}, and 4984 more")),
        (vec!["viewer, admin".to_owned()], "str viewer\\u{2c}\\u{20}admin".to_owned()),
    ];
    for (names, expected) in table {
        assert_eq!(roles(names), expected);
    }
}
