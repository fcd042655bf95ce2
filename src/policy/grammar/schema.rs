//! Holds the JSON Schema to the keys of the grammar.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{grant::GRANT_KEYS, rule::RULE_KEYS};
use crate::policy::compile::KEYS;

#[test]
fn the_schema_has_the_keys_of_the_grammar() {
    let schema: Value = serde_json::from_str(include_str!("../../../schema/policy.schema.json")).unwrap();
    let keys = |pointer: &str| -> BTreeSet<String> {
        let properties = schema.pointer(pointer).and_then(Value::as_object);
        properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
    };
    let of = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(keys("/properties"), of(KEYS));
    assert_eq!(keys("/$defs/ruleObject/properties"), of(RULE_KEYS));
    let grant: BTreeSet<_> = &keys("/$defs/conditions/properties") | &keys("/$defs/public/properties");
    assert_eq!(grant, of(GRANT_KEYS));
}
